/// Looking up rows, and products of two inputs.
extension Tensor {
    /// Rows of `weight` [V, D] at integer positions of any shape; gives [.., D].
    public static func embedding(
        _ input: Tensor, _ weight: Tensor, paddingIndex: Int?, maxNorm: Double?, normType: Double, scaleByFrequency: Bool
    ) throws -> Tensor {
        let name = "embedding"
        guard weight.rank == 2, weight.dtype.isFloat else {
            throw TensorError("\(name): expected a floating-point weight [V, D], got \(weight.dtype.name) \(weight.shape)")
        }
        guard input.dtype == .int64 || input.dtype == .int32 else {
            throw TensorError("\(name): expected int64 or int32 positions, got \(input.dtype.name) \(input.shape); convert them first (x:long())")
        }
        let (rows, width) = (weight.shape[0], weight.shape[1])
        var padding: Int?
        if let paddingIndex {
            guard paddingIndex >= -rows, paddingIndex < rows else {
                throw TensorError("\(name): padding_idx \(paddingIndex) is out of range; valid: \(-rows)..\(rows - 1)")
            }
            padding = paddingIndex < 0 ? paddingIndex + rows : paddingIndex
        }
        let index = try input.converted(to: .int64).packed()
        let at = index.data(Int.self)
        for i in 0..<index.count where at[i] < 0 || at[i] >= rows {
            throw TensorError("\(name): position \(at[i]) is out of range for weight \(weight.shape); valid: 0..\(rows - 1)")
        }
        try input.shape.checkRoom()
        if scaleByFrequency { try Allocator.shared.checkRoom(for: rows, "the uses of \(rows) rows") }
        if maxNorm != nil { try Allocator.shared.checkRoom(for: index.count, of: 64, "the rows at \(index.count) positions") }
        if let maxNorm { try GradMode.with(false) { try weight.limitRows(index, maxNorm, normType) } }
        var shape = input.shape
        shape.append(width)
        let out = try weight.rows(at: index, shape)
        guard shouldRecord(weight) else { return out }
        let size = weight.shape, full = shape
        return try out.record(name, weight) { g in
            let gw = try g.first.linearMap(name) { g in
                let total = try Tensor.zeros(size, g.dtype), g = try g.packed()
                if g.dtype == .float32 {
                    addRows(Float.self, total, g, index, padding, scaleByFrequency)
                } else {
                    addRows(Double.self, total, g, index, padding, scaleByFrequency)
                }
                return total
            } adjoint: {
                // What the sum above left out or divided.
                try ($0 * shares(index, rows, padding, scaleByFrequency, $0.dtype)).rows(at: index, full)
            }
            return [gw]
        }
    }

    /// Rows of this matrix at checked positions. No history.
    private func rows(at index: Tensor, _ shape: Shape) throws -> Tensor {
        let out = try Tensor(emptyOf: shape, dtype)
        let source = try packed()
        let bytes = source.shape[1] * dtype.size
        let from = SendablePointer(source.pointer), to = SendablePointer(out.pointer), places = SendablePointer(index.pointer)
        Parallel.ranges(count: index.count, grain: Swift.max(1, (1 << 16) / Swift.max(bytes, 1))) { low, high in
            let at = places.raw.assumingMemoryBound(to: Int.self)
            for i in low..<high { (to.raw + i * bytes).copyMemory(from: from.raw + at[i] * bytes, byteCount: bytes) }
        }
        return out
    }

    /// By how much each of `n` rows counts in the gradient: [n, 1].
    private static func shares(_ index: Tensor, _ n: Int, _ padding: Int?, _ scale: Bool, _ dtype: DType) throws -> Tensor {
        let out = try Tensor.ones(Shape(n, 1), dtype), at = index.data(Int.self)
        if scale {
            var uses = [Int](repeating: 0, count: n)
            for i in 0..<index.count { uses[at[i]] += 1 }
            for (row, count) in uses.enumerated() where count > 1 { out.setElement(row, .double(1 / Double(count))) }
        }
        if let padding { out.setElement(padding, .double(0)) }
        return out
    }

