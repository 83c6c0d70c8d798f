import KernelABI

extension Op {
    /// `requires_grad` of creation functions.
    private static func leaf(_ t: Tensor, _ requiresGrad: Bool) throws -> OpResult {
        if requiresGrad { try t.setRequiresGrad(true) }
        return .tensor(t)
    }

    private static func constant(_ name: String, _ what: String, _ value: Int) -> [Op] {
        [
            Op(
                """
                \(name)(size: shape, *, dtype: dtype = "float32", requires_grad: bool = false) -> tensor
                Makes a tensor filled with \(what).
                Example: tensor.\(name)(2) --> tensor([\(value)., \(value).])
                Source: torch.\(name)
                """, form: .function
            ) { try leaf(try Tensor.full(try $0.shape(0), .int(value), try $0.dtype(1) ?? .float32), try $0.bool(2)) },
            Op(
                """
                \(name)_like(input: tensor, *, dtype: dtype = nil, requires_grad: bool = false) -> tensor
                Makes a tensor of the shape and dtype of `input`, filled with \(what).
                Example: tensor.\(name)_like(tensor{5, 6}) --> tensor([\(value), \(value)])
                Source: torch.\(name)_like
                """, form: .function
            ) {
                let x = try $0.tensor(0)
                return try leaf(try Tensor.full(x.shape, .int(value), try $0.dtype(1) ?? x.dtype), try $0.bool(2))
            },
        ]
    }

    private static func random(_ name: String, _ what: String, _ fill: @escaping @Sendable (Tensor) throws -> Void) -> [Op] {
        [
            Op(
                """
                \(name)(size: shape, *, dtype: dtype = "float32", requires_grad: bool = false) -> tensor
                Makes a tensor of draws from \(what).
                Example: tensor.\(name)(2, 3).shape --> {2, 3}
                Source: torch.\(name)
                """, form: .function
            ) {
                let t = try Tensor(emptyOf: try $0.shape(0), try $0.dtype(1) ?? .float32)
                try fill(t)
                return try leaf(t, try $0.bool(2))
            },
            Op(
                """
                \(name)_like(input: tensor, *, dtype: dtype = nil, requires_grad: bool = false) -> tensor
                Makes a tensor of the shape and dtype of `input` with draws from \(what).
                Example: tensor.\(name)_like(tensor.zeros(2, 3)).shape --> {2, 3}
                Source: torch.\(name)_like
                """, form: .function
            ) {
                let x = try $0.tensor(0)
                let t = try Tensor(emptyOf: x.shape, try $0.dtype(1) ?? x.dtype)
                try fill(t)
                return try leaf(t, try $0.bool(2))
            },
        ]
    }

