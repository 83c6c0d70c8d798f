import KernelABI
import XCTest

/// What is many small items and much work together is shared out among threads, with the same bits as on one.
final class SharingTests: XCTestCase {
    private func check(_ name: String, _ run: (kernel_table, UnsafePointer<kernel_exec>) -> [Data]) {
        for level in Level.all {
            let alone = TestThreads.withExec { run(level.table, $0) }
            TestThreads.most = 0
            let shared = TestThreads.withExec(threads: 2) { run(level.table, $0) }
            XCTAssertGreaterThan(TestThreads.most, 1, "\(level.name): \(name) is not shared out")
            XCTAssertEqual(alone, shared, "\(level.name): \(name)")
        }
    }

    func testMaxPooling() {
        let planes = 160, side = 24
        let x = Buffer<Float>(count: planes * side * side, seed: 1), g = Buffer<Float>(count: planes * side * side / 4, seed: 2)
        var p = kernel_pool(
            planes: planes, h: side, w: side, oh: side / 2, ow: side / 2, kh: 2, kw: 2, stride_h: 2, stride_w: 2, pad_h: 0, pad_w: 0,
            dilation_h: 1, dilation_w: 1)
        let index = Buffer<Int32>(count: g.count)
        check("max_pool") { table, exec in
            let y = Buffer<Float>(count: g.count)
            table.max_pool(Float.kernelType, &p, x.raw, y.raw, index.pointer, exec)
            return [y.data, index.data]
        }
        check("max_pool_backward") { table, exec in
            let gx = Buffer<Float>(count: x.count)
            table.max_pool_backward(Float.kernelType, &p, g.raw, index.pointer, gx.raw, exec)
            return [gx.data]
        }
    }

    func testNorms() {
        let (rows, size) = (300, 200)
        let x = Buffer<Float>(count: rows * size, seed: 1), weight = Buffer<Float>(count: size, seed: 2)
        check("layer_norm") { table, exec in
            let y = Buffer<Float>(count: x.count), mean = Buffer<Float>(count: rows), rstd = Buffer<Float>(count: rows)
            table.layer_norm(Float.kernelType, rows, size, 1e-5, x.raw, weight.raw, weight.raw, y.raw, mean.raw, rstd.raw, exec)
            return [y.data, mean.data, rstd.data]
        }
        check("batch_norm_apply") { table, exec in
            let y = Buffer<Float>(count: x.count)
            table.batch_norm_apply(Float.kernelType, 3, 100, size, x.raw, x.raw, x.raw, weight.raw, weight.raw, y.raw, exec)
            return [y.data]
        }
    }

    func testCrossEntropy() {
        let (rows, classes) = (2000, 10)
        let x = Buffer<Float>(count: rows * classes, seed: 1), g = Buffer<Float>(count: rows, seed: 2)
        let target = Buffer<Int64>((0..<rows).map { Int64($0 % classes) })
        let lse = Buffer<Float>(count: rows)
        check("cross_entropy") { table, exec in
            let loss = Buffer<Float>(count: rows), rowWeight = Buffer<Float>(count: rows)
            table.cross_entropy(
                Float.kernelType, rows, classes, x.raw, target.pointer, nil, -100, 0, loss.raw, lse.raw, rowWeight.raw, exec)
            return [loss.data, lse.data, rowWeight.data]
        }
        check("cross_entropy_backward") { table, exec in
            let gx = Buffer<Float>(count: x.count)
            table.cross_entropy_backward(
                Float.kernelType, rows, classes, x.raw, target.pointer, nil, -100, 0, lse.raw, g.raw, 1, gx.raw, exec)
            return [gx.data]
        }
    }
}
