import KernelABI

extension Tensor {
    /// One row of the table of element-wise functions.
    static func apply(
        _ op: Int, _ name: String, _ x: Tensor, floating: Bool, _ a: Double = 0, _ b: Double = 0,
        derivative: (@Sendable (_ x: Tensor, _ y: Tensor, _ g: Tensor) throws -> Tensor)?
    ) throws -> Tensor {
        let input = floating && !x.dtype.isFloat ? try x.converted(to: .float32) : x
        let out: Tensor
        do { out = try Elementwise.unary(op, input, a, b) } catch let e as TensorError where e.kind == .value {
            throw TensorError("\(name): \(e.message)")
        }
        if x.isWrappedNumber { out.isWrappedNumber = true }
        guard let derivative, shouldRecord(x) else { return out }
        return try record(op, name, out, x, floating: floating, a, b, derivative: derivative)
    }

    fileprivate static func record(
        _ op: Int, _ name: String, _ out: Tensor, _ x: Tensor, floating: Bool, _ a: Double = 0, _ b: Double = 0,
        derivative: @escaping @Sendable (_ x: Tensor, _ y: Tensor, _ g: Tensor) throws -> Tensor
    ) throws -> Tensor {
        let (sx, so) = (SavedTensor(x, name), SavedOutput(out))
        return try out.record(name, x) { g in
            let x = try sx.value()
            // Differentiating again needs the result's own history.
            let y = GradMode.isEnabled
                ? try apply(op, name, x, floating: floating, a, b, derivative: derivative) : try so.value(x.shape, name)
            return [try derivative(x, y, try g.first)]
        }
    }

    public static prefix func - (x: Tensor) throws -> Tensor {
        guard x.dtype != .bool else { throw TensorError("neg: not defined for bool tensors; use logical_not") }
        return try apply(UNARY_NEG, "neg", x, floating: false) { _, _, g in try -g }
    }

    public func abs() throws -> Tensor { try UnaryFunction.abs(self) }
    public func square() throws -> Tensor { try UnaryFunction.square(self) }
    public func sqrt() throws -> Tensor { try UnaryFunction.sqrt(self) }
    public func exp() throws -> Tensor { try UnaryFunction.exp(self) }
    public func log() throws -> Tensor { try UnaryFunction.log(self) }
    public func sin() throws -> Tensor { try UnaryFunction.sin(self) }
    public func cos() throws -> Tensor { try UnaryFunction.cos(self) }
    public func tanh() throws -> Tensor { try UnaryFunction.tanh(self) }
    public func sigmoid() throws -> Tensor { try UnaryFunction.sigmoid(self) }
    public func relu() throws -> Tensor { try UnaryFunction.relu(self) }
    public func sign() throws -> Tensor { try UnaryFunction.sign(self) }
    public func trunc() throws -> Tensor { try UnaryFunction.trunc(self) }
    public func floor() throws -> Tensor { try UnaryFunction.floor(self) }
    public func reciprocal() throws -> Tensor { try UnaryFunction.reciprocal(self) }
    func sinh() throws -> Tensor { try UnaryFunction.sinh(self) }
    func cosh() throws -> Tensor { try UnaryFunction.cosh(self) }

    /// A backward in one loop where it need not be differentiated again, else the composed form.
    static func fused(
        _ op: Int, _ saved: Tensor, _ g: Tensor, _ composed: () throws -> Tensor
    ) throws -> Tensor {
        guard !GradMode.isEnabled, saved.dtype == g.dtype, let kernel = kernels.binary(Int32(op), g.dtype.code) else {
            return try composed()
        }
        return try Elementwise.binary(kernel, try saved.packed(), try g.packed(), g.dtype)
    }

