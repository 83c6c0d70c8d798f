// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"). A block of four
// 32-bit words is a function of (counter, seed) alone. Element e = offset + i of a stream takes word
// e mod 4 of block e / 4 (64-bit elements: half e mod 2 of block e / 2), whoever computes it.

typealias Words = SIMD16<UInt32>

/// Eight blocks, a word in the lower half of each 64-bit lane. What a product leaves in the upper halves is never looked at: a
/// multiplication of lower halves is one instruction that takes no notice of them.
struct PhiloxBlocks {
    var c0: SIMD8<UInt64>, c1: SIMD8<UInt64>
    var c2 = SIMD8<UInt64>(repeating: 0), c3 = SIMD8<UInt64>(repeating: 0)

    /// Blocks first ..< first + 8.
    @inline(__always)
    init(_ first: UInt64) {
        c0 = SIMD8<UInt64>(repeating: first) &+ SIMD8<UInt64>(0, 1, 2, 3, 4, 5, 6, 7)
        c1 = c0 &>> SIMD8(repeating: 32)
    }

    @inline(__always)
    mutating func round(_ k0: UInt32, _ k1: UInt32) {
        let lower = SIMD8<UInt64>(repeating: 0xffff_ffff), half = SIMD8<UInt64>(repeating: 32)
        let p = (c0 & lower) &* SIMD8(repeating: 0xd251_1f53)
        let q = (c2 & lower) &* SIMD8(repeating: 0xcd9e_8d57)
        c0 = (q &>> half) ^ c1 ^ SIMD8(repeating: UInt64(k0))
        c1 = q
        c2 = (p &>> half) ^ c3 ^ SIMD8(repeating: UInt64(k1))
        c3 = p
    }
}

@inline(__always)
func lowerHalves(_ a: SIMD8<UInt64>, _ b: SIMD8<UInt64>) -> Words {
    Words(truncatingIfNeeded: SIMD16<UInt64>(lowHalf: a, highHalf: b))
}

/// Blocks first ..< first + 16, one per lane.
@inline(__always)
func philox(_ seed: UInt64, _ first: UInt64) -> (Words, Words, Words, Words) {
    var a = PhiloxBlocks(first), b = PhiloxBlocks(first &+ 8)
    var k0 = UInt32(truncatingIfNeeded: seed)
    var k1 = UInt32(truncatingIfNeeded: seed >> 32)
    for _ in 0..<10 {
        a.round(k0, k1)
        b.round(k0, k1)
        k0 &+= 0x9e37_79b9
        k1 &+= 0xbb67_ae85
    }
    return (lowerHalves(a.c0, b.c0), lowerHalves(a.c1, b.c1), lowerHalves(a.c2, b.c2), lowerHalves(a.c3, b.c3))
}
