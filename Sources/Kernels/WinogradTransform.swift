import KernelABI

// Into the 16 places of a patch and out of them (see Winograd). Lanes are consecutive tiles.

/// The patches of a band: patches[place][input][tile].
@inline(__always)
func winogradPatches(
    _ job: UnsafePointer<WinogradJob>, image: Int, first: Int, rows: Int, _ patches: UnsafeMutablePointer<Float>, _ place: Int
) {
    let inputs = job.pointee.inputs, h = job.pointee.h, w = job.pointee.w
    let columns = job.pointee.tileColumns
    let tiles = job.pointee.tiles(rows)
    let all = job.pointee.x
    let end = all + job.pointee.images &* inputs &* h &* w
    // The four sums along a row of patches, of even and of odd rows of the input: [sum][row][column].
    let length = (rows &+ 1) &* columns &+ 64
    let reach = (columns &+ 15) / 16 &* 32 &+ 16
    let space = job.pointee.exec.pointee.scratch(6, 4 &* (8 &* length &+ reach &+ 64)).assumingMemoryBound(to: Float.self)
    let padded = space + 8 &* length
    let top = 2 &* first &- job.pointee.padH
    let left = job.pointee.padW
    let unpooled = UnpooledRows(job, first: top, rows: 2 &* rows &+ 2, reach: reach)
    for input in 0..<inputs {
        let plane = all + (image &* inputs &+ input) &* h &* w
        unpooled?.fill(job, plane: image &* inputs &+ input)
        for r in 0..<(2 &* rows &+ 2) {
            let out = space + ((r & 1) &* 4 &* length &+ (r >> 1) &* columns)
            let i = top &+ r
            if i < 0 || i >= h {
                for s in 0..<4 { zeroRow(FloatLanes.self, out + s &* length, columns) }
                continue
            }
            if let unpooled {
                winogradRow(unpooled.row(i), columns, out, length)
                continue
            }
            var from = plane + i &* w
            if left > 0 || from + reach > end {
                zeroRow(FloatLanes.self, padded, left)
                copyRow(FloatLanes.self, from, padded + left, w, end: end)
                zeroRow(FloatLanes.self, padded + (left &+ w), max(0, 2 &* columns &+ 2 &- left &- w))
                from = UnsafePointer(padded)
            }
            winogradRow(from, columns, out, length)
        }
        winogradColumn(UnsafePointer(space), length, columns, tiles, patches + input &* tiles, place)
    }
}

/// Sums of each four neighbours x[2 j ..< 2 j + 4] of a row.
@inline(__always)
func winogradRow(_ x: UnsafePointer<Float>, _ columns: Int, _ out: UnsafeMutablePointer<Float>, _ length: Int) {
    var j = 0
    while j < columns {
        let p = x + 2 &* j
        let (a, b) = FloatLanes.deinterleave(FloatLanes.load(p), FloatLanes.load(p + 16))
        let (c, d) = FloatLanes.deinterleave(FloatLanes.load(p + 2), FloatLanes.load(p + 18))
        (a - c).store(out + j)
        (b + c).store(out + (length &+ j))
        (c - b).store(out + (2 &* length &+ j))
        (b - d).store(out + (3 &* length &+ j))
        j &+= 16
    }
}

/// The same sums down the columns.
@inline(__always)
func winogradColumn(
    _ rows: UnsafePointer<Float>, _ length: Int, _ columns: Int, _ tiles: Int, _ out: UnsafeMutablePointer<Float>, _ place: Int
) {
    for s in 0..<4 {
        let even = rows + s &* length
        let odd = even + 4 &* length
        let to = out + s &* place
        var t = 0
        while t < tiles {
            let a = FloatLanes.load(even + t), c = FloatLanes.load(even + (t &+ columns))
            let b = FloatLanes.load(odd + t), d = FloatLanes.load(odd + (t &+ columns))
            (a - c).store(to + t)
            (b + c).store(to + (4 &* place &+ t))
            (c - b).store(to + (8 &* place &+ t))
            (b - d).store(to + (12 &* place &+ t))
            t &+= 16
        }
    }
}

/// The two sums that a column (or row) of four products makes.
@inline(__always)
func winogradSums(_ a: FloatLanes, _ b: FloatLanes, _ c: FloatLanes, _ d: FloatLanes) -> (FloatLanes, FloatLanes) {
    (a + b + c, b - c - d)
}

/// A vector of tiles' 2x2 outputs from products[place * tiles]; `left` tiles exist. Where one of these is not finite, so is `strange`.
@inline(__always)
func winogradSquare(
    _ p: UnsafePointer<Float>, _ tiles: Int, _ left: Int, _ bias: FloatLanes, _ relu: Bool, _ strange: inout FloatLanes
) -> (FloatLanes, FloatLanes, FloatLanes, FloatLanes) {
    @inline(__always) func m(_ place: Int) -> FloatLanes { FloatLanes.load(p + place &* tiles) }
    let (a0, a1) = winogradSums(m(0), m(4), m(8), m(12))
    let (b0, b1) = winogradSums(m(1), m(5), m(9), m(13))
    let (c0, c1) = winogradSums(m(2), m(6), m(10), m(14))
    let (d0, d1) = winogradSums(m(3), m(7), m(11), m(15))
    var (e, f) = winogradSums(a0, b0, c0, d0)
    var (g, h) = winogradSums(a1, b1, c1, d1)
    var all = (e + f) + (g + h)
    if left < 16 { all = FloatLanes.select(FloatLanes.less(laneNumbers(FloatLanes.self), FloatLanes(Double(left))), all, 0.0) }
    strange = strange + (all - all)
    e = e + bias
    f = f + bias
    g = g + bias
    h = h + bias
    if relu {
        e = convRelu(e)
        f = convRelu(f)
        g = convRelu(g)
        h = convRelu(h)
    }
    return (e, f, g, h)
}

