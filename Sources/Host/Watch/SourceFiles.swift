import Synchronization

/// The files that a run was made of, as they were when it read them. Safe to use from any thread.
final class SourceFiles: Sendable {
    struct Change: Sendable {
        let path: String
        let old: String
        let new: String
    }

    private struct State {
        var paths: [String] = []
        var texts: [String: String] = [:]
    }

    private let state = Mutex(State())

    var paths: [String] { state.withLock { $0.paths } }

    /// Remembers a file that is about to be read. One that cannot be read counts as empty: it may appear later.
    func add(_ path: String) {
        let text = Self.read(path) ?? ""
        state.withLock { state in
            if state.texts[path] == nil { state.paths.append(path) }
            state.texts[path] = text
        }
    }

    /// What differs from what the run read. A file that is not there just now is being replaced by an editor.
    func changes() -> [Change] {
        let (paths, texts) = state.withLock { ($0.paths, $0.texts) }
        return paths.compactMap { path in
            guard let new = Self.read(path), let old = texts[path], new != old else { return nil }
            return Change(path: path, old: old, new: new)
        }
    }

    private static func read(_ path: String) -> String? {
        (try? Files.read(path)).map { String(decoding: $0, as: UTF8.self) }
    }
}
