import KernelABI

// Gradients of the weights and the bias of a recurrent layer: a product of the slopes of the sums with the inputs, the states
// and a column of ones (for the bias), a few steps at a time.

struct StepGradient {
    var exec: UnsafePointer<kernel_exec>
    var gru: Bool
    /// Panels [rows, width] of `vectors` vectors in all: vector q is gate q % 4 of the units from q / 4 lanes.
    var slopes: UnsafeRawPointer
    var vectors: Int
    var rows: Int  // steps * batch
    var batch: Int
    var h: Int
    /// Inputs of the first of the steps, and how far it is to the next step's and to the next row's; states alike.
    var x: UnsafeRawPointer, step: Int, row: Int, input: Int
    var ones: Bool
    var y: UnsafeRawPointer, hiddenStep: Int, hidden: Int
    var sums: UnsafeMutableRawPointer  // of each panel a row for each column of the other operand
    var first: Bool, last: Bool  // of the calls that add up
    var dinput: UnsafeMutableRawPointer?, dhidden: UnsafeMutableRawPointer?, dbias: UnsafeMutableRawPointer?
    var columns: Int { input &+ (ones ? 1 : 0) &+ hidden }
}

/// Chains are as long as a panel's piece that fits the first-level cache beside a tile's rows of the other operand.
let longestStepChain = 256

/// Panels are shared out in as few pieces as there are threads, since for each the other operand is laid out anew.
@inline(__always)
func stepGradient(_ g: StepGradient, _ width: Int, _ task: kernel_task) {
    if g.columns < 1 || g.vectors < 1 { return }
    let panels = g.vectors / tileVectors
    let chunks = max(1, min(g.exec.pointee.threads, panels, (panels &* g.columns &* g.rows &* width) >> 18))
    var s = Shared(arguments: g, items: panels, perChunk: (panels &+ chunks &- 1) / chunks)
    let count = (panels &+ s.perChunk &- 1) / s.perChunk
    withUnsafeMutablePointer(to: &s) { s in
        if count == 1 { task(s, 0) } else { g.exec.pointee.run(count, task, s) }
    }
}

/// The gradients that belong to some panels of the slopes.
@inline(__always)
func stepGradientTask<V: Vector>(_: V.Type, _ s: Shared<StepGradient>, _ chunk: Int) {
    let g = s.arguments
    let width = stepWidth(V.self)
    let blocks = max(1, (g.rows &+ longestStepChain &- 1) / longestStepChain)
    let depth = ((g.rows &+ blocks &- 1) / blocks &+ 7) & ~7
    let columns = g.columns
    let sums = g.sums.assumingMemoryBound(to: V.Scalar.self)
    // A block of the other operand in tiles, zeros, a square.
    let aSpace = (depth &* columns &+ V.lanes &+ 63) & ~63
    let space = g.exec.pointee.scratch(1, (aSpace &+ width &+ V.lanes &* V.lanes) &* MemoryLayout<V.Scalar>.size)
        .assumingMemoryBound(to: V.Scalar.self)
    let zeros = space + aSpace
    for v in 0..<tileVectors { V(0.0).store(zeros + v &* V.lanes) }
    let none = StepRows<V>(base: UnsafePointer(zeros), row: 0, depth: 0, pieces: 0)
    var k = 0
    repeat {
        let d = min(depth, g.rows &- k)
        stepGradientPack(V.self, g, k, d, space)
        for p in s.first(chunk)..<s.end(chunk) {
            let b = g.slopes.assumingMemoryBound(to: V.Scalar.self) + (p &* g.rows &+ k) &* width
            var i = 0
            while i < columns {
                let n = stepGradientHeight(g, i)
                let a = StepRows<V>(base: UnsafePointer(space + i &* d), row: 1, step: n, depth: d)
                let to = StepTarget<V>(
                    from: UnsafePointer(zeros), to: sums + (p &* columns &+ i) &* width, row: width, adds: !g.first || k > 0)
                stepTile(V.self, n, a, none, b, to)
                i &+= n
            }
        }
        k &+= d
    } while k < g.rows
    if g.last {
        for p in s.first(chunk)..<s.end(chunk) {
            stepGradientStore(V.self, g, p, UnsafePointer(sums + p &* columns &* width), zeros + width)
        }
    }
}

