import KernelABI

/// How a loss over many elements becomes one number.
enum LossReduction: String {
    case none, mean, sum

    init(_ text: String, _ name: String) throws {
        guard let r = LossReduction(rawValue: text) else {
            throw TensorError("\(name): reduction must be 'none', 'mean' or 'sum', got '\(text)'")
        }
        self = r
    }

    func apply(_ loss: Tensor) throws -> Tensor {
        switch self {
        case .none: loss
        case .mean: try loss.mean()
        case .sum: try loss.sum()
        }
    }
}

extension Tensor {
    /// Softmax cross-entropy. logits [N, C], [C] or [N, C, ..]; target: class indices [N], [] or [N, ..], or
    /// probabilities of the logits' shape.
    public static func crossEntropy(
        _ logits: Tensor, _ target: Tensor, weight: Tensor?, ignoreIndex: Int, reduction: String, labelSmoothing: Double
    ) throws -> Tensor {
        let name = "cross_entropy"
        let reduction = try LossReduction(reduction, name)
        guard logits.dtype.isFloat, logits.rank >= 1 else {
            throw TensorError("\(name): expected floating-point logits [N, C], got \(logits.dtype.name) \(logits.shape)")
        }
        guard labelSmoothing >= 0, labelSmoothing <= 1 else {
            throw TensorError("\(name): label_smoothing must be in 0..1, got \(labelSmoothing)")
        }
        let classDim = logits.rank == 1 ? 0 : 1
        let c = logits.shape[classDim]
        if let weight, weight.shape != Shape(c) || weight.dtype != logits.dtype {
            throw TensorError("\(name): expected weight [\(c)] \(logits.dtype.name), got \(weight.shape) \(weight.dtype.name)")
        }
        if target.dtype.isFloat {
            guard target.shape == logits.shape else {
                throw TensorError("\(name): probabilities must have the logits' shape \(logits.shape), got \(target.shape)")
            }
            return try withProbabilities(logits, target, weight, classDim, c, reduction, labelSmoothing)
        }
        guard target.dtype != .bool, target.shape == logits.shape.dropping(classDim) else {
            throw TensorError(
                "\(name): expected integer targets \(logits.shape.dropping(classDim)) for logits \(logits.shape), "
                    + "got \(target.dtype.name) \(target.shape)")
        }
        // Classes last, one row per prediction.
        var rows = logits
        if logits.rank > 2 {
            rows = try logits.permute([0] + Array(2..<logits.rank) + [1])
        }
        rows = try rows.reshape(Shape(target.count, c))
        let labels = try target.converted(to: .int64).packed()
        try checkClasses(labels, c, ignoreIndex, name, logits.shape)
        return try rowLosses(rows, labels, weight, ignoreIndex, labelSmoothing, reduction, target.shape)
    }

    static func checkClasses(_ labels: Tensor, _ c: Int, _ ignoreIndex: Int, _ name: String, _ logits: Shape) throws {
        let p = labels.data(Int.self)
        for i in 0..<labels.count where (p[i] < 0 || p[i] >= c) && p[i] != ignoreIndex {
            throw TensorError("\(name): target[\(i)] is \(p[i]), expected a class 0..\(c - 1) (logits are \(logits))")
        }
    }

