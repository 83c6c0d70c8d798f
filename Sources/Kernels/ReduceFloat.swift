import KernelABI

// Reductions of floats over the middle of [outer, n, inner].

@inline(__always)
func sumScalar<V: Vector>(_ p: UnsafePointer<V.Scalar>, _ n: Int, _: V.Type) -> V.Scalar {
    foldRow(n, V(0.0), at: { V.load(p + $0) }, some: { loadSome(p + $0, $1, V(0.0)) }, step: { $0 + $1 }, combine: { $0 + $1 }).sum
}

@inline(__always)
func maxScalar<V: Vector>(_ p: UnsafePointer<V.Scalar>, _ n: Int, _: V.Type) -> V.Scalar {
    let low = V.infinity.negated
    return greatest(
        foldRow(n, low, at: { V.load(p + $0) }, some: { loadSome(p + $0, $1, low) }, step: { V.max($0, $1) }, combine: { V.max($0, $1) }))
}

/// The greatest lane; NaN if there is one.
@inline(__always)
func greatest<V: Vector>(_ v: V) -> V.Scalar { V.anyLane(v.isNaN) ? V.scalar(.nan) : v.maximum }
@inline(__always)
func least<V: Vector>(_ v: V) -> V.Scalar { V.anyLane(v.isNaN) ? V.scalar(.nan) : v.minimum }

/// Sum of squared deviations from the mean: one pass for the mean, one for the squares.
@inline(__always)
func reduceM2<V: Vector>(_: V.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer) {
    let size = V(Double(n))
    reduceFloats(
        V.self, outer, n, inner, x, y,
        row: { p, n in
            let mean = V(sumScalar(p, n, V.self)) / size
            return foldRow(
                n, V(0.0), at: { V.load(p + $0) - mean }, some: { loadSome(p + $0, $1, mean) - mean },
                step: { V.fma($1, $1, $0) }, combine: { $0 + $1 }
            ).sum
        },
        column: { n, at in
            let mean = foldColumn(n, V(0.0), at: at, step: { $0 + $1 }, combine: { $0 + $1 }) / size
            return foldColumn(n, V(0.0), at: { at($0) - mean }, step: { V.fma($1, $1, $0) }, combine: { $0 + $1 })
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
            let m = foldColumn(n, V.infinity.negated, at: at, step: { V.max($0, $1) }, combine: { V.max($0, $1) })
            let shift = finiteOrZero(m)
            return V.log(foldColumn(n, V(0.0), at: { V.exp(at($0) - shift) }, step: { $0 + $1 }, combine: { $0 + $1 })) + shift
        })
}

/// What exp's arguments are shifted by: the greatest of them, or 0 where that is infinite.
@inline(__always)
func finiteOrZero<V: Vector>(_ m: V) -> V { V.select(V.equal(m.magnitude, V.infinity), V(0.0), m) }

func reduceFloat(_ op: Int) -> kernel_reduce? {
    switch op {
    case REDUCE_SUM:
        { outer, n, inner, x, y in
            reduceSimply(
                FloatLanes.self, outer, n, inner, x, y, identity: 0.0, pad: 0.0, step: { $0 + $1 }, combine: { $0 + $1 }, collapse: { $0.sum })
        }
    case REDUCE_PROD:
        { outer, n, inner, x, y in
            reduceSimply(
                FloatLanes.self, outer, n, inner, x, y, identity: 1.0, pad: 1.0, step: { $0 * $1 }, combine: { $0 * $1 }, collapse: { $0.product })
        }
    case REDUCE_MAX:
        { outer, n, inner, x, y in
            let low = FloatLanes.infinity.negated
            reduceSimply(
                FloatLanes.self, outer, n, inner, x, y, identity: low, pad: low, step: { FloatLanes.max($0, $1) },
                combine: { FloatLanes.max($0, $1) }, collapse: { greatest($0) })
        }
    case REDUCE_MIN:
        { outer, n, inner, x, y in
            let high = FloatLanes.infinity
            reduceSimply(
                FloatLanes.self, outer, n, inner, x, y, identity: high, pad: high, step: { FloatLanes.min($0, $1) },
                combine: { FloatLanes.min($0, $1) }, collapse: { least($0) })
        }
    case REDUCE_SUM_SQUARES:
        { outer, n, inner, x, y in
            reduceSimply(
                FloatLanes.self, outer, n, inner, x, y, identity: 0.0, pad: 0.0, step: { FloatLanes.fma($1, $1, $0) },
                combine: { $0 + $1 }, collapse: { $0.sum })
        }
    case REDUCE_SUM_ABS:
        { outer, n, inner, x, y in
            reduceSimply(
                FloatLanes.self, outer, n, inner, x, y, identity: 0.0, pad: 0.0, step: { $0 + $1.magnitude },
                combine: { $0 + $1 }, collapse: { $0.sum })
        }
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