/// The height of the tile at column i; none holds columns of both inputs and states.
@inline(__always)
func stepGradientHeight(_ g: StepGradient, _ i: Int) -> Int {
    let border = g.columns &- g.hidden
    return stepHeight((i < border ? border : g.columns) &- i)
}

/// `depth` rows of inputs, ones and states as tiles: column i of row k of a tile to [k * height + i].
@inline(never)
func stepGradientPack<V: Vector>(_: V.Type, _ g: StepGradient, _ low: Int, _ depth: Int, _ out: UnsafeMutablePointer<V.Scalar>) {
    if depth < 1 { return }
    let border = g.columns &- g.hidden
    var i = 0
    while i < g.columns {
        let n = stepGradientHeight(g, i)
        let own = i >= border
        let width = own ? g.hidden : g.input
        let column = own ? i &- border : i
        let step = own ? g.hiddenStep : g.step
        let row = own ? g.hidden : g.row
        var source = (own ? g.y : g.x).assumingMemoryBound(to: V.Scalar.self) + (low / g.batch &* step &+ low % g.batch &* row &+ column)
        var to = out + i &* depth
        var left = g.batch &- low % g.batch
        let count = width &- column
        for _ in 0..<depth {
            // What a vector holds beyond the tile's height goes under the next row, or into the next tile, which is written later.
            var j = 0
            while j < min(n, count) {
                loadSome(source + j, count &- j, V(0.0)).store(to + j)
                j &+= V.lanes
            }
            if !own && n > count { to[n &- 1] = V.scalar(1) }
            to += n
            left &-= 1
            source += row
            if left == 0 {
                left = g.batch
                source += step &- g.batch &* row
            }
        }
        i &+= n
    }
}

/// One panel's gradients to their places.
@inline(never)
func stepGradientStore<V: Vector>(
    _: V.Type, _ g: StepGradient, _ panel: Int, _ sums: UnsafePointer<V.Scalar>, _ square: UnsafeMutablePointer<V.Scalar>
) {
    let line = stepWidth(V.self)
    let border = g.columns &- g.hidden
    for v in 0..<tileVectors {
        let q = panel &* tileVectors &+ v
        let unit = q / 4 &* V.lanes
        let units = min(V.lanes, g.h &- unit)
        let x = sums + v &* V.lanes
        if let out = g.dinput, let block = gatedBlock(g.gru, q % 4, hidden: false) {
            let to = out.assumingMemoryBound(to: V.Scalar.self) + (block &* g.h &+ unit) &* g.input
            stepTurn(V.self, x, line, g.input, units, to, square)
        }
        if let out = g.dbias {
            storeSome(V.load(x + g.input &* line), out.assumingMemoryBound(to: V.Scalar.self) + (q % 4 &* g.h &+ unit), units)
        }
        if let out = g.dhidden, let block = gatedBlock(g.gru, q % 4, hidden: true) {
            let to = out.assumingMemoryBound(to: V.Scalar.self) + (block &* g.h &+ unit) &* g.hidden
            stepTurn(V.self, x + border &* line, line, g.hidden, units, to, square)
        }
    }
}

/// The first `units` lanes of `rows` vectors, `line` apart, as rows of `out`.
@inline(__always)
func stepTurn<V: Vector>(
    _: V.Type, _ x: UnsafePointer<V.Scalar>, _ line: Int, _ rows: Int, _ units: Int, _ out: UnsafeMutablePointer<V.Scalar>,
    _ square: UnsafeMutablePointer<V.Scalar>
) {
    var i = 0
    while i < rows {
        V.transposeBlock(x + i &* line, line, min(V.lanes, rows &- i), square, V.lanes)
        for u in 0..<units { storeSome(V.load(UnsafePointer(square + u &* V.lanes)), out + (u &* rows &+ i), rows &- i) }
        i &+= V.lanes
    }
}
