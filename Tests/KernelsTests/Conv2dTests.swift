import KernelABI
import XCTest

final class Conv2dTests: XCTestCase {
    /// A convolution's inputs and what the three kernels make of them.
    private struct Run<T: Real> {
        var p: kernel_conv
        let x: Buffer<T>, weight: Buffer<T>, bias: Buffer<T>, g: Buffer<T>
        let y: Buffer<T>, gx: Buffer<T>, gweight: Buffer<T>, gbias: Buffer<T>

        init(_ p: kernel_conv) {
            self.p = p
            let out = p.n * p.o * p.oh * p.ow
            x = Buffer(count: p.n * p.c * p.h * p.w, seed: 1)
            weight = Buffer(count: p.o * (p.c / p.groups) * p.kh * p.kw, seed: 2)
            bias = Buffer(count: p.o, seed: 3)
            g = Buffer(count: out, seed: 4)
            y = Buffer(count: out)
            gx = Buffer(count: x.count)
            gweight = Buffer(count: weight.count)
            gbias = Buffer(count: p.o)
        }

        mutating func compute(_ table: kernel_table, _ exec: UnsafePointer<kernel_exec>) {
            table.conv_forward(T.kernelType, &p, x.raw, weight.raw, bias.raw, 1, y.raw, exec)
            var slope = kernel_slope(gy: g.raw, relu: nil, index: nil)
            XCTAssert(table.conv_backward_input(T.kernelType, &p, &slope, weight.raw, gx.raw, exec))
            XCTAssert(table.conv_backward_weight(T.kernelType, &p, &slope, x.raw, gweight.raw, gbias.raw, exec))
        }

        /// The same by plain loops in double.
        func plain() -> (y: [Double], gx: [Double], gweight: [Double], gbias: [Double]) {
            var y = [Double](repeating: 0, count: g.count), gx = [Double](repeating: 0, count: x.count)
            var gweight = [Double](repeating: 0, count: weight.count), gbias = [Double](repeating: 0, count: p.o)
            let inputs = p.c / p.groups, outputs = p.o / p.groups
            for n in 0..<p.n {
                for o in 0..<p.o {
                    for i in 0..<p.oh {
                        for j in 0..<p.ow {
                            let at = ((n * p.o + o) * p.oh + i) * p.ow + j
                            let gradient = Double(g.pointer[at])
                            var sum = Double(bias.pointer[o])
                            gbias[o] += gradient
                            for c in 0..<inputs {
                                for ki in 0..<p.kh {
                                    for kj in 0..<p.kw {
                                        let r = i * p.stride_h - p.pad_h + ki * p.dilation_h
                                        let q = j * p.stride_w - p.pad_w + kj * p.dilation_w
                                        if r < 0 || q < 0 || r >= p.h || q >= p.w { continue }
                                        let xi = ((n * p.c + o / outputs * inputs + c) * p.h + r) * p.w + q
                                        let wi = ((o * inputs + c) * p.kh + ki) * p.kw + kj
                                        sum += Double(x.pointer[xi]) * Double(weight.pointer[wi])
                                        gx[xi] += gradient * Double(weight.pointer[wi])
                                        gweight[wi] += gradient * Double(x.pointer[xi])
                                    }
                                }
                            }
                            y[at] = max(sum, 0)
                        }
                    }
                }
            }
            return (y, gx, gweight, gbias)
        }
    }

    private func shape(
        _ n: Int, _ c: Int, _ h: Int, _ w: Int, to o: Int, kernel: (Int, Int), stride: (Int, Int) = (1, 1),
        pad: (Int, Int) = (0, 0), dilation: (Int, Int) = (1, 1), groups: Int = 1
    ) -> kernel_conv {
        kernel_conv(
            n: n, c: c, h: h, w: w, o: o, kh: kernel.0, kw: kernel.1,
            oh: (h + 2 * pad.0 - dilation.0 * (kernel.0 - 1) - 1) / stride.0 + 1,
            ow: (w + 2 * pad.1 - dilation.1 * (kernel.1 - 1) - 1) / stride.1 + 1, groups: groups,
            stride_h: stride.0, stride_w: stride.1, pad_h: pad.0, pad_w: pad.1, dilation_h: dilation.0, dilation_w: dilation.1)
    }

