import LuaBridge

/// JSON text from and to Lua values.
func registerJSON(_ lua: Lua) throws {
    try lua.module("json", "json\nJSON text from and to Lua values.") { m in
        try m.set("null", .null)
        try m.add(
            Declaration(
                """
                json.encode(value: table|any|nil, pretty: bool = false, nan: "error"|"null"|"literal" = "error") -> string
                Writes a value as JSON; keys are sorted, so that equal values give equal text.
                Args:
                  value: a table whose keys are 1..n becomes an array (the empty table too), any other an object
                  pretty: one value per line, indented by two spaces
                  nan: what to do with NaN and infinities, which JSON does not have; "literal" writes NaN and Infinity as Python does
                Returns: the text
                Errors: for functions, objects and tables with a metatable, and for tables nested deeper than 128 levels
                Example:
                  print(json.encode({b = {1, 2.5}, a = json.null})) --> {"a":null,"b":[1,2.5]}
                See: json.decode
                Source: RFC 8259; Python's json.dumps
                """
            ) { call in
                var writer = JSONWriter(pretty: try call.bool(1), nan: .init(rawValue: try call.string(2)) ?? .error)
                try writer.write(call.value(0), depth: 0)
                try call.push(bytes: writer.bytes)
            },
            Declaration(
                """
                json.decode(text: string) -> any
                Reads JSON.
                Args:
                  text: one JSON value, with white space around it
                Returns: the value; null is json.null, numbers written without point and exponent are integers where they fit
                Errors: malformed text, with line and column; more than 128 levels
                Example:
                  print(json.decode('{"a": [1, 2]}').a[2]) --> 2
                See: json.encode
                Source: RFC 8259; Python's json.loads
                """
            ) { call in
                try call.push(try call.withBytes(0) { try JSONReader.value($0) })
            })
    }
}

struct JSONWriter {
    enum NaN: String { case error, null, literal }

    let pretty: Bool
    let nan: NaN
    private(set) var bytes: [UInt8] = []

    init(pretty: Bool = false, nan: NaN = .error) {
        self.pretty = pretty
        self.nan = nan
    }

    mutating func write(_ value: LuaValue, depth: Int) throws {
        switch value {
        case .nil, .null: append("null")
        case .bool(let flag): append(flag ? "true" : "false")
        case .int(let int): append(String(int))
        case .number(let number): try write(number)
        case .string(let text): write(text.utf8)
        case .bytes(let text): write(String(decoding: text, as: UTF8.self).utf8)
        case .list(let list):
            try enclose("[", "]", list, depth) { writer, item in try writer.write(item, depth: depth + 1) }
        case .map(let fields):
            try enclose("{", "}", fields, depth) { writer, field in
                switch field.key {
                case .int, .number, .string, .bytes: break
                default: throw LuaError("a \(field.key.kindName) cannot be the key of an object")
                }
                let key = try writer.text(of: field.key)
                writer.write(key.utf8)
                writer.append(writer.pretty ? ": " : ":")
                try writer.write(field.value, depth: depth + 1)
            }
        case .object, .reference: throw LuaError("cannot encode a \(value.kindName)")
        }
    }

    private func text(of key: LuaValue) throws -> String {
        var writer = JSONWriter(nan: nan)
        if let bytes = key.asBytes { return String(decoding: bytes, as: UTF8.self) }
        try writer.write(key, depth: 0)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    private mutating func write(_ number: Double) throws {
        if number.isFinite { return append("\(number)") }
        switch nan {
        case .null: append("null")
        case .literal: append(number.isNaN ? "NaN" : number < 0 ? "-Infinity" : "Infinity")
        case .error:
            throw LuaError(
                "JSON has no \(number.isNaN ? "NaN" : "infinity"); encode(value, {nan = \"null\"}) writes null instead")
        }
    }

    private mutating func enclose<Item>(
        _ open: String, _ close: String, _ items: [Item], _ depth: Int, _ write: (inout JSONWriter, Item) throws -> Void
    ) throws {
        guard depth < jsonDepthLimit else { throw LuaError("nested deeper than \(jsonDepthLimit) levels") }
        append(open)
        for (index, item) in items.enumerated() {
            if index > 0 { append(",") }
            newLine(depth + 1)
            try write(&self, item)
        }
        if !items.isEmpty { newLine(depth) }
        append(close)
    }

    private mutating func newLine(_ depth: Int) {
        guard pretty else { return }
        append("\n")
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: depth * 2))
    }

    private mutating func write(_ text: String.UTF8View) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): append("\\\"")
            case UInt8(ascii: "\\"): append("\\\\")
            case UInt8(ascii: "\n"): append("\\n")
            case UInt8(ascii: "\r"): append("\\r")
            case UInt8(ascii: "\t"): append("\\t")
            case 0..<0x20, 0x7f:
                let digits = Array("0123456789abcdef".utf8)
                append("\\u00")
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }
}
