import KernelABI

/// A convolution as both directions see it: every output (i, j) of a grid is a sum over input planes
/// and taps (ky, kx) of weight * input[i * strideH + row0 + ky * rowStep][j * strideW + column0 + kx * columnStep],
/// zero outside of the input.
struct Correlation {
    var images = 0, groups = 0
    var inputs = 0, outputs = 0  // planes per group
    var h = 0, w = 0  // of an input plane
    var oh = 0, ow = 0  // of the grid
    var strideH = 1, strideW = 1
    var tapRows = 0, tapColumns = 0
    var row0 = 0, rowStep = 0, column0 = 0, columnStep = 0
    // Where the grid lies in an output plane of outH x outW.
    var outH = 0, outW = 0
    var outRow0 = 0, outRowStep = 1, outColumn0 = 0, outColumnStep = 1
    // Weight of (group, output, input, ky, kx), as distances in elements.
    var weightStart = 0, weightGroup = 0, weightOutput = 0, weightInput = 0, weightRow = 0, weightColumn = 0

    @inline(__always) init() {}
    @inline(__always) init(forward s: kernel_conv) {
        images = s.n
        groups = s.groups
        inputs = s.c / s.groups
        outputs = s.o / s.groups
        h = s.h
        w = s.w
        oh = s.oh
        ow = s.ow
        strideH = s.stride_h
        strideW = s.stride_w
        tapRows = s.kh
        tapColumns = s.kw
        row0 = 0 &- s.pad_h
        rowStep = s.dilation_h
        column0 = 0 &- s.pad_w
        columnStep = s.dilation_w
        outH = s.oh
        outW = s.ow
        weightColumn = 1
        weightRow = s.kw
        weightInput = s.kh &* s.kw
        weightOutput = inputs &* weightInput
        weightGroup = outputs &* weightOutput
    }

    /// With a row stride of one, taps of one column share the rows of the panel.
    @inline(__always) var sharesRows: Bool { strideH == 1 }
    @inline(__always) var rowMinimum: Int { row0 &+ min(0, (tapRows &- 1) &* rowStep) }
    @inline(__always) var rowReach: Int { (tapRows &- 1) &* (rowStep < 0 ? 0 &- rowStep : rowStep) }
    /// Rows of one plane of the panel for `rows` rows of the grid.
    @inline(__always) func panelRows(_ rows: Int) -> Int { sharesRows ? rows &+ rowReach : rows &* tapRows }
}

/// Rows first ..< first + rows (in steps of `rowStep`) of an input plane [h, w], `count` elements of each
/// from column `column` in steps of `step`, zero outside of the plane. Rows follow each other without gaps
/// in `out`; up to V.lanes - 1 elements past the last are written, and nothing at or past `end` is read.
@inline(__always)
func panelRows<V: Vector>(
    _: V.Type, _ plane: UnsafePointer<V.Scalar>, h: Int, w: Int, first: Int, rowStep: Int, rows: Int,
    column: Int, step: Int, count: Int, _ out: UnsafeMutablePointer<V.Scalar>, end: UnsafePointer<V.Scalar>
) {
    var out = out
    // Elements low ..< high of a row lie inside.
    let low = min(max(0, 0 &- column), count)
    let high = max(low, min(count, w &- column))
    let inside = step == 1 && low == 0 && high == count
    var r = 0
    while r < rows {
        let i = first &+ r &* rowStep
        if i < 0 || i >= h {
            zeroRow(V.self, out, count)
        } else if inside {
            // As many rows as lie inside, but not those at the very end of the input.
            let from = plane + (i &* w &+ column)
            let distance = rowStep &* w
            var many = min(rows &- r, (h &- i &+ rowStep &- 1) / rowStep)
            while many > 0 && from + ((many &- 1) &* distance &+ count &+ V.lanes) > end { many &-= 1 }
            if many > 0 {
                copyRows(V.self, from, distance, many, count, out)
                out += many &* count
                r &+= many
                continue
            }
            copyRow(V.self, from, out, count, end: end)
        } else if step == 1 {
            zeroRow(V.self, out, low)
            copyRow(V.self, plane + (i &* w &+ column &+ low), out + low, high &- low, end: end)
            zeroRow(V.self, out + high, count &- high)
        } else {
            let from = plane + i &* w
            var at = column
            for j in 0..<count {
                out[j] = at >= 0 && at < w ? from[at] : V.scalar(0)
                at &+= step
            }
        }
        out += count
        r &+= 1
    }
}

