import NN

extension Rules {
    /// Operations that sum up dimensions.
    static let reductions: [String: Rule] = [
        "sum": reduce("ReduceSum"), "mean": reduce("ReduceMean"), "prod": reduce("ReduceProd"),
        "amax": reduce("ReduceMax"), "amin": reduce("ReduceMin"), "logsumexp": reduce("ReduceLogSumExp"),
        "all": truth("ReduceMin"), "any": truth("ReduceMax"),
        "max": extreme("ReduceMax", "ArgMax", "Max"), "min": extreme("ReduceMin", "ArgMin", "Min"),
        "argmax": place("ArgMax"), "argmin": place("ArgMin"),
        "var": spread(root: false), "std": spread(root: true),
        "norm": one { c in
            let dims = c.has(2) ? try c.axes(2) : nil
            return try c.norm(try c.operand(0, as: c.dtype), power: try c.power(1), dims, keep: c.bool(3))
        },
        "count_nonzero": one { c in
            let counted = c.graph.cast(try c.operand(0, as: .bool), to: .int64)
            return c.reduced("ReduceSum", counted, c.has(1) ? try c.axes(1) : nil, keep: false)
        },
        "cumsum": one { c in
            c.graph.node("CumSum", [try c.operand(0, as: c.dtype), c.graph.scalar(Double(try c.axis(1)), .int64)])
        },
        "normalize": one { c in
            let x = try c.operand(0, as: c.dtype)
            let norm = try c.norm(x, power: try c.double(1), [try c.axis(2)], keep: true)
            return c.graph.node("Div", [x, c.graph.node("Max", [norm, c.number(try c.double(3))])])
        },
        "cosine_similarity": one { c in
            let g = c.graph
            let (a, b) = try c.operands()
            let axis = try c.axis(2), eps = c.number(try c.double(3))
            func unit(_ x: String) throws -> String {
                g.node("Div", [x, g.node("Max", [try c.norm(x, power: 2, [axis], keep: true), eps])])
            }
            return c.reduced("ReduceSum", g.node("Mul", [try unit(a), try unit(b)]), [axis], keep: false)
        },
    ]

    private static func reduce(_ op: String) -> Rule {
        one { c in c.reduced(op, try c.operand(0, as: c.dtype), c.has(1) ? try c.axes(1) : nil, keep: c.bool(2)) }
    }

    private static func truth(_ op: String) -> Rule {
        one { c in
            let number = c.graph.cast(try c.operand(0, as: .bool), to: .int32)
            return c.graph.cast(c.reduced(op, number, c.has(1) ? try c.axes(1) : nil, keep: c.bool(2)), to: c.dtype)
        }
    }

    /// Of everything, along a dimension (values and places), or of two tensors.
    private static func extreme(_ op: String, _ place: String, _ pair: String) -> Rule {
        { c in
            if c.isTensor(1) {
                let (a, b) = try c.operands()
                return [c.graph.node(pair, [a, b])]
            }
            let x = try c.name(0)
            guard c.has(1) else { return [c.reduced(op, x, nil, keep: false)] }
            let axis = try c.axis(1)
            return [
                c.reduced(op, x, [axis], keep: c.bool(2)),
                c.graph.node(place, [x], ["axis": .int(axis), "keepdims": .int(c.bool(2) ? 1 : 0)]),
            ]
        }
    }

    private static func place(_ op: String) -> Rule {
        one { c in
            let x = try c.name(0)
            if c.has(1) {
                return c.graph.node(op, [x], ["axis": .int(try c.axis(1)), "keepdims": .int(c.bool(2) ? 1 : 0)])
            }
            let row = c.graph.node("Reshape", [x, c.graph.vector([-1])])
            return c.graph.node(op, [row], ["axis": .int(0), "keepdims": .int(0)])
        }
    }

    private static func spread(root: Bool) -> Rule {
        one { c in
            let g = c.graph
            let x = try c.operand(0, as: c.dtype), shape = try c.value(0).shape
            // var(unbiased) has a boolean where the dimensions stand otherwise.
            let axes = c.has(1) && !c.isBool(1) ? try c.axes(1) : Array(shape.indices)
            var correction = c.has(4) ? try c.double(4) : 1
            if c.isBool(1) { correction = c.bool(1) ? 1 : 0 }
            if c.isBool(2) { correction = c.bool(2) ? 1 : 0 }
            guard let sizes = axes.map({ shape[$0] }).fixed else { throw ExportError("it spreads over the batch") }
            let mean = c.reduced("ReduceMean", x, axes, keep: true)
            let away = g.node("Sub", [x, mean])
            let sum = c.reduced("ReduceSum", g.node("Mul", [away, away]), axes, keep: c.bool(3))
            let variance = g.node("Div", [sum, c.number(max(Double(sizes.reduce(1, *)) - correction, 0))])
            return root ? g.node("Sqrt", [variance]) : variance
        }
    }
}

extension TracedCall {
    /// - Parameter axes: nil for all.
    func reduced(_ op: String, _ x: String, _ axes: [Int]?, keep: Bool) -> String {
        graph.node(op, axes.map { [x, graph.vector($0)] } ?? [x], ["keepdims": .int(keep ? 1 : 0)])
    }

    func power(_ i: Int) throws -> Double {
        if isString(i) {
            if string(i) == "fro" { return 2 }
            throw ExportError("the norm '\(string(i) ?? "")' cannot be written as ONNX")
        }
        return has(i) ? try double(i) : 2
    }

    func norm(_ x: String, power: Double, _ axes: [Int]?, keep: Bool) throws -> String {
        switch power {
        case 1: return reduced("ReduceL1", x, axes, keep: keep)
        case 2: return reduced("ReduceL2", x, axes, keep: keep)
        case .infinity: return reduced("ReduceMax", graph.node("Abs", [x]), axes, keep: keep)
        case -.infinity: return reduced("ReduceMin", graph.node("Abs", [x]), axes, keep: keep)
        case 0: throw ExportError("the norm of order 0 cannot be written as ONNX")
        default:
            let sum = reduced("ReduceSum", graph.node("Pow", [graph.node("Abs", [x]), number(power)]), axes, keep: keep)
            return graph.node("Pow", [sum, number(1 / power)])
        }
    }
}
