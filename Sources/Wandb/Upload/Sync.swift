/// Uploads runs from their directories: offline ones, and those that ended before all of them had arrived.
public struct Sync {
    public enum Outcome: Sendable, Equatable {
        case uploaded(rows: Int, url: String?)
        /// Uploaded as far as the file can be read.
        case damaged(rows: Int, offset: Int64, reason: String)
        case skipped(reason: String)
        case failed(reason: String)

        public var isFailure: Bool {
            switch self {
            case .uploaded, .skipped: false
            case .damaged, .failed: true
            }
        }
    }

    public let settings: Settings
    public let notice: @Sendable (String) -> Void
    public let isInterrupted: @Sendable () -> Bool

    public init(
        settings: Settings, notice: @escaping @Sendable (String) -> Void = { Notices.standardError($0) },
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) {
        self.settings = settings
        self.notice = notice
        self.isInterrupted = isInterrupted
    }

    /// The run directories that a path stands for: itself, the one of a `.wandb` file, or those in it, in the order
    /// in which they were started. Throws when there is none.
    public static func directories(at path: String) throws(WandbError) -> [String] {
        if path.hasSuffix(".wandb"), Files.size(path) != nil {
            return [Files.name(of: path).hasPrefix("run-") ? Files.directory(of: path) : path]
        }
        guard Files.isDirectory(path) else { throw .file("host sync: there is no '\(path)'") }
        if log(in: path) != nil { return [path] }
        for place in [path, "\(path)/wandb", "\(path)/.wandb"] {
            let runs = Files.list(place).filter {
                ($0.hasPrefix("run-") || $0.hasPrefix("offline-run-")) && log(in: "\(place)/\($0)") != nil
            }
            let sorted = runs.sorted { RunDirectory.started($0) < RunDirectory.started($1) }
            if !sorted.isEmpty { return sorted.map { "\(place)/\($0)" } }
        }
        let copies = RunDirectory.copiedLogs(in: path)
        if !copies.isEmpty { return copies.map { "\(path)/\($0)" } }
        throw .file("host sync: '\(path)' holds no run (expected wandb/offline-run-… or a .wandb file)")
    }

    private static func log(in directory: String) -> String? {
        Files.list(directory).first { $0.hasPrefix("run-") && $0.hasSuffix(".wandb") }
    }

    /// The run that a path names: its directory, or a log that was copied out of one.
    private static func run(at path: String) -> RunDirectory? {
        if path.hasSuffix(".wandb"), Files.size(path) != nil {
            guard var reader = try? TransactionLogReader(path: path) else { return nil }
            while case .record(let bytes, _) = reader.next() {
                guard case .run(let record)? = try? WBRecord(serializedBytes: bytes).recordType else { continue }
                let file = Files.absolute(path)
                return RunDirectory(path: Files.directory(of: file), runID: record.runID, copiedLog: Files.name(of: file))
            }
            return nil
        }
        return log(in: path).map { RunDirectory(path: Files.absolute(path), runID: String($0.dropFirst(4).dropLast(6))) }
    }

    /// Uploads one run. `again` also uploads what is marked as uploaded.
    public func upload(_ path: String, again: Bool = false) -> Outcome {
        guard let directory = Self.run(at: path) else { return .failed(reason: "it is no run's log, and there is none in it") }
        let id = directory.runID
        if Files.exists(directory.syncedMark), !again { return .skipped(reason: "it is uploaded already") }
        guard settings.apiKey != nil else {
            return .failed(reason: "there is no API key for \(settings.baseURL); put one into WANDB_API_KEY")
        }
        do {
            if try TransactionLogReader(path: directory.log).isLocked() { return .skipped(reason: "it is still running") }
        } catch {
            return .failed(reason: "\(error)")
        }
        // What the server is sent besides rows is made anew from the log.
        if directory.copiedLog != nil { try? Files.makeDirectories(directory.files) }
        let notices = Notices(settings: settings, redactor: Redactor(key: settings.apiKey), sink: notice)
        let upload = RunUpload(settings: settings, directory: directory, source: .file, notices: notices)
        let reason = upload.finish(settings: settings, notices: notices, isInterrupted: isInterrupted)
        if let reason { return .failed(reason: reason) }
        switch upload.status.read(\.outcome) {
        case .damaged(let offset, let reason): return .damaged(rows: upload.rowsSent, offset: offset, reason: reason)
        case .stopped: return .failed(reason: "the server refused a part of it")
        case .complete:
            let app = ServerURL(settings.baseURL).app(override: settings.appURLOverride)
            let url = upload.registration.map {
                "\(app)/\(ServerURL.encoded($0.entity))/\(ServerURL.encoded($0.project))/runs/\(ServerURL.encoded(id))"
            }
            return .uploaded(rows: upload.rowsSent, url: url)
        }
    }
}
