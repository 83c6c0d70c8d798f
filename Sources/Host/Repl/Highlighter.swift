/// Colours of Lua source, for input lines.
struct Highlighter {
    enum Kind { case plain, keyword, string, number, comment }

    private static let keywords: Set<String> = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
        "repeat", "return", "then", "true", "until", "while",
    ]

    /// The text in pieces of one kind each; joined they are the text.
    static func pieces(_ text: String) -> [(kind: Kind, text: Substring)] {
        var out: [(Kind, Substring)] = []
        var at = text.startIndex
        func next(_ index: String.Index) -> Character? { index < text.endIndex ? text[index] : nil }
        while at < text.endIndex {
            let start = at, c = text[at]
            var kind = Kind.plain
            if c == "-", next(text.index(after: at)) == "-" {
                kind = .comment
                let body = text.index(at, offsetBy: 2)
                if let end = longEnd(text, body) { at = end } else { at = text[at...].firstIndex(of: "\n") ?? text.endIndex }
            } else if c == "\"" || c == "'" {
                kind = .string
                at = text.index(after: at)
                while at < text.endIndex, text[at] != c, text[at] != "\n" {
                    if text[at] == "\\", text.index(after: at) < text.endIndex { at = text.index(after: at) }
                    at = text.index(after: at)
                }
                if at < text.endIndex, text[at] == c { at = text.index(after: at) }
            } else if c == "[", let end = longEnd(text, at) {
                kind = .string
                at = end
            } else if c.isNumber, c.isASCII {
                kind = .number
                while let d = next(at), d.isHexDigit || d == "." || d == "x" || d == "X" || d == "p" || d == "P" { at = text.index(after: at) }
            } else if c.isLetter || c == "_" {
                while let d = next(at), d.isLetter || d.isNumber || d == "_" { at = text.index(after: at) }
                if keywords.contains(String(text[start..<at])) { kind = .keyword }
            } else {
                at = text.index(after: at)
            }
            out.append((kind, text[start..<at]))
        }
        return out
    }

    /// Where a long bracket that opens at `start` ends; nil when none opens there.
    private static func longEnd(_ text: String, _ start: String.Index) -> String.Index? {
        guard start < text.endIndex, text[start] == "[" else { return nil }
        var at = text.index(after: start), level = 0
        while at < text.endIndex, text[at] == "=" {
            level += 1
            at = text.index(after: at)
        }
        guard at < text.endIndex, text[at] == "[" else { return nil }
        let close = "]" + String(repeating: "=", count: level) + "]"
        return text[at...].range(of: close)?.upperBound ?? text.endIndex
    }

    /// The escape code before a piece; plain text has none.
    static func code(_ kind: Kind) -> String {
        switch kind {
        case .plain: ""
        case .keyword: "\u{1b}[35m"
        case .string: "\u{1b}[32m"
        case .number: "\u{1b}[36m"
        case .comment: "\u{1b}[90m"
        }
    }
}

extension Substring {
    fileprivate func range(of other: String) -> Range<String.Index>? { self.firstRange(of: other) }
}