    static let creation: [Op] =
        constant("zeros", "0", 0) + constant("ones", "1", 1)
        + random("rand", "the uniform distribution on [0, 1)") { try $0.fillUniform(0, 1) }
        + random("randn", "the normal distribution with mean 0 and deviation 1") { try $0.fillNormal(0, 1) }
        + [
            Op(
                """
                empty(size: shape, *, dtype: dtype = "float32", requires_grad: bool = false) -> tensor
                Makes a tensor whose contents are undefined; here they are zeros, so that results repeat.
                Example: tensor.empty(2, 3).shape --> {2, 3}
                Source: torch.empty
                """, form: .function
            ) { try leaf(try Tensor.zeros(try $0.shape(0), try $0.dtype(1) ?? .float32), try $0.bool(2)) },
            Op(
                """
                full(size: ints, fill_value: number|bool, *, dtype: dtype = nil, requires_grad: bool = false) -> tensor
                Makes a tensor filled with a value; its kind decides the dtype unless one is given.
                Example: tensor.full({2}, 7) --> tensor([7, 7])
                Source: torch.full
                """, form: .function
            ) {
                let value = try $0.scalar(1), dtype = try $0.dtype(2) ?? value.wrappedDType
                return try leaf(try Tensor.full(try $0.shape(0), try value.checked(for: dtype), dtype), try $0.bool(3))
            },
            Op(
                """
                full_like(input: tensor, fill_value: number|bool, *, dtype: dtype = nil, requires_grad: bool = false) -> tensor
                Makes a tensor of the shape and dtype of `input`, filled with a value.
                Example: tensor.full_like(tensor{1, 2}, 7) --> tensor([7, 7])
                Source: torch.full_like
                """, form: .function
            ) {
                let x = try $0.tensor(0), dtype = try $0.dtype(2) ?? x.dtype
                return try leaf(try Tensor.full(x.shape, try $0.scalar(1).checked(for: dtype), dtype), try $0.bool(3))
            },
            Op(
                """
                arange(start: number, end_: number = nil, step: number = 1, *, dtype: dtype = nil, requires_grad: bool = false) -> tensor
                Counts from start (0 when one bound is given) up to but not including the end; int64 when all bounds are integers.
                Example: tensor.arange(3) --> tensor([0, 1, 2])
                Errors: a step of 0 or of the wrong sign
                Source: torch.arange
                """, form: .function
            ) {
                let first = try $0.scalar(0), step = try $0.scalar(2)
                let (start, end) = $0.isNil(1) ? (.int(0), first) : (first, try $0.scalar(1))
                let dtype = try $0.dtype(3) ?? (start.isInteger && end.isInteger && step.isInteger ? .int64 : .float32)
                return try leaf(try Tensor.arange(start, end, step, dtype), try $0.bool(4))
            },
            Op(
                """
                linspace(start: number, end_: number, steps: int, *, dtype: dtype = "float32", requires_grad: bool = false) -> tensor
                Makes `steps` evenly spaced values from start to end, both included.
                Example: tensor.linspace(0, 1, 3) --> tensor([0.0000, 0.5000, 1.0000])
                Source: torch.linspace
                """, form: .function
            ) {
                try leaf(
                    try Tensor.linspace(try $0.double(0), try $0.double(1), try $0.int(2), try $0.dtype(3) ?? .float32),
                    try $0.bool(4))
            },
            Op(
                """
                eye(n: int, m: int = nil, *, dtype: dtype = "float32", requires_grad: bool = false) -> tensor
                Makes a matrix with ones on the diagonal and zeros elsewhere.
                Example: tensor.eye(2) --> tensor([[1., 0.],
                        [0., 1.]])
                Source: torch.eye
                """, form: .function
            ) {
                let n = try $0.int(0), m = try $0.optionalInt(1) ?? n
                return try leaf(try Tensor.eye(n, m, try $0.dtype(2) ?? .float32), try $0.bool(3))
            },
            Op(
                """
                randint(low: int, high: int|table = nil, size: shape = nil, *, dtype: dtype = "int64") -> tensor
                Draws integers from low (0 when left out) up to but not including high.
                Example: tensor.randint(1, {3}) --> tensor([0, 0, 0])
                Errors: an empty range
                Source: torch.randint
                """, form: .function
            ) {
                let first = try $0.int(0)
                let size = try $0.optionalInts(2)
                let (low, high) = size == nil ? (0, first) : (first, try $0.int(1))
                let shape = try Shape(try size ?? $0.ints(1))
                guard high > low else { throw TensorError("randint: expected low < high, got \(low) and \(high)") }
                let (range, overflow) = high.subtractingReportingOverflow(low)
                guard !overflow else { throw TensorError("randint: the range from \(low) to \(high) is too large") }
                let out = try Tensor(emptyOf: shape, try $0.dtype(3) ?? .int64)
                var stream = RandomStream(taking: out.count)
                for i in 0..<out.count { out.setElement(i, .int(low + stream.below(range))) }
                return .tensor(out)
            },
            Op(
                """
                randperm(n: int, *, dtype: dtype = "int64") -> tensor
                Gives the numbers 0 to n - 1 in random order.
                Example: (tensor.randperm(4):sort()) --> tensor([0, 1, 2, 3])
                Source: torch.randperm
                """, form: .function
            ) {
                let n = try $0.int(0)
                let out = try Tensor(emptyOf: Shape(n), try $0.dtype(1) ?? .int64)
                var stream = RandomStream(taking: n)
                for (i, v) in try stream.permutation(n).enumerated() { out.setElement(i, .int(v)) }
                return .tensor(out)
            },
            Op(
                """
                bernoulli(input: tensor, p: number = nil) -> tensor
                Draws 1 with the probability that each element (or `p`) states, else 0.
                Errors: a probability outside 0..1
                Example: tensor{0.0, 1.0}:bernoulli() --> tensor([0., 1.])
                Source: torch.bernoulli
                """
            ) {
                let x = try $0.tensor(0)
                guard x.dtype.isFloat else { throw TensorError("bernoulli: expected a floating-point tensor, got \(x.dtype.name)") }
                let p = $0.isNil(1) ? try x.packed().detached() : try Tensor.full(x.shape, try $0.scalar(1), x.dtype)
                for v in try p.doubles() where !(v >= 0 && v <= 1) {
                    throw TensorError("bernoulli: expected probabilities in 0..1, got \(v)")
                }
                let draw = try Tensor(emptyOf: x.shape, x.dtype)
                try draw.fillUniform(0, 1)
                return .tensor(try Comparison.compute(COMPARE_LT, draw, p).converted(to: x.dtype))
            },
            Op(
                """
                multinomial(input: tensor, num_samples: int, replacement: bool = false) -> tensor
                Draws positions with probability proportional to the weights of each row; int64 [num_samples] or [rows, num_samples].
                Errors: negative or all-zero weights, more draws without replacement than non-zero weights
                Example: tensor.multinomial(tensor{0.0, 1.0}, 1) --> tensor([1])
                Source: torch.multinomial
                """
            ) { .tensor(try $0.tensor(0).multinomial(try $0.int(1), replacement: try $0.bool(2))) },
            Op(
                """
                one_hot(input: tensor, num_classes: int = -1) -> tensor
                Gives a row of zeros with a 1 at the class for each element; int64 [..., num_classes].
                Example: tensor.one_hot(tensor{1, 0}) --> tensor([[0, 1],
                        [1, 0]])
                Errors: a negative class or one beyond num_classes
                Source: torch.nn.functional.one_hot
                """, form: .function
            ) { .tensor(try $0.tensor(0).oneHot(try $0.int(1))) },
        ]
}

