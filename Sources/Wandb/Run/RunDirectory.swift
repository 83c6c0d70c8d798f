#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The directory of a run: `wandb/[offline-]run-<time>-<id>/` with its log, `files/`, `logs/`.
package struct RunDirectory: Sendable {
    package let path: String
    package let runID: String

    package var files: String { "\(path)/files" }
    package var log: String { "\(path)/run-\(runID).wandb" }
    package var syncState: String { log + ".syncstate" }
    package var syncedMark: String { log + ".synced" }
    /// The row that is not closed yet, so that the end of the process does not lose it.
    package var openRow: String { log + ".row" }

    /// Makes the directory and the link `latest-run`.
    package static func make(root: String, runID: String, isOffline: Bool) throws(WandbError) -> RunDirectory {
        let parent = parent(of: root)
        try Files.makeDirectories(parent)
        let base = "\(parent)/\(isOffline ? "offline-run" : "run")-\(localTime())-\(runID)"
        var path = base
        var suffix = 0
        while mkdir(path, 0o777) != 0 {
            guard errno == EEXIST, suffix < 1000 else { throw Files.failure("create the directory", path) }
            suffix += 1
            path = "\(base)-\(suffix)"
        }
        let directory = RunDirectory(path: path, runID: runID)
        for name in ["files", "logs"] { try Files.makeDirectories("\(path)/\(name)") }
        Files.link("\(parent)/latest-run", to: Files.name(of: path))
        return directory
    }

    /// `.wandb` where it exists, else `wandb`.
    package static func parent(of root: String) -> String {
        Files.isDirectory("\(root)/.wandb") ? "\(root)/.wandb" : "\(root)/wandb"
    }

    package static func localTime() -> String {
        var now = time(nil)
        var parts = tm()
        localtime_r(&now, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            let count = strftime(buffer.baseAddress, 32, "%Y%m%d_%H%M%S", &parts)
            return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Random characters of `a-z0-9`.
    package static func randomID(_ count: Int = 8) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789")
        var generator = SystemRandomNumberGenerator()
        return String((0..<count).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] })
    }
}
