/// A hook on a tensor's gradient; may return a replacement.
public struct GradientHook {
    public let id: Int
    let run: (Tensor) throws -> Tensor?
}

/// Where a gradient goes next: into another node's output slot or into a leaf's `grad`.
struct Edge {
    var node: Node?
    var leaf: Tensor?
    var index = 0

    var isEmpty: Bool { node == nil && leaf == nil }
}

/// The edges of a node, one for each input. Up to three are held in place: nearly all nodes get by without an array.
struct Edges {
    private var a = Edge(), b = Edge(), c = Edge()
    private var more: [Edge] = []
    private(set) var count = 0

    init() {}

    init(_ a: Edge) {
        self.a = a
        count = 1
    }

    init(_ a: Edge, _ b: Edge) {
        (self.a, self.b) = (a, b)
        count = 2
    }

    init(_ edges: [Edge]) {
        if edges.count > 0 { a = edges[0] }
        if edges.count > 1 { b = edges[1] }
        if edges.count > 2 { c = edges[2] }
        if edges.count > 3 { more = Array(edges[3...]) }
        count = edges.count
    }

    /// Whether another node is behind one of them.
    var leadToNodes: Bool { a.node != nil || b.node != nil || c.node != nil || !more.isEmpty }

    subscript(_ i: Int) -> Edge {
        switch i {
        case 0: a
        case 1: b
        case 2: c
        default: more[i - 3]
        }
    }
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

/// Gradients of a node's outputs; a missing one means zero. The first is held in place: most nodes have no other.
struct Gradients {
    private var single: Tensor?
    private var others: [Tensor?] = []

    subscript(_ i: Int) -> Tensor? {
        get { i == 0 ? single : i - 1 < others.count ? others[i - 1] : nil }
        set {
            if i == 0 {
                single = newValue
            } else {
                while others.count < i { others.append(nil) }
                others[i - 1] = newValue
            }
        }
    }

    var isEmpty: Bool { single == nil && others.allSatisfy { $0 == nil } }

    func contains(_ storage: Storage) -> Bool {
        single?.storage === storage || others.contains { $0?.storage === storage }
    }

    /// The gradient of the only output (the engine does not call a node without any).
    var first: Tensor {
        get throws {
            guard let single else { throw TensorError("backward: no gradient arrived") }
            return single
        }
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

/// A packed result of the shape of its input, as backward of its own node may keep it: less than a tensor, and made
/// into one only when it is needed.
struct SavedOutput {
    private let storage: Storage
    private let version: Int
    private let dtype: DType

    /// - Parameter out: fresh, and contiguous from the start of its storage.
    init(_ out: Tensor) {
        storage = out.storage
        version = storage.version
        dtype = out.dtype
    }

    /// - Throws: `TensorError` when it was changed in place since.
    func value(_ shape: Shape, _ operation: String) throws -> Tensor {
        let tensor = Tensor(storage: storage, dtype: dtype, shape: shape, strides: shape.contiguousStrides, offset: 0)
        guard storage.version == version else {
            throw SavedTensor.changed(tensor, operation, "its result", version)
        }
        return tensor
    }
}

/// A tensor that backward will need, with the version it had.
struct SavedTensor {
    private let tensor: Tensor
    private let version: Int
    private let operation: String
    private let role: String

    /// An input: kept with its history, so that backward can be differentiated again.
    init(_ tensor: Tensor, _ operation: String, _ role: String = "an input") {
        self.tensor = tensor
        version = tensor.storage.version
        self.operation = operation
        self.role = role
    }

    /// - Throws: `TensorError` when it was changed in place since.
    func value() throws -> Tensor {
        guard tensor.storage.version == version else { throw SavedTensor.changed(tensor, operation, role, version) }
        return tensor
    }

    fileprivate static func changed(_ tensor: Tensor, _ operation: String, _ role: String, _ version: Int) -> TensorError {
        TensorError(
            "backward of \(operation) needs \(role) (\(tensor.dtype.name) \(tensor.shape)) that was changed in place "
                + "after it was used: it is at version \(tensor.storage.version), expected \(version); "
                + "use the out-of-place form or clone it first")
    }
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
