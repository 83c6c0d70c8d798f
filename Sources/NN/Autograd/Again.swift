/// Backwards that can be differentiated again, for operations whose own is a kernel.
extension Tensor {
    /// A linear function of this tensor. Its gradient is the adjoint function, whose gradient is the function itself.
    /// Neither needs to record anything.
    func linearMap(
        _ name: String, _ forward: @escaping (Tensor) throws -> Tensor, adjoint: @escaping (Tensor) throws -> Tensor
    ) throws -> Tensor {
        guard shouldRecord(self) else { return try forward(self) }
        let out = try GradMode.with(false) { try forward(self) }
        return try out.record(name, self) { g in [try g.first.linearMap(name, adjoint, adjoint: forward)] }
    }
}

extension Engine {
    /// Gradients of an operation for `inputs` by making it once more, of recorded operations: slower than its kernel,
    /// but with a history of their own.
    /// - Parameters:
    ///   - gradients: one per result of `forward`; nil where none arrived.
    ///   - forward: gets the inputs, gives the results.
    static func recompute(
        _ inputs: [Tensor?], _ gradients: [Tensor?], _ forward: ([Tensor?]) throws -> [Tensor]
    ) throws -> [Tensor?] {
        var boundary: [Node] = []
        // Stand-ins that lead to the inputs' history only once the pass below is over.
        let aliases = try inputs.map { input -> Tensor? in
            guard let input, input.requiresGrad else { return input }
            let alias = input.detached()
            let node = Node("alias", edges: Edges(try input.gradientEdge())) { [try $0.first] }
            node.isBoundary = true
            alias.node = node
            boundary.append(node)
            return alias
        }
        defer { for node in boundary { node.isBoundary = false } }
        let results = try forward(aliases)
        let arrived = results.indices.filter { gradients[$0] != nil && results[$0].requiresGrad }
        let wanted = aliases.compactMap { $0?.node == nil ? nil : $0 }
        guard !arrived.isEmpty, !wanted.isEmpty else { return inputs.map { _ in nil } }
        var found = try Engine.gradients(
            of: arrived.map { results[$0] }, for: wanted, gradients: arrived.map { gradients[$0] }, retainGraph: true, createGraph: true
        )[...]
        return aliases.map { $0?.node == nil ? nil : found.popFirst() ?? nil }
    }
}
