import KernelABI

// The weight gradient of a 3x3 convolution, the transpose of Winograd's forward (see Winograd): patches of the
// input as there, tiles of the output's gradient spread to 16 places, one product for each place over the
// tiles, and the kernel's nine sums from these at the end. Lanes are channels: both operands lie transposed,
// [tile][channel]. The batch is summed in fixed chunks, which are then added in order.

struct WinogradGradientJob {
    var p: kernel_conv
    var gy: UnsafePointer<Float>
    var places: UnsafePointer<Int32>?  // of gy where that is pooled (see kernel_slope)
    var x: UnsafePointer<Float>
    /// [chunk][place][output][input] (inputs in whole vectors), then [chunk][output] of the bias.
    var sums: UnsafeMutablePointer<Float>
    var gweight: UnsafeMutablePointer<Float>
    var gbias: UnsafeMutablePointer<Float>?
    var chunks: Int
    var inputs: Int, outputs: Int  // in whole vectors
    var tileRows: Int, tileColumns: Int, bandRows: Int
    var exec: UnsafePointer<kernel_exec>

    @inline(__always) var perChunk: Int { 16 &* p.o &* inputs }
    @inline(__always) var biasSums: UnsafeMutablePointer<Float> { sums + chunks &* perChunk }
}

/// Enough images for every thread to have its own; copies of the sums that are not too large.
@inline(__always)
func suitsWinogradGradient(_ p: kernel_conv, _ dtype: Int32) -> Bool {
    suitsWinograd(p, dtype, p.oh, p.ow) && p.n >= 4 && p.c &* p.o <= 1 << 17
}

func winogradBackwardWeight(
    _ p: kernel_conv, _ slope: kernel_slope, _ x: UnsafeRawPointer, _ gweight: UnsafeMutableRawPointer,
    _ gbias: UnsafeMutableRawPointer?, _ exec: UnsafePointer<kernel_exec>
) {
    let inputs = (p.c &+ 15) & ~15, outputs = (p.o &+ 15) & ~15
    let chunks = min(8, p.n)
    let rows = (p.oh &+ 1) / 2, columns = (p.ow &+ 1) / 2
    let most = max(1, min(rows, WinogradJob.bandBytes / (64 &* (inputs &+ outputs) &* columns)))
    let bands = (rows &+ most &- 1) / most
    let sums = exec.pointee.scratch(0, 4 &* chunks &* (16 &* p.o &* inputs &+ outputs)).assumingMemoryBound(to: Float.self)
    var job = WinogradGradientJob(
        p: p, gy: slope.gy.assumingMemoryBound(to: Float.self), places: slope.index, x: x.assumingMemoryBound(to: Float.self), sums: sums,
        gweight: gweight.assumingMemoryBound(to: Float.self), gbias: gbias?.assumingMemoryBound(to: Float.self), chunks: chunks,
        inputs: inputs, outputs: outputs, tileRows: rows, tileColumns: columns, bandRows: (rows &+ bands &- 1) / bands, exec: exec)
    withUnsafeMutablePointer(to: &job) { job in
        runConvItems(exec, chunks, 1 << 20, { winogradGradientChunk($0, $1) }, job)
        runConvItems(exec, p.o, 64 &* chunks &* inputs, { winogradGradientCombine($0, $1) }, job)
    }
}

