import KernelABI
import XCTest

final class OptimizerTests: XCTestCase {
    private let count = 37

    private func sgd<T: Real>(_ options: [String: Any], _ table: kernel_table, _: T.Type) -> Buffer<T> {
        let p = Buffer<T>(count: count, seed: 1), momentum = Buffer<T>(count: count)
        func option(_ name: String) -> Double { options[name] == nil ? 0 : options.double(name) }
        for step in 0..<3 {
            var o = kernel_sgd(
                lr: option("lr"), weight_decay: option("weight_decay"), momentum: option("momentum"),
                dampening: option("dampening"), nesterov: options.flag("nesterov"), maximize: options.flag("maximize"),
                first: step == 0)
            let g = Buffer<T>(count: count, seed: 5 + step)
            table.sgd(T.kernelType, count, &o, p.raw, g.raw, o.momentum != 0 ? momentum.raw : nil)
        }
        return p
    }

    private func adam<T: Real>(_ options: [String: Any], _ table: kernel_table, _: T.Type) -> [Buffer<T>] {
        let p = Buffer<T>(count: count, seed: 1)
        let zeros = [T](repeating: 0, count: count)
        let m = Buffer<T>(zeros), v = Buffer<T>(zeros), largest = Buffer<T>(zeros)
        for step in 0..<3 {
            var o = kernel_adam(
                lr: options.double("lr"), beta1: options.double("beta1"), beta2: options.double("beta2"),
                eps: options.double("eps"), weight_decay: options.double("weight_decay"), decoupled: options.flag("decoupled"),
                amsgrad: options.flag("amsgrad"), maximize: options.flag("maximize"), step: step + 1)
            let g = Buffer<T>(count: count, seed: 5 + step, scale: step == 1 ? 0.125 : 1)
            table.adam(T.kernelType, count, &o, p.raw, g.raw, m.raw, v.raw, o.amsgrad ? largest.raw : nil)
        }
        return [p, m, v]
    }

    private func check<T: Real>(_: T.Type) throws {
        let sgdCases = try Golden.cases("sgd"), adamCases = try Golden.cases("adam")
        XCTAssertEqual(sgdCases.count, 5)
        XCTAssertEqual(adamCases.count, 5)
        for level in Level.all {
            for golden in sgdCases {
                let options = try XCTUnwrap(golden["options"] as? [String: Any])
                assertClose(sgd(options, level.table, T.self), golden.doubles("p"), "\(level.name) \(options)")
            }
            for golden in adamCases {
                let options = try XCTUnwrap(golden["options"] as? [String: Any])
                let got = adam(options, level.table, T.self)
                assertClose(got[0], golden.doubles("p"), "\(level.name) \(options): p")
                assertClose(got[1], golden.doubles("m"), "\(level.name) \(options): m")
                assertClose(got[2], golden.doubles("v"), "\(level.name) \(options): v")
            }
        }
    }

    func testFloat() throws { try check(Float.self) }
    func testDouble() throws { try check(Double.self) }

    func testBitsAreTheSameOnEveryLevel() throws {
        for golden in try Golden.cases("sgd") {
            let options = try XCTUnwrap(golden["options"] as? [String: Any])
            assertSameBits("\(options)") { table, _ in
                [sgd(options, table, Float.self).data, sgd(options, table, Double.self).data]
            }
        }
        for golden in try Golden.cases("adam") {
            let options = try XCTUnwrap(golden["options"] as? [String: Any])
            assertSameBits("\(options)") { table, _ in
                adam(options, table, Float.self).map(\.data) + adam(options, table, Double.self).map(\.data)
            }
        }
    }

    /// Means of gradients that no longer come end at 0, not among numbers that the CPU is slow with; anything larger is kept.
    private func checkDyingMeans<T: Real>(_ smallest: T, _: T.Type) {
        let kept = smallest * 2, dying = smallest * T(1.0625)
        for level in Level.all {
            let values = (0..<count).map { $0 % 3 == 0 ? kept : $0 % 3 == 1 ? dying : -dying }
            let zeros = Buffer<T>([T](repeating: 0, count: count))
            let p = Buffer<T>(count: count, seed: 1), before = p.data
            let m = Buffer<T>(values), v = Buffer<T>([T](repeating: 1, count: count)), momentum = Buffer<T>(values)
            var a = kernel_adam(
                lr: 0.1, beta1: 0.875, beta2: 0.875, eps: 1e-8, weight_decay: 0, decoupled: false, amsgrad: false, maximize: false, step: 9)
            level.table.adam(T.kernelType, count, &a, p.raw, zeros.raw, m.raw, v.raw, nil)
            var s = kernel_sgd(lr: 0.1, weight_decay: 0, momentum: 0.875, dampening: 0, nesterov: false, maximize: false, first: false)
            level.table.sgd(T.kernelType, count, &s, p.raw, zeros.raw, momentum.raw)
            for i in 0..<count {
                let expected: T = i % 3 == 0 ? kept * T(0.875) : 0
                XCTAssertEqual(m.pointer[i], expected, "\(level.name): Adam's mean \(i)")
                XCTAssertEqual(momentum.pointer[i], expected, "\(level.name): momentum \(i)")
            }
            XCTAssertEqual(p.data, before, "\(level.name): parameters")
        }
    }

    func testMeansThatDieAwayAreZero() {
        checkDyingMeans(Float.leastNormalMagnitude, Float.self)
        checkDyingMeans(Double.leastNormalMagnitude, Double.self)
    }

    /// The steps matter late too: the corrections of the moments come from powers of the betas.
    func testAdamAtALateStep() {
        for step in [1000, 123_456] {
            var o = kernel_adam(
                lr: 0.1, beta1: 0.9, beta2: 0.9999, eps: 1e-8, weight_decay: 0, decoupled: false, amsgrad: false,
                maximize: false, step: step)
            for level in Level.all {
                let p = Buffer<Double>([1]), g = Buffer<Double>([0.5]), m = Buffer<Double>([0.25]), v = Buffer<Double>([0.125])
                level.table.adam(Double.kernelType, 1, &o, p.raw, g.raw, m.raw, v.raw, nil)
                let first = 0.25 + 0.1 * 0.25, second = 0.125 * 0.9999 + 0.0001 * 0.25
                let expected = 1 - 0.1 / (1 - pow(0.9, Double(step))) * first
                    / (second.squareRoot() / (1 - pow(0.9999, Double(step))).squareRoot() + 1e-8)
                XCTAssertEqual(p.pointer[0], expected, accuracy: 1e-13)
            }
        }
    }
}
