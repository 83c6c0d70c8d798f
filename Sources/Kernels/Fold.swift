import KernelABI

// Reductions in an order that depends on sizes alone: lanes run in parallel within a block of
// KERNEL_BLOCK elements, then the blocks' results are added up in groups of 64, groups of groups, ...

/// A way to fold vectors into one and that into a number. A type, not closures: the compiler calls a closure that is used in
/// several places through memory, ten times as slowly.
protocol Folding {
    /// What changes nothing; lanes that are not there hold it.
    static func identity<V: Vector>(_: V.Type) -> V
    /// Takes an element in.
    static func step<V: Vector>(_ folded: V, _ x: V) -> V
    /// Joins two results.
    static func combine<V: Vector>(_ a: V, _ b: V) -> V
    static func collapse<V: Vector>(_ folded: V) -> V.Scalar
}

enum SumFold: Folding {
    @inline(__always) static func identity<V: Vector>(_: V.Type) -> V { V(0.0) }
    @inline(__always) static func step<V: Vector>(_ folded: V, _ x: V) -> V { folded + x }
    @inline(__always) static func combine<V: Vector>(_ a: V, _ b: V) -> V { a + b }
    @inline(__always) static func collapse<V: Vector>(_ folded: V) -> V.Scalar { folded.sum }
}

/// Sums squares.
enum SquaresFold: Folding {
    @inline(__always) static func identity<V: Vector>(_: V.Type) -> V { V(0.0) }
    @inline(__always) static func step<V: Vector>(_ folded: V, _ x: V) -> V { V.fma(x, x, folded) }
    @inline(__always) static func combine<V: Vector>(_ a: V, _ b: V) -> V { a + b }
    @inline(__always) static func collapse<V: Vector>(_ folded: V) -> V.Scalar { folded.sum }
}

/// Sums magnitudes.
enum MagnitudesFold: Folding {
    @inline(__always) static func identity<V: Vector>(_: V.Type) -> V { V(0.0) }
    @inline(__always) static func step<V: Vector>(_ folded: V, _ x: V) -> V { folded + x.magnitude }
    @inline(__always) static func combine<V: Vector>(_ a: V, _ b: V) -> V { a + b }
    @inline(__always) static func collapse<V: Vector>(_ folded: V) -> V.Scalar { folded.sum }
}

enum ProductFold: Folding {
    @inline(__always) static func identity<V: Vector>(_: V.Type) -> V { V(1.0) }
    @inline(__always) static func step<V: Vector>(_ folded: V, _ x: V) -> V { folded * x }
    @inline(__always) static func combine<V: Vector>(_ a: V, _ b: V) -> V { a * b }
    @inline(__always) static func collapse<V: Vector>(_ folded: V) -> V.Scalar { folded.product }
}

/// The greatest; a NaN wins.
enum MaxFold: Folding {
    @inline(__always) static func identity<V: Vector>(_: V.Type) -> V { V.infinity.negated }
    @inline(__always) static func step<V: Vector>(_ folded: V, _ x: V) -> V { V.max(folded, x) }
    @inline(__always) static func combine<V: Vector>(_ a: V, _ b: V) -> V { V.max(a, b) }
    @inline(__always) static func collapse<V: Vector>(_ folded: V) -> V.Scalar { V.anyLane(folded.isNaN) ? V.scalar(.nan) : folded.maximum }
}

/// The least; a NaN wins.
enum MinFold: Folding {
    @inline(__always) static func identity<V: Vector>(_: V.Type) -> V { V.infinity }
    @inline(__always) static func step<V: Vector>(_ folded: V, _ x: V) -> V { V.min(folded, x) }
    @inline(__always) static func combine<V: Vector>(_ a: V, _ b: V) -> V { V.min(a, b) }
    @inline(__always) static func collapse<V: Vector>(_ folded: V) -> V.Scalar { V.anyLane(folded.isNaN) ? V.scalar(.nan) : folded.minimum }
}

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
/// that the pad does not matter), into one vector.
@inline(__always)
func foldRow<F: Folding, V: Vector>(_: F.Type, _ n: Int, at: (Int) -> V, some: (Int, Int) -> V) -> V {
    let identity = F.identity(V.self)
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
            a = F.step(a, at(i))
            b = F.step(b, at(i &+ V.lanes))
            c = F.step(c, at(i &+ 2 &* V.lanes))
            d = F.step(d, at(i &+ 3 &* V.lanes))
            i &+= 4 &* V.lanes
        }
        while i < end {
            a = F.step(a, some(i, min(V.lanes, end &- i)))
            i &+= V.lanes
        }
        let block = F.combine(F.combine(a, b), F.combine(c, d))
        if n <= Int(KERNEL_BLOCK) { return block }
        tree.add(block) { F.combine($0, $1) }
        start = end
    }
    return tree.total { F.combine($0, $1) }
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
func foldColumn<F: Folding, V: Vector>(_: F.Type, _ n: Int, at: (Int) -> V) -> V {
    let identity = F.identity(V.self)
    var tree = FoldTree(identity)
    var start = 0
    while start < n {
        let end = min(start &+ 64, n)
        var a = identity
        var i = start
        while i < end {
            a = F.step(a, at(i))
            i &+= 1
        }
        if n <= 64 { return a }
        tree.add(a) { F.combine($0, $1) }
        start = end
    }
    return tree.total { F.combine($0, $1) }
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

/// A reduction that is one fold: both directions from the same parts.
@inline(__always)
func reduceSimply<F: Folding, V: Vector>(
    _: F.Type, _: V.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer
) {
    reduceFloats(
        V.self, outer, n, inner, x, y, row: { p, n in F.collapse(foldMemory(F.self, V.self, p, n)) },
        column: { n, at in foldColumn(F.self, n, at: at) })
}

/// n elements that lie one after the other. What comes next is fetched ahead: the CPU's own fetching stops at every page.
@inline(__always)
func foldMemory<F: Folding, V: Vector>(_: F.Type, _: V.Type, _ p: UnsafePointer<V.Scalar>, _ n: Int) -> V {
    foldRow(
        F.self, n,
        at: {
            kernel_prefetch(p + ($0 &+ 32 &* V.lanes))
            return V.load(p + $0)
        }, some: { loadSome(p + $0, $1, F.identity(V.self)) })
}
