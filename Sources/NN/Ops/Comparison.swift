import KernelABI

/// Comparisons and logic: boolean results, no gradients.
enum Comparison {
    static func compute(_ op: Int, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        let dtype = Tensor.resultType(a, b)
        guard let kernel = kernels.compare(Int32(op), dtype.code) else {
            throw TensorError("not available for \(dtype.name) tensors")
        }
        return try Elementwise.binary(kernel, try a.converted(to: dtype), try b.converted(to: dtype), .bool)
    }
}

extension Tensor {
    static func logicalAnd(_ a: Tensor, _ b: Tensor) throws -> Tensor { try Comparison.compute(COMPARE_AND, a, b) }

    public static func equal(_ a: Tensor, _ b: Tensor) throws -> Bool {
        guard a.shape == b.shape else { return false }
        let ne = try Comparison.compute(COMPARE_NE, a, b)
        return try Reduction.run(REDUCE_ANY, ne, Array(0..<ne.rank), keepdim: false, .bool).element(0).double == 0
    }

    /// |a - b| <= atol + rtol * |b| everywhere; NaN equals NaN only when asked for.
    public static func allclose(_ a: Tensor, _ b: Tensor, rtol: Double, atol: Double, equalNaN: Bool) throws -> Bool {
        try GradMode.with(false) {
            let close = try isclose(a, b, rtol: rtol, atol: atol, equalNaN: equalNaN)
            return try Reduction.run(REDUCE_ALL, close, Array(0..<close.rank), keepdim: false, .bool).element(0).double != 0
        }
    }

    static func isclose(_ a: Tensor, _ b: Tensor, rtol: Double, atol: Double, equalNaN: Bool) throws -> Tensor {
        guard a.dtype == b.dtype else {
            throw TensorError("expected tensors of one dtype, got \(a.dtype.name) and \(b.dtype.name)")
        }
        let (x, y) = a.dtype.isFloat ? (a, b) : (try a.to(.float64), try b.to(.float64))
        let difference = try (x - y).abs()
        let finite = try Comparison.compute(COMPARE_LT, try y.abs(), try wrapped(.double(.infinity), beside: y))
        let near = try Comparison.compute(COMPARE_LE, difference, try y.abs() * rtol + atol)
        var close = try Comparison.compute(
            COMPARE_OR, try Comparison.compute(COMPARE_EQ, x, y), try Comparison.compute(COMPARE_AND, near, finite))
        if equalNaN {
            let both = try Comparison.compute(
                COMPARE_AND, try Comparison.compute(COMPARE_NE, x, x), try Comparison.compute(COMPARE_NE, y, y))
            close = try Comparison.compute(COMPARE_OR, close, both)
        }
        return close
    }

    /// condition ? a : b, with broadcasting, promotion and history.
    public static func `where`(_ condition: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor {
        guard condition.dtype == .bool else {
            throw TensorError("where: expected a bool condition, got \(condition.dtype.name)")
        }
        let dtype = resultType(a, b)
        let out = try Elementwise.select(condition, try a.converted(to: dtype), try b.converted(to: dtype))
        guard shouldRecord(a, b) else { return out }
        let (sa, sb, da, db) = (a.shape, b.shape, a.dtype, b.dtype)
        let (needsA, needsB) = (a.requiresGrad, b.requiresGrad)
        return try out.record("where", [a, b]) { g in
            let g = try g.first
            let zero = try Tensor.zeros(Shape(), g.dtype)
            return [
                needsA ? try Arithmetic.reduce(try Tensor.where(condition, g, zero), sa, da) : nil,
                needsB ? try Arithmetic.reduce(try Tensor.where(condition, zero, g), sb, db) : nil,
            ]
        }
    }
}

extension Op {
    private static func compare(_ name: String, _ what: String, _ op: Int, _ operands: (String, String), _ result: (Bool, Bool)) -> Op {
        Op(
            """
            \(name)(input: tensor|number, other: tensor|number) -> tensor
            Tells for each element whether \(what); the result is a bool tensor.
            Example: tensor{\(operands.0)}:\(name)(\(operands.1)) --> tensor([\(result.0 ? " true" : "false"), \(result.1 ? " true" : "false")])
            In place: tensor{\(operands.0)}:\(name)_(\(operands.1)) --> tensor([\(result.0 ? 1 : 0), \(result.1 ? 1 : 0)])
            Source: torch.\(name)
            """, inPlace: true, samples: ["!x:\(name)(y)", "!x:\(name)(row)"],
            .operands { try Comparison.compute(op, $0, $1) })
    }

