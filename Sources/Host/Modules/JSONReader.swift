import JSONText
import LuaBridge

/// Deeper than this, JSON is refused in either direction: what Lua tables are read to.
let jsonDepthLimit = 128

/// Reads one JSON document for a script; errors say line and column.
enum JSONReader {
    private static let rules = JSONParser.Rules(deepest: jsonDepthLimit, strings: .keepBytes)

    static func value(_ bytes: UnsafeRawBufferPointer) throws -> LuaValue {
        do { return value(try JSONParser.parse(bytes, rules)) } catch {
            var line = 1, column = 1
            for byte in bytes.prefix(error.offset) {
                if byte == UInt8(ascii: "\n") { (line, column) = (line + 1, 1) } else { column += 1 }
            }
            throw LuaError("line \(line), column \(column): \(error.reason)")
        }
    }

    private static func value(_ json: JSON) -> LuaValue {
        switch json {
        case .null: .null
        case .bool(let flag): .bool(flag)
        case .int(let int): .int(int)
        case .double(let number): .number(number)
        case .string(let text): .string(text)
        case .bytes(let text): .bytes(text)
        case .array(let values): .list(values.map { value($0) })
        // An empty table has no kind of its own in Lua.
        case .object(let members):
            members.isEmpty ? .list([]) : .map(members.map { LuaField(key: .string($0.name), value: value($0.value)) })
        }
    }
}
