import KernelABI

// Random tensors: what becomes of the words of Philox (see there).

/// Elements of the stream in groups of 64 (`per` per block), aligned in the stream. `group` gives a group's
/// values, stored to 64 (or 32) scalars; whole groups go straight to y, the ends through a buffer.
@inline(__always)
func eachGroup<T>(
    _: T.Type, _ n: Int, _ offset: UInt64, _ per: Int, _ y: UnsafeMutablePointer<T>,
    _ group: (_ firstBlock: UInt64, _ out: UnsafeMutablePointer<T>) -> Void
) {
    let size = 16 &* per
    var i = 0
    var buffer = (SIMD64<UInt32>(), SIMD64<UInt32>())
    withUnsafeMutableBytes(of: &buffer) { buffer in
        let b = buffer.baseAddress!.assumingMemoryBound(to: T.self)
        while i < n {
            let e = offset &+ UInt64(i)
            let skip = Int(e % UInt64(size))
            let firstBlock = (e &- UInt64(skip)) / UInt64(per)
            let count = min(size &- skip, n &- i)
            if count == size {
                group(firstBlock, y + i)
            } else {
                group(firstBlock, b)
                for j in 0..<count { y[i &+ j] = b[skip &+ j] }
            }
            i &+= count
        }
    }
}

/// Four vectors of words as 64 consecutive ones: word w of lane l to 4 l + w.
@inline(__always)
func interleave(_ a: Words, _ b: Words, _ c: Words, _ d: Words) -> (Words, Words, Words, Words) {
    let acLow = zipLow(a, c), acHigh = zipHigh(a, c), bdLow = zipLow(b, d), bdHigh = zipHigh(b, d)
    return (zipLow(acLow, bdLow), zipHigh(acLow, bdLow), zipLow(acHigh, bdHigh), zipHigh(acHigh, bdHigh))
}

@inline(__always)
func pairs(_ low: Words, _ high: Words) -> (SIMD8<UInt64>, SIMD8<UInt64>) {
    let l = SIMD16<UInt64>(truncatingIfNeeded: low)
    let h = SIMD16<UInt64>(truncatingIfNeeded: high) &<< SIMD16(repeating: 32)
    let r = l | h
    return (r.lowHalf, r.highHalf)
}

/// The 64-bit elements 2 l and 2 l + 1 of lanes l, for lanes 0 ..< 8 and 8 ..< 16.
@inline(__always)
func doubleWords(_ seed: UInt64, _ block: UInt64) -> (even: (SIMD8<UInt64>, SIMD8<UInt64>), odd: (SIMD8<UInt64>, SIMD8<UInt64>)) {
    let (a, b, c, d) = philox(seed, block)
    return (pairs(a, b), pairs(c, d))
}

/// In 0 ..< 1, 24 bits.
@inline(__always)
func unitFloat(_ w: Words) -> FloatLanes {
    FloatLanes(v: kernel_float_i32(SIMD16<Int32>(truncatingIfNeeded: w &>> SIMD16(repeating: 8)))) * 0x1p-24
}

/// In 0 ..< 1, 53 bits: the high 52 as a mantissa in 1 ..< 2, then the last one.
@inline(__always)
func unitDouble(_ w: SIMD8<UInt64>) -> DoubleLanes {
    let top = DoubleLanes(bits: (w &>> SIMD8(repeating: 12)) | 0x3ff0_0000_0000_0000) - 1.0
    let last = DoubleLanes(bits: ((w &>> SIMD8(repeating: 11)) & 1) &* 0x3ca0_0000_0000_0000)
    return top + last
}

func uniform(
    _ dtype: Int32, _ n: Int, _ seed: UInt64, _ offset: UInt64, _ low: Double, _ high: Double, _ y: UnsafeMutableRawPointer
) {
    if Int(dtype) == KERNEL_F32 {
        let a = FloatLanes(low)
        let b = FloatLanes(high)
        let width = b - a
        eachGroup(Float.self, n, offset, 4, y.assumingMemoryBound(to: Float.self)) { block, out in
            let (c0, c1, c2, c3) = philox(seed, block)
            let (w0, w1, w2, w3) = interleave(c0, c1, c2, c3)
            inRange(FloatLanes.fma(unitFloat(w0), width, a), a, b).store(out)
            inRange(FloatLanes.fma(unitFloat(w1), width, a), a, b).store(out + 16)
            inRange(FloatLanes.fma(unitFloat(w2), width, a), a, b).store(out + 32)
            inRange(FloatLanes.fma(unitFloat(w3), width, a), a, b).store(out + 48)
        }
    } else {
        let a = DoubleLanes(low)
        let b = DoubleLanes(high)
        let width = b - a
        eachGroup(Double.self, n, offset, 2, y.assumingMemoryBound(to: Double.self)) { block, out in
            let (even, odd) = doubleWords(seed, block)
            inRange(DoubleLanes.fma(unitDouble(zipLow(even.0, odd.0)), width, a), a, b).store(out)
            inRange(DoubleLanes.fma(unitDouble(zipHigh(even.0, odd.0)), width, a), a, b).store(out + 8)
            inRange(DoubleLanes.fma(unitDouble(zipLow(even.1, odd.1)), width, a), a, b).store(out + 16)
            inRange(DoubleLanes.fma(unitDouble(zipHigh(even.1, odd.1)), width, a), a, b).store(out + 24)
        }
    }
}

