/// An operation as scripts see it, declared once. Its binding, argument checks, help text,
/// reference entry, editor stub, gradient check and randomised test all follow from this value.
public struct Op: Sendable {
    /// Where scripts find it, besides as a method.
    public enum Form: Sendable {
        case both  // method and function of the module
        case method
        case function
    }

    /// First line: the signature, `name(input: tensor, dim: int = nil) -> tensor`; then what it does.
    public let doc: String
    public let form: Form
    /// Whether a twin `name_` stores the result in the receiver.
    public let hasInPlaceTwin: Bool
    /// Lua expressions over the sample variables (see `Op.sampleVariables`); each is gradient-checked
    /// in float64, also on strided inputs, unless it begins with "!", which marks one without gradient.
    public let samples: [String]
    public let run: @Sendable (any OpArguments) throws -> OpResult
    /// What `run` computes when nothing but the operands is given: the usual call goes this short way.
    public let direct: Direct?
    /// The way past all that, where the operands are small and alike.
    public let short: ShortOp?

    public enum Direct: Sendable {
        case unary(@Sendable (Tensor) throws -> Tensor)
        /// Either operand may be a number.
        case operands(@Sendable (Tensor, Tensor) throws -> Tensor)
        case binary(@Sendable (Tensor, Tensor) throws -> Tensor)
        /// The last may be left out.
        case ternary(@Sendable (Tensor, Tensor, Tensor?) throws -> Tensor)
    }

    /// - Parameter direct: for operations with options, what they compute without them.
    public init(
        _ doc: String, form: Form = .both, inPlace: Bool = false, samples: [String] = [], direct: Direct? = nil,
        short: ShortOp? = nil, _ run: @escaping @Sendable (any OpArguments) throws -> OpResult
    ) {
        self.doc = doc
        self.form = form
        hasInPlaceTwin = inPlace
        self.samples = samples
        self.direct = direct
        self.short = short
        self.run = run
    }

    /// An operation that takes nothing but operands.
    public init(_ doc: String, form: Form = .both, inPlace: Bool = false, samples: [String] = [], short: ShortOp? = nil, _ direct: Direct) {
        self.init(doc, form: form, inPlace: inPlace, samples: samples, direct: direct, short: short) { arguments in
            switch direct {
            case .unary(let f): return .tensor(try f(try arguments.tensor(0)))
            case .operands(let f):
                let (a, b) = try arguments.pair(0, 1)
                return .tensor(try f(a, b))
            case .binary(let f): return .tensor(try f(try arguments.tensor(0), try arguments.tensor(1)))
            case .ternary(let f): return .tensor(try f(try arguments.tensor(0), try arguments.tensor(1), try arguments.optionalTensor(2)))
            }
        }
    }

    public var name: String { String(doc.prefix { $0 != "(" }) }

    /// What sample expressions may use: name, shape, and the range that values are drawn from.
    public static let sampleVariables: [(name: String, shape: [Int], low: Double, high: Double)] = [
        ("x", [3, 4], -2, 2), ("y", [3, 4], -2, 2), ("row", [4], -2, 2), ("col", [3, 1], -2, 2),
        ("s", [], -2, 2), ("v", [5], -2, 2), ("w", [5], -2, 2), ("m", [4, 5], -1, 1), ("sq", [3, 3], -1, 1),
        ("t3", [2, 3, 4], -1, 1), ("u3", [2, 4, 3], -1, 1), ("pos", [3, 4], 0.3, 3), ("pos2", [3, 4], 0.3, 3),
        ("unit", [3, 4], -0.9, 0.9), ("img", [2, 3, 6, 7], -1, 1), ("sig", [2, 3, 9], -1, 1),
    ]
}

/// Arguments of an operation, by position in its signature; defaults are filled in and kinds checked.
public protocol OpArguments {
    func isNil(_ i: Int) -> Bool
    func isTensor(_ i: Int) -> Bool
    func tensor(_ i: Int) throws -> Tensor
    func scalar(_ i: Int) throws -> Scalar
    func int(_ i: Int) throws -> Int
    func double(_ i: Int) throws -> Double
    func bool(_ i: Int) throws -> Bool
    func string(_ i: Int) throws -> String
    /// An integer or a list of them.
    func ints(_ i: Int) throws -> [Int]
    /// A number or a list of them.
    func doubles(_ i: Int) throws -> [Double]
    /// A list of tensors, or all remaining arguments of a `...` parameter.
    func tensors(_ i: Int) throws -> [Tensor]
    func isBool(_ i: Int) -> Bool
    /// Whether a list was given where a single value may stand as well.
    func isList(_ i: Int) -> Bool
}

public enum OpResult {
    case tensor(Tensor)
    /// Several results.
    case tensors([Tensor])
    /// One result: a list.
    case list([Tensor])
    case scalar(Scalar)
    case string(String)
    case ints([Int])
    /// The first argument itself, changed in place.
    case receiver
    case none
}

extension OpArguments {
    public func optionalTensor(_ i: Int) throws -> Tensor? { isNil(i) ? nil : try tensor(i) }
    public func optionalInt(_ i: Int) throws -> Int? { isNil(i) ? nil : try int(i) }
    public func optionalInts(_ i: Int) throws -> [Int]? { isNil(i) ? nil : try ints(i) }
    public func optionalDoubles(_ i: Int) throws -> [Double]? { isNil(i) ? nil : try doubles(i) }
    public func shape(_ i: Int) throws -> Shape { try Shape(try ints(i)) }

    public func dtype(_ i: Int) throws -> DType? {
        if isNil(i) { return nil }
        let name = try string(i)
        guard let dtype = DType(name: name) else {
            throw TensorError(
                "unknown dtype '\(name)'; there are \(DType.allCases.map(\.name).joined(separator: ", "))")
        }
        return dtype
    }

    /// A tensor, or a number made into a 0-d tensor that takes the dtype of what it meets.
    public func operand(_ i: Int, beside other: Tensor) throws -> Tensor {
        isTensor(i) ? try tensor(i) : try Tensor.wrapped(try scalar(i), beside: other)
    }

    /// Two operands of which at least one is a tensor.
    public func pair(_ i: Int, _ j: Int) throws -> (Tensor, Tensor) {
        if isTensor(i) {
            let a = try tensor(i)
            return (a, try operand(j, beside: a))
        }
        if isTensor(j) {
            let b = try tensor(j)
            return (try Tensor.wrapped(try scalar(i), beside: b), b)
        }
        return (try Tensor.wrapped(try scalar(i)), try Tensor.wrapped(try scalar(j)))
    }
}

extension Tensor {
    /// A 0-d tensor for a number that meets `other`: of its dtype, unless the number is of a higher category.
    public static func wrapped(_ value: Scalar, beside other: Tensor) throws -> Tensor {
        let own = value.wrappedDType
        let t = try Tensor(emptyOf: Shape(), own.category <= other.dtype.category ? other.dtype : own)
        t.setElement(0, value)
        t.isWrappedNumber = true
        return t
    }
}