    /// The loss of each row of logits [R, C], or their mean or sum, as one recorded operation.
    private static func rowLosses(
        _ rows: Tensor, _ labels: Tensor, _ weight: Tensor?, _ ignoreIndex: Int, _ smoothing: Double,
        _ reduction: LossReduction, _ shape: Shape
    ) throws -> Tensor {
        let (r, c) = (rows.shape[0], rows.shape[1])
        let x = try rows.packed(), w = try weight?.packed()
        let loss = try Tensor(emptyOf: Shape(r), x.dtype), lse = try Tensor(emptyOf: Shape(r), x.dtype)
        let rowWeight = try Tensor(emptyOf: Shape(r), x.dtype)
        let code = x.dtype.code
        if r > 0 {
            Parallel.withExec {
                kernels.cross_entropy(
                    code, r, c, x.pointer, labels.data(), w.map { UnsafeRawPointer($0.pointer) }, Int64(ignoreIndex), smoothing,
                    loss.pointer, lse.pointer, rowWeight.pointer, $0)
            }
        }
        let out: Tensor
        var divisor: Tensor?
        switch reduction {
        case .none: out = loss.window(shape, shape.contiguousStrides, offset: 0)
        case .sum: out = try loss.sum()
        case .mean:
            let total = try rowWeight.sum()
            out = try loss.sum() / total
            divisor = total
        }
        guard shouldRecord(rows) else { return out }
        let sx = SavedTensor(rows, "cross_entropy"), total = divisor
        return try out.record("cross_entropy", rows) { g in
            if GradMode.isEnabled {
                return try Engine.recompute([try sx.value()], [try g.first]) { inputs in
                    guard let x = inputs[0] else { return [] }
                    let wanted = try classWeights(labels, c, weight, ignoreIndex, smoothing, x.dtype)
                    let logp = try x.softmax(1, log: true)
                    // A class that does not count may have no probability.
                    let loss = try -Tensor.where(try wanted.equalTo(0), wanted, try wanted * logp).sum([1])
                    guard reduction != .none else { return [try loss.reshape(shape)] }
                    return [try total.map { try loss.sum() / $0 } ?? loss.sum()]
                }
            }
            var g = try g.first.packed()
            if let total { g = try g / total }
            let x = try sx.value().packed()
            let out = try Tensor(emptyOf: x.shape, x.dtype)
            if r > 0 {
                Parallel.withExec {
                    kernels.cross_entropy_backward(
                        code, r, c, x.pointer, labels.data(), w.map { UnsafeRawPointer($0.pointer) }, Int64(ignoreIndex), smoothing,
                        // A mean or sum sends one number to all rows.
                        lse.pointer, g.pointer, reduction == .none ? 1 : 0, out.pointer, $0)
                }
            }
            return [out]
        }
    }

    /// How much each class of each row counts: [rows, classes].
    private static func classWeights(
        _ labels: Tensor, _ c: Int, _ weight: Tensor?, _ ignoreIndex: Int, _ smoothing: Double, _ dtype: DType
    ) throws -> Tensor {
        let rows = try labels.reshape(Shape(labels.count, 1)), classes = try Tensor.arange(.int(0), .int(c), .int(1), .int64)
        let kept = try Comparison.compute(COMPARE_NE, rows, try wrapped(.int(ignoreIndex), beside: rows)).to(dtype)
        let hit = try Comparison.compute(COMPARE_EQ, rows, classes).to(dtype)
        let share = try (hit * (1 - smoothing) + smoothing / Double(c)) * kept
        return try weight.map { try share * $0.detached() } ?? share
    }

    private static func withProbabilities(
        _ logits: Tensor, _ target: Tensor, _ weight: Tensor?, _ classDim: Int, _ c: Int, _ reduction: LossReduction,
        _ smoothing: Double
    ) throws -> Tensor {
        var t = try target.to(logits.dtype)
        if smoothing > 0 { t = try t * (1 - smoothing) + smoothing / Double(c) }
        var terms = try t * logits.softmax(classDim, log: true)
        if let weight {
            var line = Shape(repeating: 1, rank: logits.rank)
            line[classDim] = c
            terms = try terms * weight.reshape(line)
        }
        let loss = try -terms.sum([classDim])
        // The mean is over predictions, whatever the weights.
        return try reduction == .mean ? loss.sum() / Double(Swift.max(loss.count, 1)) : reduction.apply(loss)
    }

