import LuaBridge

/// The words of a TOML document.
struct TOMLScanner {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    let bytes: [UInt8]
    var at = 0

    init(_ bytes: [UInt8]) throws {
        self.bytes = bytes
        guard String(validating: bytes, as: UTF8.self) != nil else { throw Failure(description: "the text is not UTF-8") }
        if bytes.starts(with: [0xef, 0xbb, 0xbf]) { at = 3 }
    }

    func failure(_ reason: String) -> Failure {
        let before = bytes[..<min(at, bytes.count)]
        let line = before.count { $0 == 0x0a } + 1
        let column = at - (before.lastIndex(of: 0x0a) ?? -1)
        return Failure(description: "line \(line), column \(column): \(reason)")
    }

    var isAtEnd: Bool { at >= bytes.count }
    var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    func starts(with text: StaticString) -> Bool {
        let n = text.utf8CodeUnitCount
        guard at + n <= bytes.count else { return false }
        for i in 0..<n where bytes[at + i] != text.utf8Start[i] { return false }
        return true
    }

    mutating func take(_ text: StaticString) -> Bool {
        guard starts(with: text) else { return false }
        at += text.utf8CodeUnitCount
        return true
    }

    mutating func skipSpace() { while let c = next, c == 0x20 || c == 0x09 { at += 1 } }

    /// Skips spaces, comments and line ends.
    mutating func skipBlankLines() throws {
        while true {
            skipSpace()
            try skipComment()
            guard take("\n") || take("\r\n") else { return }
        }
    }

    /// The end of the line or of the text, perhaps after a comment.
    mutating func endOfLine() throws {
        try skipComment()
        guard isAtEnd || take("\n") || take("\r\n") else { throw failure("expected the end of the line") }
    }

    private mutating func skipComment() throws {
        guard next == UInt8(ascii: "#") else { return }
        while let c = next, c != 0x0a {
            if c == 0x0d, at + 1 < bytes.count, bytes[at + 1] == 0x0a { return }
            guard c == 0x09 || c >= 0x20 && c != 0x7f else { throw failure("a control character in a comment") }
            at += 1
        }
    }

