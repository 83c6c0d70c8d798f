import KernelABI

// C[m, n] = alpha * op(A)[m, k] * op(B)[k, n] + beta * C (+ bias) (then relu), `batch` times.
//
// k is cut into blocks of a depth that depends on k alone; within a block each element of C is one
// chain of fused multiply-adds, and the blocks' results are added to C in order. How m and n are cut
// into tiles, panels and tasks therefore never shows in the result.
//
// A tile reads A one scalar at a time, so rows of A that lie along k are read where they are. B is read in
// vectors across its columns: it is packed into panels of a tile's width, unless it lies that way already and
// few rows make use of a panel.

/// The longest chain, chosen so that a panel of B (depth x 32 floats) streams through the first-level cache beside
/// a tile's rows of A.
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

/// The product as the blocks see it; where A and B changed places, C is written by columns.
struct Product<V: Vector> {
    var m: Int, n: Int, k: Int
    var depth: Int  // of a block of k, see `blockDepth`
    var a: Operand<V>, b: Operand<V>
    var c: UnsafeMutablePointer<V.Scalar>
    var cRow: Int, cColumn: Int
    var alpha: V.Scalar
    var scaled: Bool
    var accumulate: Bool
    var rowBias: UnsafePointer<V.Scalar>?
    var columnBias: UnsafePointer<V.Scalar>?
    var relu: Bool
    var packA: Bool
    var packB: Bool
    var panelsFirst: Bool
}

/// A part of C and the working memory of the thread that computes it.
struct Block<V: Vector> {
    var p: Product<V>
    var i0: Int, i1: Int, j0: Int, j1: Int
    var depth: Int
    var packedA: UnsafeMutablePointer<V.Scalar>
    var packedB: UnsafeMutablePointer<V.Scalar>
    var corner: UnsafeMutablePointer<V.Scalar>  // a tile of C on its way to or from its columns
    var square: UnsafeMutablePointer<V.Scalar>  // V.lanes vectors
    var space: UnsafeMutablePointer<V.Scalar>  // see TileFinish
}

/// Rows i0 ..< i1 and columns j0 ..< j1 of the product, on one thread.
@inline(__always)
func multiplyBlock<V: Vector>(_ p: Product<V>, _ i0: Int, _ i1: Int, _ j0: Int, _ j1: Int, _ exec: UnsafePointer<kernel_exec>) {
    let size = MemoryLayout<V.Scalar>.size
    let panel = tileVectors &* V.lanes
    let depth = p.depth
    let wide = (j1 &- j0 &+ panel &- 1) / panel &* panel
    // All of B's panels where they fit in the second-level cache: then the blocks of k follow each other tile by tile,
    // and C is passed over once.
    let whole = wide &* p.k &* size <= 1 << 20
    let span = whole && !p.panelsFirst ? max(p.k, 1) : depth
    let columns = p.panelsFirst ? panel : (whole ? wide : min(wide, 24 &* panel))
    let rows = p.panelsFirst ? i1 &- i0 : tileRows
    // Rounded so that everything after it stays aligned; rows of a tile are packed a vector at a time.
    let aSpace = p.packA ? ((rows &+ V.lanes) &* span &+ 63) & ~63 : 0
    let bSpace = (columns &* span &+ 63) & ~63
    let small = 16 &* panel &+ V.lanes &* V.lanes &+ 24 &* V.lanes
    let memory = exec.pointee.scratch(0, (aSpace &+ bSpace &+ small &+ V.lanes) &* size).assumingMemoryBound(to: V.Scalar.self)
    let packedA = memory + bSpace
    let corner = packedA + aSpace
    let square = corner + 16 &* panel
    let w = Block<V>(
        p: p, i0: i0, i1: i1, j0: j0, j1: j1, depth: depth, packedA: packedA, packedB: memory, corner: corner,
        square: square, space: square + V.lanes &* V.lanes)
    if p.panelsFirst { multiplyByPanels(w) } else { multiplyByRows(w, span, columns) }
}

