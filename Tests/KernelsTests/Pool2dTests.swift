import KernelABI
import XCTest

final class Pool2dTests: XCTestCase {
    private func maxShape(_ v: [Int], _ out: [Int]) -> kernel_pool {
        kernel_pool(
            planes: v[0] * v[1], h: v[2], w: v[3], oh: out[0], ow: out[1], kh: v[4], kw: v[5], stride_h: v[6],
            stride_w: v[7], pad_h: v[8], pad_w: v[9], dilation_h: v.count > 10 ? v[10] : 1, dilation_w: v.count > 10 ? v[11] : 1)
    }

    private func checkMax<T: Real>(_: T.Type) throws {
        let cases = try Golden.cases("max_pool")
        XCTAssertEqual(cases.count, 4)
        for golden in cases {
            var p = maxShape(golden.ints("p"), golden.ints("out"))
            let x = Buffer<T>(count: p.planes * p.h * p.w, seed: 1)
            let g = Buffer<T>(count: p.planes * p.oh * p.ow, seed: 4)
            for level in Level.all {
                let y = Buffer<T>(count: g.count), index = Buffer<Int32>(count: g.count), gx = Buffer<T>(count: x.count)
                TestThreads.withExec { exec in
                    level.table.max_pool(T.kernelType, &p, x.raw, y.raw, index.pointer, exec)
                    level.table.max_pool_backward(T.kernelType, &p, g.raw, index.pointer, gx.raw, exec)
                }
                // The values are exact, and so are sums of so few multiples of 1/64.
                XCTAssertEqual(y.values.map { Double($0) }, golden.doubles("y"), level.name)
                XCTAssertEqual(index.values.map { Int($0) }, golden.ints("index"), level.name)
                XCTAssertEqual(gx.values.map { Double($0) }, golden.doubles("gx"), level.name)
            }
        }
    }

    func testMaxPoolFloat() throws { try checkMax(Float.self) }
    func testMaxPoolDouble() throws { try checkMax(Double.self) }

    func testMaxPoolKeepsNotANumber() {
        // A window of NaN and larger numbers gives NaN, one of minus infinity gives that and its first place.
        var p = maxShape([1, 1, 2, 40, 2, 2, 2, 2, 0, 0], [1, 20])
        let x = Buffer<Float>(count: 80, seed: 1)
        x.pointer[41] = .nan
        for i in [6, 7, 46, 47] { x.pointer[i] = -.infinity }
        for level in Level.all {
            let y = Buffer<Float>(count: 20), index = Buffer<Int32>(count: 20)
            TestThreads.withExec { level.table.max_pool(Float.kernelType, &p, x.raw, y.raw, index.pointer, $0) }
            XCTAssert(y.pointer[0].isNaN)
            XCTAssertEqual(index.pointer[0], 41)
            XCTAssertEqual(y.pointer[3], -.infinity)
            XCTAssertEqual(index.pointer[3], 6)
            XCTAssertEqual(y.values.filter(\.isFinite).count, 18)
        }
    }

    private func checkAverage<T: Real>(_: T.Type) throws {
        let cases = try Golden.cases("avg_pool")
        XCTAssertEqual(cases.count, 5)
        for golden in cases {
            let v = golden.ints("p")
            var p = maxShape(Array(v[..<10]), golden.ints("out"))
            let x = Buffer<T>(count: p.planes * p.h * p.w, seed: 1)
            let g = Buffer<T>(count: p.planes * p.oh * p.ow, seed: 4)
            for level in Level.all {
                let y = Buffer<T>(count: g.count), gx = Buffer<T>(count: x.count)
                TestThreads.withExec { exec in
                    level.table.avg_pool(T.kernelType, &p, v[10] != 0, x.raw, y.raw, exec)
                    level.table.avg_pool_backward(T.kernelType, &p, v[10] != 0, g.raw, gx.raw, exec)
                }
                assertClose(y, golden.doubles("y"), "\(level.name) \(v): y")
                assertClose(gx, golden.doubles("gx"), "\(level.name) \(v): gx")
            }
        }
    }

    func testAveragePoolFloat() throws { try checkAverage(Float.self) }
    func testAveragePoolDouble() throws { try checkAverage(Double.self) }

    /// Rows and columns that no window covers get zeros.
    func testMaxPoolBackwardWhereWindowsLeaveARest() {
        for (h, w) in [(7, 9), (5, 35), (2, 3), (9, 64)] {
            var p = maxShape([2, 3, h, w, 2, 2, 2, 2, 0, 0], [h / 2, w / 2])
            let x = Buffer<Float>(count: p.planes * h * w, seed: 1), g = Buffer<Float>(count: p.planes * p.oh * p.ow, seed: 4)
            for level in Level.all {
                let y = Buffer<Float>(count: g.count), index = Buffer<Int32>(count: g.count), gx = Buffer<Float>(count: x.count)
                TestThreads.withExec { exec in
                    level.table.max_pool(Float.kernelType, &p, x.raw, y.raw, index.pointer, exec)
                    level.table.max_pool_backward(Float.kernelType, &p, g.raw, index.pointer, gx.raw, exec)
                }
                var expected = [Float](repeating: 0, count: x.count)
                for i in 0..<g.count { expected[i / (p.oh * p.ow) * h * w + Int(index.pointer[i])] += g.pointer[i] }
                XCTAssertEqual(gx.values, expected, "\(level.name) \(h) \(w)")
            }
        }
    }

    func testBitsAreTheSameEverywhere() {
        for v in [[3, 5, 12, 70, 2, 2, 2, 2, 0, 0], [2, 9, 13, 11, 3, 3, 2, 1, 1, 1]] {
            let out = [(v[2] + 2 * v[8] - v[4]) / v[6] + 1, (v[3] + 2 * v[9] - v[5]) / v[7] + 1]
            var p = maxShape(v, out)
            let x = Buffer<Float>(count: p.planes * p.h * p.w, seed: 1)
            let g = Buffer<Float>(count: p.planes * p.oh * p.ow, seed: 4)
            assertSameBits("\(v)") { table, exec in
                let y = Buffer<Float>(count: g.count), index = Buffer<Int32>(count: g.count), gx = Buffer<Float>(count: x.count)
                let mean = Buffer<Float>(count: g.count), gmean = Buffer<Float>(count: x.count)
                table.max_pool(Float.kernelType, &p, x.raw, y.raw, index.pointer, exec)
                table.max_pool_backward(Float.kernelType, &p, g.raw, index.pointer, gx.raw, exec)
                table.avg_pool(Float.kernelType, &p, true, x.raw, mean.raw, exec)
                table.avg_pool_backward(Float.kernelType, &p, true, g.raw, gmean.raw, exec)
                return [y.data, index.data, gx.data, mean.data, gmean.data]
            }
        }
    }
}
