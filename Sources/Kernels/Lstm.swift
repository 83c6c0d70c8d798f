import KernelABI

// Long short-term memory over a whole sequence, forward and back (see KernelABI). Rows of the batch know nothing of each
// other, so each chunk of them walks through all steps by itself, without waiting for the others in between.

struct LstmArguments {
    var p: kernel_lstm
    var weights: UnsafeMutableRawPointer  // panels
    var bias: UnsafeMutableRawPointer  // of each panel, four vectors
    var depth: Int
    @inline(__always) func before(_ t: Int) -> Int { p.reverse ? t &+ 1 : t }
    @inline(__always) func after(_ t: Int) -> Int { p.reverse ? t : t &+ 1 }
}

// MARK: Laying out the weights

/// Panel u: units u lanes ... (u + 1) lanes, of each the sums for i, f, g and o; rows are first the inputs, then the states.
@inline(__always)
func lstmPackTask<V: Vector>(_: V.Type, _ s: Shared<LstmArguments>, _ chunk: Int) {
    let a = s.arguments
    let h = a.p.h
    let panels = StepPanels<V>(base: a.weights.assumingMemoryBound(to: V.Scalar.self), depth: a.depth)
    let bias = a.bias.assumingMemoryBound(to: V.Scalar.self)
    let given = a.p.bias?.assumingMemoryBound(to: V.Scalar.self)
    for u in s.first(chunk)..<s.end(chunk) {
        let units = min(V.lanes, h &- u &* V.lanes)
        for gate in 0..<4 {
            let row = gate &* h &+ u &* V.lanes
            let out = panels.panel(u) + gate &* V.lanes
            lstmPack(V.self, a.p.weight_ih, row, units, a.p.input, out)
            lstmPack(V.self, a.p.weight_hh, row, units, h, out + a.p.input &* 4 &* V.lanes)
            let b = given.map { loadSome($0 + row, units, V(0.0)) } ?? V(0.0)
            b.store(bias + (4 &* u &+ gate) &* V.lanes)
        }
    }
}

/// Rows row ..< row + units of a weight [.., depth] as columns: element (i, k) to out[k * 4 lanes + i], zeros beside.
@inline(__always)
func lstmPack<V: Vector>(
    _: V.Type, _ weight: UnsafeRawPointer, _ row: Int, _ units: Int, _ depth: Int, _ out: UnsafeMutablePointer<V.Scalar>
) {
    let w = weight.assumingMemoryBound(to: V.Scalar.self) + row &* depth
    let width = 4 &* V.lanes
    var k = 0
    while k &+ V.lanes <= depth {
        V.transposeBlock(w + k, depth, units, out + k &* width, width)
        k &+= V.lanes
    }
    while k < depth {
        for i in 0..<units { out[k &* width &+ i] = w[i &* depth &+ k] }
        for i in units..<max(units, V.lanes) { out[k &* width &+ i] = V.scalar(0) }
        k &+= 1
    }
}

/// Panel c: four vectors of columns of weight_hh [4 h, h].
@inline(__always)
func lstmPackBackTask<V: Vector>(_: V.Type, _ s: Shared<LstmArguments>, _ chunk: Int) {
    let a = s.arguments
    let h = a.p.h
    let width = 4 &* V.lanes
    let panels = StepPanels<V>(base: a.weights.assumingMemoryBound(to: V.Scalar.self), depth: a.depth)
    let zero = V(0.0)
    for c in s.first(chunk)..<s.end(chunk) {
        let w = a.p.weight_hh.assumingMemoryBound(to: V.Scalar.self) + c &* width
        let out = panels.panel(c)
        for k in 0..<a.depth {
            for v in 0..<4 {
                let count = h &- c &* width &- v &* V.lanes
                let x = count > 0 ? loadSome(w + (k &* h &+ v &* V.lanes), count, zero) : zero
                x.store(out + (k &* width &+ v &* V.lanes))
            }
        }
    }
}

// MARK: Steps

@inline(__always)
func lstmTask<V: Vector & ExpressibleByFloatLiteral>(_: V.Type, _ s: Shared<LstmArguments>, _ chunk: Int) {
    let a = s.arguments
    let h = a.p.h
    let low = s.first(chunk)
    let rows = s.end(chunk) &- low
    let panels = StepPanels<V>(base: a.weights.assumingMemoryBound(to: V.Scalar.self), depth: a.depth)
    let bias = UnsafePointer(a.bias.assumingMemoryBound(to: V.Scalar.self))
    let states = a.p.states.assumingMemoryBound(to: V.Scalar.self)
    let cells = a.p.cells.assumingMemoryBound(to: V.Scalar.self)
    for step in 0..<a.p.steps {
        let t = a.p.reverse ? a.p.steps &- 1 &- step : step
        let at = t &* a.p.batch &+ low
        let old = a.before(t) &* a.p.batch &+ low
        let new = a.after(t) &* a.p.batch &+ low
        let gates = a.p.gates.assumingMemoryBound(to: V.Scalar.self) + 4 &* at &* h
        let x = StepRows<V>(
            base: a.p.x.assumingMemoryBound(to: V.Scalar.self) + at &* a.p.input, row: a.p.input, depth: a.p.input)
        let y = StepRows<V>(base: UnsafePointer(states + old &* h), row: h, depth: h)
        var u = 0
        while u &* V.lanes < h {
            let to = StepTarget<V>(
                base: gates + u &* V.lanes, row: 4 &* h, step: h, count: min(V.lanes, h &- u &* V.lanes), fewer: 0)
            stepRows(V.self, rows, bias + 4 &* u &* V.lanes, x, y, UnsafePointer(panels.panel(u)), to)
            u &+= 1
        }
        lstmGates(
            V.self, rows, h, gates, cells + old &* h, cells + new &* h,
            a.p.squashed.assumingMemoryBound(to: V.Scalar.self) + at &* h, states + new &* h)
    }
}

