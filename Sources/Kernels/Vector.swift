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
    /// The first and third quarters of a and b, the second and fourth; the first halves, the second.
    static func evenQuarters(_ a: Self, _ b: Self) -> Self
    static func oddQuarters(_ a: Self, _ b: Self) -> Self
    static func firstHalves(_ a: Self, _ b: Self) -> Self
    static func secondHalves(_ a: Self, _ b: Self) -> Self
    /// In each lane the number of its quarter, from 0.
    static var quarters: Self { get }
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
