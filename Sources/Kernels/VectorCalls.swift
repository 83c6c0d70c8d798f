// The long functions, called. Vectors go by address: by value the compiler hands them over in pieces of 128 bits, and
// then computes on those.

extension FloatLanes {
    @inline(never) static func erfcTail(_ z: inout Self, _ s: inout Self, _ lost: inout Self) { z = inlineErfcTail(z, s, lost) }
    @inline(__always) static func erfcTail(_ z: Self, _ s: Self, _ lost: Self) -> Self {
        var z = z
        var s = s
        var lost = lost
        erfcTail(&z, &s, &lost)
        return z
    }
    @inline(never) static func erf(_ x: inout Self) { x = inlineErf(x) }
    @inline(__always) static func erf(_ x: Self) -> Self {
        var x = x
        erf(&x)
        return x
    }
    @inline(never) static func exp(_ x: inout Self) { x = inlineExp(x) }
    @inline(__always) static func exp(_ x: Self) -> Self {
        var x = x
        exp(&x)
        return x
    }
    @inline(never) static func expm1(_ x: inout Self) { x = inlineExpm1(x) }
    @inline(__always) static func expm1(_ x: Self) -> Self {
        var x = x
        expm1(&x)
        return x
    }
    @inline(never) static func log(_ x: inout Self) { x = inlineLog(x) }
    @inline(__always) static func log(_ x: Self) -> Self {
        var x = x
        log(&x)
        return x
    }
    @inline(never) static func log1p(_ x: inout Self) { x = inlineLog1p(x) }
    @inline(__always) static func log1p(_ x: Self) -> Self {
        var x = x
        log1p(&x)
        return x
    }
}

extension DoubleLanes {
    @inline(never) static func erfcTail(_ z: inout Self, _ s: inout Self, _ lost: inout Self) { z = inlineErfcTail(z, s, lost) }
    @inline(__always) static func erfcTail(_ z: Self, _ s: Self, _ lost: Self) -> Self {
        var z = z
        var s = s
        var lost = lost
        erfcTail(&z, &s, &lost)
        return z
    }
    @inline(never) static func erf(_ x: inout Self) { x = inlineErf(x) }
    @inline(__always) static func erf(_ x: Self) -> Self {
        var x = x
        erf(&x)
        return x
    }
    @inline(never) static func erfc(_ x: inout Self) { x = inlineErfc(x) }
    @inline(__always) static func erfc(_ x: Self) -> Self {
        var x = x
        erfc(&x)
        return x
    }
    @inline(never) static func exp(_ x: inout Self, _ low: inout Self) { x = inlineExp(x, low) }
    @inline(__always) static func exp(_ x: Self, _ low: Self) -> Self {
        var x = x
        var low = low
        exp(&x, &low)
        return x
    }
    @inline(never) static func expm1(_ x: inout Self) { x = inlineExpm1(x) }
    @inline(__always) static func expm1(_ x: Self) -> Self {
        var x = x
        expm1(&x)
        return x
    }
    @inline(never) static func exp2(_ x: inout Self) { x = inlineExp2(x) }
    @inline(__always) static func exp2(_ x: Self) -> Self {
        var x = x
        exp2(&x)
        return x
    }
    @inline(never) static func sinh(_ x: inout Self) { x = inlineSinh(x) }
    @inline(__always) static func sinh(_ x: Self) -> Self {
        var x = x
        sinh(&x)
        return x
    }
    @inline(never) static func cosh(_ x: inout Self) { x = inlineCosh(x) }
    @inline(__always) static func cosh(_ x: Self) -> Self {
        var x = x
        cosh(&x)
        return x
    }
    @inline(never) static func log(_ x: inout Self) { x = inlineLog(x) }
    @inline(__always) static func log(_ x: Self) -> Self {
        var x = x
        log(&x)
        return x
    }
    @inline(never) static func log2(_ x: inout Self) { x = inlineLog2(x) }
    @inline(__always) static func log2(_ x: Self) -> Self {
        var x = x
        log2(&x)
        return x
    }
    @inline(never) static func log10(_ x: inout Self) { x = inlineLog10(x) }
    @inline(__always) static func log10(_ x: Self) -> Self {
        var x = x
        log10(&x)
        return x
    }
    @inline(never) static func log1p(_ x: inout Self) { x = inlineLog1p(x) }
    @inline(__always) static func log1p(_ x: Self) -> Self {
        var x = x
        log1p(&x)
        return x
    }
    @inline(never) static func pow(_ x: inout Self, _ y: inout Self) { x = inlinePow(x, y) }
    @inline(__always) static func pow(_ x: Self, _ y: Self) -> Self {
        var x = x
        var y = y
        pow(&x, &y)
        return x
    }
    @inline(never) static func sine(_ x: inout Self, shift: UInt64) { x = inlineSine(x, shift: shift) }
    @inline(__always) static func sine(_ x: Self, shift: UInt64) -> Self {
        var x = x
        sine(&x, shift: shift)
        return x
    }
    @inline(never) static func tan(_ x: inout Self) { x = inlineTan(x) }
    @inline(__always) static func tan(_ x: Self) -> Self {
        var x = x
        tan(&x)
        return x
    }
    @inline(never) static func angle(_ y: inout Self, _ x: inout Self) {
        let r = inlineAngle(y, x)
        y = r.high
        x = r.low
    }
    @inline(__always) static func angle(_ y: Self, _ x: Self) -> (high: Self, low: Self) {
        var y = y
        var x = x
        angle(&y, &x)
        return (y, x)
    }
    @inline(never) static func atan(_ x: inout Self) { x = inlineAtan(x) }
    @inline(__always) static func atan(_ x: Self) -> Self {
        var x = x
        atan(&x)
        return x
    }
    @inline(never) static func atan2(_ y: inout Self, _ x: inout Self) { y = inlineAtan2(y, x) }
    @inline(__always) static func atan2(_ y: Self, _ x: Self) -> Self {
        var y = y
        var x = x
        atan2(&y, &x)
        return y
    }
    @inline(never) static func asin(_ x: inout Self) { x = inlineAsin(x) }
    @inline(__always) static func asin(_ x: Self) -> Self {
        var x = x
        asin(&x)
        return x
    }
    @inline(never) static func acos(_ x: inout Self) { x = inlineAcos(x) }
    @inline(__always) static func acos(_ x: Self) -> Self {
        var x = x
        acos(&x)
        return x
    }
}
