// erf and erfc. For z >= 0, erfc(z) = exp(-z^2) g(w) / (1 + 2 z) with w = (z - 3) / (z + 3), where g is
// smooth; its polynomial interpolates (1 + 2 z) exp(z^2) erfc(z) at Chebyshev nodes (relative error
// below 4e-9 for z in 0 ... 11, float, and 1e-19 for z in 1 ... 28, double).

extension FloatLanes {
    @inline(__always) static func erfcPositive(_ x: Self) -> Self {
        let z = select(less(11.0, x), 11.0, x)
        // exp(-z^2) with the rounding error of z^2 put back.
        let s = z * z
        return erfcTail(z, s, fma(z, z, s.negated))
    }
    /// erfc(z) where z^2 = s + lost, 0 <= z <= 11.
    @inline(__always) static func inlineErfcTail(_ z: Self, _ s: Self, _ lost: Self) -> Self {
        let w = (z - 3.0) / (z + 3.0)
        var p: Self = fma(-0x1.1a12f6p-12, w, -0x1.96cb3p-11)
        p = fma(p, w, 0x1.076d1ap-9)
        p = fma(p, w, 0x1.513c5ap-9)
        p = fma(p, w, -0x1.85f0aep-6)
        p = fma(p, w, 0x1.17ba22p-4)
        p = fma(p, w, -0x1.e888a6p-4)
        p = fma(p, w, 0x1.09844ap-3)
        p = fma(p, w, -0x1.85a186p-5)
        p = fma(p, w, -0x1.15c08cp-3)
        p = fma(p, w, 0x1.40c522p+0)
        let e = exp(s.negated)
        return fma(e.negated, lost, e) * (p / fma(z, 2.0, 1.0))
    }
    @inline(__always) static func inlineErf(_ x: Self) -> Self {
        let a = x.magnitude
        let z = x * x
        var p: Self = fma(-0x1.445f48p-17, z, 0x1.d88750p-14)
        p = fma(p, z, -0x1.bccf66p-11)
        p = fma(p, z, 0x1.562a60p-8)
        p = fma(p, z, -0x1.b829c8p-6)
        p = fma(p, z, 0x1.ce2f08p-4)
        p = fma(p, z, -0x1.812746p-2)
        p = fma(p, z, 0x1.20dd76p+0)
        return select(less(a, 1.0), x * p, (1.0 - erfcPositive(a)).signed(as: x))
    }
}

extension DoubleLanes {
    /// erfc(z) for z >= 0.
    @inline(__always) static func erfcPositive(_ x: Self) -> Self {
        let z = select(less(28.0, x), 28.0, x)
        let s = z * z
        return erfcTail(z, s, fma(z, z, s.negated))
    }
    /// erfc(z) where z^2 = s + lost, 0 <= z <= 28.
    @inline(__always) static func inlineErfcTail(_ z: Self, _ s: Self, _ lost: Self) -> Self {
        let w = (z - 3.0) / (z + 3.0)
        var p: Self = fma(0x1.5db3cddfd8e32p-28, w, -0x1.3477ef7e14bcfp-25)
        p = fma(p, w, 0x1.77ddea07d0582p-25)
        p = fma(p, w, 0x1.11166b5ebb59fp-23)
        p = fma(p, w, -0x1.51cb593e9132ap-23)
        p = fma(p, w, -0x1.50e2593b97f69p-21)
        p = fma(p, w, 0x1.8bd049a6ca084p-22)
        p = fma(p, w, 0x1.d257ad951e706p-19)
        p = fma(p, w, -0x1.8b2a19161e9c9p-21)
        p = fma(p, w, -0x1.513bc50e2d92cp-16)
        p = fma(p, w, 0x1.4c3a6fc09be4bp-18)
        p = fma(p, w, 0x1.065a3107a4f1fp-13)
        p = fma(p, w, -0x1.b912aae5ec983p-14)
        p = fma(p, w, -0x1.98db50bd2e231p-11)
        p = fma(p, w, 0x1.ef1bdda09318fp-10)
        p = fma(p, w, 0x1.4b884e4229862p-9)
        p = fma(p, w, -0x1.8574c40c268dcp-6)
        p = fma(p, w, 0x1.17ca2877f1b9ap-4)
        p = fma(p, w, -0x1.e88b803a487b2p-4)
        p = fma(p, w, 0x1.098366a5b46a8p-3)
        p = fma(p, w, -0x1.85a15c58aa619p-5)
        p = fma(p, w, -0x1.15c084bb9e8f3p-3)
        p = fma(p, w, 0x1.40c522d7e4987p+0)
        let far = exp(s.negated, lost.negated) * (p / fma(z, 2.0, 1.0))
        return select(less(z, 1.0), 1.0 - erfSeries(z), far)
    }
    /// erf(x) for |x| < 1: the Taylor series, 2 / sqrt(pi) (-1)^n x^(2n + 1) / (n! (2n + 1)).
    @inline(__always) static func erfSeries(_ x: Self) -> Self {
        let z = x * x
        var p: Self = fma(0x1.d70b3537f4765p-50, z, -0x1.f56f071a885cfp-46)
        p = fma(p, z, 0x1.f683ae4a97007p-42)
        p = fma(p, z, -0x1.d8453cb0c46eap-38)
        p = fma(p, z, 0x1.9e6ad5e55a730p-34)
        p = fma(p, z, -0x1.51d7181c5d36dp-30)
        p = fma(p, z, 0x1.fcc5720624c1cp-27)
        p = fma(p, z, -0x1.5f742ec43e71ap-23)
        p = fma(p, z, 0x1.b9e6c9dc651a3p-20)
        p = fma(p, z, -0x1.f4d25c3e0c2ebp-17)
        p = fma(p, z, 0x1.f9a326f9b89b7p-14)
        p = fma(p, z, -0x1.c02db40040b86p-11)
        p = fma(p, z, 0x1.565bcd0e6a53fp-8)
        p = fma(p, z, -0x1.b82ce31288b51p-6)
        p = fma(p, z, 0x1.ce2f21a042be2p-4)
        p = fma(p, z, -0x1.812746b0379e7p-2)
        p = fma(p, z, 0x1.20dd750429b6dp+0)
        return x * p
    }
    @inline(__always) static func inlineErf(_ x: Self) -> Self {
        let a = x.magnitude
        return select(less(a, 1.0), erfSeries(x), (1.0 - erfcPositive(a)).signed(as: x))
    }
    @inline(__always) static func inlineErfc(_ x: Self) -> Self {
        let y = erfcPositive(x.magnitude)
        return select(less(x, 0.0), 2.0 - y, y)
    }
}