    /// x limited to [low, high]; nil is no limit.
    public func clamp(_ low: Scalar?, _ high: Scalar?) throws -> Tensor {
        guard low != nil || high != nil else { throw TensorError("clamp: expected min or max") }
        var x = self
        if !dtype.isFloat, !(low?.isInteger ?? true) || !(high?.isInteger ?? true) { x = try converted(to: .float32) }
        if x.dtype == .bool { x = try converted(to: .int64) }
        let (a, b) = (low?.double ?? -.infinity, high?.double ?? .infinity)
        let out: Tensor
        if a.isNaN || b.isNaN {
            out = try Tensor.full(shape, .double(.nan), x.dtype.floating)
        } else if x.dtype.isFloat {
            out = try Elementwise.unary(UNARY_CLAMP, x, a, b)
        } else {
            var y = x
            if let low { y = try Arithmetic.compute(BINARY_MAXIMUM, y, try Tensor.wrapped(low.saturated(to: y.dtype), beside: y), "clamp") }
            if let high { y = try Arithmetic.compute(BINARY_MINIMUM, y, try Tensor.wrapped(high.saturated(to: y.dtype), beside: y), "clamp") }
            return y
        }
        guard shouldRecord(self) else { return out }
        let sx = SavedTensor(self, "clamp")
        return try out.record("clamp", [self]) { g in
            let x = try sx.value().detached()
            // At a bound the gradient is 0, as in PyTorch.
            let inside = try Tensor.logicalAnd(
                try Comparison.compute(COMPARE_GT, x, try Tensor.wrapped(.double(a), beside: x)),
                try Comparison.compute(COMPARE_LT, x, try Tensor.wrapped(.double(b), beside: x)))
            return [try g.first * inside.to(x.dtype)]
        }
    }
}

/// Element-wise functions of one tensor, a row each: kernel, derivative, text.
struct UnaryFunction: Sendable {
    let op: Int
    let name: String
    let text: String
    /// Elements, and what becomes of them.
    let example: (String, String)
    let source: String
    let samples: [String]
    let floating: Bool
    let derivative: (@Sendable (_ x: Tensor, _ y: Tensor, _ g: Tensor) throws -> Tensor)?

    init(
        _ name: String, _ op: Int, _ text: String, _ example: (String, String), floating: Bool = true, domain: String = "x", source: String? = nil,
        _ derivative: (@Sendable (_ x: Tensor, _ y: Tensor, _ g: Tensor) throws -> Tensor)?
    ) {
        self.name = name
        self.op = op
        self.text = text
        self.example = example
        self.source = source ?? "torch.\(name)"
        samples = ["\(derivative == nil ? "!" : "")\(domain):\(name)()"]
        self.floating = floating
        self.derivative = derivative
    }

    func callAsFunction(_ x: Tensor) throws -> Tensor {
        if x.dtype == .bool && op == UNARY_SIGN { return try x.copied() }
        if x.dtype == .bool && op == UNARY_NEG { return try -x }
        if x.dtype == .bool && !floating { return try callAsFunction(try x.converted(to: .int64)) }
        // Rounding leaves integers as they are.
        if !floating, !x.dtype.isFloat, UnaryFunction.roundings.contains(op) { return try x.copied() }
        return try Tensor.apply(op, name, x, floating: floating, derivative: derivative)
    }

    var record: Op {
        Op(
            """
            \(name)(input: tensor) -> tensor
            \(text)
            Example: tensor{\(example.0)}:\(name)() --> tensor([\(example.1)])
            Source: \(source)
            """, inPlace: true, samples: samples,
            short: .unary(op, derivative.map { derivative in
                { [self] out, x in try Tensor.record(op, name, out, x, floating: floating, derivative: derivative) }
            }),
            .unary { [self] in try callAsFunction($0) })
    }

    private static let roundings = [UNARY_FLOOR, UNARY_CEIL, UNARY_ROUND, UNARY_TRUNC]

