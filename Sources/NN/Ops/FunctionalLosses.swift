import KernelABI

/// Losses that compare two tensors element by element, and distances between vectors.
extension Tensor {
    /// PyTorch broadcasts here with a warning; a loss over silently broadcast shapes is nearly always a mistake.
    private static func checkPair(_ name: String, _ input: Tensor, _ target: Tensor) throws {
        guard input.dtype.isFloat else {
            throw TensorError("\(name): expected a floating-point input, got \(input.dtype.name) \(input.shape)")
        }
        guard input.shape == target.shape else {
            throw TensorError(
                "\(name): input and target must have the same shape, got \(input.shape) and \(target.shape); "
                    + "reshape one of them (y:unsqueeze(1), y:view_as(x)) first")
        }
    }

    /// Multiplies a loss per element by weights that broadcast to it.
    private static func weighted(_ loss: Tensor, _ weight: Tensor?, _ name: String) throws -> Tensor {
        guard let weight else { return loss }
        guard let common = try? Shape.broadcast(loss.shape, weight.shape), common == loss.shape else {
            throw TensorError("\(name): a weight of shape \(weight.shape) does not fit losses of shape \(loss.shape)")
        }
        return try loss * weight
    }

    public static func mseLoss(_ x: Tensor, _ y: Tensor, reduction: String, weight: Tensor? = nil) throws -> Tensor {
        try checkPair("mse_loss", x, y)
        return try elementLoss(x, y, "mse_loss", reduction, weight) { try $0.square() }
    }

    public static func l1Loss(_ x: Tensor, _ y: Tensor, reduction: String, weight: Tensor? = nil) throws -> Tensor {
        try checkPair("l1_loss", x, y)
        return try elementLoss(x, y, "l1_loss", reduction, weight) { try $0.abs() }
    }

    /// A loss of differences. As in PyTorch a weighted mean divides by the sum of the weights (of
    /// Huber's loss: by the number of elements).
    private static func elementLoss(
        _ x: Tensor, _ y: Tensor, _ name: String, _ reduction: String, _ weight: Tensor?, divideByWeights: Bool = true,
        _ f: (Tensor) throws -> Tensor
    ) throws -> Tensor {
        let reduction = try LossReduction(reduction, name)
        if let weight, weight.shape != x.shape {
            throw TensorError("\(name): the weight must have the input's shape \(x.shape), got \(weight.shape)")
        }
        let loss = try weighted(try f(try x - y), weight, name)
        if reduction == .mean, divideByWeights, let weight { return try loss.sum() / weight.sum() }
        return try reduction.apply(loss)
    }

    /// 0.5 d^2 / beta below beta, |d| - 0.5 beta above.
    public static func smoothL1Loss(_ x: Tensor, _ y: Tensor, reduction: String, beta: Double) throws -> Tensor {
        try checkPair("smooth_l1_loss", x, y)
        guard beta >= 0 else { throw TensorError("smooth_l1_loss: beta must not be negative, got \(beta)") }
        if beta == 0 { return try elementLoss(x, y, "smooth_l1_loss", reduction, nil) { try $0.abs() } }
        return try elementLoss(x, y, "smooth_l1_loss", reduction, nil) { d in
            let size = try d.abs()
            return try Tensor.where(try size.detached().below(beta), try d.square() * (0.5 / beta), try size - 0.5 * beta)
        }
    }

    /// 0.5 d^2 up to delta, delta (|d| - 0.5 delta) above.
    public static func huberLoss(_ x: Tensor, _ y: Tensor, reduction: String, delta: Double, weight: Tensor? = nil) throws -> Tensor {
        try checkPair("huber_loss", x, y)
        guard delta > 0 else { throw TensorError("huber_loss: delta must be positive, got \(delta)") }
        return try elementLoss(x, y, "huber_loss", reduction, weight, divideByWeights: false) { d in
            let size = try d.abs()
            return try Tensor.where(try size.detached().below(delta), try d.square() * 0.5, (try size - 0.5 * delta) * delta)
        }
    }

