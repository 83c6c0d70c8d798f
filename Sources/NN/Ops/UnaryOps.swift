import KernelABI

extension Op {
    /// Functions with parameters.
    private static func activation(
        _ doc: String, _ op: Int, samples: [String], _ parameters: @escaping @Sendable (any OpArguments) throws -> (Double, Double),
        _ derivative: @escaping @Sendable (Double, Double) -> @Sendable (_ x: Tensor, _ y: Tensor, _ g: Tensor) throws -> Tensor
    ) -> Op {
        let name = String(doc.prefix { $0 != "(" })
        return Op(doc, inPlace: true, samples: samples) {
            let (a, b) = try parameters($0)
            return .tensor(
                try Tensor.apply(op, name, try $0.tensor(0), floating: true, a, b, derivative: derivative(a, b)))
        }
    }

    static func above(_ x: Tensor, _ limit: Double) throws -> Tensor {
        try Comparison.compute(COMPARE_GT, x, try Tensor.wrapped(.double(limit), beside: x))
    }

    static let unary: [Op] = UnaryFunction.all.map(\.record) + [
        Op(
            """
            round(input: tensor, *, decimals: int = 0) -> tensor
            Rounds each element to the nearest integer, halves to even, or to `decimals` digits.
            Example: tensor{0.5, 1.5, 2.5}:round() --> tensor([0., 2., 2.])
            Source: torch.round
            """, inPlace: true, samples: ["x:round()"]
        ) {
            let x = try $0.tensor(0)
            guard x.dtype.isFloat else { return .tensor(try x.copied()) }
            let scale = Scalar.double(Double(sign: .plus, exponent: 0, significand: 1) * power10(try $0.int(1)))
            if scale.double == 1 {
                return .tensor(try Tensor.apply(UNARY_ROUND, "round", x, floating: false) { x, _, _ in try Tensor.zeros(x.shape, x.dtype) })
            }
            let out = try Elementwise.unary(UNARY_ROUND, try x.detached().scaled(by: scale)) / scale.double
            return .tensor(try shouldRecord(x) ? out.record("round", [x]) { [try Tensor.zeros(x.shape, try $0.first.dtype)] } : out)
        },
        Op(
            """
            clamp(input: tensor, min: number|tensor = nil, max: number|tensor = nil) -> tensor
            Limits each element to the range from `min` to `max`; either may be left out.
            Example: tensor{-2, 0, 5}:clamp(-1, 1) --> tensor([-1,  0,  1])
            Errors: neither bound given
            Source: torch.clamp
            """, inPlace: true, samples: ["x:clamp(-0.5, 0.7)", "x:clamp({min = 0.1})", "x:clamp(nil, 0.4)", "x:clamp(unit, pos)"]
        ) {
            let x = try $0.tensor(0)
            if $0.isTensor(1) || $0.isTensor(2) {
                var y = x
                if !$0.isNil(1) { y = try Tensor.maximum(y, try $0.operand(1, beside: x)) }
                if !$0.isNil(2) { y = try Tensor.minimum(y, try $0.operand(2, beside: x)) }
                return .tensor(y)
            }
            return .tensor(try x.clamp($0.isNil(1) ? nil : try $0.scalar(1), $0.isNil(2) ? nil : try $0.scalar(2)))
        },
        Op(
            """
            nan_to_num(input: tensor, nan: number = 0, posinf: number = nil, neginf: number = nil) -> tensor
            Replaces NaN, infinity and minus infinity; infinities by the largest finite values unless told otherwise.
            Example: tensor{1, 0/0}:nan_to_num() --> tensor([1., 0.])
            Source: torch.nan_to_num
            """, inPlace: true, samples: ["x:nan_to_num()"]
        ) {
            let x = try $0.tensor(0)
            guard x.dtype.isFloat else { return .tensor(try x.copied()) }
            let largest = x.dtype == .float32 ? Double(Float.greatestFiniteMagnitude) : Double.greatestFiniteMagnitude
            func fill(_ v: Double) throws -> Tensor { try Tensor.wrapped(.double(v), beside: x) }
            let d = x.detached()
            let high = $0.isNil(2) ? largest : try $0.double(2), low = $0.isNil(3) ? -largest : try $0.double(3)
            var y = try Tensor.where(try Comparison.compute(COMPARE_NE, d, d), try fill(try $0.double(1)), x)
            y = try Tensor.where(try d.equalTo(.infinity), try fill(high), y)
            return .tensor(try Tensor.where(try d.equalTo(-.infinity), try fill(low), y))
        },
        activation(
            """
            leaky_relu(input: tensor, negative_slope: number = 0.01) -> tensor
            Gives x where it is positive, else negative_slope * x.
            Example: tensor{-1.0, 2.0}:leaky_relu(0.1) --> tensor([-0.1000,  2.0000])
            Source: torch.nn.functional.leaky_relu
            """, UNARY_LEAKY_RELU, samples: ["x:leaky_relu()", "x:leaky_relu(0.2)"], { (try $0.double(1), 0) }
        ) { slope, _ in { x, _, g in try Tensor.where(try above(x, 0), g, try g * slope) } },
        activation(
            """
            elu(input: tensor, alpha: number = 1) -> tensor
            Gives x where it is positive, else alpha * (e^x - 1).
            Example: tensor{-1.0, 2.0}:elu() --> tensor([-0.6321,  2.0000])
            Source: torch.nn.functional.elu
            """, UNARY_ELU, samples: ["x:elu()", "x:elu(0.5)"], { (try $0.double(1), 0) }
        ) { alpha, _ in { x, y, g in try Tensor.where(try above(x, 0), g, try g * (y + alpha)) } },
        activation(
            """
            softplus(input: tensor, beta: number = 1, threshold: number = 20) -> tensor
            Gives log(1 + e^(beta x)) / beta; x itself where beta x exceeds the threshold.
            Example: tensor{0.0, 30.0}:softplus() --> tensor([ 0.6931, 30.0000])
            Source: torch.nn.functional.softplus
            """, UNARY_SOFTPLUS, samples: ["x:softplus()", "x:softplus(2)", "x:softplus(1, 0.5)"], { (try $0.double(1), try $0.double(2)) }
        ) { beta, threshold in
            { x, _, g in try Tensor.where(try above(try x * beta, threshold), g, try g * (x * beta).sigmoid()) }
        },
        Op(
            """
            gelu(input: tensor, *, approximate: "none"|"tanh" = "none") -> tensor
            Gives x times the normal distribution's cumulative probability, or its tanh approximation.
            Example: tensor{-1.0, 1.0}:gelu() --> tensor([-0.1587,  0.8413])
            Source: torch.nn.functional.gelu
            """, inPlace: true, samples: ["x:gelu()", "x:gelu({approximate = \"tanh\"})"]
        ) {
            let x = try $0.tensor(0)
            if try $0.string(1) == "none" {
                return .tensor(
                    try Tensor.apply(UNARY_GELU, "gelu", x, floating: true) { x, _, g in
                        try Tensor.fused(BINARY_GELU_GRAD, x, g) {
                            let phi = try (x * 0.7071067811865476).erfFunction() * 0.5 + 0.5
                            return try g * (phi + x * (x * x * -0.5).exp() * 0.3989422804014327)
                        }
                    })
            }
            return .tensor(
                try Tensor.apply(UNARY_GELU_TANH, "gelu", x, floating: true) { x, _, g in
                    try Tensor.fused(BINARY_GELU_TANH_GRAD, x, g) {
                        let t = try ((x + x * x * x * 0.044715) * 0.7978845608028654).tanh()
                        let inner = try (x * x * (3 * 0.044715) + 1) * 0.7978845608028654
                        return try g * ((t + 1) * 0.5 + x * (1 - t * t) * inner * 0.5)
                    }
                })
        },
        Op(
            """
            hardtanh(input: tensor, min_val: number = -1, max_val: number = 1) -> tensor
            Limits each element to the range from min_val to max_val.
            Example: tensor{-3.0, 0.5}:hardtanh() --> tensor([-1.0000,  0.5000])
            Source: torch.nn.functional.hardtanh
            """, inPlace: true, samples: ["x:hardtanh()", "x:hardtanh(-0.3, 0.8)"]
        ) { .tensor(try $0.tensor(0).clamp(try $0.scalar(1), try $0.scalar(2))) },
    ]

    private static func power10(_ n: Int) -> Double {
        var r = 1.0
        for _ in 0..<min(n.magnitude, 400) { r *= 10 }
        return n < 0 ? 1 / r : r
    }
}
