import KernelABI

/// One call of `gemm` as the tasks see it.
struct ProductTasks {
    var g: UnsafePointer<kernel_gemm>
    var exec: UnsafePointer<kernel_exec>
    var rowTasks: Int
    var columnTasks: Int
    var rowsPerTask: Int
    var columnsPerTask: Int
    var swapped: Bool
}

/// The product of one batch item, with A and B exchanged where that fills the vectors better:
/// C's transpose is the product of the transposes, and each element's chain is the same.
@inline(__always)
func productOf<V: Vector>(_: V.Type, _ g: kernel_gemm, _ item: Int, _ swapped: Bool) -> Product<V> {
    let aBase = g.a.assumingMemoryBound(to: V.Scalar.self) + item &* g.a_batch
    let bBase = g.b.assumingMemoryBound(to: V.Scalar.self) + item &* g.b_batch
    let a = Operand<V>(base: aBase, line: g.a_transposed ? 1 : g.lda, step: g.a_transposed ? g.lda : 1)
    let b = Operand<V>(base: bBase, line: g.b_transposed ? g.ldb : 1, step: g.b_transposed ? 1 : g.ldb)
    let c = g.c.assumingMemoryBound(to: V.Scalar.self) + item &* g.c_batch
    let bias = g.bias?.assumingMemoryBound(to: V.Scalar.self)
    let alongRows = (g.bias_along == 1) != swapped
    var p = Product<V>(
        m: swapped ? g.n : g.m, n: swapped ? g.m : g.n, k: g.k, depth: max(blockDepth(g.k), 1), a: swapped ? b : a, b: swapped ? a : b, c: c,
        cRow: swapped ? 1 : g.ldc, cColumn: swapped ? g.ldc : 1, alpha: V.scalar(g.alpha), scaled: g.alpha != 1,
        accumulate: g.beta != 0, rowBias: alongRows ? bias : nil, columnBias: alongRows ? nil : bias,
        relu: g.activation == 1, packA: true, packB: true, panelsFirst: false)
    let panel = tileVectors &* V.lanes
    let size = MemoryLayout<V.Scalar>.size
    p.panelsFirst = p.b.line == 1 && p.n >= p.m && panelsStay(p, size)
    // Rows that a tile reads one scalar of each at a time: twelve that lie a multiple of 1024 bytes apart would fill all ways
    // of one set of the first-level cache.
    let crowded = p.a.line &* size & 1023 == 0 && p.m >= tileRows
    p.packA = (p.a.step != 1 || crowded) && p.n > 3 &* panel
    // A panel that only few rows meet is read where it is; one that many meet as well, if its rows don't crowd.
    p.packB = p.b.line != 1 || (p.m > 2 &* tileRows && (!p.panelsFirst || p.b.step &* size & 511 == 0))
    return p
}

/// Whether the rows of A that meet a panel of B stay in the second-level cache from panel to panel, and a panel of B, where
/// it is, while they meet it: its rows may be some power of two apart, and crowd a few sets of the cache.
@inline(__always)
func panelsStay<V: Vector>(_ p: Product<V>, _ size: Int) -> Bool {
    let depth = min(p.k, p.depth)
    if p.m &* depth &* size > 1 << 19 { return false }
    // 2048 sets of 16 lines of 64 bytes, half of them for this.
    let apart = (p.b.step &* size) >> 6
    let sets = 2048 / max(1, min(2048, apart & (0 &- apart)))
    return p.b.step &* size & 63 != 0 || depth <= 8 &* sets
}

@inline(__always)
func productTask<V: Vector>(_: V.Type, _ t: ProductTasks, _ index: Int) {
    let perItem = t.rowTasks &* t.columnTasks
    let item = index / perItem
    let rest = index &- item &* perItem
    let p = productOf(V.self, t.g.pointee, item, t.swapped)
    let i = rest / t.columnTasks &* t.rowsPerTask
    let j = (rest % t.columnTasks) &* t.columnsPerTask
    multiplyBlock(p, i, min(i &+ t.rowsPerTask, p.m), j, min(j &+ t.columnsPerTask, p.n), t.exec)
}

