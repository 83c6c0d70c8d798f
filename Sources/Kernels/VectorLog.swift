import KernelABI

// Logarithms: x = 2^e m with m in [sqrt(1/2), sqrt(2)), f = m - 1, s = f / (2 + f) and
// log(m) = 2 atanh(s) = 2 s + s^3 (2/3 + 2/5 s^2 + 2/7 s^4 + ...), |s| <= 0.1716.

extension FloatLanes {
    /// Exponent and f of a positive normal x.
    @inline(__always) static func split(_ x: Self) -> (e: Self, f: Self) {
        // Adding the distance from sqrt(1/2) to 1 moves the exponent's step to sqrt(1/2).
        let shifted = x.bits &+ SIMD16(repeating: 0x3f80_0000 &- 0x3f35_04f3)
        let e = unsafeBitCast(shifted &>> SIMD16(repeating: 23), to: SIMD16<Int32>.self) &- SIMD16(repeating: 127)
        let m = (shifted & 0x007f_ffff) &+ SIMD16(repeating: 0x3f35_04f3)
        return (Self(v: kernel_float_i32(e)), Self(bits: m) - 1.0)
    }
    /// log(1 + f) given s = f / (2 + f), as f - (f^2/2 - s (f^2/2 + s^2 (2/3 + ...))).
    @inline(__always) static func logSeries(_ f: Self) -> Self {
        let s = f / (f + 2.0)
        let z = s * s
        var p: Self = fma(0x1.745d18p-3, z, 0x1.c71c72p-3)
        p = fma(p, z, 0x1.24924ap-2)
        p = fma(p, z, 0x1.99999ap-2)
        p = fma(p, z, 0x1.555556p-1)
        let h = f * f * 0.5
        return h - s * fma(z, p, h)
    }
    @inline(__always) static func inlineLog(_ x: Self) -> Self {
        let tiny = less(x, 0x1p-126)
        let (e0, f) = split(select(tiny, x * 0x1p24, x))
        let e = e0 - select(tiny, 24.0, 0.0)
        let y = fma(e, 0x1.62e4p-1, f - (logSeries(f) - e * 0x1.7f7d1cp-20))
        return logEdges(x, y)
    }
    @inline(__always) static func logEdges(_ x: Self, _ y: Self) -> Self {
        let finite = select(equal(x, infinity), x, y)
        return select(less(0.0, x), finite, select(equal(x, 0.0), infinity.negated, select(x.isNaN, x, nan)))
    }
    @inline(__always) static func inlineLog1p(_ x: Self) -> Self {
        let u = x + 1.0
        let (e, f) = split(select(less(u, 0x1p-126), 1.0, u))
        // What was lost in 1 + x.
        let lost = select(less(1.0, x), 1.0 - (u - x), x - (u - 1.0)) / u
        let correction = select(less(0x1p24, u), 0.0, lost)
        let y = fma(e, 0x1.62e4p-1, f - (logSeries(f) - fma(e, 0x1.7f7d1cp-20, correction)))
        let small = less(x.magnitude, 0x1p-24)
        return select(small, x, logEdges(u, y))
    }
}

extension DoubleLanes {
    @inline(__always) static func split(_ x: Self) -> (e: Self, f: Self) {
        let shifted = x.bits &+ SIMD8(repeating: 0x3ff0_0000_0000_0000 &- 0x3fe6_a09e_667f_3bcd)
        // A biased exponent becomes a double by writing it into the low bits of 2^52.
        let e = Self(bits: (shifted &>> SIMD8(repeating: 52)) | 0x4330_0000_0000_0000) - 0x1.00000000003ffp52
        let m = (shifted & 0x000f_ffff_ffff_ffff) &+ SIMD8(repeating: 0x3fe6_a09e_667f_3bcd)
        return (e, Self(bits: m) - 1.0)
    }
    /// 2/5 + 2/7 z + 2/9 z^2 + ...
    @inline(__always) static func atanhTail(_ z: Self) -> Self {
        var p: Self = fma(0x1.642c8590b2164p-4, z, 0x1.8618618618618p-4)
        p = fma(p, z, 0x1.af286bca1af28p-4)
        p = fma(p, z, 0x1.e1e1e1e1e1e1ep-4)
        p = fma(p, z, 0x1.1111111111111p-3)
        p = fma(p, z, 0x1.3b13b13b13b14p-3)
        p = fma(p, z, 0x1.745d1745d1746p-3)
        p = fma(p, z, 0x1.c71c71c71c71cp-3)
        p = fma(p, z, 0x1.2492492492492p-2)
        return fma(p, z, 0x1.999999999999ap-2)
    }
    @inline(__always) static func logSeries(_ f: Self) -> Self {
        let s = f / (f + 2.0)
        let z = s * s
        let h = f * f * 0.5
        return h - s * fma(z, fma(atanhTail(z), z, 0x1.5555555555555p-1), h)
    }
    @inline(__always) static func logParts(_ x: Self) -> (e: Self, f: Self) {
        let tiny = less(x, 0x1p-1022)
        let (e, f) = split(select(tiny, x * 0x1p54, x))
        return (e - select(tiny, 54.0, 0.0), f)
    }
    @inline(__always) static func logEdges(_ x: Self, _ y: Self) -> Self {
        let finite = select(equal(x, infinity), x, y)
        return select(less(0.0, x), finite, select(equal(x, 0.0), infinity.negated, select(x.isNaN, x, nan)))
    }
    @inline(__always) static func inlineLog(_ x: Self) -> Self {
        let (e, f) = logParts(x)
        return logEdges(x, fma(e, 0x1.62e42fefp-1, f - (logSeries(f) - e * 0x1.473de6af278edp-34)))
    }
    @inline(__always) static func inlineLog2(_ x: Self) -> Self {
        let (e, f) = logParts(x)
        let l = f - logSeries(f)
        return logEdges(x, fma(l, 0x1.71547652b82fep+0, fma(l, 0x1.777d0ffda0d24p-56, e)))
    }
    @inline(__always) static func inlineLog10(_ x: Self) -> Self {
        let (e, f) = logParts(x)
        let l = f - logSeries(f)
        return logEdges(
            x, fma(e, 0x1.34413509p-2, fma(l, 0x1.bcb7b1526e50ep-2, fma(l, 0x1.95355baaafad3p-57, e * 0x1.ef3fde623e256p-35))))
    }
    @inline(__always) static func inlineLog1p(_ x: Self) -> Self {
        let u = x + 1.0
        let (e, f) = split(select(less(u, 0x1p-1022), 1.0, u))
        let lost = select(less(1.0, x), 1.0 - (u - x), x - (u - 1.0)) / u
        let correction = select(less(0x1p53, u), 0.0, lost)
        let y = fma(e, 0x1.62e42fefp-1, f - (logSeries(f) - fma(e, 0x1.473de6af278edp-34, correction)))
        return select(less(x.magnitude, 0x1p-53), x, logEdges(u, y))
    }
}
