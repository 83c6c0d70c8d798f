import KernelABI

/// The weight gradient: the batch in fixed chunks, each summed into its own copy of the gradient by
/// one worker; the copies are then added in the order of the chunks.
struct ConvGradientJob {
    var p: kernel_conv
    var gy: UnsafeRawPointer
    var relu: UnsafeRawPointer?  // gradients count where it is above 0; few taps alone
    var x: UnsafeRawPointer
    /// [chunk][group][tap][channel]; the last tap is the bias.
    var sums: UnsafeMutableRawPointer
    var gweight: UnsafeMutableRawPointer
    var gbias: UnsafeMutableRawPointer?
    var chunks: Int, inputBlocks: Int, inputBlock: Int
    var channels: Int  // of a group, padded to whole vectors
    var sumRows: Int  // taps of a group, the bias and what the last tile writes past them
    var bandRows: Int
    var exec: UnsafePointer<kernel_exec>

    @inline(__always) var inputs: Int { p.c / p.groups }
    @inline(__always) var outputs: Int { p.o / p.groups }
    @inline(__always) var padded: Bool { p.pad_h != 0 || p.pad_w != 0 }
}

/// Channels whose transposed gradient is held at a time, in vectors.
@inline(__always) var convGradientVectors: Int { 4 }
/// Bytes of it for one band: a share of a second-level cache. (Smaller bands, for the first level, add to
/// the sums more often and lose more by that.)
@inline(__always) var convGradientBand: Int { 160 << 10 }

func convBackwardWeight(
    _ dtype: Int32, _ p: UnsafePointer<kernel_conv>, _ slope: kernel_slope, _ x: UnsafeRawPointer,
    _ gweight: UnsafeMutableRawPointer, _ gbias: UnsafeMutableRawPointer?, _ exec: UnsafePointer<kernel_exec>
) -> Bool {
    let winograd = suitsWinogradGradient(p.pointee, dtype)
    let few = !winograd && hasFewTaps(p.pointee)
    if (slope.relu != nil && !few) || (slope.index != nil && !(winograd && hasWholeWindows(p.pointee))) { return false }
    if winograd {
        winogradBackwardWeight(p.pointee, slope, x, gweight, gbias, exec)
        return true
    }
    if dtype == KERNEL_F32 {
        let sum: kernel_task =
            few ? { convFewChunk(FloatLanes.self, $0, $1) } : { convGradientChunk(FloatLanes.self, $0, $1) }
        let combine: kernel_task = { convGradientCombine(FloatLanes.self, $0, $1) }
        convGradient(FloatLanes.self, p, slope, x, gweight, gbias, sum, combine, exec)
    } else {
        let sum: kernel_task =
            few ? { convFewChunk(DoubleLanes.self, $0, $1) } : { convGradientChunk(DoubleLanes.self, $0, $1) }
        let combine: kernel_task = { convGradientCombine(DoubleLanes.self, $0, $1) }
        convGradient(DoubleLanes.self, p, slope, x, gweight, gbias, sum, combine, exec)
    }
    return true
}

@inline(__always)
func convGradient<V: Vector>(
    _: V.Type, _ p: UnsafePointer<kernel_conv>, _ slope: kernel_slope, _ x: UnsafeRawPointer,
    _ gweight: UnsafeMutableRawPointer, _ gbias: UnsafeMutableRawPointer?, _ sum: kernel_task, _ combine: kernel_task,
    _ exec: UnsafePointer<kernel_exec>
) {
    let s = p.pointee
    let size = MemoryLayout<V.Scalar>.size
    let inputs = s.c / s.groups, outputs = s.o / s.groups
    let taps = inputs &* s.kh &* s.kw
    let channels = (outputs &+ V.lanes &- 1) / V.lanes &* V.lanes
    let sumRows = taps &+ 1 &+ ConvGradientTile.most
    let perChunk = s.groups &* sumRows &* channels
    // Copies of a large gradient cost memory: their number falls until they fit.
    var chunks = max(1, min(8, s.n))
    while chunks > 1 && chunks &* perChunk &* size > 64 << 20 { chunks /= 2 }
    let pieces = hasFewTaps(s) ? 1 : max(1, min(inputs, 8 / (chunks &* s.groups)))
    let inputBlock = max(1, (inputs &+ pieces &- 1) / pieces)
    let perPosition = min(channels, convGradientVectors &* V.lanes) &* size
    let band = max(1, min(max(1, s.oh), convGradientBand / max(1, perPosition &* s.ow)))
    var job = ConvGradientJob(
        p: s, gy: slope.gy, relu: slope.relu, x: x, sums: exec.pointee.scratch(0, chunks &* perChunk &* size), gweight: gweight, gbias: gbias,
        chunks: chunks, inputBlocks: max(1, (inputs &+ inputBlock &- 1) / inputBlock), inputBlock: inputBlock,
        channels: channels, sumRows: sumRows, bandRows: band, exec: exec)
    let items = chunks &* s.groups &* job.inputBlocks
    runConvItems(exec, items, s.n &* outputs &* taps &* s.oh &* s.ow / chunks / job.inputBlocks, sum, &job)
    let planes = s.groups &* inputs &+ (gbias != nil ? s.groups : 0)
    runConvItems(exec, planes, chunks &* channels &* s.kh &* s.kw, combine, &job)
}

