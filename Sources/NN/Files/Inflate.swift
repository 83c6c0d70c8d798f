import CZlib

/// Decompresses a gzip file, or raw deflate data inside another format, in pieces.
final class Inflate: @unchecked Sendable {
    enum Format: Int32 {
        case gzip = 31
        case raw = -15
    }

    /// Deflate cannot pack more than 1032 bytes into one: what claims to be larger is not true.
    static func largestOutput(of bytes: Int) -> Int {
        let (product, overflow) = bytes.multipliedReportingOverflow(by: 1032)
        return overflow ? Int.max : product
    }

    private let path: String
    private let owner: AnyObject
    private let input: UnsafeRawBufferPointer
    private let base: Int
    private let format: Format
    /// zlib remembers the address of this.
    private let stream: UnsafeMutablePointer<z_stream>
    private var ended = false

    /// - Parameters:
    ///   - input: compressed bytes, kept alive by `owner`.
    ///   - base: where they begin in the file, for messages.
    init(_ path: String, _ input: UnsafeRawBufferPointer, at base: Int, owner: AnyObject, _ format: Format) throws {
        self.path = path
        self.owner = owner
        self.input = input
        self.base = base
        self.format = format
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        guard inflateInit2_(stream, format.rawValue, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            stream.deallocate()
            throw TensorError("\(path): no memory to decompress", kind: .outOfMemory)
        }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        available = input.count
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Input that zlib has not been shown yet; its own counter has 32 bits only.
    private var available: Int

    /// Compressed bytes used so far.
    var consumed: Int { input.count - available - Int(stream.pointee.avail_in) }

    /// All data at once, when it is `count` bytes and there is a faster way than piece by piece. False: what lies in
    /// `target` is worth nothing.
    func whole(into target: UnsafeMutableRawPointer, _ count: Int) -> Bool {
        guard format == .gzip, let fast = WholeInflate.shared else { return false }
        return fast.decompress(input, into: target, count)
    }

    /// Fills `target`; gives fewer bytes than asked for only where the data ends.
    func read(into target: UnsafeMutableRawPointer, _ count: Int) throws -> Int {
        var done = 0
        while done < count && !ended {
            if stream.pointee.avail_in == 0 {
                let piece = min(available, 1 << 30)
                stream.pointee.avail_in = UInt32(piece)
                available -= piece
            }
            let wanted = min(count - done, 1 << 30)
            stream.pointee.next_out = (target + done).assumingMemoryBound(to: UInt8.self)
            stream.pointee.avail_out = UInt32(wanted)
            let code = inflate(stream, Z_NO_FLUSH)
            let got = wanted - Int(stream.pointee.avail_out)
            done += got
            switch code {
            case Z_OK: continue
            case Z_STREAM_END: try endOfMember()
            case Z_BUF_ERROR where stream.pointee.avail_in == 0 && available == 0:
                throw TensorError.file(path, at: base + input.count, "the compressed data is cut off")
            case Z_MEM_ERROR: throw TensorError("\(path): no memory to decompress", kind: .outOfMemory)
            default:
                let reason = stream.pointee.msg.map { String(cString: $0) } ?? "code \(code)"
                throw TensorError.file(path, at: base + consumed, "the compressed data is corrupt: \(reason)")
            }
        }
        return done
    }

    /// A gzip file may hold several members one after the other, and zeros at its end.
    private func endOfMember() throws {
        let rest = consumed
        guard format == .gzip, rest < input.count else {
            ended = true
            return
        }
        if input[rest] == 0x1f {
            inflateReset(stream)
            return
        }
        if let bad = input[rest...].firstIndex(where: { $0 != 0 }) {
            throw TensorError.file(path, at: base + bad, "expected the end of the file or another gzip member, got byte \(input[bad])")
        }
        ended = true
    }

    /// Checks that the data ends here (and with it its checksum).
    func expectEnd(after expected: Int) throws {
        var extra: UInt8 = 0
        let more = try withUnsafeMutableBytes(of: &extra) { raw in
            try raw.baseAddress.map { try read(into: $0, 1) } ?? 0
        }
        guard more == 0 else {
            throw TensorError.file(path, at: base + consumed, "expected \(expected) bytes of data, there are more")
        }
        if format == .raw && consumed < input.count {
            throw TensorError.file(path, at: base + consumed, "\(input.count - consumed) bytes after the end of the compressed data")
        }
    }
}
