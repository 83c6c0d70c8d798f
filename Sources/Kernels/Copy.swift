import KernelABI

// Copies that do not look at the elements: strided, chosen by a condition, or one value everywhere.

/// Up to 16 dimensions with the strides of both sides, kept in vectors so that they live on the stack.
struct CopyPlan {
    var rank = 0
    var shape = SIMD16<Int>()
    var xs = SIMD16<Int>()
    var ys = SIMD16<Int>()

    /// Dimensions sorted by the destination's stride, greatest first; those of size 1 dropped and
    /// neighbours that step alike on both sides merged.
    @inline(__always)
    init(_ count: Int, _ s: UnsafePointer<Int>, _ x: UnsafePointer<Int>, _ y: UnsafePointer<Int>) {
        for d in 0..<count where s[d] != 1 {
            var at = rank
            while at > 0 && ys[at &- 1].magnitude < y[d].magnitude {
                shape[at] = shape[at &- 1]
                xs[at] = xs[at &- 1]
                ys[at] = ys[at &- 1]
                at &-= 1
            }
            shape[at] = s[d]
            xs[at] = x[d]
            ys[at] = y[d]
            rank &+= 1
        }
        var kept = 0
        for d in 0..<rank {
            if kept > 0 && xs[kept &- 1] == xs[d] &* shape[d] && ys[kept &- 1] == ys[d] &* shape[d] {
                shape[kept &- 1] &*= shape[d]
                xs[kept &- 1] = xs[d]
                ys[kept &- 1] = ys[d]
            } else {
                shape[kept] = shape[d]
                xs[kept] = xs[d]
                ys[kept] = ys[d]
                kept &+= 1
            }
        }
        rank = kept
    }
}

/// [rows, columns] where x steps by 1 along rows and y by 1 along columns: blocks through registers.
@inline(__always)
func transposeCopy<T>(
    _: T.Type, _ rows: Int, _ columns: Int, _ x: UnsafePointer<T>, _ xColumn: Int, _ y: UnsafeMutablePointer<T>, _ yRow: Int
) {
    let size = MemoryLayout<T>.size
    let block = size == 8 ? 8 : 16
    var j = 0
    while j < columns {
        let jEnd = min(j &+ block, columns)
        var i = 0
        while i < rows {
            let iEnd = min(i &+ block, rows)
            if size != 1 && jEnd &- j == block && iEnd &- i == block {
                let from = UnsafeRawPointer(x + (i &+ j &* xColumn))
                let to = UnsafeMutableRawPointer(y + (i &* yRow &+ j))
                if size == 4 {
                    Rows16.load(from, xColumn &* 4, 16).transposed.store(to, yRow &* 4, 16)
                } else {
                    Rows8.load(from, xColumn &* 8, 8).transposed.store(to, yRow &* 8, 8)
                }
            } else {
                for r in i..<iEnd { for c in j..<jEnd { y[r &* yRow &+ c] = x[r &+ c &* xColumn] } }
            }
            i = iEnd
        }
        j = jEnd
    }
}

@inline(__always)
func copyInner<T>(_: T.Type, _ p: CopyPlan, _ transposed: Int, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>) {
    if p.rank == 0 {
        y[0] = x[0]
        return
    }
    let last = p.rank &- 1
    let n = p.shape[last]
    let xs = p.xs[last]
    let ys = p.ys[last]
    if transposed >= 0 {
        transposeCopy(T.self, p.shape[transposed], n, x, xs, y, p.ys[transposed])
    } else if ys == 1 && xs == 1 {
        UnsafeMutableRawPointer(y).copyMemory(from: x, byteCount: n &* MemoryLayout<T>.size)
    } else if ys == 1 && xs == 0 {
        let v = x[0]
        for i in 0..<n { y[i] = v }
    } else {
        for i in 0..<n { y[i &* ys] = x[i &* xs] }
    }
}