/// Item: (chunk, group, block of input planes).
@inline(__always)
func convGradientChunk<V: Vector>(_: V.Type, _ context: UnsafeMutableRawPointer?, _ index: Int) {
    let job = UnsafePointer(context!.assumingMemoryBound(to: ConvGradientJob.self))
    let p = job.pointee.p
    let size = MemoryLayout<V.Scalar>.size
    let inputs = job.pointee.inputs, outputs = job.pointee.outputs, channels = job.pointee.channels
    let piece = index % job.pointee.inputBlocks
    let group = index / job.pointee.inputBlocks % p.groups
    let chunk = index / job.pointee.inputBlocks / p.groups
    let perChannel = p.kh &* p.kw
    let firstInput = piece &* job.pointee.inputBlock
    let planes = min(job.pointee.inputBlock, inputs &- firstInput)
    let taps = planes &* perChannel
    let last = firstInput &+ planes == inputs

    let base = job.pointee.sums.assumingMemoryBound(to: V.Scalar.self)
        + (chunk &* p.groups &+ group) &* job.pointee.sumRows &* channels
    // Rows past the last tap take what the last tile has too many; their sums are not used. Blocks of
    // input planes must not write there at the same time, so each sums into rows of its own first.
    let rows = taps &+ ConvGradientTile.most
    let sums = job.pointee.exec.pointee.scratch(5, rows &* channels &* size).assumingMemoryBound(to: V.Scalar.self)
    zeroRow(V.self, sums, rows &* channels)
    let biasSums = base + inputs &* perChannel &* channels
    if last { zeroRow(V.self, biasSums, channels) }

    let paddedW = p.w &+ 2 &* p.pad_w
    let padded = job.pointee.padded
    let bandIn = (job.pointee.bandRows &- 1) &* p.stride_h &+ (p.kh &- 1) &* p.dilation_h &+ 1
    let planeRows = padded ? bandIn : p.h
    let rowWidth = padded ? paddedW : p.w
    let offsets = job.pointee.exec.pointee.scratch(6, (rows &+ 1) &* MemoryLayout<Int>.size).assumingMemoryBound(to: Int.self)
    var t = 0
    for input in 0..<planes {
        for ky in 0..<p.kh {
            for kx in 0..<p.kw {
                offsets[t] = (input &* planeRows &+ ky &* p.dilation_h) &* rowWidth &+ kx &* p.dilation_w
                t &+= 1
            }
        }
    }
    while t < rows {
        offsets[t] = 0
        t &+= 1
    }
    var copy: UnsafeMutablePointer<V.Scalar>?
    if padded {
        copy = job.pointee.exec.pointee.scratch(7, (planes &* bandIn &* paddedW &+ V.lanes) &* size)
            .assumingMemoryBound(to: V.Scalar.self)
    }
    let perBand = job.pointee.bandRows &* p.ow
    let block = convGradientVectors &* V.lanes
    let transposed = job.pointee.exec.pointee.scratch(4, (perBand &+ V.lanes) &* min(channels, block) &* size &+ 64)
        .assumingMemoryBound(to: V.Scalar.self)

    let planeOut = p.oh &* p.ow, planeIn = p.h &* p.w
    let gyAll = job.pointee.gy.assumingMemoryBound(to: V.Scalar.self)
    let xAll = job.pointee.x.assumingMemoryBound(to: V.Scalar.self)
    let xEnd = xAll + p.n &* p.c &* planeIn
    let firstImage = p.n &* chunk / job.pointee.chunks
    let lastImage = p.n &* (chunk &+ 1) / job.pointee.chunks
    for image in firstImage..<lastImage {
        let x = xAll + (image &* p.c &+ group &* inputs &+ firstInput) &* planeIn
        let gy = gyAll + (image &* p.o &+ group &* outputs) &* planeOut
        var row = 0
        while row < p.oh {
            let bandRows = min(job.pointee.bandRows, p.oh &- row)
            var from = x + row &* p.stride_h &* p.w
            if let copy {
                padBand(V.self, p, x, planes: planes, first: row &* p.stride_h &- p.pad_h, rows: bandIn, copy, end: xEnd)
                from = UnsafePointer(copy)
            }
            var channel = 0
            while channel < channels {
                let width = min(block, channels &- channel)
                transposeBand(
                    V.self, gy + (channel &* planeOut &+ row &* p.ow), planeOut, min(width, outputs &- channel),
                    bandRows &* p.ow, transposed, width)
                if last { sumBand(V.self, UnsafePointer(transposed), bandRows &* p.ow, width, biasSums + channel) }
                var work = ConvGradientWork<V>(
                    x: from, taps: offsets, rowStride: p.stride_h &* rowWidth, columnStride: p.stride_w,
                    g: transposed, gRow: width, rows: bandRows, columns: p.ow, sums: sums, sumRow: channels)
                var done = 0
                while done < width {
                    let vectors = ConvGradientTile.vectors(left: (width &- done) / V.lanes)
                    let step = ConvGradientTile.taps(vectors: vectors)
                    work.g = UnsafePointer(transposed) + done
                    var tap = 0
                    while tap < taps {
                        work.taps = UnsafePointer(offsets) + tap
                        work.sums = sums + (tap &* channels &+ channel &+ done)
                        convGradientTileAny(V.self, vectors: vectors, work)
                        tap &+= step
                    }
                    done &+= vectors &* V.lanes
                }
                channel &+= width
            }
            row &+= bandRows
        }
    }
    let out = base + firstInput &* perChannel &* channels
    var i = 0
    while i < taps &* channels {
        V.load(sums + i).store(out + i)
        i &+= V.lanes
    }
}

