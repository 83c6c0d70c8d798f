#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Writes records to a run's transaction log. Each record reaches the kernel in one write before `append`
/// returns: what was logged survives the end of the process, however it ends.
///
/// A full disk loses nothing as long as it is brief: the file is cut back to the last whole record, up to
/// `backlogLimit` bytes of records wait in memory, and every later append tries again.
package struct TransactionLogWriter {
    package let path: String
    private let file: OpenFile
    private var descriptor: Int32 { file.descriptor }
    /// The end of the last whole record.
    package private(set) var offset: Int64
    package private(set) var lastNumber: Int64 = 0
    private let streamSuffix: [UInt8]
    private var envelope = ProtoBuffer()
    private var frame: [UInt8] = []

    private var backlog: [[UInt8]] = []
    private var backlogBytes = 0
    private var retryAt: Double = 0
    package static let backlogLimit = 4 << 20
    /// Records that found neither disk nor memory.
    package private(set) var lost = 0
    package private(set) var failure: WandbError?

    /// Refuses to write over a file that exists. The lock tells `sync` that the run is alive; it ends with the process.
    package init(path: String, runID: String) throws(WandbError) {
        file = try OpenFile(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, action: "create")
        self.path = path
        flock(file.descriptor, LOCK_EX | LOCK_NB)
        var info = ProtoBuffer()
        info.string(field: 1, runID)
        var suffix = ProtoBuffer()
        suffix.message(field: 200, info.bytes)
        streamSuffix = suffix.bytes
        offset = Int64(LogFormat.header.count)
        guard Files.writeAll(LogFormat.header, to: file.descriptor) else {
            let error = Files.failure("write", path)
            unlink(path)
            throw error
        }
    }

    /// Appends a record whose body is the message of `field` in `Record`.
    package mutating func append(field: UInt64, body: [UInt8]) {
        envelope.clear()
        envelope.int64(field: 1, lastNumber + 1)
        envelope.message(field: field, body)
        envelope.bytes.append(contentsOf: streamSuffix)
        lastNumber += 1
        if backlog.isEmpty, write(envelope.bytes) { return }
        keep(envelope.bytes)
    }

    private mutating func write(_ payload: [UInt8]) -> Bool {
        frame.removeAll(keepingCapacity: true)
        LogFormat.frame(payload, at: offset, into: &frame)
        if Files.writeAll(frame, to: descriptor) {
            offset += Int64(frame.count)
            // One oversized record must not hold memory for the rest of the run.
            if frame.capacity > 1 << 20 { frame = [] }
            return true
        }
        failure = Files.failure("write", path)
        ftruncate(descriptor, off_t(offset))
        lseek(descriptor, off_t(offset), SEEK_SET)
        retryAt = Clock.monotonic() + 1
        return false
    }

    private mutating func keep(_ payload: [UInt8]) {
        if backlogBytes + payload.count <= Self.backlogLimit {
            backlog.append(payload)
            backlogBytes += payload.count
        } else {
            lost += 1
        }
        if Clock.monotonic() >= retryAt { flush() }
    }

    /// Tries the disk for the last time; what it still does not take.
    package mutating func takeBacklog() -> [[UInt8]] {
        flush()
        defer { backlog = [] }
        return backlog
    }

    /// Writes what waited for the disk. True when nothing waits any more.
    @discardableResult
    package mutating func flush() -> Bool {
        var written = 0
        for payload in backlog {
            guard write(payload) else { break }
            written += 1
            backlogBytes -= payload.count
        }
        backlog.removeFirst(written)
        if backlog.isEmpty, lost == 0 { failure = nil }
        return backlog.isEmpty
    }
}

package enum Clock {
    /// Seconds since 1970.
    package static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Seconds that only grow.
    package static func monotonic() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    package static func sleep(_ seconds: Double) {
        guard seconds > 0 else { return }
        var rest = timespec(tv_sec: Int(seconds), tv_nsec: Int((seconds - seconds.rounded(.down)) * 1e9))
        nanosleep(&rest, nil)
    }
}
