import SwiftProtobuf
import Synchronization

/// Reads a run's transaction log and brings it to the server. A live run and `sync` use the same reader: what is
/// not sent yet waits in the file, not in memory.
final class RunSender {
    enum Source: Sendable {
        /// The log of a run of this process.
        case live(LogEnd)
        /// A log that nobody writes any more.
        case file
    }

    let settings: Settings
    let directory: RunDirectory
    let source: Source
    let status: Signal<UploadStatus>
    let notices: Notices
    let client: ServerClient
    let clientID: String?
    /// Called once when somebody stops the run on its page.
    var onStop: @Sendable () -> Void = {}
    /// What `init` has already learnt of a run that is resumed.
    var resume: ResumeStatus?

    var run = WBRunRecord()
    var documents = RunDocuments()
    var summary = WandbMap()
    var summaryIsDirty = false
    var stream: FileStream
    var registration: Registration?
    var uploader: BackgroundThread?
    var outputFile: OpenFile?

    var stepBase: Int64 = 0
    var runtimeBase = 0.0
    var lastStep: Int64 = -1
    var stepsAreNamed = false
    /// Rows of the file that the server has already.
    var rowsToSkip = 0
    var rowsRead = 0
    var sinceSummary: [(path: [String], json: String)] = []

    var configIsDirty = false
    var configSentAt = 0.0
    var streamIsDead = false
    var firstPostDone = false
    var postedAt = 0.0
    var postInterval: Double
    /// What the server's rate limit allows.
    var earliestPost = 0.0
    var serverTakesGzip = false
    var exitCode: Int32?
    var marksFinished = true

    init(
        settings: Settings, directory: RunDirectory, source: Source, status: Signal<UploadStatus>, notices: Notices,
        resume: ResumeStatus? = nil
    ) {
        self.settings = settings
        self.directory = directory
        self.source = source
        self.status = status
        self.notices = notices
        self.resume = resume
        clientID = settings.mode == .shared ? RunDirectory.randomID(32) : nil
        client = ServerClient(
            settings: settings, clientID: clientID, stop: { status.read(\.stop) },
            pause: { seconds in status.wait(seconds) { $0.stop } })
        stream = FileStream(settings: settings)
        stream.label = settings.label
        postInterval = settings.fileStreamInterval
    }

    enum Outcome: Sendable {
        case complete
        case stopped
        /// Everything before the place was sent.
        case damaged(offset: Int64, reason: String)
    }

    // MARK: The loop

    /// Returns when the whole run is on the server, or when it is told to stop. Throws when the server refuses the run.
    func send() throws(WandbError) -> Outcome {
        var reader = try TransactionLogReader(path: directory.log)
        var outcome = Outcome.complete
        var atEnd = false
        while !status.read(\.stop) {
            while !stream.isFull, !hasTooManyFiles, !atEnd {
                let next = reader.next(upTo: limit())
                switch rest(after: next) ?? next {
                case .record(let bytes, let offset):
                    guard let record = try? WBRecord(serializedBytes: bytes), let type = record.recordType else {
                        outcome = .damaged(offset: offset, reason: "a record of unknown type")
                        atEnd = true
                        continue
                    }
                    try apply(type)
                    if exitCode != nil { atEnd = true }
                case .end:
                    if case .file = source { atEnd = true } else { break }
                    continue
                case .incomplete(let offset):
                    // A live file's limit lies between records; only a dead one ends inside.
                    outcome = .damaged(offset: offset, reason: "the file ends inside a record")
                    atEnd = true
                    continue
                case .damaged(let offset, let reason):
                    outcome = .damaged(offset: offset, reason: reason)
                    atEnd = true
                    continue
                }
                if status.read(\.stop) { return .stopped }
                if isAtLimit(reader.offset) { break }
            }
            if atEnd, !stream.isFull {
                guard registration != nil else {
                    throw .format("wandb: '\(directory.log)' holds no run")
                }
                if exitCode == nil { recoverTail() }
                return finish() ? outcome : .stopped
            }
            let wasFull = stream.isFull
            if registration != nil { step(Clock.monotonic()) }
            // There is more in the log than one request takes.
            if wasFull { continue }
            let wait = registration == nil ? 0.2 : max(0.01, nextDue() - Clock.monotonic())
            let waitsForFiles = hasTooManyFiles
            status.wait(min(wait, 5)) { $0.stop || $0.wake || waitsForFiles && $0.files.count < Self.mostFilesWaiting / 2 }
            status.update { $0.wake = false }
        }
        return .stopped
    }

    /// Names of files wait in memory: the log is read no further while there are many.
    private static let mostFilesWaiting = 2000
    private var hasTooManyFiles: Bool { status.read { $0.files.count >= Self.mostFilesWaiting } }

    private func limit() -> Int64 {
        switch source {
        case .live(let end): end.offset.load(ordering: .acquiring)
        case .file: .max
        }
    }

    private func isAtLimit(_ offset: Int64) -> Bool {
        if case .live(let end) = source { return offset >= limit() && !end.hasRest }
        return false
    }

    /// What the disk did not take comes after all that it did.
    private func rest(after next: TransactionLogReader.Next) -> TransactionLogReader.Next? {
        guard case .end = next, case .live(let end) = source, let bytes = end.takeRest() else { return nil }
        return .record(bytes, offset: limit())
    }

    /// What is due while the run goes on.
    private func step(_ now: Double) {
        if configIsDirty, now - configSentAt >= 5 { sendConfig() }
        takeUploaded()
        guard !streamIsDead else { return }
        if stream.isPreempting || stream.isFull || !firstPostDone && stream.hasData
            || stream.hasData && now - postedAt >= postInterval || now - postedAt >= max(30, postInterval)
        {
            post()
        }
    }

    private func nextDue() -> Double {
        if streamIsDead { return Clock.monotonic() + 5 }
        if !firstPostDone { return Clock.monotonic() + (stream.hasData ? 0 : 0.2) }
        return postedAt + postInterval
    }

    func takeUploaded() {
        stream.uploaded += status.update { value -> [String] in
            defer { value.uploaded = [] }
            return value.uploaded
        }
    }
}
