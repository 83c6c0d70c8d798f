import NN

extension Rules {
    /// Operations that move elements and compute nothing.
    static let shapes: [String: Rule] = {
        var rules: [String: Rule] = [
            "transpose": one { c in
                let rank = try c.value(0).rank
                guard rank > 0 else { return try c.name(0) }
                var order = Array(0..<rank)
                order.swapAt(try c.axis(1), try c.axis(2))
                return try c.transposed(order)
            },
            "t": one { c in try c.value(0).rank < 2 ? try c.name(0) : try c.transposed([1, 0]) },
            "permute": one { c in try c.transposed(try c.axes(1)) },
            "expand": expansion, "expand_as": expansion,
            "broadcast_tensors": { c in
                try c.values(0).enumerated().map { i, value in c.graph.node("Expand", [value.name, try c.graph.sizes(try c.shape(i))]) }
            },
            "tile": one { c in
                let repeats = try c.dims(1), rank = try c.value(0).rank
                var x = try c.name(0)
                // Fewer counts than dimensions: the first dimensions stay; more: the tensor gets dimensions of 1.
                if repeats.count > rank {
                    x = try c.graph.reshape(x, to: Array(repeating: Dim(1), count: repeats.count - rank) + c.value(0).shape)
                }
                let missing = max(rank - repeats.count, 0)
                return c.graph.node("Tile", [x, try c.graph.sizes(Array(repeating: Dim(1), count: missing) + repeats)])
            },
            "repeat_interleave": one { c in
                guard !c.isTensor(1), c.has(2) else { throw ExportError("only a number of repeats along a dimension can be written as ONNX") }
                let axis = try c.axis(2), times = try c.int(1), shape = try c.value(0).shape
                var wide = shape
                wide.insert(Dim(1), at: axis + 1)
                let single = try c.graph.reshape(try c.name(0), to: wide)
                wide[axis + 1] = Dim(times)
                return try c.graph.reshape(c.graph.node("Expand", [single, try c.graph.sizes(wide)]), to: try c.shape())
            },
            "flip": one { c in
                try c.axes(1).reduce(try c.name(0)) { c.graph.slice($0, axis: $1, start: -1, stop: Int.min + 1, step: -1) }
            },
            "roll": one { c in
                guard c.has(2) else { throw ExportError("give dims: rolling all elements as one row cannot be written as ONNX") }
                let shifts = try c.ints(1), axes = try c.axes(2), shape = try c.value(0).shape
                var x = try c.name(0)
                for (shift, axis) in zip(shifts, axes) {
                    guard shape[axis].isFixed else { throw ExportError("it shifts the batch") }
                    let n = shape[axis].offset, by = n == 0 ? 0 : ((shift % n) + n) % n
                    if by == 0 { continue }
                    let parts = [c.graph.slice(x, axis: axis, start: n - by, stop: n), c.graph.slice(x, axis: axis, start: 0, stop: n - by)]
                    x = c.graph.node("Concat", parts, ["axis": .int(axis)])
                }
                return x
            },
            "pad": one { c in
                let rank = try c.value(0).rank, widths = try c.ints(1)
                guard !c.has(2) || c.string(2) == "constant" else { throw ExportError("mode \"\(c.string(2) ?? "")\" of pad has no rule") }
                // The last dimension comes first, before and behind in turn.
                var before = Array(repeating: 0, count: rank), behind = before
                for k in 0..<widths.count / 2 {
                    before[rank - 1 - k] = widths[2 * k]
                    behind[rank - 1 - k] = widths[2 * k + 1]
                }
                let value = c.has(3) ? try c.double(3) : 0
                if c.dtype == .bool {
                    let padded = c.graph.node("Pad", [c.graph.cast(try c.name(0), to: .uint8), c.graph.vector(before + behind), c.graph.scalar(value, .uint8)])
                    return c.graph.cast(padded, to: .bool)
                }
                return c.graph.node("Pad", [try c.name(0), c.graph.vector(before + behind), c.number(value)])
            },
            "cat": one { c in
                let values = try c.values(0)
                // An empty vector goes with anything, as in PyTorch.
                let parts = values.filter { $0.rank != 1 || $0.shape != [Dim(0)] }
                guard let first = parts.first else { return try c.values(0)[0].name }
                return c.graph.node("Concat", c.converted(parts), ["axis": .int(try c.axis(1, rank: first.rank))])
            },
            "stack": one { c in
                let values = try c.values(0)
                let axis = try c.axis(1, rank: values[0].rank + 1)
                let parts = c.converted(values).map { c.graph.node("Unsqueeze", [$0, c.graph.vector([axis])]) }
                return c.graph.node("Concat", parts, ["axis": .int(axis)])
            },
            "hstack": one { c in
                let values = try c.values(0)
                guard values.allSatisfy({ $0.rank > 0 }) else { throw ExportError("numbers without dimensions; use stack") }
                return c.graph.node("Concat", c.converted(values), ["axis": .int(values[0].rank == 1 ? 0 : 1)])
            },
            "vstack": one { c in
                let values = try c.values(0)
                let parts = zip(values, c.converted(values)).map { value, name in
                    value.rank < 2 ? c.graph.node("Reshape", [name, c.graph.vector([1, -1])]) : name
                }
                return c.graph.node("Concat", parts, ["axis": .int(0)])
            },
        ]
        for name in ["reshape", "view", "flatten", "unflatten", "squeeze", "unsqueeze"] {
            rules[name] = one { c in
                let value = try c.value(0), shape = try c.shape()
                return value.shape == shape ? value.name : try c.graph.reshape(value.name, to: shape)
            }
        }
        return rules
    }()

    private static let expansion = one { c in c.graph.node("Expand", [try c.name(0), try c.graph.sizes(c.shape())]) }
}

extension TracedCall {
    func transposed(_ order: [Int]) throws -> String {
        let x = try name(0)
        return order == Array(order.indices) ? x : graph.node("Transpose", [x], ["perm": .ints(order)])
    }

    func converted(_ values: [Value]) -> [String] {
        values.map { $0.dtype == dtype ? $0.name : graph.cast($0.name, to: dtype) }
    }
}
