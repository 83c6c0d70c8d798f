import JSONText

/// Reads JSON with W&B's extra tokens `NaN`, `Infinity`, `-Infinity`. What servers and older clients wrote is
/// taken as far as it can be: numbers beyond Int64 become doubles, broken strings are repaired.
package enum JSONReader {
    private static let rules = JSONParser.Rules(deepest: 200, takesSpecialNumbers: true, strings: .repair)

    package static func value(_ text: String) throws(WandbError) -> WandbValue { try value(Array(text.utf8)) }

    package static func value(_ bytes: [UInt8]) throws(WandbError) -> WandbValue {
        do { return value(try JSONParser.parse(bytes, rules)) } catch {
            throw .format("JSON: \(error.reason) at byte \(error.offset) of \(bytes.count)")
        }
    }

    private static func value(_ json: JSON) -> WandbValue {
        switch json {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .int(let int): .int(Int64(int))
        case .double(let number): .double(number)
        case .string(let text): .string(text)
        case .bytes(let text): .string(String(decoding: text, as: UTF8.self))
        case .array(let values): .list(values.map { value($0) })
        case .object(let members):
            .map(members.reduce(into: WandbMap()) { map, member in map[member.name] = value(member.value) })
        }
    }
}