extension Tensor {
    public func oneHot(_ classes: Int) throws -> Tensor {
        guard dtype == .int64 || dtype == .int32 || dtype == .uint8 else {
            throw TensorError("one_hot: expected integer classes, got \(dtype.name)")
        }
        let values = try integers()
        let low = values.min() ?? 0, high = values.max() ?? -1
        guard low >= 0 else { throw TensorError("one_hot: classes must not be negative, got \(low)") }
        guard classes != -1 || count > 0 else { throw TensorError("one_hot: an empty tensor needs num_classes") }
        guard classes >= -1, high < Int.max else {
            throw TensorError("one_hot: expected num_classes above 0, or -1 for the classes there are, got \(classes) for class \(high)")
        }
        let n = classes == -1 ? high + 1 : classes
        guard high < n else { throw TensorError("one_hot: class \(high) does not fit num_classes \(n); it must be below that") }
        try shape.checkRoom()
        var s = shape
        s.append(n)
        let out = try Tensor.zeros(s, .int64)
        for (i, v) in values.enumerated() { out.setElement(i * n + v, .int(1)) }
        return out
    }

    public func multinomial(_ n: Int, replacement: Bool) throws -> Tensor {
        guard rank == 1 || rank == 2, dtype.isFloat else {
            throw TensorError("multinomial: expected weights [n] or [rows, n] of a floating-point dtype, got \(dtype.name) \(shape)")
        }
        let columns = shape[rank - 1]
        let rows = rank == 2 ? shape[0] : 1
        guard n > 0 else { throw TensorError("multinomial: expected num_samples above 0, got \(n)") }
        let weights = try doubles()
        guard weights.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw TensorError("multinomial: weights must be finite and not negative")
        }
        let out = try Tensor(emptyOf: rank == 2 ? Shape(rows, n) : Shape(n), .int64)
        let draw = try Tensor(emptyOf: Shape(rows, n), .float64)
        try draw.fillUniform(0, 1)
        for r in 0..<rows {
            var w = Array(weights[(r * columns)..<((r + 1) * columns)])
            guard w.reduce(0, +) > 0 else { throw TensorError("multinomial: the weights of row \(r) are all zero") }
            guard replacement || w.filter({ $0 > 0 }).count >= n else {
                throw TensorError("multinomial: row \(r) has fewer than \(n) non-zero weights; pass replacement = true")
            }
            for i in 0..<n {
                let target = draw.element(r * n + i).double * w.reduce(0, +)
                var sum = 0.0, pick = w.lastIndex { $0 > 0 } ?? 0
                for (j, v) in w.enumerated() where v > 0 {
                    sum += v
                    if target < sum { pick = j; break }
                }
                out.setElement(r * n + i, .int(pick))
                if !replacement { w[pick] = 0 }
            }
        }
        return out
    }
}
