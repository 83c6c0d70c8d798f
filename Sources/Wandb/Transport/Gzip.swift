import CZlib

package enum Gzip {
    /// Nil when zlib cannot.
    package static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        deflate(bytes, windowBits: 15 + 16, level: 6)
    }

    /// zlib's own format, as PNG wants it.
    package static func zlib(_ bytes: [UInt8], level: Int32 = 6) -> [UInt8]? { deflate(bytes, windowBits: 15, level: level) }

    private static func deflate(_ bytes: [UInt8], windowBits: Int32, level: Int32) -> [UInt8]? {
        guard bytes.count < 1 << 31 else { return nil }
        var stream = z_stream()
        guard deflateInit2_(
            &stream, level, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)) == Z_OK
        else { return nil }
        defer { deflateEnd(&stream) }
        var input = bytes
        var output = [UInt8](repeating: 0, count: Int(deflateBound(&stream, UInt(bytes.count))))
        let room = output.count
        let result = input.withUnsafeMutableBufferPointer { input in
            output.withUnsafeMutableBufferPointer { output in
                stream.next_in = input.baseAddress
                stream.avail_in = UInt32(input.count)
                stream.next_out = output.baseAddress
                stream.avail_out = UInt32(room)
                return CZlib.deflate(&stream, Z_FINISH)
            }
        }
        guard result == Z_STREAM_END else { return nil }
        return Array(output[..<Int(stream.total_out)])
    }
}
