import KernelABI

// The innermost loop of a matrix product: a tile of up to 12 rows and 2 vectors of C in registers.
//
// Each element is one chain of fused multiply-adds over k in ascending order, starting from zero,
// whatever the tile: so every shape of tile, padded or not, gives the same bits.

/// What happens to a finished tile on its way to C.
struct TileFinish<V: Vector> {
    var alpha: V.Scalar
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
            if f.scaled { r = r * V(f.alpha) }
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

    /// For the four steps from `part` = k * rate on.
    @inline(__always) func fetchFour(_ part: Int) {
        fetch(part)
        // At a lower rate the four are one line and its neighbour.
        if rate > 1 << 14 {
            fetch(part &+ rate)
            fetch(part &+ 2 &* rate)
            fetch(part &+ 3 &* rate)
        }
    }
    @inline(__always) private func fetch(_ part: Int) {
        let next = start + (part >> 16) &* step
        kernel_prefetch(next)
        kernel_prefetch(next + 64)
    }
}

/// What a tile reads and writes: element (i, k) of A is a[i * aRow + k * aStep]; row k of B is at b + k * bStep; row i of C at
/// c + i * cRow.
struct TileWork<V: Vector> {
    var depth: Int
    var a: UnsafePointer<V.Scalar>
    var b: UnsafePointer<V.Scalar>, bStep: Int
    var c: UnsafeMutablePointer<V.Scalar>, cRow: Int
    var finish: TileFinish<V>
}

@inline(__always)
func tile<V: Vector, S: TileShape>(_: S.Type, _ w: TileWork<V>, _ aRow: Int, _ aStep: Int, ahead: Ahead?, apart: Bool) {
    let rows = S.rows, vectors = S.vectors, depth = w.depth, bStep = w.bStep
    var sums = TileSums<V>()
    var a = TileColumn<V>(w.a, aRow)
    var b = w.b
    var part = 0
    var k = 0
    // Four steps at a time: counting and fetching cost as much as a third of the products, and a core that two threads share
    // decodes half as much for each.
    while k &+ 4 <= depth {
        if let ahead {
            ahead.fetchFour(part)
            part &+= 4 &* ahead.rate
        }
        sums.add(a, at: 0, b, rows: rows, vectors)
        sums.add(a, at: aStep, b + bStep, rows: rows, vectors)
        sums.add(a, at: 2 &* aStep, b + 2 &* bStep, rows: rows, vectors)
        sums.add(a, at: 3 &* aStep, b + 3 &* bStep, rows: rows, vectors)
        a.move(4 &* aStep, rows: rows, apart: apart)
        b += 4 &* bStep
        k &+= 4
    }
    while k < depth {
        sums.add(a, at: 0, b, rows: rows, vectors)
        a.move(aStep, rows: rows, apart: apart)
        b += bStep
        k &+= 1
    }
    // A whole tile that nothing but a sum happens to goes straight to C; any other through memory to `finishTile`.
    let f = w.finish
    let straight = f.isPlain && f.columns >= vectors &* V.lanes
    if straight && f.accumulate { sums.add(to: w.c, w.cRow, rows: rows, vectors) }
    sums.store(straight ? w.c : f.space, straight ? w.cRow : 2 &* V.lanes, rows: rows, vectors)
    if !straight { finishTile(rows, vectors, w.c, w.cRow, f) }
}