@inline(__always)
func copyStrided<T>(_: T.Type, _ p: CopyPlan, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>) {
    let last = p.rank &- 1
    // A dimension that x walks by single elements, while y walks so along the last one.
    var transposed = -1
    if p.rank >= 2 && p.ys[last] == 1 && p.xs[last] != 1 && p.xs[last] != 0 {
        for d in 0..<last where p.xs[d] == 1 && p.shape[d] >= 8 { transposed = d }
    }
    // An odometer over the other dimensions.
    var index = SIMD16<Int>()
    var px = x
    var py = y
    while true {
        copyInner(T.self, p, transposed, px, py)
        var d = last &- 1
        while d >= 0 {
            if d != transposed {
                index[d] &+= 1
                px += p.xs[d]
                py += p.ys[d]
                if index[d] < p.shape[d] { break }
                px -= p.xs[d] &* p.shape[d]
                py -= p.ys[d] &* p.shape[d]
                index[d] = 0
            }
            d &-= 1
        }
        if d < 0 { return }
    }
}

func copy(
    _ size: Int32, _ rank: Int32, _ shape: UnsafePointer<Int>, _ x: UnsafeRawPointer, _ xs: UnsafePointer<Int>,
    _ y: UnsafeMutableRawPointer, _ ys: UnsafePointer<Int>
) {
    for d in 0..<Int(rank) where shape[d] == 0 { return }
    if rank > 16 {
        // One dimension at a time until the rest fits a plan.
        for i in 0..<shape[0] {
            copy(
                size, rank &- 1, shape + 1, x + i &* xs[0] &* Int(size), xs + 1, y + i &* ys[0] &* Int(size), ys + 1)
        }
        return
    }
    let p = CopyPlan(Int(rank), shape, xs, ys)
    switch size {
    case 1: copyStrided(UInt8.self, p, x.assumingMemoryBound(to: UInt8.self), y.assumingMemoryBound(to: UInt8.self))
    case 4: copyStrided(UInt32.self, p, x.assumingMemoryBound(to: UInt32.self), y.assumingMemoryBound(to: UInt32.self))
    default: copyStrided(UInt64.self, p, x.assumingMemoryBound(to: UInt64.self), y.assumingMemoryBound(to: UInt64.self))
    }
}

@inline(__always)
func choose<T>(
    _: T.Type, _ n: Int, _ c: UnsafePointer<UInt8>, _ cs: Int, _ x: UnsafeRawPointer, _ xs: Int, _ z: UnsafeRawPointer, _ zs: Int,
    _ y: UnsafeMutableRawPointer
) {
    let y = y.assumingMemoryBound(to: T.self)
    if n < 1 { return }
    if cs == 0 {
        // One condition for all: a copy of one side.
        let from = (c[0] != 0 ? x : z).assumingMemoryBound(to: T.self)
        let step = c[0] != 0 ? xs : zs
        for i in 0..<n { y[i] = from[i &* step] }
        return
    }
    eachRun(T.self, n, x, xs, z, zs) { start, count, a, b in
        let to = y + start
        let condition = c + start
        for i in 0..<count {
            let p = a[i]
            let q = b[i]
            to[i] = condition[i] != 0 ? p : q
        }
    }
}

func choose(
    _ size: Int32, _ n: Int, _ c: UnsafePointer<UInt8>, _ cs: Int, _ x: UnsafeRawPointer, _ xs: Int, _ z: UnsafeRawPointer, _ zs: Int,
    _ y: UnsafeMutableRawPointer
) {
    switch size {
    case 1: choose(UInt8.self, n, c, cs, x, xs, z, zs, y)
    case 4: choose(UInt32.self, n, c, cs, x, xs, z, zs, y)
    default: choose(UInt64.self, n, c, cs, x, xs, z, zs, y)
    }
}

@inline(__always)
func fill<T>(_: T.Type, _ n: Int, _ value: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
    let y = y.assumingMemoryBound(to: T.self)
    let v = value.assumingMemoryBound(to: T.self)[0]
    for i in 0..<n { y[i] = v }
}

func fill(_ size: Int32, _ n: Int, _ value: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
    switch size {
    case 1: fill(UInt8.self, n, value, y)
    case 4: fill(UInt32.self, n, value, y)
    default: fill(UInt64.self, n, value, y)
    }
}
