#if HOST_NO_FMA
    import KernelABI

    // a * b + c rounded once, for CPUs without the instruction: the same bits, more slowly.

    /// The product of two floats is exact in double. The sum is rounded to odd (the last bit set
    /// whenever something was lost), so that narrowing to float rounds as if from the exact value.
    @inline(never)
    func fusedProductSum(_ a: SIMD16<Float>, _ b: SIMD16<Float>, _ c: SIMD16<Float>) -> SIMD16<Float> {
        SIMD16(
            lowHalf: fusedHalf(a.lowHalf, b.lowHalf, c.lowHalf),
            highHalf: fusedHalf(a.highHalf, b.highHalf, c.highHalf))
    }

    @inline(__always)
    func fusedHalf(_ a: SIMD8<Float>, _ b: SIMD8<Float>, _ c: SIMD8<Float>) -> SIMD8<Float> {
        let p = kernel_widen(a) * kernel_widen(b)
        let q = kernel_widen(c)
        let s = p + q
        // Knuth's two-sum: the exact error of s; NaN where s is not finite, which compares false below.
        let t = s - p
        let e = (p - (s - t)) + (q - t)
        let bits = unsafeBitCast(s, to: SIMD8<UInt64>.self)
        let one = SIMD8<UInt64>(repeating: 1)
        let zero = SIMD8<Double>(repeating: 0)
        let even = (bits & one) .== SIMD8<UInt64>(repeating: 0)
        let inexact = ((e .< zero) .| (e .> zero)) .& even
        // The exact value lies away from zero of s where e has the sign of s.
        let away = (e .< zero) .== (s .< zero)
        let up = bits &+ one
        let down = bits &- one
        let odd = down.replacing(with: up, where: away)
        return kernel_narrow(unsafeBitCast(bits.replacing(with: odd, where: inexact), to: SIMD8<Double>.self))
    }

    @inline(never)
    func fusedProductSum(_ a: SIMD8<Double>, _ b: SIMD8<Double>, _ c: SIMD8<Double>) -> SIMD8<Double> {
        var r = c
        for i in 0..<8 { r[i] = c[i].addingProduct(a[i], b[i]) }
        return r
    }
#endif
