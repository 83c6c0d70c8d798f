import KernelABI

// Square blocks transposed in registers: n rows of n lanes, log2(n) rounds of interleaving row i with
// row i + n/2. A round rotates the bits of (row, lane) by one; log2(n) rounds swap the two halves.

@inline(__always) func zipLow(_ a: SIMD16<UInt32>, _ b: SIMD16<UInt32>) -> SIMD16<UInt32> { kernel_zip_low_32(a, b) }
@inline(__always) func zipHigh(_ a: SIMD16<UInt32>, _ b: SIMD16<UInt32>) -> SIMD16<UInt32> { kernel_zip_high_32(a, b) }

struct Rows16 {
    var r0: SIMD16<UInt32>, r1: SIMD16<UInt32>, r2: SIMD16<UInt32>, r3: SIMD16<UInt32>
    var r4: SIMD16<UInt32>, r5: SIMD16<UInt32>, r6: SIMD16<UInt32>, r7: SIMD16<UInt32>
    var r8: SIMD16<UInt32>, r9: SIMD16<UInt32>, r10: SIMD16<UInt32>, r11: SIMD16<UInt32>
    var r12: SIMD16<UInt32>, r13: SIMD16<UInt32>, r14: SIMD16<UInt32>, r15: SIMD16<UInt32>