    /// Every path: one and many channels, blocks of input channels, rows of a tile left over, strides,
    /// padding wider than the kernel, dilation, groups, depthwise, single elements.
    private var shapes: [kernel_conv] {
        [
            shape(2, 1, 28, 28, to: 32, kernel: (3, 3)),
            shape(2, 32, 12, 26, to: 64, kernel: (3, 3)),
            shape(3, 8, 12, 12, to: 16, kernel: (5, 5)),
            shape(2, 1, 14, 14, to: 8, kernel: (5, 5)),
            shape(1, 1, 1, 1, to: 1, kernel: (1, 1)),
            shape(2, 3, 7, 9, to: 5, kernel: (3, 2), stride: (2, 3), pad: (1, 2)),
            shape(1, 4, 11, 10, to: 6, kernel: (3, 3), stride: (2, 2), pad: (2, 2), dilation: (2, 3), groups: 2),
            shape(3, 6, 8, 8, to: 6, kernel: (3, 3), pad: (1, 1), groups: 6),
            shape(2, 20, 9, 7, to: 20, kernel: (3, 3), groups: 2),
            shape(1, 2, 5, 40, to: 70, kernel: (1, 3), pad: (0, 1)),
            shape(2, 5, 9, 9, to: 11, kernel: (2, 2), stride: (3, 3)),
            shape(17, 3, 6, 5, to: 4, kernel: (3, 3), stride: (1, 2), pad: (1, 1), dilation: (2, 1)),
            shape(1, 130, 6, 6, to: 20, kernel: (3, 3), pad: (1, 1)),
            shape(1, 1, 4, 4, to: 3, kernel: (4, 4), pad: (3, 3)),
            shape(1, 2, 4, 4, to: 9, kernel: (2, 2), pad: (4, 3)),
            shape(1, 3, 37, 35, to: 8, kernel: (7, 7), stride: (2, 2), pad: (3, 3)),
            shape(2, 2, 6, 6, to: 4, kernel: (1, 1), stride: (3, 2)),
            shape(1, 300, 4, 5, to: 40, kernel: (3, 3), pad: (1, 1)),
            shape(2, 2, 16, 3, to: 50, kernel: (3, 3), pad: (3, 3), dilation: (3, 2)),
            shape(9, 16, 8, 8, to: 16, kernel: (3, 3)),
            shape(5, 17, 9, 13, to: 21, kernel: (3, 3), pad: (1, 1)),
            shape(4, 18, 7, 12, to: 24, kernel: (3, 3), pad: (2, 2)),
            shape(4, 33, 15, 8, to: 19, kernel: (3, 3), pad: (0, 1)),
            shape(1, 16, 5, 71, to: 17, kernel: (3, 3), pad: (1, 0)),
        ]
    }

    private func checkPlain<T: Real>(_: T.Type) {
        for p in shapes {
            for level in Level.all {
                var run = Run<T>(p)
                TestThreads.withExec { run.compute(level.table, $0) }
                let plain = run.plain()
                assertClose(run.y, plain.y, "\(level.name) \(p): y")
                assertClose(run.gx, plain.gx, "\(level.name) \(p): gx")
                assertClose(run.gweight, plain.gweight, "\(level.name) \(p): gweight")
                assertClose(run.gbias, plain.gbias, "\(level.name) \(p): gbias")
            }
        }
    }

    func testFloatAgainstPlainLoops() { checkPlain(Float.self) }
    func testDoubleAgainstPlainLoops() { checkPlain(Double.self) }

    private func checkGolden<T: Real>(_: T.Type) throws {
        let cases = try Golden.cases("conv")
        XCTAssertEqual(cases.count, 7)
        for golden in cases {
            let v = golden.ints("p")
            var run = Run<T>(
                shape(
                    v[0], v[1], v[2], v[3], to: v[4], kernel: (v[5], v[6]), stride: (v[7], v[8]), pad: (v[9], v[10]),
                    dilation: (v[11], v[12]), groups: v[13]))
            for level in Level.all {
                TestThreads.withExec { run.compute(level.table, $0) }
                assertClose(run.y, golden.doubles("y"), "\(level.name) \(v): y")
                assertClose(run.gx, golden.doubles("gx"), "\(level.name) \(v): gx")
                assertClose(run.gweight, golden.doubles("gweight"), "\(level.name) \(v): gweight")
                assertClose(run.gbias, golden.doubles("gbias"), "\(level.name) \(v): gbias")
            }
        }
    }

    func testFloatAgainstPyTorch() throws { try checkGolden(Float.self) }
    func testDoubleAgainstPyTorch() throws { try checkGolden(Double.self) }

    private func checkBits<T: Real>(_: T.Type) {
        for p in shapes {
            assertSameBits("\(T.self) \(p)") { table, exec in
                var run = Run<T>(p)
                run.compute(table, exec)
                return [run.y.data, run.gx.data, run.gweight.data, run.gbias.data]
            }
        }
    }

    func testFloatBitsAreTheSameEverywhere() { checkBits(Float.self) }
    func testDoubleBitsAreTheSameEverywhere() { checkBits(Double.self) }

    /// Without bias and activation; and the gradient of the weight alone.
    func testBiasIsOptional() {
        for level in Level.all {
            var with = Run<Float>(shape(2, 3, 6, 7, to: 5, kernel: (3, 3)))
            for i in 0..<with.bias.count { with.bias.pointer[i] = 0 }
            TestThreads.withExec { exec in
                with.compute(level.table, exec)
                let expected = with.gweight.data
                var slope = kernel_slope(gy: with.g.raw, relu: nil, index: nil)
                XCTAssert(level.table.conv_backward_weight(Float.kernelType, &with.p, &slope, with.x.raw, with.gweight.raw, nil, exec))
                XCTAssertEqual(with.gweight.data, expected, level.name)
                let y = Buffer<Float>(count: with.y.count)
                level.table.conv_forward(Float.kernelType, &with.p, with.x.raw, with.weight.raw, nil, 0, y.raw, exec)
                XCTAssert(y.values.contains { $0 < 0 })
                XCTAssertEqual(y.values.map { max($0, 0) }, with.y.values, level.name)
            }
        }
    }