/// Rounding may reach the upper bound, which does not belong to the interval.
@inline(__always)
func inRange<V: Vector>(_ x: V, _ low: V, _ high: V) -> V { V.select(V.less(x, high), x, low) }

/// Box and Muller: two uniform numbers, the first in (0, 1], to two normal ones.
@inline(__always)
func normalPair(_ a: FloatLanes, _ b: FloatLanes) -> (FloatLanes, FloatLanes) {
    let r = (FloatLanes.log(a) * -2.0).squareRoot
    let low = turn(b.low)
    let high = turn(b.high)
    return (r * FloatLanes(low: low.cos, high: high.cos), r * FloatLanes(low: low.sin, high: high.sin))
}
@inline(__always)
func normalPair(_ a: DoubleLanes, _ b: DoubleLanes) -> (DoubleLanes, DoubleLanes) {
    let r = (DoubleLanes.log(a) * -2.0).squareRoot
    let t = turn(b)
    return (r * t.cos, r * t.sin)
}

/// cos and sin of 2 pi u.
@inline(__always)
func turn(_ u: DoubleLanes) -> (cos: DoubleLanes, sin: DoubleLanes) {
    let n = DoubleLanes.nearest(u * 4.0)
    let x = DoubleLanes.fma(u, 4.0, n.negated) * 0x1.921fb54442d18p+0
    let q = (n + 0x1.8p52).bits
    let s = DoubleLanes.sinSeries(x, 0.0)
    let c = DoubleLanes.cosSeries(x, 0.0)
    let odd = DoubleLanes.less(1.0, DoubleLanes(bits: (q & 1) &<< SIMD8(repeating: 62)))
    let sine = DoubleLanes.select(odd, c, s)
    let cosine = DoubleLanes.select(odd, s, c)
    return (
        DoubleLanes(bits: cosine.bits ^ (((q &+ 1) & 2) &<< SIMD8(repeating: 62))),
        DoubleLanes(bits: sine.bits ^ ((q & 2) &<< SIMD8(repeating: 62)))
    )
}

func normal(
    _ dtype: Int32, _ n: Int, _ seed: UInt64, _ offset: UInt64, _ mean: Double, _ std: Double, _ y: UnsafeMutableRawPointer
) {
    if Int(dtype) == KERNEL_F32 {
        let m = FloatLanes(mean)
        let s = FloatLanes(std)
        eachGroup(Float.self, n, offset, 4, y.assumingMemoryBound(to: Float.self)) { block, out in
            let (c0, c1, c2, c3) = philox(seed, block)
            let p = normalPair(unitFloat(c0) + 0x1p-24, unitFloat(c1))
            let q = normalPair(unitFloat(c2) + 0x1p-24, unitFloat(c3))
            let (w0, w1, w2, w3) = interleave(p.0.bits, p.1.bits, q.0.bits, q.1.bits)
            FloatLanes.fma(FloatLanes(bits: w0), s, m).store(out)
            FloatLanes.fma(FloatLanes(bits: w1), s, m).store(out + 16)
            FloatLanes.fma(FloatLanes(bits: w2), s, m).store(out + 32)
            FloatLanes.fma(FloatLanes(bits: w3), s, m).store(out + 48)
        }
    } else {
        let m = DoubleLanes(mean)
        let s = DoubleLanes(std)
        eachGroup(Double.self, n, offset, 2, y.assumingMemoryBound(to: Double.self)) { block, out in
            let (even, odd) = doubleWords(seed, block)
            for half in 0..<2 {
                let p = normalPair(unitDouble(half == 0 ? even.0 : even.1) + 0x1p-53, unitDouble(half == 0 ? odd.0 : odd.1))
                let at = out + 16 &* half
                DoubleLanes.fma(DoubleLanes(bits: zipLow(p.0.bits, p.1.bits)), s, m).store(at)
                DoubleLanes.fma(DoubleLanes(bits: zipHigh(p.0.bits, p.1.bits)), s, m).store(at + 8)
            }
        }
    }
}

func randomBits(_ n: Int, _ seed: UInt64, _ offset: UInt64, _ y: UnsafeMutablePointer<UInt64>) {
    eachGroup(UInt64.self, n, offset, 2, y) { block, out in
        let (even, odd) = doubleWords(seed, block)
        let to = UnsafeMutableRawPointer(out)
        to.storeBytes(of: zipLow(even.0, odd.0), as: SIMD8<UInt64>.self)
        (to + 64).storeBytes(of: zipHigh(even.0, odd.0), as: SIMD8<UInt64>.self)
        (to + 128).storeBytes(of: zipLow(even.1, odd.1), as: SIMD8<UInt64>.self)
        (to + 192).storeBytes(of: zipHigh(even.1, odd.1), as: SIMD8<UInt64>.self)
    }
}

