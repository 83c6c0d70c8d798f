import KernelABI

// The weight gradient of a first layer, which has few taps (input channels times kernel positions):
// transposing the output's gradient would cost more than the products. Here lanes are output positions,
// both operands are read as they lie (the input as a panel, see packConvPanel), and the lanes of each
// product are summed when the chunk of the batch is done.

/// Few enough taps, and enough positions to make vectors of.
@inline(__always)
func hasFewTaps(_ p: kernel_conv) -> Bool {
    p.c / p.groups &* p.kh &* p.kw <= 32 && p.o / p.groups % 4 == 0 && p.oh &* p.ow >= 64
}
/// Bytes of the input's panel for one band of output rows.
@inline(__always) var convFewPanel: Int { 24 << 10 }

struct ConvFewWork<V: Vector> {
    var g: UnsafePointer<V.Scalar>, gRow: Int
    var x: UnsafePointer<V.Scalar>
    var offsets: UnsafePointer<Int>  // of taps within the panel
    var vectors: Int
    /// What is left after whole vectors, filled up with zeros: a vector for each output and each tap.
    var hasTail: Bool
    var gTail: UnsafePointer<V.Scalar>, xTail: UnsafePointer<V.Scalar>
    var sums: UnsafeMutablePointer<V.Scalar>, sumRow: Int  // a vector for each tap
}

struct ConvFewRow<V: Vector> {
    var a = V(0.0), b = V(0.0), c = V(0.0), d = V(0.0), e = V(0.0), f = V(0.0)

    @inline(__always) mutating func add(_ g: V, _ x: ConvFewRow, taps: Int) {
        a = V.fma(g, x.a, a)
        b = V.fma(g, x.b, b)
        c = V.fma(g, x.c, c)
        if taps > 3 {
            d = V.fma(g, x.d, d)
            e = V.fma(g, x.e, e)
            f = V.fma(g, x.f, f)
        }
    }
    @inline(__always) func finish(_ p: UnsafeMutablePointer<V.Scalar>, taps: Int) {
        (V.load(p) + a).store(p)
        (V.load(p + V.lanes) + b).store(p + V.lanes)
        (V.load(p + 2 &* V.lanes) + c).store(p + 2 &* V.lanes)
        if taps > 3 {
            (V.load(p + 3 &* V.lanes) + d).store(p + 3 &* V.lanes)
            (V.load(p + 4 &* V.lanes) + e).store(p + 4 &* V.lanes)
            (V.load(p + 5 &* V.lanes) + f).store(p + 5 &* V.lanes)
        }
    }
}

/// Shapes of the tile: outputs (2 or 4) by taps (3 or 6).
protocol ConvFewShape {
    static var outputs: Int { get }
    static var taps: Int { get }
}

#if HOST_WIDE_TILE
    enum ConvFew4x6: ConvFewShape {
        @inline(__always) static var outputs: Int { 4 }
        @inline(__always) static var taps: Int { 6 }
    }
    enum ConvFew4x3: ConvFewShape {
        @inline(__always) static var outputs: Int { 4 }
        @inline(__always) static var taps: Int { 3 }
    }
#else
    enum ConvFew2x3: ConvFewShape {
        @inline(__always) static var outputs: Int { 2 }
        @inline(__always) static var taps: Int { 3 }
    }
#endif

@inline(never)
func convFewTile<V: Vector, S: ConvFewShape>(_: V.Type, _: S.Type, _ t: ConvFewWork<V>) {
    var r0 = ConvFewRow<V>(), r1 = ConvFewRow<V>(), r2 = ConvFewRow<V>(), r3 = ConvFewRow<V>()
    let more = S.taps > 3
    let x0 = t.x + t.offsets[0], x1 = t.x + t.offsets[1], x2 = t.x + t.offsets[2]
    let x3 = t.x + t.offsets[more ? 3 : 0], x4 = t.x + t.offsets[more ? 4 : 0], x5 = t.x + t.offsets[more ? 5 : 0]
    let g0 = t.g, g1 = t.g + t.gRow
    let g2 = t.g + (S.outputs > 2 ? 2 &* t.gRow : 0), g3 = t.g + (S.outputs > 2 ? 3 &* t.gRow : 0)
    var p = 0
    var i = t.vectors
    while i > 0 {
        var x = ConvFewRow<V>()
        x.a = V.load(x0 + p)
        x.b = V.load(x1 + p)
        x.c = V.load(x2 + p)
        if more {
            x.d = V.load(x3 + p)
            x.e = V.load(x4 + p)
            x.f = V.load(x5 + p)
        }
        r0.add(V.load(g0 + p), x, taps: S.taps)
        r1.add(V.load(g1 + p), x, taps: S.taps)
        if S.outputs > 2 {
            r2.add(V.load(g2 + p), x, taps: S.taps)
            r3.add(V.load(g3 + p), x, taps: S.taps)
        }
        p &+= V.lanes
        i &-= 1
    }
    if t.hasTail {
        var x = ConvFewRow<V>()
        x.a = V.load(t.xTail)
        x.b = V.load(t.xTail + V.lanes)
        x.c = V.load(t.xTail + 2 &* V.lanes)
        if more {
            x.d = V.load(t.xTail + 3 &* V.lanes)
            x.e = V.load(t.xTail + 4 &* V.lanes)
            x.f = V.load(t.xTail + 5 &* V.lanes)
        }
        r0.add(V.load(t.gTail), x, taps: S.taps)
        r1.add(V.load(t.gTail + V.lanes), x, taps: S.taps)
        if S.outputs > 2 {
            r2.add(V.load(t.gTail + 2 &* V.lanes), x, taps: S.taps)
            r3.add(V.load(t.gTail + 3 &* V.lanes), x, taps: S.taps)
        }
    }
    r0.finish(t.sums, taps: S.taps)
    r1.finish(t.sums + t.sumRow, taps: S.taps)
    if S.outputs > 2 {
        r2.finish(t.sums + 2 &* t.sumRow, taps: S.taps)
        r3.finish(t.sums + 3 &* t.sumRow, taps: S.taps)
    }
}

