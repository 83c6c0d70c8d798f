import KernelABI

// The table of reductions of doubles; ReduceFloat.swift says what each is.

func reduceDouble(_ op: Int) -> kernel_reduce? {
    switch op {
    case REDUCE_SUM:
        { outer, n, inner, x, y in
            reduceSimply(
                DoubleLanes.self, outer, n, inner, x, y, identity: 0.0, pad: 0.0, step: { $0 + $1 }, combine: { $0 + $1 }, collapse: { $0.sum })
        }
    case REDUCE_PROD:
        { outer, n, inner, x, y in
            reduceSimply(
                DoubleLanes.self, outer, n, inner, x, y, identity: 1.0, pad: 1.0, step: { $0 * $1 }, combine: { $0 * $1 }, collapse: { $0.product })
        }
    case REDUCE_MAX:
        { outer, n, inner, x, y in
            let low = DoubleLanes.infinity.negated
            reduceSimply(
                DoubleLanes.self, outer, n, inner, x, y, identity: low, pad: low, step: { DoubleLanes.max($0, $1) },
                combine: { DoubleLanes.max($0, $1) }, collapse: { greatest($0) })
        }
    case REDUCE_MIN:
        { outer, n, inner, x, y in
            let high = DoubleLanes.infinity
            reduceSimply(
                DoubleLanes.self, outer, n, inner, x, y, identity: high, pad: high, step: { DoubleLanes.min($0, $1) },
                combine: { DoubleLanes.min($0, $1) }, collapse: { least($0) })
        }
    case REDUCE_SUM_SQUARES:
        { outer, n, inner, x, y in
            reduceSimply(
                DoubleLanes.self, outer, n, inner, x, y, identity: 0.0, pad: 0.0, step: { DoubleLanes.fma($1, $1, $0) },
                combine: { $0 + $1 }, collapse: { $0.sum })
        }
    case REDUCE_SUM_ABS:
        { outer, n, inner, x, y in
            reduceSimply(
                DoubleLanes.self, outer, n, inner, x, y, identity: 0.0, pad: 0.0, step: { $0 + $1.magnitude },
                combine: { $0 + $1 }, collapse: { $0.sum })
        }
    case REDUCE_M2: { outer, n, inner, x, y in reduceM2(DoubleLanes.self, outer, n, inner, x, y) }
    case REDUCE_LOGSUMEXP: { outer, n, inner, x, y in reduceLogSumExp(DoubleLanes.self, outer, n, inner, x, y) }
    case REDUCE_ARGMAX: { outer, n, inner, x, y in reduceIndex(Double.self, outer, n, inner, x, y) { $0 > $1 || ($0 != $0 && $1 == $1) } }
    case REDUCE_ARGMIN: { outer, n, inner, x, y in reduceIndex(Double.self, outer, n, inner, x, y) { $0 < $1 || ($0 != $0 && $1 == $1) } }
    case REDUCE_ANY: { outer, n, inner, x, y in reduceTruth(Double.self, UInt8.self, outer, n, inner, x, y, 0) { $0 | ($1 != 0 ? 1 : 0) } }
    case REDUCE_ALL: { outer, n, inner, x, y in reduceTruth(Double.self, UInt8.self, outer, n, inner, x, y, 1) { $0 & ($1 != 0 ? 1 : 0) } }
    case REDUCE_COUNT_NONZERO:
        { outer, n, inner, x, y in reduceTruth(Double.self, Int64.self, outer, n, inner, x, y, 0) { $0 &+ ($1 != 0 ? 1 : 0) } }
    default: nil
    }
}
