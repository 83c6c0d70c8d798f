import SwiftProtobuf
import Synchronization
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Everything of a run that its lock protects.
struct RunState {
    var rows = RowStore()
    var writer: TransactionLogWriter?
    var documents = RunDocuments()
    var config = WandbMap()
    /// As people see the run; later changes are records of their own.
    var label = RunLabel()
    var finished = false
    var isResumed = false
    var hasCode = false
    let end = LogEnd()
    var droppedRows = 0
    let startTime: Double
    /// The seconds that a resumed run had run before.
    var runtimeBase = 0.0
    private var summaryWritten = 0.0
    private var openRowFile: OpenFile?
    private var scratch: [UInt8] = []

    /// Seconds between summary records: the log's reader does without one for every row.
    static let summaryInterval = 0.25

    init(startTime: Double) { self.startTime = startTime }

    mutating func append(field: UInt64, _ message: some SwiftProtobuf.Message) {
        guard let bytes: [UInt8] = try? message.serializedBytes() else { return }
        write(field: field, bytes)
    }

    private mutating func write(field: UInt64, _ body: [UInt8]) {
        writer?.append(field: field, body: body)
        if let offset = writer?.offset { end.offset.store(offset, ordering: .releasing) }
    }

    mutating func closeRow(next: Int64? = nil) {
        let runtime = rows.timestamp - startTime + runtimeBase
        if next != nil { rows.stepsAreNamed = true }
        rows.encodeRow(runtime: runtime)
        write(field: RecordField.history, rows.encoded.bytes)
        rows.closeRow(next: next)
        if rows.timestamp - summaryWritten >= Self.summaryInterval || rows.timestamp < summaryWritten {
            writeSummary(runtime: runtime, isFinal: false)
            summaryWritten = rows.timestamp
        }
    }

    mutating func writeSummary(runtime: Double, isFinal: Bool) {
        guard let body = rows.takeSummaryChanges(runtime: runtime, isFinal: isFinal) else { return }
        write(field: RecordField.summary, body)
    }

    /// Keeps the open row in a file of its own until it is closed: it must survive the process, but a
    /// transaction log only takes whole rows.
    mutating func storeOpenRow(_ path: String) {
        if openRowFile == nil { openRowFile = try? OpenFile(path, O_RDWR | O_CREAT | O_CLOEXEC, action: "create") }
        guard let file = openRowFile else { return }
        rows.encodeRow(runtime: rows.timestamp - startTime + runtimeBase)
        scratch.removeAll(keepingCapacity: true)
        LogFormat.frameOpenRow(rows.encoded.bytes, into: &scratch)
        _ = scratch.withUnsafeBytes { pwrite(file.descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Ends the log, and leaves what the disk did not take to the upload. The number of records that found no memory either.
    mutating func closeLog() -> Int {
        guard writer != nil else { return 0 }
        let rest = writer?.takeBacklog() ?? []
        if let offset = writer?.offset { end.offset.store(offset, ordering: .releasing) }
        end.leave(rest)
        let lost = writer?.lost ?? 0
        writer = nil
        return lost
    }

    mutating func removeOpenRow(_ path: String) {
        guard openRowFile != nil else { return }
        openRowFile = nil
        unlink(path)
    }
}

/// Fields of `Record`.
enum RecordField {
    static let history: UInt64 = 2
    static let summary: UInt64 = 3
    static let config: UInt64 = 5
    static let files: UInt64 = 6
    static let stats: UInt64 = 7
    static let artifact: UInt64 = 8
    static let alert: UInt64 = 10
    static let telemetry: UInt64 = 11
    static let metric: UInt64 = 12
    static let outputRaw: UInt64 = 13
    static let run: UInt64 = 17
    static let exit: UInt64 = 18
    static let header: UInt64 = 21
    static let preempting: UInt64 = 23
    static let useArtifact: UInt64 = 25
    static let environment: UInt64 = 26
}
