import NN

extension Rules {
    /// Linear layers, normalisation, dropout.
    static let layers: [String: Rule] = [
        "linear": one { c in
            let (x, weight) = (try c.value(0), try c.value(1))
            if x.rank == 2 {
                return c.graph.node("Gemm", [x.name, weight.name, try c.optionalName(2)], ["transB": .int(1)])
            }
            let product = c.graph.node("MatMul", [x.name, c.graph.node("Transpose", [weight.name], ["perm": .ints([1, 0])])])
            return c.has(2) ? c.graph.node("Add", [product, try c.name(2)]) : product
        },
        "bilinear": one { c in
            let (a, b, weight) = (try c.value(0), try c.value(1), try c.value(2))
            func flat(_ value: Value) throws -> String {
                c.graph.node("Reshape", [value.name, c.graph.vector([-1, value.shape[value.rank - 1].offset])])
            }
            // Two products: the first keeps every output's row of the second input's features.
            let (out, n1, n2) = (weight.shape[0].offset, weight.shape[1].offset, weight.shape[2].offset)
            let rows = c.graph.node("Transpose", [weight.name], ["perm": .ints([1, 0, 2])])
            let wide = c.graph.node("MatMul", [try flat(a), c.graph.node("Reshape", [rows, c.graph.vector([n1, out * n2])])])
            let table = c.graph.node("Reshape", [wide, c.graph.vector([-1, out, n2])])
            let column = c.graph.node("Unsqueeze", [try flat(b), c.graph.vector([2])])
            let product = c.graph.node("Squeeze", [c.graph.node("MatMul", [table, column]), c.graph.vector([2])])
            let sum = c.has(3) ? c.graph.node("Add", [product, try c.name(3)]) : product
            return try c.graph.reshape(sum, to: c.shape())
        },
        "prelu": one { c in
            let (x, weight) = (try c.value(0), try c.value(1))
            // One slope for each channel, which is dimension 1.
            let slope = weight.shape == [Dim(1)] || x.rank < 2
                ? weight.name : try c.graph.reshape(weight.name, to: weight.shape + Array(repeating: Dim(1), count: x.rank - 2))
            return c.graph.node("PRelu", [x.name, slope])
        },
        "dropout": dropped, "dropout2d": dropped,
        "batch_norm": one { c in
            let x = try c.value(0)
            guard !c.bool(5), c.has(1), c.has(2) else { return try c.ownStatistics() }
            return c.graph.node(
                "BatchNormalization",
                [x.name, try c.channels(3, 1, axis: 1), try c.channels(4, 0, axis: 1), try c.name(1), try c.name(2)],
                ["epsilon": .float(try c.double(7))])
        },
        "instance_norm": one { c in
            let inputs = [try c.name(0), try c.channels(3, 1, axis: 1), try c.channels(4, 0, axis: 1)]
            if c.bool(5) { return c.graph.node("InstanceNormalization", inputs, ["epsilon": .float(try c.double(7))]) }
            return c.graph.node("BatchNormalization", inputs + [try c.name(1), try c.name(2)], ["epsilon": .float(try c.double(7))])
        },
        "layer_norm": one { c in
            let x = try c.value(0), sizes = try c.ints(1)
            let scale = c.has(2) ? try c.name(2) : c.graph.table(Array(repeating: 1, count: sizes.reduce(1, *)), sizes, c.dtype)
            return c.graph.node(
                "LayerNormalization", [x.name, scale, try c.optionalName(3)],
                ["axis": .int(x.rank - sizes.count), "epsilon": .float(try c.double(4))])
        },
        "rms_norm": one { c in
            let g = c.graph
            let x = try c.value(0), sizes = try c.ints(1)
            let axes = Array((x.rank - sizes.count)..<x.rank)
            let eps = c.has(3) ? try c.double(3) : c.dtype == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne
            let mean = c.reduced("ReduceMean", g.node("Mul", [x.name, x.name]), axes, keep: true)
            let y = g.node("Div", [x.name, g.node("Sqrt", [g.node("Add", [mean, c.number(eps)])])])
            return c.has(2) ? g.node("Mul", [y, try c.name(2)]) : y
        },
        "group_norm": one { c in
            let g = c.graph
            let x = try c.value(0), groups = try c.int(1), channels = x.shape[1].offset
            // A group is an instance with one long channel.
            let rows = g.node("Reshape", [x.name, g.vector([0, groups, -1])])
            let ones = g.table(Array(repeating: 1, count: groups), [groups], c.dtype)
            let zeros = g.table(Array(repeating: 0, count: groups), [groups], c.dtype)
            var y = g.node("InstanceNormalization", [rows, ones, zeros], ["epsilon": .float(try c.double(4))])
            y = try g.reshape(y, to: x.shape)
            let each = [Dim(channels)] + Array(repeating: Dim(1), count: x.rank - 2)
            if c.has(2) { y = g.node("Mul", [y, try g.reshape(try c.name(2), to: each)]) }
            return c.has(3) ? g.node("Add", [y, try g.reshape(try c.name(3), to: each)]) : y
        },
    ]

    private static let dropped = one { c in
        guard try !c.bool(2) || c.double(1) == 0 else { throw ExportError("it draws random numbers; switch the network to evaluation") }
        return try c.name(0)
    }
}

extension TracedCall {
    /// Argument `i`, or as many `fallback`s as there are channels.
    func channels(_ i: Int, _ fallback: Double, axis: Int) throws -> String {
        if has(i) { return try name(i) }
        let n = try value(0).shape[axis].offset
        return graph.table(Array(repeating: fallback, count: n), [n], dtype)
    }

    /// Batch norm without running statistics.
    func ownStatistics() throws -> String {
        guard !has(1) else { throw ExportError("it takes the batch's statistics; switch the network to evaluation") }
        let g = graph
        let x = try value(0)
        let axes = [0] + Array(2..<max(x.rank, 2)).filter { $0 < x.rank }
        let away = g.node("Sub", [x.name, reduced("ReduceMean", x.name, axes, keep: true)])
        let variance = reduced("ReduceMean", g.node("Mul", [away, away]), axes, keep: true)
        var y = g.node("Div", [away, g.node("Sqrt", [g.node("Add", [variance, number(try double(7))])])])
        let each = [x.shape[1]] + Array(repeating: Dim(1), count: max(x.rank - 2, 0))
        if has(3) { y = g.node("Mul", [y, try g.reshape(try name(3), to: each)]) }
        return has(4) ? g.node("Add", [y, try g.reshape(try name(4), to: each)]) : y
    }
}
