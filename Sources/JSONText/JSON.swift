/// A JSON value whose objects keep their order and whose integers stay integers.
public enum JSON: Sendable {
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    case string(String)
    /// A string that is no UTF-8; only where `JSONParser.Rules` let it through.
    case bytes([UInt8])
    case array([JSON])
    case object([Member])

    public struct Member: Sendable {
        public var name: String
        public var value: JSON

        public init(_ name: String, _ value: JSON) {
            self.name = name
            self.value = value
        }
    }

    /// The value of a member of an object.
    public subscript(_ name: String) -> JSON? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    public var string: String? { if case .string(let s) = self { s } else { nil } }
    public var int: Int? { if case .int(let i) = self { i } else { nil } }
    public var array: [JSON]? { if case .array(let a) = self { a } else { nil } }

    /// Compact text. Doubles are written with the fewest digits that read back as the same bits, and
    /// always with a point or an exponent; those that JSON cannot hold (infinity, NaN) become null.
    public func encoded() -> String {
        var out: [UInt8] = []
        write(to: &out)
        return String(decoding: out, as: UTF8.self)
    }

    private func write(to out: inout [UInt8]) {
        switch self {
        case .null: out += "null".utf8
        case .bool(let b): out += (b ? "true" : "false").utf8
        case .int(let i): out += String(i).utf8
        case .double(let d): out += (d.isFinite ? String(d) : "null").utf8
        case .string(let s): JSON.write(s.utf8, to: &out)
        case .bytes(let b): JSON.write(String(decoding: b, as: UTF8.self).utf8, to: &out)
        case .array(let values):
            out.append(UInt8(ascii: "["))
            for (i, value) in values.enumerated() {
                if i > 0 { out.append(UInt8(ascii: ",")) }
                value.write(to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            for (i, member) in members.enumerated() {
                if i > 0 { out.append(UInt8(ascii: ",")) }
                JSON.write(member.name.utf8, to: &out)
                out.append(UInt8(ascii: ":"))
                member.value.write(to: &out)
            }
            out.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ text: String.UTF8View, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += [UInt8(ascii: "\\"), byte]
            case 8: out += "\\b".utf8
            case 9: out += "\\t".utf8
            case 10: out += "\\n".utf8
            case 12: out += "\\f".utf8
            case 13: out += "\\r".utf8
            case 0..<32: out += "\\u00\(String(byte >> 4, radix: 16))\(String(byte & 15, radix: 16))".utf8
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }
}
