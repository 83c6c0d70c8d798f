import KernelABI

/// Binary arithmetic: promotion, broadcasting, history.
public enum Arithmetic {
    /// - Parameter floating: whether integers become floating point (true division and the like).
    static func compute(_ op: Int, _ a: Tensor, _ b: Tensor, _ name: String, floating: Bool = false) throws -> Tensor {
        var dtype = Tensor.resultType(a, b)
        if floating { dtype = dtype.floating }
        if dtype == .bool {
            // + and the larger of two are "or", * and the smaller are "and".
            switch op {
            case BINARY_ADD, BINARY_MAXIMUM: return try Comparison.compute(COMPARE_OR, a, b)
            case BINARY_MUL, BINARY_MINIMUM: return try Comparison.compute(COMPARE_AND, a, b)
            default:
                throw TensorError("\(name): not available for bool tensors; convert them first (x:long())")
            }
        }
        guard let kernel = kernels.binary(Int32(op), dtype.code) else {
            throw TensorError("\(name): not available for \(dtype.name) tensors")
        }
        let out = try Elementwise.binary(kernel, try a.converted(to: dtype), try b.converted(to: dtype), dtype)
        if a.isWrappedNumber && b.isWrappedNumber { out.isWrappedNumber = true }
        return out
    }

    /// What the in-place twins of these operations call.
    public static let storing: [String: Int] = ["add": BINARY_ADD, "sub": BINARY_SUB, "mul": BINARY_MUL, "div": BINARY_DIV]

    /// target = op(target, other) without a tensor in between, where both are packed floats of one shape and nothing is
    /// recorded; else nothing is done, and false.
    public static func store(_ op: Int, _ other: Tensor, into target: Tensor) throws -> Bool {
        guard target.dtype.isFloat, other.dtype == target.dtype, other.shape == target.shape, target.isContiguous, other.isContiguous,
            // Memory that overlaps would be read after it was written.
            other.storage !== target.storage || other.offset == target.offset,
            !(GradMode.isEnabled && (target.requiresGrad || other.requiresGrad)),
            let kernel = kernels.binary(Int32(op), target.dtype.code)
        else { return false }
        _ = try Elementwise.binary(kernel, target, other, target.dtype, into: target)
        target.storage.version += 1
        return true
    }

    /// A gradient brought back to an operand's shape and dtype.
    static func reduce(_ g: Tensor, _ shape: Shape, _ dtype: DType) throws -> Tensor {
        try g.sum(to: shape).to(dtype)
    }

    /// Integer division by zero traps the CPU, so it is an error here.
    static func checkDivisor(_ a: Tensor, _ b: Tensor, _ name: String) throws {
        let dtype = Tensor.resultType(a, b)
        guard !dtype.isFloat, a.count > 0 else { return }
        // As the kernel will see it: a narrower type may make 0 of a large number.
        let b = try b.converted(to: dtype)
        let zero = try Comparison.compute(COMPARE_EQ, b, try Tensor.wrapped(.int(0), beside: b))
        let any = try Reduction.run(REDUCE_ANY, zero, Array(0..<zero.rank), keepdim: false, .bool)
        if any.element(0).double != 0 { throw TensorError("\(name): integer division by zero") }
    }
}

extension Tensor {
    /// Records a binary result whose backward is given per operand.
    private static func recordBinary(
        _ name: String, _ out: Tensor, _ a: Tensor, _ b: Tensor,
        _ ga: @escaping (Tensor) throws -> Tensor, _ gb: @escaping (Tensor) throws -> Tensor
    ) throws -> Tensor {
        let (needsA, needsB) = (a.requiresGrad, b.requiresGrad)
        if isAlike(out, a, b) {
            return try out.record(name, a, b) { g in
                let g = try g.first
                return [needsA ? try ga(g) : nil, needsB ? try gb(g) : nil]
            }
        }
        let (sa, sb, da, db) = (a.shape, b.shape, a.dtype, b.dtype)
        return try out.record(name, a, b) { g in
            let g = try g.first
            return [
                needsA ? try Arithmetic.reduce(try ga(g), sa, da) : nil,
                needsB ? try Arithmetic.reduce(try gb(g), sb, db) : nil,
            ]
        }
    }

