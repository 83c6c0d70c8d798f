import KernelABI

/// A fixed number of float lanes, the same on every CPU level: a level without registers this wide
/// uses several. Every kernel on floats is written once over this protocol and compiled for
/// `FloatLanes` and `DoubleLanes`, inlined, so that nothing generic remains. What is long (partial vectors,
/// exp and its kin) is a function of its own, called: inlined everywhere it would be most of the module.
protocol Vector {
    associatedtype Scalar
    associatedtype Mask
    static var lanes: Int { get }
    init(_ scalar: Scalar)
    init(_ double: Double)
    static func scalar(_ double: Double) -> Scalar
    static func load(_ p: UnsafePointer<Scalar>) -> Self
    func store(_ p: UnsafeMutablePointer<Scalar>)
    /// The first `count` lanes (1 ..< lanes) of memory, `pad` in the others.
    static func load(_ p: UnsafePointer<Scalar>, count: Int, pad: Self) -> Self
    func store(_ p: UnsafeMutablePointer<Scalar>, count: Int)
    static func + (a: Self, b: Self) -> Self
    static func - (a: Self, b: Self) -> Self
    static func * (a: Self, b: Self) -> Self
    static func / (a: Self, b: Self) -> Self
    /// a * b + c, rounded once.
    static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self
    static func less(_ a: Self, _ b: Self) -> Mask
    static func equal(_ a: Self, _ b: Self) -> Mask
    static func both(_ a: Mask, _ b: Mask) -> Mask
    static func either(_ a: Mask, _ b: Mask) -> Mask
    static func select(_ mask: Mask, _ a: Self, _ b: Self) -> Self
    static func anyLane(_ mask: Mask) -> Bool
    static func nonZero(_ a: Self) -> Mask  // true for NaN
    /// Exact remainder of truncated division; NaN for an infinite x or a zero z.
    static func truncatedRemainder(_ x: Scalar, _ z: Scalar) -> Scalar
    var isNaN: Mask { get }
    var negated: Self { get }
    var magnitude: Self { get }
    /// This magnitude with the other's sign.
    func signed(as other: Self) -> Self
    var squareRoot: Self { get }
    var floor: Self { get }
    var ceil: Self { get }
    var trunc: Self { get }
    var roundEven: Self { get }
    /// Lanes combined in a fixed tree: halves, quarters, ... (lane i with lane i + lanes / 2 first).
    var sum: Scalar { get }
    var product: Scalar { get }
    var maximum: Scalar { get }  // no NaN inside
    var minimum: Scalar { get }
    subscript(lane: Int) -> Scalar { get set }
    static var infinity: Self { get }
    static var nan: Self { get }
    /// Even and odd elements of the 2 * lanes of a and b.
    static func deinterleave(_ a: Self, _ b: Self) -> (Self, Self)
    /// Integral lanes, plus `base` and 2 for every lane, as 32-bit integers.
    static func storePositions(_ offset: Self, _ base: Int32, _ p: UnsafeMutablePointer<Int32>, _ count: Int)
    /// The way back: index[i] - base - 2 i of the first `count` lanes, something negative in the others.
    static func loadPositions(_ index: UnsafePointer<Int32>, _ base: Int32, _ count: Int) -> Self
    /// The lanes of a and b in turn; the inverse of `deinterleave`.
    static func interleave(_ a: Self, _ b: Self) -> (Self, Self)
    /// x where the mask byte is 1, 0 where it is 0; the first `count` bytes exist.
    static func keep(_ x: Self, _ mask: UnsafePointer<UInt8>, _ count: Int) -> Self
    /// `lines` lines of V.lanes steps, transposed (see MatMulPack).
    static func transposeBlock(
        _ x: UnsafePointer<Scalar>, _ line: Int, _ lines: Int, _ out: UnsafeMutablePointer<Scalar>, _ width: Int)
    // Transcendental functions, in the VectorExp, VectorLog, ... files.
    static func exp(_ x: Self) -> Self
    static func expm1(_ x: Self) -> Self
    static func log(_ x: Self) -> Self
    static func log1p(_ x: Self) -> Self
    static func erfcTail(_ z: Self, _ s: Self, _ lost: Self) -> Self
    static func erf(_ x: Self) -> Self
    // Inlined, in VectorGate.
    static func gateSigmoid(_ x: Self) -> Self
    static func gateTanh(_ x: Self) -> Self
}

extension Vector {
    /// The larger lane; a NaN in either operand wins.
    @inline(__always) static func max(_ a: Self, _ b: Self) -> Self {
        select(a.isNaN, a, select(either(less(a, b), b.isNaN), b, a))
    }
    @inline(__always) static func min(_ a: Self, _ b: Self) -> Self {
        select(a.isNaN, a, select(either(less(b, a), b.isNaN), b, a))
    }
}

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
        @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self { Self(v: c.v.addingProduct(a.v, b.v)) }
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
    @inline(__always) var low: DoubleLanes { DoubleLanes(v: kernel_widen(v.lowHalf)) }
    @inline(__always) var high: DoubleLanes { DoubleLanes(v: kernel_widen(v.highHalf)) }
    @inline(__always) init(low: DoubleLanes, high: DoubleLanes) {
        v = SIMD16(lowHalf: kernel_narrow(low.v), highHalf: kernel_narrow(high.v))
    }
}

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
        @inline(__always) static func fma(_ a: Self, _ b: Self, _ c: Self) -> Self { Self(v: c.v.addingProduct(a.v, b.v)) }
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
    @inline(__always) static var infinity: Self { Self(Double.infinity) }
    @inline(__always) static var nan: Self { Self(Double.nan) }
}

/// Copies `count` bytes (a multiple of 4, below 64) in pieces of halving size: no call.
@inline(__always)
func copyBytes(_ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ count: Int) {
    var x = x
    var y = y
    if count & 32 != 0 {
        y.storeBytes(of: x.loadUnaligned(as: SIMD8<Float>.self), as: SIMD8<Float>.self)
        x += 32
        y += 32
    }
    if count & 16 != 0 {
        y.storeBytes(of: x.loadUnaligned(as: SIMD4<Float>.self), as: SIMD4<Float>.self)
        x += 16
        y += 16
    }
    if count & 8 != 0 {
        y.storeBytes(of: x.loadUnaligned(as: UInt64.self), as: UInt64.self)
        x += 8
        y += 8
    }
    if count & 4 != 0 { y.storeBytes(of: x.loadUnaligned(as: UInt32.self), as: UInt32.self) }
}