/// Item: a chunk of the batch.
@inline(__always)
func winogradGradientChunk(_ context: UnsafeMutableRawPointer?, _ chunk: Int) {
    let job = UnsafePointer(context!.assumingMemoryBound(to: WinogradGradientJob.self))
    let p = job.pointee.p
    let exec = job.pointee.exec
    let inputs = job.pointee.inputs, outputs = job.pointee.outputs, columns = job.pointee.tileColumns
    let bandRows = job.pointee.bandRows
    let tiles = bandRows &* columns
    let width = 2 &* columns &+ 2
    let patchPlace = tiles &* inputs &+ 16, gradientPlace = tiles &* outputs &+ 16
    let patches = exec.pointee.scratch(4, 64 &* patchPlace).assumingMemoryBound(to: Float.self)
    let gradients = exec.pointee.scratch(5, 64 &* gradientPlace).assumingMemoryBound(to: Float.self)
    let xBand = exec.pointee.scratch(6, 4 &* ((2 &* bandRows &+ 2) &* width &+ 32) &* inputs).assumingMemoryBound(to: Float.self)
    let gBand = exec.pointee.scratch(7, 4 &* (4 &* tiles &+ 32) &* outputs).assumingMemoryBound(to: Float.self)
    let places = job.pointee.places
    // Pooled: the gradients of the tiles, and behind them their places.
    let placeBand = gBand + (tiles &+ 16) &* outputs
    let sums = job.pointee.sums + chunk &* job.pointee.perChunk
    let bias = job.pointee.biasSums + chunk &* outputs
    zeroRow(FloatLanes.self, sums, job.pointee.perChunk)
    zeroRow(FloatLanes.self, bias, outputs)
    let xEnd = job.pointee.x + p.n &* p.c &* p.h &* p.w
    let gPlane = places == nil ? p.oh &* p.ow : job.pointee.tileRows &* columns
    let gEnd = job.pointee.gy + p.n &* p.o &* gPlane
    for image in (p.n &* chunk / job.pointee.chunks)..<(p.n &* (chunk &+ 1) / job.pointee.chunks) {
        let x = job.pointee.x + image &* p.c &* p.h &* p.w
        let gy = job.pointee.gy + image &* p.o &* gPlane
        var first = 0
        while first < job.pointee.tileRows {
            let rows = min(bandRows, job.pointee.tileRows &- first)
            let count = rows &* columns
            channelsLast(
                x, channels: p.c, h: p.h, w: p.w, first: 2 &* first &- p.pad_h, rows: 2 &* rows &+ 2, left: p.pad_w, width: width,
                xBand, inputs, end: xEnd)
            if let places {
                // A band's tiles lie in one piece in each plane.
                let at = UnsafeRawPointer(places + image &* p.o &* gPlane).assumingMemoryBound(to: Float.self)
                let atEnd = UnsafeRawPointer(places + p.n &* p.o &* gPlane).assumingMemoryBound(to: Float.self)
                channelsLast(
                    gy + first &* columns, channels: p.o, h: 1, w: gPlane, first: 0, rows: 1, left: 0, width: count, gBand, outputs, end: gEnd)
                channelsLast(
                    at + first &* columns, channels: p.o, h: 1, w: gPlane, first: 0, rows: 1, left: 0, width: count, placeBand, outputs,
                    end: atEnd)
                sumPooledBand(job, first: first, rows: rows, UnsafePointer(gBand), UnsafePointer(placeBand), bias)
            } else {
                channelsLast(
                    gy, channels: p.o, h: p.oh, w: p.ow, first: 2 &* first, rows: 2 &* rows, left: 0, width: 2 &* columns,
                    gBand, outputs, end: gEnd)
                sumBand(FloatLanes.self, UnsafePointer(gBand), 4 &* count, outputs, bias)
            }
            for i in 0..<rows {
                for j in 0..<columns {
                    let tile = i &* columns &+ j
                    winogradPatch(xBand + (2 &* i &* width &+ 2 &* j) &* inputs, width &* inputs, inputs, patches + tile &* inputs, patchPlace)
                    if places != nil {
                        winogradSpreadPooled(
                            UnsafePointer(gBand) + tile &* outputs, UnsafePointer(placeBand) + tile &* outputs, outputs, p.ow,
                            2 &* (first &+ i) &* p.ow &+ 2 &* j, gradients + tile &* outputs, gradientPlace)
                    } else {
                        winogradSpread(
                            gBand + (4 &* i &* columns &+ 2 &* j) &* outputs, 2 &* columns &* outputs, outputs,
                            gradients + tile &* outputs, gradientPlace)
                    }
                }
            }
            for place in 0..<16 {
                let a = UnsafePointer(gradients) + place &* gradientPlace
                let b = UnsafePointer(patches) + place &* patchPlace
                let c = sums + place &* p.o &* inputs
                var j = 0
                while j < inputs {
                    let vectors = min(tileVectors, (inputs &- j) / 16)
                    var i = 0
                    while i < p.o {
                        let r = nextTileRows(p.o &- i)
                        winogradTile(
                            rows: r, vectors: vectors, depth: count, a + i, outputs, b + j, inputs, c + (i &* inputs &+ j), inputs,
                            accumulate: true)
                        i &+= r
                    }
                    j &+= 16 &* tileVectors
                }
            }
            first &+= rows
        }
    }
}

