import KernelABI

extension Tensor {
    /// Sum over `dims` (all when nil). Integers and booleans give int64.
    public func sum(_ dims: [Int]? = nil, keepdim: Bool = false, dtype: DType? = nil) throws -> Tensor {
        let type = dtype ?? (self.dtype.isFloat ? self.dtype : .int64)
        let x = try to(type)
        let list = try Reduction.dims(dims, shape)
        // Kernels add up bytes as int64; the result is then cut to what was asked for.
        let narrow = type == .bool || type == .uint8
        var out = try Reduction.run(REDUCE_SUM, narrow ? try x.converted(to: .int64) : x, list, keepdim: keepdim, narrow ? .int64 : type)
        if narrow { out = try out.converted(to: type) }
        guard shouldRecord(x) else { return out }
        let source = shape
        return try out.record("sum", [x]) { [try $0.first.unreduced(list, keepdim, source)] }
    }

    /// A reduced gradient shown at the shape before the reduction.
    func unreduced(_ dims: [Int], _ keepdim: Bool, _ source: Shape) throws -> Tensor {
        try withKeptDims(dims, keepdim).expand(source)
    }

    /// With size-1 dimensions put back where `dims` were reduced away.
    func withKeptDims(_ dims: [Int], _ keepdim: Bool) throws -> Tensor {
        if keepdim { return self }
        var t = self
        for d in dims { t = try t.unsqueeze(d) }
        return t
    }

    /// The sum over the dimensions that broadcasting from `target` to this shape added or stretched.
    func sum(to target: Shape) throws -> Tensor {
        if shape == target { return self }
        let lead = rank - target.rank
        var dims = Array(0..<lead)
        for i in 0..<target.rank where target[i] == 1 && shape[lead + i] != 1 { dims.append(lead + i) }
        let reduced = dims.isEmpty ? self : try sum(dims, keepdim: true)
        return reduced.shape == target ? reduced : try reduced.reshape(target)
    }

    public func mean(_ dims: [Int]? = nil, keepdim: Bool = false, dtype: DType? = nil) throws -> Tensor {
        let type = dtype ?? self.dtype
        guard type.isFloat else {
            throw TensorError("mean: expected a floating-point tensor, got \(self.dtype.name); convert it first (x:float()) or give dtype")
        }
        let list = try Reduction.dims(dims, shape)
        let n = list.reduce(1) { $0 * shape[$1] }
        return try sum(dims, keepdim: keepdim, dtype: type) / Double(n)
    }

    /// Variance over `dims`; `correction` is subtracted from the count.
    public func variance(_ dims: [Int]?, correction: Double, keepdim: Bool) throws -> Tensor {
        guard dtype.isFloat else { throw TensorError("var: expected a floating-point tensor, got \(dtype.name)") }
        let list = try Reduction.dims(dims, shape)
        let n = list.reduce(1) { $0 * shape[$1] }
        let divisor = Swift.max(Double(n) - correction, 0)
        let out = try GradMode.with(false) {
            try Reduction.run(REDUCE_M2, self, list, keepdim: keepdim, dtype) / divisor
        }
        guard shouldRecord(self) else { return out }
        let (sx, source) = (SavedTensor(self, "var"), shape)
        return try out.record("var", [self]) { g in
            let x = try sx.value()
            let centred = try x - x.mean(list, keepdim: true)
            return [try g.first.unreduced(list, keepdim, source) * centred * (2 / divisor)]
        }
    }

    /// Sum of log-exponentials over `dims`, without overflow.
    public func logsumexp(_ dims: [Int], keepdim: Bool) throws -> Tensor {
        let x = try to(dtype.floating)
        let list = try Reduction.dims(dims, shape)
        let out = try Reduction.run(REDUCE_LOGSUMEXP, x, list, keepdim: keepdim, x.dtype)
        guard shouldRecord(x) else { return out }
        let (sx, so, source) = (SavedTensor(x, "logsumexp"), out.savedOutput("logsumexp"), shape)
        return try out.record("logsumexp", [x]) { g in
            let x = try sx.value()
            let y = GradMode.isEnabled ? try x.logsumexp(list, keepdim: keepdim) : try so.value()
            return [try g.first.unreduced(list, keepdim, source) * (x - y.unreduced(list, keepdim, source)).exp()]
        }
    }

    /// Values and int64 positions of the largest or smallest along `dim`.
    public func extreme(_ dim: Int, keepdim: Bool, largest: Bool) throws -> (Tensor, Tensor) {
        let d = try shape.dim(dim)
        guard rank == 0 || shape[d] > 0 else {
            throw TensorError("\(largest ? "max" : "min"): dimension \(d) of shape \(shape) is empty")
        }
        let list = rank == 0 ? [] : [d]
        let index = try Reduction.run(largest ? REDUCE_ARGMAX : REDUCE_ARGMIN, self, list, keepdim: keepdim, .int64)
        let values = try Reduction.run(largest ? REDUCE_MAX : REDUCE_MIN, self, list, keepdim: keepdim, dtype)
        guard shouldRecord(self) else { return (values, index) }
        let source = shape
        let recorded = try values.record(largest ? "max" : "min", [self]) { g in
            let g = try g.first
            if source.rank == 0 { return [g] }
            return [try Tensor.oneHotScatter(try g.withKeptDims(list, keepdim), try index.withKeptDims(list, keepdim), d, source)]
        }
        return (recorded, index)
    }

