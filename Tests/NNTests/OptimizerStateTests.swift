import XCTest

import NN

final class OptimizerStateTests: XCTestCase {
    private func parameter(_ values: [Float], grad: [Float]?) throws -> Tensor {
        let p = try Tensor.from(values, try Shape([values.count])).parameter(requiresGrad: true)
        if let grad { try p.setGrad(try Tensor.from(grad, try Shape([grad.count]))) }
        return p
    }

    func testRefusesWhatCannotBeTrained() throws {
        XCTAssertThrowsError(try OptimizerState([]))
        XCTAssertThrowsError(try OptimizerState([try Tensor.from([1, 2], try Shape([2]))]))
        let p = try parameter([1], grad: nil)
        XCTAssertThrowsError(try OptimizerState([p, p]))
        XCTAssertThrowsError(try OptimizerState([try p.exp()]))
    }

    /// p = 1 - 0.5 * 2 = 0; the one without a gradient stays and takes no step.
    func testOnlyParametersWithGradientsMove() throws {
        let a = try parameter([1, 1], grad: [2, -2]), b = try parameter([5], grad: nil)
        let state = try OptimizerState([a, b])
        try state.sgd(lr: 0.5, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false)
        XCTAssertEqual(try a.doubles(), [0, 2])
        XCTAssertEqual(try b.doubles(), [5])
        XCTAssertEqual(state.steps, [1, 0])
    }

    /// A step writes in place: a graph that saved the old value must not use the new one.
    func testStepInvalidatesSavedValues() throws {
        let p = try parameter([2], grad: [1])
        let y = try (p * p).sum()
        try OptimizerState([p]).sgd(lr: 1, momentum: 0, dampening: 0, weightDecay: 0, nesterov: false, maximize: false)
        XCTAssertThrowsError(try Engine.backward([y], gradients: []))
    }

    /// The first step of Adam is lr in the direction of the gradient's sign, whatever its size.
    func testFirstAdamStep() throws {
        let p = try parameter([0, 0], grad: [1000, -0.001])
        let state = try OptimizerState([p])
        try state.adam(
            lr: 0.1, beta1: 0.9, beta2: 0.999, eps: 0, weightDecay: 0, decoupled: false, amsgrad: false, maximize: false)
        let moved = try p.doubles()
        XCTAssertEqual(moved[0], -0.1, accuracy: 1e-6)
        XCTAssertEqual(moved[1], 0.1, accuracy: 1e-6)
        XCTAssertEqual(Set(state.slots[0].keys), ["exp_avg", "exp_avg_sq"])
        XCTAssertThrowsError(try state.restore(0, "exp_avg", try Tensor.zeros(try Shape([3]))))
        XCTAssertThrowsError(try state.restore(7, steps: 1))
    }

    /// Running means where no gradient comes any more end at 0, not among numbers that the CPU is slow with.
    func testMeansThatDieAwayAreZero() throws {
        let tiny = Double(Float.leastNormalMagnitude) * 1.0625
        let p = try parameter([1, 2], grad: [0, 0])
        let state = try OptimizerState([p])
        func prepare(_ names: String...) throws {
            for name in names { try state.restore(0, name, try Tensor.full(p.shape, .double(tiny), .float32)) }
        }
        func check(_ names: String...) throws {
            for name in names { XCTAssertEqual(try XCTUnwrap(state.slots[0][name]).doubles(), [0, 0], name) }
            XCTAssertEqual(try p.doubles(), [1, 2])
        }
        try prepare("square_avg", "grad_avg", "momentum_buffer")
        try state.rmsprop(.init(lr: 0.1, alpha: 0.875, eps: 1e-8, weightDecay: 0, momentum: 0.875, centered: true, maximize: false))
        try check("square_avg", "grad_avg", "momentum_buffer")
        try prepare("square_avg", "acc_delta")
        try state.adadelta(lr: 0.1, rho: 0.875, eps: 1e-6, weightDecay: 0, maximize: false)
        try check("square_avg", "acc_delta")
    }

    /// Norm of (3, 0) and (0, 4) is 5; clipped to 1 they become (0.6, 0) and (0, 0.8).
    func testCommonNorm() throws {
        let a = try parameter([0, 0], grad: [3, 0]), b = try parameter([0, 0], grad: [0, 4])
        XCTAssertEqual(try GradientClipping.norm([a, b], maxNorm: 1, type: 2, errorIfNonfinite: true), 5, accuracy: 1e-6)
        XCTAssertEqual(try b.grad?.doubles()[1] ?? 0, 0.8, accuracy: 1e-5)
        XCTAssertEqual(try GradientClipping.norm([a, b], maxNorm: 9, type: .infinity, errorIfNonfinite: false), 0.8, accuracy: 1e-5)
    }
}
