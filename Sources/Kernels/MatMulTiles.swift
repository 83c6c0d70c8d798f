// The shapes of a product's tiles.

/// A tile's shape, as a type: every shape gets code of its own.
protocol TileShape {
    static var rows: Int { get }  // 1 ... 12
    static var vectors: Int { get }  // 1 or 2
}

enum Tile4x1: TileShape {
    @inline(__always) static var rows: Int { 4 }
    @inline(__always) static var vectors: Int { 1 }
}
enum Tile2x1: TileShape {
    @inline(__always) static var rows: Int { 2 }
    @inline(__always) static var vectors: Int { 1 }
}
enum Tile1x1: TileShape {
    @inline(__always) static var rows: Int { 1 }
    @inline(__always) static var vectors: Int { 1 }
}
#if HOST_WIDE_TILE
    enum Tile12x2: TileShape {
        @inline(__always) static var rows: Int { 12 }
        @inline(__always) static var vectors: Int { 2 }
    }
    enum Tile12x1: TileShape {
        @inline(__always) static var rows: Int { 12 }
        @inline(__always) static var vectors: Int { 1 }
    }
    enum Tile8x2: TileShape {
        @inline(__always) static var rows: Int { 8 }
        @inline(__always) static var vectors: Int { 2 }
    }
    enum Tile8x1: TileShape {
        @inline(__always) static var rows: Int { 8 }
        @inline(__always) static var vectors: Int { 1 }
    }
    enum Tile4x2: TileShape {
        @inline(__always) static var rows: Int { 4 }
        @inline(__always) static var vectors: Int { 2 }
    }
    enum Tile2x2: TileShape {
        @inline(__always) static var rows: Int { 2 }
        @inline(__always) static var vectors: Int { 2 }
    }
    enum Tile1x2: TileShape {
        @inline(__always) static var rows: Int { 1 }
        @inline(__always) static var vectors: Int { 2 }
    }
#else
    enum Tile6x1: TileShape {
        @inline(__always) static var rows: Int { 6 }
        @inline(__always) static var vectors: Int { 1 }
    }
#endif

/// What is done by a tile of some shape.
protocol TileCall {
    func run<S: TileShape>(_: S.Type)
}

/// By the tile of as many rows and vectors, which `nextTileRows` gave.
@inline(__always)
func runTile<C: TileCall>(rows: Int, vectors: Int, _ call: C) {
    #if HOST_WIDE_TILE
        switch (rows, vectors) {
        case (12, 2): call.run(Tile12x2.self)
        case (12, 1): call.run(Tile12x1.self)
        case (8, 2): call.run(Tile8x2.self)
        case (8, 1): call.run(Tile8x1.self)
        case (4, 2): call.run(Tile4x2.self)
        case (4, 1): call.run(Tile4x1.self)
        case (2, 2): call.run(Tile2x2.self)
        case (2, 1): call.run(Tile2x1.self)
        case (_, 2): call.run(Tile1x2.self)
        default: call.run(Tile1x1.self)
        }
    #else
        switch rows {
        case 6: call.run(Tile6x1.self)
        case 4: call.run(Tile4x1.self)
        case 2: call.run(Tile2x1.self)
        default: call.run(Tile1x1.self)
        }
    #endif
}

/// Rows of the next tile when `rest` remain.
@inline(__always)
func nextTileRows(_ rest: Int) -> Int {
    if rest >= tileRows { return tileRows }
    #if HOST_WIDE_TILE
        if rest >= 8 { return 8 }
    #endif
    return rest >= 4 ? 4 : (rest >= 2 ? 2 : 1)
}

/// A is packed: its columns lie one after the other.
struct PackedTile<V: Vector>: TileCall {
    var work: TileWork<V>
    var ahead: Ahead
    @inline(never) func run<S: TileShape>(_: S.Type) { tile(S.self, work, 1, S.rows, ahead: ahead, apart: false) }
}

/// A is read where it is.
struct DirectTile<V: Vector>: TileCall {
    var work: TileWork<V>
    var aRow: Int, aStep: Int
    var ahead: Ahead
    @inline(never) func run<S: TileShape>(_: S.Type) { tile(S.self, work, aRow, aStep, ahead: ahead, apart: true) }
}
