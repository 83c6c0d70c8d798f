// sin, cos, tan and the inverse functions, in double; float kernels widen, call these and narrow.

extension DoubleLanes {
    /// x = n pi/2 + high + low with |high| <= pi/4 (a little more at the edges) and n mod 4 as an integer.
    @inline(__always) static func reduceAngle(_ x: Self) -> (quadrant: SIMD8<UInt64>, high: Self, low: Self) {
        let near = select(less(x.magnitude, 0x1p20), x, 0.0)
        let n = nearest(near * 0x1.45f306dc9c883p-1)
        // pi/2 in three parts; the fused products are exact before their one rounding.
        let a = fma(n, -0x1.921fb54442d18p+0, near)
        let w = n * 0x1.1a62633145c07p-54
        let rest = fma(n, 0x1.1a62633145c07p-54, w.negated)
        var high = a - w
        var low = fma(n, 0x1.f1976b7ed8fbcp-110, ((a - high) - w) - rest)
        var quadrant = (n + 0x1.8p52).bits
        let far = either(less(0x1.fffffffffffffp19, x.magnitude), x.isNaN)
        if anyLane(far) {
            for lane in 0..<8 where !(x[lane].magnitude < 0x1p20) {
                let r = reduceHugeAngle(x[lane])
                quadrant[lane] = r.quadrant
                high[lane] = r.high
                low[lane] = r.low
            }
        }
        return (quadrant & 3, high, low)
    }
    /// sin(high + low), |high| <= pi/4: the Taylor series to x^17.
    @inline(__always) static func sinSeries(_ x: Self, _ low: Self) -> Self {
        let z = x * x
        var p: Self = fma(0x1.952c77030ad4ap-49, z, -0x1.ae7f3e733b81fp-41)
        p = fma(p, z, 0x1.6124613a86d09p-33)
        p = fma(p, z, -0x1.ae64567f544e4p-26)
        p = fma(p, z, 0x1.71de3a556c734p-19)
        p = fma(p, z, -0x1.a01a01a01a01ap-13)
        p = fma(p, z, 0x1.1111111111111p-7)
        p = fma(p, z, -0x1.5555555555555p-3)
        // sin(x + low) = sin x + low cos x.
        return x + fma(x * z, p, fma(z * -0.5, low, low))
    }
    /// cos(high + low): the Taylor series to x^16.
    @inline(__always) static func cosSeries(_ x: Self, _ low: Self) -> Self {
        let z = x * x
        var p: Self = fma(0x1.ae7f3e733b81fp-45, z, -0x1.93974a8c07c9dp-37)
        p = fma(p, z, 0x1.1eed8eff8d898p-29)
        p = fma(p, z, -0x1.27e4fb7789f5cp-22)
        p = fma(p, z, 0x1.a01a01a01a01ap-16)
        p = fma(p, z, -0x1.6c16c16c16c17p-10)
        p = fma(p, z, 0x1.5555555555555p-5)
        let h = z * 0.5
        let w = 1.0 - h
        // 1 - h loses (1 - w) - h; cos(x + low) = cos x - low sin x.
        return w + (((1.0 - w) - h) + fma(z * z, p, (x * low).negated))
    }
    /// sin(x + shift pi/2).
    @inline(__always) static func inlineSine(_ x: Self, shift: UInt64) -> Self {
        let (quadrant, high, low) = reduceAngle(x)
        let q = quadrant &+ SIMD8(repeating: shift)
        let odd = Self(bits: (q & 1) &<< SIMD8(repeating: 62))  // 2.0 or 0.0
        let y = select(less(1.0, odd), cosSeries(high, low), sinSeries(high, low))
        return Self(bits: y.bits ^ ((q & 2) &<< SIMD8(repeating: 62)))
    }
    @inline(__always) static func sin(_ x: Self) -> Self { select(equal(x, 0.0), x, sine(x, shift: 0)) }
    @inline(__always) static func cos(_ x: Self) -> Self { sine(x, shift: 1) }
    @inline(__always) static func inlineTan(_ x: Self) -> Self {
        let (quadrant, high, low) = reduceAngle(x)
        let odd = less(1.0, Self(bits: (quadrant & 1) &<< SIMD8(repeating: 62)))
        let s = sinSeries(high, low)
        let c = cosSeries(high, low)
        return select(equal(x, 0.0), x, select(odd, c.negated, s) / select(odd, s, c))
    }

