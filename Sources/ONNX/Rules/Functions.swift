#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import NN

extension Rules {
    /// Functions of each element.
    static let functions: [String: Rule] = {
        var rules: [String: Rule] = [
            "expm1": made { c, x in c.graph.node("Sub", [c.graph.node("Exp", [x]), c.number(1)]) },
            "exp2": made { c, x in c.graph.node("Exp", [c.graph.node("Mul", [x, c.number(log(2))])]) },
            "log1p": made { c, x in c.graph.node("Log", [c.graph.node("Add", [x, c.number(1)])]) },
            "log2": made { c, x in c.graph.node("Div", [c.graph.node("Log", [x]), c.number(log(2))]) },
            "log10": made { c, x in c.graph.node("Div", [c.graph.node("Log", [x]), c.number(log(10))]) },
            "rsqrt": made { c, x in c.graph.node("Reciprocal", [c.graph.node("Sqrt", [x])]) },
            "square": made { c, x in c.graph.node("Mul", [x, x]) },
            "trunc": made { c, x in c.truncated(x) },
            "frac": made { c, x in c.graph.node("Sub", [x, c.truncated(x)]) },
            "erfc": made { c, x in c.graph.node("Sub", [c.number(1), c.graph.node("Erf", [x])]) },
            "silu": made { c, x in c.graph.node("Mul", [x, c.graph.node("Sigmoid", [x])]) },
            "round": made { c, x in
                let decimals = c.has(1) ? try c.int(1) : 0
                if decimals == 0 { return c.graph.node("Round", [x]) }
                let scale = c.number(pow(10, Double(decimals)))
                return c.graph.node("Div", [c.graph.node("Round", [c.graph.node("Mul", [x, scale])]), scale])
            },
            "gelu": made { c, x in
                let g = c.graph
                let half = g.node("Mul", [x, c.number(0.5)])
                let share: String
                if c.string(1) == "tanh" {
                    let cube = g.node("Mul", [g.node("Mul", [g.node("Mul", [x, x]), x]), c.number(0.044715)])
                    share = g.node("Tanh", [g.node("Mul", [g.node("Add", [x, cube]), c.number((2 / Double.pi).squareRoot())])])
                } else {
                    share = g.node("Erf", [g.node("Div", [x, c.number(2.0.squareRoot())])])
                }
                return g.node("Mul", [half, g.node("Add", [share, c.number(1)])])
            },
            "softplus": made { c, x in
                let g = c.graph
                let (beta, threshold) = (try c.double(1), try c.double(2))
                let scaled = beta == 1 ? x : g.node("Mul", [x, c.number(beta)])
                let soft = g.node("Softplus", [scaled])
                let curve = beta == 1 ? soft : g.node("Div", [soft, c.number(beta)])
                return g.node("Where", [g.node("Greater", [scaled, c.number(threshold)]), x, curve])
            },
            "leaky_relu": made { c, x in c.graph.node("LeakyRelu", [x], ["alpha": .float(try c.double(1))]) },
            "elu": made { c, x in c.graph.node("Elu", [x], ["alpha": .float(try c.double(1))]) },
            "hardtanh": made { c, x in c.graph.node("Clip", [x, c.number(try c.double(1)), c.number(try c.double(2))]) },
            "clamp": made { c, x in
                if !c.isTensor(1), !c.isTensor(2) {
                    return c.graph.node(
                        "Clip", [x, c.has(1) ? c.number(try c.double(1)) : "", c.has(2) ? c.number(try c.double(2)) : ""])
                }
                var y = x
                if c.has(1) { y = c.graph.node("Max", [y, try c.operand(1, as: c.dtype)]) }
                if c.has(2) { y = c.graph.node("Min", [y, try c.operand(2, as: c.dtype)]) }
                return y
            },
            "isnan": one { c in c.graph.node("IsNaN", [try c.floating(0)]) },
            "isinf": one { c in c.graph.node("IsInf", [try c.floating(0)]) },
            "isfinite": one { c in
                let x = try c.floating(0)
                return c.graph.node("Not", [c.graph.node("Or", [c.graph.node("IsNaN", [x]), c.graph.node("IsInf", [x])])])
            },
            "nan_to_num": made { c, x in
                let g = c.graph
                guard c.dtype.isFloat else { return x }
                let most = c.dtype == .float32 ? Double(Float.greatestFiniteMagnitude) : Double.greatestFiniteMagnitude
                var y = g.node("Where", [g.node("IsNaN", [x]), c.number(try c.double(1)), x])
                let (high, low) = (c.has(2) ? try c.double(2) : most, c.has(3) ? try c.double(3) : -most)
                y = g.node("Where", [g.node("Equal", [y, c.number(.infinity)]), c.number(high), y])
                return g.node("Where", [g.node("Equal", [y, c.number(-.infinity)]), c.number(low), y])
            },
            "to": one { c in try c.operand(0, as: c.dtype) },
            "softmax": made { c, x in c.graph.node("Softmax", [x], ["axis": .int(try c.axis(1))]) },
            "log_softmax": made { c, x in c.graph.node("LogSoftmax", [x], ["axis": .int(try c.axis(1))]) },
            "one_hot": one { c in
                guard try c.int(1) >= 0 else { throw ExportError("give num_classes: it cannot depend on the input's values") }
                let g = c.graph
                let ends = g.node("Concat", [g.scalar(0, .int64, shape: [1]), g.scalar(1, .int64, shape: [1])], ["axis": .int(0)])
                return g.node("OneHot", [try c.operand(0, as: .int64), g.vector([try c.int(1)]), ends])
            },
        ]
        for (name, op) in [
            ("abs", "Abs"), ("sign", "Sign"), ("exp", "Exp"), ("log", "Log"), ("sqrt", "Sqrt"), ("sin", "Sin"), ("cos", "Cos"),
            ("tan", "Tan"), ("asin", "Asin"), ("acos", "Acos"), ("atan", "Atan"), ("sinh", "Sinh"), ("cosh", "Cosh"), ("tanh", "Tanh"),
            ("sigmoid", "Sigmoid"), ("relu", "Relu"), ("erf", "Erf"), ("floor", "Floor"), ("ceil", "Ceil"),
            ("reciprocal", "Reciprocal"), ("neg", "Neg"),
        ] {
            rules[name] = made { c, x in c.graph.node(op, [x]) }
        }
        for name in ["float", "double", "long", "int", "byte", "bool"] { rules[name] = one { c in try c.operand(0, as: c.dtype) } }
        // The same values: no node.
        for name in ["clone", "contiguous", "detach"] { rules[name] = one { c in try c.name(0) } }
        rules["copy_"] = one { c in
            c.graph.node("Expand", [try c.operand(1, as: c.dtype), try c.graph.sizes(c.shape())])
        }
        return rules
    }()

    /// A rule that computes in the type of the result.
    private static func made(_ rule: @escaping @Sendable (TracedCall, String) throws -> String) -> Rule {
        one { c in try rule(c, try c.operand(0, as: c.dtype)) }
    }
}

extension TracedCall {
    func floating(_ i: Int) throws -> String {
        let value = try value(i)
        return value.dtype.isFloat ? value.name : graph.cast(value.name, to: .float32)
    }
}
