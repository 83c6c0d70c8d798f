import KernelABI

// The gates of gated recurrent units.

/// Of rows row ..< row + rows in step t, the u-th vector of units: the sums (six vectors a row: r, z, m, two that are not used
/// and k) become r, z, n = tanh(m + r k) and k; state = n + z (old - n).
@inline(never)
func gruGates<V: Vector>(
    _: V.Type, _ a: GatedArguments, _ t: Int, _ row: Int, _ rows: Int, _ u: Int, _ sums: UnsafePointer<V.Scalar>
) {
    let h = a.p.h
    let unit = u &* V.lanes, count = h &- unit
    let states = a.p.states.assumingMemoryBound(to: V.Scalar.self)
    let old = UnsafePointer(states + ((a.before(t) &* a.p.batch &+ row) &* h &+ unit))
    let state = states + ((a.after(t) &* a.p.batch &+ row) &* h &+ unit)
    var gates = a.p.gates.assumingMemoryBound(to: V.Scalar.self) + (4 &* (t &* a.p.batch &+ row) &* h &+ unit)
    var sums = sums
    var j = 0
    for _ in 0..<rows {
        let r = V.gateSigmoid(V.load(sums))
        let z = V.gateSigmoid(V.load(sums + V.lanes))
        let k = V.load(sums + 5 &* V.lanes)
        let n = V.gateTanh(V.load(sums + 2 &* V.lanes) + r * k)
        storeSome(r, gates, count)
        storeSome(z, gates + h, count)
        storeSome(n, gates + 2 &* h, count)
        storeSome(k, gates + 3 &* h, count)
        storeSome(n + z * (loadSome(old + j, count, V(0.0)) - n), state + j, count)
        sums += 6 &* V.lanes
        gates += 4 &* h
        j &+= h
    }
}

/// Slopes of r, z, m and k of rows row ..< row + rows in a step of those at hand, from the gradient of the state (dout, and
/// what comes from the step after it), in whose place it leaves what passes the gates by.
@inline(never)
func gruSlopes<V: Vector>(_: V.Type, _ a: GatedArguments, _ step: Int, _ row: Int, _ rows: Int) {
    let zero = V(0.0), one = V(1.0)
    let h = a.p.h
    let t = a.back(step)
    let width = stepWidth(V.self), wide = stepPanels(V.self, h) &* width
    let panel = (a.high &- a.low) &* a.p.batch &* width
    for i in row..<(row &+ rows) {
        let gate = UnsafePointer(a.p.gates.assumingMemoryBound(to: V.Scalar.self) + 4 &* (t &* a.p.batch &+ i) &* h)
        let old = UnsafePointer(a.p.states.assumingMemoryBound(to: V.Scalar.self) + (a.before(t) &* a.p.batch &+ i) &* h)
        let dout = a.p.dout!.assumingMemoryBound(to: V.Scalar.self) + (t &* a.p.dout_step &+ i &* a.p.dout_row)
        let dstate = a.dstate.assumingMemoryBound(to: V.Scalar.self) + i &* wide
        var slope = a.slopes.assumingMemoryBound(to: V.Scalar.self) + ((step &- a.low) &* a.p.batch &+ i) &* width
        var j = 0
        while j < h {
            let count = h &- j
            let r = loadSome(gate + j, count, zero), z = loadSome(gate + (h &+ j), count, zero)
            let n = loadSome(gate + (2 &* h &+ j), count, zero), k = loadSome(gate + (3 &* h &+ j), count, zero)
            var d = loadSome(dout + j, count, zero)
            if step > 0 { d = d + loadSome(UnsafePointer(dstate + j), count, zero) }
            // Lanes without a unit come out as zeros.
            let dm = d * (one - z) * (one - n * n)
            let dr = dm * k * r * (one - r)
            let dz = d * (loadSome(old + j, count, zero) - n) * z * (one - z)
            slope = storeSlopes(slope, panel, dr, dz, dm, dm * r)
            (d * z).store(dstate + j)
            j &+= V.lanes
        }
        while j < wide {
            zero.store(dstate + j)
            j &+= V.lanes
        }
    }
}