/// A band's products (products[output][place][tile]) to the output's planes. False when one is not finite.
@inline(__always)
func winogradOutputs(
    _ job: UnsafePointer<WinogradJob>, image: Int, first: Int, rows: Int, _ products: UnsafePointer<Float>, _ tiles: Int
) -> Bool {
    var strange = FloatLanes(0.0)
    let count = rows &* job.pointee.tileColumns
    let outputs = job.pointee.outputs, oh = job.pointee.oh, ow = job.pointee.ow
    let width = 2 &* job.pointee.tileColumns
    let upper = job.pointee.exec.pointee.scratch(6, 16 &* (tiles &+ 32)).assumingMemoryBound(to: Float.self)
    let lower = upper + (2 &* tiles &+ 16)
    for output in 0..<outputs {
        let p = products + 16 &* output &* tiles
        let bias = FloatLanes(job.pointee.bias.map { $0[output] } ?? 0)
        var t = 0
        while t < tiles {
            let (e, f, g, h) = winogradSquare(p + t, tiles, count &- t, bias, job.pointee.relu, &strange)
            FloatLanes(bits: kernel_zip_low_32(e.bits, f.bits)).store(upper + 2 &* t)
            FloatLanes(bits: kernel_zip_high_32(e.bits, f.bits)).store(upper + (2 &* t &+ 16))
            FloatLanes(bits: kernel_zip_low_32(g.bits, h.bits)).store(lower + 2 &* t)
            FloatLanes(bits: kernel_zip_high_32(g.bits, h.bits)).store(lower + (2 &* t &+ 16))
            t &+= 16
        }
        let plane = job.pointee.y + (image &* outputs &+ output) &* oh &* ow
        for i in 0..<rows {
            let row = 2 &* (first &+ i)
            copyExactly(FloatLanes.self, upper + i &* width, plane + row &* ow, ow)
            if row &+ 1 < oh { copyExactly(FloatLanes.self, lower + i &* width, plane + (row &+ 1) &* ow, ow) }
        }
    }
    return !FloatLanes.anyLane(strange.isNaN)
}

/// The same, pooled: the largest of each tile, and which it was (the first of equals; a NaN is largest, of several the last).
@inline(__always)
func winogradPooled(
    _ job: UnsafePointer<WinogradJob>, image: Int, first: Int, rows: Int, _ products: UnsafePointer<Float>, _ tiles: Int
) -> Bool {
    var strange = FloatLanes(0.0)
    let outputs = job.pointee.outputs, ow = job.pointee.ow, columns = job.pointee.tileColumns
    let count = rows &* columns
    // Where each tile's first element lies in the plane.
    let starts = job.pointee.exec.pointee.scratch(6, 4 &* (tiles &+ 16)).assumingMemoryBound(to: Int32.self)
    for i in 0..<rows {
        for j in 0..<columns { starts[i &* columns &+ j] = Int32(truncatingIfNeeded: 2 &* (first &+ i) &* ow &+ 2 &* j) }
    }
    let plane = job.pointee.tileRows &* columns
    for output in 0..<outputs {
        let p = products + 16 &* output &* tiles
        let bias = FloatLanes(job.pointee.bias.map { $0[output] } ?? 0)
        let to = (image &* outputs &+ output) &* plane &+ first &* columns
        var t = 0
        while t < count {
            let (e, f, g, h) = winogradSquare(p + t, tiles, count &- t, bias, job.pointee.relu, &strange)
            var best = e
            var at = SIMD16<Int32>(repeating: 0)
            winogradLarger(f, 1, &best, &at)
            winogradLarger(g, Int32(truncatingIfNeeded: ow), &best, &at)
            winogradLarger(h, Int32(truncatingIfNeeded: ow &+ 1), &best, &at)
            let some = min(16, count &- t)
            storeSome(best, job.pointee.y + (to &+ t), some)
            if let index = job.pointee.index {
                let place = UnsafeRawPointer(starts + t).loadUnaligned(as: SIMD16<Int32>.self) &+ at
                let out = UnsafeMutableRawPointer(index + (to &+ t)).assumingMemoryBound(to: Float.self)
                storeSome(FloatLanes(bits: unsafeBitCast(place, to: SIMD16<UInt32>.self)), out, some)
            }
            t &+= 16
        }
    }
    return !FloatLanes.anyLane(strange.isNaN)
}

@inline(__always)
func winogradLarger(_ v: FloatLanes, _ offset: Int32, _ best: inout FloatLanes, _ at: inout SIMD16<Int32>) {
    // As max_pool does: a NaN wins over everything, of several the last.
    let take = FloatLanes.either(FloatLanes.less(best, v), v.isNaN)
    best = FloatLanes.select(take, v, best)
    at = at.replacing(with: SIMD16(repeating: offset), where: take)
}
