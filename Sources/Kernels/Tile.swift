import KernelABI

// The innermost loop of a matrix product: a tile of up to 12 rows and 2 vectors of C in registers.
//
// Each element is one chain of fused multiply-adds over k in ascending order, starting from zero,
// whatever the tile: so every shape of tile, padded or not, gives the same bits.

/// What happens to a finished tile on its way to C.
struct TileFinish<V: Vector> {
    var alpha: V
    var scaled: Bool  // alpha is not 1
    var accumulate: Bool  // add what C holds
    var rowBias: UnsafePointer<V.Scalar>?  // one per row of the tile
    var columnBias: UnsafePointer<V.Scalar>?  // one per column of the tile
    var relu: Bool
    var columns: Int  // columns of C that exist; the tile may be wider
    @inline(__always) var isPlain: Bool { !scaled && !relu && rowBias == nil && columnBias == nil }
}

/// acc to c[0 ..< count]. `count` is at most V.lanes.
@inline(__always)
func finishVector<V: Vector>(
    _ acc: V, _ c: UnsafeMutablePointer<V.Scalar>, _ count: Int, _ row: Int, _ column: Int, _ f: TileFinish<V>
) {
    if count <= 0 { return }
    var r = acc
    if f.scaled { r = r * f.alpha }
    if count >= V.lanes {
        if f.accumulate { r = V.load(c) + r }
        if let bias = f.columnBias { r = r + V.load(bias + column) }
    } else {
        if f.accumulate { r = V.load(c, count: count, pad: r) + r }
        if let bias = f.columnBias { r = r + V.load(bias + column, count: count, pad: r) }
    }
    if let bias = f.rowBias { r = r + V(bias[row]) }
    if f.relu { r = reluLanes(r) }
    if count >= V.lanes { r.store(c) } else { r.store(c, count: count) }
}