/// out[position][channel] = gy[channel][position]; what channels from `there` to `width` get is not used.
@inline(__always)
func transposeBand<V: Vector>(
    _: V.Type, _ gy: UnsafePointer<V.Scalar>, _ plane: Int, _ there: Int, _ positions: Int,
    _ out: UnsafeMutablePointer<V.Scalar>, _ width: Int
) {
    var channel = 0
    while channel < width {
        let lines = min(V.lanes, there &- channel)
        var position = 0
        while position < positions {
            let from = gy + (channel &* plane &+ position)
            let to = out + (position &* width &+ channel)
            if position &+ V.lanes <= positions {
                V.transposeBlock(from, plane, lines, to, width)
            } else {
                for i in 0..<min(V.lanes, positions &- position) {
                    for j in 0..<V.lanes { to[i &* width &+ j] = j < lines ? from[j &* plane &+ i] : V.scalar(0) }
                }
            }
            position &+= V.lanes
        }
        channel &+= V.lanes
    }
}

/// sums[channel] += the band's rows, in four interleaved chains.
@inline(__always)
func sumBand<V: Vector>(
    _: V.Type, _ rows: UnsafePointer<V.Scalar>, _ count: Int, _ width: Int, _ sums: UnsafeMutablePointer<V.Scalar>
) {
    var channel = 0
    while channel < width {
        var a = V(0.0), b = a, c = a, d = a
        var p = rows + channel
        var i = 0
        while i &+ 4 <= count {
            a = a + V.load(p)
            b = b + V.load(p + width)
            c = c + V.load(p + 2 &* width)
            d = d + V.load(p + 3 &* width)
            p += 4 &* width
            i &+= 4
        }
        while i < count {
            a = a + V.load(p)
            p += width
            i &+= 1
        }
        (V.load(sums + channel) + ((a + b) + (c + d))).store(sums + channel)
        channel &+= V.lanes
    }
}

/// Rows first ..< first + rows of each plane with their padding.
@inline(__always)
func padBand<V: Vector>(
    _: V.Type, _ p: kernel_conv, _ x: UnsafePointer<V.Scalar>, planes: Int, first: Int, rows: Int,
    _ out: UnsafeMutablePointer<V.Scalar>, end: UnsafePointer<V.Scalar>
) {
    let width = p.w &+ 2 &* p.pad_w
    var out = out
    for plane in 0..<planes {
        panelRows(
            V.self, x + plane &* p.h &* p.w, h: p.h, w: p.w, first: first, rowStep: 1, rows: rows,
            column: 0 &- p.pad_w, step: 1, count: width, out, end: end)
        out += rows &* width
    }
}

/// Item: one input plane of one group, or (after those) the bias of a group.
@inline(__always)
func convGradientCombine<V: Vector>(_: V.Type, _ context: UnsafeMutableRawPointer?, _ index: Int) {
    let job = UnsafePointer(context!.assumingMemoryBound(to: ConvGradientJob.self))
    let p = job.pointee.p
    let inputs = job.pointee.inputs, outputs = job.pointee.outputs, channels = job.pointee.channels
    let perChannel = p.kh &* p.kw
    let perGroup = job.pointee.sumRows &* channels
    let isBias = index >= p.groups &* inputs
    let group = isBias ? index &- p.groups &* inputs : index / inputs
    let firstTap = isBias ? inputs &* perChannel : index % inputs &* perChannel
    let taps = isBias ? 1 : perChannel
    let row = isBias ? 1 : inputs &* perChannel
    let sums = job.pointee.sums.assumingMemoryBound(to: V.Scalar.self) + (group &* perGroup &+ firstTap &* channels)
    let out = isBias ? job.pointee.gbias! : job.pointee.gweight
    let to = out.assumingMemoryBound(to: V.Scalar.self) + (isBias ? group &* outputs : group &* outputs &* row &+ firstTap)
    for tap in 0..<taps {
        var channel = 0
        while channel < channels {
            var sum = V(0.0)
            for chunk in 0..<job.pointee.chunks {
                sum = sum + V.load(sums + (chunk &* p.groups &* perGroup &+ tap &* channels &+ channel))
            }
            for lane in 0..<min(V.lanes, outputs &- channel) { to[(channel &+ lane) &* row &+ tap] = sum[lane] }
            channel &+= V.lanes
        }
    }
}