    /// The angle of the point (x, y) with x, y >= 0, for x an angle from the x axis: atan(y / x) in 0 ... pi/2.
    ///
    /// t = (y - c x) / (x + c y) turns the point by atan(c), with c one of 0, 53/128, 1, 309/128 and
    /// infinity, so that |t| <= 0.199; then atan(t) is its Taylor series.
    @inline(__always) static func inlineAngle(_ y: Self, _ x: Self) -> (high: Self, low: Self) {
        let in1 = less(x * 0x1.973c3a494d08fp-3, y)
        let in2 = less(x * 0x1.560f49936e0c9p-1, y)
        let in3 = less(x * 0x1.7f1f34e2a3ba7p+0, y)
        let in4 = less(x * 0x1.41bb2b2bbe82ap+2, y)
        let c = select(in3, 2.4140625, select(in2, 1.0, select(in1, 0.4140625, 0.0)))
        let base = select(
            in4, 0x1.921fb54442d18p+0,
            select(in3, 0x1.2d9654c66566fp+0, select(in2, 0x1.921fb54442d18p-1, select(in1, 0x1.91fde7cd0c662p-2, 0.0))))
        let baseLow = select(
            in4, 0x1.1a62633145c07p-54,
            select(in3, 0x1.7bebc063c8655p-54, select(in2, 0x1.1a62633145c07p-55, select(in1, 0x1.1074188054b53p-56, 0.0))))
        let t = select(in4, x.negated, fma(c, x.negated, y)) / select(in4, y, fma(c, y, x))
        let z = t * t
        var p: Self = fma(-0x1.47ae147ae147bp-5, z, 0x1.642c8590b2164p-5)
        p = fma(p, z, -0x1.8618618618618p-5)
        p = fma(p, z, 0x1.af286bca1af28p-5)
        p = fma(p, z, -0x1.e1e1e1e1e1e1ep-5)
        p = fma(p, z, 0x1.1111111111111p-4)
        p = fma(p, z, -0x1.3b13b13b13b14p-4)
        p = fma(p, z, 0x1.745d1745d1746p-4)
        p = fma(p, z, -0x1.c71c71c71c71cp-4)
        p = fma(p, z, 0x1.2492492492492p-3)
        p = fma(p, z, -0x1.999999999999ap-3)
        p = fma(p, z, 0x1.5555555555555p-2)
        let high = base + t
        let low = ((base - high) + t) - fma(t * z, p, baseLow.negated)
        return (high, low)
    }
    @inline(__always) static func inlineAtan(_ x: Self) -> Self {
        let (high, low) = angle(x.magnitude, 1.0)
        let y = select(equal(x.magnitude, infinity), 0x1.921fb54442d18p+0, high + low)
        return select(equal(x, 0.0), x, y.signed(as: x))
    }
    @inline(__always) static func inlineAtan2(_ y: Self, _ x: Self) -> Self {
        // Infinities become 1, and with one the other becomes 0; extreme sizes are scaled to the middle.
        let yInf = equal(y.magnitude, infinity)
        let xInf = equal(x.magnitude, infinity)
        let inf = either(yInf, xInf)
        let ay = select(inf, select(yInf, 1.0, 0.0), y.magnitude)
        let ax = select(inf, select(xInf, 1.0, 0.0), x.magnitude)
        let top = select(less(ax, ay), ay, ax)
        let scale = select(less(0x1p1000, top), 0x1p-100, select(less(top, 0x1p-900), 0x1p100, 1.0))
        let (high, low) = angle(ay * scale, ax * scale)
        let zero = both(equal(ay, 0.0), equal(ax, 0.0))
        let h = select(zero, 0.0, high)
        let l = select(zero, 0.0, low)
        let left = equal(Self(1.0).signed(as: x), -1.0)
        let flippedHigh = Self(0x1.921fb54442d18p+1) - h
        let flippedLow = ((Self(0x1.921fb54442d18p+1) - flippedHigh) - h) + (Self(0x1.1a62633145c07p-53) - l)
        let r = select(left, flippedHigh + flippedLow, h + l).signed(as: y)
        return select(either(x.isNaN, y.isNaN), nan, r)
    }
    @inline(__always) static func inlineAsin(_ x: Self) -> Self {
        let a = x.magnitude
        let (high, low) = angle(a, ((1.0 - a) * (1.0 + a)).squareRoot)
        let y = select(less(1.0, a), nan, high + low).signed(as: x)
        return select(either(equal(x, 0.0), x.isNaN), x, y)
    }
    @inline(__always) static func inlineAcos(_ x: Self) -> Self {
        let a = x.magnitude
        let (h, l) = angle(((1.0 - a) * (1.0 + a)).squareRoot, a)
        let flippedHigh = Self(0x1.921fb54442d18p+1) - h
        let flippedLow = ((Self(0x1.921fb54442d18p+1) - flippedHigh) - h) + (Self(0x1.1a62633145c07p-53) - l)
        let y = select(less(x, 0.0), flippedHigh + flippedLow, h + l)
        return select(x.isNaN, x, select(less(1.0, a), nan, y))
    }
}

