import KernelABI
import XCTest

final class NormTests: XCTestCase {
    private func checkBatchNorm<T: Real>(_: T.Type) throws {
        let cases = try Golden.cases("batch_norm")
        XCTAssertEqual(cases.count, 3)
        for golden in cases {
            let v = golden.ints("p")
            let (n, c, s) = (v[0], v[1], v[2])
            let x = Buffer<T>(count: n * c * s, seed: 1), g = Buffer<T>(count: n * c * s, seed: 4)
            let weight = Buffer<T>(count: c, seed: 2), bias = Buffer<T>(count: c, seed: 3)
            for level in Level.all {
                let mean = Buffer<T>(count: c), variance = Buffer<T>(count: c), y = Buffer<T>(count: x.count)
                let gx = Buffer<T>(count: x.count), fixed = Buffer<T>(count: x.count)
                let gweight = Buffer<T>(count: c), gbias = Buffer<T>(count: c)
                TestThreads.withExec { exec in
                    level.table.batch_norm_stats(T.kernelType, n, c, s, x.raw, mean.raw, variance.raw, exec)
                    let rstd = Buffer<T>(variance.values.map { 1 / ($0 + 1e-5).squareRoot() })
                    level.table.batch_norm_apply(
                        T.kernelType, n, c, s, x.raw, mean.raw, rstd.raw, weight.raw, bias.raw, y.raw, exec)
                    level.table.batch_norm_backward(
                        T.kernelType, n, c, s, true, x.raw, mean.raw, rstd.raw, weight.raw, g.raw, gx.raw, gweight.raw, gbias.raw,
                        exec)
                    level.table.batch_norm_backward(
                        T.kernelType, n, c, s, false, x.raw, mean.raw, rstd.raw, weight.raw, g.raw, fixed.raw, nil, nil, exec)
                }
                assertClose(mean, golden.doubles("mean"), "\(level.name) \(v): mean", floor: 1)
                assertClose(variance, golden.doubles("var"), "\(level.name) \(v): var")
                assertClose(y, golden.doubles("y"), "\(level.name) \(v): y")
                assertClose(gx, golden.doubles("gx"), "\(level.name) \(v): gx", factor: 2)
                assertClose(fixed, golden.doubles("gx_fixed"), "\(level.name) \(v): gx with constants")
                assertClose(gweight, golden.doubles("gweight"), "\(level.name) \(v): gweight")
                assertClose(gbias, golden.doubles("gbias"), "\(level.name) \(v): gbias")
            }
        }
    }

    func testBatchNormFloat() throws { try checkBatchNorm(Float.self) }
    func testBatchNormDouble() throws { try checkBatchNorm(Double.self) }

    /// Values far from zero: one pass of sums and squares would lose the variance.
    func testBatchNormFarFromZero() {
        for (n, c, s) in [(6, 3, 50), (300, 17, 1)] {
            let x = Buffer<Float>(count: n * c * s, seed: 1)
            for i in 0..<x.count { x.pointer[i] += 4096 }
            for level in Level.all {
                let mean = Buffer<Float>(count: c), variance = Buffer<Float>(count: c)
                TestThreads.withExec { level.table.batch_norm_stats(Float.kernelType, n, c, s, x.raw, mean.raw, variance.raw, $0) }
                for channel in 0..<c {
                    var values: [Double] = []
                    for i in 0..<n { for j in 0..<s { values.append(Double(x.pointer[(i * c + channel) * s + j])) } }
                    let m = values.reduce(0, +) / Double(values.count)
                    let v = values.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double(values.count)
                    XCTAssertEqual(Double(mean.pointer[channel]), m, accuracy: 1e-3)
                    XCTAssertEqual(Double(variance.pointer[channel]), v, accuracy: 1e-4 * v)
                }
            }
        }
    }

