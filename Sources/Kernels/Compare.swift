import KernelABI

// y[i] = x[i * xs] < z[i * zs] ? 1 : 0 and its kin; strides are 0 or 1, y is one byte per element.

/// Calls `body` for runs of elements. A stride of 0 becomes a run of copies of the one element,
/// so that one loop over contiguous elements serves every case.
@inline(__always)
func eachRun<T>(
    _: T.Type, _ n: Int, _ x: UnsafeRawPointer, _ xs: Int, _ z: UnsafeRawPointer, _ zs: Int,
    _ body: (_ start: Int, _ count: Int, _ x: UnsafePointer<T>, _ z: UnsafePointer<T>) -> Void
) {
    let x = x.assumingMemoryBound(to: T.self)
    let z = z.assumingMemoryBound(to: T.self)
    if n < 1 { return }
    let run = xs == 1 && zs == 1 ? n : 64
    var copies = (SIMD64<UInt64>(), SIMD64<UInt64>())
    withUnsafeMutableBytes(of: &copies) { copies in
        let a = copies.baseAddress!.assumingMemoryBound(to: T.self)
        let b = a + 64
        if xs == 0 { for i in 0..<64 { a[i] = x[0] } }
        if zs == 0 { for i in 0..<64 { b[i] = z[0] } }
        var i = 0
        while i < n {
            body(i, min(run, n &- i), xs == 0 ? UnsafePointer(a) : x + i, zs == 0 ? UnsafePointer(b) : z + i)
            i &+= run
        }
    }
}

@inline(__always)
func compare<T>(
    _: T.Type, _ n: Int, _ x: UnsafeRawPointer, _ xs: Int, _ z: UnsafeRawPointer, _ zs: Int,
    _ y: UnsafeMutableRawPointer, _ f: (T, T) -> Bool
) {
    let y = y.assumingMemoryBound(to: UInt8.self)
    eachRun(T.self, n, x, xs, z, zs) { start, count, a, b in
        let to = y + start
        for i in 0..<count { to[i] = f(a[i], b[i]) ? 1 : 0 }
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
