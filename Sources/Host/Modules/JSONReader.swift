import LuaBridge

/// Deeper than this, JSON is refused in either direction: what Lua tables are read to.
let jsonDepthLimit = 128

/// Reads one JSON document; errors say line and column.
struct JSONReader {
    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func document() throws -> LuaValue {
        let value = try value(depth: 0)
        skipSpace()
        guard at == bytes.count else { throw unexpected("the end") }
        return value
    }

    // MARK: Errors

    private func failure(_ what: String, at place: Int? = nil) -> LuaError {
        var line = 1, column = 1
        for byte in bytes.prefix(place ?? at) {
            if byte == UInt8(ascii: "\n") { (line, column) = (line + 1, 1) } else { column += 1 }
        }
        return LuaError("line \(line), column \(column): \(what)")
    }

    private func unexpected(_ wanted: String) -> LuaError {
        guard at < bytes.count else { return failure("expected \(wanted), got the end of the text") }
        let byte = bytes[at]
        return failure("expected \(wanted), got " + (0x21..<0x7f ~= byte ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"))
    }

    // MARK: Values

    private mutating func skipSpace() {
        while at < bytes.count, [0x20, 0x09, 0x0a, 0x0d].contains(bytes[at]) { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func value(depth: Int) throws -> LuaValue {
        guard depth < jsonDepthLimit else { throw failure("nested deeper than \(jsonDepthLimit) levels") }
        skipSpace()
        guard at < bytes.count else { throw unexpected("a value") }
        switch bytes[at] {
        case UInt8(ascii: "{"): return try object(depth)
        case UInt8(ascii: "["): return try array(depth)
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default:
            for (word, value) in [("true", LuaValue.bool(true)), ("false", .bool(false)), ("null", .null)]
            where bytes[at...].starts(with: word.utf8) {
                at += word.utf8.count
                return value
            }
            throw unexpected("a value")
        }
    }

    private mutating func object(_ depth: Int) throws -> LuaValue {
        at += 1
        var fields: [LuaField] = []
        skipSpace()
        if take("}") { return .list([]) }
        while true {
            skipSpace()
            guard at < bytes.count, bytes[at] == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let key = try string()
            skipSpace()
            guard take(":") else { throw unexpected("':'") }
            fields.append(LuaField(key: key, value: try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .map(fields) }
            guard take(",") else { throw unexpected("',' or '}'") }
        }
    }

    private mutating func array(_ depth: Int) throws -> LuaValue {
        at += 1
        var items: [LuaValue] = []
        skipSpace()
        if take("]") { return .list([]) }
        while true {
            items.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .list(items) }
            guard take(",") else { throw unexpected("',' or ']'") }
        }
    }

    private mutating func digits() throws {
        guard at < bytes.count, 0x30...0x39 ~= bytes[at] else { throw unexpected("a digit") }
        while at < bytes.count, 0x30...0x39 ~= bytes[at] { at += 1 }
    }

    private mutating func number() throws -> LuaValue {
        let start = at
        var whole = true
        _ = take("-")
        let first = at
        try digits()
        if bytes[first] == UInt8(ascii: "0"), at > first + 1 { throw failure("a number cannot begin with 0", at: first) }
        if take(".") {
            whole = false
            try digits()
        }
        if take("e") || take("E") {
            whole = false
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if whole, let int = Int(text) { return .int(int) }
        guard let number = Double(text) else { throw failure("malformed number '\(text)'", at: start) }
        return .number(number)
    }

    // MARK: Strings

    private mutating func string() throws -> LuaValue {
        let start = at
        at += 1
        var text: [UInt8] = []
        while at < bytes.count {
            let byte = bytes[at]
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                if let string = String(validating: text, as: UTF8.self) { return .string(string) }
                return .bytes(text)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20: throw failure("a control character in a string must be escaped")
            default:
                text.append(byte)
                at += 1
            }
        }
        throw failure("this string does not end", at: start)
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        let start = at
        at += 1
        guard at < bytes.count else { throw unexpected("an escape") }
        let byte = bytes[at]
        at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"):
            var code = try hexDigits(start)
            if 0xd800..<0xdc00 ~= code, at + 1 < bytes.count, bytes[at] == UInt8(ascii: "\\"), bytes[at + 1] == UInt8(ascii: "u") {
                at += 2
                let low = try hexDigits(start)
                guard 0xdc00..<0xe000 ~= low else { throw failure("half of a surrogate pair", at: start) }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair", at: start) }
            text.append(contentsOf: String(scalar).utf8)
        default: throw failure("unknown escape", at: start)
        }
    }

    private mutating func hexDigits(_ start: Int) throws -> UInt32 {
        guard at + 4 <= bytes.count, bytes[at..<at + 4].allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }),
            let code = UInt32(String(decoding: bytes[at..<at + 4], as: UTF8.self), radix: 16)
        else { throw failure("\\u needs four hexadecimal digits", at: start) }
        at += 4
        return code
    }
}