    @inline(__always) var interleaved: Rows16 {
        Rows16(
            r0: zipLow(r0, r8), r1: zipHigh(r0, r8),
            r2: zipLow(r1, r9), r3: zipHigh(r1, r9),
            r4: zipLow(r2, r10), r5: zipHigh(r2, r10),
            r6: zipLow(r3, r11), r7: zipHigh(r3, r11),
            r8: zipLow(r4, r12), r9: zipHigh(r4, r12),
            r10: zipLow(r5, r13), r11: zipHigh(r5, r13),
            r12: zipLow(r6, r14), r13: zipHigh(r6, r14),
            r14: zipLow(r7, r15), r15: zipHigh(r7, r15))
    }
    @inline(__always) var transposed: Rows16 { interleaved.interleaved.interleaved.interleaved }
    /// Row i is at x + i * stride (bytes); rows from `count` on read row 0.
    @inline(__always) static func load(_ x: UnsafeRawPointer, _ stride: Int, _ count: Int) -> Rows16 {
        Rows16(
            r0: (x).loadUnaligned(as: SIMD16<UInt32>.self),
            r1: (x + (count > 1 ? stride &* 1 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r2: (x + (count > 2 ? stride &* 2 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r3: (x + (count > 3 ? stride &* 3 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r4: (x + (count > 4 ? stride &* 4 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r5: (x + (count > 5 ? stride &* 5 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r6: (x + (count > 6 ? stride &* 6 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r7: (x + (count > 7 ? stride &* 7 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r8: (x + (count > 8 ? stride &* 8 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r9: (x + (count > 9 ? stride &* 9 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r10: (x + (count > 10 ? stride &* 10 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r11: (x + (count > 11 ? stride &* 11 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r12: (x + (count > 12 ? stride &* 12 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r13: (x + (count > 13 ? stride &* 13 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r14: (x + (count > 14 ? stride &* 14 : 0)).loadUnaligned(as: SIMD16<UInt32>.self),
            r15: (x + (count > 15 ? stride &* 15 : 0)).loadUnaligned(as: SIMD16<UInt32>.self))
    }
    /// Rows 0 ..< count to y, `stride` bytes apart, in ascending order.
    @inline(__always) func store(_ y: UnsafeMutableRawPointer, _ stride: Int, _ count: Int) {
        (y + stride &* 0).storeBytes(of: r0, as: SIMD16<UInt32>.self)
        if count > 1 { (y + stride &* 1).storeBytes(of: r1, as: SIMD16<UInt32>.self) }
        if count > 2 { (y + stride &* 2).storeBytes(of: r2, as: SIMD16<UInt32>.self) }
        if count > 3 { (y + stride &* 3).storeBytes(of: r3, as: SIMD16<UInt32>.self) }
        if count > 4 { (y + stride &* 4).storeBytes(of: r4, as: SIMD16<UInt32>.self) }
        if count > 5 { (y + stride &* 5).storeBytes(of: r5, as: SIMD16<UInt32>.self) }
        if count > 6 { (y + stride &* 6).storeBytes(of: r6, as: SIMD16<UInt32>.self) }
        if count > 7 { (y + stride &* 7).storeBytes(of: r7, as: SIMD16<UInt32>.self) }
        if count > 8 { (y + stride &* 8).storeBytes(of: r8, as: SIMD16<UInt32>.self) }
        if count > 9 { (y + stride &* 9).storeBytes(of: r9, as: SIMD16<UInt32>.self) }
        if count > 10 { (y + stride &* 10).storeBytes(of: r10, as: SIMD16<UInt32>.self) }
        if count > 11 { (y + stride &* 11).storeBytes(of: r11, as: SIMD16<UInt32>.self) }
        if count > 12 { (y + stride &* 12).storeBytes(of: r12, as: SIMD16<UInt32>.self) }
        if count > 13 { (y + stride &* 13).storeBytes(of: r13, as: SIMD16<UInt32>.self) }
        if count > 14 { (y + stride &* 14).storeBytes(of: r14, as: SIMD16<UInt32>.self) }
        if count > 15 { (y + stride &* 15).storeBytes(of: r15, as: SIMD16<UInt32>.self) }
    }
}

@inline(__always) func zipLow(_ a: SIMD8<UInt64>, _ b: SIMD8<UInt64>) -> SIMD8<UInt64> { kernel_zip_low_64(a, b) }
@inline(__always) func zipHigh(_ a: SIMD8<UInt64>, _ b: SIMD8<UInt64>) -> SIMD8<UInt64> { kernel_zip_high_64(a, b) }

struct Rows8 {
    var r0: SIMD8<UInt64>, r1: SIMD8<UInt64>, r2: SIMD8<UInt64>, r3: SIMD8<UInt64>
    var r4: SIMD8<UInt64>, r5: SIMD8<UInt64>, r6: SIMD8<UInt64>, r7: SIMD8<UInt64>

    @inline(__always) var interleaved: Rows8 {
        Rows8(
            r0: zipLow(r0, r4), r1: zipHigh(r0, r4),
            r2: zipLow(r1, r5), r3: zipHigh(r1, r5),
            r4: zipLow(r2, r6), r5: zipHigh(r2, r6),
            r6: zipLow(r3, r7), r7: zipHigh(r3, r7))
    }
    @inline(__always) var transposed: Rows8 { interleaved.interleaved.interleaved }
    /// Row i is at x + i * stride (bytes); rows from `count` on read row 0.
    @inline(__always) static func load(_ x: UnsafeRawPointer, _ stride: Int, _ count: Int) -> Rows8 {
        Rows8(
            r0: (x).loadUnaligned(as: SIMD8<UInt64>.self),
            r1: (x + (count > 1 ? stride &* 1 : 0)).loadUnaligned(as: SIMD8<UInt64>.self),
            r2: (x + (count > 2 ? stride &* 2 : 0)).loadUnaligned(as: SIMD8<UInt64>.self),
            r3: (x + (count > 3 ? stride &* 3 : 0)).loadUnaligned(as: SIMD8<UInt64>.self),
            r4: (x + (count > 4 ? stride &* 4 : 0)).loadUnaligned(as: SIMD8<UInt64>.self),
            r5: (x + (count > 5 ? stride &* 5 : 0)).loadUnaligned(as: SIMD8<UInt64>.self),
            r6: (x + (count > 6 ? stride &* 6 : 0)).loadUnaligned(as: SIMD8<UInt64>.self),
            r7: (x + (count > 7 ? stride &* 7 : 0)).loadUnaligned(as: SIMD8<UInt64>.self))
    }
    /// Rows 0 ..< count to y, `stride` bytes apart, in ascending order.
    @inline(__always) func store(_ y: UnsafeMutableRawPointer, _ stride: Int, _ count: Int) {
        (y + stride &* 0).storeBytes(of: r0, as: SIMD8<UInt64>.self)
        if count > 1 { (y + stride &* 1).storeBytes(of: r1, as: SIMD8<UInt64>.self) }
        if count > 2 { (y + stride &* 2).storeBytes(of: r2, as: SIMD8<UInt64>.self) }
        if count > 3 { (y + stride &* 3).storeBytes(of: r3, as: SIMD8<UInt64>.self) }
        if count > 4 { (y + stride &* 4).storeBytes(of: r4, as: SIMD8<UInt64>.self) }
        if count > 5 { (y + stride &* 5).storeBytes(of: r5, as: SIMD8<UInt64>.self) }
        if count > 6 { (y + stride &* 6).storeBytes(of: r6, as: SIMD8<UInt64>.self) }
        if count > 7 { (y + stride &* 7).storeBytes(of: r7, as: SIMD8<UInt64>.self) }
    }
}
