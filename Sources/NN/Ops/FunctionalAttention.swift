import KernelABI

/// Scaled dot-product attention.
extension Tensor {
    /// softmax(q k^T scale + mask) v. q [.., L, E], k [.., S, E], v [.., S, V]; gives [.., L, V] and the weights [.., L, S].
    /// - Parameter mask: bool (true: may be looked at) or a floating-point summand, broadcast to [.., L, S].
    static func attention(
        _ q: Tensor, _ k: Tensor, _ v: Tensor, mask: Tensor?, dropout p: Double, causal: Bool, scale: Double?, training: Bool = true,
        name: String = "scaled_dot_product_attention"
    ) throws -> (out: Tensor, weights: Tensor) {
        guard q.rank >= 2, k.rank >= 2, v.rank >= 2, q.shape[q.rank - 1] == k.shape[k.rank - 1], k.shape[k.rank - 2] == v.shape[v.rank - 2]
        else {
            throw TensorError("\(name): expected query [.., L, E], key [.., S, E] and value [.., S, V], got \(q.shape), \(k.shape) and \(v.shape)")
        }
        guard !causal || mask == nil else { throw TensorError("\(name): give either attn_mask or is_causal") }
        let (l, s, e) = (q.shape[q.rank - 2], k.shape[k.rank - 2], q.shape[q.rank - 1])
        let factor = scale ?? 1 / Double(Swift.max(e, 1)).squareRoot()
        // Scaling the query costs L x E multiplications, scaling the scores would cost L x S.
        var scores = try matmul(try q * factor, try k.transpose(-2, -1))
        let allowed = causal ? try lowerTriangle(l, s) : mask
        guard let allowed else { return try weigh(try scores.softmax(-1, log: false), v, p, training) }
        let minus = try wrapped(.double(-.infinity), beside: scores)
        do {
            scores = allowed.dtype == .bool ? try Tensor.where(allowed, scores, minus) : try scores + allowed
        } catch let error as TensorError where error.kind == .value {
            throw TensorError("\(name): attn_mask \(allowed.shape) does not fit scores \(scores.shape): \(error.message)")
        }
        // Rows where nothing may be looked at: zero weights instead of NaN.
        guard scores.count > 0 else { return try weigh(try scores.softmax(-1, log: false), v, p, training) }
        let blind = try scores.detached().extremeValue([scores.rank - 1], keepdim: true, largest: true, name).equalTo(-.infinity)
        let isBlind = try Reduction.run(REDUCE_ANY, blind, Array(0..<blind.rank), keepdim: false, .bool).element(0).double != 0
        guard isBlind else { return try weigh(try scores.softmax(-1, log: false), v, p, training) }
        let zero = try zeros(Shape(), scores.dtype)
        let weights = try Tensor.where(blind, zero, try Tensor.where(blind, zero, scores).softmax(-1, log: false))
        return try weigh(weights, v, p, training)
    }

    private static func weigh(_ weights: Tensor, _ v: Tensor, _ p: Double, _ training: Bool) throws -> (Tensor, Tensor) {
        let kept = p > 0 ? try weights.dropout(p, training: training) : weights
        return (try matmul(kept, v), kept)
    }

    private static func lowerTriangle(_ rows: Int, _ columns: Int) throws -> Tensor {
        let i = try arange(.int(0), .int(rows), .int(1), .int64).unsqueeze(1), j = try arange(.int(0), .int(columns), .int(1), .int64)
        return try Comparison.compute(COMPARE_GE, i, j)
    }
}

extension Op {
    static let attention: [Op] = [
        Op(
            """
            scaled_dot_product_attention(query: tensor, key: tensor, value: tensor, attn_mask: tensor = nil, dropout_p: number = 0, is_causal: bool = false, *, scale: number = nil, enable_gqa: bool = false) -> tensor
            Gives softmax(query key^T * scale + attn_mask) value; a bool mask tells what may be looked at, scale is 1 / sqrt(E) unless given.
            Errors: sizes that do not fit, both attn_mask and is_causal
            Example: nn.functional.scaled_dot_product_attention(tensor.zeros(1, 2, 4), tensor.zeros(1, 3, 4), tensor.ones(1, 3, 4)).shape --> {1, 2, 4}
            Source: Vaswani et al. 2017; torch.nn.functional.scaled_dot_product_attention
            """, form: .function,
            samples: [
                "F.scaled_dot_product_attention(t3, t3:exp(), u3:transpose(1, 2))", "F.scaled_dot_product_attention(x, y, sq, {is_causal = true})",
                "F.scaled_dot_product_attention(x, y, sq, sq:gt(0))", "F.scaled_dot_product_attention(x, y, sq, sq, {scale = 0.3})",
            ]
        ) {
            var (q, k, v) = (try $0.tensor(0), try $0.tensor(1), try $0.tensor(2))
            if try $0.bool(7) {
                // Grouped heads: every key and value head serves several query heads.
                let heads = q.rank - 3
                guard heads >= 0, k.rank == q.rank, v.rank == q.rank, k.shape[heads] > 0, v.shape[heads] == k.shape[heads],
                    q.shape[heads] % k.shape[heads] == 0
                else {
                    throw TensorError(
                        "scaled_dot_product_attention: enable_gqa needs query heads that divide by key and value heads, got \(q.shape), \(k.shape) and \(v.shape)")
                }
                let times = q.shape[heads] / k.shape[heads]
                func repeated(_ t: Tensor) throws -> Tensor {
                    var spread = t.shape
                    try spread.checkRoom()
                    spread.insert(times, at: heads + 1)
                    return try t.unsqueeze(heads + 1).expand(spread).reshape(t.shape.replacing(heads, with: q.shape[heads]))
                }
                k = try repeated(k)
                v = try repeated(v)
            }
            return .tensor(
                try Tensor.attention(
                    q, k, v, mask: try $0.optionalTensor(3), dropout: try $0.double(4), causal: try $0.bool(5),
                    scale: $0.isNil(6) ? nil : try $0.double(6)
                ).out)
        },
    ]
}
