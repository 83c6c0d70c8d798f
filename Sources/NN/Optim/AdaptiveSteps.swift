/// Optimisers that divide by a running size of the gradient.
extension OptimizerState {
    public struct RMSprop: Sendable {
        public var lr, alpha, eps, weightDecay, momentum: Double
        public var centered, maximize: Bool
        public init(lr: Double, alpha: Double, eps: Double, weightDecay: Double, momentum: Double, centered: Bool, maximize: Bool) {
            (self.lr, self.alpha, self.eps, self.weightDecay, self.momentum) = (lr, alpha, eps, weightDecay, momentum)
            (self.centered, self.maximize) = (centered, maximize)
        }
    }

    /// Hinton's lecture 6e; centered: Graves 2013.
    public func rmsprop(_ o: RMSprop) throws {
        try forEach { i, p, g in
            let square = try slot("square_avg", i)
            let mean = o.centered ? try slot("grad_avg", i) : nil
            let buffer = o.momentum > 0 ? try slot("momentum_buffer", i) : nil
            steps[i] += 1
            if p.dtype == .float32 {
                OptimizerState.rmsprop(Float.self, o, p, g, square, mean, buffer)
            } else {
                OptimizerState.rmsprop(Double.self, o, p, g, square, mean, buffer)
            }
        }
    }

    private static func rmsprop<T: BinaryFloatingPoint & Sendable>(
        _ type: T.Type, _ o: RMSprop, _ p: Tensor, _ g: Tensor, _ square: Tensor, _ mean: Tensor?, _ buffer: Tensor?
    ) {
        let (pp, pg, ps) = (SendablePointer(p.pointer), SendablePointer(g.pointer), SendablePointer(square.pointer))
        let (pm, pb) = (mean.map { SendablePointer($0.pointer) }, buffer.map { SendablePointer($0.pointer) })
        OptimizerLoop.run(p.count) { start, n in
            let p = pp.at(T.self, start), g = pg.at(T.self, start), s = ps.at(T.self, start)
            let (lr, alpha, rest, eps) = (T(o.lr), T(o.alpha), T(1 - o.alpha), T(o.eps))
            let (sign, decay, momentum) = (T(o.maximize ? -1 : 1), T(o.weightDecay), T(o.momentum))
            let mean = pm?.at(T.self, start), buffer = pb?.at(T.self, start)
            for i in 0..<n {
                let d = sign * g[i] + decay * p[i]
                s[i] = settled(alpha * s[i] + rest * d * d)
                var size = s[i]
                if let mean {
                    mean[i] = settled(mean[i] + rest * (d - mean[i]))
                    size -= mean[i] * mean[i]
                }
                let step = d / (size.squareRoot() + eps)
                if let buffer {
                    buffer[i] = settled(momentum * buffer[i] + step)
                    p[i] -= lr * buffer[i]
                } else {
                    p[i] -= lr * step
                }
            }
        }
    }

    /// Duchi, Hazan and Singer 2011.
    public func adagrad(lr: Double, lrDecay: Double, weightDecay: Double, initial: Double, eps: Double, maximize: Bool) throws {
        try forEach { i, p, g in
            let sum = try slot("sum", i, fill: initial)
            steps[i] += 1
            let rate = lr / (1 + Double(steps[i] - 1) * lrDecay)
            if p.dtype == .float32 {
                OptimizerState.adagrad(Float.self, rate, weightDecay, eps, maximize, p, g, sum)
            } else {
                OptimizerState.adagrad(Double.self, rate, weightDecay, eps, maximize, p, g, sum)
            }
        }
    }

    private static func adagrad<T: BinaryFloatingPoint & Sendable>(
        _ type: T.Type, _ rate: Double, _ decay: Double, _ eps: Double, _ maximize: Bool, _ p: Tensor, _ g: Tensor, _ sum: Tensor
    ) {
        let (pp, pg, ps) = (SendablePointer(p.pointer), SendablePointer(g.pointer), SendablePointer(sum.pointer))
        OptimizerLoop.run(p.count) { start, n in
            let p = pp.at(T.self, start), g = pg.at(T.self, start), s = ps.at(T.self, start)
            let (rate, decay, eps, sign) = (T(rate), T(decay), T(eps), T(maximize ? -1 : 1))
            for i in 0..<n {
                let d = sign * g[i] + decay * p[i]
                s[i] += d * d
                p[i] -= rate * (d / (s[i].squareRoot() + eps))
            }
        }
    }

    /// Makes the state that Adagrad has from the start.
    public func prepareAdagrad(initial: Double) throws {
        for i in parameters.indices { _ = try slot("sum", i, fill: initial) }
    }

    /// Zeiler 2012.
    public func adadelta(lr: Double, rho: Double, eps: Double, weightDecay: Double, maximize: Bool) throws {
        try forEach { i, p, g in
            let (square, delta) = (try slot("square_avg", i), try slot("acc_delta", i))
            steps[i] += 1
            if p.dtype == .float32 {
                OptimizerState.adadelta(Float.self, lr, rho, eps, weightDecay, maximize, p, g, square, delta)
            } else {
                OptimizerState.adadelta(Double.self, lr, rho, eps, weightDecay, maximize, p, g, square, delta)
            }
        }
    }

    private static func adadelta<T: BinaryFloatingPoint & Sendable>(
        _ type: T.Type, _ lr: Double, _ rho: Double, _ eps: Double, _ decay: Double, _ maximize: Bool, _ p: Tensor, _ g: Tensor,
        _ square: Tensor, _ delta: Tensor
    ) {
        let (pp, pg) = (SendablePointer(p.pointer), SendablePointer(g.pointer))
        let (ps, pd) = (SendablePointer(square.pointer), SendablePointer(delta.pointer))
        OptimizerLoop.run(p.count) { start, n in
            let p = pp.at(T.self, start), g = pg.at(T.self, start), s = ps.at(T.self, start), a = pd.at(T.self, start)
            let (lr, keep, rest, eps) = (T(lr), T(rho), T(1 - rho), T(eps))
            let (decay, sign) = (T(decay), T(maximize ? -1 : 1))
            for i in 0..<n {
                let d = sign * g[i] + decay * p[i]
                s[i] = settled(keep * s[i] + rest * d * d)
                let step = (a[i] + eps).squareRoot() / (s[i] + eps).squareRoot() * d
                a[i] = settled(keep * a[i] + rest * step * step)
                p[i] -= lr * step
            }
        }
    }
}

/// 0 for what has died away below the normal numbers, which take the CPU a hundred times as long.
@inline(__always)
private func settled<T: BinaryFloatingPoint>(_ x: T) -> T { x.magnitude < T.leastNormalMagnitude ? 0 : x }

extension SendablePointer {
    func at<T>(_ type: T.Type, _ index: Int) -> UnsafeMutablePointer<T> { raw.assumingMemoryBound(to: T.self) + index }
}
