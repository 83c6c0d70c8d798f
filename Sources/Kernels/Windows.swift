import KernelABI

// Vectors of the 2x2 windows of a plane with even sides.

/// How a vector's windows lie in the plane: side by side, or, where the plane is half a vector wide, in four rows.
struct WindowRows<V: Vector> {
    var w: Int
    var four: Bool

    /// The first, second, third and fourth elements of `count` windows, of which the first is at p. Whole vectors are read where
    /// `left` elements allow it.
    @inline(__always)
    func load(_ p: UnsafePointer<V.Scalar>, _ count: Int, _ left: Int) -> (V, V, V, V) {
        if four {
            // A vector holds a row of first and second elements, then one of third and fourth.
            let (x0, x1) = V.deinterleave(V.load(p), V.load(p + V.lanes))
            let (y0, y1) = V.deinterleave(V.load(p + 2 &* V.lanes), V.load(p + 3 &* V.lanes))
            return (V.evenQuarters(x0, y0), V.evenQuarters(x1, y1), V.oddQuarters(x0, y0), V.oddQuarters(x1, y1))
        }
        let (a0, a1) = pairRow(V.self, p, count, left)
        let (b0, b1) = pairRow(V.self, p + w, count, left &- w)
        return (a0, a1, b0, b1)
    }

    /// The way back.
    @inline(__always)
    func store(_ a0: V, _ a1: V, _ b0: V, _ b1: V, _ p: UnsafeMutablePointer<V.Scalar>, _ count: Int) {
        let (aLow, aHigh) = V.interleave(a0, a1)
        let (bLow, bHigh) = V.interleave(b0, b1)
        if four {
            V.firstHalves(aLow, bLow).store(p)
            V.secondHalves(aLow, bLow).store(p + V.lanes)
            V.firstHalves(aHigh, bHigh).store(p + 2 &* V.lanes)
            V.secondHalves(aHigh, bHigh).store(p + 3 &* V.lanes)
            return
        }
        storeRow(aLow, aHigh, p, 2 &* count)
        storeRow(bLow, bHigh, p + w, 2 &* count)
    }

    @inline(__always)
    private func storeRow(_ low: V, _ high: V, _ p: UnsafeMutablePointer<V.Scalar>, _ count: Int) {
        storeSome(low, p, count)
        if count > V.lanes { storeSome(high, p + V.lanes, count &- V.lanes) }
    }

    /// Which elements of the plane those at `at` (0, 1, w or w + 1) of the windows are; the first window is at `place`.
    @inline(__always)
    func storePositions(_ at: V, _ place: Int, _ index: UnsafeMutablePointer<Int32>, _ count: Int) {
        V.storePositions(four ? at + further : at, Int32(truncatingIfNeeded: place), index, count)
    }

    /// The way back: 0, 1, w or w + 1, something negative in lanes beyond `count`.
    @inline(__always)
    func loadPositions(_ index: UnsafePointer<Int32>, _ place: Int, _ count: Int) -> V {
        let at = V.loadPositions(index, Int32(truncatingIfNeeded: place), count)
        return four ? at - further : at
    }

    /// By how much a window of the second, third and fourth row is further on than if all lay side by side.
    @inline(__always) private var further: V { V.quarters * V(Double(w)) }
}

/// Each vector of windows of a plane: its place among them, its first element's place in the plane, how many there are.
@inline(__always)
func eachWindows<V: Vector>(
    _: V.Type, _ h: Int, _ w: Int, _ body: (_ window: Int, _ place: Int, _ count: Int, _ rows: WindowRows<V>) -> Void
) {
    if 2 &* w == V.lanes && h & 7 == 0 {
        for i in 0..<(h / 8) { body(i &* V.lanes, 4 &* i &* V.lanes, V.lanes, WindowRows(w: w, four: true)) }
        return
    }
    let ow = w / 2
    for oh in 0..<(h / 2) {
        var j = 0
        while j < ow {
            body(oh &* ow &+ j, 2 &* oh &* w &+ 2 &* j, min(V.lanes, ow &- j), WindowRows(w: w, four: false))
            j &+= V.lanes
        }
    }
}
