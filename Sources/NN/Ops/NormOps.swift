import KernelABI

extension Tensor {
    private static func checkParameter(_ name: String, _ what: String, _ t: Tensor?, _ shape: Shape, _ dtype: DType) throws {
        if let t, t.shape != shape || t.dtype != dtype {
            throw TensorError("\(name): expected \(what) \(shape) \(dtype.name), got \(t.shape) \(t.dtype.name)")
        }
    }

    /// Batch normalisation over all dimensions but the second. x [N, C, ..]; running statistics [C] are
    /// updated in place when training, with the unbiased variance, as in PyTorch. `pooled`: then relu and max_pool2d of
    /// 2x2 windows, in one pass where the planes' sides are even; the history's last name is the pooling's.
    public static func batchNorm(
        _ x: Tensor, mean runningMean: Tensor?, variance runningVar: Tensor?, _ weight: Tensor?, _ bias: Tensor?,
        training: Bool, momentum: Double, eps: Double, pooled: Bool = false
    ) throws -> Tensor {
        let name = "batch_norm"
        guard x.rank >= 2, x.dtype.isFloat else {
            throw TensorError("\(name): expected a floating-point input [N, C, ..], got \(x.dtype.name) \(x.shape)")
        }
        let (n, c) = (x.shape[0], x.shape[1])
        let s = x.shape.array.dropFirst(2).reduce(1, *)
        let channels = Shape(c)
        for (what, t) in [("running_mean", runningMean), ("running_var", runningVar), ("weight", weight), ("bias", bias)] {
            try checkParameter(name, what, t, channels, x.dtype)
        }
        guard training || (runningMean != nil && runningVar != nil) else {
            throw TensorError("\(name): running_mean and running_var are needed when not training")
        }
        guard !training || n * s > 1 else {
            throw TensorError("\(name): expected more than 1 value per channel when training, got input \(x.shape)")
        }
        if pooled, x.rank != 4 || x.shape[2] % 2 != 0 || x.shape[3] % 2 != 0 || x.count == 0 {
            let y = try batchNorm(
                x, mean: runningMean, variance: runningVar, weight, bias, training: training, momentum: momentum, eps: eps)
            return try maxPool2d(try y.relu(), kernel: [2], stride: nil, padding: [0], dilation: [1], ceil: false).0
        }
        let px = try x.packed(), pw = try weight?.packed(), pb = try bias?.packed()
        let code = x.dtype.code
        var batchMean = try runningMean?.packed(), batchVar = try runningVar?.packed()
        if training {
            let m = try Tensor(emptyOf: channels, x.dtype), v = try Tensor(emptyOf: channels, x.dtype)
            Parallel.withExec { kernels.batch_norm_stats(code, n, c, s, px.pointer, m.pointer, v.pointer, $0) }
            if let runningMean, let runningVar {
                let unbias = Double(n * s) / Double(n * s - 1)
                try GradMode.with(false) {
                    try runningMean.assign(try runningMean * (1 - momentum) + m * momentum, name)
                    try runningVar.assign(try runningVar * (1 - momentum) + v * (momentum * unbias), name)
                }
            }
            (batchMean, batchVar) = (m, v)
        }
        guard let mean = batchMean, let variance = batchVar else { return x }
        let rstd = try GradMode.with(false) { try Elementwise.unary(UNARY_RSQRT, try variance.detached() + eps) }
        // The statistics of an evaluating layer change with the next training step.
        let centre = training || !shouldRecord([x, weight, bias]) ? mean : try mean.copied()
        if pooled { return try normPool(x, px, centre, rstd, weight, bias, training: training, eps: eps) }
        let out = try Tensor(emptyOf: x.shape, x.dtype)
        if out.count > 0 {
            Parallel.withExec {
                kernels.batch_norm_apply(
                    code, n, c, s, px.pointer, mean.pointer, rstd.pointer, pw.map { UnsafeRawPointer($0.pointer) },
                    pb.map { UnsafeRawPointer($0.pointer) }, out.pointer, $0)
            }
        }
        guard shouldRecord([x, weight, bias]) else { return out }
        let sx = SavedTensor(x, name), sw = weight.map { SavedTensor($0, name) }
        let needs = (x.requiresGrad, weight?.requiresGrad ?? false, bias?.requiresGrad ?? false)
        return try out.record(name, [x, weight, bias]) { g in
            if GradMode.isEnabled {
                return try Engine.recompute([try sx.value(), try sw?.value(), bias], [try g.first]) { inputs in
                    try inputs[0].map { [try batchNormRecorded($0, inputs[1], inputs[2], centre, rstd, training, eps)] } ?? []
                }
            }
            let gy = try g.first.packed(), x = try sx.value().packed(), w = try sw?.value().packed()
            let gx = needs.0 ? try Tensor(emptyOf: x.shape, x.dtype) : nil
            let gw = needs.1 ? try Tensor(emptyOf: channels, x.dtype) : nil
            let gb = needs.2 ? try Tensor(emptyOf: channels, x.dtype) : nil
            Parallel.withExec {
                kernels.batch_norm_backward(
                    code, n, c, s, training, x.pointer, centre.pointer, rstd.pointer, w.map { UnsafeRawPointer($0.pointer) },
                    gy.pointer, gx?.pointer, gw?.pointer, gb?.pointer, $0)
            }
            return [gx, gw, gb]
        }
    }