    private func checkLayerNorm<T: Real>(_: T.Type) throws {
        let cases = try Golden.cases("layer_norm")
        XCTAssertEqual(cases.count, 3)
        for golden in cases {
            let v = golden.ints("p")
            let (r, s) = (v[0], v[1])
            let x = Buffer<T>(count: r * s, seed: 1), g = Buffer<T>(count: r * s, seed: 4)
            let weight = Buffer<T>(count: s, seed: 2), bias = Buffer<T>(count: s, seed: 3)
            for level in Level.all {
                let mean = Buffer<T>(count: r), rstd = Buffer<T>(count: r), y = Buffer<T>(count: x.count)
                let gx = Buffer<T>(count: x.count), gweight = Buffer<T>(count: s), gbias = Buffer<T>(count: s)
                TestThreads.withExec { exec in
                    level.table.layer_norm(T.kernelType, r, s, 1e-5, x.raw, weight.raw, bias.raw, y.raw, mean.raw, rstd.raw, exec)
                    level.table.layer_norm_backward(
                        T.kernelType, r, s, x.raw, mean.raw, rstd.raw, weight.raw, g.raw, gx.raw, gweight.raw, gbias.raw, exec)
                }
                assertClose(mean, golden.doubles("mean"), "\(level.name) \(v): mean", floor: 1)
                assertClose(rstd, golden.doubles("rstd"), "\(level.name) \(v): rstd")
                assertClose(y, golden.doubles("y"), "\(level.name) \(v): y")
                assertClose(gx, golden.doubles("gx"), "\(level.name) \(v): gx", factor: 2)
                assertClose(gweight, golden.doubles("gweight"), "\(level.name) \(v): gweight")
                assertClose(gbias, golden.doubles("gbias"), "\(level.name) \(v): gbias")
            }
        }
    }

    func testLayerNormFloat() throws { try checkLayerNorm(Float.self) }
    func testLayerNormDouble() throws { try checkLayerNorm(Double.self) }

    /// Batch norm, relu and pooling in one against the three of them.
    private func checkPooled<T: Real>(_: T.Type) {
        for (n, c, h, w) in [(3, 2, 6, 70), (9, 5, 8, 8), (3, 2, 16, 8), (4, 3, 8, 4), (2, 2, 12, 8), (2, 1, 2, 2), (130, 3, 4, 34)] {
            let x = Buffer<T>(count: n * c * h * w, seed: 1), g = Buffer<T>(count: x.count / 4, seed: 4)
            let mean = Buffer<T>(count: c, seed: 5, scale: 0.25), rstd = Buffer<T>((0..<c).map { T(0.5) + T($0) / 4 })
            let weight = Buffer<T>(count: c, seed: 2), bias = Buffer<T>(count: c, seed: 3)
            var pool = kernel_pool(
                planes: n * c, h: h, w: w, oh: h / 2, ow: w / 2, kh: 2, kw: 2, stride_h: 2, stride_w: 2, pad_h: 0, pad_w: 0,
                dilation_h: 1, dilation_w: 1)
            for training in [true, false] {
                for level in Level.all {
                    let normed = Buffer<T>(count: x.count), active = Buffer<T>(count: x.count), y = Buffer<T>(count: g.count)
                    let index = Buffer<Int32>(count: g.count), open = Buffer<T>(count: x.count), slope = Buffer<T>(count: x.count)
                    let gx = Buffer<T>(count: x.count), gweight = Buffer<T>(count: c), gbias = Buffer<T>(count: c)
                    let y2 = Buffer<T>(count: g.count), index2 = Buffer<Int32>(count: g.count)
                    let gx2 = Buffer<T>(count: x.count), gweight2 = Buffer<T>(count: c), gbias2 = Buffer<T>(count: c)
                    TestThreads.withExec { exec in
                        level.table.batch_norm_apply(
                            T.kernelType, n, c, h * w, x.raw, mean.raw, rstd.raw, weight.raw, bias.raw, normed.raw, exec)
                        level.table.unary(Int32(UNARY_RELU), T.kernelType)?(x.count, normed.raw, active.raw, 0, 0)
                        level.table.max_pool(T.kernelType, &pool, active.raw, y.raw, index.pointer, exec)
                        level.table.max_pool_backward(T.kernelType, &pool, g.raw, index.pointer, open.raw, exec)
                        level.table.binary(Int32(BINARY_RELU_GRAD), T.kernelType)?(x.count, active.raw, 1, open.raw, 1, slope.raw)
                        level.table.batch_norm_backward(
                            T.kernelType, n, c, h * w, training, x.raw, mean.raw, rstd.raw, weight.raw, slope.raw, gx.raw, gweight.raw,
                            gbias.raw, exec)
                        level.table.batch_norm_relu_pool(
                            T.kernelType, n, c, h, w, x.raw, mean.raw, rstd.raw, weight.raw, bias.raw, y2.raw, index2.pointer, exec)
                        level.table.batch_norm_relu_pool_backward(
                            T.kernelType, n, c, h, w, training, x.raw, mean.raw, rstd.raw, weight.raw, y2.raw, index2.pointer, g.raw,
                            gx2.raw, gweight2.raw, gbias2.raw, exec)
                    }
                    let title = "\(level.name) \(T.self) \((n, c, h, w)) training \(training)"
                    XCTAssertEqual(y2.values, y.values, title)
                    XCTAssertEqual(index2.values, index.values, title)
                    assertClose(gx2, gx.values.map { Double($0) }, title + ": gx", factor: 4)
                    assertClose(gweight2, gweight.values.map { Double($0) }, title + ": gweight", factor: 4)
                    assertClose(gbias2, gbias.values.map { Double($0) }, title + ": gbias", factor: 4)
                }
            }
            assertSameBits("\(T.self) \((n, c, h, w))") { table, exec in
                let y = Buffer<T>(count: g.count), index = Buffer<Int32>(count: g.count)
                let gx = Buffer<T>(count: x.count), gweight = Buffer<T>(count: c), gbias = Buffer<T>(count: c)
                table.batch_norm_relu_pool(T.kernelType, n, c, h, w, x.raw, mean.raw, rstd.raw, nil, nil, y.raw, index.pointer, exec)
                table.batch_norm_relu_pool_backward(
                    T.kernelType, n, c, h, w, true, x.raw, mean.raw, rstd.raw, weight.raw, y.raw, index.pointer, g.raw, gx.raw,
                    gweight.raw, gbias.raw, exec)
                return [y.data, index.data, gx.data, gweight.data, gbias.data]
            }
        }
    }