    public static func add(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        let out = try Arithmetic.compute(BINARY_ADD, a, b, "add")
        return shouldRecord(a, b) ? try recordAdd(out, a, b) : out
    }

    /// Of one shape and dtype with the result: what goes to the operands needs no reduction.
    private static func isAlike(_ out: Tensor, _ a: Tensor, _ b: Tensor) -> Bool {
        a.dtype == out.dtype && b.dtype == out.dtype && a.shape == out.shape && b.shape == out.shape
    }

    static func recordAdd(_ out: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        guard isAlike(out, a, b) else { return try recordBinary("add", out, a, b, { $0 }, { $0 }) }
        // Captures nothing, so that no closure is allocated; an operand without history has no edge to go along.
        return try out.record("add", a, b) { g in
            let g = try g.first
            return [g, g]
        }
    }

    public static func sub(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        guard a.dtype != .bool, b.dtype != .bool else {
            throw TensorError("sub: subtraction of bool tensors is not defined; use logical_xor or logical_not, or convert them first (x:long())")
        }
        let out = try Arithmetic.compute(BINARY_SUB, a, b, "sub")
        return shouldRecord(a, b) ? try recordSub(out, a, b) : out
    }

    static func recordSub(_ out: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        try recordBinary("sub", out, a, b, { $0 }, { try -$0 })
    }

    public static func mul(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        let out = try Arithmetic.compute(BINARY_MUL, a, b, "mul")
        return shouldRecord(a, b) ? try recordMul(out, a, b) : out
    }

    static func recordMul(_ out: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        let (sa, sb) = (SavedTensor(a, "mul"), SavedTensor(b, "mul"))
        guard isAlike(out, a, b) else {
            return try recordBinary("mul", out, a, b, { try $0 * sb.value() }, { try $0 * sa.value() })
        }
        // One closure for both operands.
        let (needsA, needsB) = (a.requiresGrad, b.requiresGrad)
        return try out.record("mul", a, b) { g in
            let g = try g.first
            return [needsA ? try g * sb.value() : nil, needsB ? try g * sa.value() : nil]
        }
    }

    public static func div(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        let out = try Arithmetic.compute(BINARY_DIV, a, b, "div", floating: true)
        return shouldRecord(a, b) ? try recordDiv(out, a, b) : out
    }

    static func recordDiv(_ out: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        let (sa, sb) = (SavedTensor(a, "div"), SavedTensor(b, "div"))
        return try recordBinary(
            "div", out, a, b, { try $0 / sb.value() },
            { g in
                let b = try sb.value()
                return try -(g * (sa.value() / b / b))
            })
    }

    public static func pow(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        // Squares and square roots are common and much cheaper than the general power.
        if b.isWrappedNumber, a.dtype.isFloat {
            switch b.element(0).double {
            case 2: return try a.square()
            case 0.5: return try a.sqrt()
            default: break
            }
        }
        if !resultType(a, b).isFloat, b.isWrappedNumber, b.element(0).double < 0 {
            throw TensorError("pow: integers to negative integer powers are not allowed")
        }
        let out = try Arithmetic.compute(BINARY_POW, a, b, "pow")
        guard shouldRecord(a, b) else { return out }
        let (sa, sb, so) = (SavedTensor(a, "pow"), SavedTensor(b, "pow"), out.savedOutput("pow"))
        return try recordBinary(
            "pow", out, a, b,
            { g in
                let (a, b) = (try sa.value(), try sb.value())
                let slope = try b * Tensor.pow(a, try b - 1)
                return try g * Tensor.where(try b.equalTo(0), try Tensor.zeros(Shape(), slope.dtype), slope)
            },
            { g in
                let (a, b) = (try sa.value(), try sb.value())
                let out = GradMode.isEnabled ? try Tensor.pow(a, b) : try so.value()
                let flat = try Tensor.where(try a.equalTo(0), try Tensor.zeros(Shape(), out.dtype), try out * a.to(g.dtype).log())
                return try g * flat
            })
    }

