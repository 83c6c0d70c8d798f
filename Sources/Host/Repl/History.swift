#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The inputs of earlier sessions, in `$XDG_STATE_HOME/host/history`. One entry to a line; line feeds inside are `\n`.
struct History {
    private static let limit = 10_000
    private let path: String?

    init() {
        let home = Screen.environment("HOME")
        let state = Screen.environment("XDG_STATE_HOME")
        let base = state.hasPrefix("/") ? state : home.isEmpty ? "" : home + "/.local/state"
        path = base.isEmpty ? nil : base + "/host/history"
    }

    func load() -> [String] {
        guard let path, let bytes = try? DiskFile.read(path) else { return [] }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n").map { History.unescaped($0) }
        if lines.count > 2 * History.limit { rewrite(Array(lines.suffix(History.limit))) }
        return Array(lines.suffix(History.limit))
    }

    /// Entries are added at the end one by one: sessions side by side keep each other's.
    func append(_ entry: String) {
        guard let path else { return }
        let folder = path.prefix(upTo: path.lastIndex(of: "/") ?? path.endIndex)
        guard Folder.make(String(folder)) else { return }
        let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes = Array((History.escaped(entry) + "\n").utf8)
        _ = write(file, bytes, bytes.count)
    }

    private func rewrite(_ entries: [String]) {
        guard let path else { return }
        try? DiskFile.write(Array(entries.map { History.escaped($0) + "\n" }.joined().utf8), path)
    }

    private static func escaped(_ text: String) -> String { text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n") }

    private static func unescaped(_ line: Substring) -> String {
        var out = "", escapes = false
        for character in line {
            if escapes {
                out.append(character == "n" ? "\n" : character)
                escapes = false
            } else if character == "\\" {
                escapes = true
            } else {
                out.append(character)
            }
        }
        return out
    }
}