/// Rows first ..< first + rows of planes [h, w] with zeros around them, as out[row][column][channel]; `left`
/// columns of zeros come first, and rows are `width` long. Nothing at or past `end` is read; up to 16 positions
/// past the last are written.
@inline(never)
func channelsLast(
    _ x: UnsafePointer<Float>, channels: Int, h: Int, w: Int, first: Int, rows: Int, left: Int, width: Int,
    _ out: UnsafeMutablePointer<Float>, _ row: Int, end: UnsafePointer<Float>
) {
    let plane = h &* w
    for r in 0..<rows {
        let to = out + r &* width &* row
        let i = first &+ r
        if i < 0 || i >= h {
            zeroRow(FloatLanes.self, to, width &* row)
            continue
        }
        let there = min(w, width &- left)
        var channel = 0
        while channel < row {
            let lines = min(16, channels &- channel)
            let from = x + (channel &* plane &+ i &* w)
            var j = 0
            while j < there {
                let target = to + ((left &+ j) &* row &+ channel)
                if from + ((lines &- 1) &* plane &+ j &+ 16) <= end {
                    FloatLanes.transposeBlock(from + j, plane, lines, target, row)
                } else {
                    for q in 0..<min(16, there &- j) {
                        for k in 0..<16 { target[q &* row &+ k] = k < lines ? from[k &* plane &+ j &+ q] : 0 }
                    }
                }
                j &+= 16
            }
            channel &+= 16
        }
        zeroRow(FloatLanes.self, to, left &* row)
        if left &+ there < width { zeroRow(FloatLanes.self, to + (left &+ there) &* row, (width &- left &- there) &* row) }
    }
}

/// A patch of 4x4 positions of all channels, transformed, to out[place * stride + channel].
@inline(__always)
func winogradPatch(_ x: UnsafePointer<Float>, _ row: Int, _ channels: Int, _ out: UnsafeMutablePointer<Float>, _ stride: Int) {
    var c = 0
    while c < channels {
        let p = x + c
        @inline(__always) func at(_ i: Int, _ j: Int) -> FloatLanes { FloatLanes.load(p + (i &* row &+ j &* channels)) }
        let r0 = winogradDifferences(at(0, 0), at(0, 1), at(0, 2), at(0, 3))
        let r1 = winogradDifferences(at(1, 0), at(1, 1), at(1, 2), at(1, 3))
        let r2 = winogradDifferences(at(2, 0), at(2, 1), at(2, 2), at(2, 3))
        let r3 = winogradDifferences(at(3, 0), at(3, 1), at(3, 2), at(3, 3))
        winogradStore(winogradDifferences(r0.0, r1.0, r2.0, r3.0), out + c, stride)
        winogradStore(winogradDifferences(r0.1, r1.1, r2.1, r3.1), out + (stride &+ c), stride)
        winogradStore(winogradDifferences(r0.2, r1.2, r2.2, r3.2), out + (2 &* stride &+ c), stride)
        winogradStore(winogradDifferences(r0.3, r1.3, r2.3, r3.3), out + (3 &* stride &+ c), stride)
        c &+= 16
    }
}

typealias FourLanes = (FloatLanes, FloatLanes, FloatLanes, FloatLanes)

@inline(__always)
func winogradDifferences(_ a: FloatLanes, _ b: FloatLanes, _ c: FloatLanes, _ d: FloatLanes) -> FourLanes {
    (a - c, b + c, c - b, b - d)
}