/// x = n pi/2 + high + low for any |x| >= 2^20 (infinity and NaN give NaN), after Payne and Hanek:
/// the product of x's 53-bit integer with the bits of 2/pi that matter, in integers.
@inline(never)
func reduceHugeAngle(_ x: Double) -> (quadrant: UInt64, high: Double, low: Double) {
    let bits = x.bitPattern
    let exponent = Int((bits >> 52) & 0x7ff)
    if exponent == 0x7ff { return (0, .nan, 0) }
    let mantissa = (bits & 0x000f_ffff_ffff_ffff) | 0x0010_0000_0000_0000
    // |x| = mantissa * 2^shift. Of 2/pi, bits above 2^(2 - shift) only add multiples of 4 quarter turns.
    let shift = exponent &- 1075
    let first = shift > 2 ? shift &- 2 : 0  // number of leading bits of 2/pi to leave out
    let word = first >> 6
    let bit = UInt64(first & 63)
    let w0 = twoOverPi(word), w1 = twoOverPi(word &+ 1), w2 = twoOverPi(word &+ 2), w3 = twoOverPi(word &+ 3)
    let a = bit == 0 ? w0 : (w0 << bit) | (w1 >> (64 &- bit))
    let b = bit == 0 ? w1 : (w1 << bit) | (w2 >> (64 &- bit))
    let c = bit == 0 ? w2 : (w2 << bit) | (w3 >> (64 &- bit))
    // mantissa * 0.abc as a 192-bit fixed point number, dropping what overflows.
    let cm = wideProduct(c, mantissa)
    let bm = wideProduct(b, mantissa)
    let am = a &* mantissa
    let (mid, carry0) = bm.low.addingReportingOverflow(cm.high)
    let top = am &+ bm.high &+ (carry0 ? 1 : 0)
    // The value's binary point: it is (top.mid.low / 2^192) * 2^(shift - first) in units of quarter turns,
    // for large x shift - first is 2, else shift itself (-32 ... 2). `whole` is the integer part.
    let up = shift &- first
    var h = top, m = mid, l = cm.low
    let whole = wideProduct(a, mantissa).high &+ carryOf(am, bm.high, carry0)
    var quarters: UInt64
    if up > 0 {
        let s = UInt64(up)
        quarters = (whole << s) | (h >> (64 &- s))
        h = (h << s) | (m >> (64 &- s))
        m = (m << s) | (l >> (64 &- s))
        l <<= s
    } else if up == 0 {
        quarters = whole
    } else {
        let s = UInt64(-up)
        quarters = whole >> s
        m = (m >> s) | (h << (64 &- s))
        h = (h >> s) | (whole << (64 &- s))
    }
    // Round to the nearest quarter turn, leaving a fraction in -1/2 ..< 1/2.
    let negative = h >> 63 == 1
    if negative {
        quarters &+= 1
        h = ~h
        m = ~m
    }
    // fraction = h.m / 2^128 in double-double.
    let lead = UInt64(h.leadingZeroBitCount)
    if h == 0 { return (quarters & 3, 0, 0) }
    let n0 = lead == 0 ? h : (h << lead) | (m >> (64 &- lead))
    let n1 = lead == 0 ? m : (m << lead)
    let unit = Double(bitPattern: UInt64(1023 &- 64 &- Int(lead)) << 52)
    let f0 = Double(n0 & ~0x7ff) * unit
    let f1 = (Double(n0 & 0x7ff) + Double(n1) * 0x1p-64) * unit
    // times pi/2
    let p = f0 * 0x1.921fb54442d18p+0
    let e = (-p).addingProduct(f0, 0x1.921fb54442d18p+0)
    let q = e + (f0 * 0x1.1a62633145c07p-54 + f1 * 0x1.921fb54442d18p+0)
    let high = p + q
    let low = (p - high) + q
    let flip = negative != (x < 0)
    let n = x < 0 ? 0 &- quarters : quarters
    return (n & 3, flip ? -high : high, flip ? -low : low)
}

