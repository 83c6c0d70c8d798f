import NN

/// One recorded operation, seen at two batch sizes, as the rules read it: arguments by position in its signature.
struct TracedCall {
    let small: OperationTrace.Step
    let large: OperationTrace.Step?
    let reader: GraphReader
    let batch: Int

    init(_ small: OperationTrace.Step, _ large: OperationTrace.Step?, _ reader: GraphReader, batch: Int) {
        (self.small, self.large, self.reader, self.batch) = (small, large, reader, batch)
    }

    var graph: Graph { reader.graph }

    /// All tensors among the arguments.
    var tensors: [Tensor] {
        func all(_ arguments: [OperationTrace.Argument]) -> [Tensor] {
            arguments.flatMap { argument -> [Tensor] in
                switch argument {
                case .tensor(let tensor): [tensor]
                case .list(let items): all(items)
                default: []
                }
            }
        }
        return all(small.arguments)
    }

    private func argument(_ i: Int) -> (OperationTrace.Argument, OperationTrace.Argument?) {
        let one = i < small.arguments.count ? small.arguments[i] : .none
        return (one, large.map { i < $0.arguments.count ? $0.arguments[i] : .none })
    }

    func has(_ i: Int) -> Bool { if case .none = argument(i).0 { false } else { true } }
    func isTensor(_ i: Int) -> Bool { if case .tensor = argument(i).0 { true } else { false } }
    func isList(_ i: Int) -> Bool { if case .list = argument(i).0 { true } else { false } }
    func isBool(_ i: Int) -> Bool { if case .bool = argument(i).0 { true } else { false } }
    func isString(_ i: Int) -> Bool { if case .string = argument(i).0 { true } else { false } }
    var count: Int { small.arguments.count }

    // MARK: Tensors

    private func pair(_ one: OperationTrace.Argument, _ two: OperationTrace.Argument?) throws -> Value {
        guard case .tensor(let a) = one else { throw ExportError("expected a tensor") }
        guard let two else { return try reader.value(a, nil) }
        guard case .tensor(let b) = two else { throw GraphReader.differs }
        return try reader.value(a, b)
    }

    func value(_ i: Int) throws -> Value {
        let (one, two) = argument(i)
        return try pair(one, two)
    }

    func name(_ i: Int) throws -> String { try value(i).name }
    /// The name, or the empty one that stands for an argument left out.
    func optionalName(_ i: Int) throws -> String { has(i) ? try value(i).name : "" }

    func values(_ i: Int) throws -> [Value] {
        let (one, two) = argument(i)
        guard case .list(let items) = one else { return [try value(i)] }
        var others: [OperationTrace.Argument]?
        if let two {
            guard case .list(let list) = two, list.count == items.count else { throw GraphReader.differs }
            others = list
        }
        return try items.enumerated().flatMap { k, item -> [Value] in
            // Tensors may come one by one or as one list.
            if case .list(let inner) = item {
                guard let others else { return try inner.map { try pair($0, nil) } }
                guard case .list(let twin) = others[k], twin.count == inner.count else { throw GraphReader.differs }
                return try zip(inner, twin).map { try pair($0, $1) }
            }
            return [try pair(item, others?[k])]
        }
    }

    /// A tensor's or number's value of the graph, as `dtype`.
    func operand(_ i: Int, as dtype: DType) throws -> String {
        guard isTensor(i) else { return graph.scalar(try double(i), dtype) }
        let value = try value(i)
        return value.dtype == dtype ? value.name : graph.cast(value.name, to: dtype)
    }

    // MARK: Numbers

    func dims(_ i: Int) throws -> [Dim] {
        let (one, two) = argument(i)
        func list(_ argument: OperationTrace.Argument) throws -> [Int] {
            switch argument {
            case .int(let n): return [n]
            case .double(let d):
                guard let n = Int(exactly: d) else { throw ExportError("expected an integer, got \(d)") }
                return [n]
            case .list(let items): return try items.flatMap(list)
            default: throw ExportError("expected integers")
            }
        }
        let a = try list(one)
        guard let two else { return a.map { Dim($0) } }
        let b = try list(two)
        guard a.count == b.count else { throw GraphReader.differs }
        return zip(a, b).map { Dim($0, $1, batch: batch) }
    }

    func ints(_ i: Int) throws -> [Int] {
        guard let fixed = try dims(i).fixed else { throw ExportError("a number that it takes depends on the batch size") }
        return fixed
    }

    func int(_ i: Int) throws -> Int { try ints(i).first ?? 0 }

    func double(_ i: Int) throws -> Double {
        func number(_ argument: OperationTrace.Argument) throws -> Double {
            switch argument {
            case .int(let n): return Double(n)
            case .double(let d): return d
            case .bool(let flag): return flag ? 1 : 0
            default: throw ExportError("expected a number")
            }
        }
        let (one, two) = argument(i)
        let value = try number(one)
        if let two, try number(two) != value, !value.isNaN { throw ExportError("a number that it takes depends on the batch size") }
        return value
    }

    func bool(_ i: Int) -> Bool { if case .bool(true) = argument(i).0 { true } else { false } }
    func string(_ i: Int) -> String? { if case .string(let text) = argument(i).0 { text } else { nil } }

    /// A dimension of argument 0 (or of `rank` dimensions), counted from the front.
    func axis(_ i: Int, rank: Int? = nil) throws -> Int {
        let d = try int(i)
        return d < 0 ? try d + (rank ?? value(0).rank) : d
    }

    func axes(_ i: Int) throws -> [Int] {
        let rank = try value(0).rank
        return try ints(i).map { $0 < 0 ? $0 + rank : $0 }
    }

    // MARK: Results

    func shape(_ k: Int = 0) throws -> [Dim] { try reader.shape(small.results[k], large?.results[k]) }
    var dtype: DType { small.results.first?.dtype ?? .float32 }

    /// A number as a constant of the result's dtype.
    func number(_ value: Double) -> String { graph.scalar(value, dtype) }
}

/// How one operation becomes nodes; gives the names of its results, nil for one that the graph cannot have.
typealias Rule = @Sendable (TracedCall) throws -> [String?]

enum Rules {
    static let all: [String: Rule] = [arithmetic, functions, shapes, picking, reductions, layers, spatial, attention, recurrent]
        .reduce(into: [:]) { $0.merge($1) { first, _ in first } }

    /// Operations that say something about a tensor and change nothing.
    static let silent: Set<String> = ["numel", "dim", "size", "stride", "is_contiguous", "requires_grad_"]

    /// Operations that look at a tensor's shape and type alone: what they give is a constant.
    static let shapeAlone: Set<String> = ["zeros_like", "ones_like", "full_like"]

    private static let dependent = "what the script does next depends on the input's values, and a graph cannot hold that"
    private static let drawn = "it draws random numbers, and a graph cannot hold that"
    static let refused: [String: String] = [
        "item": dependent, "tolist": dependent, "equal": dependent, "allclose": dependent, "nonzero": dependent, "masked_select": dependent,
        "unique": dependent, "index assignment": "elements are changed in place; build the tensor with cat, stack or where instead",
        "bernoulli": drawn, "multinomial": drawn, "normal_": drawn, "uniform_": drawn, "bernoulli_": drawn,
        "rand_like": drawn, "randn_like": drawn,
    ]

    /// A rule for an operation with one result.
    static func one(_ rule: @escaping @Sendable (TracedCall) throws -> String) -> Rule { { [try rule($0)] } }
}