/// The sums for i, f, g, o become their values; cell = f old + i g; squashed = tanh(cell); state = o squashed.
@inline(__always)
func lstmGates<V: Vector & ExpressibleByFloatLiteral>(
    _: V.Type, _ rows: Int, _ h: Int, _ gates: UnsafeMutablePointer<V.Scalar>, _ old: UnsafePointer<V.Scalar>,
    _ cell: UnsafeMutablePointer<V.Scalar>, _ squashed: UnsafeMutablePointer<V.Scalar>, _ state: UnsafeMutablePointer<V.Scalar>
) {
    let zero = V(0.0)
    for row in 0..<rows {
        let gate = gates + 4 &* row &* h
        var j = 0
        while j < h {
            let count = min(V.lanes, h &- j)
            let i = V.sigmoid(loadSome(UnsafePointer(gate + j), count, zero))
            let f = V.sigmoid(loadSome(UnsafePointer(gate + (h &+ j)), count, zero))
            let g = V.tanh(loadSome(UnsafePointer(gate + (2 &* h &+ j)), count, zero))
            let o = V.sigmoid(loadSome(UnsafePointer(gate + (3 &* h &+ j)), count, zero))
            storeSome(i, gate + j, count)
            storeSome(f, gate + (h &+ j), count)
            storeSome(g, gate + (2 &* h &+ j), count)
            storeSome(o, gate + (3 &* h &+ j), count)
            let at = row &* h &+ j
            let c = f * loadSome(old + at, count, zero) + i * g
            let s = V.tanh(c)
            storeSome(c, cell + at, count)
            storeSome(s, squashed + at, count)
            storeSome(o * s, state + at, count)
            j &+= V.lanes
        }
    }
}

@inline(__always)
func lstmBackTask<V: Vector>(_: V.Type, _ s: Shared<LstmArguments>, _ chunk: Int) {
    let a = s.arguments
    let h = a.p.h
    let low = s.first(chunk)
    let rows = s.end(chunk) &- low
    let panels = StepPanels<V>(base: a.weights.assumingMemoryBound(to: V.Scalar.self), depth: a.depth)
    let noBias = UnsafePointer(a.bias.assumingMemoryBound(to: V.Scalar.self))
    let dh = a.p.dh!.assumingMemoryBound(to: V.Scalar.self) + low &* h
    let dc = a.p.dc!.assumingMemoryBound(to: V.Scalar.self) + low &* h
    for step in 0..<a.p.steps {
        let t = a.p.reverse ? step : a.p.steps &- 1 &- step
        let at = t &* a.p.batch &+ low
        let slopes = a.p.slopes!.assumingMemoryBound(to: V.Scalar.self) + 4 &* at &* h
        lstmSlopes(
            V.self, rows, h, a.p.dout!.assumingMemoryBound(to: V.Scalar.self) + at &* h, step > 0 ? UnsafePointer(dh) : nil, dc,
            UnsafePointer(a.p.gates.assumingMemoryBound(to: V.Scalar.self) + 4 &* at &* h),
            UnsafePointer(a.p.squashed.assumingMemoryBound(to: V.Scalar.self) + at &* h),
            UnsafePointer(a.p.cells.assumingMemoryBound(to: V.Scalar.self) + (a.before(t) &* a.p.batch &+ low) &* h), slopes)
        if step == a.p.steps &- 1 && !a.p.first_state { break }
        let x = StepRows<V>(base: UnsafePointer(slopes), row: 4 &* h, depth: 4 &* h)
        let none = StepRows<V>(base: UnsafePointer(slopes), row: 0, depth: 0)
        var c = 0
        while c &* StepPanels<V>.width < h {
            let column = c &* StepPanels<V>.width
            let to = StepTarget<V>(base: dh + column, row: h, step: V.lanes, count: h &- column, fewer: V.lanes)
            stepRows(V.self, rows, noBias, x, none, UnsafePointer(panels.panel(c)), to)
            c &+= 1
        }
    }
}

