import KernelABI

// C[m, n] = alpha * op(A)[m, k] * op(B)[k, n] + beta * C (+ bias) (then relu), `batch` times.
//
// k is cut into blocks of a depth that depends on k alone; within a block each element of C is one
// chain of fused multiply-adds, and the blocks' results are added to C in order. How m and n are cut
// into tiles, panels and tasks therefore never shows in the result.

/// The longest chain, chosen so that a panel of B (depth x 32 floats) and one of A stay in the first-level cache.
let longestChain = 384

/// Rows and vectors of the largest tile: what fits the level's registers.
#if HOST_WIDE_TILE
    let tileRows = 12
    let tileVectors = 2
#else
    let tileRows = 6
    let tileVectors = 1
#endif

/// Equal blocks, a multiple of 8 deep (but for the last), none longer than `longestChain`.
@inline(__always)
func blockDepth(_ k: Int) -> Int {
    let blocks = (k &+ longestChain &- 1) / longestChain
    return blocks < 2 ? k : ((k &+ blocks &- 1) / blocks &+ 7) & ~7
}

/// Rows of the next tile when `rest` remain.
@inline(__always)
func nextTileRows(_ rest: Int) -> Int {
    if rest >= tileRows { return tileRows }
    #if HOST_WIDE_TILE
        if rest >= 8 { return 8 }
    #endif
    return rest >= 4 ? 4 : (rest >= 2 ? 2 : 1)
}

@inline(__always)
func packedTile<V: Vector>(
    _: V.Type, rows: Int, vectors: Int, depth: Int, _ a: UnsafePointer<V.Scalar>,
    _ b: UnsafePointer<V.Scalar>, _ bStep: Int,
    _ c: UnsafeMutablePointer<V.Scalar>, _ cRow: Int, _ f: TileFinish<V>
) {
    #if HOST_WIDE_TILE
        switch (rows, vectors) {
        case (12, 2): tile(V.self, rows: 12, vectors: 2, depth: depth, a, 1, 12, b, bStep, c, cRow, f)
        case (12, 1): tile(V.self, rows: 12, vectors: 1, depth: depth, a, 1, 12, b, bStep, c, cRow, f)
        case (8, 2): tile(V.self, rows: 8, vectors: 2, depth: depth, a, 1, 8, b, bStep, c, cRow, f)
        case (8, 1): tile(V.self, rows: 8, vectors: 1, depth: depth, a, 1, 8, b, bStep, c, cRow, f)
        case (4, 2): tile(V.self, rows: 4, vectors: 2, depth: depth, a, 1, 4, b, bStep, c, cRow, f)
        case (4, 1): tile(V.self, rows: 4, vectors: 1, depth: depth, a, 1, 4, b, bStep, c, cRow, f)
        case (2, 2): tile(V.self, rows: 2, vectors: 2, depth: depth, a, 1, 2, b, bStep, c, cRow, f)
        case (2, 1): tile(V.self, rows: 2, vectors: 1, depth: depth, a, 1, 2, b, bStep, c, cRow, f)
        case (_, 2): tile(V.self, rows: 1, vectors: 2, depth: depth, a, 1, 1, b, bStep, c, cRow, f)
        default: tile(V.self, rows: 1, vectors: 1, depth: depth, a, 1, 1, b, bStep, c, cRow, f)
        }
    #else
        switch rows {
        case 6: tile(V.self, rows: 6, vectors: 1, depth: depth, a, 1, 6, b, bStep, c, cRow, f)
        case 4: tile(V.self, rows: 4, vectors: 1, depth: depth, a, 1, 4, b, bStep, c, cRow, f)
        case 2: tile(V.self, rows: 2, vectors: 1, depth: depth, a, 1, 2, b, bStep, c, cRow, f)
        default: tile(V.self, rows: 1, vectors: 1, depth: depth, a, 1, 1, b, bStep, c, cRow, f)
        }
    #endif
}

