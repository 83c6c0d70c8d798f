import KernelABI

// What a chunk of the batch does step by step.

/// Rows that go through all panels together: their sums stay in the first-level cache.
let gatedRows = 96

@inline(__always)
func gatedTask<V: Vector>(_: V.Type, gru: Bool, _ s: Shared<GatedArguments>, _ chunk: Int) {
    let a = s.arguments
    let h = a.p.h
    let width = stepWidth(V.self), four = 4 &* V.lanes
    let weights = UnsafePointer(a.weights.assumingMemoryBound(to: V.Scalar.self))
    let bias = UnsafePointer(a.bias.assumingMemoryBound(to: V.Scalar.self))
    let states = a.p.states.assumingMemoryBound(to: V.Scalar.self)
    let inputs = a.p.x.assumingMemoryBound(to: V.Scalar.self)
    // Of the third and fourth gate of gated recurrent units there are two pairs of sums: of the inputs, and of the states.
    let line = gru ? 6 &* V.lanes : four
    let sums = a.exec.pointee.scratch(1, gatedRows &* line &* MemoryLayout<V.Scalar>.size).assumingMemoryBound(to: V.Scalar.self)
    let none = StepRows<V>(base: inputs, row: 0, depth: 0, pieces: 0)
    for step in 0..<a.p.steps {
        let t = a.p.reverse ? a.p.steps &- 1 &- step : step
        var low = s.first(chunk)
        while low < s.end(chunk) {
            let rows = min(gatedRows, s.end(chunk) &- low)
            let old = a.before(t) &* a.p.batch &+ low
            let x = StepRows<V>(base: inputs + (t &* a.p.x_step &+ low &* a.p.x_row), row: a.p.x_row, depth: a.p.input)
            let y = StepRows<V>(base: UnsafePointer(states + old &* h), row: h, depth: h)
            for u in 0..<gatedUnits(V.self, h) {
                var part = 0
                while part < four {
                    let column = u &* four &+ part
                    let panel = weights + column &* a.depth
                    let to = StepTarget<V>(from: bias + column, to: sums + part, row: line)
                    let apart = gru && part >= 2 &* V.lanes
                    let ofInput = part == 2 &* V.lanes, ofState = tileVectors > 1 || !ofInput
                    part &+= width
                    var i = 0
                    while i < rows {
                        let n = stepHeight(rows &- i)
                        if apart {
                            // What a weight has no rows for is left out, not multiplied by zeros: the input may be infinite.
                            if ofInput { stepTile(V.self, n, x.moved(i), none, panel, to.moved(i)) }
                            var hidden = to.moved(i)
                            hidden.to += 2 &* V.lanes
                            if ofState { stepTile(V.self, n, y.moved(i), none, panel + a.p.input &* width, hidden) }
                        } else {
                            stepTile(V.self, n, x.moved(i), y.moved(i), panel, to.moved(i))
                        }
                        if part == four {
                            if gru {
                                gruGates(V.self, a, t, low &+ i, n, u, UnsafePointer(sums + i &* line))
                            } else {
                                lstmGates(V.self, a, t, low &+ i, n, u, UnsafePointer(sums + i &* line))
                            }
                        }
                        i &+= n
                    }
                }
            }
            low &+= rows
        }
    }
}

@inline(__always)
func gatedBackTask<V: Vector>(_: V.Type, gru: Bool, _ s: Shared<GatedArguments>, _ chunk: Int) {
    let a = s.arguments
    let h = a.p.h
    let low = s.first(chunk)
    let rows = s.end(chunk) &- low
    let width = stepWidth(V.self)
    let weights = UnsafePointer(a.weights.assumingMemoryBound(to: V.Scalar.self))
    let hidden = stepPanels(V.self, h), wide = hidden &* width
    let inputs = a.p.dx == nil ? 0 : stepPanels(V.self, a.p.input)
    let slopes = a.slopes.assumingMemoryBound(to: V.Scalar.self)
    let slopesPanel = (a.high &- a.low) &* a.p.batch &* width
    let dh = a.dstate.assumingMemoryBound(to: V.Scalar.self) + low &* wide
    // A tile of the input's gradient, zeros.
    let corner = a.exec.pointee.scratch(1, (tileRows &+ 1) &* width &* MemoryLayout<V.Scalar>.size).assumingMemoryBound(to: V.Scalar.self)
    let zeros = corner + tileRows &* width
    for v in 0..<tileVectors { V(0.0).store(zeros + v &* V.lanes) }
    let none = StepRows<V>(base: UnsafePointer(zeros), row: 0, depth: 0, pieces: 0)
    for step in a.low..<a.high {
        let t = a.back(step)
        let further = step < a.p.steps &- 1 || a.p.dh != nil
        var i = 0
        while i < rows {
            let n = stepHeight(rows &- i)
            if gru {
                gruSlopes(V.self, a, step, low &+ i, n)
            } else {
                lstmSlopes(V.self, a, step, low &+ i, n)
            }
            let x = StepRows<V>(
                base: UnsafePointer(slopes + ((step &- a.low) &* a.p.batch &+ low &+ i) &* width), row: width, depth: width,
                pieces: a.depth / width, skip: slopesPanel)
            if further {
                for c in 0..<hidden {
                    // Gated recurrent units have left there what passes the gates by.
                    let place = dh + (i &* wide &+ c &* width)
                    let to = StepTarget<V>(from: UnsafePointer(gru ? place : zeros), fromRow: gru ? wide : 0, to: place, row: wide)
                    stepTile(V.self, n, x, none, weights + c &* a.depth &* width, to)
                }
            }
            for c in 0..<inputs {
                let to = StepTarget<V>(from: UnsafePointer(zeros), to: corner, row: width)
                stepTile(V.self, n, x, none, weights + (hidden &+ c) &* a.depth &* width, to)
                let at = t &* a.p.batch &+ low &+ i
                let dx = a.p.dx!.assumingMemoryBound(to: V.Scalar.self) + (at &* a.p.input &+ c &* width)
                copyRows(V.self, n, UnsafePointer(corner), width, dx, a.p.input, min(width, a.p.input &- c &* width))
            }
            i &+= n
        }
    }
    if a.high == a.p.steps, let out = a.p.dh?.assumingMemoryBound(to: V.Scalar.self) {
        copyRows(V.self, rows, UnsafePointer(dh), wide, out + low &* h, h, h)
    }
}

/// Rows of `count` elements.
@inline(never)
func copyRows<V: Vector>(
    _: V.Type, _ rows: Int, _ x: UnsafePointer<V.Scalar>, _ xRow: Int, _ y: UnsafeMutablePointer<V.Scalar>, _ yRow: Int, _ count: Int
) {
    for i in 0..<rows {
        var j = 0
        while j < count {
            storeSome(V.load(x + (i &* xRow &+ j)), y + (i &* yRow &+ j), count &- j)
            j &+= V.lanes
        }
    }
}

/// The four slopes of a vector of units to their panels; gives the place of the next vector's.
@inline(__always)
func storeSlopes<V: Vector>(
    _ to: UnsafeMutablePointer<V.Scalar>, _ panel: Int, _ a: V, _ b: V, _ c: V, _ d: V
) -> UnsafeMutablePointer<V.Scalar> {
    a.store(to)
    if tileVectors > 1 {
        b.store(to + V.lanes)
        c.store(to + panel)
        d.store(to + (panel &+ V.lanes))
        return to + 2 &* panel
    }
    b.store(to + panel)
    c.store(to + 2 &* panel)
    d.store(to + 3 &* panel)
    return to + 4 &* panel
}
