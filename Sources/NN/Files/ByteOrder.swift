/// Swaps the bytes of `count` elements of `size` bytes in place; most file formats have one order,
/// this machine the other.
func swapBytes(_ bytes: UnsafeMutableRawPointer, count: Int, size: Int) {
    switch size {
    case 2:
        let p = bytes.assumingMemoryBound(to: UInt16.self)
        for i in 0..<count { p[i] = p[i].byteSwapped }
    case 4:
        let p = bytes.assumingMemoryBound(to: UInt32.self)
        for i in 0..<count { p[i] = p[i].byteSwapped }
    case 8:
        let p = bytes.assumingMemoryBound(to: UInt64.self)
        for i in 0..<count { p[i] = p[i].byteSwapped }
    default: break
    }
}

extension FixedWidthInteger {
    /// The integer at the front of `bytes`, least significant byte first.
    init(littleEndian bytes: some Sequence<UInt8>) {
        var value: Self = 0
        for (i, byte) in bytes.prefix(Self.bitWidth / 8).enumerated() { value |= Self(truncatingIfNeeded: byte) << Self(i * 8) }
        self = value
    }

    /// The integer at the front of `bytes`, most significant byte first.
    init(bigEndian bytes: some Sequence<UInt8>) {
        var value: Self = 0
        for byte in bytes.prefix(Self.bitWidth / 8) { value = value << 8 | Self(truncatingIfNeeded: byte) }
        self = value
    }

    var littleEndianBytes: [UInt8] { (0..<(Self.bitWidth / 8)).map { UInt8(truncatingIfNeeded: self >> Self($0 * 8)) } }
    var bigEndianBytes: [UInt8] { littleEndianBytes.reversed() }
}