    /// -(y log p + (1 - y) log(1 - p)), logarithms cut off at -100.
    public static func binaryCrossEntropy(_ p: Tensor, _ y: Tensor, weight: Tensor?, reduction: String) throws -> Tensor {
        let name = "binary_cross_entropy"
        try checkPair(name, p, y)
        let reduction = try LossReduction(reduction, name)
        let plain = p.detached()
        let outside = try Comparison.compute(
            COMPARE_OR, try plain.below(0), try Comparison.compute(COMPARE_GT, plain, try wrapped(.double(1), beside: plain)))
        if try Reduction.run(REDUCE_ANY, outside, Array(0..<outside.rank), keepdim: false, .bool).element(0).double != 0 {
            throw TensorError("\(name): inputs must be probabilities in 0..1; for raw scores use binary_cross_entropy_with_logits")
        }
        let loss = try probabilityLoss(p, try y.to(p.dtype))
        return try reduction.apply(try weighted(loss, weight, name))
    }

    /// The loss of each element; its gradient stays finite at 0 and 1 as PyTorch's does.
    private static func probabilityLoss(_ p: Tensor, _ y: Tensor) throws -> Tensor {
        func limitedLog(_ x: Tensor) throws -> Tensor { try Elementwise.unary(UNARY_CLAMP, try Elementwise.unary(UNARY_LOG, x), -100, .infinity) }
        let loss = try GradMode.with(false) { try -(y * limitedLog(p) + (1 - y) * limitedLog(1 - p)) }
        guard shouldRecord(p, y) else { return loss }
        let (sp, sy) = (SavedTensor(p, "binary_cross_entropy"), SavedTensor(y, "binary_cross_entropy"))
        let needs = (p.requiresGrad, y.requiresGrad)
        return try loss.record("binary_cross_entropy", [p, y]) { g in
            let (g, p, y) = (try g.first, try sp.value(), try sy.value())
            return [
                // PyTorch's limit is a float, also for doubles.
                needs.0 ? try g * (p - y) / (p * (1 - p)).clamp(.double(Double(Float(1e-12))), nil) : nil,
                needs.1 ? try g * ((1 - p).log() - p.log()) : nil,
            ]
        }
    }

    public static func binaryCrossEntropyWithLogits(
        _ x: Tensor, _ y: Tensor, weight: Tensor?, reduction: String, positiveWeight: Tensor?
    ) throws -> Tensor {
        let name = "binary_cross_entropy_with_logits"
        try checkPair(name, x, y)
        let reduction = try LossReduction(reduction, name)
        let y = try y.to(x.dtype)
        // log(1 + e^-x) without overflow: softplus(-x).
        let softplus = try (-x).logOnePlusExp()
        let loss: Tensor
        if let positiveWeight {
            let factor = try (positiveWeight - 1) * y + 1
            loss = try (1 - y) * x + factor * softplus
        } else {
            loss = try (1 - y) * x + softplus
        }
        return try reduction.apply(try weighted(loss, weight, name))
    }

    /// log(1 + e^x) for any x.
    func logOnePlusExp() throws -> Tensor {
        let out = try Elementwise.unary(UNARY_SOFTPLUS, self, 1, .infinity)
        guard shouldRecord(self) else { return out }
        let sx = SavedTensor(self, "softplus")
        return try out.record("softplus", [self]) { [try $0.first * sx.value().sigmoid()] }
    }

    /// target (log target - input); the input holds log-probabilities. "batchmean" divides by the first size.
    public static func klDiv(_ x: Tensor, _ y: Tensor, reduction: String, logTarget: Bool) throws -> Tensor {
        let name = "kl_div"
        try checkPair(name, x, y)
        guard y.dtype.isFloat else { throw TensorError("\(name): expected a floating-point target, got \(y.dtype.name)") }
        let loss: Tensor
        if logTarget {
            loss = try y.exp() * (y - x)
        } else {
            // 0 log 0 is 0.
            let zero = try wrapped(.double(0), beside: y)
            let safe = try Tensor.where(try y.detached().equalTo(0), try wrapped(.double(1), beside: y), y)
            loss = try Tensor.where(try y.detached().equalTo(0), zero, try y * safe.log()) - y * x
        }
        if reduction == "batchmean" {
            return try loss.sum() / Double(Swift.max(x.rank > 0 ? x.shape[0] : 1, 1))
        }
        return try LossReduction(reduction, name).apply(loss)
    }

