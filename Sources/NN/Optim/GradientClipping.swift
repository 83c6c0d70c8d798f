import KernelABI

/// Limits on the gradients of many parameters at once.
public enum GradientClipping {
    /// Scales all gradients together so that their common norm is at most `maxNorm`.
    /// - Returns: the norm before.
    public static func norm(_ parameters: [Tensor], maxNorm: Double, type p: Double, errorIfNonfinite: Bool) throws -> Double {
        let grads = parameters.compactMap(\.grad)
        let norm = try total(grads, p)
        if errorIfNonfinite, !norm.isFinite {
            throw TensorError("clip_grad_norm_: the norm of the gradients is \(norm); pass error_if_nonfinite = false to scale them anyway")
        }
        let factor = maxNorm / (norm + 1e-6)
        if factor < 1 || factor.isNaN {
            for g in grads { try scale(g, factor) }
        }
        return norm
    }

    public static func total(_ grads: [Tensor], _ p: Double) throws -> Double {
        guard !grads.isEmpty else { return 0 }
        if p == 2 {
            var sum = 0.0
            for g in grads {
                let part = try Reduction.run(REDUCE_SUM_SQUARES, g, Array(0..<g.rank), keepdim: false, g.dtype).element(0).double
                sum += part
            }
            return sum.squareRoot()
        }
        return try GradMode.with(false) {
            let norms = try grads.map { try $0.detached().norm(p, nil, keepdim: false).item().double }
            let all = try Tensor(emptyOf: Shape(norms.count), .float64)
            for (i, v) in norms.enumerated() { all.setElement(i, .double(v)) }
            return try all.norm(p, nil, keepdim: false).item().double
        }
    }

    private static func scale(_ g: Tensor, _ factor: Double) throws {
        if g.isContiguous {
            _ = try Elementwise.unary(UNARY_MUL_SCALAR, g, factor, into: g)
        } else {
            g.copyElements(from: try Elementwise.unary(UNARY_MUL_SCALAR, try g.packed(), factor))
        }
        g.storage.version += 1
    }

    /// Limits every element to [-limit, limit].
    public static func value(_ parameters: [Tensor], limit: Double) throws {
        for g in parameters.compactMap(\.grad) {
            if g.isContiguous {
                _ = try Elementwise.unary(UNARY_CLAMP, g, -limit, limit, into: g)
            } else {
                g.copyElements(from: try Elementwise.unary(UNARY_CLAMP, try g.packed(), -limit, limit))
            }
            g.storage.version += 1
        }
    }
}
