import KernelABI

// The table of reductions of doubles; ReduceFloat.swift says what each is.

func reduceDouble(_ op: Int) -> kernel_reduce? {
    switch op {
    case REDUCE_SUM: { outer, n, inner, x, y in reduceSimply(SumFold.self, DoubleLanes.self, outer, n, inner, x, y) }
    case REDUCE_PROD: { outer, n, inner, x, y in reduceSimply(ProductFold.self, DoubleLanes.self, outer, n, inner, x, y) }
    case REDUCE_MAX: { outer, n, inner, x, y in reduceSimply(MaxFold.self, DoubleLanes.self, outer, n, inner, x, y) }
    case REDUCE_MIN: { outer, n, inner, x, y in reduceSimply(MinFold.self, DoubleLanes.self, outer, n, inner, x, y) }
    case REDUCE_SUM_SQUARES: { outer, n, inner, x, y in reduceSimply(SquaresFold.self, DoubleLanes.self, outer, n, inner, x, y) }
    case REDUCE_SUM_ABS: { outer, n, inner, x, y in reduceSimply(MagnitudesFold.self, DoubleLanes.self, outer, n, inner, x, y) }
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
