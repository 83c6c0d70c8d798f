import KernelABI

// The input's gradient with a stride of one: for each tap a product of the weights with the output's
// gradient as it lies in memory, added to the places that the tap read from. No padding is multiplied
// and nothing is packed. Every element gets its taps in ascending order, each a chain over the output
// channels, whatever the tile.

struct ConvScatterJob {
    var p: kernel_conv
    var gy: UnsafeRawPointer
    var gx: UnsafeMutableRawPointer
    var weights: UnsafeRawPointer  // packed: [group][block of input channels][tap][output channel][row of the tile]
    var starts: UnsafeRawPointer  // zeros
    var paddedInputs: Int
    var blocks: Int
    var exec: UnsafePointer<kernel_exec>

    @inline(__always) var inputs: Int { p.c / p.groups }
    @inline(__always) var outputs: Int { p.o / p.groups }
    @inline(__always) var height: Int { p.h &+ 2 &* p.pad_h }
    @inline(__always) var width: Int { p.w &+ 2 &* p.pad_w }
}

/// First channel of tile `block`, of the tiles that cover `count` channels.
@inline(__always)
func convTileStart(_ count: Int, _ block: Int) -> Int {
    var done = 0
    for _ in 0..<block { done &+= ConvTile.rows(left: count &- done) }
    return done
}

@inline(__always)
func convScatter<V: Vector>(
    _: V.Type, _ p: UnsafePointer<kernel_conv>, _ gy: UnsafeRawPointer, _ weight: UnsafeRawPointer,
    _ gx: UnsafeMutableRawPointer, _ task: kernel_task, _ exec: UnsafePointer<kernel_exec>
) {
    let s = p.pointee
    let size = MemoryLayout<V.Scalar>.size
    let inputs = s.c / s.groups, outputs = s.o / s.groups
    let taps = s.kh &* s.kw
    let padded = ConvTile.paddedRows(inputs)
    let packed = exec.pointee.scratch(0, s.groups &* padded &* taps &* outputs &* size).assumingMemoryBound(to: V.Scalar.self)
    let starts = exec.pointee.scratch(1, ConvTile.rows &* size).assumingMemoryBound(to: V.Scalar.self)
    for i in 0..<ConvTile.rows { starts[i] = V.scalar(0) }
    let from = weight.assumingMemoryBound(to: V.Scalar.self)
    var out = packed
    var blocks = 0
    for g in 0..<s.groups {
        var input = 0
        blocks = 0
        while input < inputs {
            let rows = ConvTile.rows(left: inputs &- input)
            let there = min(rows, inputs &- input)
            for tap in 0..<taps {
                for o in 0..<outputs {
                    let w = from + (((g &* outputs &+ o) &* inputs &+ input) &* taps &+ tap)
                    for i in 0..<rows { out[i] = i < there ? w[i &* taps] : V.scalar(0) }
                    out += rows
                }
            }
            input &+= rows
            blocks &+= 1
        }
    }
    var job = ConvScatterJob(
        p: s, gy: gy, gx: gx, weights: packed, starts: starts, paddedInputs: padded, blocks: blocks, exec: exec)
    runConvItems(exec, s.n &* s.groups &* blocks, ConvTile.rows &* outputs &* taps &* s.oh &* s.ow, task, &job)
}

