import KernelABI

// Long short-term memory and gated recurrent units over a whole sequence, forward and back (see KernelABI). Rows of the
// batch know nothing of each other, so each chunk of them walks through all steps by itself, without waiting for the
// others in between.
//
// Of every `lanes` units the sums for four gates stand side by side, four vectors, in all that only kernels see: the panels
// of the weights and the slopes. Vector q of a row is that of gate q % 4 of units q / 4 lanes ...; panel p holds vectors
// p tileVectors ... . The gates are i, f, g, o, or r, z and the two parts of n: one knows the input alone, one the state.

struct GatedArguments {
    var p: kernel_gated
    var gru: Bool
    var exec: UnsafePointer<kernel_exec>
    var weights: UnsafeMutableRawPointer  // panels
    var bias: UnsafeMutableRawPointer  // forward: of each unit's vector the four of its gates
    var depth: Int  // of a panel
    // Back: the steps at hand, counted from the last one, and what they leave.
    var low = 0, high = 0
    var slopes: UnsafeMutableRawPointer  // panels of (high - low) * batch rows
    var dstate: UnsafeMutableRawPointer  // [batch, whole panels]: gradient of the state before the last of them
    @inline(__always) func before(_ t: Int) -> Int { p.reverse ? t &+ 1 : t }
    @inline(__always) func after(_ t: Int) -> Int { p.reverse ? t : t &+ 1 }
    /// The step of the sequence that is the i-th on the way back.
    @inline(__always) func back(_ i: Int) -> Int { p.reverse ? i : p.steps &- 1 &- i }
}

/// Which rows of a weight are those of a gate: the how manieth `h` of them, or none.
@inline(__always)
func gatedBlock(_ gru: Bool, _ gate: Int, hidden: Bool) -> Int? {
    if !gru || gate < 2 { return gate }
    return hidden == (gate == 3) ? 2 : nil
}

/// Vectors of units.
@inline(__always) func gatedUnits<V: Vector>(_: V.Type, _ h: Int) -> Int { (h &+ V.lanes &- 1) / V.lanes }

/// Panels that hold `columns` columns.
@inline(__always) func stepPanels<V: Vector>(_: V.Type, _ columns: Int) -> Int { (columns &+ stepWidth(V.self) &- 1) / stepWidth(V.self) }

// MARK: Laying out the weights

/// The four gates of a vector of units; rows of the panels are first the inputs, then the states.
@inline(__always)
func gatedPackTask<V: Vector>(_: V.Type, _ s: Shared<GatedArguments>, _ chunk: Int) {
    let a = s.arguments
    let h = a.p.h
    let width = stepWidth(V.self)
    let bias = a.bias.assumingMemoryBound(to: V.Scalar.self)
    let given = a.p.bias?.assumingMemoryBound(to: V.Scalar.self)
    for u in s.first(chunk)..<s.end(chunk) {
        let units = min(V.lanes, h &- u &* V.lanes)
        for gate in 0..<4 {
            let row = gate &* h &+ u &* V.lanes
            let q = 4 &* u &+ gate
            let out = a.weights.assumingMemoryBound(to: V.Scalar.self) + (q / tileVectors &* a.depth &* width &+ q % tileVectors &* V.lanes)
            gatedPack(V.self, a.p.weight_ih, gatedBlock(a.gru, gate, hidden: false), h, u, units, a.p.input, out)
            gatedPack(V.self, a.p.weight_hh, gatedBlock(a.gru, gate, hidden: true), h, u, units, h, out + a.p.input &* width)
            let b = given.map { loadSome($0 + row, units, V(0.0)) } ?? V(0.0)
            b.store(bias + q &* V.lanes)
        }
    }
}