@inline(__always)
func convFewTiles<V: Vector>(_: V.Type, _ t: ConvFewWork<V>, taps: Int) {
    var t = t
    #if HOST_WIDE_TILE
        var left = taps
        while left > 0 {
            let step = left > 3 ? 6 : 3
            if step == 6 { convFewTile(V.self, ConvFew4x6.self, t) } else { convFewTile(V.self, ConvFew4x3.self, t) }
            t.offsets += step
            t.xTail += step &* V.lanes
            t.sums += step &* V.lanes
            left &-= step
        }
    #else
        for _ in 0..<2 {
            var half = t
            var left = taps
            while left > 0 {
                convFewTile(V.self, ConvFew2x3.self, half)
                half.offsets += 3
                half.xTail += 3 &* V.lanes
                half.sums += 3 &* V.lanes
                left &-= 3
            }
            t.g += 2 &* t.gRow
            t.gTail += 2 &* V.lanes
            t.sums += 2 &* t.sumRow
        }
    #endif
}

/// Gradients of four outputs, `plane` apart: those where what relu gave is above 0, and zeros.
@inline(never)
func convFewSlopes<V: Vector>(
    _: V.Type, _ g: UnsafePointer<V.Scalar>, _ relu: UnsafePointer<V.Scalar>, _ plane: Int, _ positions: Int,
    _ out: UnsafeMutablePointer<V.Scalar>, _ row: Int
) {
    let zero = V(0.0)
    for q in 0..<4 {
        var i = 0
        while i < positions {
            let at = q &* plane &+ i
            let y = loadSome(relu + at, positions &- i, zero), d = loadSome(g + at, positions &- i, zero)
            V.select(V.less(zero, y), d, zero).store(out + (q &* row &+ i))
            i &+= V.lanes
        }
    }
}

