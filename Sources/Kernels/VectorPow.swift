// x^y = exp(y log x) with log x carried in two doubles, so that the relative error stays small for
// large y log x.

extension DoubleLanes {
    @inline(__always) static func twoSum(_ a: Self, _ b: Self) -> (Self, Self) {
        let s = a + b
        let t = s - a
        return (s, (a - (s - t)) + (b - t))
    }
    /// log of a positive x as an unevaluated sum.
    @inline(__always) static func logPair(_ x: Self) -> (Self, Self) {
        let (e, f) = logParts(x)
        let d = f + 2.0
        let dLow = f - (d - 2.0)
        let s = f / d
        let sLow = (fma(s.negated, d, f) - s * dLow) / d
        let z = s * s
        let zLow = fma(s, s, z.negated) + s * sLow * 2.0
        // s^3 in two parts, then times 2/3 + z (2/5 + ...).
        let c = z * s
        let cLow = fma(z, s, c.negated) + fma(zLow, s, z * sLow)
        let q = fma(z, atanhTail(z), 0x1.5555555555555p-55)
        let (k, kLow) = quick(0x1.5555555555555p-1, q)
        let t = c * k
        let tLow = fma(c, k, t.negated) + fma(c, kLow, cLow * k)
        let (a, aLow) = twoSum(e * 0x1.62e42fefp-1, s * 2.0)
        let (h, hLow) = twoSum(a, t)
        let low = (aLow + hLow) + (fma(sLow, 2.0, tLow) + e * 0x1.473de6af278edp-34)
        return quick(h, low)
    }
    /// Sum and error for |a| >= |b|.
    @inline(__always) static func quick(_ a: Self, _ b: Self) -> (Self, Self) {
        let s = a + b
        return (s, b - (s - a))
    }
    @inline(__always) static func inlinePow(_ x: Self, _ y: Self) -> Self {
        let a = x.magnitude
        let (h, l) = logPair(a)
        let m = y * h
        let mLow = fma(y, h, m.negated) + y * l
        // Past these the result is 0 or infinity; the low part would only spoil it.
        let extreme = less(1100.0, m.magnitude)
        var r = exp(m, select(extreme, 0.0, select(mLow.isNaN, 0.0, mLow)))
        // Zero and infinity to the power y; one; integral y decide the rest.
        let yPositive = less(0.0, y)
        r = select(equal(a, 0.0), select(yPositive, 0.0, infinity), r)
        r = select(equal(a, infinity), select(yPositive, infinity, 0.0), r)
        let huge = equal(y.magnitude, infinity)
        r = select(huge, select(equal(a, 1.0), 1.0, select(equalMask(less(1.0, a), yPositive), infinity, 0.0)), r)
        // |y| >= 2^53 is even.
        let big = less(0x1.fffffffffffffp52, y.magnitude)
        let integral = either(big, equal(y.trunc, y))
        let half = y * 0.5
        let odd = both(both(integral, less(y.magnitude, 0x1p53)), equal(equal(half.trunc, half), false))
        let negative = equal(Self(1.0).signed(as: x), -1.0)
        r = select(both(negative, odd), r.negated, r)
        let undefined = both(both(less(x, 0.0), less(x.magnitude, infinity)), equal(integral, false))
        r = select(undefined, nan, r)
        r = select(either(x.isNaN, y.isNaN), nan, r)
        return select(either(equal(y, 0.0), equal(x, 1.0)), 1.0, r)
    }
    @inline(__always) static func equal(_ a: Mask, _ b: Bool) -> Mask { b ? a : .!a }
    @inline(__always) static func equalMask(_ a: Mask, _ b: Mask) -> Mask { .!(a .^ b) }
}