/// Pieces of 32 bytes, rows in ascending order: what one writes too much the next overwrites. Pieces of
/// this size cross a cache line half as often as whole vectors, and lines of 8, 16, 24, ... floats never.
@inline(__always)
func copyRows<V: Vector>(
    _: V.Type, _ x: UnsafePointer<V.Scalar>, _ distance: Int, _ rows: Int, _ count: Int, _ y: UnsafeMutablePointer<V.Scalar>
) {
    let size = MemoryLayout<V.Scalar>.size
    var x = UnsafeRawPointer(x)
    var y = UnsafeMutableRawPointer(y)
    let from = distance &* size
    let to = count &* size
    if to <= 32 {
        for _ in 0..<rows {
            copyPieces(x, y, 1)
            x += from
            y += to
        }
    } else if to <= 96 && to > 64 {
        for _ in 0..<rows {
            copyPieces(x, y, 3)
            x += from
            y += to
        }
    } else {
        let pairs = (to &+ 63) / 64
        for _ in 0..<rows {
            for i in 0..<pairs { copyPieces(x + i &* 64, y + i &* 64, 2) }
            x += from
            y += to
        }
    }
}

/// `pieces` times 32 bytes, at most three.
@inline(__always)
func copyPieces(_ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ pieces: Int) {
    let a = x.loadUnaligned(as: SIMD8<Float>.self)
    let b = pieces > 1 ? (x + 32).loadUnaligned(as: SIMD8<Float>.self) : a
    let c = pieces > 2 ? (x + 64).loadUnaligned(as: SIMD8<Float>.self) : a
    y.storeBytes(of: a, as: SIMD8<Float>.self)
    if pieces > 1 { (y + 32).storeBytes(of: b, as: SIMD8<Float>.self) }
    if pieces > 2 { (y + 64).storeBytes(of: c, as: SIMD8<Float>.self) }
}

/// Copies `count` elements in whole vectors where nothing at or past `end` is read for it.
@inline(__always)
func copyRow<V: Vector>(
    _: V.Type, _ x: UnsafePointer<V.Scalar>, _ y: UnsafeMutablePointer<V.Scalar>, _ count: Int, end: UnsafePointer<V.Scalar>
) {
    var j = 0
    while j < count {
        if x + (j &+ V.lanes) <= end {
            V.load(x + j).store(y + j)
        } else {
            for i in j..<count { y[i] = x[i] }
            return
        }
        j &+= V.lanes
    }
}

@inline(__always)
func zeroRow<V: Vector>(_: V.Type, _ y: UnsafeMutablePointer<V.Scalar>, _ count: Int) {
    var j = 0
    while j < count {
        V(0.0).store(y + j)
        j &+= V.lanes
    }
}

/// The panel of input planes `planes` for grid rows `first` ..< first + rows, laid out as
/// [input][kx][row][ow], or [input][kx][ky][row][ow] where rows are not shared.
@inline(__always)
func packConvPanel<V: Vector>(
    _: V.Type, _ c: UnsafePointer<Correlation>, _ x: UnsafePointer<V.Scalar>, planes: Int, first: Int, rows: Int,
    _ out: UnsafeMutablePointer<V.Scalar>, end: UnsafePointer<V.Scalar>
) {
    let h = c.pointee.h, w = c.pointee.w, ow = c.pointee.ow
    let shares = c.pointee.sharesRows
    let perTap = shares ? c.pointee.panelRows(rows) : rows
    let tapRows = shares ? 1 : c.pointee.tapRows
    let start = shares ? c.pointee.rowMinimum : c.pointee.row0
    var out = out
    for plane in 0..<planes {
        let p = x + plane &* h &* w
        for kx in 0..<c.pointee.tapColumns {
            let column = c.pointee.column0 &+ kx &* c.pointee.columnStep
            for ky in 0..<tapRows {
                panelRows(
                    V.self, p, h: h, w: w, first: first &* c.pointee.strideH &+ start &+ ky &* c.pointee.rowStep,
                    rowStep: c.pointee.strideH, rows: perTap, column: column, step: c.pointee.strideW, count: ow, out, end: end)
                out += perTap &* ow
            }
        }
    }
}
