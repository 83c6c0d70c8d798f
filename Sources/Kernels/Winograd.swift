import KernelABI

// Convolutions with a kernel of 3x3 and strides of one, in 16 products where direct ones take 36 (Winograd's
// F(2x2, 3x3); Lavin and Gray 2015). Tiles of 2x2 outputs see patches of 4x4 inputs; patches and weights are
// transformed by sums alone (and halves, exact), multiplied for each of the 16 places over all channels, and
// the sums transformed back. Only float32: who asks for double wants the last digits. Each element is a
// chain of fused multiply-adds over the input channels, whatever the tile, and nothing is packed but the
// weights: lanes are tiles of one image, row after row. A NaN or infinity would spread over its whole patch;
// bands with one are computed again by plain loops, so that it reaches the windows that hold it and no others.

struct WinogradJob {
    var images = 0, inputs = 0, outputs = 0
    var h = 0, w = 0, padH = 0, padW = 0
    var oh = 0, ow = 0
    /// Rows and columns of tiles in an image, and rows of them in a band.
    var tileRows = 0, tileColumns = 0
    var bandRows = 0, bands = 0
    var x: UnsafePointer<Float>
    /// Where x is pooled: the places of its elements (see kernel_slope).
    var places: UnsafePointer<Int32>?
    var y: UnsafeMutablePointer<Float>
    var weight: UnsafePointer<Float>
    /// Distances of the weights of outputs and inputs; the input's gradient reads each kernel backwards.
    var weightOutput = 0, weightInput = 0
    var flipped = false
    /// [place][block of outputs][input][row of the tile]
    var packed: UnsafeMutablePointer<Float>
    var bias: UnsafePointer<Float>?
    var relu = false
    /// The outputs' largest of each 2x2, which is a tile: y and index are planes of tiles.
    var pools = false
    var index: UnsafeMutablePointer<Int32>?
    var exec: UnsafePointer<kernel_exec>

    /// Bytes of a band's transformed patches and products: a share of a second-level cache.
    @inline(__always) static var bandBytes: Int { 768 << 10 }

    /// Tiles of a band in whole vectors.
    @inline(__always) func tiles(_ rows: Int) -> Int { (rows &* tileColumns &+ 15) & ~15 }

    /// The number of tile rows that makes the fewest vectors, all bands together.
    @inline(__always) mutating func cutBands() {
        let most = max(1, WinogradJob.bandBytes / (64 &* (inputs &+ outputs) &* tileColumns))
        var best = Int.max
        for rows in 1...min(most, tileRows) {
            let rest = tileRows % rows
            let cost = tileRows / rows &* tiles(rows) &+ (rest > 0 ? tiles(rest) : 0)
            if cost <= best {
                best = cost
                bandRows = rows
            }
        }
        bands = (tileRows &+ bandRows &- 1) / bandRows
    }
}

/// Whether tiles, with those that fill up vectors, cost less than the direct products.
@inline(__always)
func suitsWinograd(_ p: kernel_conv, _ dtype: Int32, _ oh: Int, _ ow: Int) -> Bool {
    if dtype != Int32(KERNEL_F32) || p.kh != 3 || p.kw != 3 || p.groups != 1 { return false }
    if p.stride_h != 1 || p.stride_w != 1 || p.dilation_h != 1 || p.dilation_w != 1 { return false }
    if p.pad_h > 2 || p.pad_w > 2 || p.c < 16 || p.o < 16 { return false }
    let tiles = (oh &+ 1) / 2 &* ((ow &+ 1) / 2)
    return 64 &* ((tiles &+ 15) & ~15) <= 27 &* oh &* ow
}

func winogradForward(
    _ p: kernel_conv, _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ bias: UnsafeRawPointer?, relu: Bool,
    _ y: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) {
    var job = WinogradJob(
        images: p.n, inputs: p.c, outputs: p.o, h: p.h, w: p.w, padH: p.pad_h, padW: p.pad_w, oh: p.oh, ow: p.ow,
        x: x.assumingMemoryBound(to: Float.self), y: y.assumingMemoryBound(to: Float.self),
        weight: weight.assumingMemoryBound(to: Float.self), weightOutput: 9 &* p.c, weightInput: 9,
        packed: y.assumingMemoryBound(to: Float.self), bias: bias?.assumingMemoryBound(to: Float.self), relu: relu, exec: exec)
    runWinograd(&job)
}

