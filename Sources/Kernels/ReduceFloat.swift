import KernelABI

// Reductions of floats over the middle of [outer, n, inner].

@inline(__always)
func sumScalar<V: Vector>(_ p: UnsafePointer<V.Scalar>, _ n: Int, _: V.Type) -> V.Scalar {
    foldMemory(SumFold.self, V.self, p, n).sum
}

@inline(__always)
func maxScalar<V: Vector>(_ p: UnsafePointer<V.Scalar>, _ n: Int, _: V.Type) -> V.Scalar {
    MaxFold.collapse(foldMemory(MaxFold.self, V.self, p, n))
}

/// Sum of squared deviations from the mean: one pass for the mean, one for the squares.
@inline(__always)
func reduceM2<V: Vector>(_: V.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
    let size = V(Double(n))
    reduceFloats(
        V.self, outer, n, inner, x, y,
        row: { p, n in
            let mean = V(sumScalar(p, n, V.self)) / size
            return foldRow(SquaresFold.self, n, at: { V.load(p + $0) - mean }, some: { loadSome(p + $0, $1, mean) - mean }).sum
        },
        column: { n, at in
            let mean = foldColumn(SumFold.self, n, at: at) / size
            return foldColumn(SquaresFold.self, n) { at($0) - mean }
        })
}

@inline(__always)
func reduceLogSumExp<V: Vector>(_: V.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
    reduceFloats(
        V.self, outer, n, inner, x, y,
        row: { p, n in
            let m = V(maxScalar(p, n, V.self))
            let shift = finiteOrZero(m)
            let s = sumRow(V.self, n) { i, c in V.exp(loadSome(p + i, c, V.infinity.negated) - shift) }
            return (V.log(V(s)) + shift)[0]
        },
        column: { n, at in
            let m = foldColumn(MaxFold.self, n, at: at)
            let shift = finiteOrZero(m)
            return V.log(foldColumn(SumFold.self, n) { V.exp(at($0) - shift) }) + shift
        })
}

/// What exp's arguments are shifted by: the greatest of them, or 0 where that is infinite.
@inline(__always)
func finiteOrZero<V: Vector>(_ m: V) -> V { V.select(V.equal(m.magnitude, V.infinity), V(0.0), m) }

func reduceFloat(_ op: Int) -> kernel_reduce? {
    switch op {
    case REDUCE_SUM: { outer, n, inner, x, y in reduceSimply(SumFold.self, FloatLanes.self, outer, n, inner, x, y) }
    case REDUCE_PROD: { outer, n, inner, x, y in reduceSimply(ProductFold.self, FloatLanes.self, outer, n, inner, x, y) }
    case REDUCE_MAX: { outer, n, inner, x, y in reduceSimply(MaxFold.self, FloatLanes.self, outer, n, inner, x, y) }
    case REDUCE_MIN: { outer, n, inner, x, y in reduceSimply(MinFold.self, FloatLanes.self, outer, n, inner, x, y) }
    case REDUCE_SUM_SQUARES: { outer, n, inner, x, y in reduceSimply(SquaresFold.self, FloatLanes.self, outer, n, inner, x, y) }
    case REDUCE_SUM_ABS: { outer, n, inner, x, y in reduceSimply(MagnitudesFold.self, FloatLanes.self, outer, n, inner, x, y) }
    case REDUCE_M2: { outer, n, inner, x, y in reduceM2(FloatLanes.self, outer, n, inner, x, y) }
    case REDUCE_LOGSUMEXP: { outer, n, inner, x, y in reduceLogSumExp(FloatLanes.self, outer, n, inner, x, y) }
    case REDUCE_ARGMAX: { outer, n, inner, x, y in reduceIndex(Float.self, outer, n, inner, x, y) { $0 > $1 || ($0 != $0 && $1 == $1) } }
    case REDUCE_ARGMIN: { outer, n, inner, x, y in reduceIndex(Float.self, outer, n, inner, x, y) { $0 < $1 || ($0 != $0 && $1 == $1) } }
    case REDUCE_ANY: { outer, n, inner, x, y in reduceTruth(Float.self, UInt8.self, outer, n, inner, x, y, 0) { $0 | ($1 != 0 ? 1 : 0) } }
    case REDUCE_ALL: { outer, n, inner, x, y in reduceTruth(Float.self, UInt8.self, outer, n, inner, x, y, 1) { $0 & ($1 != 0 ? 1 : 0) } }
    case REDUCE_COUNT_NONZERO:
        { outer, n, inner, x, y in reduceTruth(Float.self, Int64.self, outer, n, inner, x, y, 0) { $0 &+ ($1 != 0 ? 1 : 0) } }
    default: nil
    }
}