    /// Batch norm of recorded operations, for gradients of its gradient.
    private static func batchNormRecorded(
        _ x: Tensor, _ weight: Tensor?, _ bias: Tensor?, _ mean: Tensor, _ rstd: Tensor, _ training: Bool, _ eps: Double
    ) throws -> Tensor {
        let dims = [0] + Array(2..<x.rank)
        let line = Shape(repeating: 1, rank: x.rank).replacing(1, with: x.shape[1])
        var centred = try x - mean.reshape(line), scale = try rstd.reshape(line)
        if training {
            centred = try x - x.mean(dims, keepdim: true)
            scale = try (centred.square().mean(dims, keepdim: true) + eps).sqrt().reciprocal()
        }
        return try scaled(centred * scale, weight?.reshape(line), bias?.reshape(line))
    }

    /// relu and pooling of the normalised input, as one operation.
    private static func normPool(
        _ x: Tensor, _ px: Tensor, _ mean: Tensor, _ rstd: Tensor, _ weight: Tensor?, _ bias: Tensor?, training: Bool, eps: Double
    ) throws -> Tensor {
        let name = "max_pool2d", code = x.dtype.code
        let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
        let shape = Shape(n, c, h / 2, w / 2), channels = Shape(c)
        let out = try Tensor(emptyOf: shape, x.dtype), index = try Tensor(emptyOf: shape, .int32)
        let pw = try weight?.packed(), pb = try bias?.packed()
        Parallel.withExec {
            kernels.batch_norm_relu_pool(
                code, n, c, h, w, px.pointer, mean.pointer, rstd.pointer, pw.map { UnsafeRawPointer($0.pointer) },
                pb.map { UnsafeRawPointer($0.pointer) }, out.pointer, index.data(), $0)
        }
        guard shouldRecord([x, weight, bias]) else { return out }
        let sx = SavedTensor(x, "batch_norm"), sw = weight.map { SavedTensor($0, "batch_norm") }, so = out.savedOutput("relu")
        let needs = (x.requiresGrad, weight?.requiresGrad ?? false, bias?.requiresGrad ?? false)
        return try out.record(name, [x, weight, bias]) { g in
            if GradMode.isEnabled {
                return try Engine.recompute([try sx.value(), try sw?.value(), bias], [try g.first]) { inputs in
                    guard let x = inputs[0] else { return [] }
                    let y = try batchNormRecorded(x, inputs[1], inputs[2], mean, rstd, training, eps).relu()
                    return [try maxPool2d(y, kernel: [2], stride: nil, padding: [0], dilation: [1], ceil: false).0]
                }
            }
            let gy = try g.first.packed(), x = try sx.value().packed(), w2 = try sw?.value().packed(), y = try so.value()
            let gx = needs.0 ? try Tensor(emptyOf: x.shape, x.dtype) : nil
            let gw = needs.1 ? try Tensor(emptyOf: channels, x.dtype) : nil
            let gb = needs.2 ? try Tensor(emptyOf: channels, x.dtype) : nil
            Parallel.withExec {
                kernels.batch_norm_relu_pool_backward(
                    code, n, c, h, w, training, x.pointer, mean.pointer, rstd.pointer, w2.map { UnsafeRawPointer($0.pointer) },
                    y.pointer, index.data(), gy.pointer, gx?.pointer, gw?.pointer, gb?.pointer, $0)
            }
            return [gx, gw, gb]
        }
    }

