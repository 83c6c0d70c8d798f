/// Normalisation over groups of channels, single pictures, and by the root mean square.
extension Tensor {
    /// Scales and shifts each channel (dimension 1).
    private func affine(_ weight: Tensor?, _ bias: Tensor?) throws -> Tensor {
        var line = Shape(repeating: 1, rank: rank)
        line[1] = shape[1]
        var y = self
        if let weight { y = try y * weight.reshape(line) }
        if let bias { y = try y + bias.reshape(line) }
        return y
    }

    private static func checkChannels(_ name: String, _ what: String, _ t: Tensor?, _ x: Tensor) throws {
        guard let t else { return }
        guard t.shape == Shape(x.shape[1]), t.dtype == x.dtype else {
            throw TensorError("\(name): expected \(what) [\(x.shape[1])] \(x.dtype.name) for input \(x.shape), got \(t.shape) \(t.dtype.name)")
        }
    }

    public static func groupNorm(_ x: Tensor, groups: Int, _ weight: Tensor?, _ bias: Tensor?, eps: Double) throws -> Tensor {
        let name = "group_norm"
        guard x.rank >= 2, x.dtype.isFloat else {
            throw TensorError("\(name): expected a floating-point input [N, C, ..], got \(x.dtype.name) \(x.shape)")
        }
        guard groups > 0, x.shape[1] % groups == 0 else {
            throw TensorError("\(name): \(x.shape[1]) channels do not divide into \(groups) groups (input \(x.shape))")
        }
        try checkChannels(name, "weight", weight, x)
        try checkChannels(name, "bias", bias, x)
        if x.count == 0 { return try x.affine(weight, bias) }
        let rows = x.shape[0] * groups
        let flat = try x.reshape(Shape(rows, x.count / rows))
        return try layerNorm(flat, Shape(flat.shape[1]), nil, nil, eps: eps).reshape(x.shape).affine(weight, bias)
    }

    public static func instanceNorm(
        _ x: Tensor, mean: Tensor?, variance: Tensor?, _ weight: Tensor?, _ bias: Tensor?, useInputStats: Bool, momentum: Double,
        eps: Double
    ) throws -> Tensor {
        let name = "instance_norm"
        guard x.rank >= 3, x.dtype.isFloat else {
            throw TensorError("\(name): expected a floating-point input [N, C, ..] with at least one more dimension, got \(x.dtype.name) \(x.shape)")
        }
        for (what, t) in [("running_mean", mean), ("running_var", variance), ("weight", weight), ("bias", bias)] {
            try checkChannels(name, what, t, x)
        }
        guard useInputStats else {
            guard let mean, let variance else { throw TensorError("\(name): without use_input_stats running_mean and running_var are needed") }
            return try batchNorm(x, mean: mean, variance: variance, weight, bias, training: false, momentum: momentum, eps: eps)
        }
        let area = x.shape.array.dropFirst(2).reduce(1, *)
        guard area != 1 else {
            throw TensorError("\(name): one element for each channel (input \(x.shape)) cannot be normalised by its own statistics")
        }
        if let mean, let variance, x.count > 0 {
            // The running values follow the average over the batch of each picture's own.
            try GradMode.with(false) {
                let plain = x.detached(), dims = Array(2..<x.rank)
                let m = try plain.mean(dims).mean([0])
                let v = try plain.variance(dims, correction: 1, keepdim: false).mean([0])
                try mean.assign(try mean * (1 - momentum) + m * momentum, name)
                try variance.assign(try variance * (1 - momentum) + v * momentum, name)
            }
        }
        return try groupNorm(x, groups: x.shape[1], weight, bias, eps: eps)
    }

    /// x / sqrt(mean(x^2) + eps) over the trailing dimensions, times `weight`.
    public static func rmsNorm(_ x: Tensor, _ shape: Shape, _ weight: Tensor?, eps: Double?) throws -> Tensor {
        let name = "rms_norm"
        let lead = x.rank - shape.rank
        guard x.dtype.isFloat, shape.rank > 0, lead >= 0, (0..<shape.rank).allSatisfy({ x.shape[lead + $0] == shape[$0] }) else {
            throw TensorError(
                "\(name): expected a floating-point input [.., \(shape.array.map(String.init).joined(separator: ", "))], got \(x.dtype.name) \(x.shape)")
        }
        if let weight, weight.shape != shape { throw TensorError("\(name): expected weight \(shape), got \(weight.shape)") }
        let floor = eps ?? (x.dtype == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne)
        let mean = try x.square().mean(Array(lead..<x.rank), keepdim: true) + floor
        let y = try x * mean.sqrt().reciprocal()
        return try weight.map { try y * $0 } ?? y
    }
}