    /// Zeros of `shape` with `g` placed along `dim` at `index` (both of size 1 there).
    static func oneHotScatter(_ g: Tensor, _ index: Tensor, _ dim: Int, _ shape: Shape) throws -> Tensor {
        let positions = try Tensor.arange(.int(0), .int(shape[dim]), .int(1), .int64)
        var line = Shape(repeating: 1, rank: shape.rank)
        line[dim] = shape[dim]
        let hit = try Comparison.compute(COMPARE_EQ, try positions.reshape(line), index)
        return try Tensor.where(hit, g, try Tensor.zeros(Shape(), g.dtype))
    }

    /// Largest or smallest over `dims`; ties share the gradient.
    public func extremeValue(_ dims: [Int]?, keepdim: Bool, largest: Bool, _ name: String) throws -> Tensor {
        let list = try Reduction.dims(dims, shape)
        for d in list where shape[d] == 0 { throw TensorError("\(name): dimension \(d) of shape \(shape) is empty") }
        let out = try Reduction.run(largest ? REDUCE_MAX : REDUCE_MIN, self, list, keepdim: keepdim, dtype)
        guard shouldRecord(self) else { return out }
        let (sx, so, source) = (SavedTensor(self, name), out.savedOutput(name), shape)
        return try out.record(name, [self]) { g in
            let x = try sx.value().detached()
            let hit = try Comparison.compute(COMPARE_EQ, x, try so.value().unreduced(list, keepdim, source)).to(x.dtype)
            let share = try hit / hit.sum(list, keepdim: true)
            return [try g.first.unreduced(list, keepdim, source) * share]
        }
    }

    public func argExtreme(_ dim: Int?, keepdim: Bool, largest: Bool) throws -> Tensor {
        let op = largest ? REDUCE_ARGMAX : REDUCE_ARGMIN
        let name = largest ? "argmax" : "argmin"
        guard let dim else {
            guard count > 0 else { throw TensorError("\(name): the tensor \(shape) is empty") }
            let out = try Reduction.run(op, try packed().reshape(Shape(count)), [0], keepdim: false, .int64)
            return keepdim ? try out.reshape(Shape(repeating: 1, rank: rank)) : out
        }
        let d = try shape.dim(dim)
        guard rank == 0 || shape[d] > 0 else { throw TensorError("\(name): dimension \(d) of shape \(shape) is empty") }
        return try Reduction.run(op, self, rank == 0 ? [] : [d], keepdim: keepdim, .int64)
    }

    public func prod(_ dim: Int?, keepdim: Bool, dtype: DType?) throws -> Tensor {
        let type = dtype ?? (self.dtype.isFloat ? self.dtype : .int64)
        let x = try to(type)
        let list = try dim.map { [try shape.dim($0)] } ?? Array(0..<rank)
        let dims = rank == 0 ? [] : list
        let narrow = type == .bool || type == .uint8
        var out = try Reduction.run(REDUCE_PROD, narrow ? try x.converted(to: .int64) : x, dims, keepdim: keepdim, narrow ? .int64 : type)
        if narrow { out = try out.converted(to: type) }
        guard shouldRecord(x) else { return out }
        let (sx, source) = (SavedTensor(x, "prod"), shape)
        return try out.record("prod", [x]) { g in
            let x = try sx.value()
            return [try g.first.unreduced(dims, keepdim, source) * x.productOfOthers(dims)]
        }
    }

    /// For each element the product of all others over `dims`; right where elements are zero.
    private func productOfOthers(_ dims: [Int]) throws -> Tensor {
        if dims.isEmpty { return try Tensor.ones(shape, dtype) }
        let zero = try detached().equalTo(0)
        let zeros = try zero.sum(dims, keepdim: true)
        let one = try Tensor.wrapped(.int(1), beside: self)
        let filled = try Tensor.where(zero, one, self)
        let rest = try filled.prodOver(dims)
        let none = try Tensor.wrapped(.int(0), beside: self)
        let noZero = try Tensor.where(try zeros.equalTo(0), try rest / filled, none)
        let oneZero = try Tensor.where(try Tensor.logicalAnd(zero, try zeros.equalTo(1)), rest, none)
        return try noZero + oneZero
    }

    private func prodOver(_ dims: [Int]) throws -> Tensor {
        var t = self
        for d in dims { t = try t.prod(d, keepdim: true, dtype: nil) }
        return t
    }

    public func cumsum(_ dim: Int, dtype: DType? = nil) throws -> Tensor {
        let type = dtype ?? (self.dtype.isFloat ? self.dtype : .int64)
        let x = try to(type), d = try shape.dim(dim)
        let out = try Reduction.scan(SCAN_CUMSUM, x, d)
        guard shouldRecord(x) else { return out }
        return try out.record("cumsum", [x]) { [try $0.first.flip([d]).cumsum(d).flip([d])] }
    }

