/// The narrow floating-point formats that files have and tensors do not, to and from float32.
enum HalfFloat {
    /// IEEE 754 binary16 to binary32; exact.
    static func float16(_ h: UInt16) -> Float {
        let sign = UInt32(h & 0x8000) << 16
        let body = UInt32(h & 0x7fff)
        if body >= 0x7c00 { return Float(bitPattern: sign | 0x7f80_0000 | (body & 0x3ff) << 13) }
        // A float with the same digits under an exponent that is 112 too small; the product is exact
        // and makes numbers of halves' subnormals as well.
        let scaled = Float(bitPattern: body << 13) * 0x1p112
        return Float(bitPattern: sign | scaled.bitPattern)
    }

    /// Nearest binary16, ties to even; too large becomes infinity.
    static func toFloat16(_ f: Float) -> UInt16 {
        let bits = f.bitPattern
        let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
        let body = bits & 0x7fff_ffff
        if body > 0x7f80_0000 { return sign | 0x7e00 | UInt16(truncatingIfNeeded: body >> 13) & 0x3ff }
        if body >= 0x477f_f000 { return sign | 0x7c00 }
        if body < 0x3880_0000 {
            // Subnormal: adding one half lines the digits up with the last place and rounds them.
            let rounded = Float(bitPattern: body) + 0.5
            return sign | UInt16(truncatingIfNeeded: rounded.bitPattern &- 0x3f00_0000)
        }
        let odd = body >> 13 & 1
        return sign | UInt16(truncatingIfNeeded: (body &- 0x3800_0000 &+ 0xfff &+ odd) >> 13)
    }

    static func bfloat16(_ b: UInt16) -> Float { Float(bitPattern: UInt32(b) << 16) }

    /// Nearest bfloat16, ties to even.
    static func toBFloat16(_ f: Float) -> UInt16 {
        let bits = f.bitPattern
        if f.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
    }

    /// OCP 8-bit float with 5 bits of exponent: the upper half of a binary16.
    static func float8e5m2(_ b: UInt8) -> Float { float16(UInt16(b) << 8) }

    /// OCP 8-bit float with 4 bits of exponent, no infinities.
    static func float8e4m3(_ b: UInt8) -> Float {
        let body = UInt32(b & 0x7f)
        let sign = UInt32(b & 0x80) << 24
        if body == 0x7f { return Float(bitPattern: sign | 0x7fc0_0000) }
        return Float(bitPattern: sign | (Float(bitPattern: body << 20) * 0x1p120).bitPattern)
    }

    /// OCP power of two without sign.
    static func float8e8m0(_ b: UInt8) -> Float {
        b == 255 ? .nan : b == 0 ? 0x1p-127 : Float(bitPattern: UInt32(b) << 23)
    }
}