extension Op {
    static let moreNormalization: [Op] = [
        Op(
            """
            group_norm(input: tensor, num_groups: int, weight: tensor = nil, bias: tensor = nil, eps: number = 1e-05) -> tensor
            Normalises groups of channels of each element of the batch [N, C, ..], then scales and shifts each channel.
            Errors: channels that do not divide into groups
            Example: nn.functional.group_norm(tensor.rand(2, 4, 3), 2).shape --> {2, 4, 3}
            Source: Wu and He 2018; torch.nn.functional.group_norm
            """, form: .function, samples: ["F.group_norm(img, 3, sq[0], sq[1])", "F.group_norm(x, 2)", "F.group_norm(img, 1)"]
        ) {
            .tensor(
                try Tensor.groupNorm(
                    try $0.tensor(0), groups: try $0.int(1), try $0.optionalTensor(2), try $0.optionalTensor(3), eps: try $0.double(4)))
        },
        Op(
            """
            instance_norm(input: tensor, running_mean: tensor = nil, running_var: tensor = nil, weight: tensor = nil, bias: tensor = nil, use_input_stats: bool = true, momentum: number = 0.1, eps: number = 1e-05) -> tensor
            Normalises each channel of each element of the batch [N, C, ..] on its own.
            Errors: one element for each channel, statistics missing when use_input_stats is false
            Example: nn.functional.instance_norm(tensor.rand(2, 4, 3, 3)).shape --> {2, 4, 3, 3}
            Source: Ulyanov et al. 2016; torch.nn.functional.instance_norm
            """, form: .function,
            samples: [
                "F.instance_norm(img)", "F.instance_norm(sig, nil, nil, sq[0], sq[1])",
                "F.instance_norm(img, tensor.zeros_like(sq[0]), tensor.ones_like(sq[0]), {use_input_stats = false})",
            ]
        ) {
            .tensor(
                try Tensor.instanceNorm(
                    try $0.tensor(0), mean: try $0.optionalTensor(1), variance: try $0.optionalTensor(2), try $0.optionalTensor(3),
                    try $0.optionalTensor(4), useInputStats: try $0.bool(5), momentum: try $0.double(6), eps: try $0.double(7)))
        },
        Op(
            """
            rms_norm(input: tensor, normalized_shape: ints, weight: tensor = nil, eps: number = nil) -> tensor
            Divides by the root of the mean square over the trailing dimensions `normalized_shape`, then scales; eps is the dtype's precision unless given.
            Errors: trailing dimensions that differ
            Example: nn.functional.rms_norm(tensor{{3.0, 4.0}}, 2) --> tensor([[0.8485, 1.1314]])
            Source: Zhang and Sennrich 2019; torch.nn.functional.rms_norm
            """, form: .function, samples: ["F.rms_norm(x, 4)", "F.rms_norm(x, {4}, row, 1e-3)", "F.rms_norm(t3, {3, 4})"]
        ) {
            .tensor(
                try Tensor.rmsNorm(
                    try $0.tensor(0), try $0.shape(1), try $0.optionalTensor(2), eps: $0.isNil(3) ? nil : try $0.double(3)))
        },
        Op(
            """
            dropout2d(input: tensor, p: number = 0.5, training: bool = true) -> tensor
            Zeroes whole channels of `input` [N, C, ..] with probability p when training and scales the rest by 1 / (1 - p).
            Errors: p outside 0..1, fewer than 2 dimensions
            Example: nn.functional.dropout2d(tensor.ones(1, 2, 2, 2), 1):sum() --> tensor(0.)
            Source: Tompson et al. 2015; torch.nn.functional.dropout2d
            """, form: .function, samples: ["F.dropout2d(img, 0.5, false)"]
        ) {
            let x = try $0.tensor(0), p = try $0.double(1)
            guard x.rank >= 2 else { throw TensorError("dropout2d: expected input [N, C, ..], got \(x.shape)") }
            guard p >= 0, p <= 1 else { throw TensorError("dropout2d: p must be in 0..1, got \(p)") }
            guard try $0.bool(2), p > 0 else { return .tensor(x) }
            var line = Shape(repeating: 1, rank: x.rank)
            line[0] = x.shape[0]
            line[1] = x.shape[1]
            return .tensor(try x * Tensor.ones(line, x.dtype).dropout(p, training: true))
        },
    ]
}
