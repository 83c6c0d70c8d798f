import XCTest

import NN

/// Operations in the form that the script engine calls first give the same bits and the same history as in their usual one.
final class ShortOpTests: XCTestCase {
    private func values(_ n: Int, _ seed: Double, positive: Bool = false) -> [Scalar] {
        (0..<n).map { i in
            let x = (Double(i) * 0.731 + seed).truncatingRemainder(dividingBy: 2) - (positive ? -0.25 : 0.9)
            return .double(x)
        }
    }

    private func tensor(_ shape: [Int], _ dtype: DType = .float32, seed: Double = 0.3) throws -> Tensor {
        let shape = try Shape(shape)
        return try Tensor.from(values(shape.count, seed), shape, dtype)
    }

    private func bits(_ t: Tensor) throws -> [UInt64] { try t.doubles().map(\.bitPattern) }

    private func raw(_ t: Tensor) -> UnsafeMutableRawPointer { Unmanaged.passUnretained(t).toOpaque() }

    private func run(_ short: ShortOp, _ a: Tensor?, _ b: Tensor?, _ number: Double = 0) -> Tensor? {
        withExtendedLifetime((a, b)) {
            short.run(short.context, a.map(raw), b.map(raw), number).map { Unmanaged<Tensor>.fromOpaque($0).takeRetainedValue() }
        }
    }

    /// The usual form, by the operation's operands.
    private func usual(_ op: Op, _ a: Tensor, _ b: Tensor?) throws -> Tensor {
        switch op.direct {
        case .unary(let f): return try f(a)
        case .operands(let f), .binary(let f): return try f(a, try XCTUnwrap(b))
        case .ternary, nil: throw TensorError("\(op.name) has no operands")
        }
    }

    private var ops: [(Op, ShortOp)] { OpCatalog.tensor.compactMap { op in op.short.map { (op, $0) } } }

    func testSameBits() throws {
        XCTAssertGreaterThan(ops.count, 20)
        for (op, short) in ops {
            for dtype in [DType.float32, .float64] {
                for shape in [[], [1], [7], [64], [3, 5], [40, 50]] {
                    let a = try tensor(shape, dtype), b = try tensor(shape, dtype, seed: 0.77)
                    let result = try XCTUnwrap(run(short, a, short.operands == 2 ? b : nil), op.name)
                    let expected = try usual(op, a, b)
                    XCTAssertEqual(result.shape, expected.shape, op.name)
                    XCTAssertEqual(result.dtype, expected.dtype, op.name)
                    XCTAssertEqual(try bits(result), try bits(expected), "\(op.name) \(shape) \(dtype.name)")
                    guard let inPlace = short.runInPlace else { continue }
                    let target = try a.copied(), version = target.memoryVersion
                    XCTAssertEqual(inPlace(short.context, raw(target), short.operands == 2 ? raw(b) : nil, 0), raw(target))
                    XCTAssertEqual(try bits(target), try bits(expected), "\(op.name)_")
                    XCTAssertEqual(target.memoryVersion, version + 1)
                }
            }
        }
    }

    func testNumbersGiveTheSameBits() throws {
        for (op, short) in ops where short.operands == 2 {
            for dtype in [DType.float32, .float64] {
                for number in [0.1, -3, 1e300, 16_777_217] {
                    let a = try tensor([9], dtype), n = try Tensor.wrapped(.double(number), beside: a)
                    XCTAssertEqual(try bits(try XCTUnwrap(run(short, a, nil, number))), try bits(try usual(op, a, n)), "\(op.name) \(number)")
                    XCTAssertEqual(try bits(try XCTUnwrap(run(short, nil, a, number))), try bits(try usual(op, n, a)), "\(number) \(op.name)")
                    guard let inPlace = short.runInPlace else { continue }
                    let target = try a.copied()
                    XCTAssertNotNil(inPlace(short.context, raw(target), nil, number))
                    XCTAssertEqual(try bits(target), try bits(try usual(op, a, n)), "\(op.name)_ \(number)")
                }
            }
        }
    }

    func testSameGradients() throws {
        var recorded = 0
        for (op, short) in ops {
            for (needsA, needsB) in [(true, true), (true, false), (false, true)] {
                func leaves() throws -> (Tensor, Tensor) {
                    let a = try tensor([6]), b = try tensor([6], seed: 0.77)
                    if needsA { try a.setRequiresGrad(true) }
                    if needsB { try b.setRequiresGrad(true) }
                    return (a, b)
                }
                let (a, b) = try leaves(), (c, d) = try leaves()
                let isRecorded = needsA || short.operands == 2
                guard let result = run(short, a, short.operands == 2 ? b : nil) else { continue }
                XCTAssertEqual(result.requiresGrad, isRecorded, op.name)
                guard isRecorded else { continue }
                recorded += 1
                let weights = try tensor([6], seed: 1.3)
                try Engine.backward([result], gradients: [weights])
                try Engine.backward([try usual(op, c, d)], gradients: [weights])
                XCTAssertEqual(try a.grad.map(bits), try c.grad.map(bits), op.name)
                XCTAssertEqual(try b.grad.map(bits), try d.grad.map(bits), op.name)
            }
        }
        XCTAssertGreaterThan(recorded, 20)
    }

