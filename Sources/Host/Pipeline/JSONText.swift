/// A place in a text, counted from 1; columns are characters.
package struct TextPosition: Equatable, Comparable, Sendable {
    package var line: Int
    package var column: Int

    package static func < (a: Self, b: Self) -> Bool { (a.line, a.column) < (b.line, b.column) }
}

/// A JSON value that knows where it stands.
package struct JSONNode: Sendable {
    package indirect enum Value: Sendable {
        case null
        case bool(Bool)
        /// A number as it is written.
        case number(String)
        case string(String)
        case list([JSONNode])
        case object([Member])
    }
    package struct Member: Sendable {
        package let key: String
        package let position: TextPosition
        package let value: JSONNode
    }

    package let value: Value
    package let position: TextPosition

    package var string: String? { if case .string(let text) = value { text } else { nil } }
    package var list: [JSONNode]? { if case .list(let nodes) = value { nodes } else { nil } }
    package var members: [Member]? { if case .object(let members) = value { members } else { nil } }
    package var isNull: Bool { if case .null = value { true } else { false } }

    /// The value in words, for messages.
    package var kind: String {
        switch value {
        case .null: "null"
        case .bool(let flag): "\(flag)"
        case .number(let text): "the number \(text)"
        case .string(let text): "the string \"\(text.count > 40 ? text.prefix(40) + "..." : text)\""
        case .list: "a list"
        case .object: "an object"
        }
    }

    /// A member of an object by its name; specs spell fields in snake_case or camelCase.
    package subscript(name: String) -> JSONNode? {
        guard let members else { return nil }
        let camel = name.camelCase
        return members.first { ($0.key == name || $0.key == camel) && !$0.value.isNull }?.value
    }
}

/// What is wrong with a text, and where.
package struct JSONProblem: Error, Equatable {
    package let position: TextPosition
    package let message: String
}

