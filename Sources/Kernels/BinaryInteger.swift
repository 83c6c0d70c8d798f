import KernelABI

// Integer arithmetic of two arguments, wrapping. Division by zero is the caller's to exclude; least / -1 wraps.

@inline(__always)
func zipIntegers<T: FixedWidthInteger>(
    _: T.Type, _ n: Int, _ x: UnsafeRawPointer, _ xs: Int, _ z: UnsafeRawPointer, _ zs: Int,
    _ y: UnsafeMutableRawPointer, _ f: (T, T) -> T
) {
    let y = y.assumingMemoryBound(to: T.self)
    eachRun(T.self, n, x, xs, z, zs) { start, count, a, b in
        let to = y + start
        for i in 0..<count { to[i] = f(a[i], b[i]) }
    }
}

@inline(__always)
func floorDivide<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
    let (q, r) = a.quotientAndRemainder(dividingBy: b)
    return r != 0 && (r < 0) != (b < 0) ? q &- 1 : q
}

@inline(__always)
func floorRemainder<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
    let r = a % b
    return r != 0 && (r < 0) != (b < 0) ? r &+ b : r
}

/// a to the power b, wrapping. A negative power of 1 or -1 is itself a power; of anything else it is 0.
@inline(__always)
func integerPower<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
    if b < 0 {
        if a == 1 { return 1 }
        return a &+ 1 == 0 ? (b & 1 == 0 ? 1 : a) : 0
    }
    var result: T = 1
    var base = a
    var e = b
    while e != 0 {
        if e & 1 != 0 { result = result &* base }
        base = base &* base
        e >>= 1
    }
    return result
}

func binaryInt64(_ op: Int) -> kernel_binary? {
    switch op {
    case BINARY_ADD: { n, x, xs, z, zs, y in zipIntegers(Int64.self, n, x, xs, z, zs, y) { $0 &+ $1 } }
    case BINARY_SUB: { n, x, xs, z, zs, y in zipIntegers(Int64.self, n, x, xs, z, zs, y) { $0 &- $1 } }
    case BINARY_MUL: { n, x, xs, z, zs, y in zipIntegers(Int64.self, n, x, xs, z, zs, y) { $0 &* $1 } }
    case BINARY_POW: { n, x, xs, z, zs, y in zipIntegers(Int64.self, n, x, xs, z, zs, y) { integerPower($0, $1) } }
    case BINARY_REMAINDER: { n, x, xs, z, zs, y in zipIntegers(Int64.self, n, x, xs, z, zs, y) { $1 == -1 ? 0 : floorRemainder($0, $1) } }
    case BINARY_FLOOR_DIVIDE: { n, x, xs, z, zs, y in zipIntegers(Int64.self, n, x, xs, z, zs, y) { $1 == -1 ? 0 &- $0 : floorDivide($0, $1) } }
    case BINARY_MAXIMUM: { n, x, xs, z, zs, y in zipIntegers(Int64.self, n, x, xs, z, zs, y) { $0 > $1 ? $0 : $1 } }
    case BINARY_MINIMUM: { n, x, xs, z, zs, y in zipIntegers(Int64.self, n, x, xs, z, zs, y) { $0 < $1 ? $0 : $1 } }
    case BINARY_RELU_GRAD: { n, x, xs, z, zs, y in zipIntegers(Int64.self, n, x, xs, z, zs, y) { $0 > 0 ? $1 : 0 } }
    default: nil
    }
}

func binaryInt32(_ op: Int) -> kernel_binary? {
    switch op {
    case BINARY_ADD: { n, x, xs, z, zs, y in zipIntegers(Int32.self, n, x, xs, z, zs, y) { $0 &+ $1 } }
    case BINARY_SUB: { n, x, xs, z, zs, y in zipIntegers(Int32.self, n, x, xs, z, zs, y) { $0 &- $1 } }
    case BINARY_MUL: { n, x, xs, z, zs, y in zipIntegers(Int32.self, n, x, xs, z, zs, y) { $0 &* $1 } }
    case BINARY_POW: { n, x, xs, z, zs, y in zipIntegers(Int32.self, n, x, xs, z, zs, y) { integerPower($0, $1) } }
    case BINARY_REMAINDER: { n, x, xs, z, zs, y in zipIntegers(Int32.self, n, x, xs, z, zs, y) { $1 == -1 ? 0 : floorRemainder($0, $1) } }
    case BINARY_FLOOR_DIVIDE: { n, x, xs, z, zs, y in zipIntegers(Int32.self, n, x, xs, z, zs, y) { $1 == -1 ? 0 &- $0 : floorDivide($0, $1) } }
    case BINARY_MAXIMUM: { n, x, xs, z, zs, y in zipIntegers(Int32.self, n, x, xs, z, zs, y) { $0 > $1 ? $0 : $1 } }
    case BINARY_MINIMUM: { n, x, xs, z, zs, y in zipIntegers(Int32.self, n, x, xs, z, zs, y) { $0 < $1 ? $0 : $1 } }
    case BINARY_RELU_GRAD: { n, x, xs, z, zs, y in zipIntegers(Int32.self, n, x, xs, z, zs, y) { $0 > 0 ? $1 : 0 } }
    default: nil
    }
}

func binaryUInt8(_ op: Int) -> kernel_binary? {
    switch op {
    case BINARY_ADD: { n, x, xs, z, zs, y in zipIntegers(UInt8.self, n, x, xs, z, zs, y) { $0 &+ $1 } }
    case BINARY_SUB: { n, x, xs, z, zs, y in zipIntegers(UInt8.self, n, x, xs, z, zs, y) { $0 &- $1 } }
    case BINARY_MUL: { n, x, xs, z, zs, y in zipIntegers(UInt8.self, n, x, xs, z, zs, y) { $0 &* $1 } }
    case BINARY_POW: { n, x, xs, z, zs, y in zipIntegers(UInt8.self, n, x, xs, z, zs, y) { integerPower($0, $1) } }
    case BINARY_REMAINDER: { n, x, xs, z, zs, y in zipIntegers(UInt8.self, n, x, xs, z, zs, y) { floorRemainder($0, $1) } }
    case BINARY_FLOOR_DIVIDE: { n, x, xs, z, zs, y in zipIntegers(UInt8.self, n, x, xs, z, zs, y) { floorDivide($0, $1) } }
    case BINARY_MAXIMUM: { n, x, xs, z, zs, y in zipIntegers(UInt8.self, n, x, xs, z, zs, y) { $0 > $1 ? $0 : $1 } }
    case BINARY_MINIMUM: { n, x, xs, z, zs, y in zipIntegers(UInt8.self, n, x, xs, z, zs, y) { $0 < $1 ? $0 : $1 } }
    case BINARY_RELU_GRAD: { n, x, xs, z, zs, y in zipIntegers(UInt8.self, n, x, xs, z, zs, y) { $0 > 0 ? $1 : 0 } }
    default: nil
    }
}
