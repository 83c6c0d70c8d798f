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
