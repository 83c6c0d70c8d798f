import KernelABI

// y[n, o, oh, ow] = sum over (c, kh, kw) of weight[o, c, kh, kw] x[n, c, oh sh + kh dh - ph, ow sw + kw dw - pw] (+ bias)
// within each group. Each output is one chain of fused multiply-adds over (c, kh, kw) in ascending order.
// The input's gradient is the same computation on the output's gradient with the kernel turned round.

/// One convolution of stride 1 over ConvImages.
struct ConvArguments {
    var image: ConvImage
    var groups: Int
    var inputs: Int, outputs: Int  // channels per group
    var depth: Int  // inputs * kh * kw
    var oh: Int, ow: Int
    var x: UnsafeRawPointer
    var y: UnsafeMutableRawPointer
    var bias: UnsafeRawPointer?
    var relu: Bool
    var packed: UnsafeRawPointer  // weights by group, tile of rows, depth, row
    var packedGroup: Int  // scalars per group
    var offsets: UnsafePointer<Int>
    var pieces: Int  // of each image, by output position
    var exec: UnsafePointer<kernel_exec>
}

@inline(__always)
func indirectTile<V: Vector>(
    _: V.Type, rows: Int, depth: Int, _ a: UnsafePointer<V.Scalar>, _ b: UnsafePointer<V.Scalar>, _ offsets: UnsafePointer<Int>,
    _ c: UnsafeMutablePointer<V.Scalar>, _ f: TileFinish<V>
) {
    let w = tileVectors &* V.lanes
    #if HOST_WIDE_TILE
        switch rows {
        case 12: tile(V.self, rows: 12, vectors: 2, depth: depth, a, 1, 12, b, 0, offsets: offsets, c, w, f)
        case 8: tile(V.self, rows: 8, vectors: 2, depth: depth, a, 1, 8, b, 0, offsets: offsets, c, w, f)
        case 4: tile(V.self, rows: 4, vectors: 2, depth: depth, a, 1, 4, b, 0, offsets: offsets, c, w, f)
        case 2: tile(V.self, rows: 2, vectors: 2, depth: depth, a, 1, 2, b, 0, offsets: offsets, c, w, f)
        default: tile(V.self, rows: 1, vectors: 2, depth: depth, a, 1, 1, b, 0, offsets: offsets, c, w, f)
        }
    #else
        switch rows {
        case 6: tile(V.self, rows: 6, vectors: 1, depth: depth, a, 1, 6, b, 0, offsets: offsets, c, w, f)
        case 4: tile(V.self, rows: 4, vectors: 1, depth: depth, a, 1, 4, b, 0, offsets: offsets, c, w, f)
        case 2: tile(V.self, rows: 2, vectors: 1, depth: depth, a, 1, 2, b, 0, offsets: offsets, c, w, f)
        default: tile(V.self, rows: 1, vectors: 1, depth: depth, a, 1, 1, b, 0, offsets: offsets, c, w, f)
        }
    #endif
}

/// Items are (image, group, piece).
@inline(__always)
func convTask<V: Vector>(_: V.Type, _ s: Shared<ConvArguments>, _ chunk: Int) {
    let a = s.arguments
    let size = MemoryLayout<V.Scalar>.size
    let width = tileVectors &* V.lanes
    let space = a.inputs &* a.image.channel
    // Slack: the last tile of positions reads up to a tile beyond the image.
    let image = a.exec.pointee.scratch(0, (space &+ 2 &* width &+ (tileRows &+ 1) &* width) &* size).assumingMemoryBound(to: V.Scalar.self)
    let result = image + (space &+ 2 &* width)
    for i in 0..<space &+ 2 &* width { image[i] = V.scalar(0) }
    let positions = (a.oh &- 1) &* a.image.columns &+ a.ow
    let tiles = (positions &+ width &- 1) / width
    let tilesPerPiece = (tiles &+ a.pieces &- 1) / a.pieces
    let plain = TileFinish<V>(
        alpha: V(1.0), scaled: false, accumulate: false, rowBias: nil, columnBias: nil, relu: false, columns: width, space: result)
    var filled = -1
    for item in s.first(chunk)..<s.end(chunk) {
        let source = item / a.pieces
        let piece = item &- source &* a.pieces
        let group = source % a.groups
        if source != filled {
            let x = a.x.assumingMemoryBound(to: V.Scalar.self) + source &* a.inputs &* a.image.h &* a.image.w
            a.image.fill(V.Scalar.self, a.inputs, x, image)
            filled = source
        }
        let y = a.y.assumingMemoryBound(to: V.Scalar.self) + source &* a.outputs &* a.oh &* a.ow
        let bias = a.bias.map { $0.assumingMemoryBound(to: V.Scalar.self) + group &* a.outputs }
        let packed = a.packed.assumingMemoryBound(to: V.Scalar.self) + group &* a.packedGroup
        let end = min(positions, (piece &+ 1) &* tilesPerPiece &* width)
        var o = 0
        while o < a.outputs {
            let rows = nextTileRows(a.outputs &- o)
            var p = piece &* tilesPerPiece &* width
            while p < end {
                indirectTile(V.self, rows: rows, depth: a.depth, packed + o &* a.depth, UnsafePointer(image + p), a.offsets, result, plain)
                storePositions(V.self, a, result, rows, p, min(end, p &+ width), y + o &* a.oh &* a.ow, bias.map { $0 + o })
                p &+= width
            }
            o &+= rows
        }
    }
}

