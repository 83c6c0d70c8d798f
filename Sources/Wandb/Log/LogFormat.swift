import CZlib

/// The framing of a `.wandb` file: 7 bytes of file header, then LevelDB's log format in blocks of 32 KiB, the
/// header counting as the first bytes of block 0, with plain CRC-32 over type and payload.
package enum LogFormat {
    package static let header: [UInt8] = [0x3A, 0x57, 0x26, 0x42, 0xE1, 0xBE, 0x00]
    package static let blockSize = 32768
    package static let chunkHeaderSize = 7

    package enum ChunkType: UInt8 {
        case full = 1
        case first, middle, last
    }

    package static func checksum(type: UInt8, _ payload: UnsafeRawBufferPointer) -> UInt32 {
        var type = type
        var sum = crc32(0, &type, 1)
        if let base = payload.baseAddress, !payload.isEmpty {
            sum = crc32(sum, base.assumingMemoryBound(to: UInt8.self), UInt32(payload.count))
        }
        return UInt32(truncatingIfNeeded: sum)
    }

    /// Appends the chunks of one record that starts at `offset` in the file.
    package static func frame(_ payload: [UInt8], at offset: Int64, into output: inout [UInt8]) {
        payload.withUnsafeBytes { payload in
            var rest = payload
            var isFirst = true
            var inBlock = Int(offset % Int64(blockSize))
            while true {
                let left = blockSize - inBlock
                if left < chunkHeaderSize {
                    for _ in 0..<left { output.append(0) }
                    inBlock = 0
                    continue
                }
                let count = min(left - chunkHeaderSize, rest.count)
                let isLast = count == rest.count
                let type: ChunkType = isFirst ? (isLast ? .full : .first) : (isLast ? .last : .middle)
                let piece = UnsafeRawBufferPointer(rebasing: rest[..<count])
                let sum = checksum(type: type.rawValue, piece)
                withUnsafeBytes(of: sum.littleEndian) { output.append(contentsOf: $0) }
                output.append(UInt8(truncatingIfNeeded: count))
                output.append(UInt8(truncatingIfNeeded: count >> 8))
                output.append(type.rawValue)
                output.append(contentsOf: piece)
                inBlock = (inBlock + chunkHeaderSize + count) % blockSize
                if isLast { return }
                rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                isFirst = false
            }
        }
    }
}

extension LogFormat {
    /// An open row's file: checksum and length, then the body of a history record.
    package static func frameOpenRow(_ body: [UInt8], into output: inout [UInt8]) {
        let sum = body.withUnsafeBytes { checksum(type: ChunkType.full.rawValue, $0) }
        withUnsafeBytes(of: sum.littleEndian) { output.append(contentsOf: $0) }
        withUnsafeBytes(of: UInt32(truncatingIfNeeded: body.count).littleEndian) { output.append(contentsOf: $0) }
        output.append(contentsOf: body)
    }

    /// The body of the history record; nil when the file does not hold a whole one.
    package static func openRow(in bytes: [UInt8]) -> [UInt8]? {
        guard bytes.count >= 8 else { return nil }
        func word(_ at: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(bytes[at + $1]) << UInt32(8 * $1) }
        }
        let count = Int(word(4))
        guard bytes.count - 8 >= count else { return nil }
        let body = Array(bytes[8..<8 + count])
        return body.withUnsafeBytes({ checksum(type: ChunkType.full.rawValue, $0) }) == word(0) ? body : nil
    }
}