    /// Adds row i of `g` to row index[i] of `total`, in order.
    private static func addRows<T: BinaryFloatingPoint & Sendable>(
        _ type: T.Type, _ total: Tensor, _ g: Tensor, _ index: Tensor, _ padding: Int?, _ scale: Bool
    ) {
        let width = total.shape[1]
        let at = index.data(Int.self), from = g.data(T.self), to = total.data(T.self)
        var uses = [Int](repeating: 0, count: scale ? total.shape[0] : 0)
        if scale { for i in 0..<index.count { uses[at[i]] += 1 } }
        for i in 0..<index.count where at[i] != padding {
            let row = to + at[i] * width, add = from + i * width
            if scale {
                let s = T(uses[at[i]])
                for j in 0..<width { row[j] += add[j] / s }
            } else {
                for j in 0..<width { row[j] += add[j] }
            }
        }
    }

    /// Scales the rows that are used to a norm of at most `limit`, in place.
    private func limitRows(_ index: Tensor, _ limit: Double, _ p: Double) throws {
        let at = index.data(Int.self)
        let used = Set((0..<index.count).map { at[$0] }).sorted()
        for i in used {
            let row = try select(0, i)
            let norm = try row.norm(p, nil, keepdim: false).item().double
            if norm > limit { try row.assign(try row * (limit / (norm + 1e-7)), "embedding") }
        }
    }

    /// x1 [.., in1], x2 [.., in2], weight [out, in1, in2], bias [out]: y[o] = x1 W[o] x2 + b[o].
    public static func bilinear(_ a: Tensor, _ b: Tensor, _ weight: Tensor, _ bias: Tensor?) throws -> Tensor {
        let name = "bilinear"
        guard weight.rank == 3, a.rank > 0, b.rank == a.rank, a.shape.dropping(a.rank - 1) == b.shape.dropping(b.rank - 1),
            a.shape[a.rank - 1] == weight.shape[1], b.shape[b.rank - 1] == weight.shape[2]
        else {
            throw TensorError(
                "\(name): inputs \(a.shape) and \(b.shape) do not fit weight \(weight.shape): expected [.., in1], [.., in2] and [out, in1, in2]")
        }
        if let bias, bias.shape != Shape(weight.shape[0]) {
            throw TensorError("\(name): expected bias [\(weight.shape[0])], got \(bias.shape)")
        }
        let (outs, in1, in2) = (weight.shape[0], weight.shape[1], weight.shape[2])
        let rows = a.shape.array.dropLast().reduce(1, *)
        let left = try matmul(try a.reshape(Shape(rows, in1)), try weight.permute([1, 0, 2]).reshape(Shape(in1, outs * in2)))
        var y = try matmul(try left.reshape(Shape(rows, outs, in2)), try b.reshape(Shape(rows, in2, 1)))
            .reshape(a.shape.replacing(a.rank - 1, with: outs))
        if let bias { y = try y + bias }
        return y
    }

    /// x where positive, weight * x elsewhere; weight has one element or one for each channel (dimension 1).
    public static func prelu(_ x: Tensor, _ weight: Tensor) throws -> Tensor {
        let name = "prelu"
        guard x.dtype.isFloat, weight.dtype == x.dtype else {
            throw TensorError("\(name): expected floating-point tensors of one dtype, got \(x.dtype.name) and \(weight.dtype.name)")
        }
        let channels = x.rank > 1 ? x.shape[1] : 1
        guard weight.rank <= 1, weight.count == 1 || weight.count == channels else {
            throw TensorError("\(name): expected a weight with 1 or \(channels) elements for input \(x.shape), got \(weight.shape)")
        }
        var line = Shape(repeating: 1, rank: x.rank)
        if weight.count > 1 { line[1] = weight.count }
        let slope = try weight.reshape(line)
        let positive = try Op.above(x.detached(), 0)
        return try Tensor.where(positive, x, try x * slope)
    }
}