/// Many rows: a block of B is packed, then each tile's rows of A, which stay in the first-level cache, meet all its panels.
@inline(__always)
func multiplyByRows<V: Vector>(_ w: Block<V>, _ span: Int, _ columnBlock: Int) {
    let p = w.p
    let panel = tileVectors &* V.lanes
    var jc = w.j0
    while jc < w.j1 {
        let jEnd = min(jc &+ columnBlock, w.j1)
        let panels = (jEnd &- jc &+ panel &- 1) / panel
        var ks = 0
        repeat {
            let s = min(span, p.k &- ks)
            var j = p.packB ? jc : jc &+ (jEnd &- jc) / panel &* panel
            while j < jEnd {
                let b = p.b.moved(line: j, step: ks)
                let to = w.packedB + (j &- jc) &* s
                if b.line == 1 && j &+ 4 &* panel <= jEnd {
                    packFourPanels(V.self, b, s, to)
                    j &+= 4 &* panel
                } else {
                    packPanel(V.self, b, min(panel, jEnd &- j), s, to)
                    j &+= panel
                }
            }
            var i = w.i0
            while i < w.i1 {
                let rows = nextTileRows(w.i1 &- i)
                if p.packA { packTile(V.self, p.a.moved(line: i, step: ks), rows, s, w.packedA) }
                // The next tile's rows of A: as one piece where they are one, else a row per panel.
                let next = p.a.moved(line: i &+ rows, step: ks)
                let piece = p.a.step == 1 && p.a.line == s
                j = jc
                var q = 0
                while j < jEnd {
                    let columns = min(panel, jEnd &- j)
                    let b = panelOfB(w, j, columns, jEnd, ks, w.packedB + (j &- jc) &* s)
                    var k = 0
                    repeat {
                        let d = min(w.depth, s &- k)
                        var ahead = Ahead(start: UnsafeRawPointer(w.packedB))
                        if piece {
                            ahead.start = UnsafeRawPointer(next.base + (q &* s &+ k) &* tileRows / panels)
                            ahead.step = 128
                            ahead.rate = (tileRows &* MemoryLayout<V.Scalar>.size << 9) / panels
                        } else if q < rows && p.a.step == 1 {
                            ahead.start = UnsafeRawPointer(next.base + (q &* p.a.line &+ k))
                            ahead.step = 128
                            ahead.rate = MemoryLayout<V.Scalar>.size << 9
                        }
                        let a = p.packA ? Operand<V>(base: w.packedA + k &* rows, line: 1, step: rows) : p.a.moved(line: i, step: ks &+ k)
                        placeTile(w, i, rows, j, columns, ks &+ k, d, a, b.base + k &* b.step, b.step, ahead, k == 0, k &+ d >= s)
                        k &+= w.depth
                    } while k < s
                    j &+= panel
                    q &+= 1
                }
                i &+= rows
            }
            ks &+= span
        } while ks < p.k
        jc = jEnd
    }
}

/// Few rows: each panel of B meets all of them as soon as it is there.
@inline(__always)
func multiplyByPanels<V: Vector>(_ w: Block<V>) {
    let p = w.p
    let panel = tileVectors &* V.lanes
    let tiles = max(1, (w.i1 &- w.i0 &+ tileRows &- 1) / tileRows)
    var ks = 0
    repeat {
        let d = min(w.depth, p.k &- ks)
        if p.packA {
            var i = w.i0
            while i < w.i1 {
                let rows = nextTileRows(w.i1 &- i)
                packTile(V.self, p.a.moved(line: i, step: ks), rows, d, w.packedA + (i &- w.i0) &* d)
                i &+= rows
            }
        }
        var j = w.j0
        while j < w.j1 {
            let columns = min(panel, w.j1 &- j)
            let packs = p.packB || columns < panel
            if packs { packPanel(V.self, p.b.moved(line: j, step: ks), columns, d, w.packedB) }
            let b = panelOfB(w, j, columns, w.j1, ks, w.packedB)
            // The next panel, or the first of the next block of k.
            let more = j &+ panel < w.j1
            let next = p.b.moved(line: more ? j &+ panel : w.j0, step: more ? ks : ks &+ d)
            // Each tile fetches its share, so that it comes while there is work to do.
            var ahead = Ahead(start: UnsafeRawPointer(next.base), step: p.b.step &* MemoryLayout<V.Scalar>.size, rate: (1 << 16) / tiles)
            let share = d / tiles &* ahead.step
            var i = w.i0
            while i < w.i1 {
                let rows = nextTileRows(w.i1 &- i)
                let a = p.packA ? Operand<V>(base: w.packedA + (i &- w.i0) &* d, line: 1, step: rows) : p.a.moved(line: i, step: ks)
                placeTile(w, i, rows, j, columns, ks, d, a, b.base, b.step, ahead, true, true)
                ahead.start += share
                i &+= rows
            }
            j &+= panel
        }
        ks &+= w.depth
    } while ks < p.k
}