    /// 1 - cos(a, b) where the target is 1, max(0, cos(a, b) - margin) where it is -1.
    public static func cosineEmbeddingLoss(_ a: Tensor, _ b: Tensor, _ target: Tensor, margin: Double, reduction: String) throws -> Tensor {
        let name = "cosine_embedding_loss"
        try checkPair(name, a, b)
        guard a.rank == 1 || a.rank == 2, target.shape == a.shape.dropping(a.rank - 1) else {
            throw TensorError(
                "\(name): expected inputs [N, D] with target [N], or [D] with a 0-d target, got \(a.shape) and \(target.shape)")
        }
        let reduction = try LossReduction(reduction, name)
        let last = a.rank - 1, tiny = 1e-12
        let dot = try (a * b).sum([last])
        let size = try ((a.square().sum([last]) + tiny) * (b.square().sum([last]) + tiny)).sqrt()
        let cosine = try dot / size
        let zero = try Tensor.zeros(Shape(), a.dtype)
        let apart = try (cosine - margin).clamp(.double(0), nil)
        let loss = try Tensor.where(try target.equalTo(1), try 1 - cosine, zero) + Tensor.where(try target.equalTo(-1), apart, zero)
        return try reduction.apply(loss)
    }

    /// (sum |a - b + eps|^p)^(1/p) over the last dimension.
    static func pairwiseDistance(_ a: Tensor, _ b: Tensor, _ p: Double, _ eps: Double) throws -> Tensor {
        let d = try a - b + eps
        return try d.norm(p, [Swift.max(d.rank - 1, 0)], keepdim: false)
    }

    /// max(0, d(anchor, positive) - d(anchor, negative) + margin).
    public static func tripletMarginLoss(
        _ anchor: Tensor, _ positive: Tensor, _ negative: Tensor, margin: Double, p: Double, eps: Double, swap: Bool, reduction: String
    ) throws -> Tensor {
        let name = "triplet_margin_loss"
        try checkPair(name, anchor, positive)
        try checkPair(name, anchor, negative)
        guard anchor.rank > 0 else { throw TensorError("\(name): expected vectors [D] or [N, D], got 0-d tensors") }
        guard margin > 0 else { throw TensorError("\(name): margin must be positive, got \(margin)") }
        let reduction = try LossReduction(reduction, name)
        let near = try pairwiseDistance(anchor, positive, p, eps)
        var far = try pairwiseDistance(anchor, negative, p, eps)
        if swap { far = try minimum(far, try pairwiseDistance(positive, negative, p, eps)) }
        return try reduction.apply(try (near - far + margin).clamp(.double(0), nil))
    }
}

extension Op {
    private static let how = "reduction: \"mean\"|\"sum\"|\"none\" = \"mean\""

