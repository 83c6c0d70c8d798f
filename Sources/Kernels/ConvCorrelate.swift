import KernelABI

/// One correlation on its way through the thread pool: an item is a band of grid rows of one group of
/// one image.
struct CorrelationJob {
    var c: Correlation
    var x: UnsafeRawPointer
    var y: UnsafeMutableRawPointer
    var weights: UnsafeRawPointer  // packed: [group][tile][input][kx][ky][row of the tile]
    var bias: UnsafeRawPointer  // packed: [group][row]
    var paddedOutputs: Int
    var relu: Bool
    var bandRows: Int, bands: Int
    var inputBlock: Int
    var exec: UnsafePointer<kernel_exec>

    @inline(__always) var direct: Bool { c.outRowStep == 1 && c.outColumnStep == 1 }
}

/// Bytes of the panel's part that a tile reads: it is read once for each tile of channels, so it
/// should stay in the first-level cache.
@inline(__always) var convTileBytes: Int { 20 << 10 }
/// Bytes of a whole panel, for the second-level cache.
@inline(__always) var convPanelBytes: Int { 192 << 10 }

/// Runs a correlation; slots 0 and 1 of the caller and 4 and 5 of the workers are used.
@inline(__always)
func correlate<V: Vector>(
    _: V.Type, _ c: Correlation, _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ bias: UnsafeRawPointer?,
    relu: Bool, _ y: UnsafeMutableRawPointer, _ task: kernel_task, _ exec: UnsafePointer<kernel_exec>
) {
    let size = MemoryLayout<V.Scalar>.size
    let taps = c.tapRows &* c.tapColumns
    let padded = ConvTile.paddedRows(c.outputs)
    let depth = c.inputs &* taps
    let packed = exec.pointee.scratch(0, max(1, c.groups &* padded &* depth) &* size)
    let starts = exec.pointee.scratch(1, c.groups &* padded &* size)
    packWeights(V.self, c, weight, bias, padded, packed, starts)

    let perTile = c.tapColumns &* (ConvTile.vectors &* V.lanes &+ (c.sharesRows ? c.rowReach &* c.ow : 0)) &* size
    let block = min(max(1, convTileBytes / max(1, perTile)), max(1, c.inputs))
    // Rows that the panel has for each row of the grid, and those it has anyway.
    let rowBytes = block &* c.tapColumns &* c.ow &* size &* (c.sharesRows ? 1 : c.tapRows)
    let reach = c.sharesRows ? c.rowReach : 0
    var band = max(max(1, reach), convPanelBytes / max(1, rowBytes) &- reach)
    // A few images still make work for every thread.
    let fewest = (16 &+ c.images &* c.groups &- 1) / max(1, c.images &* c.groups)
    band = max(1, min(band, (c.oh &+ fewest &- 1) / fewest))
    let bands = (c.oh &+ band &- 1) / band
    var job = CorrelationJob(
        c: c, x: x, y: y, weights: packed, bias: starts, paddedOutputs: padded, relu: relu,
        bandRows: band, bands: bands, inputBlock: block, exec: exec)
    let work = c.outputs &* depth &* c.oh &* c.ow / bands
    runConvItems(exec, c.images &* c.groups &* bands, work, task, &job)
}

/// Calls task for every item, each of `work` multiply-adds; on this thread alone when that is little.
@inline(__always)
func runConvItems(
    _ exec: UnsafePointer<kernel_exec>, _ count: Int, _ work: Int, _ task: kernel_task, _ job: UnsafeMutableRawPointer
) {
    // About ten microseconds: what waking a thread may cost.
    if count &* work < 1 << 18 {
        for i in 0..<count { task(job, i) }
    } else {
        exec.pointee.run(count, task, job)
    }
}

@inline(__always)
func packWeights<V: Vector>(
    _: V.Type, _ c: Correlation, _ weight: UnsafeRawPointer, _ bias: UnsafeRawPointer?, _ padded: Int,
    _ packed: UnsafeMutableRawPointer, _ starts: UnsafeMutableRawPointer
) {
    let weight = weight.assumingMemoryBound(to: V.Scalar.self)
    let starts = starts.assumingMemoryBound(to: V.Scalar.self)
    var out = packed.assumingMemoryBound(to: V.Scalar.self)
    for g in 0..<c.groups {
        for i in 0..<padded {
            starts[g &* padded &+ i] = V.scalar(0)
            if i < c.outputs, let bias {
                starts[g &* padded &+ i] = bias.assumingMemoryBound(to: V.Scalar.self)[g &* c.outputs &+ i]
            }
        }
        var done = 0
        while done < c.outputs {
            let rows = ConvTile.rows(left: c.outputs &- done)
            let there = min(rows, c.outputs &- done)
            let base = weight + (c.weightStart &+ g &* c.weightGroup &+ done &* c.weightOutput)
            for input in 0..<c.inputs {
                for kx in 0..<c.tapColumns {
                    for ky in 0..<c.tapRows {
                        let p = base + (input &* c.weightInput &+ kx &* c.weightColumn &+ ky &* c.weightRow)
                        for i in 0..<rows { out[i] = i < there ? p[i &* c.weightOutput] : V.scalar(0) }
                        out += rows
                    }
                }
            }
            done &+= rows
        }
    }
}

