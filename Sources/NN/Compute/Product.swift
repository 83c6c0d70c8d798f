import KernelABI

/// Matrix products on packed or transposed operands, without copies where strides allow.
enum Product {
    /// A matrix operand as the kernel wants it: rows one after the other, or columns (transposed).
    private struct Operand {
        let tensor: Tensor
        let transposed: Bool
        let lead: Int

        /// The last two dimensions of `t`; copies when neither of them is packed.
        init(_ t: Tensor) throws {
            let r = t.rank
            let (rows, columns) = (t.shape[r - 2], t.shape[r - 1])
            let (rs, cs) = (t.strides[r - 2], t.strides[r - 1])
            if (cs == 1 || columns == 1) && (rs >= columns || rows == 1) {
                self.init(t, false, rows == 1 ? Swift.max(columns, 1) : rs)
            } else if (rs == 1 || rows == 1) && (cs >= rows || columns == 1) {
                self.init(t, true, columns == 1 ? Swift.max(rows, 1) : cs)
            } else {
                self.init(try t.packed(), false, Swift.max(columns, 1))
            }
        }

        private init(_ t: Tensor, _ transposed: Bool, _ lead: Int) {
            tensor = t
            self.transposed = transposed
            self.lead = lead
        }
    }

    /// op(A)[.., m, k] x op(B)[.., k, n] -> [.., m, n]; leading dimensions are equal or broadcast
    /// (stride 0). Both of one dtype.
    static func run(
        _ a: Tensor, _ b: Tensor, bias: Tensor? = nil, relu: Bool = false, into out: Tensor? = nil, accumulate: Bool = false
    ) throws -> Tensor {
        let m = a.shape[a.rank - 2], k = a.shape[a.rank - 1], n = b.shape[b.rank - 1]
        let lead = Swift.max(a.rank, b.rank) - 2
        var shape = a.rank >= b.rank ? a.shape : b.shape
        shape[lead] = m
        shape[lead + 1] = n
        let c = try out ?? Tensor(emptyOf: shape, a.dtype)
        if c.count == 0 { return c }
        if k == 0, bias == nil {
            if !accumulate { c.fillElements(.int(0)) }
            return c
        }
        // One batch dimension goes to the kernel; further ones are walked here.
        var batchSizes = Shape()
        for i in 0..<lead { batchSizes.append(shape[i]) }
        let x = try Operand(a), y = try Operand(b)
        var outer = 1
        for i in 0..<Swift.max(lead - 1, 0) { outer *= batchSizes[i] }
        let batch = lead > 0 ? batchSizes[lead - 1] : 1
        func stride(_ t: Tensor, _ dim: Int) -> Int {
            let own = dim - (lead + 2 - t.rank)
            return own >= 0 && t.shape[own] != 1 ? t.strides[own] : 0
        }
        let size = a.dtype.size
        for o in 0..<outer {
            var rest = o, ao = 0, bo = 0
            var i = lead - 2
            while i >= 0 {
                let at = rest % batchSizes[i]
                rest /= batchSizes[i]
                ao += at * stride(x.tensor, i)
                bo += at * stride(y.tensor, i)
                i -= 1
            }
            var g = kernel_gemm(
                m: m, n: n, k: k, batch: batch,
                a: x.tensor.pointer + ao * size, lda: x.lead, a_batch: lead > 0 ? stride(x.tensor, lead - 1) : 0,
                a_transposed: x.transposed,
                b: y.tensor.pointer + bo * size, ldb: y.lead, b_batch: lead > 0 ? stride(y.tensor, lead - 1) : 0,
                b_transposed: y.transposed,
                c: c.pointer + o * batch * m * n * size, ldc: n, c_batch: m * n,
                alpha: 1, beta: accumulate ? 1 : 0, bias: bias.map { UnsafeRawPointer($0.pointer) }, bias_along: 0,
                activation: relu ? 1 : 0)
            Parallel.withExec { kernels.gemm(a.dtype.code, &g, $0) }
        }
        return c
    }
}

extension Tensor {
    private static func checkProduct(_ a: Tensor, _ b: Tensor, _ name: String) throws {
        guard a.dtype == b.dtype else {
            throw TensorError("\(name): expected operands of one dtype, got \(a.dtype.name) and \(b.dtype.name)")
        }
        guard kernels.supportsProduct(a.dtype) else {
            throw TensorError("\(name): not available for \(a.dtype.name) tensors")
        }
    }