    /// `a."b c".d`, and the space after it.
    mutating func keys() throws -> [String] {
        var keys: [String] = []
        while true {
            skipSpace()
            if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") {
                guard !starts(with: "\"\"\""), !starts(with: "'''") else { throw failure("a name cannot have several lines") }
                keys.append(try string())
            } else {
                let start = at
                while let c = next, TOMLScanner.isBare(c) { at += 1 }
                guard at > start else { throw failure("expected a name") }
                keys.append(String(decoding: bytes[start..<at], as: UTF8.self))
            }
            skipSpace()
            guard take(".") else { return keys }
        }
    }

    private static func isBare(_ c: UInt8) -> Bool {
        c >= 48 && c <= 57 || c >= 65 && c <= 90 || c >= 97 && c <= 122 || c == UInt8(ascii: "_") || c == UInt8(ascii: "-")
    }

    /// Any value but arrays and tables.
    mutating func scalar() throws -> LuaValue {
        if next == UInt8(ascii: "\"") || next == UInt8(ascii: "'") { return .string(try string()) }
        let start = at
        while let c = next, TOMLScanner.isBare(c) || c == UInt8(ascii: "+") || c == UInt8(ascii: ".") || c == UInt8(ascii: ":") { at += 1 }
        var word = String(decoding: bytes[start..<at], as: UTF8.self)
        // A date may be followed by a space and a time.
        if word.utf8.count == 10, TOMLTime.isDate(word), next == 0x20, at + 1 < bytes.count, bytes[at + 1] >= 48, bytes[at + 1] <= 57 {
            at += 1
            let timeStart = at
            while let c = next, TOMLScanner.isBare(c) || c == UInt8(ascii: "+") || c == UInt8(ascii: ".") || c == UInt8(ascii: ":") { at += 1 }
            word += " " + String(decoding: bytes[timeStart..<at], as: UTF8.self)
        }
        guard let value = TOMLNumber.value(word) ?? (TOMLTime.isValid(word) ? .string(word) : nil) else {
            at = start
            throw failure(word.isEmpty ? "expected a value" : "'\(word)' is no value")
        }
        return value
    }

    // MARK: Strings

    mutating func string() throws -> String {
        if take("\"\"\"") { return try longString("\"", escapes: true) }
        if take("'''") { return try longString("'", escapes: false) }
        let quote = bytes[at]
        at += 1
        var text: [UInt8] = []
        while let c = next {
            at += 1
            if c == quote { return String(decoding: text, as: UTF8.self) }
            if c == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") {
                try escape(into: &text)
            } else {
                guard c == 0x09 || c >= 0x20 && c != 0x7f else {
                    at -= 1
                    throw failure("a line end or control character within a string")
                }
                text.append(c)
            }
        }
        throw failure("a string without end")
    }

    private mutating func longString(_ quote: Unicode.Scalar, escapes: Bool) throws -> String {
        let mark = UInt8(ascii: quote)
        var text: [UInt8] = []
        if !take("\n") { _ = take("\r\n") }
        while let c = next {
            if c == mark {
                let run = bytes[at...].prefix { $0 == mark }.count
                if run >= 3 {
                    // Up to two quotes may stand right before the closing three.
                    guard run <= 5 else { throw failure("too many quotes") }
                    text += [UInt8](repeating: mark, count: run - 3)
                    at += run
                    return String(decoding: text, as: UTF8.self)
                }
                text += [UInt8](repeating: mark, count: run)
                at += run
                continue
            }
            at += 1
            if c == UInt8(ascii: "\\"), escapes {
                if try skipLineEnd() { continue }
                try escape(into: &text)
            } else if c == 0x0d, next == 0x0a {
                text.append(c)
            } else {
                guard c == 0x09 || c == 0x0a || c >= 0x20 && c != 0x7f else {
                    at -= 1
                    throw failure("a control character within a string")
                }
                text.append(c)
            }
        }
        throw failure("a string without end")
    }

    /// A backslash before a line end swallows it and all white space that follows.
    private mutating func skipLineEnd() throws -> Bool {
        let start = at
        skipSpace()
        guard starts(with: "\n") || starts(with: "\r\n") else {
            at = start
            return false
        }
        while let c = next, c == 0x20 || c == 0x09 || c == 0x0a || c == 0x0d {
            if c == 0x0d, !starts(with: "\r\n") { throw failure("a control character within a string") }
            at += 1
        }
        return true
    }

    private mutating func escape(into text: inout [UInt8]) throws {
        guard let c = next else { throw failure("a string without end") }
        at += 1
        switch c {
        case UInt8(ascii: "b"): text.append(8)
        case UInt8(ascii: "t"): text.append(9)
        case UInt8(ascii: "n"): text.append(10)
        case UInt8(ascii: "f"): text.append(12)
        case UInt8(ascii: "r"): text.append(13)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): text.append(c)
        case UInt8(ascii: "u"), UInt8(ascii: "U"):
            let digits = c == UInt8(ascii: "u") ? 4 : 8
            var code: UInt32 = 0
            for _ in 0..<digits {
                guard let d = next, let value = Character(Unicode.Scalar(d)).hexDigitValue else { throw failure("expected \(digits) hex digits") }
                code = code << 4 | UInt32(value)
                at += 1
            }
            guard let scalar = Unicode.Scalar(code) else { throw failure("no such character") }
            text += String(scalar).utf8
        default:
            at -= 1
            throw failure("an unknown escape")
        }
    }
}

