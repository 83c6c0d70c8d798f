import KernelABI
import XCTest

final class CrossEntropyTests: XCTestCase {
    private func check<T: Real>(_: T.Type) throws {
        let cases = try Golden.cases("cross_entropy")
        XCTAssertEqual(cases.count, 5)
        for golden in cases {
            let v = golden.ints("p")
            let (r, c) = (v[0], v[1])
            let smoothing = golden.double("smoothing")
            let x = Buffer<T>(count: r * c, seed: 1), g = Buffer<T>(count: r, seed: 4)
            let target = Buffer<Int64>((0..<r).map { Int64((5 * $0 + 2) % c) })
            let weight = Buffer<T>(Buffer<T>(count: c, seed: 2).values.map { abs($0) + 0.5 })
            let weights: UnsafeMutableRawPointer? = v[2] != 0 ? weight.raw : nil
            for level in Level.all {
                let loss = Buffer<T>(count: r), lse = Buffer<T>(count: r), rows = Buffer<T>(count: r), gx = Buffer<T>(count: x.count)
                TestThreads.withExec { exec in
                    level.table.cross_entropy(
                        T.kernelType, r, c, x.raw, target.pointer, weights, 1, smoothing, loss.raw, lse.raw, rows.raw, exec)
                    level.table.cross_entropy_backward(
                        T.kernelType, r, c, x.raw, target.pointer, weights, 1, smoothing, lse.raw, g.raw, 1, gx.raw, exec)
                }
                let name = "\(level.name) \(v) \(smoothing)"
                assertClose(loss, golden.doubles("loss"), "\(name): loss")
                assertClose(lse, golden.doubles("lse"), "\(name): lse")
                assertClose(gx, golden.doubles("gx"), "\(name): gx")
                for i in 0..<r {
                    let ignored = target.pointer[i] == 1
                    let expected = ignored ? 0 : v[2] != 0 ? weight.pointer[Int(target.pointer[i])] : 1
                    XCTAssertEqual(rows.pointer[i], expected, name)
                }
                if golden["mean"] != nil {
                    let mean = loss.values.reduce(0) { $0 + Double($1) } / rows.values.reduce(0) { $0 + Double($1) }
                    XCTAssertEqual(mean, golden.double("mean"), accuracy: 4 * T.tolerance * golden.double("mean"), name)
                }
            }
        }
    }

    func testFloat() throws { try check(Float.self) }
    func testDouble() throws { try check(Double.self) }

    /// exp of such logits overflows; the loss of a sure and wrong answer is the distance.
    func testLargeLogits() {
        let x = Buffer<Float>([1000, 0, -1000, -.infinity, 5, -.infinity])
        let target = Buffer<Int64>([1, 1])
        for level in Level.all {
            let loss = Buffer<Float>(count: 2), lse = Buffer<Float>(count: 2), rows = Buffer<Float>(count: 2), gx = Buffer<Float>(count: 6)
            let g = Buffer<Float>([1])
            TestThreads.withExec { exec in
                level.table.cross_entropy(
                    Float.kernelType, 2, 3, x.raw, target.pointer, nil, -100, 0, loss.raw, lse.raw, rows.raw, exec)
                level.table.cross_entropy_backward(
                    Float.kernelType, 2, 3, x.raw, target.pointer, nil, -100, 0, lse.raw, g.raw, 0, gx.raw, exec)
            }
            XCTAssertEqual(loss.values, [1000, 0])
            XCTAssertEqual(gx.values, [1, -1, 0, 0, 0, 0])
        }
    }

    private func checkBits<T: Real>(_: T.Type) {
        for (r, c) in [(500, 10), (37, 1000), (3, 7)] {
            let x = Buffer<T>(count: r * c, seed: 1), g = Buffer<T>(count: r, seed: 4), weight = Buffer<T>(count: c, seed: 2)
            let target = Buffer<Int64>((0..<r).map { Int64((5 * $0 + 2) % c) })
            for smoothing in [0, 0.1] {
                assertSameBits("\(T.self) \(r) \(c)") { table, exec in
                    let loss = Buffer<T>(count: r), lse = Buffer<T>(count: r), rows = Buffer<T>(count: r), gx = Buffer<T>(count: x.count)
                    table.cross_entropy(
                        T.kernelType, r, c, x.raw, target.pointer, weight.raw, 1, smoothing, loss.raw, lse.raw, rows.raw, exec)
                    table.cross_entropy_backward(
                        T.kernelType, r, c, x.raw, target.pointer, weight.raw, 1, smoothing, lse.raw, g.raw, 1, gx.raw, exec)
                    return [loss.data, lse.data, rows.data, gx.data]
                }
            }
        }
    }

    func testFloatBitsAreTheSameEverywhere() { checkBits(Float.self) }
    func testDoubleBitsAreTheSameEverywhere() { checkBits(Double.self) }
}