/// A column of places: every fourth.
@inline(__always)
func winogradStore(_ v: FourLanes, _ out: UnsafeMutablePointer<Float>, _ stride: Int) {
    v.0.store(out)
    v.1.store(out + 4 &* stride)
    v.2.store(out + 8 &* stride)
    v.3.store(out + 12 &* stride)
}

/// A tile of 2x2 gradients of all channels, spread over the places.
@inline(__always)
func winogradSpread(_ g: UnsafePointer<Float>, _ row: Int, _ channels: Int, _ out: UnsafeMutablePointer<Float>, _ stride: Int) {
    var c = 0
    while c < channels {
        let p = g + c
        let square = (
            FloatLanes.load(p), FloatLanes.load(p + channels), FloatLanes.load(p + row), FloatLanes.load(p + (row &+ channels))
        )
        winogradSpreadSquare(square, out + c, stride)
        c &+= 16
    }
}

/// The 16 sums of a 2x2 tile's gradients, row after row.
@inline(__always)
func winogradSpreadSquare(_ square: FourLanes, _ out: UnsafeMutablePointer<Float>, _ stride: Int) {
    let (a, b, d, e) = square
    winogradStore((a, a + d, a - d, d.negated), out, stride)
    let (s, t) = (a + b, d + e)
    winogradStore((s, s + t, s - t, t.negated), out + stride, stride)
    let (u, v) = (a - b, d - e)
    winogradStore((u, u + v, u - v, v.negated), out + 2 &* stride, stride)
    let (m, n) = (b.negated, e.negated)
    winogradStore((m, m + n, m - n, n.negated), out + 3 &* stride, stride)
}

/// Item: one output channel.
@inline(__always)
func winogradGradientCombine(_ context: UnsafeMutableRawPointer?, _ output: Int) {
    let job = UnsafePointer(context!.assumingMemoryBound(to: WinogradGradientJob.self))
    let p = job.pointee.p
    let inputs = job.pointee.inputs
    let place = p.o &* inputs
    if let gbias = job.pointee.gbias {
        var sum: Float = 0
        for chunk in 0..<job.pointee.chunks { sum += job.pointee.biasSums[chunk &* job.pointee.outputs &+ output] }
        gbias[output] = sum
    }
    var c = 0
    while c < inputs {
        let from = UnsafePointer(job.pointee.sums) + (output &* inputs &+ c)
        @inline(__always) func total(_ i: Int) -> FloatLanes {
            var sum = FloatLanes.load(from + i &* place)
            for chunk in 1..<max(1, job.pointee.chunks) {
                sum = sum + FloatLanes.load(from + (chunk &* job.pointee.perChunk &+ i &* place))
            }
            return sum
        }
        @inline(__always) func kernelSums(_ a: FloatLanes, _ b: FloatLanes, _ c: FloatLanes, _ d: FloatLanes) -> (FloatLanes, FloatLanes, FloatLanes) {
            let outer = (b + c) * 0.5
            return (a + outer, (b - c) * 0.5, outer + d)
        }
        let r0 = kernelSums(total(0), total(4), total(8), total(12))
        let r1 = kernelSums(total(1), total(5), total(9), total(13))
        let r2 = kernelSums(total(2), total(6), total(10), total(14))
        let r3 = kernelSums(total(3), total(7), total(11), total(15))
        let k0 = kernelSums(r0.0, r1.0, r2.0, r3.0)
        let k1 = kernelSums(r0.1, r1.1, r2.1, r3.1)
        let k2 = kernelSums(r0.2, r1.2, r2.2, r3.2)
        for lane in 0..<min(16, p.c &- c) {
            let to = job.pointee.gweight + (output &* p.c &+ c &+ lane) &* 9
            to[0] = k0.0[lane]
            to[1] = k0.1[lane]
            to[2] = k0.2[lane]
            to[3] = k1.0[lane]
            to[4] = k1.1[lane]
            to[5] = k1.2[lane]
            to[6] = k2.0[lane]
            to[7] = k2.1[lane]
            to[8] = k2.2[lane]
        }
        c &+= 16
    }
}
