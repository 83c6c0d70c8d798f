import KernelABI

// The innermost loop of a convolution: a tile of output channels by output positions in registers.
// A row of the tile is one output channel, its vectors are consecutive positions of the output plane.
// Each element is one chain of fused multiply-adds over (input channel, tap), in that order, that
// starts at the bias and goes through memory between blocks of input channels: no shape of tile, and
// no way of blocking, changes its bits.

/// Sizes of the tile: with 32 registers of a whole vector each, 8 rows of 3 vectors; with half as many
/// or narrower ones, 6 rows of one vector. What is left over goes in tiles of 4 rows.
enum ConvTile {
    #if HOST_WIDE_TILE
        @inline(__always) static var rows: Int { 8 }
        @inline(__always) static var vectors: Int { 3 }
        @inline(__always) static func rows(left: Int) -> Int { left > 4 ? 8 : 4 }
    #else
        @inline(__always) static var rows: Int { 6 }
        @inline(__always) static var vectors: Int { 1 }
        /// Sixes and fours that cover any even number from 4 on.
        @inline(__always) static func rows(left: Int) -> Int {
            let rest = left % 6
            return rest == 0 || rest == 5 ? 6 : 4
        }
    #endif
    /// All rows of the tiles that cover `outputs` channels.
    @inline(__always) static func paddedRows(_ outputs: Int) -> Int {
        var done = 0
        while done < outputs { done &+= rows(left: outputs &- done) }
        return done
    }
}

/// What a tile reads and writes.
struct ConvTileWork<V: Vector> {
    /// [outer][inner][rows]: the weights of a step lie side by side.
    var weights: UnsafePointer<V.Scalar>
    /// Step (i, j) reads its positions from panel + i * outerStride + j * innerStride.
    var panel: UnsafePointer<V.Scalar>
    var outer: Int, outerStride: Int
    var inner: Int, innerStride: Int
    var y: UnsafeMutablePointer<V.Scalar>, yRow: Int
    /// Rows and positions of the tile that exist; the last vector may be a part of one.
    var rows: Int, positions: Int
    /// Where the chains start: one value per row, or (nil) what y holds.
    var bias: UnsafePointer<V.Scalar>?
    var relu: Bool
}

struct ConvRow<V: Vector> {
    var x: V, y: V, z: V

    @inline(__always) init(_ v: V) {
        x = v
        y = v
        z = v
    }
    @inline(__always) init(_ p: UnsafePointer<V.Scalar>, vectors: Int) {
        x = V.load(p)
        y = vectors > 1 ? V.load(p + V.lanes) : x
        z = vectors > 2 ? V.load(p + 2 &* V.lanes) : x
    }
    @inline(__always) mutating func add(_ e: V.Scalar, _ b: ConvRow, vectors: Int) {
        let e = V(e)
        x = V.fma(e, b.x, x)
        if vectors > 1 { y = V.fma(e, b.y, y) }
        if vectors > 2 { z = V.fma(e, b.z, z) }
    }
    /// The row's start: row `i` of the tile.
    @inline(__always) init(start i: Int, vectors: Int, _ t: ConvTileWork<V>) {
        if let bias = t.bias {
            self.init(V(bias[i]))
            return
        }
        self.init(V(0.0))
        if i >= t.rows { return }
        let p = UnsafePointer(t.y + i &* t.yRow)
        if t.positions >= vectors &* V.lanes {
            self.init(p, vectors: vectors)
            return
        }
        if vectors > 1 { x = V.load(p) }
        if vectors > 2 { y = V.load(p + V.lanes) }
        let last = (vectors &- 1) &* V.lanes
        let part = V.load(p + last, count: t.positions &- last, pad: V(0.0))
        if vectors == 1 { x = part } else if vectors == 2 { y = part } else { z = part }
    }
    @inline(__always) func finish(_ i: Int, vectors: Int, _ t: ConvTileWork<V>) {
        if i >= t.rows { return }
        let p = t.y + i &* t.yRow
        var r = self
        if t.relu {
            r.x = convRelu(r.x)
            if vectors > 1 { r.y = convRelu(r.y) }
            if vectors > 2 { r.z = convRelu(r.z) }
        }
        let last = (vectors &- 1) &* V.lanes
        let whole = t.positions >= vectors &* V.lanes
        if vectors > 1 || whole { r.x.store(p) } else { r.x.store(p, count: t.positions &- last) }
        if vectors > 1 {
            if vectors > 2 || whole { r.y.store(p + V.lanes) } else { r.y.store(p + V.lanes, count: t.positions &- last) }
        }
        if vectors > 2 {
            if whole { r.z.store(p + 2 &* V.lanes) } else { r.z.store(p + 2 &* V.lanes, count: t.positions &- last) }
        }
    }
}

/// max(x, 0); a NaN stays.
@inline(__always)
func convRelu<V: Vector>(_ x: V) -> V { V.select(V.less(x, V(0.0)), V(0.0), x) }