    /// A NaN or infinity reaches the outputs whose windows hold it and no others.
    func testNotANumberStaysInItsWindows() {
        for level in Level.all {
            for special in [Float.nan, .infinity] {
                var run = Run<Float>(shape(2, 3, 9, 21, to: 9, kernel: (3, 3), pad: (1, 1)))
                for i in 0..<run.weight.count where run.weight.pointer[i] == 0 { run.weight.pointer[i] = 1 }
                run.x.pointer[((0 * 3 + 1) * 9 + 4) * 21 + 10] = special
                run.g.pointer[((1 * 9 + 2) * 9 + 0) * 21 + 20] = special
                TestThreads.withExec { run.compute(level.table, $0) }
                for n in 0..<2 {
                    for o in 0..<9 {
                        for i in 0..<9 {
                            for j in 0..<21 {
                                let reached = n == 0 && abs(i - 4) <= 1 && abs(j - 10) <= 1
                                let value = run.y.pointer[((n * 9 + o) * 9 + i) * 21 + j]
                                // relu turns minus infinity into zero.
                                XCTAssertEqual(value.isFinite, !reached || (special == .infinity && value == 0), level.name)
                            }
                        }
                    }
                    for c in 0..<3 {
                        for i in 0..<9 {
                            for j in 0..<21 {
                                let reached = n == 1 && i <= 1 && j >= 19
                                XCTAssertEqual(run.gx.pointer[((n * 3 + c) * 9 + i) * 21 + j].isFinite, !reached, level.name)
                            }
                        }
                    }
                }
            }
        }
    }

    /// The same for the shapes that are transformed: what is not finite is computed by itself.
    func testNotANumberStaysInItsWindowsOfTransformedShapes() {
        for level in Level.all {
            for special in [Float.nan, .infinity] {
                var run = Run<Float>(shape(2, 16, 9, 21, to: 16, kernel: (3, 3), pad: (1, 1)))
                for i in 0..<run.weight.count where run.weight.pointer[i] == 0 { run.weight.pointer[i] = 1 }
                run.x.pointer[((0 * 16 + 1) * 9 + 4) * 21 + 10] = special
                run.g.pointer[((1 * 16 + 2) * 9 + 0) * 21 + 20] = special
                TestThreads.withExec { run.compute(level.table, $0) }
                for n in 0..<2 {
                    for c in 0..<16 {
                        for i in 0..<9 {
                            for j in 0..<21 {
                                let at = ((n * 16 + c) * 9 + i) * 21 + j
                                let value = run.y.pointer[at]
                                let reached = n == 0 && abs(i - 4) <= 1 && abs(j - 10) <= 1
                                XCTAssertEqual(value.isFinite, !reached || (special == .infinity && value == 0), level.name)
                                XCTAssertEqual(run.gx.pointer[at].isFinite, !(n == 1 && i <= 1 && j >= 19), level.name)
                            }
                        }
                    }
                }
            }
        }
    }

    /// Convolution, relu and pooling at once: the bits of the single kernels, NaN and equal values included.
    func testPooledIsConvolutionReluAndPooling() {
        for (p, bad) in [
            (shape(3, 16, 10, 26, to: 20, kernel: (3, 3)), false), (shape(2, 18, 8, 8, to: 16, kernel: (3, 3), pad: (1, 1)), true),
        ] {
            for level in Level.all {
                var run = Run<Float>(p)
                if bad { run.x.pointer[77] = .nan }
                for i in 0..<(run.x.count / 4) where run.x.pointer[i] == run.x.pointer[i] { run.x.pointer[i] = 0 }
                var q = kernel_pool(
                    planes: p.n * p.o, h: p.oh, w: p.ow, oh: p.oh / 2, ow: p.ow / 2, kh: 2, kw: 2, stride_h: 2, stride_w: 2,
                    pad_h: 0, pad_w: 0, dilation_h: 1, dilation_w: 1)
                let count = q.planes * q.oh * q.ow
                let single = Buffer<Float>(count: count), fused = Buffer<Float>(count: count)
                var places = [Int32](repeating: -1, count: count), fusedPlaces = places
                TestThreads.withExec { exec in
                    run.compute(level.table, exec)
                    level.table.max_pool(Float.kernelType, &q, run.y.raw, single.raw, &places, exec)
                    XCTAssert(
                        level.table.conv_relu_pool(
                            Float.kernelType, &run.p, run.x.raw, run.weight.raw, run.bias.raw, fused.raw, &fusedPlaces, exec))
                }
                XCTAssertEqual(fused.values.map(\.bitPattern), single.values.map(\.bitPattern), level.name)
                XCTAssertEqual(fusedPlaces, places, level.name)
            }
        }
    }
}