    public func softmax(_ dim: Int, log: Bool) throws -> Tensor {
        let name = log ? "log_softmax" : "softmax"
        guard dtype.isFloat else { throw TensorError("\(name): expected a floating-point tensor, got \(dtype.name); convert it first (x:float())") }
        let d = try shape.dim(dim)
        let op = log ? SCAN_LOG_SOFTMAX : SCAN_SOFTMAX
        let out = try Reduction.scan(op, self, d)
        guard shouldRecord(self) else { return out }
        let (sx, so) = (SavedTensor(self, name), out.savedOutput(name))
        return try out.record(name, [self]) { g in
            let g = try g.first
            if !GradMode.isEnabled { return [try Tensor.softmaxBackward(op, try so.value(), g, d)] }
            let y = try sx.value().softmax(d, log: log)
            return log
                ? [try g - (try y.exp() * g.sum([d], keepdim: true))]
                : [try y * (g - (g * y).sum([d], keepdim: true))]
        }
    }

    private static func softmaxBackward(_ op: Int, _ y: Tensor, _ g: Tensor, _ dim: Int) throws -> Tensor {
        guard let kernel = kernels.softmax_backward(Int32(op), y.dtype.code) else {
            throw TensorError("softmax: not available for \(y.dtype.name) tensors")
        }
        let g = try g.packed()
        let out = try Tensor(emptyOf: y.shape, y.dtype)
        guard y.count > 0 else { return out }
        let (outer, n, inner) = y.shape.around(dim)
        let py = SendablePointer(y.pointer), pg = SendablePointer(g.pointer), po = SendablePointer(out.pointer)
        let bytes = n * inner * y.dtype.size
        Parallel.ranges(count: outer, grain: Swift.max(1, Parallel.elementGrain / Swift.max(n * inner, 1))) { low, high in
            kernel(high - low, n, inner, py.raw + low * bytes, pg.raw + low * bytes, po.raw + low * bytes)
        }
        return out
    }

    public func cumprod(_ dim: Int, dtype: DType? = nil) throws -> Tensor {
        let type = dtype ?? (self.dtype.isFloat ? self.dtype : .int64)
        let x = try to(type), d = try shape.dim(dim)
        let out = try Reduction.scan(SCAN_CUMPROD, x, d)
        guard shouldRecord(x) else { return out }
        let sx = SavedTensor(x, "cumprod")
        return try out.record("cumprod", x) { g in
            // d y_j / d x_i = product of the others up to j, for j >= i: exact also where x is 0.
            let (g, x) = (try g.first, try sx.value())
            let n = x.rank == 0 ? 1 : x.shape[d]
            if x.rank == 0 { return [g] }
            var parts: [Tensor] = []
            for i in 0..<n {
                let before = try x.slice(d, 0, i).prod(d, keepdim: true, dtype: nil)
                let after = try Tensor.cat([try Tensor.ones(before.shape, x.dtype), try x.slice(d, i + 1, n)], d).cumprod(d)
                let weighted = try g.slice(d, i, n) * after
                parts.append(try weighted.sum([d], keepdim: true) * before)
            }
            return [parts.isEmpty ? g : try Tensor.cat(parts, d)]
        }
    }

    public func norm(_ p: Double, _ dims: [Int]?, keepdim: Bool) throws -> Tensor {
        guard dtype.isFloat else { throw TensorError("norm: expected a floating-point tensor, got \(dtype.name); convert it first (x:float())") }
        let list = try Reduction.dims(dims, shape)
        switch p {
        case .infinity: return try abs().extremeValue(list, keepdim: keepdim, largest: true, "norm")
        case -.infinity: return try abs().extremeValue(list, keepdim: keepdim, largest: false, "norm")
        case 0:
            let out = try Reduction.run(REDUCE_COUNT_NONZERO, self, list, keepdim: keepdim, .int64).to(dtype)
            guard shouldRecord(self) else { return out }
            let (source, type) = (shape, dtype)
            return try out.record("norm", [self]) { _ in [try Tensor.zeros(source, type)] }
        case 1: return try abs().sum(list, keepdim: keepdim)
        case 2:
            let out = try Elementwise.unary(UNARY_SQRT, try Reduction.run(REDUCE_SUM_SQUARES, self, list, keepdim: keepdim, dtype))
            guard shouldRecord(self) else { return out }
            let (sx, so, source) = (SavedTensor(self, "norm"), out.savedOutput("norm"), shape)
            return try out.record("norm", [self]) { g in
                let x = try sx.value()
                let y = GradMode.isEnabled ? try x.norm(2, list, keepdim: keepdim) : try so.value()
                // At 0 the gradient is 0, as in PyTorch.
                let scale = try Tensor.where(try y.detached().equalTo(0), try Tensor.wrapped(.int(0), beside: y), try g.first / y)
                return [try x * scale.unreduced(list, keepdim, source)]
            }
        default:
            return try Tensor.pow(
                try Tensor.pow(try abs(), try Tensor.wrapped(.double(p), beside: self)).sum(list, keepdim: keepdim),
                try Tensor.wrapped(.double(1 / p), beside: self))
        }
    }
}
