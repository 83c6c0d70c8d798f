// exp, expm1 and 2^x. All reduce x = k ln 2 + r with |r| <= ln 2 / 2 and sum the Taylor series of
// exp(r) - 1; the coefficients are 1 / n!. ln 2 is split in two parts, the first with trailing
// zeros, so that k times it is exact.

extension FloatLanes {
    /// x rounded to an integer (half to even); |x| < 2^22.
    @inline(__always) static func nearest(_ x: Self) -> Self { (x + 0x1.8p23) - 0x1.8p23 }
    /// 2^k for an integral k in -126 ... 127.
    @inline(__always) static func powerOfTwo(_ k: Self) -> Self {
        Self(bits: ((k + 0x1.8p23).bits &+ SIMD16(repeating: 127)) &<< SIMD16(repeating: 23))
    }
    /// exp(r) - 1 for |r| <= 0.35.
    @inline(__always) static func expm1Series(_ r: Self) -> Self {
        var p: Self = fma(0x1.a01a02p-13, r, 0x1.6c16c2p-10)
        p = fma(p, r, 0x1.111112p-7)
        p = fma(p, r, 0x1.555556p-5)
        p = fma(p, r, 0x1.555556p-3)
        p = fma(p, r, 0.5)
        return fma(r * r, p, r)
    }
    @inline(__always) static func inlineExp(_ x: Self) -> Self {
        // Beyond these the result is 0 or infinity anyway.
        let c = select(less(x, -104.0), -104.0, select(less(89.0, x), 89.0, x))
        let k = nearest(c * 0x1.715476p+0)
        let r = fma(k, -0x1.7f7d1cp-20, fma(k, -0x1.62e4p-1, c))
        // 2^k in two factors: k alone may be outside the exponents of a normal number.
        let half = nearest(k * 0.5)
        return (expm1Series(r) + 1.0) * powerOfTwo(half) * powerOfTwo(k - half)
    }
    @inline(__always) static func inlineExpm1(_ x: Self) -> Self {
        let c = select(less(x, -20.0), -20.0, select(less(89.0, x), 89.0, x))
        let k = nearest(c * 0x1.715476p+0)
        let r = fma(k, -0x1.7f7d1cp-20, fma(k, -0x1.62e4p-1, c))
        // 2^(k - 1) stays finite; for k = 0 the series comes out unchanged.
        let s = powerOfTwo(k - 1.0)
        let y = fma(s, expm1Series(r), s - 0.5) * 2.0
        return select(equal(x, 0.0), x, y)
    }
}

extension DoubleLanes {
    /// x rounded to an integer (half to even); |x| < 2^51.
    @inline(__always) static func nearest(_ x: Self) -> Self { (x + 0x1.8p52) - 0x1.8p52 }
    /// 2^k for an integral k in -1022 ... 1023.
    @inline(__always) static func powerOfTwo(_ k: Self) -> Self {
        Self(bits: ((k + 0x1.8p52).bits &+ SIMD8(repeating: 1023)) &<< SIMD8(repeating: 52))
    }
    /// exp(r) - 1 for |r| <= 0.35.
    @inline(__always) static func expm1Series(_ r: Self) -> Self {
        var p: Self = fma(0x1.93974a8c07c9dp-37, r, 0x1.6124613a86d09p-33)
        p = fma(p, r, 0x1.1eed8eff8d898p-29)
        p = fma(p, r, 0x1.ae64567f544e4p-26)
        p = fma(p, r, 0x1.27e4fb7789f5cp-22)
        p = fma(p, r, 0x1.71de3a556c734p-19)
        p = fma(p, r, 0x1.a01a01a01a01ap-16)
        p = fma(p, r, 0x1.a01a01a01a01ap-13)
        p = fma(p, r, 0x1.6c16c16c16c17p-10)
        p = fma(p, r, 0x1.1111111111111p-7)
        p = fma(p, r, 0x1.5555555555555p-5)
        p = fma(p, r, 0x1.5555555555555p-3)
        p = fma(p, r, 0.5)
        return fma(r * r, p, r)
    }
    @inline(__always) static func exp(_ x: Self) -> Self { exp(x, 0.0) }
    /// exp(x + low) for a small correction `low`.
    @inline(__always) static func inlineExp(_ x: Self, _ low: Self) -> Self {
        let c = select(less(x, -746.0), -746.0, select(less(710.0, x), 710.0, x))
        let k = nearest(c * 0x1.71547652b82fep+0)
        let r = fma(k, -0x1.473de6af278edp-34, fma(k, -0x1.62e42fefp-1, c)) + low
        let half = nearest(k * 0.5)
        return (expm1Series(r) + 1.0) * powerOfTwo(half) * powerOfTwo(k - half)
    }
    @inline(__always) static func inlineExpm1(_ x: Self) -> Self {
        let c = select(less(x, -40.0), -40.0, select(less(710.0, x), 710.0, x))
        let k = nearest(c * 0x1.71547652b82fep+0)
        let r = fma(k, -0x1.473de6af278edp-34, fma(k, -0x1.62e42fefp-1, c))
        let s = powerOfTwo(k - 1.0)
        let y = fma(s, expm1Series(r), s - 0.5) * 2.0
        return select(equal(x, 0.0), x, y)
    }
    @inline(__always) static func inlineExp2(_ x: Self) -> Self {
        let c = select(less(x, -1080.0), -1080.0, select(less(1025.0, x), 1025.0, x))
        let k = nearest(c)
        let r = (c - k) * 0x1.62e42fefa39efp-1
        let half = nearest(k * 0.5)
        return (expm1Series(r) + 1.0) * powerOfTwo(half) * powerOfTwo(k - half)
    }
    @inline(__always) static func inlineSinh(_ x: Self) -> Self {
        let a = x.magnitude
        let e = expm1(a)
        let small = 0.5 * (e + e / (e + 1.0))
        // exp(a) overflows before sinh(a) does.
        let h = exp(a * 0.5)
        let y = select(less(a, 40.0), small, (0.5 * h) * h)
        return y.signed(as: x)
    }
    @inline(__always) static func inlineCosh(_ x: Self) -> Self {
        let a = x.magnitude
        let h = exp(a * 0.5)
        let e = exp(a)
        return select(less(a, 40.0), fma(0.5, e, 0.5 / e), (0.5 * h) * h)
    }
}