/// Units u lanes ... of a block of h rows of a weight [.., depth] as columns: element (i, k) to out[k * width + i], zeros
/// beside, and where there is no block.
@inline(__always)
func gatedPack<V: Vector>(
    _: V.Type, _ weight: UnsafeRawPointer, _ block: Int?, _ h: Int, _ u: Int, _ units: Int, _ depth: Int,
    _ out: UnsafeMutablePointer<V.Scalar>
) {
    let width = stepWidth(V.self)
    guard let block else {
        for k in 0..<depth { V(0.0).store(out + k &* width) }
        return
    }
    let w = weight.assumingMemoryBound(to: V.Scalar.self) + (block &* h &+ u &* V.lanes) &* depth
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

/// Panels of columns of weight_hh [.., h], then of weight_ih; their rows in the order of the slopes.
@inline(__always)
func gatedPackBackTask<V: Vector>(_: V.Type, _ s: Shared<GatedArguments>, _ chunk: Int) {
    let a = s.arguments
    let h = a.p.h
    let width = stepWidth(V.self)
    let zero = V(0.0)
    let hidden = stepPanels(V.self, h)
    for c in s.first(chunk)..<s.end(chunk) {
        let own = c < hidden
        let columns = own ? h : a.p.input
        let first = (own ? c : c &- hidden) &* width
        let w = (own ? a.p.weight_hh : a.p.weight_ih).assumingMemoryBound(to: V.Scalar.self) + first
        var out = a.weights.assumingMemoryBound(to: V.Scalar.self) + c &* a.depth &* width
        for q in 0..<(a.depth / V.lanes) {
            let unit = q / 4 &* V.lanes
            let block = gatedBlock(a.gru, q % 4, hidden: own)
            let row = w + ((block ?? 0) &* h &+ unit) &* columns
            for i in 0..<V.lanes {
                for v in 0..<tileVectors {
                    let count = block != nil && unit &+ i < h ? columns &- first &- v &* V.lanes : 0
                    let x = count > 0 ? loadSome(row + (i &* columns &+ v &* V.lanes), count, zero) : zero
                    x.store(out + v &* V.lanes)
                }
                out += width
            }
        }
    }
}

// MARK: Entries

/// Chunks of the batch for the threads: as few as there are threads, since each reads all of the weights in every step.
@inline(__always)
func gatedChunks(_ a: GatedArguments, _ task: kernel_task) {
    if a.p.batch < 1 { return }
    let threads = a.exec.pointee.threads
    let steps = a.high > 0 ? a.high &- a.low : a.p.steps
    let chunks = max(1, min(threads, a.p.batch, (steps &* a.p.batch &* a.p.h &* a.depth) >> 18))
    var s = Shared(arguments: a, items: a.p.batch, perChunk: (a.p.batch &+ chunks &- 1) / chunks)
    let count = (a.p.batch &+ s.perChunk &- 1) / s.perChunk
    withUnsafeMutablePointer(to: &s) { s in
        if count == 1 { task(s, 0) } else { a.exec.pointee.run(count, task, s) }
    }
}

@inline(__always)
func gated<V: Vector>(_: V.Type, gru: Bool, _ p: kernel_gated, _ exec: UnsafePointer<kernel_exec>, pack: kernel_task, task: kernel_task) {
    let size = MemoryLayout<V.Scalar>.size
    let depth = p.input &+ p.h
    let vectors = 4 &* gatedUnits(V.self, p.h)
    let space = exec.pointee.scratch(0, vectors &* V.lanes &* (depth &+ 1) &* size)
    let a = GatedArguments(
        p: p, gru: gru, exec: exec, weights: space, bias: space + vectors &* V.lanes &* depth &* size, depth: depth, slopes: space,
        dstate: space)
    share(exec, vectors / 4, depth &* 4 &* V.lanes, a, pack)
    gatedChunks(a, task)
}

@inline(__always)
func gatedBack<V: Vector>(
    _: V.Type, gru: Bool, _ p: kernel_gated, _ exec: UnsafePointer<kernel_exec>, pack: kernel_task, task: kernel_task, gradient: kernel_task
) {
    let size = MemoryLayout<V.Scalar>.size
    let depth = 4 &* gatedUnits(V.self, p.h) &* V.lanes
    let hidden = stepPanels(V.self, p.h), width = stepWidth(V.self)
    let panels = hidden &+ (p.dx == nil ? 0 : stepPanels(V.self, p.input))
    // The slopes of so many steps stay in the second-level cache until the weights' gradients have taken them up.
    let steps = max(1, longestStepChain / max(p.batch, 1))
    let rows = min(steps, p.steps) &* p.batch
    let columns = (p.dweight_ih == nil ? 0 : p.input) &+ (p.dbias == nil ? 0 : 1) &+ (p.dweight_hh == nil ? 0 : p.h)
    let space = exec.pointee.scratch(0, (panels &* width &+ rows &+ columns) &* depth &* size &+ p.batch &* hidden &* width &* size)
    let slopes = space + panels &* width &* depth &* size
    let sums = slopes + rows &* depth &* size
    var a = GatedArguments(
        p: p, gru: gru, exec: exec, weights: space, bias: space, depth: depth, slopes: slopes, dstate: sums + columns &* depth &* size)
    share(exec, panels, depth &* width, a, pack)
    while a.low < p.steps {
        a.high = min(a.low &+ steps, p.steps)
        gatedChunks(a, task)
        let t = a.back(a.low), way = p.reverse ? 1 : -1
        stepGradient(
            StepGradient(
                exec: exec, gru: gru, slopes: slopes, vectors: depth / V.lanes, rows: (a.high &- a.low) &* p.batch, batch: p.batch, h: p.h,
                x: p.x + t &* p.x_step &* size, step: way &* p.x_step, row: p.x_row, input: p.dweight_ih == nil ? 0 : p.input,
                ones: p.dbias != nil, y: UnsafeRawPointer(p.states) + a.before(t) &* p.batch &* p.h &* size,
                hiddenStep: way &* p.batch &* p.h, hidden: p.dweight_hh == nil ? 0 : p.h, sums: sums, first: a.low == 0,
                last: a.high == p.steps, dinput: p.dweight_ih, dhidden: p.dweight_hh, dbias: p.dbias), width, gradient)
        a.low = a.high
    }
}

func lstmForward(_ dtype: Int32, _ p: UnsafePointer<kernel_gated>, _ exec: UnsafePointer<kernel_exec>) {
    if Int(dtype) == KERNEL_F32 {
        gated(
            FloatLanes.self, gru: false, p.pointee, exec,
            pack: { s, i in gatedPackTask(FloatLanes.self, s!.load(as: Shared<GatedArguments>.self), i) },
            task: { s, i in gatedTask(FloatLanes.self, gru: false, s!.load(as: Shared<GatedArguments>.self), i) })
    } else {
        gated(
            DoubleLanes.self, gru: false, p.pointee, exec,
            pack: { s, i in gatedPackTask(DoubleLanes.self, s!.load(as: Shared<GatedArguments>.self), i) },
            task: { s, i in gatedTask(DoubleLanes.self, gru: false, s!.load(as: Shared<GatedArguments>.self), i) })
    }
}

func lstmBackward(_ dtype: Int32, _ p: UnsafePointer<kernel_gated>, _ exec: UnsafePointer<kernel_exec>) {
    if Int(dtype) == KERNEL_F32 {
        gatedBack(
            FloatLanes.self, gru: false, p.pointee, exec,
            pack: { s, i in gatedPackBackTask(FloatLanes.self, s!.load(as: Shared<GatedArguments>.self), i) },
            task: { s, i in gatedBackTask(FloatLanes.self, gru: false, s!.load(as: Shared<GatedArguments>.self), i) },
            gradient: { s, i in stepGradientTask(FloatLanes.self, s!.load(as: Shared<StepGradient>.self), i) })
    } else {
        gatedBack(
            DoubleLanes.self, gru: false, p.pointee, exec,
            pack: { s, i in gatedPackBackTask(DoubleLanes.self, s!.load(as: Shared<GatedArguments>.self), i) },
            task: { s, i in gatedBackTask(DoubleLanes.self, gru: false, s!.load(as: Shared<GatedArguments>.self), i) },
            gradient: { s, i in stepGradientTask(DoubleLanes.self, s!.load(as: Shared<StepGradient>.self), i) })
    }
}

func gruForward(_ dtype: Int32, _ p: UnsafePointer<kernel_gated>, _ exec: UnsafePointer<kernel_exec>) {
    if Int(dtype) == KERNEL_F32 {
        gated(
            FloatLanes.self, gru: true, p.pointee, exec,
            pack: { s, i in gatedPackTask(FloatLanes.self, s!.load(as: Shared<GatedArguments>.self), i) },
            task: { s, i in gatedTask(FloatLanes.self, gru: true, s!.load(as: Shared<GatedArguments>.self), i) })
    } else {
        gated(
            DoubleLanes.self, gru: true, p.pointee, exec,
            pack: { s, i in gatedPackTask(DoubleLanes.self, s!.load(as: Shared<GatedArguments>.self), i) },
            task: { s, i in gatedTask(DoubleLanes.self, gru: true, s!.load(as: Shared<GatedArguments>.self), i) })
    }
}

func gruBackward(_ dtype: Int32, _ p: UnsafePointer<kernel_gated>, _ exec: UnsafePointer<kernel_exec>) {
    if Int(dtype) == KERNEL_F32 {
        gatedBack(
            FloatLanes.self, gru: true, p.pointee, exec,
            pack: { s, i in gatedPackBackTask(FloatLanes.self, s!.load(as: Shared<GatedArguments>.self), i) },
            task: { s, i in gatedBackTask(FloatLanes.self, gru: true, s!.load(as: Shared<GatedArguments>.self), i) },
            gradient: { s, i in stepGradientTask(FloatLanes.self, s!.load(as: Shared<StepGradient>.self), i) })
    } else {
        gatedBack(
            DoubleLanes.self, gru: true, p.pointee, exec,
            pack: { s, i in gatedPackBackTask(DoubleLanes.self, s!.load(as: Shared<GatedArguments>.self), i) },
            task: { s, i in gatedBackTask(DoubleLanes.self, gru: true, s!.load(as: Shared<GatedArguments>.self), i) },
            gradient: { s, i in stepGradientTask(DoubleLanes.self, s!.load(as: Shared<StepGradient>.self), i) })
    }
}
