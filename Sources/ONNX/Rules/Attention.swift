import NN

extension Rules {
    static let attention: [String: Rule] = [
        "attention": { c in
            guard try c.double(4) == 0 else { throw ExportError("dropout draws random numbers; switch the network to evaluation") }
            let (y, weights) = try c.attend(mask: c.has(3) ? c.value(3) : nil, scale: nil)
            return [y, weights]
        },
        "scaled_dot_product_attention": one { c in
            guard try c.double(4) == 0 else { throw ExportError("dropout draws random numbers") }
            guard !c.bool(7) else { throw ExportError("enable_gqa; repeat the heads with repeat_interleave") }
            var mask = c.has(3) ? try c.value(3) : nil
            if c.bool(5) {
                let (q, k) = (try c.value(0), try c.value(1))
                let (l, s) = (q.shape[q.rank - 2], k.shape[k.rank - 2])
                guard l.isFixed, s.isFixed else { throw ExportError("the sequence's length depends on the batch size") }
                let ones = c.graph.node("Expand", [c.graph.scalar(1, .uint8), c.graph.vector([l.offset, s.offset])])
                let seen = c.graph.node("Trilu", [c.graph.cast(ones, to: .int64), c.graph.scalar(0, .int64)], ["upper": .int(0)])
                mask = Value(name: c.graph.cast(seen, to: .bool), dtype: .bool, shape: [l, s])
            }
            return try c.attend(mask: mask, scale: c.has(6) ? c.double(6) : nil).0
        },
    ]
}

extension TracedCall {
    /// softmax(q k^T scale + mask) v, and the weights.
    func attend(mask: Value?, scale: Double?) throws -> (String, String) {
        let g = graph
        let (q, k, v) = (try value(0), try value(1), try value(2))
        guard q.shape[q.rank - 1].isFixed else { throw ExportError("the number of features depends on the batch size") }
        let factor = scale ?? 1 / Double(max(q.shape[q.rank - 1].offset, 1)).squareRoot()
        var order = Array(0..<k.rank)
        order.swapAt(k.rank - 2, k.rank - 1)
        let keys = g.node("Transpose", [k.name], ["perm": .ints(order)])
        var scores = g.node("MatMul", [g.node("Mul", [q.name, number(factor)]), keys])
        if let mask {
            scores = mask.dtype == .bool
                ? g.node("Where", [mask.name, scores, number(-.infinity)])
                : g.node("Add", [scores, mask.dtype == dtype ? mask.name : g.cast(mask.name, to: dtype)])
        }
        var weights = g.node("Softmax", [scores], ["axis": .int(-1)])
        if mask != nil {
            // Rows where nothing may be looked at have no weights, instead of NaN.
            let most = g.node("ReduceMax", [scores, g.vector([-1])], ["keepdims": .int(1)])
            weights = g.node("Where", [g.node("Equal", [most, number(-.infinity)]), number(0), weights])
        }
        return (g.node("MatMul", [weights, v.name]), weights)
    }
}
