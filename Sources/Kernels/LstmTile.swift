import KernelABI

// The products inside a recurrent layer: few rows (one chunk of the batch), a weight that stays the same for all
// steps and is laid out once. (MatMul would lay it out again in every step.)

/// A matrix [depth, columns] as panels of four vectors of columns: row k of panel p is at base + (p depth + k) width.
struct StepPanels<V: Vector> {
    var base: UnsafeMutablePointer<V.Scalar>
    var depth: Int
    @inline(__always) static var width: Int { 4 &* V.lanes }
    @inline(__always) func panel(_ p: Int) -> UnsafeMutablePointer<V.Scalar> { base + p &* depth &* Self.width }
}

/// What a tile multiplies: rows of A, `row` apart, of `depth` elements.
struct StepRows<V: Vector> {
    var base: UnsafePointer<V.Scalar>
    var row: Int
    var depth: Int
}

/// One row of a tile: up to four vectors.
struct StepQuad<V: Vector> {
    var a, b, c, d: V
    @inline(__always) init(_ bias: UnsafePointer<V.Scalar>, _ vectors: Int) {
        a = V.load(bias)
        b = vectors > 1 ? V.load(bias + V.lanes) : a
        c = vectors > 2 ? V.load(bias + 2 &* V.lanes) : a
        d = vectors > 2 ? V.load(bias + 3 &* V.lanes) : a
    }
    @inline(__always) mutating func add(_ e: V.Scalar, _ p: V, _ q: V, _ r: V, _ s: V, _ vectors: Int) {
        let e = V(e)
        a = V.fma(e, p, a)
        if vectors > 1 { b = V.fma(e, q, b) }
        if vectors > 2 {
            c = V.fma(e, r, c)
            d = V.fma(e, s, d)
        }
    }
    @inline(__always)
    func store(_ c0: UnsafeMutablePointer<V.Scalar>, _ step: Int, _ count: Int, _ fewer: Int, _ vectors: Int) {
        StepQuad.store(a, c0, count)
        if vectors > 1 { StepQuad.store(b, c0 + step, count &- fewer) }
        if vectors > 2 {
            StepQuad.store(c, c0 + 2 &* step, count &- 2 &* fewer)
            StepQuad.store(d, c0 + 3 &* step, count &- 3 &* fewer)
        }
    }
    @inline(__always) static func store(_ v: V, _ p: UnsafeMutablePointer<V.Scalar>, _ count: Int) {
        if count > 0 { storeSome(v, p, count) }
    }
}

/// Where a tile goes: row i, vector v to base + i row + v step; of vector v the first count - v fewer columns exist.
struct StepTarget<V: Vector> {
    var base: UnsafeMutablePointer<V.Scalar>
    var row: Int
    var step: Int
    var count: Int
    var fewer: Int
}

/// bias + A0 B0 + A1 B1 for `rows` rows (1 ... 6) and `vectors` vectors (2 or 4), both constants at every call. Each
/// element is one chain of fused multiply-adds in the order of k, whatever the tile.
@inline(__always)
func stepTile<V: Vector>(
    _: V.Type, rows: Int, vectors: Int, _ bias: UnsafePointer<V.Scalar>, _ first: StepRows<V>, _ second: StepRows<V>,
    _ panel: UnsafePointer<V.Scalar>, _ to: StepTarget<V>
) {
    var r0 = StepQuad<V>(bias, vectors)
    var r1 = r0
    var r2 = r0
    var r3 = r0
    var r4 = r0
    var r5 = r0
    var b = panel
    for part in 0..<2 {
        let x = part == 0 ? first : second
        var a = x.base
        let end = a + x.depth
        while a < end {
            let p = V.load(b)
            let q = V.load(b + V.lanes)
            let r = vectors > 2 ? V.load(b + 2 &* V.lanes) : p
            let s = vectors > 2 ? V.load(b + 3 &* V.lanes) : p
            r0.add(a[0], p, q, r, s, vectors)
            if rows > 1 { r1.add(a[x.row], p, q, r, s, vectors) }
            if rows > 2 { r2.add(a[2 &* x.row], p, q, r, s, vectors) }
            if rows > 3 { r3.add(a[3 &* x.row], p, q, r, s, vectors) }
            if rows > 4 { r4.add(a[4 &* x.row], p, q, r, s, vectors) }
            if rows > 5 { r5.add(a[5 &* x.row], p, q, r, s, vectors) }
            a += 1
            b += 4 &* V.lanes
        }
    }
    r0.store(to.base, to.step, to.count, to.fewer, vectors)
    if rows > 1 { r1.store(to.base + to.row, to.step, to.count, to.fewer, vectors) }
    if rows > 2 { r2.store(to.base + 2 &* to.row, to.step, to.count, to.fewer, vectors) }
    if rows > 3 { r3.store(to.base + 3 &* to.row, to.step, to.count, to.fewer, vectors) }
    if rows > 4 { r4.store(to.base + 4 &* to.row, to.step, to.count, to.fewer, vectors) }
    if rows > 5 { r5.store(to.base + 5 &* to.row, to.step, to.count, to.fewer, vectors) }
}

/// The tile for all rows of a chunk: in groups of nearly the same height.
@inline(__always)
func stepRows<V: Vector>(
    _: V.Type, _ rows: Int, _ bias: UnsafePointer<V.Scalar>, _ first: StepRows<V>, _ second: StepRows<V>,
    _ panel: UnsafePointer<V.Scalar>, _ to: StepTarget<V>
) {
    #if HOST_WIDE_TILE
        let tallest = 6
    #else
        let tallest = 2
    #endif
    var left = rows
    var i = 0
    while left > 0 {
        let groups = (left &+ tallest &- 1) / tallest
        let n = (left &+ groups &- 1) / groups
        var x = first, y = second, c = to
        x.base += i &* x.row
        y.base += i &* y.row
        c.base += i &* c.row
        #if HOST_WIDE_TILE
            switch n {
            case 1: stepTile(V.self, rows: 1, vectors: 4, bias, x, y, panel, c)
            case 2: stepTile(V.self, rows: 2, vectors: 4, bias, x, y, panel, c)
            case 3: stepTile(V.self, rows: 3, vectors: 4, bias, x, y, panel, c)
            case 4: stepTile(V.self, rows: 4, vectors: 4, bias, x, y, panel, c)
            case 5: stepTile(V.self, rows: 5, vectors: 4, bias, x, y, panel, c)
            default: stepTile(V.self, rows: 6, vectors: 4, bias, x, y, panel, c)
            }
        #else
            for half in 0..<2 {
                let right = half == 1
                var c = c
                let skip = right ? 2 &* V.lanes : 0
                if right {
                    c.base += 2 &* c.step
                    c.count &-= 2 &* c.fewer
                }
                if n == 1 {
                    stepTile(V.self, rows: 1, vectors: 2, bias + skip, x, y, panel + skip, c)
                } else {
                    stepTile(V.self, rows: 2, vectors: 2, bias + skip, x, y, panel + skip, c)
                }
            }
        #endif
        i &+= n
        left &-= n
    }
}