/// Where planes are whole tiles, these are the windows of the pooling.
func convReluPool(
    _ dtype: Int32, _ s: UnsafePointer<kernel_conv>, _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ bias: UnsafeRawPointer?,
    _ y: UnsafeMutableRawPointer, _ index: UnsafeMutablePointer<Int32>?, _ exec: UnsafePointer<kernel_exec>
) -> Bool {
    let p = s.pointee
    if !suitsWinograd(p, dtype, p.oh, p.ow) || p.oh % 2 != 0 || p.ow % 2 != 0 { return false }
    var job = WinogradJob(
        images: p.n, inputs: p.c, outputs: p.o, h: p.h, w: p.w, padH: p.pad_h, padW: p.pad_w, oh: p.oh, ow: p.ow,
        x: x.assumingMemoryBound(to: Float.self), y: y.assumingMemoryBound(to: Float.self),
        weight: weight.assumingMemoryBound(to: Float.self), weightOutput: 9 &* p.c, weightInput: 9,
        packed: y.assumingMemoryBound(to: Float.self), bias: bias?.assumingMemoryBound(to: Float.self), relu: true, pools: true,
        index: index, exec: exec)
    runWinograd(&job)
    return true
}

/// The input's gradient is a correlation of the output's, padded by what is left of the kernel's reach,
/// with the kernels turned round.
func winogradBackwardInput(
    _ p: kernel_conv, _ slope: kernel_slope, _ weight: UnsafeRawPointer, _ gx: UnsafeMutableRawPointer,
    _ exec: UnsafePointer<kernel_exec>
) {
    var job = WinogradJob(
        images: p.n, inputs: p.o, outputs: p.c, h: p.oh, w: p.ow, padH: 2 &- p.pad_h, padW: 2 &- p.pad_w, oh: p.h, ow: p.w,
        x: slope.gy.assumingMemoryBound(to: Float.self), places: slope.index, y: gx.assumingMemoryBound(to: Float.self),
        weight: weight.assumingMemoryBound(to: Float.self), weightOutput: 9, weightInput: 9 &* p.c, flipped: true,
        packed: gx.assumingMemoryBound(to: Float.self), exec: exec)
    runWinograd(&job)
}

@inline(never)
func runWinograd(_ job: inout WinogradJob) {
    let exec = job.exec
    job.tileRows = (job.oh &+ 1) / 2
    job.tileColumns = (job.ow &+ 1) / 2
    job.cutBands()
    job.packed = exec.pointee.scratch(0, 64 &* job.inputs &* job.outputs).assumingMemoryBound(to: Float.self)
    let blocks = winogradBlocks(job.outputs)
    let work = 36 &* job.inputs &* job.outputs &* job.tileRows &* job.tileColumns / job.bands
    let items = job.images &* job.bands
    withUnsafeMutablePointer(to: &job) { job in
        runConvItems(exec, blocks, 200 &* tileRows &* job.pointee.inputs, { winogradWeights($0, $1) }, job)
        runConvItems(exec, items, work, { winogradBand($0, $1) }, job)
    }
}

/// How many tiles cover `rows` rows.
@inline(__always)
func winogradBlocks(_ rows: Int) -> Int {
    var done = 0, blocks = 0
    while done < rows {
        done &+= nextTileRows(rows &- done)
        blocks &+= 1
    }
    return blocks
}

/// Item: a block of outputs, whose weights are transformed and packed.
@inline(__always)
func winogradWeights(_ context: UnsafeMutableRawPointer?, _ index: Int) {
    let job = UnsafePointer(context!.assumingMemoryBound(to: WinogradJob.self))
    let inputs = job.pointee.inputs, outputs = job.pointee.outputs
    var first = 0
    for _ in 0..<index { first &+= nextTileRows(outputs &- first) }
    let rows = nextTileRows(outputs &- first)
    let place = inputs &* outputs
    let flipped = job.pointee.flipped
    for i in 0..<rows {
        for k in 0..<inputs {
            let w = job.pointee.weight + ((first &+ i) &* job.pointee.weightOutput &+ k &* job.pointee.weightInput)
            let out = job.pointee.packed + (first &* inputs &+ k &* rows &+ i)
            // A column of the kernel at a time: its four sums are the first vector's lanes, and so on.
            let a = winogradKernelColumn(w, 0, flipped), b = winogradKernelColumn(w, 1, flipped), c = winogradKernelColumn(w, 2, flipped)
            let outer = (a + c) * 0.5, inner = b * 0.5
            let plus = outer + inner, minus = outer - inner
            for r in 0..<4 {
                out[(4 &* r) &* place] = a[r]
                out[(4 &* r &+ 1) &* place] = plus[r]
                out[(4 &* r &+ 2) &* place] = minus[r]
                out[(4 &* r &+ 3) &* place] = c[r]
            }
        }
    }
}

