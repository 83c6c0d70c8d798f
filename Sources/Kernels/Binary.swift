import KernelABI

// y[i] = f(x[i * xs], z[i * zs]) with strides 0 or 1.

/// A stride of 0 reads one splatted vector again and again: the loop stays the same.
@inline(__always)
func zipLanes<V: Vector>(
    _: V.Type, _ n: Int, _ x: UnsafeRawPointer, _ xs: Int, _ z: UnsafeRawPointer, _ zs: Int,
    _ y: UnsafeMutableRawPointer, _ f: (V, V) -> V
) {
    let x = x.assumingMemoryBound(to: V.Scalar.self)
    let z = z.assumingMemoryBound(to: V.Scalar.self)
    let y = y.assumingMemoryBound(to: V.Scalar.self)
    if n < 1 { return }
    var splats = (V(x[0]), V(z[0]))
    withUnsafeBytes(of: &splats) { splats in
        let base = splats.baseAddress!.assumingMemoryBound(to: V.Scalar.self)
        let px = xs == 0 ? base : x
        let pz = zs == 0 ? base + V.lanes : z
        var i = 0
        while i < n {
            let c = n &- i
            storeSome(f(loadSome(px + i &* xs, c, V(1.0)), loadSome(pz + i &* zs, c, V(1.0))), y + i, c)
            i &+= V.lanes
        }
    }
}

/// Floats through a double function of two arguments.
@inline(__always)
func zipWide(
    _ n: Int, _ x: UnsafeRawPointer, _ xs: Int, _ z: UnsafeRawPointer, _ zs: Int, _ y: UnsafeMutableRawPointer,
    _ f: (DoubleLanes, DoubleLanes) -> DoubleLanes
) {
    zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { a, b in
        var r = a
        for half in 0..<2 {
            let p = half == 0 ? a.low : a.high
            let q = half == 0 ? b.low : b.high
            let s = kernel_narrow(f(p, q).v)
            if half == 0 { r.v.lowHalf = s } else { r.v.highHalf = s }
        }
        return r
    }
}

@inline(__always)
func remainderLanes<V: Vector>(_ x: V, _ z: V) -> V {
    // The exact remainder of truncated division, then moved to the divisor's sign.
    var r = x
    for lane in 0..<V.lanes { r[lane] = V.truncatedRemainder(x[lane], z[lane]) }
    let wrong = V.both(V.nonZero(r), V.either(V.both(V.less(r, V(0.0)), V.less(V(0.0), z)), V.both(V.less(V(0.0), r), V.less(z, V(0.0)))))
    return V.select(V.nonZero(r), V.select(wrong, r + z, r), V(0.0).signed(as: z))
}

@inline(__always)
func floorDivideLanes<V: Vector>(_ x: V, _ z: V) -> V {
    // As Python and PyTorch: from the exact remainder, so that a quotient just below an integer stays below.
    var m = x
    for lane in 0..<V.lanes { m[lane] = V.truncatedRemainder(x[lane], z[lane]) }
    let below = V.both(V.nonZero(m), V.either(V.both(V.less(m, V(0.0)), V.less(V(0.0), z)), V.both(V.less(V(0.0), m), V.less(z, V(0.0)))))
    let exact = (x - m) / z
    let q = V.select(below, exact - V(1.0), exact)
    let f = q.floor
    let snapped = V.select(V.less(V(0.5), q - f), f + V(1.0), f)
    let r = V.select(V.equal(q, V(0.0)), V(0.0).signed(as: x / z), snapped)
    return V.select(V.equal(z, V(0.0)), x / z, r)
}

func binaryFloat(_ op: Int) -> kernel_binary? {
    switch op {
    case BINARY_ADD:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { $0 + $1 } }
    case BINARY_SUB:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { $0 - $1 } }
    case BINARY_MUL:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { $0 * $1 } }
    case BINARY_DIV:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { $0 / $1 } }
    case BINARY_POW:
        { n, x, xs, z, zs, y in zipWide(n, x, xs, z, zs, y) { DoubleLanes.pow($0, $1) } }
    case BINARY_REMAINDER:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { remainderLanes($0, $1) } }
    case BINARY_FLOOR_DIVIDE:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { floorDivideLanes($0, $1) } }
    case BINARY_ATAN2:
        { n, x, xs, z, zs, y in zipWide(n, x, xs, z, zs, y) { DoubleLanes.atan2($0, $1) } }
    case BINARY_MAXIMUM:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { FloatLanes.max($0, $1) } }
    case BINARY_MINIMUM:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { FloatLanes.min($0, $1) } }
    case BINARY_RELU_GRAD:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { FloatLanes.select(FloatLanes.less(0.0, $0), $1, 0.0) } }
    case BINARY_SIGMOID_GRAD:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { $1 * $0 * (1.0 - $0) } }
    case BINARY_TANH_GRAD:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { $1 * (1.0 - $0 * $0) } }
    case BINARY_GELU_GRAD:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { $1 * FloatLanes.geluSlope($0) } }
    case BINARY_GELU_TANH_GRAD:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { $1 * FloatLanes.geluTanhSlope($0) } }
    case BINARY_SILU_GRAD:
        { n, x, xs, z, zs, y in zipLanes(FloatLanes.self, n, x, xs, z, zs, y) { $1 * FloatLanes.siluSlope($0) } }
    default: nil
    }
}

func binaryDouble(_ op: Int) -> kernel_binary? {
    switch op {
    case BINARY_ADD:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { $0 + $1 } }
    case BINARY_SUB:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { $0 - $1 } }
    case BINARY_MUL:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { $0 * $1 } }
    case BINARY_DIV:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { $0 / $1 } }
    case BINARY_POW:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { DoubleLanes.pow($0, $1) } }
    case BINARY_REMAINDER:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { remainderLanes($0, $1) } }
    case BINARY_FLOOR_DIVIDE:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { floorDivideLanes($0, $1) } }
    case BINARY_ATAN2:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { DoubleLanes.atan2($0, $1) } }
    case BINARY_MAXIMUM:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { DoubleLanes.max($0, $1) } }
    case BINARY_MINIMUM:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { DoubleLanes.min($0, $1) } }
    case BINARY_RELU_GRAD:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { DoubleLanes.select(DoubleLanes.less(0.0, $0), $1, 0.0) } }
    case BINARY_SIGMOID_GRAD:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { $1 * $0 * (1.0 - $0) } }
    case BINARY_TANH_GRAD:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { $1 * (1.0 - $0 * $0) } }
    case BINARY_GELU_GRAD:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { $1 * DoubleLanes.geluSlope($0) } }
    case BINARY_GELU_TANH_GRAD:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { $1 * DoubleLanes.geluTanhSlope($0) } }
    case BINARY_SILU_GRAD:
        { n, x, xs, z, zs, y in zipLanes(DoubleLanes.self, n, x, xs, z, zs, y) { $1 * DoubleLanes.siluSlope($0) } }
    default: nil
    }
}