extension Vector where Self: ExpressibleByFloatLiteral {
    @inline(__always) static func tanh(_ x: Self) -> Self {
        let e = expm1(x.magnitude * Self(-2.0))
        return (e.negated / (e + Self(2.0))).signed(as: x)
    }
    @inline(__always) static func sigmoid(_ x: Self) -> Self {
        let e = exp(x.magnitude.negated)
        return select(less(x, Self(0.0)), e, Self(1.0)) / (e + Self(1.0))
    }
    /// x * sigmoid(x): NaN at minus infinity, as in PyTorch.
    @inline(__always) static func silu(_ x: Self) -> Self { x * sigmoid(x) }
    /// log(1 + exp(beta x)) / beta, x itself where beta x > threshold.
    @inline(__always) static func softplus(_ x: Self, _ beta: Self, _ threshold: Self) -> Self {
        let z = x * beta
        let positive = select(less(z, Self(0.0)), Self(0.0), z)
        let y = (positive + log1p(exp(z.magnitude.negated))) / beta
        return select(less(threshold, z), x, select(x.isNaN, x, y))
    }
    @inline(__always) static func elu(_ x: Self, _ alpha: Self) -> Self {
        select(less(Self(0.0), x), x, select(x.isNaN, x, alpha * expm1(x)))
    }
    /// 1 - Phi(|x|) = erfc(|x| / sqrt(2)) / 2, which has no cancellation.
    @inline(__always) static func normalTail(_ x: Self) -> Self {
        let a = select(less(Self(39.0), x.magnitude), Self(39.0), x.magnitude)
        let z = a * Self(0x1.6a09e667f3bcdp-1)
        let s = a * a
        return Self(0.5) * erfcTail(z, Self(0.5) * s, Self(0.5) * fma(a, a, s.negated))
    }
    @inline(__always) static func gelu(_ x: Self) -> Self {
        // x - x * h is x * (1 - h).
        let h = normalTail(x)
        // At minus infinity PyTorch's product is NaN.
        let negative = select(equal(x, infinity.negated), x + infinity, x * h)
        return select(less(Self(0.0), x), select(equal(x, infinity), x, fma(x.negated, h, x)), negative)
    }
    /// d gelu / dx = Phi(x) + x phi(x).
    @inline(__always) static func geluSlope(_ x: Self) -> Self {
        let h = normalTail(x)
        let cdf = select(less(Self(0.0), x), Self(1.0) - h, h)
        let density = exp(x * x * Self(-0.5)) * Self(0x1.9884533d43651p-2)
        let tail = select(equal(x.magnitude, infinity), Self(0.0), x * density)
        return cdf + tail
    }
    /// 0.5 x (1 + tanh(u)) = x sigmoid(2 u) with u = sqrt(2 / pi) (x + 0.044715 x^3).
    @inline(__always) static func geluTanh(_ x: Self) -> Self {
        let inner = fma(x * x, x * Self(0.044715), x) * Self(0x1.9884533d43651p+0)
        return x * sigmoid(inner)
    }
    @inline(__always) static func geluTanhSlope(_ x: Self) -> Self {
        let inner = fma(x * x, x * Self(0.044715), x) * Self(0x1.9884533d43651p+0)
        let s = sigmoid(inner)
        let slope = fma(x * x, Self(0.134145), Self(1.0)) * Self(0x1.9884533d43651p+0)
        let tail = (s * (Self(1.0) - s)) * slope
        return s + select(less(Self(1e4), x.magnitude), Self(0.0), x * tail)
    }
    @inline(__always) static func siluSlope(_ x: Self) -> Self {
        let s = sigmoid(x)
        return s + select(less(Self(1e4), x.magnitude), Self(0.0), x * (s * (Self(1.0) - s)))
    }
}
