import JSONText

/// A value of the script language that files can hold: numbers, text, and tables of them.
public indirect enum PlainValue: Sendable, Equatable {
    /// Stands for nothing where a table needs a value.
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    /// Any bytes, as the script language's strings are.
    case bytes([UInt8])
    /// Elements 1, 2, ... of a table that has no others.
    case list([PlainValue])
    /// Keys (bool, int, double or bytes) and values.
    case table([(key: PlainValue, value: PlainValue)])
    /// A tensor of the file, by name.
    case tensor(String)

    /// Equal to the bit: NaN equals NaN, 0 differs from -0, 1 differs from 1.0.
    public static func == (a: PlainValue, b: PlainValue) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.tensor(let x), .tensor(let y)): x == y
        case (.bool(let x), .bool(let y)): x == y
        case (.int(let x), .int(let y)): x == y
        case (.double(let x), .double(let y)): x.bitPattern == y.bitPattern
        case (.bytes(let x), .bytes(let y)): x == y
        case (.list(let x), .list(let y)): x == y
        case (.table(let x), .table(let y)): x.count == y.count && zip(x, y).allSatisfy { $0.key == $1.key && $0.value == $1.value }
        default: false
        }
    }

    /// As JSON that reads back to the same bits. What JSON lacks is an object with one name that
    /// begins with "$".
    public var json: JSON {
        switch self {
        case .null: return .null
        case .tensor(let name): return PlainValue.special("$tensor", .string(name))
        case .bool(let b): return .bool(b)
        case .int(let i): return .int(i)
        case .double(let d):
            if d.isFinite { return .double(d) }
            return PlainValue.special("$number", .string(d.isNaN ? "nan" : d < 0 ? "-inf" : "inf"))
        case .bytes(let bytes):
            if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
            return PlainValue.special("$bytes", .string(bytes.map { hex($0) }.joined()))
        case .list(let values): return .array(values.map(\.json))
        case .table(let entries):
            var members: [JSON.Member] = []
            for (key, value) in entries {
                guard case .bytes(let bytes) = key, let name = String(validating: bytes, as: UTF8.self), !name.hasPrefix("$") else {
                    return PlainValue.special("$table", .array(entries.map { .array([$0.key.json, $0.value.json]) }))
                }
                members.append(JSON.Member(name, value.json))
            }
            return .object(members)
        }
    }

    private static func special(_ name: String, _ value: JSON) -> JSON { .object([JSON.Member(name, value)]) }

    /// - Throws: `TensorError` for JSON that `json` would not have made.
    public init(_ json: JSON) throws {
        switch json {
        case .null: self = .null
        case .bool(let b): self = .bool(b)
        case .int(let i): self = .int(i)
        case .double(let d): self = .double(d)
        case .string(let s): self = .bytes(Array(s.utf8))
        case .bytes(let b): self = .bytes(b)
        case .array(let values): self = .list(try values.map { try PlainValue($0) })
        case .object(let members):
            guard members.count == 1, members[0].name.hasPrefix("$") else {
                self = .table(try members.map { (.bytes(Array($0.name.utf8)), try PlainValue($0.value)) })
                return
            }
            switch (members[0].name, members[0].value) {
            case ("$tensor", .string(let name)): self = .tensor(name)
            case ("$number", .string("nan")): self = .double(.nan)
            case ("$number", .string("inf")): self = .double(.infinity)
            case ("$number", .string("-inf")): self = .double(-.infinity)
            case ("$bytes", .string(let text)):
                let digits = text.utf8.map { Character(Unicode.Scalar($0)).hexDigitValue }
                guard digits.count % 2 == 0, !digits.contains(nil) else { throw TensorError("bytes are not written in hex") }
                let values = digits.compactMap { $0 }
                self = .bytes(stride(from: 0, to: values.count, by: 2).map { UInt8(values[$0] << 4 | values[$0 + 1]) })
            case ("$table", .array(let pairs)):
                self = .table(
                    try pairs.map { pair in
                        guard let two = pair.array, two.count == 2 else { throw TensorError("a table's entry is not a pair") }
                        return (try PlainValue(two[0]), try PlainValue(two[1]))
                    })
            default: throw TensorError("'\(members[0].name)' is not known")
            }
        }
    }
}
