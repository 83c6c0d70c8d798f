/// Reads one JSON document (RFC 8259). Nothing that arrives can make it trap or recurse without bound.
///
/// The program's readers of JSON differ in what they let pass, and say so in `Rules`: model files are taken
/// strictly, a script may have bytes in its strings, W&B's servers write NaN.
public struct JSONParser {
    public struct Rules: Sendable {
        /// Arrays and objects within each other; deeper is refused.
        public var deepest: Int
        /// Takes the tokens `NaN`, `Infinity` and `-Infinity`, as Python's `json` does.
        public var takesSpecialNumbers: Bool
        /// Refuses numbers that are too large for a double, which become infinity otherwise.
        public var refusesInfinity: Bool
        /// Refuses an object in which a name appears twice.
        public var refusesRepeatedNames: Bool
        public var strings: Strings

        public init(
            deepest: Int = 128, takesSpecialNumbers: Bool = false, refusesInfinity: Bool = false,
            refusesRepeatedNames: Bool = false, strings: Strings
        ) {
            self.deepest = deepest
            self.takesSpecialNumbers = takesSpecialNumbers
            self.refusesInfinity = refusesInfinity
            self.refusesRepeatedNames = refusesRepeatedNames
            self.strings = strings
        }
    }

    /// What becomes of strings that are no Unicode.
    public enum Strings: Sendable {
        /// An error.
        case strict
        /// They become `JSON.bytes`; half a surrogate pair, which has no bytes, is an error.
        case keepBytes
        /// What is wrong becomes U+FFFD, and control characters need no escape.
        case repair
    }

    /// Where a text is no JSON, and why.
    public struct Failure: Error {
        /// Bytes before the place.
        public var offset: Int
        public var reason: String
    }

    private let bytes: UnsafeRawBufferPointer
    private let rules: Rules
    private var at = 0

    /// - Throws: `Failure`.
    public static func parse(_ bytes: UnsafeRawBufferPointer, _ rules: Rules) throws(Failure) -> JSON {
        var parser = JSONParser(bytes: bytes, rules: rules)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.at == bytes.count else { throw parser.unexpected("the end") }
        return value
    }

    /// - Throws: `Failure`.
    public static func parse(_ bytes: [UInt8], _ rules: Rules) throws(Failure) -> JSON {
        let outcome: Result<JSON, Failure> = bytes.withUnsafeBytes { bytes in
            Result { () throws(Failure) in try parse(bytes, rules) }
        }
        return try outcome.get()
    }

    private init(bytes: UnsafeRawBufferPointer, rules: Rules) {
        self.bytes = bytes
        self.rules = rules
    }

    // MARK: Errors

    private func failure(_ reason: String, at place: Int? = nil) -> Failure { Failure(offset: place ?? at, reason: reason) }

    private func unexpected(_ wanted: String) -> Failure {
        guard let byte = next else { return failure("expected \(wanted), got the end of the text") }
        return failure("expected \(wanted), got " + (0x21..<0x7f ~= byte ? "'\(Unicode.Scalar(byte))'" : "byte \(byte)"))
    }

    // MARK: Characters

    private var next: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard next == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    private mutating func take(word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard at + count <= bytes.count else { return false }
        for index in 0..<count where bytes[at + index] != word.utf8Start[index] { return false }
        at += count
        return true
    }

    // MARK: Values

    private mutating func value(depth: Int) throws(Failure) -> JSON {
        skipSpace()
        switch next {
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            guard depth < rules.deepest else { throw failure("nested deeper than \(rules.deepest) levels") }
            return next == UInt8(ascii: "{") ? try object(depth) : try array(depth)
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "-"), .some(UInt8(ascii: "0")...UInt8(ascii: "9")):
            if rules.takesSpecialNumbers, take(word: "-Infinity") { return .double(-.infinity) }
            return try number()
        default:
            if take(word: "true") { return .bool(true) }
            if take(word: "false") { return .bool(false) }
            if take(word: "null") { return .null }
            if rules.takesSpecialNumbers {
                if take(word: "NaN") { return .double(.nan) }
                if take(word: "Infinity") { return .double(.infinity) }
            }
            throw unexpected("a value")
        }
    }

    private mutating func object(_ depth: Int) throws(Failure) -> JSON {
        at += 1
        var members: [JSON.Member] = []
        var names = Set<String>()
        skipSpace()
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw unexpected("a key in quotes") }
            let start = at
            let name: String
            switch try string() {
            case .string(let text): name = text
            case .bytes(let text): name = String(decoding: text, as: UTF8.self)
            default: throw failure("this is no key", at: start)
            }
            if rules.refusesRepeatedNames, !names.insert(name).inserted {
                throw failure("the name \"\(name)\" appears twice", at: start)
            }
            skipSpace()
            guard take(":") else { throw unexpected("':'") }
            members.append(JSON.Member(name, try value(depth: depth + 1)))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw unexpected("',' or '}'") }
        }
    }

    private mutating func array(_ depth: Int) throws(Failure) -> JSON {
        at += 1
        var values: [JSON] = []
        skipSpace()
        if take("]") { return .array([]) }
        while true {
            values.append(try value(depth: depth + 1))
            skipSpace()
            if take("]") { return .array(values) }
            guard take(",") else { throw unexpected("',' or ']'") }
        }
    }

    private mutating func digits() throws(Failure) {
        guard let first = next, 0x30...0x39 ~= first else { throw unexpected("a digit") }
        while let byte = next, 0x30...0x39 ~= byte { at += 1 }
    }

    private mutating func number() throws(Failure) -> JSON {
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
        guard let number = Double(text), number.isFinite || !rules.refusesInfinity else {
            throw failure("the number \(text) is too large", at: start)
        }
        return .double(number)
    }

    // MARK: Strings

    /// - Returns: `string`, or `bytes`.
    private mutating func string() throws(Failure) -> JSON {
        let start = at
        at += 1
        var text: [UInt8] = []
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                return try string(text, from: start)
            case UInt8(ascii: "\\"): try escape(into: &text)
            case 0..<0x20 where rules.strings != .repair: throw failure("a control character in a string must be escaped")
            default:
                text.append(byte)
                at += 1
            }
        }
        throw failure("this string does not end", at: start)
    }

    private func string(_ text: [UInt8], from start: Int) throws(Failure) -> JSON {
        if let string = String(validating: text, as: UTF8.self) { return .string(string) }
        switch rules.strings {
        case .strict: throw failure("this string is not UTF-8", at: start)
        case .keepBytes: return .bytes(text)
        case .repair: return .string(String(decoding: text, as: UTF8.self))
        }
    }

    private mutating func escape(into text: inout [UInt8]) throws(Failure) {
        let start = at
        at += 1
        guard let byte = next else { throw unexpected("an escape") }
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
            if 0xd800..<0xdc00 ~= code, take(word: "\\u") {
                let low = try hexDigits(start)
                code = 0xdc00..<0xe000 ~= low ? 0x10000 + (code - 0xd800) << 10 + (low - 0xdc00) : 0xd800
            }
            if let scalar = Unicode.Scalar(code) {
                text.append(contentsOf: String(scalar).utf8)
            } else if rules.strings == .repair {
                text.append(contentsOf: "\u{FFFD}".utf8)
            } else {
                throw failure("half of a surrogate pair", at: start)
            }
        default: throw failure("unknown escape", at: start)
        }
    }

    private mutating func hexDigits(_ start: Int) throws(Failure) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw failure("\\u needs four hexadecimal digits", at: start)
            }
            code = code << 4 | UInt32(digit)
            at += 1
        }
        return code
    }
}
