/// Reads JSON text as RFC 8259 has it. Names must not repeat within an object.
struct JSONParser {
    struct Failure: Error {
        var offset: Int
        var reason: String
    }

    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0
    private static let deepest = 200

    /// - Throws: `Failure` with the byte offset.
    static func parse(_ bytes: [UInt8]) throws -> JSON {
        var parser = JSONParser(bytes)
        let value = try parser.value()
        parser.skipSpace()
        guard parser.at == bytes.count else { throw parser.failure("expected the end, got more text") }
        return value
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    private func failure(_ reason: String) -> Failure { Failure(offset: at, reason: reason) }

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipSpace() {
        while let c = next, c == 0x20 || c == 0x0a || c == 0x0d || c == 0x09 { at += 1 }
    }

    private mutating func take(_ c: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: c) else { return false }
        at += 1
        return true
    }

    private mutating func value() throws -> JSON {
        skipSpace()
        depth += 1
        defer { depth -= 1 }
        guard depth <= JSONParser.deepest else { throw failure("nested deeper than \(JSONParser.deepest) levels") }
        switch next {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case nil: throw failure("the text ends where a value is expected")
        default: return try number()
        }
    }

    private mutating func word(_ text: String, _ value: JSON) throws -> JSON {
        guard bytes[at...].starts(with: text.utf8) else { throw failure("expected a value") }
        at += text.utf8.count
        return value
    }

    private mutating func object() throws -> JSON {
        at += 1
        var members: [JSON.Member] = []
        var names = Set<String>()
        skipSpace()
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("expected a name in quotes") }
            let start = at
            let name = try string()
            guard names.insert(name).inserted else {
                at = start
                throw failure("the name \"\(name)\" appears twice")
            }
            skipSpace()
            guard take(":") else { throw failure("expected ':' after a name") }
            members.append(JSON.Member(name, try value()))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw failure("expected ',' or '}'") }
        }
    }

    private mutating func array() throws -> JSON {
        at += 1
        var values: [JSON] = []
        skipSpace()
        if take("]") { return .array([]) }
        while true {
            values.append(try value())
            skipSpace()
            if take("]") { return .array(values) }
            guard take(",") else { throw failure("expected ',' or ']'") }
        }
    }

    private mutating func string() throws -> String {
        let start = at
        at += 1
        var text: [UInt8] = []
        while let c = next {
            at += 1
            switch c {
            case UInt8(ascii: "\""):
                guard let string = String(validating: text, as: UTF8.self) else {
                    at = start
                    throw failure("this string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20:
                at -= 1
                throw failure("a control character within a string")
            default: text.append(c)
            }
        }
        throw failure("the text ends within a string")
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        guard let c = next else { throw failure("the text ends within a string") }
        at += 1
        switch c {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(c)
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "u"):
            var code = UInt32(try unit())
            if code >= 0xd800, code < 0xdc00 {
                guard take("\\"), take("u") else { throw failure("half of a surrogate pair") }
                let low = UInt32(try unit())
                guard low >= 0xdc00, low < 0xe000 else { throw failure("half of a surrogate pair") }
                code = 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00)
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("half of a surrogate pair") }
            text += String(scalar).utf8
        default:
            at -= 1
            throw failure("an unknown escape in a string")
        }
    }

    private mutating func unit() throws -> UInt16 {
        var code: UInt16 = 0
        for _ in 0..<4 {
            guard let c = next, let digit = Character(Unicode.Scalar(c)).hexDigitValue else { throw failure("expected four hex digits") }
            code = code << 4 | UInt16(digit)
            at += 1
        }
        return code
    }

    private mutating func number() throws -> JSON {
        let start = at
        func isDigit(_ c: UInt8?) -> Bool { c.map { $0 >= 48 && $0 <= 57 } ?? false }
        _ = take("-")
        guard isDigit(next) else {
            at = start
            throw failure("expected a value")
        }
        if !take("0") { while isDigit(next) { at += 1 } }
        var isInteger = true
        if take(".") {
            isInteger = false
            guard isDigit(next) else { throw failure("expected a digit after the point") }
            while isDigit(next) { at += 1 }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isInteger = false
            at += 1
            if !take("+") { _ = take("-") }
            guard isDigit(next) else { throw failure("expected a digit in the exponent") }
            while isDigit(next) { at += 1 }
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isInteger, let int = Int(text) { return .int(int) }
        guard let double = Double(text), double.isFinite else {
            at = start
            throw failure("the number \(text) is too large")
        }
        return .double(double)
    }
}

extension JSON {
    /// - Throws: `TensorError` that says at which byte and why.
    public static func decode(_ text: String) throws -> JSON {
        do { return try JSONParser.parse(Array(text.utf8)) } catch let failure as JSONParser.Failure {
            throw TensorError("byte \(failure.offset): \(failure.reason)")
        }
    }
}