@inline(__always)
func directTile<V: Vector>(
    _: V.Type, rows: Int, vectors: Int, depth: Int, _ a: UnsafePointer<V.Scalar>, _ aRow: Int, _ aStep: Int,
    _ b: UnsafePointer<V.Scalar>, _ bStep: Int,
    _ c: UnsafeMutablePointer<V.Scalar>, _ cRow: Int, _ f: TileFinish<V>
) {
    #if HOST_WIDE_TILE
        switch (rows, vectors) {
        case (12, 2): tile(V.self, rows: 12, vectors: 2, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        case (12, 1): tile(V.self, rows: 12, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        case (8, 2): tile(V.self, rows: 8, vectors: 2, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        case (8, 1): tile(V.self, rows: 8, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        case (4, 2): tile(V.self, rows: 4, vectors: 2, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        case (4, 1): tile(V.self, rows: 4, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        case (2, 2): tile(V.self, rows: 2, vectors: 2, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        case (2, 1): tile(V.self, rows: 2, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        case (_, 2): tile(V.self, rows: 1, vectors: 2, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        default: tile(V.self, rows: 1, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        }
    #else
        switch rows {
        case 6: tile(V.self, rows: 6, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        case 4: tile(V.self, rows: 4, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        case 2: tile(V.self, rows: 2, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        default: tile(V.self, rows: 1, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, c, cRow, f)
        }
    #endif
}

/// The product as the blocks see it; `transposed` swapped the roles of A and B so that C is written by columns.
struct Product<V: Vector> {
    var m: Int, n: Int, k: Int
    var a: Operand<V>, b: Operand<V>
    var c: UnsafeMutablePointer<V.Scalar>
    var cRow: Int, cColumn: Int
    var alpha: V
    var scaled: Bool
    var accumulate: Bool
    var rowBias: UnsafePointer<V.Scalar>?
    var columnBias: UnsafePointer<V.Scalar>?
    var relu: Bool
    var packA: Bool
    var packB: Bool
}

/// Rows i0 ..< i1 and columns j0 ..< j1 of the product, on one thread.
@inline(__always)
func multiplyBlock<V: Vector>(_ p: Product<V>, _ i0: Int, _ i1: Int, _ j0: Int, _ j1: Int, _ exec: UnsafePointer<kernel_exec>) {
    let size = MemoryLayout<V.Scalar>.size
    let panel = tileVectors &* V.lanes
    let depth = max(blockDepth(p.k), 1)
    let rowBlock = 20 &* tileRows
    let columnBlock = 32 &* panel
    // Rounded so that everything after it stays aligned.
    let aSpace = p.packA ? ((min(rowBlock, i1 &- i0) &+ V.lanes) &* depth &+ 64) & ~63 : 0
    let bSpace = ((min(columnBlock, j1 &- j0) &+ panel) &* depth &+ 63) & ~63
    let space = exec.pointee.scratch(0, (aSpace &+ bSpace &+ 16 &* panel &+ 24 &* V.lanes) &* size)
    let packedB = space.assumingMemoryBound(to: V.Scalar.self)
    let packedA = packedB + bSpace
    let corner = packedA + aSpace  // a tile of C on its way to or from its columns
    let tileSpace = corner + 16 &* panel
    var jc = j0
    while jc < j1 {
        let jEnd = min(jc &+ columnBlock, j1)
        var k0 = 0
        repeat {
            let d = min(depth, p.k &- k0)
            let first = k0 == 0
            let last = k0 &+ d >= p.k
            // Panels of B: all of them, or only a last one that is narrower than its vectors.
            let whole = jc &+ (jEnd &- jc) / panel &* panel
            var jp = p.packB ? jc : whole
            while jp < jEnd {
                let columns = min(panel, jEnd &- jp)
                let width = columns > V.lanes ? panel : V.lanes
                packPanel(V.self, p.b.moved(line: jp, step: k0), columns, d, packedB + (jp &- jc) &* d, width)
                jp &+= panel
            }
            var ic = i0
            while ic < i1 {
                let iEnd = min(ic &+ rowBlock, i1)
                if p.packA {
                    var i = ic
                    while i < iEnd {
                        let rows = nextTileRows(iEnd &- i)
                        packTile(V.self, p.a.moved(line: i, step: k0), rows, d, packedA + (i &- ic) &* d)
                        i &+= rows
                    }
                }
                var j = jc
                while j < jEnd {
                    let columns = min(panel, jEnd &- j)
                    let vectors = columns > V.lanes ? tileVectors : 1
                    let isPacked = p.packB || j >= whole
                    let b = isPacked ? UnsafePointer(packedB + (j &- jc) &* d) : p.b.base + (j &+ k0 &* p.b.step)
                    let bStep = isPacked ? vectors &* V.lanes : p.b.step
                    var i = ic
                    while i < iEnd {
                        let rows = nextTileRows(iEnd &- i)
                        var f = TileFinish<V>(
                            alpha: p.alpha, scaled: p.scaled, accumulate: !first || p.accumulate, rowBias: nil, columnBias: nil,
                            relu: last && p.relu, columns: columns, space: tileSpace)
                        if last, let bias = p.rowBias { f.rowBias = bias + i }
                        if last, let bias = p.columnBias { f.columnBias = bias + j }
                        let c = p.c + (i &* p.cRow &+ j &* p.cColumn)
                        let straight = p.cColumn == 1
                        let target = straight ? c : corner
                        let cRow = straight ? p.cRow : panel
                        if !straight && f.accumulate {
                            for q in 0..<columns { for r in 0..<rows { corner[r &* panel &+ q] = c[r &* p.cRow &+ q &* p.cColumn] } }
                        }
                        if p.packA {
                            packedTile(V.self, rows: rows, vectors: vectors, depth: d, packedA + (i &- ic) &* d, b, bStep, target, cRow, f)
                        } else {
                            let a = p.a.moved(line: i, step: k0)
                            directTile(V.self, rows: rows, vectors: vectors, depth: d, a.base, a.line, a.step, b, bStep, target, cRow, f)
                        }
                        if !straight {
                            for q in 0..<columns { for r in 0..<rows { c[r &* p.cRow &+ q &* p.cColumn] = corner[r &* panel &+ q] } }
                        }
                        i &+= rows
                    }
                    j &+= panel
                }
                ic = iEnd
            }
            k0 &+= depth
        } while k0 < p.k
        jc = jEnd
    }
}
