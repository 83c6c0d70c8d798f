/// Runs recorded operations backwards.
public enum Engine {
    /// Set by whoever can be interrupted; asked between nodes.
    nonisolated(unsafe) public static var checkInterrupt: () throws -> Void = {}

    nonisolated(unsafe) private static var visitCounter: UInt64 = 0

    /// Adds d(outputs)/d(leaf) to the `grad` of every leaf that `outputs` depend on.
    /// - Parameter gradients: one per output, of its shape; nil stands for 1 and needs a single element.
    /// - Throws: `TensorError` when an output has no history, a gradient does not fit, or the graph was freed.
    public static func backward(
        _ outputs: [Tensor], gradients: [Tensor?], retainGraph: Bool = false, createGraph: Bool = false
    ) throws {
        var sinks = Sinks(wanted: nil)
        try run(outputs, gradients, retainGraph: retainGraph || createGraph, createGraph: createGraph, &sinks)
    }

    /// d(outputs)/d(inputs) without touching any `grad`; nil where an input was not used.
    public static func gradients(
        of outputs: [Tensor], for inputs: [Tensor], gradients: [Tensor?], retainGraph: Bool, createGraph: Bool
    ) throws -> [Tensor?] {
        for (i, input) in inputs.enumerated() where !input.requiresGrad {
            throw TensorError("grad: input \(i) does not require gradients")
        }
        var sinks = Sinks(wanted: inputs)
        try run(outputs, gradients, retainGraph: retainGraph || createGraph, createGraph: createGraph, &sinks)
        return sinks.found
    }

    /// Where gradients end up: in leaves, or in a list for chosen inputs.
    private struct Sinks {
        let wanted: [Tensor]?
        var found: [Tensor?]

        init(wanted: [Tensor]?) {
            self.wanted = wanted
            found = Array(repeating: nil, count: wanted?.count ?? 0)
        }
    }

    private static func run(
        _ outputs: [Tensor], _ given: [Tensor?], retainGraph: Bool, createGraph: Bool, _ sinks: inout Sinks
    ) throws {
        var roots: [(Edge, Tensor)] = []
        for (i, output) in outputs.enumerated() {
            guard output.requiresGrad else {
                throw TensorError(
                    "backward: the tensor \(output.shape) does not require gradients and has no history to go back through")
            }
            let g: Tensor
            if let own = i < given.count ? given[i] : nil {
                guard own.shape == output.shape else {
                    throw TensorError("backward: the gradient must have the output's shape \(output.shape), got \(own.shape)")
                }
                g = own.dtype == output.dtype ? own : try own.converted(to: output.dtype)
            } else {
                guard output.count == 1 else {
                    throw TensorError(
                        "backward: only a tensor with one element can start without a gradient, this one is \(output.shape); "
                            + "reduce it (y:sum()) or pass a gradient of its shape")
                }
                g = try Tensor.full(output.shape, 1, output.dtype)
            }
            roots.append((try output.gradientEdge(), g))
        }
        let oldMode = GradMode.set(createGraph)
        defer { GradMode.set(oldMode) }
        visitCounter += 1
        let order = discover(roots)
        defer {
            for node in order {
                node.incoming = Gradients()
                node.pending = 0
            }
        }
        for (edge, g) in roots { try deliver(g, to: edge, createGraph, &sinks, isOwned: false) }
        var ready: [Node] = []
        for (edge, _) in roots {
            if let node = edge.node, node.pending == 0, !ready.contains(where: { $0 === node }) { ready.append(node) }
        }
        while let node = ready.popLast() {
            try checkInterrupt()
            try step(node, retainGraph: retainGraph, createGraph: createGraph, &sinks)
            if node.isBoundary { continue }
            for i in 0..<node.edges.count {
                guard let next = node.edges[i].node else { continue }
                next.pending -= 1
                if next.pending == 0 { ready.append(next) }
            }
            if !retainGraph {
                node.edges = Edges()
                node.backward = nil
            }
        }
    }

    /// Counts for every reachable node how many edges lead into it.
    private static func discover(_ roots: [(Edge, Tensor)]) -> [Node] {
        var order: [Node] = []
        var stack: [Node] = []
        for (edge, _) in roots {
            guard let node = edge.node, node.visit != visitCounter else { continue }
            node.visit = visitCounter
            node.pending = 0
            stack.append(node)
        }
        while let node = stack.popLast() {
            order.append(node)
            if node.isBoundary { continue }
            for i in 0..<node.edges.count {
                guard let next = node.edges[i].node else { continue }
                if next.visit != visitCounter {
                    next.visit = visitCounter
                    next.pending = 0
                    stack.append(next)
                }
                next.pending += 1
            }
        }
        return order
    }

    private static func step(_ node: Node, retainGraph: Bool, createGraph: Bool, _ sinks: inout Sinks) throws {
        guard let backward = node.backward else {
            throw TensorError(
                "backward: the graph of \(node.name) was freed by an earlier backward(); pass {retain_graph = true} to keep it")
        }
        var incoming = node.incoming
        node.incoming = Gradients()
        if incoming.isEmpty { return }
        for (index, hook) in node.outputHooks {
            if let g = incoming[index], let replaced = try hook.run(g) { incoming[index] = replaced }
        }
        if let wanted = sinks.wanted {
            for (i, tensor) in wanted.enumerated() where tensor.node === node {
                sinks.found[i] = incoming[tensor.outputIndex]
            }
        }
        if node.isBoundary { return }
        let grads = try backward(incoming)
        for i in 0..<min(node.edges.count, grads.count) {
            let edge = node.edges[i]
            guard !edge.isEmpty, let g = grads[i] else { continue }
            try deliver(g, to: edge, createGraph, &sinks, isOwned: node.makesFreshGradients && isFresh(g, i, grads, incoming))
        }
    }

    private static func deliver(
        _ g: Tensor, to edge: Edge, _ createGraph: Bool, _ sinks: inout Sinks, isOwned: Bool
    ) throws {
        if let node = edge.node {
            if let old = node.incoming[edge.index] {
                node.incoming[edge.index] = try Tensor.add(old, g)
            } else {
                node.incoming[edge.index] = g
            }
        } else if let leaf = edge.leaf {
            try accumulate(g, into: leaf, createGraph, &sinks, isOwned)
        }
    }

    /// Whether a gradient is memory that this step made and handed to one input alone.
    private static func isFresh(_ g: Tensor, _ index: Int, _ grads: [Tensor?], _ incoming: Gradients) -> Bool {
        if incoming.contains(g.storage) { return false }
        for (i, other) in grads.enumerated() where i != index && other?.storage === g.storage { return false }
        return isKnownUniquelyReferenced(&g.storage)
    }

    private static func accumulate(
        _ g: Tensor, into leaf: Tensor, _ createGraph: Bool, _ sinks: inout Sinks, _ isOwned: Bool
    ) throws {
        var g = g
        for hook in leaf.hooks ?? [] { if let replaced = try hook.run(g) { g = replaced } }
        if let wanted = sinks.wanted {
            for (i, tensor) in wanted.enumerated() where tensor === leaf {
                sinks.found[i] = try sinks.found[i].map { try Tensor.add($0, g) } ?? g
            }
            return
        }
        if let old = leaf.grad {
            if createGraph {
                leaf.grad = try Tensor.add(old, g)
            } else {
                try old.addInPlace(g)
            }
        } else if createGraph {
            leaf.grad = g
        } else {
            // Its own packed memory: the gradient may be a view that others share or a broadcast.
            leaf.grad = isOwned && g.isContiguous ? g : try g.copied()
        }
    }
}