/// Positions p ..< end of the image's rows to the output's rows, leaving out those between its columns.
@inline(__always)
func storePositions<V: Vector>(
    _: V.Type, _ a: ConvArguments, _ result: UnsafeMutablePointer<V.Scalar>, _ rows: Int, _ p: Int, _ end: Int,
    _ y: UnsafeMutablePointer<V.Scalar>, _ bias: UnsafePointer<V.Scalar>?
) {
    let width = tileVectors &* V.lanes
    let plane = a.oh &* a.ow
    var q = p
    while q < end {
        let oh = q / a.image.columns
        let ow = q &- oh &* a.image.columns
        let stop = min(end, q &+ a.ow &- ow)
        var at = q
        while at < stop {
            let count = min(V.lanes, stop &- at)
            let to = y + (oh &* a.ow &+ ow &+ at &- q)
            for i in 0..<rows {
                var r = V.load(UnsafePointer(result + (i &* width &+ at &- p)))
                if let bias { r = r + V(bias[i]) }
                if a.relu { r = reluLanes(r) }
                storeSome(r, to + i &* plane, count)
            }
            at &+= V.lanes
        }
        q = (oh &+ 1) &* a.image.columns
    }
}

/// Scalars of one group's packed weights.
@inline(__always)
func packedSize<V: Vector>(_: V.Type, _ outputs: Int, _ depth: Int) -> Int { outputs &* depth &+ 2 &* V.lanes }

@inline(__always)
func convolve<V: Vector>(_: V.Type, _ a: ConvArguments, _ images: Int, _ task: kernel_task) {
    var a = a
    let items = images &* a.groups
    let work = a.outputs &* a.depth &* a.oh &* a.ow / 16
    // Few images: cut each by positions, at most into whole tiles.
    let threads = a.exec.pointee.threads
    if items < threads {
        let tiles = ((a.oh &- 1) &* a.image.columns &+ a.ow) / (tileVectors &* V.lanes) &+ 1
        a.pieces = min(tiles, (threads &+ items &- 1) / items)
    }
    share(a.exec, items &* a.pieces, work / a.pieces, a, task)
}

@inline(__always)
func forward<V: Vector>(
    _: V.Type, _ p: kernel_conv, _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ bias: UnsafeRawPointer?, _ relu: Bool,
    _ y: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>, _ task: kernel_task
) {
    let inputs = p.c / p.groups
    let outputs = p.o / p.groups
    let depth = inputs &* p.kh &* p.kw
    if p.n < 1 || outputs < 1 || p.oh < 1 || p.ow < 1 { return }
    let image = ConvImage(input: p)
    let perGroup = packedSize(V.self, outputs, depth)
    let size = MemoryLayout<V.Scalar>.size
    let offsets = exec.pointee.scratch(1, (depth &+ 1) &* 8).assumingMemoryBound(to: Int.self)
    let packed = exec.pointee.scratch(2, perGroup &* p.groups &* size).assumingMemoryBound(to: V.Scalar.self)
    var k = 0
    for c in 0..<inputs {
        for i in 0..<p.kh {
            for j in 0..<p.kw {
                offsets[k] = image.offset(c, i &* p.dilation_h, j &* p.dilation_w)
                k &+= 1
            }
        }
    }
    let w = weight.assumingMemoryBound(to: V.Scalar.self)
    for g in 0..<p.groups {
        var o = 0
        while o < outputs {
            let rows = nextTileRows(outputs &- o)
            let from = Operand<V>(base: w + (g &* outputs &+ o) &* depth, line: depth, step: 1)
            packTile(V.self, from, rows, depth, packed + (g &* perGroup &+ o &* depth))
            o &+= rows
        }
    }
    let a = ConvArguments(
        image: image, groups: p.groups, inputs: inputs, outputs: outputs, depth: depth, oh: p.oh, ow: p.ow, x: x, y: y, bias: bias,
        relu: relu, packed: packed, packedGroup: perGroup, offsets: offsets, pieces: 1, exec: exec)
    convolve(V.self, a, p.n, task)
}

