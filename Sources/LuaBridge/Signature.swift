/// The first line of a docstring, e.g. `clamp(input: tensor, min: number|tensor = nil, *, out: tensor = nil) -> tensor`.
public struct Signature: Sendable {
    public struct Parameter: Sendable {
        public let name: String
        /// The alternatives as written: `["number", "tensor"]`; choices keep their quotes.
        public let kinds: [String]
        /// The default as written, nil when the argument must be given.
        public let defaultText: String?
        public let keywordOnly: Bool
        /// `...`: takes every argument that is left.
        public let rest: Bool
    }
    public let name: String
    public let parameters: [Parameter]
    /// What is written after `->`; empty when the function returns nothing.
    public let returns: String

    /// The last part of the name: `linear` of `nn.functional.linear`.
    public var shortName: String {
        name.split(whereSeparator: { $0 == "." || $0 == ":" }).last.map(String.init) ?? name
    }

    public init(parsing line: String) throws {
        var scanner = SignatureScanner(line)
        name = scanner.name()
        guard !name.isEmpty, scanner.take("(") else { throw scanner.failure("expected NAME(") }
        var parameters: [Parameter] = []
        var keywordOnly = false
        while !scanner.take(")") {
            if !parameters.isEmpty || keywordOnly, !scanner.take(",") { throw scanner.failure("expected , or )") }
            if scanner.take("*") {
                keywordOnly = true
                continue
            }
            if scanner.take("...") {
                let kinds = scanner.take(":") ? try scanner.kinds() : ["any"]
                parameters.append(
                    Parameter(name: "...", kinds: kinds, defaultText: "nil", keywordOnly: false, rest: true))
                continue
            }
            let name = scanner.name()
            guard !name.isEmpty else { throw scanner.failure("expected a parameter") }
            let kinds = scanner.take(":") ? try scanner.kinds() : ["any"]
            let text = scanner.take("=") ? try scanner.literal() : nil
            parameters.append(
                Parameter(name: name, kinds: kinds, defaultText: text, keywordOnly: keywordOnly, rest: false))
        }
        self.parameters = parameters
        returns = scanner.take("->") ? scanner.remainder() : ""
        if returns.isEmpty, !scanner.isAtEnd { throw scanner.failure("unexpected text after )") }
    }
}

private struct SignatureScanner {
    private let text: [UInt8]
    private var at = 0

    init(_ line: String) { text = Array(line.utf8) }

    var isAtEnd: Bool { at >= text.count }

    func failure(_ what: String) -> LuaError {
        LuaError("signature '\(String(decoding: text, as: UTF8.self))': \(what) at column \(at + 1)")
    }

    private mutating func skipSpace() {
        while at < text.count, text[at] == UInt8(ascii: " ") { at += 1 }
    }

    mutating func take(_ token: String) -> Bool {
        skipSpace()
        let bytes = Array(token.utf8)
        guard at + bytes.count <= text.count, Array(text[at..<at + bytes.count]) == bytes else { return false }
        at += bytes.count
        return true
    }

    /// Letters, digits, `_`, and the dots and colons of a qualified name that a letter follows.
    mutating func name() -> String {
        skipSpace()
        let start = at
        func isWord(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
            default: false
            }
        }
        while at < text.count {
            if isWord(text[at]) { at += 1; continue }
            let joins = text[at] == UInt8(ascii: ".") || text[at] == UInt8(ascii: ":")
            guard joins, at > start, at + 1 < text.count, isWord(text[at + 1]) else { break }
            at += 1
        }
        return String(decoding: text[start..<at], as: UTF8.self)
    }

    mutating func kinds() throws -> [String] {
        var kinds: [String] = []
        repeat {
            skipSpace()
            if at < text.count, text[at] == UInt8(ascii: "\"") {
                kinds.append(try literal())
            } else {
                let kind = name()
                guard !kind.isEmpty else { throw failure("expected a kind") }
                kinds.append(kind)
            }
        } while take("|")
        return kinds
    }

    /// A default: a quoted string, or text up to the next `,` or `)` outside of braces.
    mutating func literal() throws -> String {
        skipSpace()
        let start = at
        if at < text.count, text[at] == UInt8(ascii: "\"") {
            at += 1
            while at < text.count, text[at] != UInt8(ascii: "\"") { at += 1 }
            guard at < text.count else { throw failure("unfinished string") }
            at += 1
        } else {
            var depth = 0
            while at < text.count {
                let byte = text[at]
                if depth == 0, byte == UInt8(ascii: ",") || byte == UInt8(ascii: ")") { break }
                if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "(") { depth += 1 }
                if byte == UInt8(ascii: "}") || byte == UInt8(ascii: ")") { depth -= 1 }
                at += 1
            }
        }
        var end = at
        while end > start, text[end - 1] == UInt8(ascii: " ") { end -= 1 }
        guard end > start else { throw failure("expected a default") }
        return String(decoding: text[start..<end], as: UTF8.self)
    }

    mutating func remainder() -> String {
        skipSpace()
        defer { at = text.count }
        return String(decoding: text[at...], as: UTF8.self)
    }
}