    /// Matrix product with PyTorch's rules for 1-d operands and batches.
    public static func matmul(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        try checkProduct(a, b, "matmul")
        guard a.rank > 0, b.rank > 0 else { throw TensorError("matmul: 0-d tensors cannot be multiplied as matrices, got \(a.shape) and \(b.shape)") }
        if a.rank == 1 { return try matmul(try a.unsqueeze(0), b).squeeze(b.rank == 1 ? [0] : [-2]) }
        if b.rank == 1 { return try matmul(a, try b.unsqueeze(1)).squeeze([-1]) }
        guard a.shape[a.rank - 1] == b.shape[b.rank - 2] else {
            throw TensorError("matmul: inner sizes differ: \(a.shape) x \(b.shape)")
        }
        // Rows of a batch times one matrix are one tall product.
        if b.rank == 2, a.rank > 2 {
            let rows = a.shape.array.dropLast().reduce(1, *)
            return try matmul(try a.reshape(Shape(rows, a.shape[a.rank - 1])), b)
                .reshape(a.shape.replacing(a.rank - 1, with: b.shape[1]))
        }
        var (x, y) = (a, b)
        if a.rank > 2 || b.rank > 2 {
            var la = a.shape, lb = b.shape
            let (m, k, n) = (a.shape[a.rank - 2], a.shape[a.rank - 1], b.shape[b.rank - 1])
            for _ in 0..<2 {
                la.remove(at: la.rank - 1)
                lb.remove(at: lb.rank - 1)
            }
            let lead: Shape
            do { lead = try Shape.broadcast(la, lb) } catch {
                throw TensorError("matmul: batch dimensions of \(a.shape) and \(b.shape) do not broadcast")
            }
            var ta = lead, tb = lead
            ta.append(m)
            ta.append(k)
            tb.append(k)
            tb.append(n)
            x = try a.expand(ta)
            y = try b.expand(tb)
        }
        let out = try Product.run(x, y)
        guard shouldRecord(x, y) else { return out }
        let (sx, sy) = (SavedTensor(x, "matmul"), SavedTensor(y, "matmul"))
        let (needsX, needsY) = (x.requiresGrad, y.requiresGrad)
        return try out.record("matmul", [x, y]) { g in
            let g = try g.first
            return [
                needsX ? try matmul(g, try sy.value().transpose(-2, -1)) : nil,
                needsY ? try matmul(try sx.value().transpose(-2, -1), g) : nil,
            ]
        }
    }

    /// x [.., in] times weight [out, in] transposed, plus bias [out]; gives [.., out].
    public static func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?) throws -> Tensor { try linear(x, weight, bias, relu: false) }

    /// With `relu` followed by that, as one operation. Values, gradients and the history's last name are those of the single ones.
    static func linear(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, relu: Bool) throws -> Tensor {
        guard weight.rank == 2 || weight.rank == 1 else { throw TensorError("linear: expected weight [out, in], got \(weight.shape)") }
        guard x.rank > 0, x.shape[x.rank - 1] == weight.shape[weight.rank - 1] else {
            throw TensorError(
                "linear: input \(x.shape) does not fit weight \(weight.shape): expected \(weight.shape[weight.rank - 1]) features, "
                    + "got \(x.rank > 0 ? x.shape[x.rank - 1] : 0)")
        }
        try checkProduct(x, weight, "linear")
        if let bias {
            guard bias.shape == (weight.rank == 1 ? Shape() : Shape(weight.shape[0])), bias.dtype == x.dtype else {
                throw TensorError("linear: expected bias [\(weight.shape[0])] \(x.dtype.name), got \(bias.shape) \(bias.dtype.name)")
            }
        }
        if relu, x.rank != 2 || weight.rank != 2 { return try linear(x, weight, bias).relu() }
        if weight.rank == 1 {
            let y = try matmul(x, weight)
            return try bias.map { try y + $0 } ?? y
        }
        if x.rank != 2 {
            let rows = x.shape.array.dropLast().reduce(1, *)
            return try linear(try x.reshape(Shape(rows, x.shape[x.rank - 1])), weight, bias)
                .reshape(x.shape.replacing(x.rank - 1, with: weight.shape[0]))
        }
        let out = try Product.run(x, try weight.windowTransposed(), bias: try bias?.packed(), relu: relu)
        guard GradMode.isEnabled, x.requiresGrad || weight.requiresGrad || (bias?.requiresGrad ?? false) else { return out }
        let (sx, sw) = (SavedTensor(x, "linear"), SavedTensor(weight, "linear"))
        let needs = (x.requiresGrad, weight.requiresGrad, bias?.requiresGrad ?? false)
        let result = relu ? out.savedOutput("relu") : nil
        return try out.record(relu ? "relu" : "linear", [x, weight, bias]) { g in
            let g = try result.map { try $0.value().reluSlope(try g.first) } ?? g.first
            return [
                needs.0 ? try matmul(g, try sw.value()) : nil,
                needs.1 ? try matmul(try g.transpose(0, 1), try sx.value()) : nil,
                needs.2 ? try g.sum([0]) : nil,
            ]
        }
    }

    /// What relu, whose result this is, passes on of the gradient of its result.
    private func reluSlope(_ g: Tensor) throws -> Tensor {
        if !GradMode.isEnabled, let kernel = kernels.binary(Int32(BINARY_RELU_GRAD), dtype.code) {
            return try Elementwise.binary(kernel, self, g, dtype)
        }
        return try g * Comparison.compute(COMPARE_GT, self, try Tensor.wrapped(.int(0), beside: self)).to(dtype)
    }

    private func windowTransposed() throws -> Tensor {
        window(Shape(shape[1], shape[0]), Shape(strides[1], strides[0]), offset: offset)
    }
}

extension kernel_table {
    func supportsProduct(_ dtype: DType) -> Bool { dtype != .bool && dtype != .uint8 }
}
