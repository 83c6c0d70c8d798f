import KernelABI

// The innermost loop of the weight gradient: a tile of taps by output channels in registers, summed
// over a band of output positions. The gradient of the output lies transposed, channels side by side,
// so a position's channels are vectors and the input's values are broadcast: no lane is ever summed
// with another, and the input is read where it lies.

/// What a tile reads and adds to.
struct ConvGradientWork<V: Vector> {
    /// Input value of tap t at grid position (i, j): x + taps[t] + i * rowStride + j * columnStride.
    var x: UnsafePointer<V.Scalar>
    var taps: UnsafePointer<Int>
    var rowStride: Int, columnStride: Int
    /// [rows * columns][channels], the output's gradient.
    var g: UnsafePointer<V.Scalar>, gRow: Int
    var rows: Int, columns: Int
    /// Sums, one row of `sumRow` for each tap.
    var sums: UnsafeMutablePointer<V.Scalar>, sumRow: Int
}

struct ConvGradientRow<V: Vector> {
    var x = V(0.0), y = V(0.0), z = V(0.0), u = V(0.0)

    @inline(__always) mutating func add(
        _ e: V.Scalar, _ g: UnsafePointer<V.Scalar>, vectors: Int
    ) {
        let e = V(e)
        x = V.fma(e, V.load(g), x)
        if vectors > 1 { y = V.fma(e, V.load(g + V.lanes), y) }
        if vectors > 2 { z = V.fma(e, V.load(g + 2 &* V.lanes), z) }
        if vectors > 3 { u = V.fma(e, V.load(g + 3 &* V.lanes), u) }
    }
    @inline(__always) func finish(_ p: UnsafeMutablePointer<V.Scalar>, vectors: Int) {
        (V.load(p) + x).store(p)
        if vectors > 1 { (V.load(p + V.lanes) + y).store(p + V.lanes) }
        if vectors > 2 { (V.load(p + 2 &* V.lanes) + z).store(p + 2 &* V.lanes) }
        if vectors > 3 { (V.load(p + 3 &* V.lanes) + u).store(p + 3 &* V.lanes) }
    }
}

/// `taps` (6, 8 or 12) and `vectors` (1 ... 4) are constants at every call.
@inline(__always)
func convGradientTile<V: Vector>(_: V.Type, taps: Int, vectors: Int, _ t: ConvGradientWork<V>) {
    var r0 = ConvGradientRow<V>(), r1 = ConvGradientRow<V>(), r2 = ConvGradientRow<V>(), r3 = ConvGradientRow<V>()
    var r4 = ConvGradientRow<V>(), r5 = ConvGradientRow<V>(), r6 = ConvGradientRow<V>(), r7 = ConvGradientRow<V>()
    var r8 = ConvGradientRow<V>(), r9 = ConvGradientRow<V>(), r10 = ConvGradientRow<V>(), r11 = ConvGradientRow<V>()
    var g = t.g
    var row = t.x
    var i = t.rows
    while i > 0 {
        let p0 = row + t.taps[0], p1 = row + t.taps[1], p2 = row + t.taps[2]
        let p3 = row + t.taps[3], p4 = row + t.taps[4], p5 = row + t.taps[5]
        let p6 = row + t.taps[taps > 6 ? 6 : 0], p7 = row + t.taps[taps > 6 ? 7 : 0]
        let p8 = row + t.taps[taps > 8 ? 8 : 0], p9 = row + t.taps[taps > 8 ? 9 : 0]
        let p10 = row + t.taps[taps > 8 ? 10 : 0], p11 = row + t.taps[taps > 8 ? 11 : 0]
        var at = 0
        var j = t.columns
        while j > 0 {
            r0.add(p0[at], g, vectors: vectors)
            r1.add(p1[at], g, vectors: vectors)
            r2.add(p2[at], g, vectors: vectors)
            r3.add(p3[at], g, vectors: vectors)
            r4.add(p4[at], g, vectors: vectors)
            r5.add(p5[at], g, vectors: vectors)
            if taps > 6 {
                r6.add(p6[at], g, vectors: vectors)
                r7.add(p7[at], g, vectors: vectors)
            }
            if taps > 8 {
                r8.add(p8[at], g, vectors: vectors)
                r9.add(p9[at], g, vectors: vectors)
                r10.add(p10[at], g, vectors: vectors)
                r11.add(p11[at], g, vectors: vectors)
            }
            g += t.gRow
            at &+= t.columnStride
            j &-= 1
        }
        row += t.rowStride
        i &-= 1
    }
    let s = t.sums
    let n = t.sumRow
    r0.finish(s, vectors: vectors)
    r1.finish(s + n, vectors: vectors)
    r2.finish(s + 2 &* n, vectors: vectors)
    r3.finish(s + 3 &* n, vectors: vectors)
    r4.finish(s + 4 &* n, vectors: vectors)
    r5.finish(s + 5 &* n, vectors: vectors)
    if taps > 6 {
        r6.finish(s + 6 &* n, vectors: vectors)
        r7.finish(s + 7 &* n, vectors: vectors)
    }
    if taps > 8 {
        r8.finish(s + 8 &* n, vectors: vectors)
        r9.finish(s + 9 &* n, vectors: vectors)
        r10.finish(s + 10 &* n, vectors: vectors)
        r11.finish(s + 11 &* n, vectors: vectors)
    }
}

enum ConvGradientTile {
    /// Most taps of a tile, whatever the level: what tables of taps are padded by.
    @inline(__always) static var most: Int { 12 }
    /// Vectors of channels that the next tile takes of `left`.
    @inline(__always) static func vectors(left: Int) -> Int {
        #if HOST_WIDE_TILE
            return left >= 4 ? 4 : left
        #else
            return 1
        #endif
    }
    @inline(__always) static func taps(vectors: Int) -> Int {
        #if HOST_WIDE_TILE
            return vectors == 4 ? 6 : vectors == 3 ? 8 : 12
        #else
            return 6
        #endif
    }
}

@inline(__always)
func convGradientTileAny<V: Vector>(_: V.Type, vectors: Int, _ t: ConvGradientWork<V>) {
    #if HOST_WIDE_TILE
        switch vectors {
        case 4: convGradientTile(V.self, taps: 6, vectors: 4, t)
        case 3: convGradientTile(V.self, taps: 8, vectors: 3, t)
        case 2: convGradientTile(V.self, taps: 12, vectors: 2, t)
        default: convGradientTile(V.self, taps: 12, vectors: 1, t)
        }
    #else
        convGradientTile(V.self, taps: 6, vectors: 1, t)
    #endif
}
