import KernelABI

// gweight[o, c, kh, kw] = sum over n, oh, ow of gy[n, o, oh, ow] x[n, c, oh sh + kh dh - ph, ow sw + kw dw - pw].
//
// The batch is cut into chunks whose number depends on sizes alone. Within a chunk each element is one
// chain of fused multiply-adds over images and positions; the chunks' sums are added in order.

struct WeightArguments {
    var p: kernel_conv
    var image: ConvImage
    var inputs: Int, outputs: Int, depth: Int  // per group
    var x: UnsafeRawPointer
    var gy: UnsafeRawPointer
    var offsets: UnsafePointer<Int>
    var sums: UnsafeMutableRawPointer  // [chunk, group, panel of output channels, depth, panel width]
    var perGroup: Int  // scalars of one group's sums
    var imagesPerChunk: Int
    var blocks: Int  // of taps, each its own item
    var exec: UnsafePointer<kernel_exec>
}

@inline(__always)
func gradientTiles<V: Vector>(
    _: V.Type, rows: Int, vectors: Int, _ a: WeightArguments, _ image: UnsafePointer<V.Scalar>, _ offsets: UnsafePointer<Int>,
    _ gy: UnsafePointer<V.Scalar>, _ sum: UnsafeMutablePointer<V.Scalar>
) {
    let columns = a.image.columns
    #if HOST_WIDE_TILE
        switch (rows, vectors) {
        case (12, 2): gradientTile(V.self, rows: 12, vectors: 2, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        case (12, 1): gradientTile(V.self, rows: 12, vectors: 1, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        case (8, 2): gradientTile(V.self, rows: 8, vectors: 2, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        case (8, 1): gradientTile(V.self, rows: 8, vectors: 1, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        case (4, 2): gradientTile(V.self, rows: 4, vectors: 2, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        case (4, 1): gradientTile(V.self, rows: 4, vectors: 1, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        case (2, 2): gradientTile(V.self, rows: 2, vectors: 2, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        case (2, 1): gradientTile(V.self, rows: 2, vectors: 1, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        case (_, 2): gradientTile(V.self, rows: 1, vectors: 2, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        default: gradientTile(V.self, rows: 1, vectors: 1, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        }
    #else
        switch rows {
        case 6: gradientTile(V.self, rows: 6, vectors: 1, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        case 4: gradientTile(V.self, rows: 4, vectors: 1, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        case 2: gradientTile(V.self, rows: 2, vectors: 1, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        default: gradientTile(V.self, rows: 1, vectors: 1, a.p.oh, a.p.ow, image, columns, offsets, gy, sum)
        }
    #endif
}

/// Items are (chunk of the batch, group, block of taps).
@inline(__always)
func weightTask<V: Vector>(_: V.Type, _ s: Shared<WeightArguments>, _ chunk: Int) {
    let a = s.arguments
    let p = a.p
    let size = MemoryLayout<V.Scalar>.size
    let panel = tileVectors &* V.lanes
    let space = a.inputs &* a.image.channel &+ 2 &* panel
    let positions = p.oh &* p.ow
    let buffer = a.exec.pointee.scratch(0, (space &+ (positions &+ 1) &* panel) &* size)
    let image = buffer.assumingMemoryBound(to: V.Scalar.self)
    let turned = image + space
    for i in 0..<space { image[i] = V.scalar(0) }
    let perBlock = ((a.depth &+ a.blocks &- 1) / a.blocks &+ tileRows &- 1) / tileRows &* tileRows
    for item in s.first(chunk)..<s.end(chunk) {
        let part = item / (p.groups &* a.blocks)
        let group = item / a.blocks % p.groups
        let k0 = (item % a.blocks) &* perBlock
        let k1 = min(a.depth, k0 &+ perBlock)
        if k1 <= k0 { continue }
        let sums = a.sums.assumingMemoryBound(to: V.Scalar.self) + (part &* p.groups &+ group) &* a.perGroup
        var o = 0
        while o < a.outputs {
            let width = a.outputs &- o > V.lanes ? panel : V.lanes
            let sum = sums + o &* a.depth
            for i in k0 &* width..<k1 &* width { sum[i] = V.scalar(0) }
            o &+= panel
        }
        for n in part &* a.imagesPerChunk..<min(p.n, (part &+ 1) &* a.imagesPerChunk) {
            let source = n &* p.groups &+ group
            a.image.fill(
                V.Scalar.self, a.inputs, a.x.assumingMemoryBound(to: V.Scalar.self) + source &* a.inputs &* p.h &* p.w, image)
            let gy = a.gy.assumingMemoryBound(to: V.Scalar.self) + source &* a.outputs &* positions
            var o = 0
            while o < a.outputs {
                let columns = min(panel, a.outputs &- o)
                let width = columns > V.lanes ? panel : V.lanes
                let from = Operand<V>(base: gy + o &* positions, line: positions, step: 1)
                packPanel(V.self, from, columns, positions, turned, width)
                let sum = sums + o &* a.depth
                var k = k0
                while k < k1 {
                    let rows = nextTileRows(k1 &- k)
                    gradientTiles(
                        V.self, rows: rows, vectors: width == V.lanes ? 1 : tileVectors, a, UnsafePointer(image), a.offsets + k, turned,
                        sum + k &* width)
                    k &+= rows
                }
                o &+= panel
            }
        }
    }
}

/// Adds the chunks' sums and puts them where they belong: gweight [O, depth].
@inline(__always)
func combineSums<V: Vector>(_: V.Type, _ a: WeightArguments, _ chunks: Int, _ gweight: UnsafeMutablePointer<V.Scalar>) {
    let sums = a.sums.assumingMemoryBound(to: V.Scalar.self)
    let all = a.p.groups &* a.perGroup
    for part in 1..<max(chunks, 1) {
        var i = 0
        while i < all {
            (V.load(sums + i) + V.load(sums + (part &* all &+ i))).store(sums + i)
            i &+= V.lanes
        }
    }
    let panel = tileVectors &* V.lanes
    for group in 0..<a.p.groups {
        var o = 0
        while o < a.outputs {
            let columns = min(panel, a.outputs &- o)
            let width = columns > V.lanes ? panel : V.lanes
            let from = UnsafePointer(sums + (group &* a.perGroup &+ o &* a.depth))
            transposeCopy(V.Scalar.self, columns, a.depth, from, width, gweight + (group &* a.outputs &+ o) &* a.depth, a.depth)
            o &+= panel
        }
    }
}

@inline(__always)
func backwardWeight<V: Vector>(
    _: V.Type, _ p: kernel_conv, _ gy: UnsafeRawPointer, _ x: UnsafeRawPointer, _ gweight: UnsafeMutableRawPointer,
    _ exec: UnsafePointer<kernel_exec>, _ task: kernel_task
) {
    let inputs = p.c / p.groups
    let outputs = p.o / p.groups
    let depth = inputs &* p.kh &* p.kw
    if depth < 1 || outputs < 1 { return }
    let image = ConvImage(input: p)
    // Padded to the same size on every level, so that the number of chunks is the same too.
    let padded = (outputs &+ 31) & ~31
    let perGroup = padded &* depth
    // 16 chunks keep the chains short and many threads busy; their sums may take 4 M scalars.
    let most = max(1, min(16, (1 << 22) / (perGroup &* p.groups)))
    let imagesPerChunk = max(1, (p.n &+ most &- 1) / most)
    let chunks = max(1, (p.n &+ imagesPerChunk &- 1) / imagesPerChunk)
    let size = MemoryLayout<V.Scalar>.size
    let offsets = exec.pointee.scratch(1, (depth &+ 1) &* 8).assumingMemoryBound(to: Int.self)
    let sums = exec.pointee.scratch(2, chunks &* perGroup &* p.groups &* size)
    var k = 0
    for c in 0..<inputs {
        for i in 0..<p.kh {
            for j in 0..<p.kw {
                offsets[k] = image.offset(c, i &* p.dilation_h, j &* p.dilation_w)
                k &+= 1
            }
        }
    }
    let threads = exec.pointee.threads
    let items = chunks &* p.groups
    let blocks = items >= threads ? 1 : min((threads &+ items &- 1) / items, (depth &+ tileRows &- 1) / tileRows)
    let a = WeightArguments(
        p: p, image: image, inputs: inputs, outputs: outputs, depth: depth, x: x, gy: gy, offsets: offsets, sums: sums,
        perGroup: perGroup, imagesPerChunk: imagesPerChunk, blocks: blocks, exec: exec)
    share(exec, items &* blocks, imagesPerChunk &* outputs &* depth &* p.oh &* p.ow / (16 &* blocks), a, task)
    combineSums(V.self, a, chunks, gweight.assumingMemoryBound(to: V.Scalar.self))
}

/// gbias[o] = sum over n, oh, ow of gy.
@inline(__always)
func biasTask<V: Vector>(_: V.Type, _ s: Shared<NormArguments>, _ chunk: Int) {
    let a = s.arguments
    let gy = a.gy.assumingMemoryBound(to: V.Scalar.self)
    let gbias = a.y!.assumingMemoryBound(to: V.Scalar.self)
    for o in s.first(chunk)..<s.end(chunk) {
        gbias[o] = foldChannel(V.self, a, o) { acc, i, n in acc + loadSome(gy + i, n, V(0.0)) }.sum
    }
}

func convBackwardWeight(
    _ dtype: Int32, _ p: UnsafePointer<kernel_conv>, _ gy: UnsafeRawPointer, _ x: UnsafeRawPointer, _ gweight: UnsafeMutableRawPointer,
    _ gbias: UnsafeMutableRawPointer?, _ exec: UnsafePointer<kernel_exec>
) {
    let q = p.pointee
    let b = NormArguments(
        n: q.n, c: q.o, s: q.oh &* q.ow, training: false, eps: 0, x: x, mean: x, rstd: x, weight: nil, bias: nil, gy: gy, y: gbias,
        out1: nil, out2: nil)
    if Int(dtype) == KERNEL_F32 {
        backwardWeight(FloatLanes.self, q, gy, x, gweight, exec) { s, i in
            weightTask(FloatLanes.self, s!.load(as: Shared<WeightArguments>.self), i)
        }
        if gbias != nil {
            share(exec, b.c, b.n &* b.s, b) { s, i in biasTask(FloatLanes.self, s!.load(as: Shared<NormArguments>.self), i) }
        }
    } else {
        backwardWeight(DoubleLanes.self, q, gy, x, gweight, exec) { s, i in
            weightTask(DoubleLanes.self, s!.load(as: Shared<WeightArguments>.self), i)
        }
        if gbias != nil {
            share(exec, b.c, b.n &* b.s, b) { s, i in biasTask(DoubleLanes.self, s!.load(as: Shared<NormArguments>.self), i) }
        }
    }
}