    /// Negative log likelihood of log-probabilities [N, C], [C] or [N, C, ..] at class indices.
    public static func nllLoss(
        _ logp: Tensor, _ target: Tensor, weight: Tensor?, ignoreIndex: Int, reduction: String
    ) throws -> Tensor {
        let name = "nll_loss"
        let reduction = try LossReduction(reduction, name)
        guard logp.dtype.isFloat, logp.rank >= 1, !target.dtype.isFloat, target.dtype != .bool,
            target.shape == logp.shape.dropping(logp.rank == 1 ? 0 : 1)
        else {
            throw TensorError(
                "\(name): expected log-probabilities [N, C] and integer targets [N], got \(logp.dtype.name) \(logp.shape) "
                    + "and \(target.dtype.name) \(target.shape)")
        }
        let d = logp.rank == 1 ? 0 : 1
        let c = logp.shape[d]
        if let weight, weight.shape != Shape(c) { throw TensorError("\(name): expected weight [\(c)], got \(weight.shape)") }
        let labels = try target.converted(to: .int64).packed()
        try checkClasses(labels, c, ignoreIndex, name, logp.shape)
        // One-hot rows times the class weights, zero where ignored.
        let classes = try Tensor.arange(.int(0), .int(c), .int(1), .int64)
        var line = Shape(repeating: 1, rank: logp.rank)
        line[d] = c
        var hit = try Comparison.compute(COMPARE_EQ, try classes.reshape(line), try labels.unsqueeze(d))
        if ignoreIndex >= 0 && ignoreIndex < c {
            let kept = try Comparison.compute(COMPARE_NE, labels, try wrapped(.int(ignoreIndex), beside: labels))
            hit = try logicalAnd(hit, try kept.unsqueeze(d))
        }
        var mask = try hit.to(logp.dtype)
        if let weight { mask = try mask * weight.to(logp.dtype).reshape(line) }
        let none = try zeros(Shape(), logp.dtype)
        let terms = try Tensor.where(hit, logp, none) * mask
        let loss = try -terms.sum([d])
        switch reduction {
        case .none: return loss
        case .sum: return try loss.sum()
        case .mean: return try loss.sum() / mask.sum()
        }
    }
}

extension Op {
    static let classificationLosses: [Op] = [
        Op(
            """
            cross_entropy(input: tensor, target: tensor, weight: tensor = nil, ignore_index: int = -100, reduction: "mean"|"sum"|"none" = "mean", label_smoothing: number = 0) -> tensor
            Gives the cross-entropy of softmax(input) [N, C] (or [C], [N, C, ..]) with class indices [N] or probabilities.
            Errors: a class out of range, shapes that do not fit
            Example: nn.functional.cross_entropy(tensor{{0.0, 0.0}}, tensor{1}) --> tensor(0.6931)
            Source: torch.nn.functional.cross_entropy
            """, form: .function,
            samples: [
                "F.cross_entropy(x, tensor{1, 0, 3})", "F.cross_entropy(x, tensor{1, -100, 3}, {reduction = \"sum\"})",
                "F.cross_entropy(x, tensor{1, 0, 3}, tensor.ones_like(row):cumsum(0), {label_smoothing = 0.1})",
                "F.cross_entropy(t3, tensor{{0, 1, 2, 0}, {1, 1, 0, 2}}, {reduction = \"none\"})",
                "F.cross_entropy(x, pos:softmax(1))", "F.cross_entropy(row, tensor(2))",
            ],
            direct: .binary {
                try Tensor.crossEntropy($0, $1, weight: nil, ignoreIndex: -100, reduction: "mean", labelSmoothing: 0)
            }
        ) {
            .tensor(
                try Tensor.crossEntropy(
                    try $0.tensor(0), try $0.tensor(1), weight: try $0.optionalTensor(2), ignoreIndex: try $0.int(3),
                    reduction: try $0.string(4), labelSmoothing: try $0.double(5)))
        },
        Op(
            """
            nll_loss(input: tensor, target: tensor, weight: tensor = nil, ignore_index: int = -100, reduction: "mean"|"sum"|"none" = "mean") -> tensor
            Gives the negative log-probability of the target classes; input [N, C] (or [C], [N, C, ..]) holds log-probabilities.
            Errors: a class out of range, shapes that do not fit
            Example: nn.functional.nll_loss(tensor{{-0.5, -1.0}}, tensor{1}) --> tensor(1.)
            Source: torch.nn.functional.nll_loss
            """, form: .function,
            samples: ["F.nll_loss(x, tensor{1, 0, 3})", "F.nll_loss(x, tensor{1, -100, 3}, tensor.ones_like(row):cumsum(0))", "F.nll_loss(t3, tensor{{0, 1, 2, 0}, {1, 1, 0, 2}}, {reduction = \"none\"})"]
        ) {
            .tensor(
                try Tensor.nllLoss(
                    try $0.tensor(0), try $0.tensor(1), weight: try $0.optionalTensor(2), ignoreIndex: try $0.int(3),
                    reduction: try $0.string(4)))
        },
    ]
}