    func testWhatItLeavesToTheUsualForm() throws {
        let add = try XCTUnwrap(ops.first { $0.0.name == "add" }).1
        let a = try tensor([4, 4])
        XCTAssertNil(run(add, a, try tensor([4])), "another shape")
        XCTAssertNil(run(add, a, try tensor([4, 4], .float64)), "another dtype")
        XCTAssertNil(run(add, a, try a.transpose(0, 1)), "not packed")
        XCTAssertNil(run(add, try Tensor.zeros(try Shape([3]), .int64), try Tensor.zeros(try Shape([3]), .int64)), "integers")
        let inPlace = try XCTUnwrap(add.runInPlace)
        let leaf = try tensor([3])
        try leaf.setRequiresGrad(true)
        XCTAssertNil(inPlace(add.context, raw(leaf), raw(leaf), 0), "a leaf with gradients")
        GradMode.with(false) { XCTAssertNotNil(inPlace(add.context, raw(leaf), raw(leaf), 0)) }
        // Overlapping windows of one memory.
        let line = try tensor([5])
        let low = try line.narrow(0, 0, 4), high = try line.narrow(0, 1, 4)
        GradMode.with(false) { XCTAssertNil(inPlace(add.context, raw(high), raw(low), 0)) }
    }
}

/// Tensors that scripts let go of, and those that are made of them.
final class TensorPoolTests: XCTestCase {
    /// A tensor that nobody holds but the block of a userdata.
    private func boxed(_ make: () throws -> Tensor) rethrows -> UnsafeMutableRawPointer { Unmanaged.passRetained(try make()).toOpaque() }
    private func address(_ raw: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer {
        Unmanaged<Tensor>.fromOpaque(raw)._withUnsafeGuaranteedRef { $0.pointer }
    }

    func testATensorIsMadeOfOneThatIsGone() throws {
        let old = try boxed {
            let t = try Tensor.zeros(try Shape([5, 7]))
            try t.setRequiresGrad(true)
            return try t * t
        }
        let memory = address(old)
        TensorPool.release(old)
        let live = Allocator.shared.statistics.live
        let fresh = try Tensor(emptyOf: try Shape([35]), .float32)
        XCTAssertEqual(fresh.pointer, memory)
        XCTAssertEqual(fresh.shape, try Shape([35]))
        XCTAssertEqual(fresh.strides, try Shape([1]))
        XCTAssertFalse(fresh.requiresGrad)
        XCTAssertTrue(fresh.isLeaf)
        XCTAssertNil(fresh.grad)
        XCTAssertEqual(fresh.memoryVersion, 0)
        XCTAssertEqual(Allocator.shared.statistics.live, live + 192)
    }

    /// Backward of relu saves the memory of its result.
    func testAResultThatItsOwnBackwardSavedIsReused() throws {
        let x = try Tensor.full(try Shape([53]), .int(2), .float32)
        try x.setRequiresGrad(true)
        let old = try boxed { try x.relu() }
        let memory = address(old)
        TensorPool.release(old)
        XCTAssertEqual(try Tensor(emptyOf: try Shape([53]), .float32).pointer, memory)
    }

    func testWhatOthersHoldIsNotReused() throws {
        let shape = try Shape([11])
        var held: Tensor?, view: Tensor?
        let first = try boxed {
            held = try Tensor.full(shape, .int(3), .float32)
            return held!
        }
        let second = try boxed {
            let base = try Tensor.full(shape, .int(4), .float32)
            view = base.detached()
            return base
        }
        TensorPool.release(first)
        TensorPool.release(second)
        let others = try (0..<20).map { _ in try Tensor.zeros(shape) }
        XCTAssertEqual(try held?.doubles(), Array(repeating: 3, count: 11))
        XCTAssertEqual(try view?.doubles(), Array(repeating: 4, count: 11))
        XCTAssertEqual(others.count, 20)
    }

    func testLongChainsAreReleasedInALoop() throws {
        let w = try Tensor.zeros(try Shape([4]))
        try w.setRequiresGrad(true)
        let last = try boxed {
            var x = try w + w
            for _ in 0..<200_000 { x = try x + w }
            return x
        }
        TensorPool.release(last)
    }

    func testKeptMemoryGoesBack() throws {
        for n in 1..<60 { TensorPool.release(try boxed { try Tensor.zeros(try Shape([n * 16])) }) }
        Allocator.shared.releaseCache()
        XCTAssertEqual(Allocator.shared.statistics.cached, 0)
    }
}
