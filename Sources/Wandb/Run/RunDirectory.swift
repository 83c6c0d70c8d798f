#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The directory of a run: `wandb/[offline-]run-<time>-<id>/` with its log, `files/`, `logs/`.
package struct RunDirectory: Sendable {
    package let path: String
    package let runID: String
    /// A log that was copied out of its directory, alone and under another name; nil: the run's own.
    package var copiedLog: String?

    package init(path: String, runID: String, copiedLog: String? = nil) {
        (self.path, self.runID, self.copiedLog) = (path, runID, copiedLog)
    }

    package var files: String { copiedLog == nil ? "\(path)/files" : "\(log).files" }
    package var log: String { "\(path)/\(copiedLog ?? "run-\(runID).wandb")" }
    package var syncState: String { log + ".syncstate" }
    package var syncedMark: String { log + ".synced" }
    /// The row that is not closed yet, so that the end of the process does not lose it.
    package var openRow: String { log + ".row" }

    /// The logs of the run's later tries, which lie beside this one.
    package var laterLogs: [String] {
        if let copiedLog { return Self.copiedLogs(in: path).filter { Self.isBefore(copiedLog, $0) }.map { "\(path)/\($0)" } }
        let parent = Files.directory(of: path), own = Self.started(Files.name(of: path))
        return Files.list(parent).filter { Self.started($0) > own }.map { "\(parent)/\($0)/\(Files.name(of: log))" }.filter(Files.exists)
    }

    /// Logs in a folder that are no run directories' own: `<id>.wandb`, or `<id>-1.wandb`, `<id>-2.wandb`, … for the tries of a job.
    package static func copiedLogs(in folder: String) -> [String] {
        Files.list(folder).filter { $0.hasSuffix(".wandb") && !$0.hasPrefix("run-") }.sorted(by: isBefore)
    }

    private static func isBefore(_ a: String, _ b: String) -> Bool { (a.utf8.count, a) < (b.utf8.count, b) }

    package static func started(_ name: String) -> Substring { name.hasPrefix("offline-") ? name.dropFirst(8) : name[...] }

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
