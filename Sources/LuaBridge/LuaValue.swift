import CLuaShim

/// A Lua value in Swift. Tables without a metatable become lists or maps; everything that has identity stays a reference.
public enum LuaValue {
    case `nil`
    /// `json.null`: stands for nothing where a table needs a value.
    case null
    case bool(Bool)
    case int(Int)
    case number(Double)
    case string(String)
    /// A string that is not UTF-8.
    case bytes([UInt8])
    /// A table whose keys are 1...n; also the empty table.
    case list([LuaValue])
    /// Any other plain table, sorted by key, numbers first.
    case map([LuaField])
    /// A Swift object behind userdata.
    case object(LuaObject)
    /// A function, a coroutine, a table with a metatable, foreign userdata.
    case reference(LuaReference)
}

public struct LuaField {
    public var key: LuaValue
    public var value: LuaValue
    public init(key: LuaValue, value: LuaValue) {
        self.key = key
        self.value = value
    }
}

/// A Swift object together with the userdata type that shows it to Lua.
public struct LuaObject {
    public let object: AnyObject
    let type: UnsafeMutablePointer<chost_type>
}

extension LuaValue {
    /// A map with string keys, in the order given.
    public static func fields(_ pairs: [(String, LuaValue)]) -> LuaValue {
        .map(pairs.map { LuaField(key: .string($0.0), value: $0.1) })
    }

    /// The value under a string key; nil when this is no map or has no such key.
    public subscript(name: String) -> LuaValue? {
        guard case .map(let fields) = self else { return nil }
        for field in fields {
            if case .string(name) = field.key { return field.value }
        }
        return nil
    }

    public var isNil: Bool { if case .nil = self { true } else { false } }
    public var asBool: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var asString: String? { if case .string(let value) = self { value } else { nil } }
    public var asList: [LuaValue]? { if case .list(let value) = self { value } else { nil } }
    public var asReference: LuaReference? { if case .reference(let value) = self { value } else { nil } }
    /// An integer, also one written as a float.
    public var asInt: Int? {
        switch self {
        case .int(let value): value
        case .number(let value): Int(exactly: value)
        default: nil
        }
    }
    public var asNumber: Double? {
        switch self {
        case .int(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
    /// The bytes of a string, UTF-8 or not.
    public var asBytes: [UInt8]? {
        switch self {
        case .string(let value): Array(value.utf8)
        case .bytes(let value): value
        default: nil
        }
    }

    /// The kind, in Lua's words.
    public var kindName: String {
        switch self {
        case .nil: "nil"
        case .null: "null"
        case .bool: "boolean"
        case .int: "integer"
        case .number: "number"
        case .string, .bytes: "string"
        case .list, .map: "table"
        case .object(let object): String(cString: object.type.pointee.name)
        case .reference: "function"
        }
    }
}

/// The flat form in which a tree of values crosses into C, where it is built in one protected call.
struct ValueStream {
    private(set) var bytes: [UInt8] = []

    mutating func append(_ value: LuaValue) {
        switch value {
        case .nil: bytes.append(UInt8(ascii: "n"))
        case .null: bytes.append(UInt8(ascii: "z"))
        case .bool(let flag): bytes.append(flag ? UInt8(ascii: "t") : UInt8(ascii: "f"))
        case .int(let int): append("i", UInt64(bitPattern: Int64(int)))
        case .number(let number): append("d", number.bitPattern)
        case .string(let string):
            append("s", UInt64(string.utf8.count))
            bytes.append(contentsOf: string.utf8)
        case .bytes(let string):
            append("s", UInt64(string.count))
            bytes.append(contentsOf: string)
        case .list(let list):
            append("l", UInt64(list.count))
            for item in list { append(item) }
        case .map(let fields):
            let present = fields.filter { !$0.key.isNil && !$0.key.isNaN && !$0.value.isNil }
            append("m", UInt64(present.count))
            for field in present {
                append(field.key)
                append(field.value)
            }
        case .object(let object):
            append("o", UInt64(UInt(bitPattern: Unmanaged.passUnretained(object.object).toOpaque())))
            append(word: UInt64(UInt(bitPattern: object.type)))
        case .reference(let reference): append("r", UInt64(reference.index))
        }
    }

    private mutating func append(_ tag: Unicode.Scalar, _ word: UInt64) {
        bytes.append(UInt8(ascii: tag))
        append(word: word)
    }

    private mutating func append(word: UInt64) {
        withUnsafeBytes(of: word) { bytes.append(contentsOf: $0) }
    }
}

extension LuaValue {
    fileprivate var isNaN: Bool { if case .number(let number) = self { number.isNaN } else { false } }
}