    /// Normalises over the trailing dimensions `shape`.
    public static func layerNorm(_ x: Tensor, _ shape: Shape, _ weight: Tensor?, _ bias: Tensor?, eps: Double) throws -> Tensor {
        let name = "layer_norm"
        guard x.dtype.isFloat else { throw TensorError("\(name): expected a floating-point tensor, got \(x.dtype.name)") }
        let lead = x.rank - shape.rank
        guard shape.rank > 0, lead >= 0, (0..<shape.rank).allSatisfy({ x.shape[lead + $0] == shape[$0] }) else {
            throw TensorError("\(name): expected input [.., \(shape.array.map(String.init).joined(separator: ", "))], got \(x.shape)")
        }
        try checkParameter(name, "weight", weight, shape, x.dtype)
        try checkParameter(name, "bias", bias, shape, x.dtype)
        let s = shape.count
        let r = s == 0 ? 0 : x.count / s
        let px = try x.packed(), pw = try weight?.packed(), pb = try bias?.packed()
        let out = try Tensor(emptyOf: x.shape, x.dtype)
        let mean = try Tensor(emptyOf: Shape(r), x.dtype), rstd = try Tensor(emptyOf: Shape(r), x.dtype)
        let code = x.dtype.code
        if out.count > 0 {
            Parallel.withExec {
                kernels.layer_norm(
                    code, r, s, eps, px.pointer, pw.map { UnsafeRawPointer($0.pointer) }, pb.map { UnsafeRawPointer($0.pointer) },
                    out.pointer, mean.pointer, rstd.pointer, $0)
            }
        }
        guard shouldRecord([x, weight, bias]) else { return out }
        let sx = SavedTensor(x, name), sw = weight.map { SavedTensor($0, name) }
        let needs = (x.requiresGrad, weight?.requiresGrad ?? false, bias?.requiresGrad ?? false)
        return try out.record(name, [x, weight, bias]) { g in
            if GradMode.isEnabled {
                return try Engine.recompute([try sx.value(), try sw?.value(), bias], [try g.first]) { inputs in
                    guard let x = inputs[0] else { return [] }
                    let dims = Array(lead..<x.rank), centred = try x - x.mean(dims, keepdim: true)
                    let scale = try (centred.square().mean(dims, keepdim: true) + eps).sqrt().reciprocal()
                    return [try scaled(centred * scale, inputs[1], inputs[2])]
                }
            }
            let gy = try g.first.packed(), x = try sx.value().packed(), w = try sw?.value().packed()
            let gx = needs.0 ? try Tensor.zeros(x.shape, x.dtype) : nil
            let gw = needs.1 ? try Tensor.zeros(shape, x.dtype) : nil
            let gb = needs.2 ? try Tensor.zeros(shape, x.dtype) : nil
            if x.count > 0 {
                Parallel.withExec {
                    kernels.layer_norm_backward(
                        code, r, s, x.pointer, mean.pointer, rstd.pointer, w.map { UnsafeRawPointer($0.pointer) }, gy.pointer,
                        gx?.pointer, gw?.pointer, gb?.pointer, $0)
                }
            }
            return [gx, gw, gb]
        }
    }

    private static func scaled(_ x: Tensor, _ weight: Tensor?, _ bias: Tensor?) throws -> Tensor {
        let y = try weight.map { try x * $0 } ?? x
        return try bias.map { try y + $0 } ?? y
    }

