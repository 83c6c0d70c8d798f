import KernelABI

// y[i] = x[i * xs] < z[i * zs] ? 1 : 0 and its kin; strides are 0 or 1, y is one byte per element.

@inline(__always)
func compare<T>(
    _: T.Type, _ n: Int, _ x: UnsafeRawPointer, _ xs: Int, _ z: UnsafeRawPointer, _ zs: Int,
    _ y: UnsafeMutableRawPointer, _ f: (T, T) -> Bool
) {
    let x = x.assumingMemoryBound(to: T.self)
    let z = z.assumingMemoryBound(to: T.self)
    let y = y.assumingMemoryBound(to: UInt8.self)
    if xs == 1 && zs == 1 {
        for i in 0..<n { y[i] = f(x[i], z[i]) ? 1 : 0 }
    } else if xs == 1 {
        let b = z[0]
        for i in 0..<n { y[i] = f(x[i], b) ? 1 : 0 }
    } else {
        let a = x[0]
        for i in 0..<n { y[i] = f(a, z[i &* zs]) ? 1 : 0 }
    }
}

func compareFloat(_ op: Int) -> kernel_binary? {
    switch op {
    case COMPARE_EQ: { n, x, xs, z, zs, y in compare(Float.self, n, x, xs, z, zs, y) { $0 == $1 } }
    case COMPARE_NE: { n, x, xs, z, zs, y in compare(Float.self, n, x, xs, z, zs, y) { $0 != $1 } }
    case COMPARE_LT: { n, x, xs, z, zs, y in compare(Float.self, n, x, xs, z, zs, y) { $0 < $1 } }
    case COMPARE_LE: { n, x, xs, z, zs, y in compare(Float.self, n, x, xs, z, zs, y) { $0 <= $1 } }
    case COMPARE_GT: { n, x, xs, z, zs, y in compare(Float.self, n, x, xs, z, zs, y) { $0 > $1 } }
    case COMPARE_GE: { n, x, xs, z, zs, y in compare(Float.self, n, x, xs, z, zs, y) { $0 >= $1 } }
    case COMPARE_AND: { n, x, xs, z, zs, y in compare(Float.self, n, x, xs, z, zs, y) { $0 != 0 && $1 != 0 } }
    case COMPARE_OR: { n, x, xs, z, zs, y in compare(Float.self, n, x, xs, z, zs, y) { $0 != 0 || $1 != 0 } }
    case COMPARE_XOR: { n, x, xs, z, zs, y in compare(Float.self, n, x, xs, z, zs, y) { ($0 != 0) != ($1 != 0) } }
    default: nil
    }
}

func compareDouble(_ op: Int) -> kernel_binary? {
    switch op {
    case COMPARE_EQ: { n, x, xs, z, zs, y in compare(Double.self, n, x, xs, z, zs, y) { $0 == $1 } }
    case COMPARE_NE: { n, x, xs, z, zs, y in compare(Double.self, n, x, xs, z, zs, y) { $0 != $1 } }
    case COMPARE_LT: { n, x, xs, z, zs, y in compare(Double.self, n, x, xs, z, zs, y) { $0 < $1 } }
    case COMPARE_LE: { n, x, xs, z, zs, y in compare(Double.self, n, x, xs, z, zs, y) { $0 <= $1 } }
    case COMPARE_GT: { n, x, xs, z, zs, y in compare(Double.self, n, x, xs, z, zs, y) { $0 > $1 } }
    case COMPARE_GE: { n, x, xs, z, zs, y in compare(Double.self, n, x, xs, z, zs, y) { $0 >= $1 } }
    case COMPARE_AND: { n, x, xs, z, zs, y in compare(Double.self, n, x, xs, z, zs, y) { $0 != 0 && $1 != 0 } }
    case COMPARE_OR: { n, x, xs, z, zs, y in compare(Double.self, n, x, xs, z, zs, y) { $0 != 0 || $1 != 0 } }
    case COMPARE_XOR: { n, x, xs, z, zs, y in compare(Double.self, n, x, xs, z, zs, y) { ($0 != 0) != ($1 != 0) } }
    default: nil
    }
}

