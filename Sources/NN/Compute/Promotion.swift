extension Tensor {
    /// The dtype that an operation on both computes in, as in `torch.result_type`: a tensor with
    /// dimensions outranks a 0-d tensor, which outranks a script's number, unless the lesser one is
    /// of a higher category (bool, integer, floating point).
    static func resultType(_ a: Tensor, _ b: Tensor) -> DType {
        if a.dtype == b.dtype { return a.dtype }
        let (pa, pb) = (a.standing, b.standing)
        if pa == pb { return DType.promote(a.dtype, b.dtype) }
        let (strong, weak) = pa > pb ? (a.dtype, b.dtype) : (b.dtype, a.dtype)
        if weak.category <= strong.category { return strong }
        // A weak float meets integers: the default float type, unless it is a real 0-d float64.
        if weak == .float64, min(pa, pb) == 1 { return .float64 }
        return weak
    }

    private var standing: Int { isWrappedNumber ? 0 : shape.rank == 0 ? 1 : 2 }
}
