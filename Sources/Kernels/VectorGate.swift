// exp for the gates of recurrent layers: of what is not positive. The steps are those of VectorExp without the care that
// large and subnormal results want there. Inlined, so that the functions of all gates of a vector run side by side.

extension FloatLanes {
    /// exp(x) for x <= 0; 0 where that is all but subnormal.
    @inline(__always) static func gateExp(_ x: Self) -> Self {
        let c = select(less(x, -87.0), -87.0, x)
        let t = fma(c, 0x1.715476p+0, 0x1.8p23)
        let k = t - 0x1.8p23
        let r = fma(k, -0x1.7f7d1cp-20, fma(k, -0x1.62e4p-1, c))
        let s = Self(bits: (t.bits &+ SIMD16(repeating: 127)) &<< SIMD16(repeating: 23))
        return select(less(x, -87.0), 0.0, fma(expm1Series(r), s, s))
    }
    /// exp(x) - 1 for x <= 0.
    @inline(__always) static func gateExpm1(_ x: Self) -> Self {
        let c = select(less(x, -20.0), -20.0, x)
        let t = fma(c, 0x1.715476p+0, 0x1.8p23)
        let k = t - 0x1.8p23
        let r = fma(k, -0x1.7f7d1cp-20, fma(k, -0x1.62e4p-1, c))
        let s = Self(bits: (t.bits &+ SIMD16(repeating: 127)) &<< SIMD16(repeating: 23))
        return fma(expm1Series(r), s, s - 1.0)
    }
    @inline(__always) static func gateSigmoid(_ x: Self) -> Self {
        let e = gateExp(x.magnitude.negated)
        return select(less(x, 0.0), e, 1.0) / (e + 1.0)
    }
    @inline(__always) static func gateTanh(_ x: Self) -> Self {
        let e = gateExpm1(x.magnitude * -2.0)
        return (e.negated / (e + 2.0)).signed(as: x)
    }
}

extension DoubleLanes {
    /// exp(x) for x <= 0; 0 where that is all but subnormal.
    @inline(__always) static func gateExp(_ x: Self) -> Self {
        let c = select(less(x, -708.0), -708.0, x)
        let t = fma(c, 0x1.71547652b82fep+0, 0x1.8p52)
        let k = t - 0x1.8p52
        let r = fma(k, -0x1.473de6af278edp-34, fma(k, -0x1.62e42fefp-1, c))
        let s = Self(bits: (t.bits &+ SIMD8(repeating: 1023)) &<< SIMD8(repeating: 52))
        return select(less(x, -708.0), 0.0, fma(expm1Series(r), s, s))
    }
    /// exp(x) - 1 for x <= 0.
    @inline(__always) static func gateExpm1(_ x: Self) -> Self {
        let c = select(less(x, -40.0), -40.0, x)
        let t = fma(c, 0x1.71547652b82fep+0, 0x1.8p52)
        let k = t - 0x1.8p52
        let r = fma(k, -0x1.473de6af278edp-34, fma(k, -0x1.62e42fefp-1, c))
        let s = Self(bits: (t.bits &+ SIMD8(repeating: 1023)) &<< SIMD8(repeating: 52))
        return fma(expm1Series(r), s, s - 1.0)
    }
    @inline(__always) static func gateSigmoid(_ x: Self) -> Self {
        let e = gateExp(x.magnitude.negated)
        return select(less(x, 0.0), e, 1.0) / (e + 1.0)
    }
    @inline(__always) static func gateTanh(_ x: Self) -> Self {
        let e = gateExpm1(x.magnitude * -2.0)
        return (e.negated / (e + 2.0)).signed(as: x)
    }
}