/// Strict JSON (RFC 8259): no comments, no trailing commas, no duplicate keys; nesting is bounded.
package struct JSONText {
    private let scalars: [Unicode.Scalar]
    private var index = 0
    private var here = TextPosition(line: 1, column: 1)
    private var depth = 0
    private static let deepest = 100

    private init(_ text: String) { scalars = Array(text.unicodeScalars) }

    package static func parse(_ text: String) throws(JSONProblem) -> JSONNode {
        var reader = JSONText(text)
        reader.skipSpace()
        let node = try reader.node()
        reader.skipSpace()
        guard reader.index == reader.scalars.count else { throw reader.problem("text after the end of the value") }
        return node
    }

    private var next: Unicode.Scalar? { index < scalars.count ? scalars[index] : nil }

    private func problem(_ message: String) -> JSONProblem { JSONProblem(position: here, message: message) }

    private mutating func advance() {
        if scalars[index] == "\n" {
            here = TextPosition(line: here.line + 1, column: 1)
        } else {
            here.column += 1
        }
        index += 1
    }

    private mutating func skipSpace() {
        while let scalar = next, scalar == " " || scalar == "\n" || scalar == "\t" || scalar == "\r" { advance() }
    }

    private mutating func take(_ word: String) -> Bool {
        let wanted = Array(word.unicodeScalars)
        guard index + wanted.count <= scalars.count, Array(scalars[index..<index + wanted.count]) == wanted else { return false }
        for _ in wanted { advance() }
        return true
    }

    private mutating func node() throws(JSONProblem) -> JSONNode {
        let start = here
        guard let scalar = next else { throw problem("the text ends where a value is expected") }
        depth += 1
        defer { depth -= 1 }
        guard depth <= Self.deepest else { throw problem("nested deeper than \(Self.deepest) levels") }
        let value: JSONNode.Value
        switch scalar {
        case "{": value = try object()
        case "[": value = try list()
        case "\"": value = .string(try text())
        case "t" where take("true"): value = .bool(true)
        case "f" where take("false"): value = .bool(false)
        case "n" where take("null"): value = .null
        case "-", "0"..."9": value = .number(try number())
        case "/", "#": throw problem("JSON has no comments")
        default: throw problem("expected a value, got '\(scalar)'")
        }
        return JSONNode(value: value, position: start)
    }

    private mutating func object() throws(JSONProblem) -> JSONNode.Value {
        advance()
        var members: [JSONNode.Member] = []
        skipSpace()
        if take("}") { return .object([]) }
        while true {
            skipSpace()
            let position = here
            guard next == "\"" else {
                throw problem(next == "}" ? "a comma before '}'" : "expected a key in quotes")
            }
            let key = try text()
            if members.contains(where: { $0.key == key }) {
                throw JSONProblem(position: position, message: "the key \"\(key)\" stands twice in this object")
            }
            skipSpace()
            guard take(":") else { throw problem("expected ':' after the key \"\(key)\"") }
            skipSpace()
            members.append(JSONNode.Member(key: key, position: position, value: try node()))
            skipSpace()
            if take("}") { return .object(members) }
            guard take(",") else { throw problem("expected ',' or '}'") }
        }
    }

    private mutating func list() throws(JSONProblem) -> JSONNode.Value {
        advance()
        var nodes: [JSONNode] = []
        skipSpace()
        if take("]") { return .list([]) }
        while true {
            skipSpace()
            if next == "]" { throw problem("a comma before ']'") }
            nodes.append(try node())
            skipSpace()
            if take("]") { return .list(nodes) }
            guard take(",") else { throw problem("expected ',' or ']'") }
        }
    }

    private mutating func number() throws(JSONProblem) -> String {
        let start = here
        var text = ""
        while let scalar = next, "+-.eE0123456789".unicodeScalars.contains(scalar) {
            text.unicodeScalars.append(scalar)
            advance()
        }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        guard Double(text) != nil, digits.first?.isNumber == true, digits == "0" || !digits.hasPrefix("0")
            || digits.dropFirst().first?.isNumber != true, !digits.hasSuffix(".")
        else { throw JSONProblem(position: start, message: "'\(text)' is no JSON number") }
        return text
    }

    private mutating func text() throws(JSONProblem) -> String {
        let start = here
        advance()
        var text = String.UnicodeScalarView()
        while let scalar = next {
            if scalar == "\n" { break }
            if scalar.value < 0x20 { throw problem("a control character inside a string; write it as \\u00XX") }
            advance()
            if scalar == "\"" { return String(text) }
            text.append(scalar == "\\" ? try escape() : scalar)
        }
        throw JSONProblem(position: start, message: "this string has no closing quote on its line")
    }

    private mutating func escape() throws(JSONProblem) -> Unicode.Scalar {
        guard let scalar = next else { throw problem("the text ends inside a string") }
        let simple: [Unicode.Scalar: Unicode.Scalar] = [
            "n": "\n", "t": "\t", "r": "\r", "b": "\u{8}", "f": "\u{C}", "/": "/", "\\": "\\", "\"": "\"",
        ]
        if let meaning = simple[scalar] {
            advance()
            return meaning
        }
        guard scalar == "u" else { throw problem("unknown escape '\\\(scalar)' in a string") }
        advance()
        let high = try hexDigits()
        if high >= 0xD800, high < 0xDC00, take("\\u") {
            let low = try hexDigits()
            if low >= 0xDC00, low < 0xE000, let pair = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00)) {
                return pair
            }
        }
        guard let single = Unicode.Scalar(high) else { throw problem("half of a surrogate pair in a string") }
        return single
    }

    private mutating func hexDigits() throws(JSONProblem) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let scalar = next, let digit = Character(scalar).hexDigitValue else {
                throw problem("expected four hexadecimal digits after \\u")
            }
            value = value * 16 + UInt32(digit)
            advance()
        }
        return value
    }
}

extension String {
    /// `env_var` as `envVar`.
    var camelCase: String {
        let parts = split(separator: "_", omittingEmptySubsequences: false)
        return parts.enumerated().map { $0.offset == 0 ? String($0.element) : $0.element.prefix(1).uppercased() + $0.element.dropFirst() }
            .joined()
    }
}
