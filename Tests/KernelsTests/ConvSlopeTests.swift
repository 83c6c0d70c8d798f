import KernelABI
import XCTest

/// Gradients of a convolution behind relu and pooling: the bits that the single kernels give.
final class ConvSlopeTests: XCTestCase {
    private func shape(_ n: Int, _ c: Int, _ h: Int, _ w: Int, to o: Int, kernel k: Int = 3, pad: Int = 0) -> kernel_conv {
        kernel_conv(
            n: n, c: c, h: h, w: w, o: o, kh: k, kw: k, oh: h + 2 * pad - k + 1, ow: w + 2 * pad - k + 1, groups: 1, stride_h: 1,
            stride_w: 1, pad_h: pad, pad_w: pad, dilation_h: 1, dilation_w: 1)
    }

    private func bits<T: Real>(_ buffer: Buffer<T>) -> [UInt64] { buffer.values.map { Double($0).bitPattern } }

    /// Windows' places: each of the four at times.
    private func places(_ p: kernel_conv) -> [Int32] {
        var places: [Int32] = [], state: UInt32 = 7
        for _ in 0..<(p.n * p.o) {
            for i in 0..<(p.oh / 2) {
                for j in 0..<(p.ow / 2) {
                    state = state &* 1_664_525 &+ 1_013_904_223
                    let within = Int(state >> 30)
                    places.append(Int32((2 * i + within / 2) * p.ow + 2 * j + within % 2))
                }
            }
        }
        return places
    }

    /// Odd and even numbers of windows in a row, more than a vector of them, bands, channels left over, padding; and what is
    /// not finite, where the transforms give way to plain loops.
    func testPooledSlopes() {
        let shapes = [
            shape(5, 16, 12, 24, to: 20), shape(4, 18, 8, 8, to: 16, pad: 1), shape(4, 17, 10, 10, to: 33, pad: 2), shape(4, 16, 8, 50, to: 16),
            shape(4, 64, 30, 28, to: 64),
        ]
        for (number, var p) in shapes.enumerated() {
            let places = places(p)
            for special in number < 3 ? [nil, Float.nan, -.infinity] : [nil] {
                let slope = Buffer<Float>(count: places.count, seed: 5), gy = Buffer<Float>(count: p.n * p.o * p.oh * p.ow)
                for i in stride(from: 0, to: slope.count, by: 3) { slope.pointer[i] = 0 }
                if let special { slope.pointer[slope.count / 2] = special }
                let x = Buffer<Float>(count: p.n * p.c * p.h * p.w, seed: 1), weight = Buffer<Float>(count: p.o * p.c * 9, seed: 2)
                var q = kernel_pool(
                    planes: p.n * p.o, h: p.oh, w: p.ow, oh: p.oh / 2, ow: p.ow / 2, kh: 2, kw: 2, stride_h: 2, stride_w: 2, pad_h: 0,
                    pad_w: 0, dilation_h: 1, dilation_w: 1)
                for level in Level.all {
                    TestThreads.withExec { exec in
                        level.table.max_pool_backward(Float.kernelType, &q, slope.raw, places, gy.raw, exec)
                        var results: [[UInt64]] = []
                        for pooled in [false, true] {
                            let gx = Buffer<Float>(count: x.count), gweight = Buffer<Float>(count: weight.count), gbias = Buffer<Float>(count: p.o)
                            places.withUnsafeBufferPointer {
                                var from = kernel_slope(gy: pooled ? slope.raw : gy.raw, relu: nil, index: pooled ? $0.baseAddress : nil)
                                XCTAssert(level.table.conv_backward_input(Float.kernelType, &p, &from, weight.raw, gx.raw, exec))
                                XCTAssert(level.table.conv_backward_weight(Float.kernelType, &p, &from, x.raw, gweight.raw, gbias.raw, exec))
                            }
                            results += [bits(gx), bits(gweight), bits(gbias)]
                        }
                        for (i, name) in ["gx", "gweight", "gbias"].enumerated() {
                            XCTAssert(results[i] == results[i + 3], "\(level.name), shape \(number), \(special ?? 0): \(name)")
                        }
                    }
                }
            }
        }
    }

    private func checkRelu<T: Real>(_: T.Type) {
        for (number, var p) in [shape(9, 1, 28, 28, to: 32), shape(3, 3, 11, 13, to: 8, pad: 1), shape(2, 1, 14, 14, to: 4, kernel: 5)].enumerated() {
            let count = p.n * p.o * p.oh * p.ow
            let y = Buffer<T>(count: count, seed: 6), g = Buffer<T>(count: count, seed: 5), gy = Buffer<T>(count: count)
            let x = Buffer<T>(count: p.n * p.c * p.h * p.w, seed: 1)
            y.pointer[3] = .nan
            for i in 0..<count { gy.pointer[i] = y.pointer[i] > 0 ? g.pointer[i] : 0 }
            for level in Level.all {
                TestThreads.withExec { exec in
                    var results: [[UInt64]] = []
                    for behind in [false, true] {
                        let gweight = Buffer<T>(count: p.o * p.c * p.kh * p.kw), gbias = Buffer<T>(count: p.o)
                        var from = kernel_slope(gy: behind ? g.raw : gy.raw, relu: behind ? UnsafeRawPointer(y.raw) : nil, index: nil)
                        XCTAssert(level.table.conv_backward_weight(T.kernelType, &p, &from, x.raw, gweight.raw, gbias.raw, exec))
                        results += [bits(gweight), bits(gbias)]
                    }
                    XCTAssert(results[0] == results[2] && results[1] == results[3], "\(level.name), shape \(number)")
                }
            }
        }
    }

    func testReluSlopesOfFloats() { checkRelu(Float.self) }
    func testReluSlopesOfDoubles() { checkRelu(Double.self) }

    /// What a kernel has no form for, it leaves alone.
    func testOtherShapesAreRefused() {
        for (var p, relu) in [(shape(4, 16, 9, 9, to: 16), false), (shape(4, 2, 8, 8, to: 16), false), (shape(4, 16, 8, 8, to: 16), true)] {
            let buffer = Buffer<Float>(count: 1 << 14, seed: 1), out = Buffer<Float>(count: 1 << 14)
            for i in 0..<out.count { out.pointer[i] = 5 }
            let places = [Int32](repeating: 0, count: 1 << 14)
            for level in Level.all {
                TestThreads.withExec { exec in
                    places.withUnsafeBufferPointer {
                        var from = kernel_slope(
                            gy: buffer.raw, relu: relu ? UnsafeRawPointer(buffer.raw) : nil, index: relu ? nil : $0.baseAddress)
                        XCTAssertFalse(level.table.conv_backward_input(Float.kernelType, &p, &from, buffer.raw, out.raw, exec))
                        XCTAssertFalse(level.table.conv_backward_weight(Float.kernelType, &p, &from, buffer.raw, out.raw, nil, exec))
                    }
                }
            }
            XCTAssert(out.values.allSatisfy { $0 == 5 })
        }
    }
}
