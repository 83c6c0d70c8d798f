/// What the repository around a path says of itself, read from its files: no process is started.
package struct GitFacts: Sendable, Equatable {
    package let root: String
    package let commit: String?
    package let remoteURL: String?

    package init?(around path: String) {
        var directory = path
        while !Files.exists("\(directory)/.git") {
            guard directory != "/", directory.contains("/") else { return nil }
            directory = Files.directory(of: directory)
        }
        root = directory
        var gitDirectory = "\(directory)/.git"
        // In a worktree `.git` is a file that names the directory.
        if !Files.isDirectory(gitDirectory), let text = Files.readText(gitDirectory), text.hasPrefix("gitdir:") {
            let named = text.dropFirst(7).trimmed
            gitDirectory = named.hasPrefix("/") ? named : "\(directory)/\(named)"
        }
        let common = Files.readText("\(gitDirectory)/commondir").map(\.trimmed)
        let shared = common.map { $0.hasPrefix("/") ? $0 : "\(gitDirectory)/\($0)" } ?? gitDirectory
        commit = Self.commit(in: gitDirectory, shared: shared)
        remoteURL = Files.readText("\(shared)/config").flatMap(Self.remote).map(Self.withoutPassword)
    }

    private static func commit(in directory: String, shared: String) -> String? {
        guard let head = Files.readText("\(directory)/HEAD")?.trimmed else { return nil }
        guard head.hasPrefix("ref:") else { return head.count >= 40 ? head : nil }
        let name = head.dropFirst(4).trimmed
        for place in [directory, shared] {
            if let hash = Files.readText("\(place)/\(name)")?.trimmed, hash.count >= 40 { return hash }
        }
        for line in (Files.readText("\(shared)/packed-refs") ?? "").split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, parts[1] == name { return String(parts[0]) }
        }
        return nil
    }

    private static func remote(in config: String) -> String? {
        var inRemote = false
        var first: String?
        for raw in config.split(separator: "\n") {
            let line = raw.trimmed
            if line.hasPrefix("[") {
                inRemote = line.hasPrefix("[remote ")
                if line == "[remote \"origin\"]" { first = nil }
            } else if inRemote, line.hasPrefix("url"), let mark = line.firstIndex(of: "="), first == nil {
                first = line[line.index(after: mark)...].trimmed
            }
        }
        return first
    }

    /// A remote may carry a user and a password: neither leaves the machine.
    private static func withoutPassword(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://"), url.hasPrefix("http") else { return url }
        let rest = url[scheme.upperBound...]
        guard let at = rest.prefix(while: { $0 != "/" }).lastIndex(of: "@") else { return url }
        return String(url[..<scheme.upperBound] + rest[rest.index(after: at)...])
    }
}