/// rows (1 ... 12) and vectors (1 or 2) are constants at every call, so unused accumulators vanish.
/// Element (i, k) of A is a[i * aRow + k * aStep]; row k of B is at b + k * bStep, or at
/// b + offsets[k]; row i of C at c + i * cRow.
@inline(__always)
func tile<V: Vector>(
    _: V.Type, rows: Int, vectors: Int, depth: Int,
    _ a: UnsafePointer<V.Scalar>, _ aRow: Int, _ aStep: Int,
    _ b: UnsafePointer<V.Scalar>, _ bStep: Int, offsets: UnsafePointer<Int>? = nil,
    _ c: UnsafeMutablePointer<V.Scalar>, _ cRow: Int, _ f: TileFinish<V>
) {
    var c0 = V(0.0), d0 = V(0.0)
    var c1 = V(0.0), d1 = V(0.0)
    var c2 = V(0.0), d2 = V(0.0)
    var c3 = V(0.0), d3 = V(0.0)
    var c4 = V(0.0), d4 = V(0.0)
    var c5 = V(0.0), d5 = V(0.0)
    var c6 = V(0.0), d6 = V(0.0)
    var c7 = V(0.0), d7 = V(0.0)
    var c8 = V(0.0), d8 = V(0.0)
    var c9 = V(0.0), d9 = V(0.0)
    var c10 = V(0.0), d10 = V(0.0)
    var c11 = V(0.0), d11 = V(0.0)
    var a = a
    var b = b
    var k = 0
    while k < depth {
        let bk = offsets.map { b + $0[k] } ?? b
        let b0 = V.load(bk)
        let b1 = vectors > 1 ? V.load(bk + V.lanes) : b0
        do {
            let e = V(a[0])
            c0 = V.fma(e, b0, c0)
            if vectors > 1 { d0 = V.fma(e, b1, d0) }
        }
        if rows > 1 {
            let e = V(a[aRow])
            c1 = V.fma(e, b0, c1)
            if vectors > 1 { d1 = V.fma(e, b1, d1) }
        }
        if rows > 2 {
            let e = V(a[aRow &* 2])
            c2 = V.fma(e, b0, c2)
            if vectors > 1 { d2 = V.fma(e, b1, d2) }
        }
        if rows > 3 {
            let e = V(a[aRow &* 3])
            c3 = V.fma(e, b0, c3)
            if vectors > 1 { d3 = V.fma(e, b1, d3) }
        }
        if rows > 4 {
            let e = V(a[aRow &* 4])
            c4 = V.fma(e, b0, c4)
            if vectors > 1 { d4 = V.fma(e, b1, d4) }
        }
        if rows > 5 {
            let e = V(a[aRow &* 5])
            c5 = V.fma(e, b0, c5)
            if vectors > 1 { d5 = V.fma(e, b1, d5) }
        }
        if rows > 6 {
            let e = V(a[aRow &* 6])
            c6 = V.fma(e, b0, c6)
            if vectors > 1 { d6 = V.fma(e, b1, d6) }
        }
        if rows > 7 {
            let e = V(a[aRow &* 7])
            c7 = V.fma(e, b0, c7)
            if vectors > 1 { d7 = V.fma(e, b1, d7) }
        }
        if rows > 8 {
            let e = V(a[aRow &* 8])
            c8 = V.fma(e, b0, c8)
            if vectors > 1 { d8 = V.fma(e, b1, d8) }
        }
        if rows > 9 {
            let e = V(a[aRow &* 9])
            c9 = V.fma(e, b0, c9)
            if vectors > 1 { d9 = V.fma(e, b1, d9) }
        }
        if rows > 10 {
            let e = V(a[aRow &* 10])
            c10 = V.fma(e, b0, c10)
            if vectors > 1 { d10 = V.fma(e, b1, d10) }
        }
        if rows > 11 {
            let e = V(a[aRow &* 11])
            c11 = V.fma(e, b0, c11)
            if vectors > 1 { d11 = V.fma(e, b1, d11) }
        }
        a += aStep
        if offsets == nil { b += bStep }
        k &+= 1
    }
    if f.isPlain && f.columns >= vectors &* V.lanes {
        if f.accumulate {
            if rows > 0 {
                (V.load(c) + c0).store(c)
                if vectors > 1 { (V.load((c + V.lanes)) + d0).store((c + V.lanes)) }
            }
            if rows > 1 {
                (V.load((c + cRow &* 1)) + c1).store((c + cRow &* 1))
                if vectors > 1 { (V.load((c + (cRow &* 1 &+ V.lanes))) + d1).store((c + (cRow &* 1 &+ V.lanes))) }
            }
            if rows > 2 {
                (V.load((c + cRow &* 2)) + c2).store((c + cRow &* 2))
                if vectors > 1 { (V.load((c + (cRow &* 2 &+ V.lanes))) + d2).store((c + (cRow &* 2 &+ V.lanes))) }
            }
            if rows > 3 {
                (V.load((c + cRow &* 3)) + c3).store((c + cRow &* 3))
                if vectors > 1 { (V.load((c + (cRow &* 3 &+ V.lanes))) + d3).store((c + (cRow &* 3 &+ V.lanes))) }
            }
            if rows > 4 {
                (V.load((c + cRow &* 4)) + c4).store((c + cRow &* 4))
                if vectors > 1 { (V.load((c + (cRow &* 4 &+ V.lanes))) + d4).store((c + (cRow &* 4 &+ V.lanes))) }
            }
            if rows > 5 {
                (V.load((c + cRow &* 5)) + c5).store((c + cRow &* 5))
                if vectors > 1 { (V.load((c + (cRow &* 5 &+ V.lanes))) + d5).store((c + (cRow &* 5 &+ V.lanes))) }
            }
            if rows > 6 {
                (V.load((c + cRow &* 6)) + c6).store((c + cRow &* 6))
                if vectors > 1 { (V.load((c + (cRow &* 6 &+ V.lanes))) + d6).store((c + (cRow &* 6 &+ V.lanes))) }
            }
            if rows > 7 {
                (V.load((c + cRow &* 7)) + c7).store((c + cRow &* 7))
                if vectors > 1 { (V.load((c + (cRow &* 7 &+ V.lanes))) + d7).store((c + (cRow &* 7 &+ V.lanes))) }
            }
            if rows > 8 {
                (V.load((c + cRow &* 8)) + c8).store((c + cRow &* 8))
                if vectors > 1 { (V.load((c + (cRow &* 8 &+ V.lanes))) + d8).store((c + (cRow &* 8 &+ V.lanes))) }
            }
            if rows > 9 {
                (V.load((c + cRow &* 9)) + c9).store((c + cRow &* 9))
                if vectors > 1 { (V.load((c + (cRow &* 9 &+ V.lanes))) + d9).store((c + (cRow &* 9 &+ V.lanes))) }
            }
            if rows > 10 {
                (V.load((c + cRow &* 10)) + c10).store((c + cRow &* 10))
                if vectors > 1 { (V.load((c + (cRow &* 10 &+ V.lanes))) + d10).store((c + (cRow &* 10 &+ V.lanes))) }
            }
            if rows > 11 {
                (V.load((c + cRow &* 11)) + c11).store((c + cRow &* 11))
                if vectors > 1 { (V.load((c + (cRow &* 11 &+ V.lanes))) + d11).store((c + (cRow &* 11 &+ V.lanes))) }
            }
        } else {
            if rows > 0 {
                c0.store(c)
                if vectors > 1 { d0.store((c + V.lanes)) }
            }
            if rows > 1 {
                c1.store((c + cRow &* 1))
                if vectors > 1 { d1.store((c + (cRow &* 1 &+ V.lanes))) }
            }
            if rows > 2 {
                c2.store((c + cRow &* 2))
                if vectors > 1 { d2.store((c + (cRow &* 2 &+ V.lanes))) }
            }
            if rows > 3 {
                c3.store((c + cRow &* 3))
                if vectors > 1 { d3.store((c + (cRow &* 3 &+ V.lanes))) }
            }
            if rows > 4 {
                c4.store((c + cRow &* 4))
                if vectors > 1 { d4.store((c + (cRow &* 4 &+ V.lanes))) }
            }
            if rows > 5 {
                c5.store((c + cRow &* 5))
                if vectors > 1 { d5.store((c + (cRow &* 5 &+ V.lanes))) }
            }
            if rows > 6 {
                c6.store((c + cRow &* 6))
                if vectors > 1 { d6.store((c + (cRow &* 6 &+ V.lanes))) }
            }
            if rows > 7 {
                c7.store((c + cRow &* 7))
                if vectors > 1 { d7.store((c + (cRow &* 7 &+ V.lanes))) }
            }
            if rows > 8 {
                c8.store((c + cRow &* 8))
                if vectors > 1 { d8.store((c + (cRow &* 8 &+ V.lanes))) }
            }
            if rows > 9 {
                c9.store((c + cRow &* 9))
                if vectors > 1 { d9.store((c + (cRow &* 9 &+ V.lanes))) }
            }
            if rows > 10 {
                c10.store((c + cRow &* 10))
                if vectors > 1 { d10.store((c + (cRow &* 10 &+ V.lanes))) }
            }
            if rows > 11 {
                c11.store((c + cRow &* 11))
                if vectors > 1 { d11.store((c + (cRow &* 11 &+ V.lanes))) }
            }
        }
        return
    }
    // The general end goes row by row through memory: rare, and compact.
    var rest = (c0, d0, c1, d1, c2, d2, c3, d3, c4, d4, c5, d5, c6, d6, c7, d7, c8, d8, c9, d9, c10, d10, c11, d11)
    withUnsafeBytes(of: &rest) { rest in
        let p = rest.baseAddress!.assumingMemoryBound(to: V.Scalar.self)
        for i in 0..<rows {
            let r = p + i &* (2 &* V.lanes)
            finishVector(V.load(r), c + i &* cRow, min(f.columns, V.lanes), i, 0, f)
            if vectors > 1 {
                finishVector(V.load(r + V.lanes), c + (i &* cRow &+ V.lanes), min(f.columns &- V.lanes, V.lanes), i, V.lanes, f)
            }
        }
    }
}
