/// W&B's settings files: INI, the section `[default]`.
package enum SettingsFile {
    /// Name and value in the order of the lines. Throws on a line that is neither comment, section nor setting.
    package static func parse(_ text: String, path: String) throws(WandbError) -> [(name: String, value: String)] {
        var settings: [(String, String)] = []
        var inDefault = true
        for (number, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.trimmed
            if line.isEmpty || line.hasPrefix("#") || line.hasPrefix(";") { continue }
            if line.hasPrefix("["), line.hasSuffix("]") {
                inDefault = line == "[default]"
                continue
            }
            guard let mark = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
                throw .format("\(path):\(number + 1): expected 'name = value', got '\(line)'")
            }
            if inDefault {
                settings.append((line[..<mark].trimmed, line[line.index(after: mark)...].trimmed))
            }
        }
        return settings
    }
}

extension StringProtocol {
    /// Without white space at both ends.
    package var trimmed: String {
        var rest = self[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return String(rest)
    }
}
