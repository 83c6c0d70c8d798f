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
    var space: UnsafeMutablePointer<V.Scalar>  // 12 rows of two vectors
    @inline(__always) var isPlain: Bool { !scaled && !relu && rowBias == nil && columnBias == nil }
}

/// The tile in f.space to C.
@inline(never)
func finishTile<V: Vector>(_ rows: Int, _ vectors: Int, _ c: UnsafeMutablePointer<V.Scalar>, _ cRow: Int, _ f: TileFinish<V>) {
    for v in 0..<vectors {
        let column = v &* V.lanes
        let count = f.columns &- column
        if count <= 0 { return }
        let bias = f.columnBias.map { loadSome($0 + column, count, V(0.0)) }
        for i in 0..<rows {
            let to = c + (i &* cRow &+ column)
            var r = V.load(UnsafePointer(f.space + (i &* (2 &* V.lanes) &+ column)))
            if f.scaled { r = r * f.alpha }
            if f.accumulate { r = loadSome(UnsafePointer(to), count, r) + r }
            if let bias { r = r + bias }
            if let rowBias = f.rowBias { r = r + V(rowBias[i]) }
            if f.relu { r = reluLanes(r) }
            storeSome(r, to, count)
        }
    }
}

/// What comes next and should be in the cache by then: at step k of a tile the two lines at `start` + (k * rate >> 16) * step
/// are fetched. The addresses need not exist.
struct Ahead {
    var start: UnsafeRawPointer
    var step = 0
    var rate = 0
}

@inline(__always)
func nextStep<T>(_ a: UnsafePointer<T>, _ step: Int, _ apart: Bool) -> UnsafePointer<T> {
    apart ? kernel_apart(a + step).assumingMemoryBound(to: T.self) : a + step
}