/// The state's gradient is dout (+ dnext), dc is the cell's (in and out); slopes [rows, 4 h] are those of the sums.
@inline(__always)
func lstmSlopes<V: Vector>(
    _: V.Type, _ rows: Int, _ h: Int, _ dout: UnsafePointer<V.Scalar>, _ dnext: UnsafePointer<V.Scalar>?,
    _ dc: UnsafeMutablePointer<V.Scalar>, _ gates: UnsafePointer<V.Scalar>, _ squashed: UnsafePointer<V.Scalar>,
    _ old: UnsafePointer<V.Scalar>, _ slopes: UnsafeMutablePointer<V.Scalar>
) {
    let zero = V(0.0), one = V(1.0)
    for row in 0..<rows {
        let gate = gates + 4 &* row &* h
        let slope = slopes + 4 &* row &* h
        var j = 0
        while j < h {
            let count = min(V.lanes, h &- j)
            let at = row &* h &+ j
            let i = loadSome(gate + j, count, zero), f = loadSome(gate + (h &+ j), count, zero)
            let g = loadSome(gate + (2 &* h &+ j), count, zero), o = loadSome(gate + (3 &* h &+ j), count, zero)
            let s = loadSome(squashed + at, count, zero)
            var d = loadSome(dout + at, count, zero)
            if let dnext { d = d + loadSome(dnext + at, count, zero) }
            let c = loadSome(UnsafePointer(dc + at), count, zero) + d * o * (one - s * s)
            storeSome(c * g * i * (one - i), slope + j, count)
            storeSome(c * loadSome(old + at, count, zero) * f * (one - f), slope + (h &+ j), count)
            storeSome(c * i * (one - g * g), slope + (2 &* h &+ j), count)
            storeSome(d * s * o * (one - o), slope + (3 &* h &+ j), count)
            storeSome(c * f, dc + at, count)
            j &+= V.lanes
        }
    }
}

// MARK: Entries

/// Weights in panels, then a chunk of the batch for each thread.
@inline(__always)
func lstm<V: Vector>(
    _: V.Type, _ p: kernel_lstm, _ size: Int, _ exec: UnsafePointer<kernel_exec>, back: Bool, pack: kernel_task, task: kernel_task
) {
    let depth = back ? 4 &* p.h : p.input &+ p.h
    let panels = back ? (p.h &+ StepPanels<V>.width &- 1) / StepPanels<V>.width : (p.h &+ V.lanes &- 1) / V.lanes
    let width = StepPanels<V>.width &* size
    let space = exec.pointee.scratch(0, panels &* (depth &+ 1) &* width)
    let a = LstmArguments(p: p, weights: space, bias: space + panels &* depth &* width, depth: depth)
    if back { for v in 0..<4 { V(0.0).store(a.bias.assumingMemoryBound(to: V.Scalar.self) + v &* V.lanes) } }
    share(exec, panels, depth &* StepPanels<V>.width, a, pack)
    // As few chunks as there are threads: each reads all of the weights in every step.
    let chunks = max(1, min(exec.pointee.threads, p.batch, p.steps &* p.batch &* p.h &* depth >> 13))
    var s = Shared(arguments: a, items: p.batch, perChunk: (p.batch &+ chunks &- 1) / chunks)
    let count = (p.batch &+ s.perChunk &- 1) / s.perChunk
    withUnsafeMutablePointer(to: &s) { s in
        if count == 1 { task(s, 0) } else { exec.pointee.run(count, task, s) }
    }
}

func lstmForward(_ dtype: Int32, _ p: UnsafePointer<kernel_lstm>, _ exec: UnsafePointer<kernel_exec>) {
    if p.pointee.batch < 1 { return }
    if Int(dtype) == KERNEL_F32 {
        lstm(
            FloatLanes.self, p.pointee, 4, exec, back: false,
            pack: { s, i in lstmPackTask(FloatLanes.self, s!.load(as: Shared<LstmArguments>.self), i) },
            task: { s, i in lstmTask(FloatLanes.self, s!.load(as: Shared<LstmArguments>.self), i) })
    } else {
        lstm(
            DoubleLanes.self, p.pointee, 8, exec, back: false,
            pack: { s, i in lstmPackTask(DoubleLanes.self, s!.load(as: Shared<LstmArguments>.self), i) },
            task: { s, i in lstmTask(DoubleLanes.self, s!.load(as: Shared<LstmArguments>.self), i) })
    }
}

func lstmBackward(_ dtype: Int32, _ p: UnsafePointer<kernel_lstm>, _ exec: UnsafePointer<kernel_exec>) {
    if p.pointee.batch < 1 { return }
    if Int(dtype) == KERNEL_F32 {
        lstm(
            FloatLanes.self, p.pointee, 4, exec, back: true,
            pack: { s, i in lstmPackBackTask(FloatLanes.self, s!.load(as: Shared<LstmArguments>.self), i) },
            task: { s, i in lstmBackTask(FloatLanes.self, s!.load(as: Shared<LstmArguments>.self), i) })
    } else {
        lstm(
            DoubleLanes.self, p.pointee, 8, exec, back: true,
            pack: { s, i in lstmPackBackTask(DoubleLanes.self, s!.load(as: Shared<LstmArguments>.self), i) },
            task: { s, i in lstmBackTask(DoubleLanes.self, s!.load(as: Shared<LstmArguments>.self), i) })
    }
}