/// A tile's shape, as a type: every shape gets code of its own.
protocol ConvTileShape {
    static var rows: Int { get }
    static var vectors: Int { get }
}

@inline(never)
func convTile<V: Vector, S: ConvTileShape>(_: V.Type, _: S.Type, _ t: ConvTileWork<V>) {
    var r0 = ConvRow<V>(start: 0, vectors: S.vectors, t)
    var r1 = ConvRow<V>(start: 1, vectors: S.vectors, t)
    var r2 = ConvRow<V>(start: 2, vectors: S.vectors, t)
    var r3 = ConvRow<V>(start: 3, vectors: S.vectors, t)
    var r4 = ConvRow<V>(V(0.0)), r5 = r4, r6 = r4, r7 = r4
    if S.rows > 4 {
        r4 = ConvRow(start: 4, vectors: S.vectors, t)
        r5 = ConvRow(start: 5, vectors: S.vectors, t)
    }
    if S.rows > 6 {
        r6 = ConvRow(start: 6, vectors: S.vectors, t)
        r7 = ConvRow(start: 7, vectors: S.vectors, t)
    }
    var w = t.weights
    var plane = t.panel
    var i = t.outer
    while i > 0 {
        var p = plane
        var j = t.inner
        while j > 0 {
            let b = ConvRow<V>(p, vectors: S.vectors)
            r0.add(w[0], b, vectors: S.vectors)
            r1.add(w[1], b, vectors: S.vectors)
            r2.add(w[2], b, vectors: S.vectors)
            r3.add(w[3], b, vectors: S.vectors)
            if S.rows > 4 {
                r4.add(w[4], b, vectors: S.vectors)
                r5.add(w[5], b, vectors: S.vectors)
            }
            if S.rows > 6 {
                r6.add(w[6], b, vectors: S.vectors)
                r7.add(w[7], b, vectors: S.vectors)
            }
            w += S.rows
            p += t.innerStride
            j &-= 1
        }
        plane += t.outerStride
        i &-= 1
    }
    r0.finish(0, vectors: S.vectors, t)
    r1.finish(1, vectors: S.vectors, t)
    r2.finish(2, vectors: S.vectors, t)
    r3.finish(3, vectors: S.vectors, t)
    if S.rows > 4 {
        r4.finish(4, vectors: S.vectors, t)
        r5.finish(5, vectors: S.vectors, t)
    }
    if S.rows > 6 {
        r6.finish(6, vectors: S.vectors, t)
        r7.finish(7, vectors: S.vectors, t)
    }
}

#if HOST_WIDE_TILE
    enum ConvTile8x3: ConvTileShape {
        @inline(__always) static var rows: Int { 8 }
        @inline(__always) static var vectors: Int { 3 }
    }
    enum ConvTile8x2: ConvTileShape {
        @inline(__always) static var rows: Int { 8 }
        @inline(__always) static var vectors: Int { 2 }
    }
    enum ConvTile8x1: ConvTileShape {
        @inline(__always) static var rows: Int { 8 }
        @inline(__always) static var vectors: Int { 1 }
    }
    enum ConvTile4x3: ConvTileShape {
        @inline(__always) static var rows: Int { 4 }
        @inline(__always) static var vectors: Int { 3 }
    }
    enum ConvTile4x2: ConvTileShape {
        @inline(__always) static var rows: Int { 4 }
        @inline(__always) static var vectors: Int { 2 }
    }
    enum ConvTile4x1: ConvTileShape {
        @inline(__always) static var rows: Int { 4 }
        @inline(__always) static var vectors: Int { 1 }
    }
#else
    enum ConvTile6x1: ConvTileShape {
        @inline(__always) static var rows: Int { 6 }
        @inline(__always) static var vectors: Int { 1 }
    }
    enum ConvTile4x1: ConvTileShape {
        @inline(__always) static var rows: Int { 4 }
        @inline(__always) static var vectors: Int { 1 }
    }
#endif

/// A tile of `rows` rows that covers t.positions with as few vectors as do.
@inline(__always)
func convTileAny<V: Vector>(_: V.Type, rows: Int, _ t: ConvTileWork<V>) {
    #if HOST_WIDE_TILE
        if t.positions > 2 &* V.lanes {
            if rows > 4 { convTile(V.self, ConvTile8x3.self, t) } else { convTile(V.self, ConvTile4x3.self, t) }
        } else if t.positions > V.lanes {
            if rows > 4 { convTile(V.self, ConvTile8x2.self, t) } else { convTile(V.self, ConvTile4x2.self, t) }
        } else {
            if rows > 4 { convTile(V.self, ConvTile8x1.self, t) } else { convTile(V.self, ConvTile4x1.self, t) }
        }
    #else
        if rows > 4 { convTile(V.self, ConvTile6x1.self, t) } else { convTile(V.self, ConvTile4x1.self, t) }
    #endif
}
