import KernelABI

// The gates of long short-term memory.

/// Of rows row ..< row + rows in step t, the u-th vector of units: the sums for i, f, g, o (four vectors a row) become their
/// values; cell = f old + i g; squashed = tanh(cell); state = o squashed.
@inline(never)
func lstmGates<V: Vector>(
    _: V.Type, _ a: GatedArguments, _ t: Int, _ row: Int, _ rows: Int, _ u: Int, _ sums: UnsafePointer<V.Scalar>
) {
    let zero = V(0.0)
    let h = a.p.h
    let unit = u &* V.lanes, count = h &- unit
    let at = (t &* a.p.batch &+ row) &* h &+ unit
    let new = (a.after(t) &* a.p.batch &+ row) &* h &+ unit
    let states = a.p.states.assumingMemoryBound(to: V.Scalar.self) + new
    let cells = a.p.cells!.assumingMemoryBound(to: V.Scalar.self)
    let old = UnsafePointer(cells + ((a.before(t) &* a.p.batch &+ row) &* h &+ unit))
    let cell = cells + new
    let squashed = a.p.squashed!.assumingMemoryBound(to: V.Scalar.self) + at
    var gates = a.p.gates.assumingMemoryBound(to: V.Scalar.self) + (4 &* (at &- unit) &+ unit)
    var sums = sums
    var j = 0
    for _ in 0..<rows {
        let i = V.gateSigmoid(V.load(sums))
        let f = V.gateSigmoid(V.load(sums + V.lanes))
        let g = V.gateTanh(V.load(sums + 2 &* V.lanes))
        let o = V.gateSigmoid(V.load(sums + 3 &* V.lanes))
        storeSome(i, gates, count)
        storeSome(f, gates + h, count)
        storeSome(g, gates + 2 &* h, count)
        storeSome(o, gates + 3 &* h, count)
        let c = f * loadSome(old + j, count, zero) + i * g
        let s = V.gateTanh(c)
        storeSome(c, cell + j, count)
        storeSome(s, squashed + j, count)
        storeSome(o * s, states + j, count)
        sums += 4 &* V.lanes
        gates += 4 &* h
        j &+= h
    }
}

/// Slopes of the sums of rows row ..< row + rows in a step of those at hand, from the gradients of the state (dout, and what
/// comes from the step after it) and of the cell (dc, in and out).
@inline(never)
func lstmSlopes<V: Vector>(_: V.Type, _ a: GatedArguments, _ step: Int, _ row: Int, _ rows: Int) {
    let zero = V(0.0), one = V(1.0)
    let h = a.p.h
    let t = a.back(step)
    let width = stepWidth(V.self), wide = stepPanels(V.self, h) &* width
    let panel = (a.high &- a.low) &* a.p.batch &* width
    for i in row..<(row &+ rows) {
        let at = t &* a.p.batch &+ i
        let gate = UnsafePointer(a.p.gates.assumingMemoryBound(to: V.Scalar.self) + 4 &* at &* h)
        let squashed = UnsafePointer(a.p.squashed!.assumingMemoryBound(to: V.Scalar.self) + at &* h)
        let old = UnsafePointer(a.p.cells!.assumingMemoryBound(to: V.Scalar.self) + (a.before(t) &* a.p.batch &+ i) &* h)
        let dout = a.p.dout!.assumingMemoryBound(to: V.Scalar.self) + (t &* a.p.dout_step &+ i &* a.p.dout_row)
        let dnext = UnsafePointer(a.dstate.assumingMemoryBound(to: V.Scalar.self) + i &* wide)
        let dc = a.p.dc!.assumingMemoryBound(to: V.Scalar.self) + i &* h
        var slope = a.slopes.assumingMemoryBound(to: V.Scalar.self) + ((step &- a.low) &* a.p.batch &+ i) &* width
        var j = 0
        while j < h {
            let count = h &- j
            let i0 = loadSome(gate + j, count, zero), f = loadSome(gate + (h &+ j), count, zero)
            let g = loadSome(gate + (2 &* h &+ j), count, zero), o = loadSome(gate + (3 &* h &+ j), count, zero)
            let s = loadSome(squashed + j, count, zero)
            var d = loadSome(dout + j, count, zero)
            if step > 0 { d = d + loadSome(dnext + j, count, zero) }
            let c = loadSome(UnsafePointer(dc + j), count, zero) + d * o * (one - s * s)
            // Lanes without a unit come out as zeros.
            let di = c * g * i0 * (one - i0)
            let df = c * loadSome(old + j, count, zero) * f * (one - f)
            let dg = c * i0 * (one - g * g)
            let dO = d * s * o * (one - o)
            slope = storeSlopes(slope, panel, di, df, dg, dO)
            storeSome(c * f, dc + j, count)
            j &+= V.lanes
        }
    }
}
