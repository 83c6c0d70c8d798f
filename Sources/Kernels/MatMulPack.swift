import KernelABI

// Packing: the parts of A and B that a block of the product uses are laid out in the order in which
// the tile reads them. All four cases of transposition differ here alone.

/// One operand of a product as a grid of scalars: element (i, k) is base[i * line + k * step].
struct Operand<V: Vector> {
    var base: UnsafePointer<V.Scalar>
    var line: Int  // distance of rows of A, or of columns of B
    var step: Int  // distance along k
    @inline(__always) func moved(line i: Int, step k: Int) -> Operand {
        Operand(base: base + (i &* line &+ k &* step), line: line, step: step)
    }
}

extension FloatLanes {
    /// 16 lines of 16 steps, transposed: out[k * width + i] for k in 0 ..< 16; `lines` of them exist.
    /// Stores 16 lanes per step, in ascending order: what lies past `width` is overwritten or slack.
    @inline(__always)
    static func transposeBlock(_ x: UnsafePointer<Float>, _ line: Int, _ lines: Int, _ out: UnsafeMutablePointer<Float>, _ width: Int) {
        Rows16.load(UnsafeRawPointer(x), line &* 4, lines).transposed.store(UnsafeMutableRawPointer(out), width &* 4, 16)
    }
}

extension DoubleLanes {
    @inline(__always)
    static func transposeBlock(_ x: UnsafePointer<Double>, _ line: Int, _ lines: Int, _ out: UnsafeMutablePointer<Double>, _ width: Int) {
        Rows8.load(UnsafeRawPointer(x), line &* 8, lines).transposed.store(UnsafeMutableRawPointer(out), width &* 8, 8)
    }
}

/// `lines` lines (at most V.lanes, the tile's rows) of `depth` steps to out[k * width + i].
/// Writes up to V.lanes - width scalars past the end.
@inline(__always)
func packLines<V: Vector>(_: V.Type, _ x: Operand<V>, _ lines: Int, _ depth: Int, _ out: UnsafeMutablePointer<V.Scalar>, _ width: Int) {
    if x.step == 1 {
        var k = 0
        while k &+ V.lanes <= depth {
            for i in 0..<lines { kernel_prefetch(x.base + (i &* x.line &+ k &+ 4 &* V.lanes)) }
            V.transposeBlock(x.base + k, x.line, lines, out + k &* width, width)
            k &+= V.lanes
        }
        while k < depth {
            for i in 0..<lines { out[k &* width &+ i] = x.base[i &* x.line &+ k] }
            for i in lines..<max(lines, min(width, V.lanes)) { out[k &* width &+ i] = V.scalar(0) }
            k &+= 1
        }
    } else if x.line == 1 {
        let zero = V(0.0)
        // A whole vector may be read wherever the next step's row lies behind it.
        let whole = lines >= V.lanes ? depth : (x.step >= V.lanes ? depth &- 1 : 0)
        var k = 0
        while k < whole {
            V.load(x.base + k &* x.step).store(out + k &* width)
            k &+= 1
        }
        while k < depth {
            V.load(x.base + k &* x.step, count: lines, pad: zero).store(out + k &* width)
            k &+= 1
        }
    } else {
        for k in 0..<depth {
            for i in 0..<lines { out[k &* width &+ i] = x.base[i &* x.line &+ k &* x.step] }
            for i in lines..<max(lines, min(width, V.lanes)) { out[k &* width &+ i] = V.scalar(0) }
        }
    }
}

/// One panel of B: `columns` (at most 2 * V.lanes) columns as rows of `width` = one or two vectors.
@inline(__always)
func packPanel<V: Vector>(_: V.Type, _ b: Operand<V>, _ columns: Int, _ depth: Int, _ out: UnsafeMutablePointer<V.Scalar>) {
    let width = columns > V.lanes ? tileVectors &* V.lanes : V.lanes
    if b.line == 1 && columns == width {
        for k in 0..<depth {
            let p = b.base + k &* b.step
            V.load(p).store(out + k &* width)
            if width > V.lanes { V.load(p + V.lanes).store(out + (k &* width &+ V.lanes)) }
        }
        return
    }
    packLines(V.self, b, min(columns, V.lanes), depth, out, width)
    if width > V.lanes {
        // The first half's vectors end where this half's begin: written second, nothing is lost.
        packHalf(V.self, b.moved(line: V.lanes, step: 0), columns &- V.lanes, depth, out + V.lanes, width)
    }
}

/// Four whole panels of B, whose columns lie side by side.
@inline(never)
func packFourPanels<V: Vector>(_: V.Type, _ b: Operand<V>, _ depth: Int, _ out: UnsafeMutablePointer<V.Scalar>) {
    let width = tileVectors &* V.lanes
    let bytes = 4 &* width &* MemoryLayout<V.Scalar>.size
    for k in 0..<depth {
        let p = b.base + k &* b.step
        let ahead = UnsafeRawPointer(p + 8 &* b.step)
        for line in 0..<(bytes / 64) { kernel_prefetch(ahead + line &* 64) }
        for q in 0..<4 {
            let to = out + (q &* depth &+ k) &* width
            for v in 0..<tileVectors { V.load(p + (q &* width &+ v &* V.lanes)).store(to + v &* V.lanes) }
        }
    }
}

/// One tile's rows of A, out[k * rows + i].
@inline(__always)
func packTile<V: Vector>(_: V.Type, _ a: Operand<V>, _ rows: Int, _ depth: Int, _ out: UnsafeMutablePointer<V.Scalar>) {
    // Rows beyond one vector go first: their stores run over into the next step's first rows.
    if rows > V.lanes {
        packHalf(V.self, a.moved(line: V.lanes, step: 0), rows &- V.lanes, depth, out + V.lanes, rows)
        packHalf(V.self, a, V.lanes, depth, out, rows)
    } else {
        packHalf(V.self, a, rows, depth, out, rows)
    }
}

@inline(never)
func packHalf<V: Vector>(_: V.Type, _ b: Operand<V>, _ columns: Int, _ depth: Int, _ out: UnsafeMutablePointer<V.Scalar>, _ width: Int) {
    packLines(V.self, b, columns, depth, out, width)
}
