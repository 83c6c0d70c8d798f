#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Reads records from a transaction log, one after the other, holding one piece of the file in memory.
package struct TransactionLogReader {
    package enum Next {
        case record([UInt8], offset: Int64)
        /// The end of the file, or the limit, at a boundary between records.
        case end
        /// The file ends inside a record.
        case incomplete(offset: Int64)
        case damaged(offset: Int64, reason: String)
    }

    package let path: String
    private let file: OpenFile
    private var descriptor: Int32 { file.descriptor }
    /// The start of the next record.
    package private(set) var offset: Int64
    private var window: [UInt8] = []
    private var windowStart: Int64 = 0
    private static let windowSize = 1 << 16

    package init(path: String) throws(WandbError) {
        file = try OpenFile(path, O_RDONLY | O_CLOEXEC, action: "read")
        self.path = path
        offset = Int64(LogFormat.header.count)
        guard load(at: 0, count: LogFormat.header.count, limit: .max) else {
            throw .format("wandb: '\(path)': the file is shorter than its 7-byte header")
        }
        guard window.starts(with: LogFormat.header) else {
            let found = window.prefix(LogFormat.header.count).map { String($0, radix: 16) }.joined(separator: " ")
            throw .format("wandb: '\(path)': not a W&B log of version 0 (the file starts with \(found))")
        }
    }

    /// True when the writer of the file is alive.
    package func isLocked() -> Bool {
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 {
            flock(descriptor, LOCK_UN)
            return false
        }
        return errno == EWOULDBLOCK
    }

    /// Makes `count` bytes at `position` available in the window.
    private mutating func load(at position: Int64, count: Int, limit: Int64) -> Bool {
        if position >= windowStart, position + Int64(count) <= windowStart + Int64(window.count) {
            return position + Int64(count) <= limit
        }
        guard position + Int64(count) <= limit else { return false }
        let size = max(Self.windowSize, count)
        var filled = 0
        window = [UInt8](unsafeUninitializedCapacity: size) { [descriptor] buffer, initialized in
            guard let base = buffer.baseAddress else { return }
            while filled < size {
                let got = pread(descriptor, UnsafeMutableRawPointer(base + filled), size - filled, off_t(position) + off_t(filled))
                if got < 0, errno == EINTR { continue }
                if got <= 0 { break }
                filled += got
            }
            initialized = filled
        }
        windowStart = position
        return filled >= count
    }

    /// The next record. Bytes at and beyond `limit` are not looked at: a live file is read up to what its writer
    /// has finished.
    package mutating func next(upTo limit: Int64 = .max) -> Next {
        var payload: [UInt8] = []
        var position = offset
        var inRecord = false
        while true {
            let left = LogFormat.blockSize - Int(position % Int64(LogFormat.blockSize))
            if left < LogFormat.chunkHeaderSize {
                position += Int64(left)
                continue
            }
            guard load(at: position, count: LogFormat.chunkHeaderSize, limit: limit) else {
                let hasBytes = position < limit && load(at: position, count: 1, limit: limit)
                return inRecord || hasBytes ? .incomplete(offset: offset) : .end
            }
            let at = Int(position - windowStart)
            let expected = UInt32(window[at]) | UInt32(window[at + 1]) << 8 | UInt32(window[at + 2]) << 16
                | UInt32(window[at + 3]) << 24
            let count = Int(window[at + 4]) | Int(window[at + 5]) << 8
            guard let type = LogFormat.ChunkType(rawValue: window[at + 6]) else {
                return .damaged(offset: position, reason: "chunk type \(window[at + 6]), expected 1 to 4")
            }
            guard count <= left - LogFormat.chunkHeaderSize else {
                return .damaged(offset: position, reason: "a chunk of \(count) bytes crosses its 32 KiB block")
            }
            guard load(at: position, count: LogFormat.chunkHeaderSize + count, limit: limit) else {
                return .incomplete(offset: offset)
            }
            let start = Int(position - windowStart) + LogFormat.chunkHeaderSize
            let sum = window.withUnsafeBytes {
                LogFormat.checksum(type: type.rawValue, UnsafeRawBufferPointer(rebasing: $0[start..<start + count]))
            }
            guard sum == expected else { return .damaged(offset: position, reason: "the checksum does not match") }
            guard inRecord == (type == .middle || type == .last) else {
                return .damaged(offset: position, reason: "a \(type) chunk \(inRecord ? "inside" : "outside") a record")
            }
            payload.append(contentsOf: window[start..<start + count])
            position += Int64(LogFormat.chunkHeaderSize + count)
            if type == .full || type == .last {
                let began = offset
                offset = position
                return .record(payload, offset: began)
            }
            inRecord = true
        }
    }
}