/// Booleans and numbers.
enum TOMLNumber {
    static func value(_ word: String) -> LuaValue? {
        switch word {
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "inf", "+inf": return .number(.infinity)
        case "-inf": return .number(-.infinity)
        case "nan", "+nan", "-nan": return .number(.nan)
        default: break
        }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where word.hasPrefix(prefix) {
            return digits(word.dropFirst(2), radix).flatMap { Int($0, radix: radix) }.map { .int($0) }
        }
        var rest = Substring(word)
        let sign = rest.first == "-" ? "-" : ""
        if rest.first == "-" || rest.first == "+" { rest = rest.dropFirst() }
        let isInteger = rest.allSatisfy { $0.isASCII && $0.isNumber || $0 == "_" }
        let whole = rest.prefix { $0 != "." && $0 != "e" && $0 != "E" }
        guard let wholeDigits = digits(whole, 10), wholeDigits.count == 1 || wholeDigits.first != "0" else { return nil }
        if isInteger { return Int(sign + wholeDigits).map { .int($0) } }
        rest = rest.dropFirst(whole.count)
        var text = sign + wholeDigits
        if rest.first == "." {
            let fraction = rest.dropFirst().prefix { $0 != "e" && $0 != "E" }
            guard let fractionDigits = digits(fraction, 10) else { return nil }
            text += "." + fractionDigits
            rest = rest.dropFirst(fraction.count + 1)
        }
        if rest.first == "e" || rest.first == "E" {
            rest = rest.dropFirst()
            text += "e"
            if rest.first == "-" || rest.first == "+" {
                text.append(rest.first == "-" ? "-" : "+")
                rest = rest.dropFirst()
            }
            guard let exponent = digits(rest, 10) else { return nil }
            text += exponent
            rest = ""
        }
        guard rest.isEmpty else { return nil }
        return Double(text).map { .number($0) }
    }

    /// Digits without their underscores, which must stand between digits.
    private static func digits(_ text: Substring, _ radix: Int) -> String? {
        guard let first = text.first, let last = text.last, first != "_", last != "_", !text.contains("__") else { return nil }
        let plain = text.filter { $0 != "_" }
        return plain.allSatisfy { $0.isASCII && ($0.hexDigitValue ?? 99) < radix } ? plain : nil
    }
}

/// Dates and times (RFC 3339, and its parts).
enum TOMLTime {
    static func isDate(_ text: String) -> Bool {
        let b = Array(text.utf8)
        guard b.count == 10, b[4] == UInt8(ascii: "-"), b[7] == UInt8(ascii: "-"), let year = number(b[0..<4]), let month = number(b[5..<7]),
            let day = number(b[8..<10]), (1...12).contains(month)
        else { return false }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        return (1...length).contains(day)
    }

    static func isValid(_ text: String) -> Bool {
        if isDate(text) { return true }
        let b = Array(text.utf8)
        if b.count > 11, isDate(String(decoding: b[0..<10], as: UTF8.self)), [UInt8(ascii: "T"), UInt8(ascii: "t"), 0x20].contains(b[10]) {
            var time = b[11...]
            if let last = time.last, last == UInt8(ascii: "Z") || last == UInt8(ascii: "z") {
                time = time.dropLast()
            } else if time.count > 6, [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(time[time.endIndex - 6]) {
                let zone = time.suffix(5)
                guard isClock(zone, seconds: false) else { return false }
                time = time.dropLast(6)
            }
            return isClock(time, seconds: true)
        }
        return isClock(b[...], seconds: true)
    }

    private static func isClock(_ text: ArraySlice<UInt8>, seconds: Bool) -> Bool {
        let b = Array(text)
        guard b.count >= (seconds ? 8 : 5), b[2] == UInt8(ascii: ":"), let hour = number(b[0..<2]), let minute = number(b[3..<5]), hour < 24,
            minute < 60
        else { return false }
        guard seconds else { return b.count == 5 }
        guard b[5] == UInt8(ascii: ":"), let second = number(b[6..<8]), second <= 60 else { return false }
        return b.count == 8 || b.count > 9 && b[8] == UInt8(ascii: ".") && number(b[9...].prefix(18)) != nil && b[9...].allSatisfy { $0 >= 48 && $0 <= 57 }
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard !digits.isEmpty, digits.allSatisfy({ $0 >= 48 && $0 <= 57 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 48) }
    }
}
