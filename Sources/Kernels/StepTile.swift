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

/// to = from + A0 B0 + A1 B1 for `rows` rows (1 ... tileRows, a constant at every call); the panel holds B0 and then B1.
/// Each element is one chain of fused multiply-adds in the order of k, whatever the tile.
@inline(__always)
func stepTile<V: Vector>(
    _: V.Type, rows: Int, _ first: StepRows<V>, _ second: StepRows<V>, _ panel: UnsafePointer<V.Scalar>, _ c: StepTarget<V>
) {
    var sums = TileSums<V>(c.from, c.fromRow, rows: rows, tileVectors)
    var b = panel
    let width = stepWidth(V.self)
    for part in 0..<2 {
        let x = part == 0 ? first : second
        for piece in 0..<x.pieces {
            var a = TileColumn<V>(x.base + piece &* x.skip, x.row)
            var k = 0
            // See `tile`.
            while k &+ 4 <= x.depth {
                sums.add(a, at: 0, b, rows: rows, tileVectors)
                sums.add(a, at: x.step, b + width, rows: rows, tileVectors)
                sums.add(a, at: 2 &* x.step, b + 2 &* width, rows: rows, tileVectors)
                sums.add(a, at: 3 &* x.step, b + 3 &* width, rows: rows, tileVectors)
                a.move(4 &* x.step, rows: rows, apart: true)
                b += 4 &* width
                k &+= 4
            }
            while k < x.depth {
                sums.add(a, at: 0, b, rows: rows, tileVectors)
                a.move(x.step, rows: rows, apart: true)
                b += width
                k &+= 1
            }
        }
    }
    if c.adds { sums.add(to: UnsafePointer(c.to), c.row, rows: rows, tileVectors) }
    sums.store(c.to, c.row, rows: rows, tileVectors)
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
