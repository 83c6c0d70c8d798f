import KernelABI

// y[i] = f(x[i]) for i in 0 ..< n. The last, partial vector goes through the same function, padded.

@inline(__always)
func mapLanes<V: Vector>(_: V.Type, _ n: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ f: (V) -> V) {
    let x = x.assumingMemoryBound(to: V.Scalar.self)
    let y = y.assumingMemoryBound(to: V.Scalar.self)
    var i = 0
    while i &+ V.lanes <= n {
        f(V.load(x + i)).store(y + i)
        i &+= V.lanes
    }
    if i < n { f(V.load(x + i, count: n &- i, pad: V(1.0))).store(y + i, count: n &- i) }
}

/// A float kernel through the double function: widened, evaluated in two halves, rounded once.
@inline(__always)
func mapWide(_ n: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ f: (DoubleLanes) -> DoubleLanes) {
    mapLanes(FloatLanes.self, n, x, y) { v in
        var r = v
        for half in 0..<2 {
            let s = kernel_narrow(f(half == 0 ? v.low : v.high).v)
            if half == 0 { r.v.lowHalf = s } else { r.v.highHalf = s }
        }
        return r
    }
}

/// A whole or partial vector.
@inline(__always)
func loadSome<V: Vector>(_ p: UnsafePointer<V.Scalar>, _ count: Int, _ pad: V) -> V {
    count >= V.lanes ? V.load(p) : V.load(p, count: count, pad: pad)
}
@inline(__always)
func storeSome<V: Vector>(_ v: V, _ p: UnsafeMutablePointer<V.Scalar>, _ count: Int) {
    if count >= V.lanes { v.store(p) } else { v.store(p, count: count) }
}

@inline(__always)
func clampLanes<V: Vector>(_ x: V, _ low: V, _ high: V) -> V {
    let y = V.select(V.less(x, low), low, x)
    return V.select(V.less(high, y), high, y)
}

@inline(__always)
func signLanes<V: Vector>(_ x: V) -> V {
    V.select(V.less(V(0.0), x), V(1.0), V.select(V.less(x, V(0.0)), V(-1.0), V(0.0)))
}

@inline(__always)
func reluLanes<V: Vector>(_ x: V) -> V { V.select(V.less(x, V(0.0)), V(0.0), x) }

@inline(__always)
func leakyLanes<V: Vector>(_ x: V, _ slope: V) -> V { V.select(V.less(V(0.0), x), x, x * slope) }
