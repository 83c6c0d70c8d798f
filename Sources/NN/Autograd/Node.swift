/// A hook on a tensor's gradient; may return a replacement.
public struct GradientHook {
    public let id: Int
    let run: (Tensor) throws -> Tensor?
}

/// One recorded operation: how to turn gradients of its outputs into gradients of its inputs.
public final class Node {
    typealias Backward = (Gradients) throws -> [Tensor?]

    private(set) var name: String
    private(set) var sequence: UInt64
    private(set) var outputCount: Int
    var edges: Edges
    /// nil once the graph was freed.
    var backward: Backward?
    /// Where a pass over a recomputed operation ends: what lies beyond belongs to the pass that asked for it.
    var isBoundary = false
    /// False where a script's own backward makes the gradients: it may keep what it returns.
    var makesFreshGradients = true

    // The engine's working state during one backward pass.
    var pending = 0
    var visit: UInt64 = 0
    var incoming = Gradients()
    var outputHooks: [(index: Int, hook: GradientHook)] = []

    nonisolated(unsafe) private static var counter: UInt64 = 0

    init(_ name: String, outputs: Int = 1, edges: Edges, backward: @escaping Backward) {
        Node.counter += 1
        self.name = name
        sequence = Node.counter
        outputCount = outputs
        self.edges = edges
        self.backward = backward
    }

    convenience init(_ name: String, outputs: Int = 1, edges: [Edge], backward: @escaping Backward) {
        self.init(name, outputs: outputs, edges: Edges(edges), backward: backward)
    }

    deinit {
        // After a backward pass there is nothing left to release.
        if edges.count > 0 || backward != nil { GraphRelease.take(edges: &edges, backward: &backward) }
    }

    // MARK: Nodes of tensors that are gone, kept for the next ones. Of the script's thread alone, as `TensorPool`.

    private var nextInPool: Unmanaged<Node>?
    nonisolated(unsafe) private static var pool: Unmanaged<Node>?
    nonisolated(unsafe) private static var pooled = 0
    private static let poolLimit = 4096

    /// A node with one output.
    static func make(_ name: String, _ edges: consuming Edges, _ backward: @escaping Backward) -> Node {
        guard let head = pool, TensorPool.isOwnThread else { return Node(name, edges: edges, backward: backward) }
        let node = head.takeRetainedValue()
        pool = node.nextInPool
        pooled -= 1
        counter += 1
        node.name = name
        node.sequence = counter
        node.outputCount = 1
        node.edges = edges
        node.backward = backward
        return node
    }

    /// Lets go of the node of a tensor that is gone.
    static func recycle(_ node: inout Node?) {
        if isKnownUniquelyReferenced(&node), pooled < poolLimit, let node {
            if node.edges.leadToNodes {
                GraphRelease.take(edges: &node.edges, backward: &node.backward)
            } else {
                // Nothing behind it: no chain to release.
                node.edges = Edges()
                node.backward = nil
            }
            node.isBoundary = false
            node.makesFreshGradients = true
            node.pending = 0
            node.visit = 0
            node.incoming = Gradients()
            if !node.outputHooks.isEmpty { node.outputHooks = [] }
            node.nextInPool = pool
            pool = Unmanaged.passRetained(node)
            pooled += 1
        }
        node = nil
    }
}

/// Releases chains of nodes in a loop: a recursive release of a million-step graph would overflow
/// the stack.
enum GraphRelease {
    private struct Item {
        var edges = Edges()
        var backward: Node.Backward?
    }

    nonisolated(unsafe) private static var queue: [Item] = []
    nonisolated(unsafe) private static var isDraining = false

    /// Nothing but the queue may hold what is handed over: a copy that a caller drops after the loop starts a recursion.
    static func take(edges: inout Edges, backward: inout Node.Backward?) {
        queue.append(Item())
        let last = queue.count - 1
        swap(&queue[last].edges, &edges)
        swap(&queue[last].backward, &backward)
        if isDraining { return }
        isDraining = true
        while !queue.isEmpty { releaseLast() }
        isDraining = false
    }

