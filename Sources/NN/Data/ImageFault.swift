/// Where a picture that its library refuses is broken: the libraries themselves do not say. Each gives "byte N: " for
/// messages, the start of the first part that is not as it should be.
enum ImageFault {
    /// The first chunk that the file ends in, whose checksum is wrong or that has no business where it is; when the frame is
    /// sound, the first chunk of pixels.
    static func png(_ bytes: UnsafeRawBufferPointer) -> String {
        let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
        guard bytes.starts(with: signature) else { return "byte 0: " }
        var at = signature.count
        var pixels: Int?
        while at < bytes.count {
            guard bytes.count - at >= 12 else { return "byte \(at): " }
            let length = bigEndian(bytes, at), type = bigEndian(bytes, at + 4)
            guard length <= bytes.count - at - 12 else { return "byte \(at): " }
            let checked = UnsafeRawBufferPointer(rebasing: bytes[(at + 4)..<(at + 8 + length)])
            guard zipChecksum(checked) == UInt32(truncatingIfNeeded: bigEndian(bytes, at + 8 + length)) else { return "byte \(at): " }
            if type == 0x4944_4154, pixels == nil { pixels = at }  // IDAT
            if type == 0x4945_4e44 { break }  // IEND
            at += 12 + length
        }
        // The frame is sound: what is in it is not, or something is missing at its end.
        return "byte \(pixels ?? at): "
    }

    /// The first segment that the file ends in or that does not begin with a marker; when all are sound up to the pixels, the
    /// end of a file that is cut off, else where the pixels begin.
    static func jpeg(_ bytes: UnsafeRawBufferPointer) -> String {
        guard bytes.starts(with: [0xff, 0xd8]) else { return "byte 0: " }
        var at = 2
        while at < bytes.count {
            guard bytes[at] == 0xff, at + 1 < bytes.count else { return "byte \(at): " }
            let marker = bytes[at + 1]
            // Fill bytes, and markers that stand alone.
            if marker == 0xff || marker == 0x01 || (0xd0...0xd7).contains(marker) {
                at += marker == 0xff ? 1 : 2
                continue
            }
            if marker == 0xd9 { return "byte \(at): " }
            guard at + 4 <= bytes.count else { return "byte \(at): " }
            let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
            guard length >= 2, length <= bytes.count - at - 2 else { return "byte \(at): " }
            if marker == 0xda {
                let isWhole = bytes.count >= 2 && bytes[bytes.count - 2] == 0xff && bytes[bytes.count - 1] == 0xd9
                return "byte \(isWhole ? at + 2 + length : bytes.count): "
            }
            at += 2 + length
        }
        return "byte \(bytes.count): "
    }

    private static func bigEndian(_ bytes: UnsafeRawBufferPointer, _ at: Int) -> Int {
        Int(bytes[at]) << 24 | Int(bytes[at + 1]) << 16 | Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
    }
}