extension Op {
    static let lookups: [Op] = [
        Op(
            """
            embedding(input: tensor, weight: tensor, padding_idx: int = nil, max_norm: number = nil, norm_type: number = 2, scale_grad_by_freq: bool = false) -> tensor
            Gives the rows of `weight` [V, D] at integer positions `input` of any shape; the row `padding_idx` gets no gradient.
            Errors: a position out of range
            Example: nn.functional.embedding(tensor{1, 0}, tensor{{1.0, 2.0}, {3.0, 4.0}}) --> tensor([[3., 4.],
                    [1., 2.]])
            Source: torch.nn.functional.embedding
            """, form: .function,
            samples: ["F.embedding(tensor{0, 2, 2}, x)", "!F.embedding(tensor{{0, 1}, {1, 1}}, x, 1)", "!F.embedding(tensor{0, 2, 2}, x, {scale_grad_by_freq = true})"]
        ) {
            .tensor(
                try Tensor.embedding(
                    try $0.tensor(0), try $0.tensor(1), paddingIndex: try $0.optionalInt(2), maxNorm: $0.isNil(3) ? nil : try $0.double(3),
                    normType: try $0.double(4), scaleByFrequency: try $0.bool(5)))
        },
        Op(
            """
            bilinear(input1: tensor, input2: tensor, weight: tensor, bias: tensor = nil) -> tensor
            Gives input1 [.., in1] times weight [out, in1, in2] times input2 [.., in2], plus bias [out].
            Errors: sizes that do not fit
            Example: nn.functional.bilinear(tensor{{2.0}}, tensor{{3.0}}, tensor.ones(1, 1, 1)) --> tensor([[6.]])
            Source: torch.nn.functional.bilinear
            """, form: .function,
            samples: ["F.bilinear(x, sq, t3:transpose(1, 2))", "F.bilinear(x, sq, t3:transpose(1, 2), v:narrow(0, 0, 2))"]
        ) { .tensor(try Tensor.bilinear(try $0.tensor(0), try $0.tensor(1), try $0.tensor(2), try $0.optionalTensor(3))) },
        Op(
            """
            prelu(input: tensor, weight: tensor) -> tensor
            Gives x where positive and weight * x elsewhere; `weight` has one element or one for each channel (dimension 1).
            Errors: another number of weights
            Example: nn.functional.prelu(tensor{-2.0, 2.0}, tensor{0.5}) --> tensor([-1.,  2.])
            Source: He et al. 2015; torch.nn.functional.prelu
            """, form: .function, samples: ["F.prelu(x, v:narrow(0, 0, 1))", "F.prelu(x, row)", "F.prelu(img, sq[0])"]
        ) { .tensor(try Tensor.prelu(try $0.tensor(0), try $0.tensor(1))) },
        Op(
            """
            normalize(input: tensor, p: number = 2, dim: int = 1, eps: number = 1e-12) -> tensor
            Divides by the p-norm along `dim` (or by eps where that is larger).
            Example: nn.functional.normalize(tensor{{3.0, 4.0}}) --> tensor([[0.6000, 0.8000]])
            Source: torch.nn.functional.normalize
            """, form: .function, samples: ["F.normalize(x)", "F.normalize(x, 1, 0)", "F.normalize(t3, {dim = -1})"]
        ) {
            let x = try $0.tensor(0)
            return .tensor(try x / x.norm(try $0.double(1), [try $0.int(2)], keepdim: true).clamp(.double(try $0.double(3)), nil))
        },
        Op(
            """
            cosine_similarity(x1: tensor, x2: tensor, dim: int = 1, eps: number = 1e-08) -> tensor
            Gives the cosine of the angle between vectors along `dim`; norms below eps count as eps.
            Example: nn.functional.cosine_similarity(tensor{{1.0, 0.0}}, tensor{{1.0, 1.0}}) --> tensor([0.7071])
            Source: torch.nn.functional.cosine_similarity
            """, form: .function, samples: ["F.cosine_similarity(x, y)", "F.cosine_similarity(x, row)", "F.cosine_similarity(v, w, 0)"]
        ) {
            let (a, b) = (try $0.tensor(0), try $0.tensor(1))
            let shape = try Shape.broadcast(a.shape, b.shape)
            let (x, y) = (try a.expand(shape), try b.expand(shape))
            let dim = try shape.dim(try $0.int(2)), eps = try Scalar.double($0.double(3))
            let (nx, ny) = (try x.norm(2, [dim], keepdim: true).clamp(eps, nil), try y.norm(2, [dim], keepdim: true).clamp(eps, nil))
            return .tensor(try ((x / nx) * (y / ny)).sum([dim]))
        },
    ]
}