    /// A function of its own, so that the item is gone before the next one is looked at.
    @inline(never)
    private static func releaseLast() { _ = queue.removeLast() }
}

extension Tensor {
    public var requiresGrad: Bool {
        if let viewBase, viewHistoryVersion != storage.historyVersion { return viewBase.requiresGrad }
        return leafRequiresGrad || node != nil
    }

    public var isLeaf: Bool { node == nil }

    /// Where a gradient for this tensor goes.
    func gradientEdge() throws -> Edge {
        try refreshViewHistory()
        if let node { return Edge(node: node, index: outputIndex) }
        if leafRequiresGrad { return Edge(leaf: self) }
        return Edge()
    }

    /// Makes this a leaf that collects gradients, or stops it from doing so.
    public func setRequiresGrad(_ on: Bool) throws {
        guard !on || dtype.isFloat else {
            throw TensorError("only floating-point tensors can require gradients, this one is \(dtype.name)")
        }
        guard node == nil else {
            if on { return }
            throw TensorError("requires_grad can be turned off for leaf tensors only; use x:detach() for a result")
        }
        leafRequiresGrad = on
        // A leaf begins its own history: what it once was a view of has no part in it.
        if on { viewBase = nil }
    }

    public func setGrad(_ g: Tensor?) throws {
        if let g, g.shape != shape || g.dtype != dtype {
            throw TensorError(
                "grad must have the tensor's shape and dtype: expected \(shape) \(dtype.name), got \(g.shape) \(g.dtype.name)")
        }
        grad = g
    }

    /// Adds a function that sees (and may replace) the gradient when it arrives.
    public func addHook(_ run: @escaping (Tensor) throws -> Tensor?) throws -> Int {
        guard requiresGrad else { throw TensorError("register_hook needs a tensor that requires gradients") }
        Tensor.hookCounter += 1
        let hook = GradientHook(id: Tensor.hookCounter, run: run)
        if let node { node.outputHooks.append((outputIndex, hook)) } else { hooks = (hooks ?? []) + [hook] }
        return hook.id
    }

    public func removeHook(_ id: Int) {
        hooks?.removeAll { $0.id == id }
        node?.outputHooks.removeAll { $0.hook.id == id }
    }

    nonisolated(unsafe) private static var hookCounter = 0
}

/// Whether an operation on these inputs is to be recorded.
@inline(__always)
func shouldRecord(_ a: Tensor) -> Bool { GradMode.isEnabled && a.requiresGrad }
@inline(__always)
func shouldRecord(_ a: Tensor, _ b: Tensor) -> Bool { GradMode.isEnabled && (a.requiresGrad || b.requiresGrad) }
func shouldRecord(_ inputs: [Tensor?]) -> Bool {
    GradMode.isEnabled && inputs.contains { $0?.requiresGrad ?? false }
}

extension Tensor {
    /// Makes this fresh result the output of a new node. With `create_graph` the backward runs recorded: it must then
    /// consist of recorded operations (`linearMap` and `Engine.recompute` help), so that it can be differentiated again.
    func record(_ name: String, _ inputs: [Tensor?], _ backward: @escaping Node.Backward) throws -> Tensor {
        guard dtype.isFloat else { return self }
        let edges = try inputs.map { try $0?.gradientEdge() ?? Edge() }
        node = Node.make(name, Edges(edges), backward)
        return self
    }

    func record(_ name: String, _ a: Tensor, _ backward: @escaping Node.Backward) throws -> Tensor {
        guard dtype.isFloat else { return self }
        node = Node.make(name, Edges(try a.gradientEdge()), backward)
        return self
    }

    func record(_ name: String, _ a: Tensor, _ b: Tensor, _ backward: @escaping Node.Backward) throws -> Tensor {
        guard dtype.isFloat else { return self }
        node = Node.make(name, Edges(try a.gradientEdge(), try b.gradientEdge()), backward)
        return self
    }

    /// The output as backward of its own node may keep it: the data without the history, since a
    /// node that held its own output would never be freed.
    func savedOutput(_ operation: String) -> SavedTensor {
        SavedTensor(detached(), operation, "its result")
    }
}
