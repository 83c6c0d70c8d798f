import KernelABI

// Products with a long k and a small C, on several threads: these share out the blocks of k.
//
// Were C cut, every thread would pack all of A or of B. The blocks of k are summed in their order in any case: the first
// piece adds its blocks up in C, as one thread does; of the other pieces each block's result is kept apart, and added to C
// at the end. These are the same additions in the same order, so the bits do not depend on the cut.

struct LongProduct {
    var g: UnsafePointer<kernel_gemm>
    var exec: UnsafePointer<kernel_exec>
    var swapped: Bool
    var depth: Int
    var blocks: Int
    var blocksPerPiece: Int
    /// The results of the blocks beyond the first piece, each [m, n].
    var apart: UnsafeMutableRawPointer
}

/// Blocks of a piece where threads share out the blocks of k; nil where C is cut.
@inline(__always)
func blocksPerPiece(_ g: kernel_gemm, _ threads: Int, _ size: Int) -> Int? {
    guard threads > 1, g.batch == 1, g.k >= 4 &* max(g.m, g.n) else { return nil }
    let depth = blockDepth(g.k)
    let blocks = (g.k &+ depth &- 1) / depth
    guard blocks >= 4 else { return nil }
    let pieces = min(threads, blocks / 2)
    let per = (blocks &+ pieces &- 1) / pieces
    return (blocks &- per) &* g.m &* g.n &* size <= 8 << 20 ? per : nil
}

/// One piece.
@inline(__always)
func longTask<V: Vector>(_: V.Type, _ t: LongProduct, _ piece: Int) {
    let g = t.g.pointee
    var p = productOf(V.self, g, 0, t.swapped)
    let bias = (p.rowBias, p.columnBias, p.relu)
    (p.rowBias, p.columnBias, p.relu) = (nil, nil, false)
    let first = piece &* t.blocksPerPiece
    let end = min(first &+ t.blocksPerPiece, t.blocks)
    if piece == 0 {
        p.k = min(end &* t.depth, g.k)
        if end == t.blocks { (p.rowBias, p.columnBias, p.relu) = bias }
        multiplyBlock(p, 0, p.m, 0, p.n, t.exec)
        return
    }
    let (a, b) = (p.a, p.b)
    p.accumulate = false
    p.cRow = t.swapped ? 1 : g.n
    p.cColumn = t.swapped ? g.n : 1
    for block in first..<end {
        let k = block &* t.depth
        p.a = a.moved(line: 0, step: k)
        p.b = b.moved(line: 0, step: k)
        p.k = min(t.depth, g.k &- k)
        p.c = t.apart.assumingMemoryBound(to: V.Scalar.self) + (block &- t.blocksPerPiece) &* g.m &* g.n
        multiplyBlock(p, 0, p.m, 0, p.n, t.exec)
    }
}

/// Some rows of C: the results that were kept apart are added, in order.
@inline(__always)
func joinTask<V: Vector>(_: V.Type, _ s: Shared<LongProduct>, _ chunk: Int) {
    let t = s.arguments
    let g = t.g.pointee
    let bias = g.bias?.assumingMemoryBound(to: V.Scalar.self)
    let zero = V(0.0)
    for i in s.first(chunk)..<s.end(chunk) {
        let c = g.c.assumingMemoryBound(to: V.Scalar.self) + i &* g.ldc
        for block in 0..<(t.blocks &- t.blocksPerPiece) {
            let part = t.apart.assumingMemoryBound(to: V.Scalar.self) + (block &* g.m &+ i) &* g.n
            let last = block == t.blocks &- t.blocksPerPiece &- 1
            var j = 0
            while j < g.n {
                let count = g.n &- j
                var r = loadSome(UnsafePointer(c + j), count, zero) + loadSome(UnsafePointer(part + j), count, zero)
                if last, let bias { r = r + (g.bias_along == 1 ? V(bias[i]) : loadSome(bias + j, count, zero)) }
                if last, g.activation == 1 { r = reluLanes(r) }
                storeSome(r, c + j, count)
                j &+= V.lanes
            }
        }
    }
}

@inline(__always)
func multiplyLong<V: Vector>(
    _: V.Type, _ g: UnsafePointer<kernel_gemm>, _ exec: UnsafePointer<kernel_exec>, _ swapped: Bool, _ perPiece: Int,
    _ task: kernel_task, _ join: kernel_task
) {
    let depth = blockDepth(g.pointee.k)
    let blocks = (g.pointee.k &+ depth &- 1) / depth
    let (m, n) = (g.pointee.m, g.pointee.n)
    let apart = exec.pointee.scratch(1, (blocks &- perPiece) &* m &* n &* MemoryLayout<V.Scalar>.size)
    var t = LongProduct(g: g, exec: exec, swapped: swapped, depth: depth, blocks: blocks, blocksPerPiece: perPiece, apart: apart)
    withUnsafeMutablePointer(to: &t) { exec.pointee.run((blocks &+ perPiece &- 1) / perPiece, task, $0) }
    share(exec, m, n &* (blocks &- perPiece), t, join)
}
