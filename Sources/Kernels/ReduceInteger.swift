import KernelABI

// Reductions whose order does not matter (integers, truth values, positions), over the middle of [outer, n, inner].

/// y = f(...f(f(start, x[0]), x[1])...); the loop over `inner` is the innermost where there is one.
@inline(__always)
func reduceTruth<X, Y>(
    _: X.Type, _: Y.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ start: Y,
    _ f: (Y, X) -> Y
) {
    let x = x.assumingMemoryBound(to: X.self)
    let y = y.assumingMemoryBound(to: Y.self)
    for o in 0..<outer {
        let p = x + o &* n &* inner
        if inner == 1 {
            var r = start
            for i in 0..<n { r = f(r, p[i]) }
            y[o] = r
        } else {
            let q = y + o &* inner
            for j in 0..<inner { q[j] = start }
            for i in 0..<n { for j in 0..<inner { q[j] = f(q[j], p[i &* inner &+ j]) } }
        }
    }
}

/// Position of the first element that no later one `beats`.
@inline(__always)
func reduceIndex<X>(
    _: X.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ beats: (X, X) -> Bool
) {
    let x = x.assumingMemoryBound(to: X.self)
    let y = y.assumingMemoryBound(to: Int64.self)
    for o in 0..<outer {
        for j in 0..<inner {
            let p = x + (o &* n &* inner &+ j)
            var best = p[0]
            var at = 0
            var i = 1
            while i < n {
                let v = p[i &* inner]
                if beats(v, best) {
                    best = v
                    at = i
                }
                i &+= 1
            }
            y[o &* inner &+ j] = Int64(at)
        }
    }
}

func reduceInt64(_ op: Int) -> kernel_reduce? {
    switch op {
    case REDUCE_SUM: { outer, n, inner, x, y in reduceTruth(Int64.self, Int64.self, outer, n, inner, x, y, 0) { $0 &+ $1 } }
    case REDUCE_PROD: { outer, n, inner, x, y in reduceTruth(Int64.self, Int64.self, outer, n, inner, x, y, 1) { $0 &* $1 } }
    case REDUCE_MAX: { outer, n, inner, x, y in reduceTruth(Int64.self, Int64.self, outer, n, inner, x, y, Int64.min) { $0 > $1 ? $0 : $1 } }
    case REDUCE_MIN: { outer, n, inner, x, y in reduceTruth(Int64.self, Int64.self, outer, n, inner, x, y, Int64.max) { $0 < $1 ? $0 : $1 } }
    case REDUCE_ARGMAX: { outer, n, inner, x, y in reduceIndex(Int64.self, outer, n, inner, x, y) { $0 > $1 } }
    case REDUCE_ARGMIN: { outer, n, inner, x, y in reduceIndex(Int64.self, outer, n, inner, x, y) { $0 < $1 } }
    case REDUCE_ANY: { outer, n, inner, x, y in reduceTruth(Int64.self, UInt8.self, outer, n, inner, x, y, 0) { $0 | ($1 != 0 ? 1 : 0) } }
    case REDUCE_ALL: { outer, n, inner, x, y in reduceTruth(Int64.self, UInt8.self, outer, n, inner, x, y, 1) { $0 & ($1 != 0 ? 1 : 0) } }
    case REDUCE_COUNT_NONZERO: { outer, n, inner, x, y in reduceTruth(Int64.self, Int64.self, outer, n, inner, x, y, 0) { $0 &+ ($1 != 0 ? 1 : 0) } }
    default: nil
    }
}

func reduceInt32(_ op: Int) -> kernel_reduce? {
    switch op {
    case REDUCE_SUM: { outer, n, inner, x, y in reduceTruth(Int32.self, Int32.self, outer, n, inner, x, y, 0) { $0 &+ $1 } }
    case REDUCE_PROD: { outer, n, inner, x, y in reduceTruth(Int32.self, Int32.self, outer, n, inner, x, y, 1) { $0 &* $1 } }
    case REDUCE_MAX: { outer, n, inner, x, y in reduceTruth(Int32.self, Int32.self, outer, n, inner, x, y, Int32.min) { $0 > $1 ? $0 : $1 } }
    case REDUCE_MIN: { outer, n, inner, x, y in reduceTruth(Int32.self, Int32.self, outer, n, inner, x, y, Int32.max) { $0 < $1 ? $0 : $1 } }
    case REDUCE_ARGMAX: { outer, n, inner, x, y in reduceIndex(Int32.self, outer, n, inner, x, y) { $0 > $1 } }
    case REDUCE_ARGMIN: { outer, n, inner, x, y in reduceIndex(Int32.self, outer, n, inner, x, y) { $0 < $1 } }
    case REDUCE_ANY: { outer, n, inner, x, y in reduceTruth(Int32.self, UInt8.self, outer, n, inner, x, y, 0) { $0 | ($1 != 0 ? 1 : 0) } }
    case REDUCE_ALL: { outer, n, inner, x, y in reduceTruth(Int32.self, UInt8.self, outer, n, inner, x, y, 1) { $0 & ($1 != 0 ? 1 : 0) } }
    case REDUCE_COUNT_NONZERO: { outer, n, inner, x, y in reduceTruth(Int32.self, Int64.self, outer, n, inner, x, y, 0) { $0 &+ ($1 != 0 ? 1 : 0) } }
    default: nil
    }
}

func reduceUInt8(_ op: Int) -> kernel_reduce? {
    switch op {
    case REDUCE_MAX: { outer, n, inner, x, y in reduceTruth(UInt8.self, UInt8.self, outer, n, inner, x, y, UInt8.min) { $0 > $1 ? $0 : $1 } }
    case REDUCE_MIN: { outer, n, inner, x, y in reduceTruth(UInt8.self, UInt8.self, outer, n, inner, x, y, UInt8.max) { $0 < $1 ? $0 : $1 } }
    case REDUCE_ARGMAX: { outer, n, inner, x, y in reduceIndex(UInt8.self, outer, n, inner, x, y) { $0 > $1 } }
    case REDUCE_ARGMIN: { outer, n, inner, x, y in reduceIndex(UInt8.self, outer, n, inner, x, y) { $0 < $1 } }
    case REDUCE_ANY: { outer, n, inner, x, y in reduceTruth(UInt8.self, UInt8.self, outer, n, inner, x, y, 0) { $0 | ($1 != 0 ? 1 : 0) } }
    case REDUCE_ALL: { outer, n, inner, x, y in reduceTruth(UInt8.self, UInt8.self, outer, n, inner, x, y, 1) { $0 & ($1 != 0 ? 1 : 0) } }
    case REDUCE_COUNT_NONZERO: { outer, n, inner, x, y in reduceTruth(UInt8.self, Int64.self, outer, n, inner, x, y, 0) { $0 &+ ($1 != 0 ? 1 : 0) } }
    default: nil
    }
}
