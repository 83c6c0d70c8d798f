import KernelABI

// softmax and log-softmax along the middle of [outer, n, inner], and their backward passes.

/// Calls `body` once per vector of independent problems: `count` lanes starting at `base`, whose n
/// elements lie `step` apart. For inner == 1 `row` handles one contiguous problem instead.
@inline(__always)
func eachProblem<V: Vector>(
    _: V.Type, _ outer: Int, _ n: Int, _ inner: Int, row: (Int) -> Void, column: (_ base: Int, _ count: Int) -> Void
) {
    if n < 1 { return }
    for o in 0..<outer {
        if inner == 1 {
            row(o &* n)
            continue
        }
        var j = 0
        while j < inner {
            column(o &* n &* inner &+ j, min(V.lanes, inner &- j))
            j &+= V.lanes
        }
    }
}

/// y[i] = f(i, count) over n contiguous elements, the last vector partial.
@inline(__always)
func mapRow<V: Vector>(_: V.Type, _ n: Int, _ y: UnsafeMutablePointer<V.Scalar>, _ f: (Int, Int) -> V) {
    var i = 0
    while i &+ V.lanes <= n {
        f(i, V.lanes).store(y + i)
        i &+= V.lanes
    }
    if i < n { f(i, n &- i).store(y + i, count: n &- i) }
}

@inline(__always)
func softmax<V: Vector>(_: V.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
    let x = x.assumingMemoryBound(to: V.Scalar.self)
    let y = y.assumingMemoryBound(to: V.Scalar.self)
    eachProblem(
        V.self, outer, n, inner,
        row: { base in
            let p = x + base
            let q = y + base
            let m = V(maxScalar(p, n, V.self))
            // The pad becomes exp(-inf) = 0; where m is infinite, everything is NaN anyway.
            let s = V(
                sumRow(V.self, n) { i, c in
                    let e = V.exp(loadSome(p + i, c, V.infinity.negated) - m)
                    storeSome(e, q + i, c)
                    return e
                })
            mapRow(V.self, n, q) { i, c in loadSome(UnsafePointer(q + i), c, s) / s }
        },
        column: { base, count in
            let p = x + base
            let q = y + base
            let m = foldColumn(MaxFold.self, n) { loadSome(p + $0 &* inner, count, V(0.0)) }
            let s = foldColumn(SumFold.self, n) {
                let e = V.exp(loadSome(p + $0 &* inner, count, V(0.0)) - m)
                storeSome(e, q + $0 &* inner, count)
                return e
            }
            for i in 0..<n {
                storeSome(loadSome(UnsafePointer(q + i &* inner), count, s) / s, q + i &* inner, count)
            }
        })
}

@inline(__always)
func logSoftmax<V: Vector>(_: V.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
    let x = x.assumingMemoryBound(to: V.Scalar.self)
    let y = y.assumingMemoryBound(to: V.Scalar.self)
    eachProblem(
        V.self, outer, n, inner,
        row: { base in
            let p = x + base
            let m = V(maxScalar(p, n, V.self))
            let l = V.log(V(sumRow(V.self, n) { i, c in V.exp(loadSome(p + i, c, V.infinity.negated) - m) }))
            mapRow(V.self, n, y + base) { i, c in (loadSome(p + i, c, m) - m) - l }
        },
        column: { base, count in
            let p = x + base
            let q = y + base
            let m = foldColumn(MaxFold.self, n) { loadSome(p + $0 &* inner, count, V(0.0)) }
            let l = V.log(foldColumn(SumFold.self, n) { V.exp(loadSome(p + $0 &* inner, count, V(0.0)) - m) })
            for i in 0..<n { storeSome((loadSome(p + i &* inner, count, m) - m) - l, q + i &* inner, count) }
        })
}

/// gx = y (g - sum(y g))
@inline(__always)
func softmaxBackward<V: Vector>(
    _: V.Type, _ outer: Int, _ n: Int, _ inner: Int, _ y: UnsafeRawPointer, _ g: UnsafeRawPointer, _ gx: UnsafeMutableRawPointer
) {
    let y = y.assumingMemoryBound(to: V.Scalar.self)
    let g = g.assumingMemoryBound(to: V.Scalar.self)
    let gx = gx.assumingMemoryBound(to: V.Scalar.self)
    let zero = V(0.0)
    eachProblem(
        V.self, outer, n, inner,
        row: { base in
            let p = y + base
            let q = g + base
            let s = V(sumRow(V.self, n) { i, c in loadSome(p + i, c, zero) * loadSome(q + i, c, zero) })
            mapRow(V.self, n, gx + base) { i, c in loadSome(p + i, c, zero) * (loadSome(q + i, c, zero) - s) }
        },
        column: { base, count in
            let p = y + base
            let q = g + base
            let s = foldColumn(SumFold.self, n) {
                loadSome(p + $0 &* inner, count, zero) * loadSome(q + $0 &* inner, count, zero)
            }
            for i in 0..<n {
                let at = i &* inner
                storeSome(loadSome(p + at, count, zero) * (loadSome(q + at, count, zero) - s), gx + base + at, count)
            }
        })
}

/// gx = g - exp(y) sum(g)
@inline(__always)
func logSoftmaxBackward<V: Vector>(
    _: V.Type, _ outer: Int, _ n: Int, _ inner: Int, _ y: UnsafeRawPointer, _ g: UnsafeRawPointer, _ gx: UnsafeMutableRawPointer
) {
    let y = y.assumingMemoryBound(to: V.Scalar.self)
    let g = g.assumingMemoryBound(to: V.Scalar.self)
    let gx = gx.assumingMemoryBound(to: V.Scalar.self)
    let zero = V(0.0)
    eachProblem(
        V.self, outer, n, inner,
        row: { base in
            let q = g + base
            let s = V(sumScalar(q, n, V.self))
            mapRow(V.self, n, gx + base) { i, c in
                V.fma(V.exp(loadSome(y + base + i, c, zero)).negated, s, loadSome(q + i, c, zero))
            }
        },
        column: { base, count in
            let q = g + base
            let s = foldColumn(SumFold.self, n) { loadSome(q + $0 &* inner, count, zero) }
            for i in 0..<n {
                let at = i &* inner
                storeSome(
                    V.fma(V.exp(loadSome(y + base + at, count, zero)).negated, s, loadSome(q + at, count, zero)), gx + base + at, count)
            }
        })
}
