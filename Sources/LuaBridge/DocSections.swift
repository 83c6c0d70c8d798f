/// A docstring taken apart: signature, summary, then sections that a line like `Args:` opens.
public struct DocSections: Sendable {
    /// The first line.
    public let head: String
    public private(set) var summary = ""
    /// (name, text) of each argument.
    public private(set) var arguments: [(name: String, text: String)] = []
    public private(set) var returns = ""
    public private(set) var errors = ""
    /// Lua code; a comment `--> text` states what a line prints.
    public private(set) var example = ""
    public private(set) var see: [String] = []
    public private(set) var source = ""

    /// What `Args:` says about an argument.
    func text(of argument: String) -> String? { arguments.first { $0.name == argument }?.text }

    /// What opens a section. `In place:` is the example of the twin that stores its result in the receiver.
    public static let titles = ["Args:", "Returns:", "Errors:", "Example:", "In place:", "See:", "Source:"]

    public init(parsing text: String) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while let first = lines.first, first.allSatisfy(\.isWhitespace) { lines.removeFirst() }
        head = lines.isEmpty ? "" : lines.removeFirst().trimmed
        let margin = lines.filter { !$0.trimmed.isEmpty }.map(\.indentation).min() ?? 0
        var section = "", bodies: [String: [String]] = [:]
        for line in lines.map({ String($0.dropFirst(min(margin, $0.indentation))) }) {
            if let title = Self.titles.first(where: { line.hasPrefix($0) }) {
                section = title
                let rest = String(line.dropFirst(title.count)).trimmed
                if !rest.isEmpty { bodies[section, default: []].append(rest) }
            } else {
                bodies[section, default: []].append(line)
            }
        }
        func paragraph(_ title: String) -> String {
            (bodies[title] ?? []).map(\.trimmed).filter { !$0.isEmpty }.joined(separator: " ")
        }
        summary = paragraph("")
        returns = paragraph("Returns:")
        errors = paragraph("Errors:")
        source = paragraph("Source:")
        see = paragraph("See:").split(separator: ",").map { String($0).trimmed }
        for line in (bodies["Args:"] ?? []).map(\.trimmed) where !line.isEmpty {
            if let colon = line.firstIndex(of: ":"), !line[..<colon].contains(" ") {
                arguments.append((String(line[..<colon]), String(line[line.index(after: colon)...]).trimmed))
            } else if !arguments.isEmpty {
                arguments[arguments.count - 1].text += " " + line
            }
        }
        var code = bodies["Example:"] ?? []
        while code.first?.trimmed.isEmpty == true { code.removeFirst() }
        while code.last?.trimmed.isEmpty == true { code.removeLast() }
        let inset = code.filter { !$0.trimmed.isEmpty }.map(\.indentation).min() ?? 0
        example = code.map { String($0.dropFirst(min(inset, $0.indentation))) }.joined(separator: "\n")
    }
}

extension String {
    fileprivate var indentation: Int { utf8.prefix { $0 == UInt8(ascii: " ") }.count }
    /// Without spaces and tabs at its ends; on bytes, since characters take a hundred times as long.
    var trimmed: String {
        func isText(_ byte: UInt8) -> Bool { byte != UInt8(ascii: " ") && byte != UInt8(ascii: "\t") }
        guard let first = utf8.firstIndex(where: isText), let last = utf8.lastIndex(where: isText) else { return "" }
        return String(self[first..<utf8.index(after: last)])
    }
}
