import KernelABI

// Reductions in an order that depends on sizes alone: lanes run in parallel within a block of
// KERNEL_BLOCK elements, then the blocks' results are added up in groups of 64, groups of groups, ...

/// Three levels of partial results; each level takes in at most 64 of the one before (the last any number).
struct FoldTree<V: Vector> {
    var near: V
    var middle: V
    var far: V
    var count = 0
    let identity: V

    @inline(__always) init(_ identity: V) {
        near = identity
        middle = identity
        far = identity
        self.identity = identity
    }
    @inline(__always) mutating func add(_ value: V, _ combine: (V, V) -> V) {
        near = combine(near, value)
        count &+= 1
        if count & 63 == 0 {
            middle = combine(middle, near)
            near = identity
            if count & 4095 == 0 {
                far = combine(far, middle)
                middle = identity
            }
        }
    }
    @inline(__always) func total(_ combine: (V, V) -> V) -> V { combine(combine(far, middle), near) }
}

/// Folds n elements, seen through `at(i)` (a whole vector at element i) and `some(i, count)` (padded so
/// that the pad does not matter), into one vector. `step` takes an element in, `combine` joins results.
@inline(__always)
func foldRow<V: Vector>(
    _ n: Int, _ identity: V, at: (Int) -> V, some: (Int, Int) -> V, step: (V, V) -> V, combine: (V, V) -> V
) -> V {
    var tree = FoldTree(identity)
    var start = 0
    while start < n {
        let end = min(start &+ Int(KERNEL_BLOCK), n)
        var a = identity
        var b = identity
        var c = identity
        var d = identity
        var i = start
        while i &+ 4 &* V.lanes <= end {
            a = step(a, at(i))
            b = step(b, at(i &+ V.lanes))
            c = step(c, at(i &+ 2 &* V.lanes))
            d = step(d, at(i &+ 3 &* V.lanes))
            i &+= 4 &* V.lanes
        }
        while i < end {
            a = step(a, some(i, min(V.lanes, end &- i)))
            i &+= V.lanes
        }
        let block = combine(combine(a, b), combine(c, d))
        if n <= Int(KERNEL_BLOCK) { return block }
        tree.add(block, combine)
        start = end
    }
    return tree.total(combine)
}

/// The sum of `at(i, count)` over n elements, one vector after the other: for what costs more than the sum.
@inline(__always)
func sumRow<V: Vector>(_: V.Type, _ n: Int, _ at: (Int, Int) -> V) -> V.Scalar {
    var tree = FoldTree(V(0.0))
    var acc = V(0.0)
    var i = 0
    // Whole vectors by themselves: `at` is inlined with a count that needs no test.
    while i &+ V.lanes <= n {
        acc = acc + at(i, V.lanes)
        i &+= V.lanes
        if i % Int(KERNEL_BLOCK) == 0 {
            tree.add(acc) { $0 + $1 }
            acc = V(0.0)
        }
    }
    if i < n { acc = acc + at(i, n &- i) }
    return (tree.total { $0 + $1 } + acc).sum
}

/// Folds n rows of one vector each, `at(r)` giving row r: 64 rows in sequence, then as above.
@inline(__always)
func foldColumn<V: Vector>(_ n: Int, _ identity: V, at: (Int) -> V, step: (V, V) -> V, combine: (V, V) -> V) -> V {
    var tree = FoldTree(identity)
    var start = 0
    while start < n {
        let end = min(start &+ 64, n)
        var a = identity
        var i = start
        while i < end {
            a = step(a, at(i))
            i &+= 1
        }
        if n <= 64 { return a }
        tree.add(a, combine)
        start = end
    }
    return tree.total(combine)
}

/// x [outer, n, inner] to y [outer, inner]. `row` folds n contiguous elements to a scalar, `column` n
/// rows `inner` apart to a vector, of which `load` (base, row) gives one row.
@inline(__always)
func reduceFloats<V: Vector>(
    _: V.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer,
    row: (UnsafePointer<V.Scalar>, Int) -> V.Scalar, column: (Int, (Int) -> V) -> V
) {
    let x = x.assumingMemoryBound(to: V.Scalar.self)
    let y = y.assumingMemoryBound(to: V.Scalar.self)
    for o in 0..<outer {
        if inner == 1 {
            y[o] = row(x + o &* n, n)
            continue
        }
        let base = x + o &* n &* inner
        var j = 0
        while j < inner {
            let p = base + j
            let count = inner &- j
            storeSome(column(n) { loadSome(p + $0 &* inner, count, V(0.0)) }, y + o &* inner + j, count)
            j &+= V.lanes
        }
    }
}

/// A reduction that is one fold: both directions from the same parts. `pad` must not change the result.
@inline(__always)
func reduceSimply<V: Vector>(
    _: V.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer,
    identity: V, pad: V, step: (V, V) -> V, combine: (V, V) -> V, collapse: (V) -> V.Scalar
) {
    reduceFloats(
        V.self, outer, n, inner, x, y,
        row: { p, n in
            collapse(
                foldRow(n, identity, at: { V.load(p + $0) }, some: { loadSome(p + $0, $1, pad) }, step: step, combine: combine))
        },
        column: { n, at in foldColumn(n, identity, at: at, step: step, combine: combine) })
}
