import KernelABI

/// Sixteen floats.
struct FloatLanes: Vector, ExpressibleByFloatLiteral {
    typealias Scalar = Float
    typealias Mask = SIMDMask<SIMD16<Int32>>
    var v: SIMD16<Float>
    @inline(__always) static var lanes: Int { 16 }
    @inline(__always) init(v: SIMD16<Float>) { self.v = v }
    @inline(__always) init(_ scalar: Float) { v = SIMD16(repeating: scalar) }
    @inline(__always) init(_ double: Double) { v = SIMD16(repeating: Float(double)) }
    @inline(__always) init(floatLiteral value: Float) { v = SIMD16(repeating: value) }
    @inline(__always) static func scalar(_ double: Double) -> Float { Float(double) }
    @inline(__always) static func load(_ p: UnsafePointer<Float>) -> Self {
        Self(v: UnsafeRawPointer(p).loadUnaligned(as: SIMD16<Float>.self))
    }
    @inline(__always) func store(_ p: UnsafeMutablePointer<Float>) {
        UnsafeMutableRawPointer(p).storeBytes(of: v, as: SIMD16<Float>.self)
    }
    #if HOST_V4
        @inline(__always) static func load(_ p: UnsafePointer<Float>, count: Int, pad: Self) -> Self {
            Self(v: kernel_load_some_f32(p, count, pad.v))
        }
        @inline(__always) func store(_ p: UnsafeMutablePointer<Float>, count: Int) { kernel_store_some_f32(p, count, v) }
    #else
        @inline(__always) static func load(_ p: UnsafePointer<Float>, count: Int, pad: Self) -> Self {
            var t = pad
            loadPart(p, count, &t)
            return t
        }
        @inline(never) static func loadPart(_ p: UnsafePointer<Float>, _ count: Int, _ to: inout Self) {
            withUnsafeMutableBytes(of: &to.v) { copyBytes(UnsafeRawPointer(p), $0.baseAddress!, count &* 4) }
        }
        @inline(never) func store(_ p: UnsafeMutablePointer<Float>, count: Int) {
            var p = UnsafeMutableRawPointer(p)
            var rest = v
            if count & 8 != 0 {
                p.storeBytes(of: rest.lowHalf, as: SIMD8<Float>.self)
                p += 32
                rest.lowHalf = rest.highHalf
            }
            var half = rest.lowHalf
            if count & 4 != 0 {
                p.storeBytes(of: half.lowHalf, as: SIMD4<Float>.self)
                p += 16
                half.lowHalf = half.highHalf
            }
            var pair = half.lowHalf
            if count & 2 != 0 {
                p.storeBytes(of: pair.lowHalf, as: SIMD2<Float>.self)
                p += 8
                pair.lowHalf = pair.highHalf
            }
            if count & 1 != 0 { p.storeBytes(of: pair[0], as: Float.self) }
        }
    #endif
    @inline(__always) static func + (a: Self, b: Self) -> Self { Self(v: a.v + b.v) }
    @inline(__always) static func - (a: Self, b: Self) -> Self { Self(v: a.v - b.v) }
    @inline(__always) static func * (a: Self, b: Self) -> Self { Self(v: a.v * b.v) }
    @inline(__always) static func / (a: Self, b: Self) -> Self { Self(v: a.v / b.v) }
    #if HOST_NO_FMA
        @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self { Self(v: fusedProductSum(a.v, b.v, c.v)) }
    #else
        @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self { Self(v: kernel_fma_f32(a.v, b.v, c.v)) }
    #endif
    @inline(__always) static func less(_ a: Self, _ b: Self) -> Mask { a.v .< b.v }
    @inline(__always) static func equal(_ a: Self, _ b: Self) -> Mask { a.v .== b.v }
    @inline(__always) static func both(_ a: Mask, _ b: Mask) -> Mask { a .& b }
    @inline(__always) static func either(_ a: Mask, _ b: Mask) -> Mask { a .| b }
    @inline(__always) static func select(_ mask: Mask, _ a: Self, _ b: Self) -> Self {
        Self(v: b.v.replacing(with: a.v, where: mask))
    }
    @inline(__always) static func anyLane(_ mask: Mask) -> Bool { kernel_any_32(unsafeBitCast(mask, to: SIMD16<Int32>.self)) }
    @inline(__always) var isNaN: Mask { v .!= v }
    @inline(__always) static func nonZero(_ a: Self) -> Mask { a.v .!= SIMD16(repeating: 0) }
    @inline(__always) static func truncatedRemainder(_ x: Float, _ z: Float) -> Float { x.truncatingRemainder(dividingBy: z) }
    @inline(__always) var bits: SIMD16<UInt32> { unsafeBitCast(v, to: SIMD16<UInt32>.self) }
    @inline(__always) init(bits: SIMD16<UInt32>) { v = unsafeBitCast(bits, to: SIMD16<Float>.self) }
    @inline(__always) var negated: Self { Self(bits: bits ^ 0x8000_0000) }
    @inline(__always) var magnitude: Self { Self(bits: bits & 0x7fff_ffff) }
    @inline(__always) func signed(as other: Self) -> Self {
        Self(bits: (bits & 0x7fff_ffff) | (other.bits & 0x8000_0000))
    }
    @inline(__always) var squareRoot: Self { Self(v: kernel_sqrt_f32(v)) }
    @inline(__always) var floor: Self { Self(v: v.rounded(.down)) }
    @inline(__always) var ceil: Self { Self(v: v.rounded(.up)) }
    @inline(__always) var trunc: Self { Self(v: v.rounded(.towardZero)) }
    @inline(__always) var roundEven: Self { Self(v: v.rounded(.toNearestOrEven)) }
    @inline(__always) var sum: Float {
        let a = v.lowHalf + v.highHalf
        let b = a.lowHalf + a.highHalf
        let c = b.lowHalf + b.highHalf
        return c[0] + c[1]
    }
    @inline(__always) var product: Float {
        let a = v.lowHalf * v.highHalf
        let b = a.lowHalf * a.highHalf
        let c = b.lowHalf * b.highHalf
        return c[0] * c[1]
    }
    @inline(__always) var maximum: Float {
        let a = v.lowHalf.replacing(with: v.highHalf, where: v.lowHalf .< v.highHalf)
        let b = a.lowHalf.replacing(with: a.highHalf, where: a.lowHalf .< a.highHalf)
        let c = b.lowHalf.replacing(with: b.highHalf, where: b.lowHalf .< b.highHalf)
        return c[0] < c[1] ? c[1] : c[0]
    }
    @inline(__always) var minimum: Float {
        let a = v.lowHalf.replacing(with: v.highHalf, where: v.highHalf .< v.lowHalf)
        let b = a.lowHalf.replacing(with: a.highHalf, where: a.highHalf .< a.lowHalf)
        let c = b.lowHalf.replacing(with: b.highHalf, where: b.highHalf .< b.lowHalf)
        return c[1] < c[0] ? c[1] : c[0]
    }
    @inline(__always) subscript(lane: Int) -> Float {
        get { v[lane] }
        set { v[lane] = newValue }
    }
    @inline(__always) static var infinity: Self { Self(Float.infinity) }
    @inline(__always) static var nan: Self { Self(Float.nan) }
    @inline(__always) static func deinterleave(_ a: Self, _ b: Self) -> (Self, Self) {
        (Self(v: kernel_even_f32(a.v, b.v)), Self(v: kernel_odd_f32(a.v, b.v)))
    }
    @inline(__always)
    static func storePositions(_ offset: Self, _ base: Int32, _ p: UnsafeMutablePointer<Int32>, _ count: Int) {
        let lanes = SIMD16<Int32>(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
        let r = kernel_int_f32(offset.v) &+ lanes &+ SIMD16(repeating: base)
        let to = UnsafeMutableRawPointer(p)
        if count >= 16 {
            to.storeBytes(of: r, as: SIMD16<Int32>.self)
        } else {
            Self(bits: unsafeBitCast(r, to: SIMD16<UInt32>.self)).store(to.assumingMemoryBound(to: Float.self), count: count)
        }
    }
    @inline(__always) static func loadPositions(_ index: UnsafePointer<Int32>, _ base: Int32, _ count: Int) -> Self {
        let lanes = SIMD16<Int32>(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
        let none = Self(bits: SIMD16(repeating: 0xffff_ffff))
        let at = loadSome(UnsafeRawPointer(index).assumingMemoryBound(to: Float.self), count, none)
        return Self(v: kernel_float_i32(unsafeBitCast(at.v, to: SIMD16<Int32>.self) &- (lanes &+ SIMD16(repeating: base))))
    }
    @inline(__always) static func interleave(_ a: Self, _ b: Self) -> (Self, Self) {
        (Self(bits: kernel_zip_low_32(a.bits, b.bits)), Self(bits: kernel_zip_high_32(a.bits, b.bits)))
    }
    @inline(__always) static func evenQuarters(_ a: Self, _ b: Self) -> Self { Self(v: kernel_even_quarters_f32(a.v, b.v)) }
    @inline(__always) static func oddQuarters(_ a: Self, _ b: Self) -> Self { Self(v: kernel_odd_quarters_f32(a.v, b.v)) }
    @inline(__always) static func firstHalves(_ a: Self, _ b: Self) -> Self { Self(v: kernel_first_halves_f32(a.v, b.v)) }
    @inline(__always) static func secondHalves(_ a: Self, _ b: Self) -> Self { Self(v: kernel_second_halves_f32(a.v, b.v)) }
    @inline(__always) static var quarters: Self { Self(v: SIMD16(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3)) }
    @inline(__always) var low: DoubleLanes { DoubleLanes(v: kernel_widen(v.lowHalf)) }
    @inline(__always) var high: DoubleLanes { DoubleLanes(v: kernel_widen(v.highHalf)) }
    @inline(__always) init(low: DoubleLanes, high: DoubleLanes) {
        v = SIMD16(lowHalf: kernel_narrow(low.v), highHalf: kernel_narrow(high.v))
    }
}