    static let losses: [Op] = [
        Op(
            """
            mse_loss(input: tensor, target: tensor, \(how), weight: tensor = nil) -> tensor
            Averages the squares of the differences; a weighted mean divides by the sum of the weights.
            Example: nn.functional.mse_loss(tensor{1.0, 2.0}, tensor{1.0, 4.0}) --> tensor(2.)
            Errors: shapes that differ
            Source: torch.nn.functional.mse_loss
            """, form: .function, samples: ["F.mse_loss(x, y)", "F.mse_loss(x, y, \"sum\")", "F.mse_loss(x, y, {reduction = \"none\"})", "F.mse_loss(x, y, {weight = pos})"]
        ) {
            .tensor(try Tensor.mseLoss(try $0.tensor(0), try $0.tensor(1), reduction: try $0.string(2), weight: try $0.optionalTensor(3)))
        },
        Op(
            """
            l1_loss(input: tensor, target: tensor, \(how), weight: tensor = nil) -> tensor
            Averages the absolute differences; a weighted mean divides by the sum of the weights.
            Example: nn.functional.l1_loss(tensor{1.0, 2.0}, tensor{1.0, 4.0}) --> tensor(1.)
            Errors: shapes that differ
            Source: torch.nn.functional.l1_loss
            """, form: .function, samples: ["F.l1_loss(x, y)", "F.l1_loss(x, y, \"sum\")", "F.l1_loss(x, y, {reduction = \"none\"})"]
        ) {
            .tensor(try Tensor.l1Loss(try $0.tensor(0), try $0.tensor(1), reduction: try $0.string(2), weight: try $0.optionalTensor(3)))
        },
        Op(
            """
            smooth_l1_loss(input: tensor, target: tensor, \(how), beta: number = 1) -> tensor
            Squares differences below `beta` (times 0.5 / beta) and takes the others as they are (less 0.5 * beta).
            Errors: shapes that differ, a negative beta
            Example: nn.functional.smooth_l1_loss(tensor{0.0}, tensor{3.0}) --> tensor(2.5000)
            Source: Girshick 2015; torch.nn.functional.smooth_l1_loss
            """, form: .function, samples: ["F.smooth_l1_loss(x, y)", "F.smooth_l1_loss(x, y, \"sum\", 0.5)", "F.smooth_l1_loss(x, y, {beta = 0})"]
        ) {
            .tensor(try Tensor.smoothL1Loss(try $0.tensor(0), try $0.tensor(1), reduction: try $0.string(2), beta: try $0.double(3)))
        },
        Op(
            """
            huber_loss(input: tensor, target: tensor, \(how), delta: number = 1, weight: tensor = nil) -> tensor
            Takes half the square of differences up to `delta`, and goes on linearly beyond.
            Errors: shapes that differ, delta not above 0
            Example: nn.functional.huber_loss(tensor{0.0}, tensor{3.0}, {delta = 2}) --> tensor(4.)
            Source: Huber 1964; torch.nn.functional.huber_loss
            """, form: .function, samples: ["F.huber_loss(x, y)", "F.huber_loss(x, y, \"sum\", 0.5)", "F.huber_loss(x, y, {reduction = \"none\", delta = 2})"]
        ) {
            .tensor(
                try Tensor.huberLoss(
                    try $0.tensor(0), try $0.tensor(1), reduction: try $0.string(2), delta: try $0.double(3), weight: try $0.optionalTensor(4)))
        },
        Op(
            """
            binary_cross_entropy(input: tensor, target: tensor, weight: tensor = nil, \(how)) -> tensor
            Gives the cross-entropy of probabilities `input` and targets in 0..1; logarithms are cut off at -100.
            Errors: shapes that differ, inputs outside 0..1
            Example: nn.functional.binary_cross_entropy(tensor{0.5}, tensor{1.0}) --> tensor(0.6931)
            Source: torch.nn.functional.binary_cross_entropy
            """, form: .function, samples: ["F.binary_cross_entropy(x:sigmoid(), y:sigmoid())", "F.binary_cross_entropy(x:sigmoid(), y:sigmoid(), pos, \"sum\")"]
        ) {
            .tensor(
                try Tensor.binaryCrossEntropy(
                    try $0.tensor(0), try $0.tensor(1), weight: try $0.optionalTensor(2), reduction: try $0.string(3)))
        },
        Op(
            """
            binary_cross_entropy_with_logits(input: tensor, target: tensor, weight: tensor = nil, \(how), pos_weight: tensor = nil) -> tensor
            Gives the cross-entropy of sigmoid(input) and targets in 0..1 without overflow; `pos_weight` weighs positive targets.
            Errors: shapes that differ
            Example: nn.functional.binary_cross_entropy_with_logits(tensor{0.0}, tensor{1.0}) --> tensor(0.6931)
            Source: torch.nn.functional.binary_cross_entropy_with_logits
            """, form: .function,
            samples: [
                "F.binary_cross_entropy_with_logits(x, y:sigmoid())",
                "F.binary_cross_entropy_with_logits(x, y:sigmoid(), pos, {reduction = \"sum\", pos_weight = row:exp()})",
            ]
        ) {
            .tensor(
                try Tensor.binaryCrossEntropyWithLogits(
                    try $0.tensor(0), try $0.tensor(1), weight: try $0.optionalTensor(2), reduction: try $0.string(3),
                    positiveWeight: try $0.optionalTensor(4)))
        },
        Op(
            """
            kl_div(input: tensor, target: tensor, reduction: "mean"|"batchmean"|"sum"|"none" = "mean", log_target: bool = false) -> tensor
            Gives the Kullback-Leibler divergence of log-probabilities `input` from probabilities `target` (logarithms with log_target); "batchmean" is the mathematical mean.
            Errors: shapes that differ
            Example: nn.functional.kl_div(tensor{{0.5, 0.5}}:log(), tensor{{0.25, 0.75}}, {reduction = "batchmean"}) --> tensor(0.1308)
            Source: torch.nn.functional.kl_div
            """, form: .function,
            samples: ["F.kl_div(x:log_softmax(1), pos)", "F.kl_div(x, pos:softmax(1), \"batchmean\")", "F.kl_div(x, y:log_softmax(1), {log_target = true, reduction = \"sum\"})"]
        ) {
            .tensor(try Tensor.klDiv(try $0.tensor(0), try $0.tensor(1), reduction: try $0.string(2), logTarget: try $0.bool(3)))
        },
        Op(
            """
            cosine_embedding_loss(input1: tensor, input2: tensor, target: tensor, margin: number = 0, \(how)) -> tensor
            Gives 1 - cos(input1, input2) where the target is 1 and max(0, cos(input1, input2) - margin) where it is -1; inputs [N, D], target [N].
            Errors: shapes that do not fit
            Example: nn.functional.cosine_embedding_loss(tensor{{1.0, 0.0}}, tensor{{0.0, 1.0}}, tensor{1}) --> tensor(1.)
            Source: torch.nn.functional.cosine_embedding_loss
            """, form: .function,
            samples: ["F.cosine_embedding_loss(x, y, tensor{1, -1, 1})", "F.cosine_embedding_loss(x, y, tensor{1, -1, -1}, -0.9, \"sum\")", "F.cosine_embedding_loss(v, w, tensor(1))"]
        ) {
            .tensor(
                try Tensor.cosineEmbeddingLoss(
                    try $0.tensor(0), try $0.tensor(1), try $0.tensor(2), margin: try $0.double(3), reduction: try $0.string(4)))
        },
        Op(
            """
            triplet_margin_loss(anchor: tensor, positive: tensor, negative: tensor, margin: number = 1, p: number = 2, eps: number = 1e-06, swap: bool = false, \(how)) -> tensor
            Gives max(0, d(anchor, positive) - d(anchor, negative) + margin) with the p-norm distance over the last dimension.
            Errors: shapes that differ, margin not above 0
            Example: nn.functional.triplet_margin_loss(tensor{{0.0}}, tensor{{1.0}}, tensor{{5.0}}) --> tensor(0.)
            Source: Balntas et al. 2016; torch.nn.functional.triplet_margin_loss
            """, form: .function,
            samples: ["F.triplet_margin_loss(x, y, pos)", "F.triplet_margin_loss(x, y, pos, 5, 1)", "F.triplet_margin_loss(x, y, pos, {swap = true, reduction = \"sum\", margin = 3})"]
        ) {
            .tensor(
                try Tensor.tripletMarginLoss(
                    try $0.tensor(0), try $0.tensor(1), try $0.tensor(2), margin: try $0.double(3), p: try $0.double(4),
                    eps: try $0.double(5), swap: try $0.bool(6), reduction: try $0.string(7)))
        },
    ]
}