@inline(__always)
func backwardInput<V: Vector>(
    _: V.Type, _ p: kernel_conv, _ gy: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ gx: UnsafeMutableRawPointer,
    _ exec: UnsafePointer<kernel_exec>, _ task: kernel_task
) {
    // The roles of input and output channels change.
    let inputs = p.o / p.groups
    let outputs = p.c / p.groups
    let taps = p.kh &* p.kw
    let depth = inputs &* taps
    if p.n < 1 || outputs < 1 || p.h < 1 || p.w < 1 { return }
    let image = ConvImage(gradient: p)
    let perGroup = packedSize(V.self, outputs, depth)
    let size = MemoryLayout<V.Scalar>.size
    let offsets = exec.pointee.scratch(1, (depth &+ 1) &* 8).assumingMemoryBound(to: Int.self)
    let packed = exec.pointee.scratch(2, perGroup &* p.groups &* size).assumingMemoryBound(to: V.Scalar.self)
    var k = 0
    for o in 0..<inputs {
        for i in 0..<p.kh {
            for j in 0..<p.kw {
                offsets[k] = image.offset(o, i &* p.dilation_h, j &* p.dilation_w)
                k &+= 1
            }
        }
    }
    let w = weight.assumingMemoryBound(to: V.Scalar.self)
    for g in 0..<p.groups {
        var c = 0
        while c < outputs {
            let rows = nextTileRows(outputs &- c)
            let out = packed + (g &* perGroup &+ c &* depth)
            for o in 0..<inputs {
                for t in 0..<taps {
                    // weight[o, c, KH - 1 - kh, KW - 1 - kw]
                    let from = w + (((g &* inputs &+ o) &* outputs &+ c) &* taps &+ taps &- 1 &- t)
                    for r in 0..<rows { out[(o &* taps &+ t) &* rows &+ r] = from[r &* taps] }
                }
            }
            c &+= rows
        }
    }
    let a = ConvArguments(
        image: image, groups: p.groups, inputs: inputs, outputs: outputs, depth: depth, oh: p.h, ow: p.w, x: gy, y: gx, bias: nil,
        relu: false, packed: packed, packedGroup: perGroup, offsets: offsets, pieces: 1, exec: exec)
    convolve(V.self, a, p.n, task)
}

func convForward(
    _ dtype: Int32, _ p: UnsafePointer<kernel_conv>, _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ bias: UnsafeRawPointer?,
    _ activation: Int32, _ y: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) {
    if Int(dtype) == KERNEL_F32 {
        forward(FloatLanes.self, p.pointee, x, weight, bias, activation == 1, y, exec, convTaskFloat)
    } else {
        forward(DoubleLanes.self, p.pointee, x, weight, bias, activation == 1, y, exec, convTaskDouble)
    }
}

func convBackwardInput(
    _ dtype: Int32, _ p: UnsafePointer<kernel_conv>, _ gy: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ gx: UnsafeMutableRawPointer,
    _ exec: UnsafePointer<kernel_exec>
) {
    if Int(dtype) == KERNEL_F32 {
        backwardInput(FloatLanes.self, p.pointee, gy, weight, gx, exec, convTaskFloat)
    } else {
        backwardInput(DoubleLanes.self, p.pointee, gy, weight, gx, exec, convTaskDouble)
    }
}

private func convTaskFloat(_ s: UnsafeMutableRawPointer?, _ i: Int) {
    convTask(FloatLanes.self, s!.load(as: Shared<ConvArguments>.self), i)
}
private func convTaskDouble(_ s: UnsafeMutableRawPointer?, _ i: Int) {
    convTask(DoubleLanes.self, s!.load(as: Shared<ConvArguments>.self), i)
}