@inline(__always)
func multiply<V: Vector>(
    _: V.Type, _ g: UnsafePointer<kernel_gemm>, _ exec: UnsafePointer<kernel_exec>, _ task: kernel_task, _ long: kernel_task,
    _ join: kernel_task
) {
    let q = g.pointee
    if q.m < 1 || q.n < 1 || q.batch < 1 { return }
    // A and B change places where C is a few columns wide, and where both would have to be transposed to be packed
    // and A is the smaller.
    let narrow = q.n &* 2 <= V.lanes && q.m > q.n
    let swapped = narrow || (!q.a_transposed && q.b_transposed && q.m < q.n && q.m &* 2 > V.lanes)
    let m = swapped ? q.n : q.m
    let n = swapped ? q.m : q.n
    var t = ProductTasks(g: g, exec: exec, rowTasks: 1, columnTasks: 1, rowsPerTask: m, columnsPerTask: n, swapped: swapped)
    // A task should last some ten microseconds at least; a product below that stays on one thread.
    let work = m &* n &* max(q.k, 1)
    let threads = exec.pointee.threads
    let wanted = threads == 1 ? 1 : min(threads, (work &* q.batch) >> 19)
    if let per = blocksPerPiece(q, wanted, MemoryLayout<V.Scalar>.size) {
        return multiplyLong(V.self, g, exec, swapped, per, long, join)
    }
    if wanted > q.batch || (wanted > 1 && q.batch < 2 &* wanted) {
        // Cut the longer side of C, in whole tiles or vectors; in twice as many pieces where there is so much that each
        // still makes good use of what it packs.
        let pieces = (wanted &+ q.batch &- 1) / q.batch
        let rowTiles = (m &+ tileRows &- 1) / tileRows
        let vectors = (n &+ V.lanes &- 1) / V.lanes
        if n >= m || rowTiles < pieces {
            let per = vectors >= 32 &* pieces ? (vectors &+ 2 &* pieces &- 1) / (2 &* pieces) : (vectors &+ pieces &- 1) / pieces
            t.columnsPerTask = per &* V.lanes
            t.columnTasks = (vectors &+ per &- 1) / per
        } else {
            let per = rowTiles >= 64 &* pieces ? (rowTiles &+ 2 &* pieces &- 1) / (2 &* pieces) : (rowTiles &+ pieces &- 1) / pieces
            t.rowsPerTask = per &* tileRows
            t.rowTasks = (rowTiles &+ per &- 1) / per
        }
    }
    let count = q.batch &* t.rowTasks &* t.columnTasks
    withUnsafeMutablePointer(to: &t) { t in
        if wanted < 2 {
            for i in 0..<count { task(t, i) }
        } else {
            exec.pointee.run(count, task, t)
        }
    }
}

/// Integers: plain loops, wrapping.
@inline(__always)
func multiplyIntegers<T: FixedWidthInteger>(_: T.Type, _ g: kernel_gemm) {
    let alpha = T(truncatingIfNeeded: toInt64(g.alpha))
    for item in 0..<g.batch {
        let a = g.a.assumingMemoryBound(to: T.self) + item &* g.a_batch
        let b = g.b.assumingMemoryBound(to: T.self) + item &* g.b_batch
        let c = g.c.assumingMemoryBound(to: T.self) + item &* g.c_batch
        let bias = g.bias?.assumingMemoryBound(to: T.self)
        for i in 0..<g.m {
            for j in 0..<g.n {
                var s: T = 0
                for k in 0..<g.k {
                    s = s &+ a[g.a_transposed ? k &* g.lda &+ i : i &* g.lda &+ k]
                        &* b[g.b_transposed ? j &* g.ldb &+ k : k &* g.ldb &+ j]
                }
                s = s &* alpha
                if g.beta != 0 { s = s &+ c[i &* g.ldc &+ j] }
                if let bias { s = s &+ bias[g.bias_along == 1 ? i : j] }
                c[i &* g.ldc &+ j] = g.activation == 1 ? max(s, 0) : s
            }
        }
    }
}

func gemm(_ dtype: Int32, _ g: UnsafePointer<kernel_gemm>, _ exec: UnsafePointer<kernel_exec>) {
    switch Int(dtype) {
    case KERNEL_F32:
        multiply(
            FloatLanes.self, g, exec, { t, i in productTask(FloatLanes.self, t!.load(as: ProductTasks.self), i) },
            { t, i in longTask(FloatLanes.self, t!.load(as: LongProduct.self), i) },
            { t, i in joinTask(FloatLanes.self, t!.load(as: Shared<LongProduct>.self), i) })
    case KERNEL_F64:
        multiply(
            DoubleLanes.self, g, exec, { t, i in productTask(DoubleLanes.self, t!.load(as: ProductTasks.self), i) },
            { t, i in longTask(DoubleLanes.self, t!.load(as: LongProduct.self), i) },
            { t, i in joinTask(DoubleLanes.self, t!.load(as: Shared<LongProduct>.self), i) })
    case KERNEL_I64: multiplyIntegers(Int64.self, g.pointee)
    default: multiplyIntegers(Int32.self, g.pointee)
    }
}
