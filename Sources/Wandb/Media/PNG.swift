import CZlib

/// PNG files of 8 bits to a channel.
package enum PNG {
    /// `channels`: 1 grey, 3 RGB, 4 RGBA. Nil when zlib cannot compress.
    package static func encode(_ pixels: [UInt8], width: Int, height: Int, channels: Int) -> [UInt8]? {
        let colorTypes: [Int: UInt8] = [1: 0, 3: 2, 4: 6]
        guard let colorType = colorTypes[channels], pixels.count == width * height * channels else { return nil }
        let stride = width * channels
        var rows: [UInt8] = []
        rows.reserveCapacity((stride + 1) * height)
        for row in 0..<height {
            let line = pixels[(row * stride)..<((row + 1) * stride)]
            // Differences to the pixel on the left compress photographs and flat areas alike.
            rows.append(1)
            for (index, value) in line.enumerated() {
                rows.append(value &- (index >= channels ? line[line.startIndex + index - channels] : 0))
            }
        }
        guard let compressed = Gzip.zlib(rows) else { return nil }
        var file: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
        var header: [UInt8] = []
        append(UInt32(truncatingIfNeeded: width), to: &header)
        append(UInt32(truncatingIfNeeded: height), to: &header)
        header += [8, colorType, 0, 0, 0]
        append(chunk: "IHDR", header, to: &file)
        append(chunk: "IDAT", compressed, to: &file)
        append(chunk: "IEND", [], to: &file)
        return file
    }

    private static func append(_ value: UInt32, to bytes: inout [UInt8]) {
        for shift in stride(from: 24 as UInt32, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: value >> shift)) }
    }

    private static func append(chunk name: String, _ body: [UInt8], to file: inout [UInt8]) {
        append(UInt32(truncatingIfNeeded: body.count), to: &file)
        let named = Array(name.utf8) + body
        file += named
        append(UInt32(truncatingIfNeeded: crc32(0, named, UInt32(named.count))), to: &file)
    }
}