    /// Zeroes elements with probability p and scales the rest by 1 / (1 - p).
    public func dropout(_ p: Double, training: Bool) throws -> Tensor {
        guard p >= 0, p <= 1 else { throw TensorError("dropout: p must be in 0..1, got \(p)") }
        guard dtype.isFloat else { throw TensorError("dropout: expected a floating-point tensor, got \(dtype.name)") }
        guard training, p > 0 else { return self }
        let x = try packed()
        let out = try Tensor(emptyOf: shape, dtype), mask = try Tensor(emptyOf: shape, .bool)
        let state = Generator.shared.take(count)
        let scale = p < 1 ? 1 / (1 - p) : 0
        let px = SendablePointer(x.pointer), py = SendablePointer(out.pointer), pm = SendablePointer(mask.pointer)
        let (code, size) = (dtype.code, dtype.size)
        Parallel.ranges(count: count, grain: 1 << 14) { low, high in
            kernels.dropout(
                code, high - low, state.seed, state.offset &+ UInt64(low), p, scale, px.raw + low * size, py.raw + low * size,
                (pm.raw + low).assumingMemoryBound(to: UInt8.self))
        }
        guard shouldRecord(self) else { return out }
        return try out.record("dropout", [self]) { g in
            let g = try g.first
            if GradMode.isEnabled { return [try g * (mask.to(g.dtype) * scale)] }
            let from = try g.packed(), gx = try Tensor(emptyOf: g.shape, g.dtype)
            let pg = SendablePointer(from.pointer), px = SendablePointer(gx.pointer), pm = SendablePointer(mask.pointer)
            Parallel.ranges(count: gx.count, grain: Parallel.elementGrain) { low, high in
                kernels.mask_scale(
                    code, high - low, scale, pg.raw + low * size, (pm.raw + low).assumingMemoryBound(to: UInt8.self), px.raw + low * size)
            }
            return [gx]
        }
    }
}

extension Op {
    static let normalization: [Op] = [
        Op(
            """
            batch_norm(input: tensor, running_mean: tensor = nil, running_var: tensor = nil, weight: tensor = nil, bias: tensor = nil, training: bool = false, momentum: number = 0.1, eps: number = 1e-05) -> tensor
            Normalises each channel of `input` [N, C, ..] with its batch's statistics when training (and updates the running ones in place), else with the running ones.
            Errors: statistics missing when not training, one value per channel when training
            Example: nn.functional.batch_norm(tensor{{0.0}, {2.0}}, {training = true}) --> tensor([[-1.0000],
                    [ 1.0000]])
            Source: Ioffe and Szegedy 2015; torch.nn.functional.batch_norm
            """, form: .function,
            samples: [
                "F.batch_norm(img, nil, nil, sq:sum(0), sq:sum(1), true)", "F.batch_norm(x, nil, nil, {training = true})",
                "F.batch_norm(img, tensor.zeros_like(sq[0]), tensor.ones_like(sq[0]), sq:sum(0), sq:sum(1))",
            ]
        ) {
            .tensor(
                try Tensor.batchNorm(
                    try $0.tensor(0), mean: try $0.optionalTensor(1), variance: try $0.optionalTensor(2), try $0.optionalTensor(3),
                    try $0.optionalTensor(4), training: try $0.bool(5), momentum: try $0.double(6), eps: try $0.double(7)))
        },
        Op(
            """
            layer_norm(input: tensor, normalized_shape: ints, weight: tensor = nil, bias: tensor = nil, eps: number = 1e-05) -> tensor
            Normalises over the trailing dimensions `normalized_shape`, then scales and shifts.
            Errors: trailing dimensions that differ
            Example: nn.functional.layer_norm(tensor{{0.0, 2.0}}, 2) --> tensor([[-1.0000,  1.0000]])
            Source: Ba, Kiros and Hinton 2016; torch.nn.functional.layer_norm
            """, form: .function, samples: ["F.layer_norm(x, 4)", "F.layer_norm(t3, {3, 4})", "F.layer_norm(x, {4}, row, y[0])"]
        ) {
            .tensor(
                try Tensor.layerNorm(
                    try $0.tensor(0), try $0.shape(1), try $0.optionalTensor(2), try $0.optionalTensor(3), eps: try $0.double(4)))
        },
        Op(
            """
            dropout(input: tensor, p: number = 0.5, training: bool = true) -> tensor
            Zeroes elements with probability p when training and scales the rest by 1 / (1 - p).
            Errors: p outside 0..1
            Example: nn.functional.dropout(tensor.ones(3), 0.5, false) --> tensor([1., 1., 1.])
            Source: Srivastava et al. 2014; torch.nn.functional.dropout
            """, form: .function, samples: ["F.dropout(x, 0.5, false)"]
        ) { .tensor(try $0.tensor(0).dropout(try $0.double(1), training: try $0.bool(2))) },
    ]
}
