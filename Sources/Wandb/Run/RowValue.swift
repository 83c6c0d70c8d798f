/// A logged value as rows hold it. Numbers and booleans, which nearly all are, lie in place without a reference; others
/// lie elsewhere.
struct RowValue {
    enum Kind: UInt8 { case none, null, bool, int, double, other }

    let kind: Kind
    /// The number; of another value, where it lies.
    let bits: UInt64

    static let none = RowValue(kind: .none, bits: 0)

    /// A value of none of the plain kinds, in place `position` of whoever keeps it.
    init(other position: Int) { self.init(kind: .other, bits: UInt64(position)) }

    private init(kind: Kind, bits: UInt64) {
        self.kind = kind
        self.bits = bits
    }

    /// nil when the value is not plain.
    init?(_ value: WandbValue) {
        switch value {
        case .null: self.init(kind: .null, bits: 0)
        case .bool(let flag): self.init(kind: .bool, bits: flag ? 1 : 0)
        case .int(let number): self.init(kind: .int, bits: UInt64(bitPattern: number))
        case .double(let number): self.init(kind: .double, bits: number.bitPattern)
        case .string, .list, .map, .media: return nil
        }
    }

    /// The plain value; nil for none and for others.
    var value: WandbValue? {
        switch kind {
        case .none, .other: nil
        case .null: .null
        case .bool: .bool(bits != 0)
        case .int: .int(Int64(bitPattern: bits))
        case .double: .double(Double(bitPattern: bits))
        }
    }

    /// Appends the text of a plain value.
    func append(to bytes: inout [UInt8]) {
        switch kind {
        case .int: JSONWriter.append(Int64(bitPattern: bits), to: &bytes)
        case .double: JSONWriter.append(Double(bitPattern: bits), to: &bytes)
        default: if let value { JSONWriter.append(value, to: &bytes) }
        }
    }
}

/// A value that a slot keeps beyond its row.
struct KeptValue {
    private(set) var plain = RowValue.none
    private var other: WandbValue?
    private var isOther = false

    var value: WandbValue? { isOther ? other : plain.value }

    mutating func set(_ value: RowValue) {
        plain = value
        if isOther {
            other = nil
            isOther = false
        }
    }

    mutating func set(_ value: WandbValue?) {
        if let value, RowValue(value) == nil {
            plain = .none
            other = value
            isOther = true
        } else {
            set(value.flatMap { RowValue($0) } ?? .none)
        }
    }
}
