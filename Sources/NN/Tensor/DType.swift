import KernelABI

/// The element type of a tensor. Raw values are the codes the kernels use.
public enum DType: UInt8, Sendable, CaseIterable {
    case float32, float64, int64, int32, uint8, bool

    public init?(name: String) {
        guard let found = DType.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    public var name: String {
        switch self {
        case .float32: "float32"
        case .float64: "float64"
        case .int64: "int64"
        case .int32: "int32"
        case .uint8: "uint8"
        case .bool: "bool"
        }
    }

    /// Bytes per element.
    public var size: Int {
        switch self {
        case .float64, .int64: 8
        case .float32, .int32: 4
        case .uint8, .bool: 1
        }
    }

    public var isFloat: Bool { self == .float32 || self == .float64 }
    public var isInteger: Bool { !isFloat && self != .bool }

    var code: Int32 { Int32(rawValue) }

    /// 0 bool, 1 integer, 2 floating point: a higher category always wins a promotion.
    var category: Int { self == .bool ? 0 : isFloat ? 2 : 1 }

    /// The type that two tensors of equal standing are brought to, as in `torch.promote_types`.
    public static func promote(_ a: DType, _ b: DType) -> DType {
        if a == b { return a }
        if a.category != b.category { return a.category > b.category ? a : b }
        return switch (a, b) {
        case (.float64, _), (_, .float64): .float64
        case (.int64, _), (_, .int64): .int64
        default: .int32
        }
    }

    /// Whether an in-place operation may store this type in a tensor of type `other`.
    public func fits(_ other: DType) -> Bool { category <= other.category }

    /// The type a floating-point function gives: integers and booleans become float32.
    var floating: DType { isFloat ? self : .float32 }
}