@inline(__always)
func correlateBand<V: Vector>(_: V.Type, _ context: UnsafeMutableRawPointer?, _ index: Int) {
    let job = UnsafePointer(context!.assumingMemoryBound(to: CorrelationJob.self))
    let c = UnsafeRawPointer(job).assumingMemoryBound(to: Correlation.self)  // the job's first member
    let size = MemoryLayout<V.Scalar>.size
    let inputs = c.pointee.inputs, outputs = c.pointee.outputs, ow = c.pointee.ow
    let taps = c.pointee.tapRows &* c.pointee.tapColumns
    let bands = job.pointee.bands
    let image = index / bands / c.pointee.groups
    let group = index / bands % c.pointee.groups
    let first = index % bands &* job.pointee.bandRows
    let rows = min(job.pointee.bandRows, c.pointee.oh &- first)
    let positions = rows &* ow
    let block = job.pointee.inputBlock

    let planeIn = c.pointee.h &* c.pointee.w
    let x = job.pointee.x.assumingMemoryBound(to: V.Scalar.self)
    let end = x + c.pointee.images &* c.pointee.groups &* inputs &* planeIn
    let from = x + (image &* c.pointee.groups &+ group) &* inputs &* planeIn
    let planeOut = c.pointee.outH &* c.pointee.outW
    let y = job.pointee.y.assumingMemoryBound(to: V.Scalar.self) + (image &* c.pointee.groups &+ group) &* outputs &* planeOut
    let direct = job.pointee.direct

    let perTap = (c.pointee.sharesRows ? c.pointee.panelRows(rows) : rows &* c.pointee.tapRows) &* ow
    let panel = job.pointee.exec.pointee.scratch(
        4, (block &* c.pointee.tapColumns &* perTap &+ 4 &* V.lanes) &* size
    ).assumingMemoryBound(to: V.Scalar.self)
    var target = y + first &* ow
    var targetRow = planeOut
    if !direct {
        target = job.pointee.exec.pointee.scratch(5, (outputs &* positions &+ V.lanes) &* size).assumingMemoryBound(to: V.Scalar.self)
        targetRow = positions
    }
    let shift = c.pointee.sharesRows ? (c.pointee.row0 &- c.pointee.rowMinimum) &* ow : 0
    let starts = job.pointee.bias.assumingMemoryBound(to: V.Scalar.self) + group &* job.pointee.paddedOutputs
    let weights = job.pointee.weights.assumingMemoryBound(to: V.Scalar.self) + group &* job.pointee.paddedOutputs &* inputs &* taps

    var input = 0
    repeat {
        let planes = min(block, inputs &- input)
        packConvPanel(V.self, c, from + input &* planeIn, planes: planes, first: first, rows: rows, panel, end: end)
        var work = ConvTileWork<V>(
            weights: weights, panel: panel, outer: planes &* c.pointee.tapColumns, outerStride: perTap,
            inner: c.pointee.tapRows, innerStride: c.pointee.sharesRows ? c.pointee.rowStep &* ow : rows &* ow,
            y: target, yRow: targetRow, rows: 0, positions: 0, bias: nil, relu: false)
        work.relu = job.pointee.relu && input &+ planes >= inputs
        var position = 0
        while position < positions {
            work.panel = UnsafePointer(panel) + (shift &+ position)
            work.positions = min(ConvTile.vectors &* V.lanes, positions &- position)
            var output = 0
            while output < outputs {
                let tile = ConvTile.rows(left: outputs &- output)
                work.weights = weights + (output &* inputs &+ input &* tile) &* taps
                work.rows = min(tile, outputs &- output)
                work.y = target + (output &* targetRow &+ position)
                work.bias = input == 0 ? starts + output : nil
                convTileAny(V.self, rows: tile, work)
                output &+= tile
            }
            position &+= ConvTile.vectors &* V.lanes
        }
        input &+= planes
    } while input < inputs
    if !direct { scatterGrid(V.self, c, UnsafePointer(target), y, first: first, rows: rows) }
}

/// The grid's band to its places in the output planes.
@inline(__always)
func scatterGrid<V: Vector>(
    _: V.Type, _ c: UnsafePointer<Correlation>, _ grid: UnsafePointer<V.Scalar>, _ y: UnsafeMutablePointer<V.Scalar>,
    first: Int, rows: Int
) {
    let ow = c.pointee.ow
    var from = grid
    for output in 0..<c.pointee.outputs {
        let plane = y + output &* c.pointee.outH &* c.pointee.outW
        for i in 0..<rows {
            let row = plane + (((first &+ i) &* c.pointee.outRowStep &+ c.pointee.outRow0) &* c.pointee.outW &+ c.pointee.outColumn0)
            for j in 0..<ow { row[j &* c.pointee.outColumnStep] = from[j] }
            from += ow
        }
    }
}
