import KernelABI

extension OptimizerState {
    /// Stochastic gradient descent, with momentum from Sutskever et al. 2013 as PyTorch has it:
    /// g += weight_decay p; b = momentum b + (1 - dampening) g; p -= lr (nesterov ? g + momentum b : b).
    public func sgd(
        lr: Double, momentum: Double, dampening: Double, weightDecay: Double, nesterov: Bool, maximize: Bool
    ) throws {
        try forEach { i, p, g in
            let isFirst = momentum != 0 && !hasSlot("momentum_buffer", i)
            let buffer = momentum != 0 ? try slot("momentum_buffer", i) : nil
            let options = kernel_sgd(
                lr: lr, weight_decay: weightDecay, momentum: momentum, dampening: dampening, nesterov: nesterov, maximize: maximize,
                first: isFirst)
            steps[i] += 1
            let (pp, pg, pb) = (SendablePointer(p.pointer), SendablePointer(g.pointer), buffer.map { SendablePointer($0.pointer) })
            let (code, size) = (p.dtype.code, p.dtype.size)
            OptimizerLoop.run(p.count) { start, n in
                var options = options
                let at = start * size
                kernels.sgd(code, n, &options, pp.raw + at, pg.raw + at, pb.map { $0.raw + at })
            }
        }
    }

    /// Adam (Kingma and Ba 2015); decoupled weight decay makes it AdamW (Loshchilov and Hutter 2019).
    public func adam(
        lr: Double, beta1: Double, beta2: Double, eps: Double, weightDecay: Double, decoupled: Bool, amsgrad: Bool, maximize: Bool
    ) throws {
        try forEach { i, p, g in
            let (m, v) = (try slot("exp_avg", i), try slot("exp_avg_sq", i))
            let largest = amsgrad ? try slot("max_exp_avg_sq", i) : nil
            steps[i] += 1
            let options = kernel_adam(
                lr: lr, beta1: beta1, beta2: beta2, eps: eps, weight_decay: weightDecay, decoupled: decoupled, amsgrad: amsgrad,
                maximize: maximize, step: steps[i])
            let (pp, pg) = (SendablePointer(p.pointer), SendablePointer(g.pointer))
            let (pm, pv, px) = (SendablePointer(m.pointer), SendablePointer(v.pointer), largest.map { SendablePointer($0.pointer) })
            let (code, size) = (p.dtype.code, p.dtype.size)
            OptimizerLoop.run(p.count) { start, n in
                var options = options
                let at = start * size
                kernels.adam(code, n, &options, pp.raw + at, pg.raw + at, pm.raw + at, pv.raw + at, px.map { $0.raw + at })
            }
        }
    }
}
