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

extension Tensor {
    func scaled(by s: Scalar) throws -> Tensor { try self * Tensor.wrapped(s, beside: self) }
}
