import CZlib

/// A zip archive's table of contents, and its entries: stored or deflated, also beyond 4 GiB.
/// Source: PKWARE's APPNOTE 6.3
struct ZipReader {
    struct Entry {
        let name: String
        let method: Int
        let checksum: UInt32
        let packedSize: Int
        let size: Int
        let headerOffset: Int
    }

    let path: String
    let entries: [Entry]
    private let bytes: FileBytes

    init(_ path: String) throws {
        self.path = path
        let file = try InputFile(path)
        let bytes = try file.contents()
        self.bytes = bytes
        let all = bytes.buffer
        func bad(_ offset: Int, _ reason: String) -> TensorError { TensorError.file(path, at: offset, reason) }
        func field<T: FixedWidthInteger>(_ type: T.Type, _ offset: Int) throws -> Int {
            guard offset >= 0, offset <= all.count - T.bitWidth / 8 else { throw bad(all.count, "the archive is cut off") }
            let value = T(littleEndian: all[offset...])
            guard let int = Int(exactly: value) else { throw bad(offset, "a size of \(value) bytes is too large to be true") }
            return int
        }
        // The end record is last but for a comment of at most 65,535 bytes.
        guard all.count >= 22 else { throw bad(all.count, "not a zip archive: it is shorter than the record at its end") }
        var end = all.count - 22
        while try field(UInt32.self, end) != 0x0605_4b50 || end + 22 + (try field(UInt16.self, end + 20)) != all.count {
            end -= 1
            guard end >= max(0, all.count - 22 - 65535) else { throw bad(all.count, "not a zip archive, or cut off: no record at its end") }
        }
        var count = try field(UInt16.self, end + 10)
        var size = try field(UInt32.self, end + 12)
        var start = try field(UInt32.self, end + 16)
        if count == 0xffff || size == 0xffff_ffff || start == 0xffff_ffff, end >= 20, try field(UInt32.self, end - 20) == 0x0706_4b50 {
            let record = try field(UInt64.self, end - 12)
            guard try field(UInt32.self, record) == 0x0606_4b50 else { throw bad(record, "expected the 64-bit end record") }
            count = try field(UInt64.self, record + 32)
            size = try field(UInt64.self, record + 40)
            start = try field(UInt64.self, record + 48)
        }
        guard size <= end, start <= end - size, count <= size / 46 else {
            throw bad(end, "the table of contents (\(count) entries, \(size) bytes at \(start)) does not fit the archive")
        }
        var entries: [Entry] = []
        var names = Set<String>()
        var at = start
        for _ in 0..<count {
            guard try field(UInt32.self, at) == 0x0201_4b50 else { throw bad(at, "expected an entry of the table of contents") }
            guard try field(UInt16.self, at + 8) & 1 == 0 else { throw bad(at, "an encrypted entry") }
            var packedSize = try field(UInt32.self, at + 20), size = try field(UInt32.self, at + 24)
            var offset = try field(UInt32.self, at + 42)
            let nameLength = try field(UInt16.self, at + 28), extraLength = try field(UInt16.self, at + 30)
            let next = at + 46 + nameLength + extraLength + (try field(UInt16.self, at + 32))
            guard next <= end else { throw bad(at, "the table of contents is cut off") }
            let name = String(decoding: all[(at + 46)..<(at + 46 + nameLength)], as: UTF8.self)
            var extra = at + 46 + nameLength
            let extraEnd = extra + extraLength
            while extra + 4 <= extraEnd {
                let length = try field(UInt16.self, extra + 2)
                guard extra + 4 + length <= extraEnd else { throw bad(extra, "an extra field is cut off") }
                if try field(UInt16.self, extra) == 1 {
                    // 64-bit values of those fields that are all ones, in this order.
                    var value = extra + 4
                    func wide(_ small: Int) throws -> Int {
                        guard small == 0xffff_ffff else { return small }
                        guard value + 8 <= extra + 4 + length else { throw bad(extra, "a 64-bit size is missing") }
                        value += 8
                        return try field(UInt64.self, value - 8)
                    }
                    size = try wide(size)
                    packedSize = try wide(packedSize)
                    offset = try wide(offset)
                }
                extra += 4 + length
            }
            guard names.insert(name).inserted else { throw bad(at, "two entries are called '\(name)'") }
            entries.append(
                Entry(
                    name: name, method: try field(UInt16.self, at + 10), checksum: UInt32(try field(UInt32.self, at + 16)),
                    packedSize: packedSize, size: size, headerOffset: offset))
            at = next
        }
        self.entries = entries
    }

    /// The bytes of an entry, uncompressed and checked.
    func contents(_ entry: Entry) throws -> FileBytes {
        let all = bytes.buffer
        func bad(_ offset: Int, _ reason: String) -> TensorError { TensorError.file(path, at: offset, "'\(entry.name)': \(reason)") }
        let at = entry.headerOffset
        guard at <= all.count - 30, UInt32(littleEndian: all[at...]) == 0x0403_4b50 else { throw bad(min(at, all.count), "expected the header of an entry") }
        let start = at + 30 + Int(UInt16(littleEndian: all[(at + 26)...])) + Int(UInt16(littleEndian: all[(at + 28)...]))
        guard start <= all.count, entry.packedSize <= all.count - start else { throw bad(all.count, "the archive ends within it") }
        let packed = UnsafeRawBufferPointer(rebasing: all[start..<(start + entry.packedSize)])
        let out: FileBytes
        switch entry.method {
        case 0:
            guard entry.size == entry.packedSize else { throw bad(at, "stored, but \(entry.packedSize) bytes became \(entry.size)") }
            out = try FileBytes(count: entry.size, path)
            if let from = packed.baseAddress, entry.size > 0 { out.base.copyMemory(from: from, byteCount: entry.size) }
        case 8:
            guard entry.size <= Inflate.largestOutput(of: entry.packedSize) else {
                throw bad(at, "\(entry.packedSize) compressed bytes cannot hold \(entry.size)")
            }
            out = try FileBytes(count: entry.size, path)
            let inflate = try Inflate(path, packed, at: start, owner: bytes, .raw)
            let got = try inflate.read(into: out.base, entry.size)
            guard got == entry.size else { throw bad(start + entry.packedSize, "expected \(entry.size) bytes of data, got \(got)") }
            try inflate.expectEnd(after: entry.size)
        default: throw bad(at, "compressed by method \(entry.method); 0 (stored) and 8 (deflate) can be read")
        }
        let checksum = zipChecksum(out.buffer)
        guard checksum == entry.checksum else { throw bad(start, "its data is corrupt: checksum \(checksum), expected \(entry.checksum)") }
        return out
    }
}

/// CRC-32 of any number of bytes; zlib's takes 32 bits of length.
func zipChecksum(_ bytes: UnsafeRawBufferPointer, from start: UInt32 = 0) -> UInt32 {
    var sum = UInt(start)
    var rest = bytes
    while !rest.isEmpty {
        let piece = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
        sum = UInt(crc32(uLong(sum), piece.baseAddress?.assumingMemoryBound(to: UInt8.self), UInt32(piece.count)))
        rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(piece.count))
    }
    return UInt32(truncatingIfNeeded: sum)
}
