/// Writes a zip archive front to back. Entries carry the format's earliest date, so that the bytes
/// depend on the contents alone, and 64-bit sizes, as NumPy writes them.
final class ZipWriter {
    private let path: String
    private let file: OutputFile
    private var offset = 0
    private var count = 0
    private var directory: [UInt8] = []
    /// 1980-01-01 00:00.
    private static let date: [UInt8] = [0, 0, 0x21, 0]

    init(_ path: String) throws {
        self.path = path
        file = try OutputFile(path)
    }

    /// Adds an entry whose data is `head` followed by `body`.
    func add(_ name: String, _ head: [UInt8], _ body: UnsafeRawBufferPointer, compressed: Bool) throws {
        let checksum = zipChecksum(body, from: head.withUnsafeBytes { zipChecksum($0) })
        let size = head.count + body.count
        let start = offset
        // Flag 11: the name is UTF-8. Flag 3: sizes of deflated data follow it, for it is not known before.
        let flags: UInt16 = 0x800 | (compressed ? 8 : 0)
        let common = UInt16(45).littleEndianBytes + flags.littleEndianBytes + UInt16(compressed ? 8 : 0).littleEndianBytes + ZipWriter.date
        let nameBytes = Array(name.utf8)
        let known: [UInt8] = compressed ? [UInt8](repeating: 0, count: 16) : size.littleEndianBytes + size.littleEndianBytes
        try emit(
            [0x50, 0x4b, 3, 4] + common + (compressed ? 0 : checksum).littleEndianBytes + [UInt8](repeating: 0xff, count: 8)
                + UInt16(nameBytes.count).littleEndianBytes + UInt16(20).littleEndianBytes + nameBytes
                + UInt16(1).littleEndianBytes + UInt16(16).littleEndianBytes + known)
        var packedSize = size
        if compressed {
            let deflate = try Deflate(path, .raw)
            try head.withUnsafeBytes { try deflate.write($0, to: file) }
            try deflate.write(body, to: file)
            try deflate.finish(to: file)
            packedSize = deflate.written
            offset += packedSize
            try emit([0x50, 0x4b, 7, 8] + checksum.littleEndianBytes + packedSize.littleEndianBytes + size.littleEndianBytes)
        } else {
            try emit(head)
            try file.write(body)
            offset += body.count
        }
        directory +=
            [0x50, 0x4b, 1, 2] + UInt16(0x032d).littleEndianBytes + common + checksum.littleEndianBytes
            + [UInt8](repeating: 0xff, count: 8) + UInt16(nameBytes.count).littleEndianBytes + UInt16(28).littleEndianBytes
            + [0, 0, 0, 0, 0, 0] + UInt32(0o100644 << 16).littleEndianBytes + [0xff, 0xff, 0xff, 0xff] + nameBytes
            + UInt16(1).littleEndianBytes + UInt16(24).littleEndianBytes + size.littleEndianBytes
            + packedSize.littleEndianBytes + start.littleEndianBytes
        count += 1
    }

    /// Writes the table of contents and puts the file in its place.
    func finish() throws {
        let start = offset
        let size = directory.count
        try emit(directory)
        let record = offset
        try emit(
            [0x50, 0x4b, 6, 6] + UInt64(44).littleEndianBytes + UInt16(0x032d).littleEndianBytes + UInt16(45).littleEndianBytes
                + [0, 0, 0, 0, 0, 0, 0, 0] + count.littleEndianBytes + count.littleEndianBytes + size.littleEndianBytes
                + start.littleEndianBytes)
        try emit([0x50, 0x4b, 6, 7, 0, 0, 0, 0] + record.littleEndianBytes + [1, 0, 0, 0])
        let small = UInt16(min(count, 0xffff)).littleEndianBytes
        try emit(
            [0x50, 0x4b, 5, 6, 0, 0, 0, 0] + small + small + UInt32(min(size, 0xffff_ffff)).littleEndianBytes
                + UInt32(min(start, 0xffff_ffff)).littleEndianBytes + [0, 0])
        try file.commit()
    }

    private func emit(_ bytes: [UInt8]) throws {
        try file.write(bytes)
        offset += bytes.count
    }
}