/// rows (1 ... 12) and vectors (1 or 2) are constants at every call, so unused accumulators vanish.
/// Element (i, k) of A is a[i * aRow + k * aStep]; row k of B is at b + k * bStep, or at
/// b + offsets[k]; row i of C at c + i * cRow.
@inline(__always)
func tile<V: Vector>(
    _: V.Type, rows: Int, vectors: Int, depth: Int,
    _ a: UnsafePointer<V.Scalar>, _ aRow: Int, _ aStep: Int,
    _ b: UnsafePointer<V.Scalar>, _ bStep: Int, offsets: UnsafePointer<Int>? = nil, ahead: Ahead? = nil, apart: Bool = false,
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
    // Every third row by an address of its own: the two after it are at one and two times aRow from there.
    var a3 = a + 3 &* aRow
    var a6 = a + 6 &* aRow
    var a9 = a + 9 &* aRow
    var b = b
    var part = 0
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
            let e = V(a3[0])
            c3 = V.fma(e, b0, c3)
            if vectors > 1 { d3 = V.fma(e, b1, d3) }
        }
        if rows > 4 {
            let e = V(a3[aRow])
            c4 = V.fma(e, b0, c4)
            if vectors > 1 { d4 = V.fma(e, b1, d4) }
        }
        if rows > 5 {
            let e = V(a3[aRow &* 2])
            c5 = V.fma(e, b0, c5)
            if vectors > 1 { d5 = V.fma(e, b1, d5) }
        }
        if rows > 6 {
            let e = V(a6[0])
            c6 = V.fma(e, b0, c6)
            if vectors > 1 { d6 = V.fma(e, b1, d6) }
        }
        if rows > 7 {
            let e = V(a6[aRow])
            c7 = V.fma(e, b0, c7)
            if vectors > 1 { d7 = V.fma(e, b1, d7) }
        }
        if rows > 8 {
            let e = V(a6[aRow &* 2])
            c8 = V.fma(e, b0, c8)
            if vectors > 1 { d8 = V.fma(e, b1, d8) }
        }
        if rows > 9 {
            let e = V(a9[0])
            c9 = V.fma(e, b0, c9)
            if vectors > 1 { d9 = V.fma(e, b1, d9) }
        }
        if rows > 10 {
            let e = V(a9[aRow])
            c10 = V.fma(e, b0, c10)
            if vectors > 1 { d10 = V.fma(e, b1, d10) }
        }
        if rows > 11 {
            let e = V(a9[aRow &* 2])
            c11 = V.fma(e, b0, c11)
            if vectors > 1 { d11 = V.fma(e, b1, d11) }
        }
        if let ahead {
            let next = ahead.start + (part >> 16) &* ahead.step
            kernel_prefetch(next)
            kernel_prefetch(next + 64)
            part &+= ahead.rate
        }
        a = nextStep(a, aStep, apart)
        a3 = nextStep(a3, aStep, apart && rows > 3)
        a6 = nextStep(a6, aStep, apart && rows > 6)
        a9 = nextStep(a9, aStep, apart && rows > 9)
        if offsets == nil { b += bStep }
        k &+= 1
    }
    // A whole tile that nothing but a sum happens to goes straight to C; any other through memory to `finishTile`.
    let straight = f.isPlain && f.columns >= vectors &* V.lanes
    if straight && f.accumulate {
        do {
            c0 = V.load(c + 0) + c0
            if vectors > 1 { d0 = V.load(c + (0 &+ V.lanes)) + d0 }
        }
        if rows > 1 {
            c1 = V.load(c + cRow &* 1) + c1
            if vectors > 1 { d1 = V.load(c + (cRow &* 1 &+ V.lanes)) + d1 }
        }
        if rows > 2 {
            c2 = V.load(c + cRow &* 2) + c2
            if vectors > 1 { d2 = V.load(c + (cRow &* 2 &+ V.lanes)) + d2 }
        }
        if rows > 3 {
            c3 = V.load(c + cRow &* 3) + c3
            if vectors > 1 { d3 = V.load(c + (cRow &* 3 &+ V.lanes)) + d3 }
        }
        if rows > 4 {
            c4 = V.load(c + cRow &* 4) + c4
            if vectors > 1 { d4 = V.load(c + (cRow &* 4 &+ V.lanes)) + d4 }
        }
        if rows > 5 {
            c5 = V.load(c + cRow &* 5) + c5
            if vectors > 1 { d5 = V.load(c + (cRow &* 5 &+ V.lanes)) + d5 }
        }
        if rows > 6 {
            c6 = V.load(c + cRow &* 6) + c6
            if vectors > 1 { d6 = V.load(c + (cRow &* 6 &+ V.lanes)) + d6 }
        }
        if rows > 7 {
            c7 = V.load(c + cRow &* 7) + c7
            if vectors > 1 { d7 = V.load(c + (cRow &* 7 &+ V.lanes)) + d7 }
        }
        if rows > 8 {
            c8 = V.load(c + cRow &* 8) + c8
            if vectors > 1 { d8 = V.load(c + (cRow &* 8 &+ V.lanes)) + d8 }
        }
        if rows > 9 {
            c9 = V.load(c + cRow &* 9) + c9
            if vectors > 1 { d9 = V.load(c + (cRow &* 9 &+ V.lanes)) + d9 }
        }
        if rows > 10 {
            c10 = V.load(c + cRow &* 10) + c10
            if vectors > 1 { d10 = V.load(c + (cRow &* 10 &+ V.lanes)) + d10 }
        }
        if rows > 11 {
            c11 = V.load(c + cRow &* 11) + c11
            if vectors > 1 { d11 = V.load(c + (cRow &* 11 &+ V.lanes)) + d11 }
        }
    }
    let out = straight ? c : f.space
    let outRow = straight ? cRow : 2 &* V.lanes
    c0.store(out)
    if vectors > 1 { d0.store(out + V.lanes) }
    if rows > 1 {
        c1.store(out + outRow &* 1)
        if vectors > 1 { d1.store(out + (outRow &* 1 &+ V.lanes)) }
    }
    if rows > 2 {
        c2.store(out + outRow &* 2)
        if vectors > 1 { d2.store(out + (outRow &* 2 &+ V.lanes)) }
    }
    if rows > 3 {
        c3.store(out + outRow &* 3)
        if vectors > 1 { d3.store(out + (outRow &* 3 &+ V.lanes)) }
    }
    if rows > 4 {
        c4.store(out + outRow &* 4)
        if vectors > 1 { d4.store(out + (outRow &* 4 &+ V.lanes)) }
    }
    if rows > 5 {
        c5.store(out + outRow &* 5)
        if vectors > 1 { d5.store(out + (outRow &* 5 &+ V.lanes)) }
    }
    if rows > 6 {
        c6.store(out + outRow &* 6)
        if vectors > 1 { d6.store(out + (outRow &* 6 &+ V.lanes)) }
    }
    if rows > 7 {
        c7.store(out + outRow &* 7)
        if vectors > 1 { d7.store(out + (outRow &* 7 &+ V.lanes)) }
    }
    if rows > 8 {
        c8.store(out + outRow &* 8)
        if vectors > 1 { d8.store(out + (outRow &* 8 &+ V.lanes)) }
    }
    if rows > 9 {
        c9.store(out + outRow &* 9)
        if vectors > 1 { d9.store(out + (outRow &* 9 &+ V.lanes)) }
    }
    if rows > 10 {
        c10.store(out + outRow &* 10)
        if vectors > 1 { d10.store(out + (outRow &* 10 &+ V.lanes)) }
    }
    if rows > 11 {
        c11.store(out + outRow &* 11)
        if vectors > 1 { d11.store(out + (outRow &* 11 &+ V.lanes)) }
    }
    if !straight { finishTile(rows, vectors, c, cRow, f) }
}
