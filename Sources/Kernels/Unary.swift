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
    if i < n {
        f(V.load(x + i, count: n &- i, pad: V(1.0))).store(y + i, count: n &- i)
    }
}

/// A float kernel through the double function: widened, evaluated in two halves, rounded once.
@inline(__always)
func mapWide(_ n: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ f: (DoubleLanes) -> DoubleLanes) {
    let x = x.assumingMemoryBound(to: Float.self)
    let y = y.assumingMemoryBound(to: Float.self)
    var i = 0
    while i < n {
        let count = n &- i
        var v: SIMD8<Float>
        if count >= 8 {
            v = UnsafeRawPointer(x + i).loadUnaligned(as: SIMD8<Float>.self)
        } else {
            v = FloatLanes.load(x + i, count: count, pad: 1.0).v.lowHalf
        }
        v = kernel_narrow(f(DoubleLanes(v: kernel_widen(v))).v)
        if count >= 8 {
            UnsafeMutableRawPointer(y + i).storeBytes(of: v, as: SIMD8<Float>.self)
        } else {
            FloatLanes(v: SIMD16(lowHalf: v, highHalf: v)).store(y + i, count: count)
        }
        i &+= 8
    }
}

@inline(__always)
func clampLanes<V: Vector>(_ x: V, _ low: V, _ high: V) -> V {
    let y = V.select(V.less(x, low), low, x)
    return V.select(V.less(high, y), high, y)
}

@inline(__always)
func signLanes<V: Vector>(_ x: V) -> V {
    V.select(V.less(V(0.0), x), V(1.0), V.select(V.less(x, V(0.0)), V(-1.0), V.select(x.isNaN, x, V(0.0))))
}

@inline(__always)
func reluLanes<V: Vector>(_ x: V) -> V { V.select(V.less(x, V(0.0)), V(0.0), x) }

@inline(__always)
func leakyLanes<V: Vector>(_ x: V, _ slope: V) -> V { V.select(V.less(V(0.0), x), x, x * slope) }
