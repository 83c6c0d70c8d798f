import CZlib

/// Compresses into an output file, as a gzip file or as raw deflate data. The bytes depend on the
/// data alone: a gzip header of ours carries no time and no name.
final class Deflate {
    private let path: String
    private let stream: UnsafeMutablePointer<z_stream>
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    /// Compressed bytes written so far.
    private(set) var written = 0

    init(_ path: String, _ format: Inflate.Format) throws {
        self.path = path
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let code = deflateInit2_(
            stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, format.rawValue, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else {
            stream.deallocate()
            throw TensorError("\(path): no memory to compress", kind: .outOfMemory)
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    func write(_ bytes: UnsafeRawBufferPointer, to file: OutputFile) throws {
        var rest = bytes
        while !rest.isEmpty {
            let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
            stream.pointee.next_in = UnsafeMutablePointer(mutating: piece.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(piece.count)
            try pump(Z_NO_FLUSH, to: file)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
        }
    }

    func finish(to file: OutputFile) throws { try pump(Z_FINISH, to: file) }

    private func pump(_ flush: Int32, to file: OutputFile) throws {
        while true {
            let (code, got) = buffer.withUnsafeMutableBufferPointer { out in
                stream.pointee.next_out = out.baseAddress
                stream.pointee.avail_out = UInt32(out.count)
                let code = deflate(stream, flush)
                return (code, out.count - Int(stream.pointee.avail_out))
            }
            try buffer.withUnsafeBytes { try file.write(UnsafeRawBufferPointer(rebasing: $0.prefix(got))) }
            written += got
            if flush == Z_FINISH ? code == Z_STREAM_END : stream.pointee.avail_in == 0 && stream.pointee.avail_out > 0 { return }
            guard code == Z_OK || code == Z_BUF_ERROR else { throw TensorError("\(path): compressing failed with code \(code)") }
        }
    }
}
