import KernelABI

/// Eight doubles.
struct DoubleLanes: Vector, ExpressibleByFloatLiteral {
    typealias Scalar = Double
    typealias Mask = SIMDMask<SIMD8<Int64>>
    var v: SIMD8<Double>
    @inline(__always) static var lanes: Int { 8 }
    @inline(__always) init(v: SIMD8<Double>) { self.v = v }
    @inline(__always) init(_ scalar: Double) { v = SIMD8(repeating: scalar) }
    @inline(__always) init(floatLiteral value: Double) { v = SIMD8(repeating: value) }
    @inline(__always) static func scalar(_ double: Double) -> Double { double }
    @inline(__always) static func load(_ p: UnsafePointer<Double>) -> Self {
        Self(v: UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Double>.self))
    }
    @inline(__always) func store(_ p: UnsafeMutablePointer<Double>) {
        UnsafeMutableRawPointer(p).storeBytes(of: v, as: SIMD8<Double>.self)
    }
    #if HOST_V4
        @inline(__always) static func load(_ p: UnsafePointer<Double>, count: Int, pad: Self) -> Self {
            Self(v: kernel_load_some_f64(p, count, pad.v))
        }
        @inline(__always) func store(_ p: UnsafeMutablePointer<Double>, count: Int) { kernel_store_some_f64(p, count, v) }
    #else
        @inline(__always) static func load(_ p: UnsafePointer<Double>, count: Int, pad: Self) -> Self {
            var t = pad
            loadPart(p, count, &t)
            return t
        }
        @inline(never) static func loadPart(_ p: UnsafePointer<Double>, _ count: Int, _ to: inout Self) {
            withUnsafeMutableBytes(of: &to.v) { copyBytes(UnsafeRawPointer(p), $0.baseAddress!, count &* 8) }
        }
        @inline(never) func store(_ p: UnsafeMutablePointer<Double>, count: Int) {
            var p = UnsafeMutableRawPointer(p)
            var half = v.lowHalf
            if count & 4 != 0 {
                p.storeBytes(of: half, as: SIMD4<Double>.self)
                p += 32
                half = v.highHalf
            }
            var pair = half.lowHalf
            if count & 2 != 0 {
                p.storeBytes(of: pair, as: SIMD2<Double>.self)
                p += 16
                pair = half.highHalf
            }
            if count & 1 != 0 { p.storeBytes(of: pair[0], as: Double.self) }
        }
    #endif
    @inline(__always) static func + (a: Self, b: Self) -> Self { Self(v: a.v + b.v) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { Self(v: a.v - b.v) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { Self(v: a.v * b.v) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { Self(v: a.v / b.v) }
    #if HOST_NO_FMA
        @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self { Self(v: fusedProductSum(a.v, b.v, c.v)) }
    #else
        @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self { Self(v: kernel_fma_f64(a.v, b.v, c.v)) }
    #endif
    @inline(__always) static func less(_ a: Self, _ b: Self) -> Mask { a.v .< b.v }
    @inline(__always) static func equal(_ a: Self, _ b: Self) -> Mask { a.v .== b.v }
    @inline(__always) static func both(_ a: Mask, _ b: Mask) -> Mask { a .& b }
    @inline(__always) static func either(_ a: Mask, _ b: Mask) -> Mask { a .| b }
    @inline(__always) static func select(_ mask: Mask, _ a: Self, _ b: Self) -> Self {
        Self(v: b.v.replacing(with: a.v, where: mask))
    }
    @inline(__always) static func anyLane(_ mask: Mask) -> Bool { kernel_any_64(unsafeBitCast(mask, to: SIMD8<Int64>.self)) }
    @inline(__always) var isNaN: Mask { v .!= v }
    @inline(__always) static func nonZero(_ a: Self) -> Mask { a.v .!= SIMD8(repeating: 0) }
    @inline(__always) static func truncatedRemainder(_ x: Double, _ z: Double) -> Double { x.truncatingRemainder(dividingBy: z) }
    @inline(__always) var bits: SIMD8<UInt64> { unsafeBitCast(v, to: SIMD8<UInt64>.self) }
    @inline(__always) init(bits: SIMD8<UInt64>) { v = unsafeBitCast(bits, to: SIMD8<Double>.self) }
    @inline(__always) var negated: Self { Self(bits: bits ^ 0x8000_0000_0000_0000) }
    @inline(__always) var magnitude: Self { Self(bits: bits & 0x7fff_ffff_ffff_ffff) }
    @inline(__always) func signed(as other: Self) -> Self {
        Self(bits: (bits & 0x7fff_ffff_ffff_ffff) | (other.bits & 0x8000_0000_0000_0000))
    }
    @inline(__always) var squareRoot: Self { Self(v: kernel_sqrt_f64(v)) }
    @inline(__always) var floor: Self { Self(v: v.rounded(.down)) }
    @inline(__always) var ceil: Self { Self(v: v.rounded(.up)) }
    @inline(__always) var trunc: Self { Self(v: v.rounded(.towardZero)) }
    @inline(__always) var roundEven: Self { Self(v: v.rounded(.toNearestOrEven)) }
    @inline(__always) var sum: Double {
        let a = v.lowHalf + v.highHalf
        let b = a.lowHalf + a.highHalf
        return b[0] + b[1]
    }
    @inline(__always) var product: Double {
        let a = v.lowHalf * v.highHalf
        let b = a.lowHalf * a.highHalf
        return b[0] * b[1]
    }
    @inline(__always) var maximum: Double {
        let a = v.lowHalf.replacing(with: v.highHalf, where: v.lowHalf .< v.highHalf)
        let b = a.lowHalf.replacing(with: a.highHalf, where: a.lowHalf .< a.highHalf)
        return b[0] < b[1] ? b[1] : b[0]
    }
    @inline(__always) var minimum: Double {
        let a = v.lowHalf.replacing(with: v.highHalf, where: v.highHalf .< v.lowHalf)
        let b = a.lowHalf.replacing(with: a.highHalf, where: a.highHalf .< a.lowHalf)
        return b[1] < b[0] ? b[1] : b[0]
    }
    @inline(__always) subscript(lane: Int) -> Double {
        get { v[lane] }
        set { v[lane] = newValue }
    }
    @inline(__always) static func deinterleave(_ a: Self, _ b: Self) -> (Self, Self) {
        (
            Self(v: SIMD8(lowHalf: a.v.evenHalf, highHalf: b.v.evenHalf)),
            Self(v: SIMD8(lowHalf: a.v.oddHalf, highHalf: b.v.oddHalf))
        )
    }
    @inline(__always)
    static func storePositions(_ offset: Self, _ base: Int32, _ p: UnsafeMutablePointer<Int32>, _ count: Int) {
        for i in 0..<(count < 8 ? count : 8) { p[i] = base &+ Int32(offset.v[i]) &+ 2 &* Int32(i) }
    }
    @inline(__always) static func loadPositions(_ index: UnsafePointer<Int32>, _ base: Int32, _ count: Int) -> Self {
        var at = SIMD8<Double>(repeating: -1)
        for i in 0..<(count < 8 ? count : 8) { at[i] = Double(index[i] &- base &- 2 &* Int32(i)) }
        return Self(v: at)
    }
    @inline(__always) static func interleave(_ a: Self, _ b: Self) -> (Self, Self) {
        (Self(bits: kernel_zip_low_64(a.bits, b.bits)), Self(bits: kernel_zip_high_64(a.bits, b.bits)))
    }
    @inline(__always) static func evenQuarters(_ a: Self, _ b: Self) -> Self { Self(v: kernel_even_quarters_f64(a.v, b.v)) }
    @inline(__always) static func oddQuarters(_ a: Self, _ b: Self) -> Self { Self(v: kernel_odd_quarters_f64(a.v, b.v)) }
    @inline(__always) static func firstHalves(_ a: Self, _ b: Self) -> Self { Self(v: kernel_first_halves_f64(a.v, b.v)) }
    @inline(__always) static func secondHalves(_ a: Self, _ b: Self) -> Self { Self(v: kernel_second_halves_f64(a.v, b.v)) }
    @inline(__always) static var quarters: Self { Self(v: SIMD8(0, 0, 1, 1, 2, 2, 3, 3)) }
    @inline(__always) static var infinity: Self { Self(Double.infinity) }
    @inline(__always) static var nan: Self { Self(Double.nan) }
}
