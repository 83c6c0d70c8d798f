import KernelABI

// The products inside a recurrent layer: rows of A that lie in a few pieces, a weight in panels that serves many steps.
// (MatMul would lay it out again for each.)

/// Where a tile finds its rows of A: element (i, k) of piece s is base[s * skip + i * row + k * step].
struct StepRows<V: Vector> {
    var base: UnsafePointer<V.Scalar>
    var row: Int
    var step = 1
    var depth: Int  // of a piece
    var pieces = 1
    var skip = 0
    @inline(__always) func moved(_ rows: Int) -> StepRows {
        var moved = self
        moved.base += rows &* row
        return moved
    }
}

/// What a tile's chains begin with (a row of vectors each, `fromRow` apart; 0: the same for all) and where they go.
struct StepTarget<V: Vector> {
    var from: UnsafePointer<V.Scalar>
    var fromRow = 0
    var to: UnsafeMutablePointer<V.Scalar>
    var row: Int
    var adds = false  // to what is there
    @inline(__always) func moved(_ rows: Int) -> StepTarget {
        var moved = self
        moved.from += rows &* fromRow
        moved.to += rows &* row
        return moved
    }
}

/// Columns of a tile and of a panel.
@inline(__always) func stepWidth<V: Vector>(_: V.Type) -> Int { tileVectors &* V.lanes }

/// One row of a tile.
struct StepSums<V: Vector> {
    var a: V, b: V
    @inline(__always) init(_ p: UnsafePointer<V.Scalar>) {
        a = V.load(p)
        b = tileVectors > 1 ? V.load(p + V.lanes) : a
    }
    @inline(__always) mutating func add(_ e: V.Scalar, _ p: V, _ q: V) {
        let e = V(e)
        a = V.fma(e, p, a)
        if tileVectors > 1 { b = V.fma(e, q, b) }
    }
    @inline(__always) func store(_ p: UnsafeMutablePointer<V.Scalar>, _ adds: Bool) {
        if adds {
            (a + V.load(UnsafePointer(p))).store(p)
            if tileVectors > 1 { (b + V.load(UnsafePointer(p + V.lanes))).store(p + V.lanes) }
        } else {
            a.store(p)
            if tileVectors > 1 { b.store(p + V.lanes) }
        }
    }
}

/// to = from + A0 B0 + A1 B1 for `rows` rows (1 ... tileRows, a constant at every call); the panel holds B0 and then B1.
/// Each element is one chain of fused multiply-adds in the order of k, whatever the tile.
@inline(__always)
func stepTile<V: Vector>(
    _: V.Type, rows: Int, _ first: StepRows<V>, _ second: StepRows<V>, _ panel: UnsafePointer<V.Scalar>, _ c: StepTarget<V>
) {
    var r0 = StepSums<V>(c.from + 0 &* c.fromRow)
    var r1 = rows > 1 ? StepSums<V>(c.from + 1 &* c.fromRow) : r0
    var r2 = rows > 2 ? StepSums<V>(c.from + 2 &* c.fromRow) : r0
    var r3 = rows > 3 ? StepSums<V>(c.from + 3 &* c.fromRow) : r0
    var r4 = rows > 4 ? StepSums<V>(c.from + 4 &* c.fromRow) : r0
    var r5 = rows > 5 ? StepSums<V>(c.from + 5 &* c.fromRow) : r0
    var r6 = rows > 6 ? StepSums<V>(c.from + 6 &* c.fromRow) : r0
    var r7 = rows > 7 ? StepSums<V>(c.from + 7 &* c.fromRow) : r0
    var r8 = rows > 8 ? StepSums<V>(c.from + 8 &* c.fromRow) : r0
    var r9 = rows > 9 ? StepSums<V>(c.from + 9 &* c.fromRow) : r0
    var r10 = rows > 10 ? StepSums<V>(c.from + 10 &* c.fromRow) : r0
    var r11 = rows > 11 ? StepSums<V>(c.from + 11 &* c.fromRow) : r0
    var b = panel
    for part in 0..<2 {
        let x = part == 0 ? first : second
        let width = x.row
        for piece in 0..<x.pieces {
            // Every third row by an address of its own: the two after it are at one and two times the width from there.
            var a = x.base + piece &* x.skip
            var a3 = a + 3 &* width
            var a6 = a + 6 &* width
            var a9 = a + 9 &* width
            var k = 0
            while k < x.depth {
                let p = V.load(b)
                let q = tileVectors > 1 ? V.load(b + V.lanes) : p
                r0.add(a[0], p, q)
                if rows > 1 { r1.add(a[width], p, q) }
                if rows > 2 { r2.add(a[2 &* width], p, q) }
                if rows > 3 { r3.add(a3[0], p, q) }
                if rows > 4 { r4.add(a3[width], p, q) }
                if rows > 5 { r5.add(a3[2 &* width], p, q) }
                if rows > 6 { r6.add(a6[0], p, q) }
                if rows > 7 { r7.add(a6[width], p, q) }
                if rows > 8 { r8.add(a6[2 &* width], p, q) }
                if rows > 9 { r9.add(a9[0], p, q) }
                if rows > 10 { r10.add(a9[width], p, q) }
                if rows > 11 { r11.add(a9[2 &* width], p, q) }
                a = nextStep(a, x.step, true)
                a3 = nextStep(a3, x.step, rows > 3)
                a6 = nextStep(a6, x.step, rows > 6)
                a9 = nextStep(a9, x.step, rows > 9)
                b += stepWidth(V.self)
                k &+= 1
            }
        }
    }
    r0.store(c.to + 0 &* c.row, c.adds)
    if rows > 1 { r1.store(c.to + 1 &* c.row, c.adds) }
    if rows > 2 { r2.store(c.to + 2 &* c.row, c.adds) }
    if rows > 3 { r3.store(c.to + 3 &* c.row, c.adds) }
    if rows > 4 { r4.store(c.to + 4 &* c.row, c.adds) }
    if rows > 5 { r5.store(c.to + 5 &* c.row, c.adds) }
    if rows > 6 { r6.store(c.to + 6 &* c.row, c.adds) }
    if rows > 7 { r7.store(c.to + 7 &* c.row, c.adds) }
    if rows > 8 { r8.store(c.to + 8 &* c.row, c.adds) }
    if rows > 9 { r9.store(c.to + 9 &* c.row, c.adds) }
    if rows > 10 { r10.store(c.to + 10 &* c.row, c.adds) }
    if rows > 11 { r11.store(c.to + 11 &* c.row, c.adds) }
}

