import KernelABI

extension Op {
    /// `name(input, other)` for two operands, with the in-place twin.
    private static func binary(
        _ name: String, _ text: String, samples: [String], inPlace: Bool = true, short: ShortOp? = nil,
        _ f: @escaping @Sendable (Tensor, Tensor) throws -> Tensor
    ) -> Op {
        Op(
            "\(name)(input: tensor|number, other: tensor|number) -> tensor\n\(text)", inPlace: inPlace, samples: samples,
            short: short, .operands(f))
    }

    /// `b` times the argument `alpha`.
    private static func scaled(_ b: Tensor, beside a: Tensor, _ args: any OpArguments, _ name: String) throws -> Tensor {
        let alpha = try args.scalar(2)
        if alpha == .int(1) { return b }
        guard alpha.isInteger || Tensor.resultType(a, b).isFloat else {
            throw TensorError("\(name): alpha must be an integer for integer tensors, got \(alpha.double)")
        }
        return try b.scaled(by: alpha)
    }

    static let arithmetic: [Op] = [
        Op(
            """
            add(input: tensor|number, other: tensor|number, *, alpha: number = 1) -> tensor
            Adds `alpha * other` to `input`, with broadcasting and type promotion.
            Example: tensor{1, 2}:add(tensor{10, 20}) --> tensor([11, 22])
            Source: torch.add
            """, inPlace: true, samples: ["x:add(y)", "x:add(row)", "col:add(row)", "x:add(y, {alpha = 0.5})", "x + 2", "3 + s"], direct: .operands(Tensor.add),
            short: .binary(BINARY_ADD, Tensor.recordAdd)
        ) { args in
            let (a, b) = try args.pair(0, 1)
            return .tensor(try Tensor.add(a, try scaled(b, beside: a, args, "add")))
        },
        Op(
            """
            sub(input: tensor|number, other: tensor|number, *, alpha: number = 1) -> tensor
            Subtracts `alpha * other` from `input`, with broadcasting and type promotion.
            Example: tensor{11, 22}:sub(1) --> tensor([10, 21])
            Source: torch.sub
            """, inPlace: true, samples: ["x:sub(y)", "x:sub(row)", "col:sub(x, {alpha = 2})", "1 - x"], direct: .operands(Tensor.sub),
            short: .binary(BINARY_SUB, Tensor.recordSub)
        ) { args in
            let (a, b) = try args.pair(0, 1)
            return .tensor(try Tensor.sub(a, try scaled(b, beside: a, args, "sub")))
        },
        binary(
            "mul",
            """
            Multiplies element by element, with broadcasting and type promotion.
            Example: tensor{1, 2}:mul(3) --> tensor([3, 6])
            Source: torch.mul
            """, samples: ["x:mul(y)", "x * row", "col * row", "x * 2.5", "x * x"],
            short: .binary(BINARY_MUL, Tensor.recordMul), Tensor.mul),
        Op(
            """
            div(input: tensor|number, other: tensor|number, *, rounding_mode: "floor"|"trunc" = nil) -> tensor
            Divides element by element; integers give float32 unless a rounding mode is given.
            Example: tensor{1.0, 2.0}:div(2) --> tensor([0.5000, 1.0000])
            Errors: integer division by zero with a rounding mode
            Source: torch.div
            """, inPlace: true, samples: ["x:div(pos)", "x / pos", "2 / pos", "row / pos", "x / 3"], direct: .operands(Tensor.div),
            short: .binary(BINARY_DIV, Tensor.recordDiv)
        ) { args in
            let (a, b) = try args.pair(0, 1)
            if args.isNil(2) { return .tensor(try Tensor.div(a, b)) }
            if try args.string(2) == "floor" {
                let out = try Tensor.floorDivide(a, b)
                guard shouldRecord(a, b) else { return .tensor(out) }
                // Flat nearly everywhere.
                return .tensor(
                    try out.record("div", [a, b]) { _ in
                        try [a, b].map { $0.requiresGrad ? try Tensor.zeros($0.shape, $0.dtype) : nil }
                    })
            }
            guard !Tensor.resultType(a, b).isFloat else { return .tensor(try Tensor.div(a, b).trunc()) }
            // Integers: floor, corrected where signs differ and there is a rest.
            let floor = try Tensor.floorDivide(a, b)
            let rest = try a - floor * b
            let up = try Tensor.logicalAnd(
                try Comparison.compute(COMPARE_NE, rest, try Tensor.wrapped(.int(0), beside: rest)),
                try Comparison.compute(COMPARE_LT, floor, try Tensor.wrapped(.int(0), beside: floor)))
            return .tensor(try floor + up.to(floor.dtype))
        },
        binary(
            "pow",
            """
            Raises `input` to the power `other`, element by element.
            Example: tensor{1, 2, 3}:pow(2) --> tensor([1, 4, 9])
            Errors: integers to a negative integer power
            Source: torch.pow
            """, samples: ["pos:pow(y)", "x:pow(2)", "x:pow(3)", "pos:pow(0.5)", "pos:pow(-1.5)", "2 ^ x", "pos ^ row"], Tensor.pow),
        binary(
            "remainder",
            """
            Gives the remainder of division with the divisor's sign, as Python's and Lua's `%`.
            Example: tensor{-3, 3}:remainder(2) --> tensor([1, 1])
            Errors: integer division by zero
            Source: torch.remainder
            """, samples: ["x:remainder(0.7)", "x % pos"], Tensor.remainder),
        binary(
            "floor_divide",
            """
            Divides and rounds towards minus infinity, as Python's and Lua's `//`.
            Example: tensor{-3, 3}:floor_divide(2) --> tensor([-2, 1])
            Errors: integer division by zero
            Source: torch.floor_divide
            """, samples: ["!x:floor_divide(0.7)"], Tensor.floorDivide),
        binary(
            "atan2",
            """
            Gives the angle of the point (other, input), in radians, -pi to pi.
            Example: tensor{1.0}:atan2(tensor{1.0}) --> tensor([0.7854])
            Source: torch.atan2
            """, samples: ["x:atan2(y)", "pos:atan2(row)"], Tensor.atan2),
        binary(
            "maximum",
            """
            Gives the larger of two elements; NaN wins.
            Example: tensor{1, 5}:maximum(tensor{3, 2}) --> tensor([3, 5])
            Source: torch.maximum
            """, samples: ["x:maximum(y)", "x:maximum(row)"], inPlace: false,
            short: .binary(BINARY_MAXIMUM), Tensor.maximum),
        binary(
            "minimum",
            """
            Gives the smaller of two elements; NaN wins.
            Example: tensor{1, 5}:minimum(tensor{3, 2}) --> tensor([1, 2])
            Source: torch.minimum
            """, samples: ["x:minimum(y)", "x:minimum(row)"], inPlace: false,
            short: .binary(BINARY_MINIMUM), Tensor.minimum),
        Op(
            """
            lerp(input: tensor, end_: tensor, weight: tensor|number) -> tensor
            Interpolates linearly: input + weight * (end_ - input).
            Example: tensor{0.0, 10.0}:lerp(tensor{10.0, 20.0}, 0.5) --> tensor([ 5., 15.])
            Source: torch.lerp
            """, inPlace: true, samples: ["x:lerp(y, 0.3)", "x:lerp(y, pos)", "x:lerp(y, 0.8)"]
        ) { args in
            let (a, b) = (try args.tensor(0), try args.tensor(1))
            let w = try args.operand(2, beside: a)
            guard a.dtype.isFloat, a.dtype == b.dtype, !args.isTensor(2) || w.dtype == a.dtype else {
                throw TensorError("lerp: expected floating-point tensors of one dtype, got \(a.dtype.name), \(b.dtype.name) and \(w.dtype.name)")
            }
            return .tensor(try a + w * (b - a))
        },
    ]
}
