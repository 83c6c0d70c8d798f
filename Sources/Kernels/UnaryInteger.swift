import KernelABI

// Element-wise functions of integers; plain loops, which the compiler vectorises (integer results do
// not depend on order). Sums and products wrap.

@inline(__always)
func mapIntegers<T: FixedWidthInteger>(
    _: T.Type, _ n: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ f: (T) -> T
) {
    let x = x.assumingMemoryBound(to: T.self)
    let y = y.assumingMemoryBound(to: T.self)
    for i in 0..<n { y[i] = f(x[i]) }
}

func unaryInt64(_ op: Int) -> kernel_unary? {
    switch op {
    case UNARY_NEG: { n, x, y, _, _ in mapIntegers(Int64.self, n, x, y) { 0 &- $0 } }
    case UNARY_ABS: { n, x, y, _, _ in mapIntegers(Int64.self, n, x, y) { $0 < 0 ? 0 &- $0 : $0 } }
    case UNARY_SIGN: { n, x, y, _, _ in mapIntegers(Int64.self, n, x, y) { $0 > 0 ? 1 : ($0 < 0 ? -1 : 0) } }
    case UNARY_SQUARE: { n, x, y, _, _ in mapIntegers(Int64.self, n, x, y) { $0 &* $0 } }
    case UNARY_RELU: { n, x, y, _, _ in mapIntegers(Int64.self, n, x, y) { $0 < 0 ? 0 : $0 } }
    case UNARY_CLAMP:
        { n, x, y, a, b in
            let low = toInt64(a)
            let high = toInt64(b)
            mapIntegers(Int64.self, n, x, y) { min(max($0, low), high) }
        }
    case UNARY_ADD_SCALAR:
        { n, x, y, a, _ in
            let z = toInt64(a)
            mapIntegers(Int64.self, n, x, y) { $0 &+ z }
        }
    case UNARY_MUL_SCALAR:
        { n, x, y, a, _ in
            let z = toInt64(a)
            mapIntegers(Int64.self, n, x, y) { $0 &* z }
        }
    default: nil
    }
}

func unaryInt32(_ op: Int) -> kernel_unary? {
    switch op {
    case UNARY_NEG: { n, x, y, _, _ in mapIntegers(Int32.self, n, x, y) { 0 &- $0 } }
    case UNARY_ABS: { n, x, y, _, _ in mapIntegers(Int32.self, n, x, y) { $0 < 0 ? 0 &- $0 : $0 } }
    case UNARY_SIGN: { n, x, y, _, _ in mapIntegers(Int32.self, n, x, y) { $0 > 0 ? 1 : ($0 < 0 ? -1 : 0) } }
    case UNARY_SQUARE: { n, x, y, _, _ in mapIntegers(Int32.self, n, x, y) { $0 &* $0 } }
    case UNARY_RELU: { n, x, y, _, _ in mapIntegers(Int32.self, n, x, y) { $0 < 0 ? 0 : $0 } }
    case UNARY_CLAMP:
        { n, x, y, a, b in
            let low = toInt32(a)
            let high = toInt32(b)
            mapIntegers(Int32.self, n, x, y) { min(max($0, low), high) }
        }
    case UNARY_ADD_SCALAR:
        { n, x, y, a, _ in
            let z = Int32(truncatingIfNeeded: toInt64(a))
            mapIntegers(Int32.self, n, x, y) { $0 &+ z }
        }
    case UNARY_MUL_SCALAR:
        { n, x, y, a, _ in
            let z = Int32(truncatingIfNeeded: toInt64(a))
            mapIntegers(Int32.self, n, x, y) { $0 &* z }
        }
    default: nil
    }
}

func unaryUInt8(_ op: Int) -> kernel_unary? {
    switch op {
    case UNARY_NEG: { n, x, y, _, _ in mapIntegers(UInt8.self, n, x, y) { 0 &- $0 } }
    case UNARY_ABS: { n, x, y, _, _ in mapIntegers(UInt8.self, n, x, y) { $0 } }
    case UNARY_SIGN: { n, x, y, _, _ in mapIntegers(UInt8.self, n, x, y) { $0 > 0 ? 1 : 0 } }
    case UNARY_SQUARE: { n, x, y, _, _ in mapIntegers(UInt8.self, n, x, y) { $0 &* $0 } }
    case UNARY_RELU: { n, x, y, _, _ in mapIntegers(UInt8.self, n, x, y) { $0 } }
    case UNARY_CLAMP:
        { n, x, y, a, b in
            let low = toUInt8(a)
            let high = toUInt8(b)
            mapIntegers(UInt8.self, n, x, y) { min(max($0, low), high) }
        }
    case UNARY_ADD_SCALAR:
        { n, x, y, a, _ in
            let z = UInt8(truncatingIfNeeded: toInt64(a))
            mapIntegers(UInt8.self, n, x, y) { $0 &+ z }
        }
    case UNARY_MUL_SCALAR:
        { n, x, y, a, _ in
            let z = UInt8(truncatingIfNeeded: toInt64(a))
            mapIntegers(UInt8.self, n, x, y) { $0 &* z }
        }
    default: nil
    }
}
