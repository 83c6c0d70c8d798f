import KernelABI

// The tiles of a matrix product by their number of rows and vectors.

/// Rows of the next tile when `rest` remain.
@inline(__always)
func nextTileRows(_ rest: Int) -> Int {
    if rest >= tileRows { return tileRows }
    #if HOST_WIDE_TILE
        if rest >= 8 { return 8 }
    #endif
    return rest >= 4 ? 4 : (rest >= 2 ? 2 : 1)
}

@inline(__always)
func packedTile<V: Vector>(
    _: V.Type, rows: Int, vectors: Int, depth: Int, _ a: UnsafePointer<V.Scalar>,
    _ b: UnsafePointer<V.Scalar>, _ bStep: Int,
    _ ahead: Ahead,
    _ c: UnsafeMutablePointer<V.Scalar>, _ cRow: Int, _ f: TileFinish<V>
) {
    #if HOST_WIDE_TILE
        switch (rows, vectors) {
        case (12, 2): tile(V.self, rows: 12, vectors: 2, depth: depth, a, 1, 12, b, bStep, ahead: ahead, c, cRow, f)
        case (12, 1): tile(V.self, rows: 12, vectors: 1, depth: depth, a, 1, 12, b, bStep, ahead: ahead, c, cRow, f)
        case (8, 2): tile(V.self, rows: 8, vectors: 2, depth: depth, a, 1, 8, b, bStep, ahead: ahead, c, cRow, f)
        case (8, 1): tile(V.self, rows: 8, vectors: 1, depth: depth, a, 1, 8, b, bStep, ahead: ahead, c, cRow, f)
        case (4, 2): tile(V.self, rows: 4, vectors: 2, depth: depth, a, 1, 4, b, bStep, ahead: ahead, c, cRow, f)
        case (4, 1): tile(V.self, rows: 4, vectors: 1, depth: depth, a, 1, 4, b, bStep, ahead: ahead, c, cRow, f)
        case (2, 2): tile(V.self, rows: 2, vectors: 2, depth: depth, a, 1, 2, b, bStep, ahead: ahead, c, cRow, f)
        case (2, 1): tile(V.self, rows: 2, vectors: 1, depth: depth, a, 1, 2, b, bStep, ahead: ahead, c, cRow, f)
        case (_, 2): tile(V.self, rows: 1, vectors: 2, depth: depth, a, 1, 1, b, bStep, ahead: ahead, c, cRow, f)
        default: tile(V.self, rows: 1, vectors: 1, depth: depth, a, 1, 1, b, bStep, ahead: ahead, c, cRow, f)
        }
    #else
        switch rows {
        case 6: tile(V.self, rows: 6, vectors: 1, depth: depth, a, 1, 6, b, bStep, ahead: ahead, c, cRow, f)
        case 4: tile(V.self, rows: 4, vectors: 1, depth: depth, a, 1, 4, b, bStep, ahead: ahead, c, cRow, f)
        case 2: tile(V.self, rows: 2, vectors: 1, depth: depth, a, 1, 2, b, bStep, ahead: ahead, c, cRow, f)
        default: tile(V.self, rows: 1, vectors: 1, depth: depth, a, 1, 1, b, bStep, ahead: ahead, c, cRow, f)
        }
    #endif
}

@inline(__always)
func directTile<V: Vector>(
    _: V.Type, rows: Int, vectors: Int, depth: Int, _ a: UnsafePointer<V.Scalar>, _ aRow: Int, _ aStep: Int,
    _ b: UnsafePointer<V.Scalar>, _ bStep: Int,
    _ ahead: Ahead,
    _ c: UnsafeMutablePointer<V.Scalar>, _ cRow: Int, _ f: TileFinish<V>
) {
    #if HOST_WIDE_TILE
        switch (rows, vectors) {
        case (12, 2): tile(V.self, rows: 12, vectors: 2, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        case (12, 1): tile(V.self, rows: 12, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        case (8, 2): tile(V.self, rows: 8, vectors: 2, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        case (8, 1): tile(V.self, rows: 8, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        case (4, 2): tile(V.self, rows: 4, vectors: 2, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        case (4, 1): tile(V.self, rows: 4, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        case (2, 2): tile(V.self, rows: 2, vectors: 2, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        case (2, 1): tile(V.self, rows: 2, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        case (_, 2): tile(V.self, rows: 1, vectors: 2, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        default: tile(V.self, rows: 1, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        }
    #else
        switch rows {
        case 6: tile(V.self, rows: 6, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        case 4: tile(V.self, rows: 4, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        case 2: tile(V.self, rows: 2, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        default: tile(V.self, rows: 1, vectors: 1, depth: depth, a, aRow, aStep, b, bStep, ahead: ahead, apart: true, c, cRow, f)
        }
    #endif
}
