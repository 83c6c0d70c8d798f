import KernelABI

// Gradients that come from the pooling of 2x2 windows (see kernel_slope), as Winograd's transforms read them: its tiles are
// these windows, of which one element each has a gradient. The planes with their zeros are never in memory.

/// Windows that cover the planes, few enough columns for positions within a window to be whole numbers in a float.
@inline(__always)
func hasWholeWindows(_ p: kernel_conv) -> Bool { p.oh % 2 == 0 && p.ow % 2 == 0 && p.ow < 1 << 20 }

/// The elements of a vector of windows from their gradients and these one's positions, counted from the window's first.
@inline(__always)
func unpooledSquare(_ g: FloatLanes, _ at: FloatLanes, _ width: FloatLanes) -> FourLanes {
    let zero = FloatLanes(0.0), one = FloatLanes(1.0)
    return (
        FloatLanes.select(FloatLanes.equal(at, zero), g, zero), FloatLanes.select(FloatLanes.equal(at, one), g, zero),
        FloatLanes.select(FloatLanes.equal(at, width), g, zero), FloatLanes.select(FloatLanes.equal(at, width + one), g, zero)
    )
}

/// Some rows of one plane, zeros around them.
struct UnpooledRows {
    let windows: (low: Int, high: Int)  // rows of windows
    let left: Int, stride: Int
    let rows: UnsafeMutablePointer<Float>

    /// For rows first ..< first + rows of the planes; nil where these are not pooled. `reach`: floats read of a row.
    @inline(__always)
    init?(_ job: UnsafePointer<WinogradJob>, first: Int, rows count: Int, reach: Int) {
        if job.pointee.places == nil { return nil }
        let h = job.pointee.h, w = job.pointee.w
        let low = first > 0 ? first / 2 : 0, high = (first &+ count < h ? first &+ count &+ 1 : h) / 2
        windows = (low, high > low ? high : low)
        left = job.pointee.padW
        // What a vector of windows holds past the last one is zeros, and stays in the row.
        let whole = left &+ (w / 2 &+ 15) / 16 &* 32
        stride = whole > reach ? whole : reach
        let size = 2 &* (windows.high &- windows.low) &* stride
        rows = job.pointee.exec.pointee.scratch(7, 4 &* (size &+ 16)).assumingMemoryBound(to: Float.self)
        zeroRow(FloatLanes.self, rows, size)
    }

    @inline(__always)
    func row(_ i: Int) -> UnsafePointer<Float> { UnsafePointer(rows + (i &- 2 &* windows.low) &* stride) }

    @inline(never)
    func fill(_ job: UnsafePointer<WinogradJob>, plane: Int) {
        let w = job.pointee.w, columns = w / 2
        let width = FloatLanes(Float(w))
        let start = plane &* (job.pointee.h / 2) &* columns
        for i in windows.low..<windows.high {
            let g = job.pointee.x + (start &+ i &* columns)
            let places = job.pointee.places! + (start &+ i &* columns)
            let upper = rows + (2 &* (i &- windows.low) &* stride &+ left), lower = upper + stride
            var j = 0
            while j < columns {
                let count = columns &- j
                let at = FloatLanes.loadPositions(places + j, Int32(truncatingIfNeeded: 2 &* i &* w &+ 2 &* j), count)
                let (a, b, c, d) = unpooledSquare(loadSome(g + j, count, 0.0), at, width)
                let (a0, a1) = FloatLanes.interleave(a, b), (c0, c1) = FloatLanes.interleave(c, d)
                a0.store(upper + 2 &* j)
                a1.store(upper + (2 &* j &+ 16))
                c0.store(lower + 2 &* j)
                c1.store(lower + (2 &* j &+ 16))
                j &+= 16
            }
        }
    }
}

/// A band by plain loops over planes with all their zeros.
@inline(never)
func winogradPlainUnpooled(_ job: UnsafePointer<WinogradJob>, image: Int, first: Int, rows: Int) {
    var whole = job.pointee
    let inputs = whole.inputs, plane = whole.h &* whole.w
    let planes = whole.exec.pointee.scratch(4, 4 &* (inputs &* plane &+ 16)).assumingMemoryBound(to: Float.self)
    zeroRow(FloatLanes.self, planes, inputs &* plane)
    for input in 0..<inputs {
        let start = (image &* inputs &+ input) &* (plane / 4)
        for t in 0..<(plane / 4) { planes[input &* plane &+ Int(whole.places![start &+ t])] = whole.x[start &+ t] }
    }
    whole.x = UnsafePointer(planes)
    whole.places = nil
    whole.y += image &* whole.outputs &* whole.oh &* whole.ow
    winogradPlain(&whole, image: 0, first: first, rows: rows)
}

/// The elements of a window in a vector of channels.
@inline(__always)
func unpooledChannels(_ g: UnsafePointer<Float>, _ places: UnsafePointer<Float>, _ width: Int, _ start: Int) -> FourLanes {
    let at = unsafeBitCast(FloatLanes.load(places).v, to: SIMD16<Int32>.self) &- SIMD16(repeating: Int32(truncatingIfNeeded: start))
    return unpooledSquare(FloatLanes.load(g), FloatLanes(v: kernel_float_i32(at)), FloatLanes(Float(width)))
}

/// winogradSpread of a window of all channels, which begins at `start` in planes `width` wide.
@inline(never)
func winogradSpreadPooled(
    _ g: UnsafePointer<Float>, _ places: UnsafePointer<Float>, _ channels: Int, _ width: Int, _ start: Int,
    _ out: UnsafeMutablePointer<Float>, _ stride: Int
) {
    var c = 0
    while c < channels {
        winogradSpreadSquare(unpooledChannels(g + c, places + c, width, start), out + c, stride)
        c &+= 16
    }
}

/// What sumBand makes of the band with its zeros: the same chains, of every fourth position of the rows.
@inline(never)
func sumPooledBand(
    _ job: UnsafePointer<WinogradGradientJob>, first: Int, rows: Int, _ g: UnsafePointer<Float>, _ places: UnsafePointer<Float>,
    _ sums: UnsafeMutablePointer<Float>
) {
    if job.pointee.gbias == nil { return }
    let outputs = job.pointee.outputs, columns = job.pointee.tileColumns, width = job.pointee.p.ow
    var c = 0
    while c < outputs {
        var chains = (FloatLanes(0.0), FloatLanes(0.0), FloatLanes(0.0), FloatLanes(0.0))
        for i in 0..<rows {
            for lower in 0..<2 {
                for j in 0..<columns {
                    let at = (i &* columns &+ j) &* outputs &+ c
                    let square = unpooledChannels(g + at, places + at, width, 2 &* (first &+ i) &* width &+ 2 &* j)
                    let (left, right) = lower == 0 ? (square.0, square.1) : (square.2, square.3)
                    // A row of windows is twice as many positions long, the lower row begins after that.
                    if (j &+ lower &* columns) & 1 == 0 {
                        chains.0 = chains.0 + left
                        chains.1 = chains.1 + right
                    } else {
                        chains.2 = chains.2 + left
                        chains.3 = chains.3 + right
                    }
                }
            }
        }
        (FloatLanes.load(sums + c) + ((chains.0 + chains.1) + (chains.2 + chains.3))).store(sums + c)
        c &+= 16
    }
}