@inline(__always)
func winogradKernelColumn(_ w: UnsafePointer<Float>, _ column: Int, _ flipped: Bool) -> SIMD4<Float> {
    let a = w[flipped ? 8 &- column : column]
    let b = w[flipped ? 5 &- column : 3 &+ column]
    let c = w[flipped ? 2 &- column : 6 &+ column]
    let outer = (a + c) * 0.5, inner = b * 0.5
    return SIMD4(a, outer + inner, outer - inner, c)
}

/// One product of the transformed operands: element (i, k) of A is a[i + k * aStep].
@inline(__always)
func winogradTile(
    rows: Int, vectors: Int, depth: Int, _ a: UnsafePointer<Float>, _ aStep: Int, _ b: UnsafePointer<Float>, _ bStep: Int,
    _ c: UnsafeMutablePointer<Float>, _ cRow: Int, accumulate: Bool
) {
    let f = TileFinish<FloatLanes>(
        alpha: 1.0, scaled: false, accumulate: accumulate, rowBias: nil, columnBias: nil, relu: false,
        columns: 2 &* FloatLanes.lanes, space: c)
    let work = TileWork<FloatLanes>(depth: depth, a: a, b: b, bStep: bStep, c: c, cRow: cRow, finish: f)
    runTile(rows: rows, vectors: vectors, WinogradTile(work: work, aStep: aStep))
}

struct WinogradTile: TileCall {
    var work: TileWork<FloatLanes>
    var aStep: Int
    @inline(never) func run<S: TileShape>(_: S.Type) { tile(S.self, work, 1, aStep, ahead: nil, apart: false) }
}

/// Item: (image, band of tile rows).
@inline(__always)
func winogradBand(_ context: UnsafeMutableRawPointer?, _ index: Int) {
    let job = UnsafePointer(context!.assumingMemoryBound(to: WinogradJob.self))
    let inputs = job.pointee.inputs, outputs = job.pointee.outputs
    let image = index / job.pointee.bands
    let first = index % job.pointee.bands &* job.pointee.bandRows
    let rows = min(job.pointee.bandRows, job.pointee.tileRows &- first)
    let tiles = job.pointee.tiles(rows)
    // One line more between places, so that the sixteen do not fall into one set of the cache.
    let place = inputs &* tiles &+ 16
    let patches = job.pointee.exec.pointee.scratch(4, 64 &* place).assumingMemoryBound(to: Float.self)
    let products = job.pointee.exec.pointee.scratch(5, 64 &* outputs &* tiles).assumingMemoryBound(to: Float.self)
    winogradPatches(job, image: image, first: first, rows: rows, patches, place)
    let step = 16 &* tileVectors
    for p in 0..<16 {
        let a = UnsafePointer(job.pointee.packed) + p &* inputs &* outputs
        let b = UnsafePointer(patches) + p &* place
        let c = products + p &* tiles
        var j = 0
        while j < tiles {
            let vectors = min(tileVectors, (tiles &- j) / 16)
            var i = 0
            while i < outputs {
                let r = nextTileRows(outputs &- i)
                winogradTile(
                    rows: r, vectors: vectors, depth: inputs, a + i &* inputs, r, b + j, tiles, c + (16 &* i &* tiles &+ j),
                    16 &* tiles, accumulate: false)
                i &+= r
            }
            j &+= step
        }
    }
    let finite = job.pointee.pools
        ? winogradPooled(job, image: image, first: first, rows: rows, UnsafePointer(products), tiles)
        : winogradOutputs(job, image: image, first: first, rows: rows, UnsafePointer(products), tiles)
    if finite { return }
    if job.pointee.places != nil {
        winogradPlainUnpooled(job, image: image, first: first, rows: rows)
    } else {
        winogradPlain(job, image: image, first: first, rows: rows)
    }
}