    public static func remainder(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        try Arithmetic.checkDivisor(a, b, "remainder")
        let out = try Arithmetic.compute(BINARY_REMAINDER, a, b, "remainder")
        guard shouldRecord(a, b) else { return out }
        let (sa, sb) = (SavedTensor(a, "remainder"), SavedTensor(b, "remainder"))
        return try recordBinary(
            "remainder", out, a, b, { $0 },
            { try -($0 * Tensor.floorDivide(try sa.value().detached(), try sb.value().detached())) })
    }

    public static func floorDivide(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        try Arithmetic.checkDivisor(a, b, "floor_divide")
        return try Arithmetic.compute(BINARY_FLOOR_DIVIDE, a, b, "floor_divide")
    }

    public static func atan2(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        let out = try Arithmetic.compute(BINARY_ATAN2, a, b, "atan2", floating: true)
        guard shouldRecord(a, b) else { return out }
        let (sa, sb) = (SavedTensor(a, "atan2"), SavedTensor(b, "atan2"))
        func scale(_ g: Tensor) throws -> Tensor {
            let (a, b) = (try sa.value().to(g.dtype), try sb.value().to(g.dtype))
            return try g / (a * a + b * b)
        }
        return try recordBinary(
            "atan2", out, a, b, { try scale($0) * sb.value() }, { try -(scale($0) * sa.value()) })
    }

    public static func maximum(_ a: Tensor, _ b: Tensor) throws -> Tensor { try extremum(BINARY_MAXIMUM, "maximum", a, b) }
    public static func minimum(_ a: Tensor, _ b: Tensor) throws -> Tensor { try extremum(BINARY_MINIMUM, "minimum", a, b) }

    private static func extremum(_ op: Int, _ name: String, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        let out = try Arithmetic.compute(op, a, b, name)
        guard shouldRecord(a, b) else { return out }
        let (sa, sb) = (SavedTensor(a, name), SavedTensor(b, name))
        // Equal operands share the gradient, as in PyTorch.
        func share(_ g: Tensor, _ own: Tensor, _ other: Tensor) throws -> Tensor {
            let compare = op == BINARY_MAXIMUM ? COMPARE_GT : COMPARE_LT
            let wins = try Comparison.compute(compare, own, other).to(g.dtype)
            let ties = try Comparison.compute(COMPARE_EQ, own, other).to(g.dtype)
            return try g * (wins + ties * 0.5)
        }
        return try recordBinary(
            name, out, a, b, { try share($0, try sa.value(), try sb.value()) },
            { try share($0, try sb.value(), try sa.value()) })
    }

    public static func + (a: Tensor, b: Tensor) throws -> Tensor { try add(a, b) }
    public static func - (a: Tensor, b: Tensor) throws -> Tensor { try sub(a, b) }
    public static func * (a: Tensor, b: Tensor) throws -> Tensor { try mul(a, b) }
    public static func / (a: Tensor, b: Tensor) throws -> Tensor { try div(a, b) }
    public static func + (a: Tensor, b: Double) throws -> Tensor { try add(a, try wrapped(.double(b), beside: a)) }
    public static func - (a: Tensor, b: Double) throws -> Tensor { try sub(a, try wrapped(.double(b), beside: a)) }
    public static func * (a: Tensor, b: Double) throws -> Tensor { try mul(a, try wrapped(.double(b), beside: a)) }
    public static func / (a: Tensor, b: Double) throws -> Tensor { try div(a, try wrapped(.double(b), beside: a)) }
    public static func - (a: Double, b: Tensor) throws -> Tensor { try sub(try wrapped(.double(a), beside: b), b) }
    public static func / (a: Double, b: Tensor) throws -> Tensor { try div(try wrapped(.double(a), beside: b), b) }

    func equalTo(_ value: Double) throws -> Tensor {
        try Comparison.compute(COMPARE_EQ, self, try Tensor.wrapped(.double(value), beside: self))
    }
}

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

extension Tensor {
    func scaled(by s: Scalar) throws -> Tensor { try self * Tensor.wrapped(s, beside: self) }
}
