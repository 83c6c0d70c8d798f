/// A glob of a pipeline's input: which paths of a repo are datums, and what its brackets capture.
///
/// `*` and `?` stop at `/`, `**` does not; `[a-c]`, `[!a]`, `{a,b}`, `(x)`, `@(a|b)`, `?(x)`, `*(x)`, `+(x)`, `!(x)`, `\x`.
package struct Glob: Sendable {
    /// What is wrong with a pattern, and at which character of it (from 0).
    package struct Problem: Error {
        package let offset: Int
        package let message: String
    }

    private indirect enum Part: Sendable {
        case byte(UInt8)
        case anyByte
        case star, doubleStar
        case set([ClosedRange<UInt8>], negated: Bool)
        case group(UInt8, [[Part]], capture: Int?)
    }

    package let text: String
    private var parts: [Part] = []
    /// How many `$1`, `$2`... there are.
    package private(set) var captureCount = 0

    package init(_ text: String) throws(Problem) {
        self.text = text
        guard text.hasPrefix("/") else {
            throw Problem(offset: 0, message: "a glob starts with '/', because it is matched against whole paths: \"/\(text)\"")
        }
        var parser = Parser(bytes: Array(text.utf8))
        parts = try parser.sequence(until: [])
        captureCount = parser.captures
    }

    /// The captures of the first way in which the pattern matches a whole path; nil when it does not match.
    package func match(_ path: String) -> [String]? {
        let bytes = Array(path.utf8)
        var found: [Range<Int>?]?
        _ = Self.match(parts[...], bytes, 0, Array(repeating: nil, count: captureCount)) { end, captures in
            guard end == bytes.count else { return false }
            found = captures
            return true
        }
        return found?.map { range in range.map { String(decoding: bytes[$0], as: UTF8.self) } ?? "" }
    }

    /// A text such as `$1-$2` with the captures put in.
    package static func expand(_ template: String, _ captures: [String]) -> String {
        var result = "", rest = template[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            let digits = rest[rest.index(after: dollar)...].prefix { $0.isASCII && $0.isNumber }
            if let number = Int(digits), number >= 1, number <= captures.count { result += captures[number - 1] }
            rest = rest[digits.endIndex...]
        }
        return result + rest
    }

    /// The capture numbers that a text such as `$1-$2` uses.
    package static func references(in template: String) -> [Int] {
        template.split(separator: "$", omittingEmptySubsequences: false).dropFirst().map {
            Int($0.prefix { $0.isASCII && $0.isNumber }) ?? 0
        }
    }

    private typealias Goal = (Int, [Range<Int>?]) -> Bool

    private static func match(
        _ parts: ArraySlice<Part>, _ bytes: [UInt8], _ at: Int, _ captures: [Range<Int>?], _ goal: Goal
    ) -> Bool {
        guard let part = parts.first else { return goal(at, captures) }
        let rest = parts.dropFirst()
        let slash = UInt8(ascii: "/")
        switch part {
        case .byte(let byte):
            return at < bytes.count && bytes[at] == byte && match(rest, bytes, at + 1, captures, goal)
        case .anyByte:
            return at < bytes.count && bytes[at] != slash && match(rest, bytes, at + 1, captures, goal)
        case .set(let ranges, let negated):
            guard at < bytes.count, bytes[at] != slash, ranges.contains(where: { $0.contains(bytes[at]) }) != negated else { return false }
            return match(rest, bytes, at + 1, captures, goal)
        case .star, .doubleStar:
            var crossesFolders = false
            if case .doubleStar = part { crossesFolders = true }
            var end = at
            while true {
                if match(rest, bytes, end, captures, goal) { return true }
                guard end < bytes.count, crossesFolders || bytes[end] != slash else { return false }
                end += 1
            }
        case .group(let kind, let alternatives, let capture):
            func finish(_ end: Int, _ captures: [Range<Int>?]) -> Bool {
                var captures = captures
                if let capture { captures[capture] = at..<end }
                return match(rest, bytes, end, captures, goal)
            }
            return group(kind, alternatives, bytes, at, captures, finish)
        }
    }

    private static func group(
        _ kind: UInt8, _ alternatives: [[Part]], _ bytes: [UInt8], _ at: Int, _ captures: [Range<Int>?], _ goal: Goal
    ) -> Bool {
        func once(_ start: Int, _ goal: Goal) -> Bool {
            alternatives.contains { match($0[...], bytes, start, captures, goal) }
        }
        /// One more round of `*(x)` or `+(x)`; a round that takes nothing ends it.
        func more(_ start: Int) -> Bool {
            goal(start, captures) || once(start) { end, _ in end > start && more(end) }
        }
        switch kind {
        case UInt8(ascii: "?"): return goal(at, captures) || once(at, goal)
        case UInt8(ascii: "*"): return more(at)
        case UInt8(ascii: "+"): return once(at) { end, _ in more(end) }
        case UInt8(ascii: "!"):
            var end = at
            while true {
                if !once(at, { stop, _ in stop == end }), goal(end, captures) { return true }
                guard end < bytes.count, bytes[end] != UInt8(ascii: "/") else { return false }
                end += 1
            }
        default: return once(at, goal)
        }
    }

    private struct Parser {
        let bytes: [UInt8]
        var index = 0
        var captures = 0
        var depth = 0

        mutating func sequence(until ends: [UInt8]) throws(Problem) -> [Part] {
            var parts: [Part] = []
            while index < bytes.count, !ends.contains(bytes[index]) {
                let byte = bytes[index]
                let next = index + 1 < bytes.count ? bytes[index + 1] : 0
                if next == UInt8(ascii: "("), "?*+@!".utf8.contains(byte) {
                    index += 1
                    parts.append(try brackets(kind: byte))
                    continue
                }
                switch byte {
                case UInt8(ascii: "("): parts.append(try brackets(kind: UInt8(ascii: "@")))
                case UInt8(ascii: "{"): parts.append(try braces())
                case UInt8(ascii: "["): parts.append(try set())
                case UInt8(ascii: ")"), UInt8(ascii: "}"), UInt8(ascii: "]"):
                    throw Problem(offset: index, message: "'\(Character(Unicode.Scalar(byte)))' closes nothing")
                case UInt8(ascii: "\\"):
                    guard index + 1 < bytes.count else { throw Problem(offset: index, message: "'\\' at the end") }
                    parts.append(.byte(next))
                    index += 2
                case UInt8(ascii: "*"):
                    index += next == byte ? 2 : 1
                    parts.append(next == byte ? .doubleStar : .star)
                case UInt8(ascii: "?"):
                    index += 1
                    parts.append(.anyByte)
                default:
                    index += 1
                    parts.append(.byte(byte))
                }
            }
            return parts
        }

        private mutating func brackets(kind: UInt8) throws(Problem) -> Part {
            let number = captures
            captures += 1
            return .group(kind, try alternatives(UInt8(ascii: "|"), UInt8(ascii: ")")), capture: number)
        }

        private mutating func braces() throws(Problem) -> Part {
            .group(UInt8(ascii: "@"), try alternatives(UInt8(ascii: ","), UInt8(ascii: "}")), capture: nil)
        }

        private mutating func alternatives(_ separator: UInt8, _ end: UInt8) throws(Problem) -> [[Part]] {
            let start = index
            depth += 1
            defer { depth -= 1 }
            guard depth <= 20 else { throw Problem(offset: start, message: "brackets nested deeper than 20 levels") }
            var found: [[Part]] = []
            repeat {
                index += 1
                found.append(try sequence(until: [separator, end]))
            } while index < bytes.count && bytes[index] == separator
            guard index < bytes.count else {
                throw Problem(offset: start, message: "'\(Character(Unicode.Scalar(bytes[start])))' is never closed")
            }
            index += 1
            return found
        }

        private mutating func set() throws(Problem) -> Part {
            let start = index
            index += 1
            let negated = index < bytes.count && (bytes[index] == UInt8(ascii: "!") || bytes[index] == UInt8(ascii: "^"))
            if negated { index += 1 }
            var ranges: [ClosedRange<UInt8>] = []
            while index < bytes.count, bytes[index] != UInt8(ascii: "]") {
                let low = bytes[index]
                index += 1
                guard index + 1 < bytes.count, bytes[index] == UInt8(ascii: "-"), bytes[index + 1] != UInt8(ascii: "]") else {
                    ranges.append(low...low)
                    continue
                }
                let high = bytes[index + 1]
                guard low <= high else { throw Problem(offset: index, message: "a range that runs backwards") }
                ranges.append(low...high)
                index += 2
            }
            guard index < bytes.count else { throw Problem(offset: start, message: "'[' is never closed") }
            guard !ranges.isEmpty else { throw Problem(offset: start, message: "'[]' matches nothing") }
            index += 1
            return .set(ranges, negated: negated)
        }
    }
}