    static let comparison: [Op] = [
        compare("eq", "both are equal", COMPARE_EQ, ("1, 2", "tensor{1, 3}"), (true, false)), compare("ne", "they differ", COMPARE_NE, ("1, 2", "tensor{1, 3}"), (false, true)),
        compare("lt", "`input` is less", COMPARE_LT, ("1, 2", "2"), (true, false)), compare("le", "`input` is less or equal", COMPARE_LE, ("1, 3", "2"), (true, false)),
        compare("gt", "`input` is greater", COMPARE_GT, ("1, 3", "2"), (false, true)), compare("ge", "`input` is greater or equal", COMPARE_GE, ("1, 2", "2"), (false, true)),
        compare("logical_and", "both are non-zero", COMPARE_AND, ("0, 2", "tensor{1, 1}"), (false, true)), compare("logical_or", "one is non-zero", COMPARE_OR, ("0, 2", "tensor{0, 1}"), (false, true)),
        compare("logical_xor", "exactly one is non-zero", COMPARE_XOR, ("0, 2", "tensor{1, 1}"), (true, false)),
        Op(
            """
            logical_not(input: tensor) -> tensor
            Tells for each element whether it is zero; the result is a bool tensor.
            Example: tensor{0, 1, 2}:logical_not() --> tensor([ true, false, false])
            In place: tensor{0, 1, 2}:logical_not_() --> tensor([1, 0, 0])
            Source: torch.logical_not
            """, inPlace: true, samples: ["!x:logical_not()"]
        ) {
            let x = try $0.tensor(0)
            return .tensor(try Comparison.compute(COMPARE_EQ, x, try Tensor.wrapped(.int(0), beside: x)))
        },
        Op(
            """
            isnan(input: tensor) -> tensor
            Tells for each element whether it is NaN.
            Example: tensor{1, 0/0}:isnan() --> tensor([false,  true])
            Source: torch.isnan
            """, samples: ["!x:isnan()"]
        ) {
            let x = try $0.tensor(0)
            return .tensor(try Comparison.compute(COMPARE_NE, x, x))
        },
        Op(
            """
            isinf(input: tensor) -> tensor
            Tells for each element whether it is infinite, of either sign.
            Example: tensor{1, 1/0}:isinf() --> tensor([false,  true])
            Source: torch.isinf
            """, samples: ["!x:isinf()"]
        ) {
            let x = try $0.tensor(0)
            guard x.dtype.isFloat else { return .tensor(try Tensor.zeros(x.shape, .bool)) }
            return .tensor(try x.detached().abs().equalTo(.infinity))
        },
        Op(
            """
            isfinite(input: tensor) -> tensor
            Tells for each element whether it is neither infinite nor NaN.
            Example: tensor{1, 1/0}:isfinite() --> tensor([ true, false])
            Source: torch.isfinite
            """, samples: ["!x:isfinite()"]
        ) {
            let x = try $0.tensor(0)
            guard x.dtype.isFloat else { return .tensor(try Tensor.ones(x.shape, .bool)) }
            let size = try x.detached().abs()
            return .tensor(try Comparison.compute(COMPARE_LT, size, try Tensor.wrapped(.double(.infinity), beside: size)))
        },
        Op(
            """
            equal(input: tensor, other: tensor) -> bool
            Tells whether both have the same shape and the same elements.
            Example: tensor{1, 2}:equal(tensor{1, 2}) --> true
            Source: torch.equal
            """, samples: ["!x:equal(y)"]
        ) { .scalar(.bool(try Tensor.equal(try $0.tensor(0), try $0.tensor(1)))) },
        Op(
            """
            allclose(input: tensor, other: tensor, rtol: number = 1e-05, atol: number = 1e-08, equal_nan: bool = false) -> bool
            Tells whether |input - other| <= atol + rtol * |other| for all elements.
            Example: tensor{1.0}:allclose(tensor{1.000001}) --> true
            Errors: different dtypes
            Source: torch.allclose
            """, samples: ["!x:allclose(y)"]
        ) {
            .scalar(
                .bool(
                    try Tensor.allclose(
                        try $0.tensor(0), try $0.tensor(1), rtol: try $0.double(2), atol: try $0.double(3),
                        equalNaN: try $0.bool(4))))
        },
        Op(
            """
            isclose(input: tensor, other: tensor, rtol: number = 1e-05, atol: number = 1e-08, equal_nan: bool = false) -> tensor
            Tells for each element whether |input - other| <= atol + rtol * |other|.
            Example: tensor{1.0, 2.0}:isclose(tensor{1.0, 2.1}) --> tensor([ true, false])
            Source: torch.isclose
            """, samples: ["!x:isclose(y)"]
        ) {
            .tensor(
                try Tensor.isclose(
                    try $0.tensor(0).detached(), try $0.tensor(1).detached(), rtol: try $0.double(2),
                    atol: try $0.double(3), equalNaN: try $0.bool(4)))
        },
        Op(
            """
            where(condition: tensor, input: tensor|number = nil, other: tensor|number = nil) -> tensor|list
            Takes from `input` where the bool `condition` is true, from `other` elsewhere; all broadcast. With the condition alone, the positions where it is true: a list of one vector for each dimension.
            Example: tensor.where(tensor{true, false}, 1, 0) --> tensor([1, 0])
            Source: torch.where
            """, form: .function, samples: ["tensor.where(x:gt(0), x, y)", "tensor.where(x:gt(0), x, 0)", "tensor.where(x:gt(0), row, col)"]
        ) {
            if $0.isNil(1), $0.isNil(2) {
                let c = try $0.tensor(0)
                return .list(try (c.rank == 0 ? c.detached().reshape(Shape(1)) : c).nonzeroColumns())
            }
            guard !$0.isNil(1), !$0.isNil(2) else { throw TensorError("where: expected both input and other, or neither") }
            let (a, b) = try $0.pair(1, 2)
            return .tensor(try Tensor.where(try $0.tensor(0), a, b))
        },
    ]
}
