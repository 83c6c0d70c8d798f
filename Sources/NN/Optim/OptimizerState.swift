/// The parameters of one group and what an optimiser remembers of them. One call makes a step for the whole group.
public final class OptimizerState {
    public let parameters: [Tensor]
    /// Per parameter, by name ("exp_avg", ...): made when the parameter is first stepped.
    public private(set) var slots: [[String: Tensor]]
    /// How many steps each parameter has taken (those without a gradient take none).
    public internal(set) var steps: [Int]

    /// - Throws: `TensorError` for an empty list or something that cannot be trained.
    public init(_ parameters: [Tensor]) throws {
        guard !parameters.isEmpty else { throw TensorError("the list of parameters is empty") }
        var seen = Set<ObjectIdentifier>()
        for (i, p) in parameters.enumerated() {
            guard p.dtype.isFloat else {
                throw TensorError("parameter \(i + 1) is \(p.dtype.name) \(p.shape): only floating-point tensors can be trained")
            }
            guard p.isLeaf else {
                throw TensorError("parameter \(i + 1) \(p.shape) is the result of an operation: only leaves can be trained")
            }
            guard seen.insert(ObjectIdentifier(p)).inserted else {
                throw TensorError("parameter \(i + 1) \(p.shape) appears more than once")
            }
        }
        self.parameters = parameters
        slots = Array(repeating: [:], count: parameters.count)
        steps = Array(repeating: 0, count: parameters.count)
    }

    public func zeroGrad(setToNone: Bool) throws {
        for p in parameters {
            guard let g = p.grad else { continue }
            if setToNone { try p.setGrad(nil) } else { try GradMode.with(false) { try g.overwrite("zero_grad") { $0.fillElements(.int(0)) } } }
        }
    }

    /// The state tensor of a parameter, made and filled when there is none.
    func slot(_ name: String, _ i: Int, fill: Double = 0) throws -> Tensor {
        if let tensor = slots[i][name] { return tensor }
        let p = parameters[i]
        let tensor = try Tensor.full(p.shape, .double(fill), p.dtype)
        slots[i][name] = tensor
        return tensor
    }

    func hasSlot(_ name: String, _ i: Int) -> Bool { slots[i][name] != nil }

    /// Puts saved state back: a copy of `tensor`.
    public func restore(_ i: Int, _ name: String, _ tensor: Tensor) throws {
        guard parameters.indices.contains(i) else { throw TensorError("there is no parameter \(i)") }
        let p = parameters[i]
        guard tensor.shape == p.shape else {
            throw TensorError("state '\(name)' of parameter \(i) has shape \(tensor.shape), the parameter is \(p.shape)")
        }
        slots[i][name] = tensor.dtype == p.dtype ? try tensor.copied() : try tensor.detached().to(p.dtype)
    }

    public func restore(_ i: Int, steps count: Int) throws {
        guard parameters.indices.contains(i) else { throw TensorError("there is no parameter \(i)") }
        steps[i] = count
    }

    public func forget() {
        slots = Array(repeating: [:], count: parameters.count)
        steps = Array(repeating: 0, count: parameters.count)
    }

    /// Calls `body` for every parameter with a gradient: its number, packed memory to change, packed gradient.
    func forEach(_ body: (_ i: Int, _ p: Tensor, _ g: Tensor) throws -> Void) throws {
        for (i, p) in parameters.enumerated() {
            guard let grad = p.grad else { continue }
            let g = try grad.packed()
            if p.isContiguous {
                try body(i, p, g)
            } else {
                let work = try p.copied()
                try body(i, work, g)
                p.copyElements(from: work)
            }
            p.storage.version += 1
        }
    }
}

/// Loops over elements that several threads share out.
enum OptimizerLoop {
    /// Calls `body(start, count)` for ranges that cover n elements.
    static func run(_ n: Int, _ body: @Sendable (Int, Int) -> Void) {
        if n <= Parallel.elementGrain {
            if n > 0 { body(0, n) }
        } else {
            Parallel.ranges(count: n, grain: Parallel.elementGrain) { low, high in body(low, high - low) }
        }
    }
}
