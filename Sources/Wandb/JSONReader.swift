#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads JSON with W&B's extra tokens `NaN`, `Infinity`, `-Infinity`. Nothing that arrives can make it trap:
/// nesting is bounded, numbers beyond Int64 become doubles, broken UTF-8 is replaced.
package struct JSONReader {
    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private static let deepest = 200

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    package static func value(_ text: String) throws(WandbError) -> WandbValue { try value(Array(text.utf8)) }

    package static func value(_ bytes: [UInt8]) throws(WandbError) -> WandbValue {
        var reader = JSONReader(bytes)
        let value = try reader.readValue()
        reader.skipSpace()
        guard reader.position == bytes.count else { throw reader.failure("text after the value") }
        return value
    }

    private func failure(_ what: String) -> WandbError {
        .format("JSON: \(what) at byte \(position) of \(bytes.count)")
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) { position += 1 }
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for index in 0..<count where bytes[position + index] != word.utf8Start[index] { return false }
        position += count
        return true
    }

    private mutating func readValue() throws(WandbError) -> WandbValue {
        skipSpace()
        guard let byte = next else { throw failure("the text ends where a value should be") }
        switch byte {
        case UInt8(ascii: "{"): return try readMap()
        case UInt8(ascii: "["): return try readList()
        case UInt8(ascii: "\""): return .string(try readString())
        case UInt8(ascii: "t"): if take("true") { return .bool(true) }
        case UInt8(ascii: "f"): if take("false") { return .bool(false) }
        case UInt8(ascii: "n"): if take("null") { return .null }
        case UInt8(ascii: "N"): if take("NaN") { return .double(.nan) }
        case UInt8(ascii: "I"): if take("Infinity") { return .double(.infinity) }
        default: break
        }
        if take("-Infinity") { return .double(-.infinity) }
        return try readNumber()
    }

    private mutating func readMap() throws(WandbError) -> WandbValue {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw failure("nesting deeper than \(Self.deepest)") }
        position += 1
        var map = WandbMap()
        skipSpace()
        if next == UInt8(ascii: "}") {
            position += 1
            return .map(map)
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("expected a key") }
            let key = try readString()
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw failure("expected ':'") }
            position += 1
            map[key] = try readValue()
            skipSpace()
            guard let byte = next else { throw failure("the text ends inside an object") }
            position += 1
            if byte == UInt8(ascii: "}") { return .map(map) }
            guard byte == UInt8(ascii: ",") else { throw failure("expected ',' or '}'") }
        }
    }

    private mutating func readList() throws(WandbError) -> WandbValue {
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw failure("nesting deeper than \(Self.deepest)") }
        position += 1
        var values: [WandbValue] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            position += 1
            return .list(values)
        }
        while true {
            values.append(try readValue())
            skipSpace()
            guard let byte = next else { throw failure("the text ends inside a list") }
            position += 1
            if byte == UInt8(ascii: "]") { return .list(values) }
            guard byte == UInt8(ascii: ",") else { throw failure("expected ',' or ']'") }
        }
    }

    private mutating func readNumber() throws(WandbError) -> WandbValue {
        let start = position
        var integral = true
        while let byte = next {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"): break
            case UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"): integral = false
            default:
                return try number(from: start, integral: integral)
            }
            position += 1
        }
        return try number(from: start, integral: integral)
    }

    private func number(from start: Int, integral: Bool) throws(WandbError) -> WandbValue {
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if integral, let value = Int64(text) { return .int(value) }
        guard let value = Double(text) else { throw failure("expected a value") }
        return .double(value)
    }

    private mutating func readString() throws(WandbError) -> String {
        position += 1
        var plain = position
        while plain < bytes.count, bytes[plain] != UInt8(ascii: "\""), bytes[plain] != UInt8(ascii: "\\") { plain += 1 }
        if plain < bytes.count, bytes[plain] == UInt8(ascii: "\"") {
            defer { position = plain + 1 }
            return String(decoding: bytes[position..<plain], as: UTF8.self)
        }
        var text: [UInt8] = Array(bytes[position..<min(plain, bytes.count)])
        position = plain
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: text, as: UTF8.self)
            case UInt8(ascii: "\\"): try readEscape(into: &text)
            default: text.append(byte)
            }
        }
        throw failure("the text ends inside a string")
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(WandbError) {
        guard let byte = next else { throw failure("the text ends inside a string") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "u"):
            var code = try readHex()
            if code >= 0xD800, code < 0xDC00, take("\\u") {
                let low = try readHex()
                code = low >= 0xDC00 && low < 0xE000 ? 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00) : 0xFFFD
            }
            text.append(contentsOf: String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
        default: text.append(byte)
        }
    }

    private mutating func readHex() throws(WandbError) -> UInt32 {
        guard position + 4 <= bytes.count,
            let code = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw failure("expected four hexadecimal digits") }
        position += 4
        return code
    }
}