/// Item: (image, group, block of input channels).
@inline(__always)
func convScatterBlock<V: Vector>(_: V.Type, _ context: UnsafeMutableRawPointer?, _ index: Int) {
    let job = UnsafePointer(context!.assumingMemoryBound(to: ConvScatterJob.self))
    let p = job.pointee.p
    let size = MemoryLayout<V.Scalar>.size
    let inputs = job.pointee.inputs, outputs = job.pointee.outputs
    let block = index % job.pointee.blocks
    let image = index / job.pointee.blocks / p.groups
    let group = index / job.pointee.blocks % p.groups
    let first = convTileStart(inputs, block)
    let rows = ConvTile.rows(left: inputs &- first)
    let there = min(rows, inputs &- first)
    let taps = p.kh &* p.kw

    // The sums of the block's channels, with their padding; behind the last row, room for whole vectors.
    let width = job.pointee.width
    let plane = job.pointee.height &* width
    let sums = job.pointee.exec.pointee.scratch(4, (there &* plane &+ V.lanes) &* size).assumingMemoryBound(to: V.Scalar.self)
    zeroRow(V.self, sums, there &* plane)
    let tileWidth = ConvTile.vectors &* V.lanes
    let tile = job.pointee.exec.pointee.scratch(5, (rows &* tileWidth &+ V.lanes) &* size).assumingMemoryBound(to: V.Scalar.self)

    let positions = p.oh &* p.ow
    let all = job.pointee.gy.assumingMemoryBound(to: V.Scalar.self)
    let end = all + p.n &* p.o &* positions
    let gy = all + (image &* p.groups &+ group) &* outputs &* positions
    let weights = job.pointee.weights.assumingMemoryBound(to: V.Scalar.self)
        + (group &* job.pointee.paddedInputs &+ first) &* taps &* outputs
    // The last tile of the last plane would read past its end: it gets a copy.
    var tail: UnsafeMutablePointer<V.Scalar>?
    let tailStart = (positions &- 1) / tileWidth &* tileWidth
    if gy + ((outputs &- 1) &* positions &+ tailStart &+ tileWidth) > end {
        let copy = job.pointee.exec.pointee.scratch(6, (outputs &* tileWidth &+ V.lanes) &* size)
            .assumingMemoryBound(to: V.Scalar.self)
        for o in 0..<outputs {
            copyRow(V.self, gy + (o &* positions &+ tailStart), copy + o &* tileWidth, positions &- tailStart, end: end)
        }
        tail = copy
    }
    var work = ConvTileWork<V>(
        weights: weights, panel: gy, outer: 1, outerStride: 0, inner: outputs, innerStride: 0, y: tile, yRow: tileWidth,
        rows: rows, positions: tileWidth, bias: job.pointee.starts.assumingMemoryBound(to: V.Scalar.self), relu: false)
    for tap in 0..<taps {
        let shift = tap / p.kw &* p.dilation_h &* width &+ tap % p.kw &* p.dilation_w
        work.weights = weights + tap &* outputs &* rows
        var row = 0, column = 0
        var position = 0
        while position < positions {
            let count = min(tileWidth, positions &- position)
            work.positions = (count &+ V.lanes &- 1) / V.lanes &* V.lanes
            work.panel = gy + position
            work.innerStride = positions
            if position == tailStart, let tail {
                work.panel = UnsafePointer(tail)
                work.innerStride = tileWidth
            }
            convTileAny(V.self, rows: rows, work)
            var done = 0
            while done < count {
                let length = min(p.ow &- column, count &- done)
                addTileRow(V.self, tile + done, tileWidth, sums + (shift &+ row &* width &+ column), plane, there, length)
                done &+= length
                column &+= length
                if column == p.ow {
                    column = 0
                    row &+= 1
                }
            }
            position &+= count
        }
    }
    let gx = job.pointee.gx.assumingMemoryBound(to: V.Scalar.self)
        + ((image &* p.groups &+ group) &* inputs &+ first) &* p.h &* p.w
    for i in 0..<there {
        if width == p.w {
            copyExactly(V.self, sums + (i &* plane &+ p.pad_h &* width), gx + i &* p.h &* p.w, p.h &* p.w)
            continue
        }
        for r in 0..<p.h {
            copyExactly(
                V.self, sums + (i &* plane &+ (r &+ p.pad_h) &* width &+ p.pad_w), gx + (i &* p.h &+ r) &* p.w, p.w)
        }
    }
}

/// y[i * plane + j] += tile[i * tileWidth + j] for j < length. Adds zero up to the end of the last vector.
@inline(__always)
func addTileRow<V: Vector>(
    _: V.Type, _ tile: UnsafePointer<V.Scalar>, _ tileWidth: Int, _ y: UnsafeMutablePointer<V.Scalar>, _ plane: Int,
    _ rows: Int, _ length: Int
) {
    var j = 0
    while j &+ V.lanes <= length {
        var from = tile + j
        var to = y + j
        for _ in 0..<rows {
            (V.load(to) + V.load(from)).store(to)
            from += tileWidth
            to += plane
        }
        j &+= V.lanes
    }
    if j < length {
        let zero = V(0.0)
        let mask = V.less(laneNumbers(V.self), V(Double(length &- j)))
        var from = tile + j
        var to = y + j
        for _ in 0..<rows {
            (V.load(to) + V.select(mask, V.load(from), zero)).store(to)
            from += tileWidth
            to += plane
        }
    }
}

@inline(__always)
func laneNumbers<V: Vector>(_: V.Type) -> V {
    var v = V(0.0)
    for i in 0..<V.lanes { v[i] = V.scalar(Double(i)) }
    return v
}

/// Writes nothing past the last element.
@inline(__always)
func copyExactly<V: Vector>(_: V.Type, _ x: UnsafePointer<V.Scalar>, _ y: UnsafeMutablePointer<V.Scalar>, _ count: Int) {
    var i = 0
    while i &+ V.lanes <= count {
        V.load(x + i).store(y + i)
        i &+= V.lanes
    }
    if i < count { V.load(x + i).store(y + i, count: count &- i) }
}