/// mask[i] = word >= p 2^32 and y[i] = mask[i] ? x[i] * scale : 0. The words, and so the mask, are the same for both dtypes.
@inline(__always)
func dropout<V: Vector>(
    _: V.Type, _ n: Int, _ seed: UInt64, _ offset: UInt64, _ p: Double, _ scale: Double, _ x: UnsafeRawPointer,
    _ y: UnsafeMutableRawPointer, _ mask: UnsafeMutablePointer<UInt8>
) {
    let limit = p >= 1 ? UInt64(1) << 32 : UInt64(p * 0x1p32)
    if limit > UInt64(UInt32.max) {
        for i in 0..<n { mask[i] = 0 }
    } else {
        let least = Words(repeating: UInt32(limit))
        eachGroup(UInt8.self, n, offset, 4, mask) { block, out in
            let (c0, c1, c2, c3) = philox(seed, block)
            let (w0, w1, w2, w3) = interleave(c0, c1, c2, c3)
            let to = UnsafeMutableRawPointer(out)
            to.storeBytes(of: kept(w0, least), as: SIMD16<UInt8>.self)
            (to + 16).storeBytes(of: kept(w1, least), as: SIMD16<UInt8>.self)
            (to + 32).storeBytes(of: kept(w2, least), as: SIMD16<UInt8>.self)
            (to + 48).storeBytes(of: kept(w3, least), as: SIMD16<UInt8>.self)
        }
    }
    let s = V(scale)
    let xs = x.assumingMemoryBound(to: V.Scalar.self)
    let ys = y.assumingMemoryBound(to: V.Scalar.self)
    var i = 0
    while i < n {
        let count = min(V.lanes, n &- i)
        storeSome(V.keep(loadSome(xs + i, count, V(0.0)) * s, mask + i, count), ys + i, count)
        i &+= V.lanes
    }
}

@inline(__always)
func kept(_ w: Words, _ least: Words) -> SIMD16<UInt8> {
    SIMD16<UInt8>(truncatingIfNeeded: Words(repeating: 0).replacing(with: Words(repeating: 1), where: w .>= least))
}

extension FloatLanes {
    /// x where the mask byte is not 0, else 0.
    @inline(__always) static func keep(_ x: Self, _ mask: UnsafePointer<UInt8>, _ count: Int) -> Self {
        var m = SIMD16<UInt8>()
        if count >= 16 { m = UnsafeRawPointer(mask).loadUnaligned(as: SIMD16<UInt8>.self) } else { for i in 0..<count { m[i] = mask[i] } }
        return Self(bits: x.bits & (SIMD16(repeating: 0) &- kernel_words(m)))
    }
}

extension DoubleLanes {
    @inline(__always) static func keep(_ x: Self, _ mask: UnsafePointer<UInt8>, _ count: Int) -> Self {
        var m = SIMD8<UInt8>()
        if count >= 8 { m = UnsafeRawPointer(mask).loadUnaligned(as: SIMD8<UInt8>.self) } else { for i in 0..<count { m[i] = mask[i] } }
        return Self(bits: x.bits & (SIMD8(repeating: 0) &- kernel_long_words(m)))
    }
}

func dropout(
    _ dtype: Int32, _ n: Int, _ seed: UInt64, _ offset: UInt64, _ p: Double, _ scale: Double, _ x: UnsafeRawPointer,
    _ y: UnsafeMutableRawPointer, _ mask: UnsafeMutablePointer<UInt8>
) {
    if Int(dtype) == KERNEL_F32 {
        dropout(FloatLanes.self, n, seed, offset, p, scale, x, y, mask)
    } else {
        dropout(DoubleLanes.self, n, seed, offset, p, scale, x, y, mask)
    }
}

@inline(__always)
func maskScale<V: Vector>(
    _: V.Type, _ n: Int, _ scale: Double, _ x: UnsafeRawPointer, _ mask: UnsafePointer<UInt8>, _ y: UnsafeMutableRawPointer
) {
    let s = V(scale)
    let xs = x.assumingMemoryBound(to: V.Scalar.self)
    let ys = y.assumingMemoryBound(to: V.Scalar.self)
    var i = 0
    while i < n {
        let count = min(V.lanes, n &- i)
        storeSome(loadSome(xs + i, count, V(0.0)) * V.keep(s, mask + i, count), ys + i, count)
        i &+= V.lanes
    }
}

func maskScale(
    _ dtype: Int32, _ n: Int, _ scale: Double, _ x: UnsafeRawPointer, _ mask: UnsafePointer<UInt8>, _ y: UnsafeMutableRawPointer
) {
    if Int(dtype) == KERNEL_F32 {
        maskScale(FloatLanes.self, n, scale, x, mask, y)
    } else {
        maskScale(DoubleLanes.self, n, scale, x, mask, y)
    }
}