@inline(never) func stepTile1<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 1, x, y, b, c)
}
@inline(never) func stepTile2<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 2, x, y, b, c)
}
@inline(never) func stepTile3<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 3, x, y, b, c)
}
@inline(never) func stepTile4<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 4, x, y, b, c)
}
@inline(never) func stepTile5<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 5, x, y, b, c)
}
@inline(never) func stepTile6<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 6, x, y, b, c)
}
#if HOST_WIDE_TILE
@inline(never) func stepTile7<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 7, x, y, b, c)
}
@inline(never) func stepTile8<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 8, x, y, b, c)
}
@inline(never) func stepTile9<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 9, x, y, b, c)
}
@inline(never) func stepTile10<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 10, x, y, b, c)
}
@inline(never) func stepTile11<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 11, x, y, b, c)
}
@inline(never) func stepTile12<V: Vector>(_: V.Type, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    stepTile(V.self, rows: 12, x, y, b, c)
}
#endif

/// The tile of `rows` rows.
@inline(__always)
func stepTile<V: Vector>(_: V.Type, _ rows: Int, _ x: StepRows<V>, _ y: StepRows<V>, _ b: UnsafePointer<V.Scalar>, _ c: StepTarget<V>) {
    switch rows {
    case 1: stepTile1(V.self, x, y, b, c)
    case 2: stepTile2(V.self, x, y, b, c)
    case 3: stepTile3(V.self, x, y, b, c)
    case 4: stepTile4(V.self, x, y, b, c)
    case 5: stepTile5(V.self, x, y, b, c)
    #if HOST_WIDE_TILE
        case 6: stepTile6(V.self, x, y, b, c)
        case 7: stepTile7(V.self, x, y, b, c)
        case 8: stepTile8(V.self, x, y, b, c)
        case 9: stepTile9(V.self, x, y, b, c)
        case 10: stepTile10(V.self, x, y, b, c)
        case 11: stepTile11(V.self, x, y, b, c)
        default: stepTile12(V.self, x, y, b, c)
    #else
        default: stepTile6(V.self, x, y, b, c)
    #endif
    }
}

/// How many of `left` rows the next tile takes: all tiles are of nearly the same height.
@inline(__always)
func stepHeight(_ left: Int) -> Int {
    let tiles = (left &+ tileRows &- 1) / tileRows
    return (left &+ tiles &- 1) / tiles
}