    func testPooledBatchNormFloat() { checkPooled(Float.self) }
    func testPooledBatchNormDouble() { checkPooled(Double.self) }

    private func checkBits<T: Real>(_: T.Type) {
        for (n, c, s) in [(33, 7, 300), (70, 133, 1), (5, 40, 9)] {
            let x = Buffer<T>(count: n * c * s, seed: 1), g = Buffer<T>(count: n * c * s, seed: 4)
            let weight = Buffer<T>(count: max(c, s), seed: 2), bias = Buffer<T>(count: max(c, s), seed: 3)
            assertSameBits("batch norm \(T.self) \(n) \(c) \(s)") { table, exec in
                let mean = Buffer<T>(count: c), variance = Buffer<T>(count: c), y = Buffer<T>(count: x.count)
                let gx = Buffer<T>(count: x.count), gweight = Buffer<T>(count: c), gbias = Buffer<T>(count: c)
                table.batch_norm_stats(T.kernelType, n, c, s, x.raw, mean.raw, variance.raw, exec)
                table.batch_norm_apply(T.kernelType, n, c, s, x.raw, mean.raw, variance.raw, weight.raw, bias.raw, y.raw, exec)
                table.batch_norm_backward(
                    T.kernelType, n, c, s, true, x.raw, mean.raw, variance.raw, nil, g.raw, gx.raw, gweight.raw, gbias.raw, exec)
                return [mean.data, variance.data, y.data, gx.data, gweight.data, gbias.data]
            }
            let rows = n * c
            assertSameBits("layer norm \(T.self) \(rows) \(s)") { table, exec in
                let mean = Buffer<T>(count: rows), rstd = Buffer<T>(count: rows), y = Buffer<T>(count: x.count)
                let gx = Buffer<T>(count: x.count), gweight = Buffer<T>(count: s), gbias = Buffer<T>(count: s)
                table.layer_norm(T.kernelType, rows, s, 1e-5, x.raw, nil, nil, y.raw, mean.raw, rstd.raw, exec)
                table.layer_norm_backward(
                    T.kernelType, rows, s, x.raw, mean.raw, rstd.raw, weight.raw, g.raw, gx.raw, gweight.raw, gbias.raw, exec)
                return [mean.data, rstd.data, y.data, gx.data, gweight.data, gbias.data]
            }
        }
    }

    func testFloatBitsAreTheSameEverywhere() { checkBits(Float.self) }
    func testDoubleBitsAreTheSameEverywhere() { checkBits(Double.self) }
}
