/// One number, an integer or a double, as scripts have them.
public enum Scalar: Sendable, Equatable {
    case int(Int)
    case double(Double)
    case bool(Bool)

    public var double: Double {
        switch self {
        case .int(let i): Double(i)
        case .double(let d): d
        case .bool(let b): b ? 1 : 0
        }
    }

    /// The integer part; what an integer cannot hold saturates, NaN gives 0.
    public var int: Int {
        switch self {
        case .int(let i): i
        case .bool(let b): b ? 1 : 0
        case .double(let d):
            if d.isNaN { 0 } else if d >= 0x1p63 { Int.max } else if d < -0x1p63 { Int.min } else { Int(d) }
        }
    }

    /// The number itself when elements of a dtype can hold it. Of integers outside the range only negative ones wrap round
    /// in uint8, as in PyTorch; fractions are cut off.
    public func checked(for dtype: DType) throws -> Scalar {
        let holds: Bool
        switch (self, dtype) {
        case (.bool, _), (_, .float32), (_, .float64), (_, .bool), (.int, .int64): return self
        case (.int(let i), .int32): holds = Int32(exactly: i) != nil
        case (.int(let i), _): holds = (-255...255).contains(i)
        case (.double(let d), .int64): holds = d >= -0x1p63 && d < 0x1p63
        case (.double(let d), .int32): holds = d >= -0x1p31 && d < 0x1p31
        case (.double(let d), _): holds = d >= 0 && d < 256
        }
        if holds { return self }
        let text = if case .int(let i) = self { "\(i)" } else { "\(double)" }
        throw TensorError("\(text) does not fit into \(dtype.name)")
    }

    /// The nearest number that an integer dtype holds.
    func saturated(to dtype: DType) -> Scalar {
        switch dtype {
        case .int32: .int(min(max(int, Int(Int32.min)), Int(Int32.max)))
        case .uint8: .int(min(max(int, 0), 255))
        default: self
        }
    }

    var isInteger: Bool { if case .double = self { false } else { true } }

    /// The dtype of a 0-d tensor made from this number.
    var wrappedDType: DType {
        switch self {
        case .int: .int64
        case .double: .float32
        case .bool: .bool
        }
    }

    func store(as dtype: DType, to bytes: UnsafeMutableRawPointer) {
        switch dtype {
        case .float32:
            if case .int(let i) = self { bytes.storeBytes(of: Float(i), as: Float.self) } else {
                bytes.storeBytes(of: Float(double), as: Float.self)
            }
        case .float64: bytes.storeBytes(of: double, as: Double.self)
        case .int64: bytes.storeBytes(of: int, as: Int.self)
        case .int32: bytes.storeBytes(of: Int32(truncatingIfNeeded: int), as: Int32.self)
        case .uint8: bytes.storeBytes(of: UInt8(truncatingIfNeeded: int), as: UInt8.self)
        case .bool: bytes.storeBytes(of: double != 0 ? 1 : 0, as: UInt8.self)
        }
    }

    static func load(_ dtype: DType, from bytes: UnsafeRawPointer) -> Scalar {
        switch dtype {
        case .float32: .double(Double(bytes.load(as: Float.self)))
        case .float64: .double(bytes.load(as: Double.self))
        case .int64: .int(bytes.load(as: Int.self))
        case .int32: .int(Int(bytes.load(as: Int32.self)))
        case .uint8: .int(Int(bytes.load(as: UInt8.self)))
        case .bool: .bool(bytes.load(as: UInt8.self) != 0)
        }
    }
}

extension Tensor {
    /// Element `i` of the storage window of a contiguous tensor; the caller has checked the bounds.
    public func element(_ i: Int) -> Scalar { Scalar.load(dtype, from: pointer + i * dtype.size) }

    func setElement(_ i: Int, _ value: Scalar) { value.store(as: dtype, to: pointer + i * dtype.size) }

    /// The only element.
    /// - Throws: `TensorError` when there is not exactly one.
    public func item() throws -> Scalar {
        guard count == 1 else { throw TensorError("item: expected a tensor with one element, got shape \(shape)") }
        return element(0)
    }
}