@inline(__always)
func carryOf(_ a: UInt64, _ b: UInt64, _ carry: Bool) -> UInt64 {
    let (s, o) = a.addingReportingOverflow(b)
    return (o ? 1 : 0) &+ (carry && s == .max ? 1 : 0)
}

/// The 128-bit product, from four of 64 bits.
@inline(__always)
func wideProduct(_ a: UInt64, _ b: UInt64) -> (high: UInt64, low: UInt64) {
    let mask: UInt64 = 0xffff_ffff
    let low = (a & mask) &* (b & mask)
    let middle1 = (a >> 32) &* (b & mask) &+ (low >> 32)
    let middle2 = (a & mask) &* (b >> 32) &+ (middle1 & mask)
    return ((a >> 32) &* (b >> 32) &+ (middle1 >> 32) &+ (middle2 >> 32), a &* b)
}

/// 64-bit words of the fraction of 2/pi, most significant first.
@inline(__always)
func twoOverPi(_ word: Int) -> UInt64 {
    switch word {
    case 0: 0xa2f9_836e_4e44_1529
    case 1: 0xfc27_57d1_f534_ddc0
    case 2: 0xdb62_9599_3c43_9041
    case 3: 0xfe51_63ab_debb_c561
    case 4: 0xb724_6e3a_424d_d2e0
    case 5: 0x0649_2eea_09d1_921c
    case 6: 0xfe1d_eb1c_b129_a73e
    case 7: 0xe882_35f5_2ebb_4484
    case 8: 0xe99c_7026_b45f_7e41
    case 9: 0x3991_d639_8353_39f4
    case 10: 0x9c84_5f8b_bdf9_283b
    case 11: 0x1ff8_97ff_de05_980f
    case 12: 0xef2f_118b_5a0a_6d1f
    case 13: 0x6d36_7ecf_27cb_09b7
    case 14: 0x4f46_3f66_9e5f_ea2d
    case 15: 0x7527_bac7_ebe5_f17b
    case 16: 0x3d07_39f7_8a52_92ea
    case 17: 0x6bfb_5fb1_1f8d_5d08
    case 18: 0x5603_3046_fc7b_6bab
    default: 0xf0cf_bc20_9af4_361d
    }
}
