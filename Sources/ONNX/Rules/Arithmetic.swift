import NN

extension Rules {
    /// Operations on two tensors, or a tensor and a number.
    static let arithmetic: [String: Rule] = [
        "add": one { c in
            let (a, b) = try c.operands()
            if c.dtype == .bool { return c.graph.node("Or", [a, b]) }
            return c.graph.node("Add", [a, try c.times(b, c.double(2))])
        },
        "sub": one { c in
            let (a, b) = try c.operands()
            return c.graph.node("Sub", [a, try c.times(b, c.double(2))])
        },
        "mul": one { c in
            let (a, b) = try c.operands()
            return c.graph.node(c.dtype == .bool ? "And" : "Mul", [a, b])
        },
        "div": one { c in
            let (a, b) = try c.operands()
            switch c.string(2) {
            case nil: return c.graph.node("Div", [a, b])
            case "floor": return try c.floorDivide(a, b)
            default: return c.dtype.isFloat ? c.truncated(c.graph.node("Div", [a, b])) : c.graph.node("Div", [a, b])
            }
        },
        "floor_divide": one { c in
            let (a, b) = try c.operands()
            return try c.floorDivide(a, b)
        },
        "remainder": one { c in
            let (a, b) = try c.operands()
            return try c.remainder(a, b)
        },
        "pow": one { c in
            let (a, b) = try c.operands()
            return c.graph.node("Pow", [a, b])
        },
        "minimum": one { c in
            let (a, b) = try c.operands()
            return c.graph.node("Min", [a, b])
        },
        "maximum": one { c in
            let (a, b) = try c.operands()
            return c.graph.node("Max", [a, b])
        },
        "lerp": one { c in
            let g = c.graph
            let (start, end) = (try c.operand(0, as: c.dtype), try c.operand(1, as: c.dtype))
            return g.node("Add", [start, g.node("Mul", [try c.operand(2, as: c.dtype), g.node("Sub", [end, start])])])
        },
        "eq": compare("Equal"), "lt": compare("Less"), "le": compare("LessOrEqual"), "gt": compare("Greater"),
        "ge": compare("GreaterOrEqual"),
        "ne": one { c in
            let (a, b) = try c.operands(as: c.common())
            return c.graph.node("Not", [c.graph.node("Equal", [a, b])])
        },
        "logical_and": logical("And"), "logical_or": logical("Or"), "logical_xor": logical("Xor"),
        "logical_not": one { c in c.graph.node("Not", [try c.operand(0, as: .bool)]) },
        "where": one { c in
            guard c.has(1) else { throw ExportError("the places where a condition holds cannot be written as ONNX") }
            return c.graph.node(
                "Where", [try c.operand(0, as: .bool), try c.operand(1, as: c.dtype), try c.operand(2, as: c.dtype)])
        },
        "masked_fill": one { c in
            c.graph.node("Where", [try c.operand(1, as: .bool), try c.operand(2, as: c.dtype), try c.operand(0, as: c.dtype)])
        },
        "outer": one { c in
            let g = c.graph
            let column = g.node("Unsqueeze", [try c.operand(0, as: c.dtype), g.vector([1])])
            return g.node("Mul", [column, try c.operand(1, as: c.dtype)])
        },
        "matmul": product, "mm": product, "bmm": product, "mv": product, "dot": product,
        "addmm": sumOfProducts, "baddbmm": sumOfProducts,
        "einsum": one { c in
            let values = try c.values(1).map { $0.dtype == c.dtype ? $0.name : c.graph.cast($0.name, to: c.dtype) }
            return c.graph.node("Einsum", values, ["equation": .string(c.string(0) ?? "")])
        },
    ]

    private static func compare(_ op: String) -> Rule {
        one { c in
            let (a, b) = try c.operands(as: c.common())
            return c.graph.node(op, [a, b])
        }
    }

    private static func logical(_ op: String) -> Rule {
        one { c in
            let (a, b) = try c.operands(as: .bool)
            return c.graph.node(op, [a, b])
        }
    }

    private static let product = one { c in
        let (a, b) = try c.operands()
        return c.graph.node("MatMul", [a, b])
    }

    private static let sumOfProducts = one { c in
        let product = c.graph.node("MatMul", [try c.operand(1, as: c.dtype), try c.operand(2, as: c.dtype)])
        return c.graph.node(
            "Add", [try c.times(c.operand(0, as: c.dtype), c.double(3)), try c.times(product, c.double(4))])
    }
}

extension TracedCall {
    /// Arguments 0 and 1 as the type of the result, or another.
    func operands(as type: DType? = nil) throws -> (String, String) {
        (try operand(0, as: type ?? dtype), try operand(1, as: type ?? dtype))
    }

    /// The type in which two operands are compared: a number, or a tensor without dimensions, decides only by its kind.
    func common() throws -> DType {
        guard isTensor(0), isTensor(1) else {
            let (tensor, other) = isTensor(0) ? (0, 1) : (1, 0)
            let type = try value(tensor).dtype
            if isBool(other) { return type }
            let fractional = try double(other).rounded() != double(other)
            return type.isFloat ? type : fractional ? .float32 : type == .bool ? .int64 : type
        }
        let (a, b) = (try value(0), try value(1))
        if (a.rank == 0) != (b.rank == 0) {
            let (strong, weak) = a.rank == 0 ? (b.dtype, a.dtype) : (a.dtype, b.dtype)
            if weak.fits(strong) { return strong }
        }
        return DType.promote(a.dtype, b.dtype)
    }

    func times(_ name: String, _ factor: Double) throws -> String {
        factor == 1 ? name : graph.node("Mul", [name, number(factor)])
    }

    func truncated(_ name: String) -> String {
        graph.node("Mul", [graph.node("Sign", [name]), graph.node("Floor", [graph.node("Abs", [name])])])
    }

    func remainder(_ a: String, _ b: String) throws -> String {
        if !dtype.isFloat { return graph.node("Mod", [a, b]) }
        return graph.node("Sub", [a, graph.node("Mul", [graph.node("Floor", [graph.node("Div", [a, b])]), b])])
    }

    func floorDivide(_ a: String, _ b: String) throws -> String {
        if dtype.isFloat { return graph.node("Floor", [graph.node("Div", [a, b])]) }
        return graph.node("Div", [graph.node("Sub", [a, graph.node("Mod", [a, b])]), b])
    }
}