/// Where the rows of a panel are, and how far apart.
@inline(__always)
func panelOfB<V: Vector>(
    _ w: Block<V>, _ j: Int, _ columns: Int, _ jEnd: Int, _ k: Int, _ packed: UnsafePointer<V.Scalar>
) -> (base: UnsafePointer<V.Scalar>, step: Int) {
    let panel = tileVectors &* V.lanes
    if w.p.packB || columns < panel { return (packed, columns > V.lanes ? panel : V.lanes) }
    return (w.p.b.moved(line: j, step: k).base, w.p.b.step)
}

/// One tile of one block of k, from where A and B are to C. `opens` and `closes` say whether the tile comes from C and
/// goes there, where C is written by columns: between them it stays in the corner.
@inline(never)
func placeTile<V: Vector>(
    _ w: Block<V>, _ i: Int, _ rows: Int, _ j: Int, _ columns: Int, _ k: Int, _ d: Int, _ a: Operand<V>,
    _ b: UnsafePointer<V.Scalar>, _ bStep: Int, _ ahead: Ahead, _ opens: Bool, _ closes: Bool
) {
    let p = w.p
    let panel = tileVectors &* V.lanes
    let last = k &+ d >= p.k
    var f = TileFinish<V>(
        alpha: p.alpha, scaled: p.scaled, accumulate: k > 0 || p.accumulate, rowBias: nil, columnBias: nil,
        relu: last && p.relu, columns: columns, space: w.space)
    if last, let bias = p.rowBias { f.rowBias = bias + i }
    if last, let bias = p.columnBias { f.columnBias = bias + j }
    let c = p.c + (i &* p.cRow &+ j &* p.cColumn)
    let straight = p.cColumn == 1
    let target = straight ? c : w.corner
    let cRow = straight ? p.cRow : panel
    if straight {
        for r in 0..<rows {
            kernel_prefetch(c + r &* cRow)
            kernel_prefetch(c + (r &* cRow &+ columns &- 1))
        }
    } else if f.accumulate && opens {
        cornerFromColumns(w, c, rows, columns)
    }
    let vectors = columns > V.lanes ? tileVectors : 1
    let work = TileWork<V>(depth: d, a: a.base, b: b, bStep: bStep, c: target, cRow: cRow, finish: f)
    if p.packA {
        runTile(rows: rows, vectors: vectors, PackedTile(work: work, ahead: ahead))
    } else {
        runTile(rows: rows, vectors: vectors, DirectTile(work: work, aRow: a.line, aStep: a.step, ahead: ahead))
    }
    if !straight && closes { cornerToColumns(w, c, rows, columns) }
}

/// The corner to C, whose columns lie p.cColumn apart.
@inline(never)
func cornerToColumns<V: Vector>(_ w: Block<V>, _ c: UnsafeMutablePointer<V.Scalar>, _ rows: Int, _ columns: Int) {
    let panel = tileVectors &* V.lanes
    var i = 0
    while i < rows {
        let lines = min(V.lanes, rows &- i)
        var j = 0
        while j < columns {
            V.transposeBlock(w.corner + (i &* panel &+ j), panel, lines, w.square, V.lanes)
            for q in 0..<min(V.lanes, columns &- j) {
                storeSome(V.load(w.square + q &* V.lanes), c + ((j &+ q) &* w.p.cColumn &+ i), lines)
            }
            j &+= V.lanes
        }
        i &+= V.lanes
    }
}

@inline(never)
func cornerFromColumns<V: Vector>(_ w: Block<V>, _ c: UnsafeMutablePointer<V.Scalar>, _ rows: Int, _ columns: Int) {
    let panel = tileVectors &* V.lanes
    for q in 0..<columns {
        for r in 0..<rows { w.corner[r &* panel &+ q] = c[q &* w.p.cColumn &+ r] }
    }
}
