import KernelABI

// One optimiser step over one parameter of n elements, in one pass; formulas and their order as PyTorch's.

/// A running mean that has died away: 0 instead of a number below the normal ones. Where no gradient comes any more (a pixel
/// that is always 0, a unit that is never active) it shrinks by a tenth each step, and would stay among those numbers for ever:
/// rounding holds it there. The CPU takes some hundred cycles for each.
@inline(__always)
func settled<V: Vector>(_ x: V) -> V {
    let smallest = V(MemoryLayout<V.Scalar>.size == 4 ? 0x1p-126 : 0x1p-1022)
    return V.select(V.less(x.magnitude, smallest), V(0.0), x)
}

/// d = g (or -g to maximize) + weight_decay p
/// b = momentum b + (1 - dampening) d, or d itself in the first step; d = nesterov ? d + momentum b : b
/// p = p - lr d
@inline(__always)
func sgd<V: Vector>(
    _: V.Type, _ n: Int, _ o: kernel_sgd, _ p: UnsafeMutablePointer<V.Scalar>, _ g: UnsafePointer<V.Scalar>,
    _ momentum: UnsafeMutablePointer<V.Scalar>?
) {
    let decay = V(o.weight_decay)
    let mu = V(o.momentum)
    let fresh = V(1 - o.dampening)
    let rate = V(-o.lr)
    let zero = V(0.0)
    var i = 0
    while i < n {
        let c = min(V.lanes, n &- i)
        let w = loadSome(UnsafePointer(p + i), c, zero)
        var d = loadSome(g + i, c, zero)
        if o.maximize { d = d.negated }
        if o.weight_decay != 0 { d = V.fma(w, decay, d) }
        if let momentum, o.momentum != 0 {
            let b = o.first ? d : settled(V.fma(d, fresh, loadSome(UnsafePointer(momentum + i), c, zero) * mu))
            storeSome(b, momentum + i, c)
            d = o.nesterov ? V.fma(b, mu, d) : b
        }
        storeSome(V.fma(d, rate, w), p + i, c)
        i &+= V.lanes
    }
}

/// g (or -g to maximize); decoupled: p = p (1 - lr weight_decay), else g = g + weight_decay p
/// m = m + (1 - beta1) (g - m);  v = beta2 v + (1 - beta2) g g;  amsgrad: vmax = max(vmax, v) stands for v
/// p = p - lr / (1 - beta1^t) m / (sqrt(v) / sqrt(1 - beta2^t) + eps)
@inline(__always)
func adam<V: Vector>(
    _: V.Type, _ n: Int, _ o: kernel_adam, _ p: UnsafeMutablePointer<V.Scalar>, _ g: UnsafePointer<V.Scalar>,
    _ m: UnsafeMutablePointer<V.Scalar>, _ v: UnsafeMutablePointer<V.Scalar>, _ vmax: UnsafeMutablePointer<V.Scalar>?
) {
    let t = DoubleLanes(Double(o.step))
    let correction1 = 1 - DoubleLanes.pow(DoubleLanes(o.beta1), t)[0]
    let correction2 = DoubleLanes(1 - DoubleLanes.pow(DoubleLanes(o.beta2), t)[0]).squareRoot[0]
    let decay = V(o.weight_decay)
    let kept = V(1 - o.lr * o.weight_decay)
    let fresh1 = V(1 - o.beta1)
    let beta2 = V(o.beta2)
    let fresh2 = V(1 - o.beta2)
    let rate = V(-o.lr / correction1)
    let root = V(1 / correction2)
    let eps = V(o.eps)
    let zero = V(0.0)
    let coupled = o.weight_decay != 0 && !o.decoupled
    let shrinks = o.weight_decay != 0 && o.decoupled
    var i = 0
    while i < n {
        let c = min(V.lanes, n &- i)
        var w = loadSome(UnsafePointer(p + i), c, zero)
        var d = loadSome(g + i, c, zero)
        if o.maximize { d = d.negated }
        if coupled { d = V.fma(w, decay, d) }
        if shrinks { w = w * kept }
        let m0 = loadSome(UnsafePointer(m + i), c, zero)
        let m1 = settled(V.fma(d - m0, fresh1, m0))
        storeSome(m1, m + i, c)
        var v1 = V.fma(d * fresh2, d, loadSome(UnsafePointer(v + i), c, zero) * beta2)
        storeSome(v1, v + i, c)
        if let vmax, o.amsgrad {
            v1 = V.max(loadSome(UnsafePointer(vmax + i), c, zero), v1)
            storeSome(v1, vmax + i, c)
        }
        storeSome(V.fma(rate, m1 / V.fma(v1.squareRoot, root, eps), w), p + i, c)
        i &+= V.lanes
    }
}

func sgd(
    _ dtype: Int32, _ n: Int, _ o: UnsafePointer<kernel_sgd>, _ p: UnsafeMutableRawPointer, _ g: UnsafeRawPointer,
    _ momentum: UnsafeMutableRawPointer?
) {
    if Int(dtype) == KERNEL_F32 {
        sgd(
            FloatLanes.self, n, o.pointee, p.assumingMemoryBound(to: Float.self), g.assumingMemoryBound(to: Float.self),
            momentum?.assumingMemoryBound(to: Float.self))
    } else {
        sgd(
            DoubleLanes.self, n, o.pointee, p.assumingMemoryBound(to: Double.self), g.assumingMemoryBound(to: Double.self),
            momentum?.assumingMemoryBound(to: Double.self))
    }
}

func adam(
    _ dtype: Int32, _ n: Int, _ o: UnsafePointer<kernel_adam>, _ p: UnsafeMutableRawPointer, _ g: UnsafeRawPointer,
    _ m: UnsafeMutableRawPointer, _ v: UnsafeMutableRawPointer, _ vmax: UnsafeMutableRawPointer?
) {
    if Int(dtype) == KERNEL_F32 {
        adam(
            FloatLanes.self, n, o.pointee, p.assumingMemoryBound(to: Float.self), g.assumingMemoryBound(to: Float.self),
            m.assumingMemoryBound(to: Float.self), v.assumingMemoryBound(to: Float.self), vmax?.assumingMemoryBound(to: Float.self))
    } else {
        adam(
            DoubleLanes.self, n, o.pointee, p.assumingMemoryBound(to: Double.self), g.assumingMemoryBound(to: Double.self),
            m.assumingMemoryBound(to: Double.self), v.assumingMemoryBound(to: Double.self), vmax?.assumingMemoryBound(to: Double.self))
    }
}