func compareInt64(_ op: Int) -> kernel_binary? {
    switch op {
    case COMPARE_EQ: { n, x, xs, z, zs, y in compare(Int64.self, n, x, xs, z, zs, y) { $0 == $1 } }
    case COMPARE_NE: { n, x, xs, z, zs, y in compare(Int64.self, n, x, xs, z, zs, y) { $0 != $1 } }
    case COMPARE_LT: { n, x, xs, z, zs, y in compare(Int64.self, n, x, xs, z, zs, y) { $0 < $1 } }
    case COMPARE_LE: { n, x, xs, z, zs, y in compare(Int64.self, n, x, xs, z, zs, y) { $0 <= $1 } }
    case COMPARE_GT: { n, x, xs, z, zs, y in compare(Int64.self, n, x, xs, z, zs, y) { $0 > $1 } }
    case COMPARE_GE: { n, x, xs, z, zs, y in compare(Int64.self, n, x, xs, z, zs, y) { $0 >= $1 } }
    case COMPARE_AND: { n, x, xs, z, zs, y in compare(Int64.self, n, x, xs, z, zs, y) { $0 != 0 && $1 != 0 } }
    case COMPARE_OR: { n, x, xs, z, zs, y in compare(Int64.self, n, x, xs, z, zs, y) { $0 != 0 || $1 != 0 } }
    case COMPARE_XOR: { n, x, xs, z, zs, y in compare(Int64.self, n, x, xs, z, zs, y) { ($0 != 0) != ($1 != 0) } }
    default: nil
    }
}

func compareInt32(_ op: Int) -> kernel_binary? {
    switch op {
    case COMPARE_EQ: { n, x, xs, z, zs, y in compare(Int32.self, n, x, xs, z, zs, y) { $0 == $1 } }
    case COMPARE_NE: { n, x, xs, z, zs, y in compare(Int32.self, n, x, xs, z, zs, y) { $0 != $1 } }
    case COMPARE_LT: { n, x, xs, z, zs, y in compare(Int32.self, n, x, xs, z, zs, y) { $0 < $1 } }
    case COMPARE_LE: { n, x, xs, z, zs, y in compare(Int32.self, n, x, xs, z, zs, y) { $0 <= $1 } }
    case COMPARE_GT: { n, x, xs, z, zs, y in compare(Int32.self, n, x, xs, z, zs, y) { $0 > $1 } }
    case COMPARE_GE: { n, x, xs, z, zs, y in compare(Int32.self, n, x, xs, z, zs, y) { $0 >= $1 } }
    case COMPARE_AND: { n, x, xs, z, zs, y in compare(Int32.self, n, x, xs, z, zs, y) { $0 != 0 && $1 != 0 } }
    case COMPARE_OR: { n, x, xs, z, zs, y in compare(Int32.self, n, x, xs, z, zs, y) { $0 != 0 || $1 != 0 } }
    case COMPARE_XOR: { n, x, xs, z, zs, y in compare(Int32.self, n, x, xs, z, zs, y) { ($0 != 0) != ($1 != 0) } }
    default: nil
    }
}

func compareUInt8(_ op: Int) -> kernel_binary? {
    switch op {
    case COMPARE_EQ: { n, x, xs, z, zs, y in compare(UInt8.self, n, x, xs, z, zs, y) { $0 == $1 } }
    case COMPARE_NE: { n, x, xs, z, zs, y in compare(UInt8.self, n, x, xs, z, zs, y) { $0 != $1 } }
    case COMPARE_LT: { n, x, xs, z, zs, y in compare(UInt8.self, n, x, xs, z, zs, y) { $0 < $1 } }
    case COMPARE_LE: { n, x, xs, z, zs, y in compare(UInt8.self, n, x, xs, z, zs, y) { $0 <= $1 } }
    case COMPARE_GT: { n, x, xs, z, zs, y in compare(UInt8.self, n, x, xs, z, zs, y) { $0 > $1 } }
    case COMPARE_GE: { n, x, xs, z, zs, y in compare(UInt8.self, n, x, xs, z, zs, y) { $0 >= $1 } }
    case COMPARE_AND: { n, x, xs, z, zs, y in compare(UInt8.self, n, x, xs, z, zs, y) { $0 != 0 && $1 != 0 } }
    case COMPARE_OR: { n, x, xs, z, zs, y in compare(UInt8.self, n, x, xs, z, zs, y) { $0 != 0 || $1 != 0 } }
    case COMPARE_XOR: { n, x, xs, z, zs, y in compare(UInt8.self, n, x, xs, z, zs, y) { ($0 != 0) != ($1 != 0) } }
    default: nil
    }
}
