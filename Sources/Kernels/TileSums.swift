import KernelABI

/// A row of a tile: one or two vectors.
struct TileRow<V: Vector> {
    var a: V, b: V

    @inline(__always) init() {
        a = V(0.0)
        b = a
    }
    @inline(__always) init(_ p: UnsafePointer<V.Scalar>, _ vectors: Int) {
        a = V.load(p)
        b = vectors > 1 ? V.load(p + V.lanes) : a
    }
    @inline(__always) mutating func add(_ e: V.Scalar, _ b: TileRow, _ vectors: Int) {
        let e = V(e)
        a = V.fma(e, b.a, a)
        if vectors > 1 { self.b = V.fma(e, b.b, self.b) }
    }
    /// What lies at p comes first.
    @inline(__always) mutating func add(to p: UnsafePointer<V.Scalar>, _ vectors: Int) {
        a = V.load(p) + a
        if vectors > 1 { b = V.load(p + V.lanes) + b }
    }
    @inline(__always) func store(_ p: UnsafeMutablePointer<V.Scalar>, _ vectors: Int) {
        a.store(p)
        if vectors > 1 { b.store(p + V.lanes) }
    }
}

/// The sums of a tile. `rows` (1 ... 12) and `vectors` (1 or 2) are constants at every call, so that unused ones vanish.
struct TileSums<V: Vector> {
    var r0 = TileRow<V>(), r1 = TileRow<V>(), r2 = TileRow<V>(), r3 = TileRow<V>()
    var r4 = TileRow<V>(), r5 = TileRow<V>(), r6 = TileRow<V>(), r7 = TileRow<V>()
    var r8 = TileRow<V>(), r9 = TileRow<V>(), r10 = TileRow<V>(), r11 = TileRow<V>()

    @inline(__always) init() {}

    /// Rows that lie `row` apart.
    @inline(__always) init(_ p: UnsafePointer<V.Scalar>, _ row: Int, rows: Int, _ vectors: Int) {
        r0 = TileRow(p, vectors)
        if rows > 1 { r1 = TileRow(p + row, vectors) }
        if rows > 2 { r2 = TileRow(p + 2 &* row, vectors) }
        if rows > 3 { r3 = TileRow(p + 3 &* row, vectors) }
        if rows > 4 { r4 = TileRow(p + 4 &* row, vectors) }
        if rows > 5 { r5 = TileRow(p + 5 &* row, vectors) }
        if rows > 6 { r6 = TileRow(p + 6 &* row, vectors) }
        if rows > 7 { r7 = TileRow(p + 7 &* row, vectors) }
        if rows > 8 { r8 = TileRow(p + 8 &* row, vectors) }
        if rows > 9 { r9 = TileRow(p + 9 &* row, vectors) }
        if rows > 10 { r10 = TileRow(p + 10 &* row, vectors) }
        if rows > 11 { r11 = TileRow(p + 11 &* row, vectors) }
    }

    /// One step of k: element i of A's column is x[i * row + at], B's row is at b.
    @inline(__always)
    mutating func add(_ x: TileColumn<V>, at o: Int, _ b: UnsafePointer<V.Scalar>, rows: Int, _ vectors: Int) {
        let row = x.row
        let b = TileRow<V>(b, vectors)
        r0.add(x.a[o], b, vectors)
        if rows > 1 { r1.add(x.a[row &+ o], b, vectors) }
        if rows > 2 { r2.add(x.a[2 &* row &+ o], b, vectors) }
        if rows > 3 { r3.add(x.a3[o], b, vectors) }
        if rows > 4 { r4.add(x.a3[row &+ o], b, vectors) }
        if rows > 5 { r5.add(x.a3[2 &* row &+ o], b, vectors) }
        if rows > 6 { r6.add(x.a6[o], b, vectors) }
        if rows > 7 { r7.add(x.a6[row &+ o], b, vectors) }
        if rows > 8 { r8.add(x.a6[2 &* row &+ o], b, vectors) }
        if rows > 9 { r9.add(x.a9[o], b, vectors) }
        if rows > 10 { r10.add(x.a9[row &+ o], b, vectors) }
        if rows > 11 { r11.add(x.a9[2 &* row &+ o], b, vectors) }
    }

    /// What lies at p, in rows `row` apart, comes first.
    @inline(__always) mutating func add(to p: UnsafePointer<V.Scalar>, _ row: Int, rows: Int, _ vectors: Int) {
        r0.add(to: p, vectors)
        if rows > 1 { r1.add(to: p + row, vectors) }
        if rows > 2 { r2.add(to: p + 2 &* row, vectors) }
        if rows > 3 { r3.add(to: p + 3 &* row, vectors) }
        if rows > 4 { r4.add(to: p + 4 &* row, vectors) }
        if rows > 5 { r5.add(to: p + 5 &* row, vectors) }
        if rows > 6 { r6.add(to: p + 6 &* row, vectors) }
        if rows > 7 { r7.add(to: p + 7 &* row, vectors) }
        if rows > 8 { r8.add(to: p + 8 &* row, vectors) }
        if rows > 9 { r9.add(to: p + 9 &* row, vectors) }
        if rows > 10 { r10.add(to: p + 10 &* row, vectors) }
        if rows > 11 { r11.add(to: p + 11 &* row, vectors) }
    }

    @inline(__always) func store(_ p: UnsafeMutablePointer<V.Scalar>, _ row: Int, rows: Int, _ vectors: Int) {
        r0.store(p, vectors)
        if rows > 1 { r1.store(p + row, vectors) }
        if rows > 2 { r2.store(p + 2 &* row, vectors) }
        if rows > 3 { r3.store(p + 3 &* row, vectors) }
        if rows > 4 { r4.store(p + 4 &* row, vectors) }
        if rows > 5 { r5.store(p + 5 &* row, vectors) }
        if rows > 6 { r6.store(p + 6 &* row, vectors) }
        if rows > 7 { r7.store(p + 7 &* row, vectors) }
        if rows > 8 { r8.store(p + 8 &* row, vectors) }
        if rows > 9 { r9.store(p + 9 &* row, vectors) }
        if rows > 10 { r10.store(p + 10 &* row, vectors) }
        if rows > 11 { r11.store(p + 11 &* row, vectors) }
    }
}

/// A column of A by the addresses of every third row: the two after it are at one and two times `row` from there.
struct TileColumn<V: Vector> {
    var a: UnsafePointer<V.Scalar>, a3: UnsafePointer<V.Scalar>, a6: UnsafePointer<V.Scalar>, a9: UnsafePointer<V.Scalar>
    let row: Int

    @inline(__always) init(_ a: UnsafePointer<V.Scalar>, _ row: Int) {
        self.a = a
        a3 = a + 3 &* row
        a6 = a + 6 &* row
        a9 = a + 9 &* row
        self.row = row
    }

    /// - Parameter apart: whether each address is counted up by itself, not by way of the others.
    @inline(__always) mutating func move(_ step: Int, rows: Int, apart: Bool) {
        a = nextStep(a, step, apart)
        a3 = nextStep(a3, step, apart && rows > 3)
        a6 = nextStep(a6, step, apart && rows > 6)
        a9 = nextStep(a9, step, apart && rows > 9)
    }
}

@inline(__always)
func nextStep<T>(_ a: UnsafePointer<T>, _ step: Int, _ apart: Bool) -> UnsafePointer<T> {
    apart ? kernel_apart(a + step).assumingMemoryBound(to: T.self) : a + step
}