    static let abs = UnaryFunction("abs", UNARY_ABS, "Gives the absolute value of each element.", ("-1.5, 2.0", "1.5000, 2.0000"), floating: false) { x, _, g in try g * x.sign() }
    static let square = UnaryFunction("square", UNARY_SQUARE, "Multiplies each element by itself.", ("-3.0, 2.0", "9., 4."), floating: false) { x, _, g in try g * (x * 2) }
    static let sqrt = UnaryFunction("sqrt", UNARY_SQRT, "Gives the square root of each element; NaN for negative ones.", ("4.0, 9.0", "2., 3."), domain: "pos") { _, y, g in try g / (y * 2) }
    static let exp = UnaryFunction("exp", UNARY_EXP, "Gives e to the power of each element.", ("0.0, 1.0", "1.0000, 2.7183")) { _, y, g in try g * y }
    static let log = UnaryFunction("log", UNARY_LOG, "Gives the natural logarithm of each element.", ("1.0, 10.0", "0.0000, 2.3026"), domain: "pos") { x, _, g in try g / x }
    static let sin = UnaryFunction("sin", UNARY_SIN, "Gives the sine of each element, in radians.", ("0.0, math.pi / 2", "0., 1.")) { x, _, g in try g * x.cos() }
    static let cos = UnaryFunction("cos", UNARY_COS, "Gives the cosine of each element, in radians.", ("0.0, math.pi", " 1., -1.")) { x, _, g in try -(g * x.sin()) }
    static let sinh = UnaryFunction("sinh", UNARY_SINH, "Gives the hyperbolic sine of each element.", ("0.0, 1.0", "0.0000, 1.1752")) { x, _, g in try g * x.cosh() }
    static let cosh = UnaryFunction("cosh", UNARY_COSH, "Gives the hyperbolic cosine of each element.", ("0.0, 1.0", "1.0000, 1.5431")) { x, _, g in try g * x.sinh() }
    static let tanh = UnaryFunction("tanh", UNARY_TANH, "Gives the hyperbolic tangent of each element.", ("0.0, 1.0", "0.0000, 0.7616")) { _, y, g in
        try Tensor.fused(BINARY_TANH_GRAD, y, g) { try g * (1 - y * y) }
    }
    static let sigmoid = UnaryFunction("sigmoid", UNARY_SIGMOID, "Gives 1 / (1 + e^-x) for each element.", ("0.0, 2.0", "0.5000, 0.8808")) { _, y, g in
        try Tensor.fused(BINARY_SIGMOID_GRAD, y, g) { try g * y * (1 - y) }
    }
    static let relu = UnaryFunction("relu", UNARY_RELU, "Gives max(x, 0) for each element.", ("-1.0, 2.0", "0., 2."), floating: false) { _, y, g in
        try Tensor.fused(BINARY_RELU_GRAD, y, g) {
            try g * Comparison.compute(COMPARE_GT, y, try Tensor.wrapped(.int(0), beside: y)).to(g.dtype)
        }
    }
    static let silu = UnaryFunction("silu", UNARY_SILU, "Gives x * sigmoid(x) for each element.", ("-1.0, 2.0", "-0.2689,  1.7616"), source: "torch.nn.functional.silu") { x, _, g in
        try Tensor.fused(BINARY_SILU_GRAD, x, g) {
            let s = try x.sigmoid()
            return try g * (s * (x * (1 - s) + 1))
        }
    }
    static let sign = UnaryFunction("sign", UNARY_SIGN, "Gives -1, 0 or 1 for each element; 0 for NaN.", ("-3.0, 0.0, 2.0", "-1.,  0.,  1."), floating: false) { x, _, _ in try Tensor.zeros(x.shape, x.dtype) }
    static let trunc = UnaryFunction("trunc", UNARY_TRUNC, "Rounds each element towards zero.", ("-1.5, 1.5", "-1.,  1."), floating: false) { x, _, _ in try Tensor.zeros(x.shape, x.dtype) }
    static let floor = UnaryFunction("floor", UNARY_FLOOR, "Rounds each element down.", ("-1.5, 1.5", "-2.,  1."), floating: false) { x, _, _ in try Tensor.zeros(x.shape, x.dtype) }
    static let reciprocal = UnaryFunction("reciprocal", UNARY_RECIPROCAL, "Gives 1 / x for each element.", ("2.0, 4.0", "0.5000, 0.2500"), domain: "pos") { _, y, g in try -(g * y * y) }