/// Item: (chunk, group).
@inline(__always)
func convFewChunk<V: Vector>(_: V.Type, _ context: UnsafeMutableRawPointer?, _ index: Int) {
    let job = UnsafePointer(context!.assumingMemoryBound(to: ConvGradientJob.self))
    let exec = job.pointee.exec
    let p = job.pointee.p
    let size = MemoryLayout<V.Scalar>.size
    let inputs = job.pointee.inputs, outputs = job.pointee.outputs, channels = job.pointee.channels
    let group = index % p.groups
    let chunk = index / p.groups
    let taps = inputs &* p.kh &* p.kw
    let paddedTaps = taps &+ 6
    var c = Correlation(forward: p)

    // A vector for each output and tap, the bias behind the taps' ones.
    let sums = exec.pointee.scratch(5, outputs &* (paddedTaps &+ 1) &* V.lanes &* size).assumingMemoryBound(to: V.Scalar.self)
    zeroRow(V.self, sums, outputs &* (paddedTaps &+ 1) &* V.lanes)
    let biasSums = sums + outputs &* paddedTaps &* V.lanes
    let rowBytes = inputs &* p.kw &* p.ow &* size &* (c.sharesRows ? 1 : p.kh)
    let bandRows = max(1, min(p.oh, convFewPanel / max(1, rowBytes) &- (c.sharesRows ? c.rowReach : 0)))
    let perTap = (c.sharesRows ? c.panelRows(bandRows) : bandRows &* p.kh) &* p.ow
    let panel = exec.pointee.scratch(4, (inputs &* p.kw &* perTap &+ 2 &* V.lanes) &* size).assumingMemoryBound(to: V.Scalar.self)
    let offsets = exec.pointee.scratch(6, paddedTaps &* MemoryLayout<Int>.size).assumingMemoryBound(to: Int.self)
    let tails = exec.pointee.scratch(7, (paddedTaps &+ 4) &* V.lanes &* size).assumingMemoryBound(to: V.Scalar.self)
    let gTails = tails + paddedTaps &* V.lanes
    // Four outputs' gradients as far as relu lets them through.
    let slopeRow = (bandRows &* p.ow &+ V.lanes &- 1) / V.lanes &* V.lanes
    let slopes = exec.pointee.scratch(2, 4 &* slopeRow &* size).assumingMemoryBound(to: V.Scalar.self)
    let reluAll = job.pointee.relu?.assumingMemoryBound(to: V.Scalar.self)

    let planeOut = p.oh &* p.ow, planeIn = p.h &* p.w
    let xAll = job.pointee.x.assumingMemoryBound(to: V.Scalar.self)
    let xEnd = xAll + p.n &* p.c &* planeIn
    let gyAll = job.pointee.gy.assumingMemoryBound(to: V.Scalar.self)
    for image in (p.n &* chunk / job.pointee.chunks)..<(p.n &* (chunk &+ 1) / job.pointee.chunks) {
        let x = xAll + (image &* p.c &+ group &* inputs) &* planeIn
        let firstPlane = (image &* p.o &+ group &* outputs) &* planeOut
        var row = 0
        while row < p.oh {
            let rows = min(bandRows, p.oh &- row)
            packConvPanel(V.self, &c, x, planes: inputs, first: row, rows: rows, panel, end: xEnd)
            // Panel: [input][kx][row][ow] or [input][kx][ky][row][ow].
            let plane = (c.sharesRows ? c.panelRows(rows) : rows &* p.kh) &* p.ow
            var t = 0
            for input in 0..<inputs {
                for ky in 0..<p.kh {
                    let down = c.sharesRows ? ky &* p.dilation_h : ky &* rows
                    for kx in 0..<p.kw {
                        offsets[t] = (input &* p.kw &+ kx) &* plane &+ down &* p.ow
                        t &+= 1
                    }
                }
            }
            while t < paddedTaps {
                offsets[t] = 0
                t &+= 1
            }
            let positions = rows &* p.ow
            let whole = positions / V.lanes
            let rest = positions &- whole &* V.lanes
            let zero = V(0.0)
            if rest > 0 {
                let mask = V.less(laneNumbers(V.self), V(Double(rest)))
                for t in 0..<paddedTaps {
                    V.select(mask, V.load(panel + (offsets[t] &+ whole &* V.lanes)), zero).store(tails + t &* V.lanes)
                }
            }
            var o = 0
            while o < outputs {
                var g = gyAll + (firstPlane &+ o &* planeOut &+ row &* p.ow)
                var gRow = planeOut
                if let reluAll {
                    convFewSlopes(V.self, g, reluAll + (firstPlane &+ o &* planeOut &+ row &* p.ow), planeOut, positions, slopes, slopeRow)
                    (g, gRow) = (UnsafePointer(slopes), slopeRow)
                }
                for q in 0..<4 {
                    var sum = V.load(biasSums + (o &+ q) &* V.lanes)
                    for i in 0..<whole { sum = sum + V.load(g + (q &* gRow &+ i &* V.lanes)) }
                    if rest > 0 {
                        let tail = V.load(g + (q &* gRow &+ whole &* V.lanes), count: rest, pad: zero)
                        tail.store(gTails + q &* V.lanes)
                        sum = sum + tail
                    }
                    sum.store(biasSums + (o &+ q) &* V.lanes)
                }
                let work = ConvFewWork<V>(
                    g: g, gRow: gRow, x: panel, offsets: offsets, vectors: whole, hasTail: rest > 0, gTail: UnsafePointer(gTails),
                    xTail: tails, sums: sums + o &* paddedTaps &* V.lanes, sumRow: paddedTaps &* V.lanes)
                convFewTiles(V.self, work, taps: taps)
                o &+= 4
            }
            row &+= rows
        }
    }
    let base = job.pointee.sums.assumingMemoryBound(to: V.Scalar.self)
        + (chunk &* p.groups &+ group) &* job.pointee.sumRows &* channels
    for o in 0..<outputs {
        for t in 0..<taps { base[t &* channels &+ o] = V.load(sums + (o &* paddedTaps &+ t) &* V.lanes).sum }
        base[taps &* channels &+ o] = V.load(biasSums + o &* V.lanes).sum
    }
}