    static let all: [UnaryFunction] = [
        abs, square, sqrt, exp, log, sin, cos, sinh, cosh, tanh, sigmoid, relu, silu, sign, trunc, floor, reciprocal,
        UnaryFunction("neg", UNARY_NEG, "Gives -x for each element.", ("1.0, -2.0", "-1.,  2."), floating: false) { _, _, g in try -g },
        UnaryFunction("rsqrt", UNARY_RSQRT, "Gives 1 / sqrt(x) for each element.", ("4.0, 16.0", "0.5000, 0.2500"), domain: "pos") { _, y, g in try g * (y * y * y) * -0.5 },
        UnaryFunction("exp2", UNARY_EXP2, "Gives 2 to the power of each element.", ("3.0, -1.0", "8.0000, 0.5000")) { _, y, g in try g * y * 0.6931471805599453 },
        UnaryFunction("expm1", UNARY_EXPM1, "Gives e^x - 1 for each element, exactly near 0.", ("0.0, 1.0", "0.0000, 1.7183")) { _, y, g in try g * (y + 1) },
        UnaryFunction("log2", UNARY_LOG2, "Gives the logarithm to base 2 of each element.", ("8.0, 2.0", "3., 1."), domain: "pos") { x, _, g in try g / (x * 0.6931471805599453) },
        UnaryFunction("log10", UNARY_LOG10, "Gives the logarithm to base 10 of each element.", ("10.0, 1000.0", "1., 3."), domain: "pos") { x, _, g in try g / (x * 2.302585092994046) },
        UnaryFunction("log1p", UNARY_LOG1P, "Gives log(1 + x) for each element, exactly near 0.", ("0.0, 1.0", "0.0000, 0.6931"), domain: "pos") { x, _, g in try g / (x + 1) },
        UnaryFunction("tan", UNARY_TAN, "Gives the tangent of each element, in radians.", ("0.0, math.pi / 4", "0., 1."), domain: "unit") { _, y, g in try g * (y * y + 1) },
        UnaryFunction("asin", UNARY_ASIN, "Gives the arc sine of each element, in radians.", ("0.0, 1.0", "0.0000, 1.5708"), domain: "unit") { x, _, g in try g / (1 - x * x).sqrt() },
        UnaryFunction("acos", UNARY_ACOS, "Gives the arc cosine of each element, in radians.", ("1.0, 0.0", "0.0000, 1.5708"), domain: "unit") { x, _, g in try -(g / (1 - x * x).sqrt()) },
        UnaryFunction("atan", UNARY_ATAN, "Gives the arc tangent of each element, in radians.", ("0.0, 1.0", "0.0000, 0.7854")) { x, _, g in try g / (x * x + 1) },
        UnaryFunction("erf", UNARY_ERF, "Gives the error function of each element.", ("0.0, 1.0", "0.0000, 0.8427")) { x, _, g in try g * (-(x * x)).exp() * 1.1283791670955126 },
        UnaryFunction("erfc", UNARY_ERFC, "Gives 1 - erf(x) for each element.", ("0.0, 1.0", "1.0000, 0.1573")) { x, _, g in try g * (-(x * x)).exp() * -1.1283791670955126 },
        UnaryFunction("ceil", UNARY_CEIL, "Rounds each element up.", ("-1.5, 1.5", "-1.,  2."), floating: false) { x, _, _ in try Tensor.zeros(x.shape, x.dtype) },
        UnaryFunction("frac", UNARY_FRAC, "Gives x - trunc(x) for each element.", ("1.25, -1.25", " 0.2500, -0.2500"), floating: false) { _, _, g in g },
    ]
}

extension Tensor {
    func erfFunction() throws -> Tensor {
        try Tensor.apply(UNARY_ERF, "erf", self, floating: true) { x, _, g in
            try g * (-(x * x)).exp() * 1.1283791670955126
        }
    }
}
