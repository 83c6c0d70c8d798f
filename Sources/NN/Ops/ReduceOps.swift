import KernelABI

extension Op {
    private static func logical(_ name: String, _ what: String, _ op: Int) -> Op {
        Op(
            """
            \(name)(input: tensor, dim: ints = nil, keepdim: bool = false) -> tensor
            Tells whether \(what) (over all dimensions when `dim` is not given).
            Example: tensor{{0, 0}, {1, 0}, {1, 1}}:\(name)(1) --> tensor([false, \(op == REDUCE_ANY ? " true" : "false"),  true])
            Source: torch.\(name)
            """, samples: ["!x:\(name)()", "!x:\(name)(1)"]
        ) {
            let x = try $0.tensor(0)
            let dims = try Reduction.dims(try $0.optionalInts(1), x.shape)
            let out = try Reduction.run(op, x, dims, keepdim: try $0.bool(2), .bool)
            // uint8 was PyTorch's first boolean, and stays itself.
            return .tensor(x.dtype == .uint8 ? try out.to(.uint8) : out)
        }
    }

    private static func extremum(_ name: String, _ word: String, largest: Bool) -> [Op] {
        [
            Op(
                """
                \(name)(input: tensor, dim: int|tensor = nil, keepdim: bool = false) -> tensor, tensor
                Gives the \(word) element; along `dim`, values and their int64 positions; with another tensor, the elementwise \(name)imum.
                Example: tensor{3, 1, 2}:\(name)() --> tensor(\(largest ? 3 : 1))
                Errors: an empty dimension
                Source: torch.\(name)
                """, samples: ["x:\(name)()", "(x:\(name)(1))", "(x:\(name)(0, true))", "x:\(name)(y)"]
            ) {
                let x = try $0.tensor(0)
                if $0.isTensor(1) {
                    let y = try $0.tensor(1)
                    return .tensor(largest ? try Tensor.maximum(x, y) : try Tensor.minimum(x, y))
                }
                if let dim = try $0.optionalInt(1) {
                    let (values, index) = try x.extreme(dim, keepdim: try $0.bool(2), largest: largest)
                    return .tensors([values, index])
                }
                return .tensor(try x.extremeValue(nil, keepdim: false, largest: largest, name))
            },
            Op(
                """
                a\(name)(input: tensor, dim: ints = nil, keepdim: bool = false) -> tensor
                Gives the \(word) element over `dim`; equal ones share the gradient.
                Example: tensor{{1, 5}, {3, 2}}:a\(name)(0) --> tensor([\(largest ? 3 : 1), \(largest ? 5 : 2)])
                Source: torch.a\(name)
                """, samples: ["x:a\(name)()", "x:a\(name)(1)", "t3:a\(name)({0, 2}, true)"]
            ) {
                .tensor(
                    try $0.tensor(0).extremeValue(
                        try $0.optionalInts(1), keepdim: try $0.bool(2), largest: largest, "a\(name)"))
            },
            Op(
                """
                arg\(name)(input: tensor, dim: int = nil, keepdim: bool = false) -> tensor
                Gives the int64 position of the \(word) element, the first of equals; without `dim`, in the flattened tensor.
                Example: tensor{3, 1, 2}:arg\(name)() --> tensor(\(largest ? 0 : 1))
                Errors: an empty dimension
                Source: torch.arg\(name)
                """, samples: ["!x:arg\(name)()", "!x:arg\(name)(1)"]
            ) { .tensor(try $0.tensor(0).argExtreme(try $0.optionalInt(1), keepdim: try $0.bool(2), largest: largest)) },
        ]
    }

    private static func spread(_ name: String, _ word: String, root: Bool) -> Op {
        Op(
            """
            \(name)(input: tensor, dim: ints|bool = nil, unbiased: bool = nil, keepdim: bool = false, *, correction: number = nil) -> tensor
            Gives the \(word) over `dim`, dividing by n - correction (1 unless told otherwise, 0 with unbiased = false).
            Example: tensor{1.0, 2.0, 3.0}:\(name)() --> tensor(1.)
            Source: torch.\(name)
            """, samples: ["x:\(name)()", "x:\(name)(1)", "t3:\(name)({0, 2}, {correction = 0})"]
        ) {
            // torch.std(x, false) gives `unbiased` in the place of `dim`.
            let short = $0.isBool(1)
            let biased = short ? !(try $0.bool(1)) : $0.isNil(2) ? false : !(try $0.bool(2))
            let correction = $0.isNil(4) ? (biased ? 0 : 1) : try $0.double(4)
            let v = try $0.tensor(0).variance(short ? nil : try $0.optionalInts(1), correction: correction, keepdim: try $0.bool(3))
            return .tensor(root ? try v.sqrt() : v)
        }
    }

    static let reduce: [Op] =
        [
            Op(
                """
                sum(input: tensor, dim: ints = nil, keepdim: bool = false, *, dtype: dtype = nil) -> tensor
                Adds up elements over `dim` (all when not given); integers and booleans give int64.
                Example: tensor{{1, 2}, {3, 4}}:sum(0) --> tensor([4, 6])
                Source: torch.sum
                """, samples: ["x:sum()", "x:sum(0)", "t3:sum({0, 2}, true)", "t3:sum(1)"], direct: .unary { try $0.sum() },
                short: .whole(REDUCE_SUM)
            ) {
                .tensor(try $0.tensor(0).sum(try $0.optionalInts(1), keepdim: try $0.bool(2), dtype: try $0.dtype(3)))
            },
            Op(
                """
                mean(input: tensor, dim: ints = nil, keepdim: bool = false, *, dtype: dtype = nil) -> tensor
                Averages elements over `dim` (all when not given).
                Example: tensor{1.0, 2.0, 6.0}:mean() --> tensor(3.)
                Errors: an integer tensor without dtype
                Source: torch.mean
                """, samples: ["x:mean()", "x:mean(1)", "t3:mean({0, 1})"]
            ) {
                .tensor(try $0.tensor(0).mean(try $0.optionalInts(1), keepdim: try $0.bool(2), dtype: try $0.dtype(3)))
            },
            Op(
                """
                prod(input: tensor, dim: int = nil, keepdim: bool = false, *, dtype: dtype = nil) -> tensor
                Multiplies elements along `dim` (all when not given); integers and booleans give int64.
                Example: tensor{2, 3, 4}:prod() --> tensor(24)
                Source: torch.prod
                """, samples: ["x:prod()", "x:prod(1)", "x:prod(0, true)"]
            ) {
                .tensor(try $0.tensor(0).prod(try $0.optionalInt(1), keepdim: try $0.bool(2), dtype: try $0.dtype(3)))
            },
            spread("var", "variance", root: false), spread("std", "standard deviation", root: true),
            logical("all", "all elements are non-zero", REDUCE_ALL), logical("any", "any element is non-zero", REDUCE_ANY),
            Op(
                """
                norm(input: tensor, p: number|string = 2, dim: ints = nil, keepdim: bool = false) -> tensor
                Gives the p-norm over `dim` (all when not given); p may be 0, inf, "fro" or "nuc" (of matrices).
                Example: tensor{3.0, 4.0}:norm() --> tensor(5.)
                Source: torch.norm
                """, samples: ["x:norm()", "x:norm(1)", "x:norm(2, 1)", "x:norm(\"nuc\")", "x:norm(3, 0)", "x:norm(1/0, 1)", "!x:norm(0)"]
            ) {
                let x = try $0.tensor(0)
                var p = 2.0
                if case .some(let text) = try? $0.string(1) {
                    guard text == "fro" || text == "nuc" else { throw TensorError("norm: p must be a number, \"fro\" or \"nuc\", got \"\(text)\"") }
                    if text == "nuc" { return .tensor(try x.nuclearNorm(try $0.optionalInts(2), keepdim: try $0.bool(3))) }
                } else {
                    p = try $0.double(1)
                }
                return .tensor(try x.norm(p, try $0.optionalInts(2), keepdim: try $0.bool(3)))
            },
            Op(
                """
                logsumexp(input: tensor, dim: ints, keepdim: bool = false) -> tensor
                Gives log(sum(exp(input))) over `dim`, without overflow.
                Example: tensor{0.0, 0.0}:logsumexp(0) --> tensor(0.6931)
                Source: torch.logsumexp
                """, samples: ["x:logsumexp(1)", "t3:logsumexp({0, 2})", "x:logsumexp(0, true)"]
            ) { .tensor(try $0.tensor(0).logsumexp(try $0.ints(1), keepdim: try $0.bool(2))) },
            Op(
                """
                count_nonzero(input: tensor, dim: ints = nil) -> tensor
                Counts the non-zero elements over `dim` (all when not given).
                Example: tensor{0, 1, 2}:count_nonzero() --> tensor(2)
                Source: torch.count_nonzero
                """, samples: ["!x:count_nonzero()", "!x:count_nonzero(0)"]
            ) {
                let x = try $0.tensor(0)
                return .tensor(
                    try Reduction.run(
                        REDUCE_COUNT_NONZERO, x, try Reduction.dims(try $0.optionalInts(1), x.shape), keepdim: false, .int64))
            },
            Op(
                """
                cumsum(input: tensor, dim: int, *, dtype: dtype = nil) -> tensor
                Gives running sums along `dim`; integers and booleans give int64.
                Example: tensor{1, 2, 3}:cumsum(0) --> tensor([1, 3, 6])
                Source: torch.cumsum
                """, inPlace: true, samples: ["x:cumsum(0)", "x:cumsum(1)", "t3:cumsum(-2)"]
            ) { .tensor(try $0.tensor(0).cumsum(try $0.int(1), dtype: try $0.dtype(2))) },
            Op(
                """
                cumprod(input: tensor, dim: int, *, dtype: dtype = nil) -> tensor
                Gives running products along `dim`; integers and booleans give int64.
                Example: tensor{1, 2, 3}:cumprod(0) --> tensor([1, 2, 6])
                Source: torch.cumprod
                """, inPlace: true, samples: ["pos:cumprod(0)", "x:cumprod(1)"]
            ) { .tensor(try $0.tensor(0).cumprod(try $0.int(1), dtype: try $0.dtype(2))) },
            Op(
                """
                softmax(input: tensor, dim: int, *, dtype: dtype = nil) -> tensor
                Gives e^x divided by its sum along `dim`.
                Example: tensor{0.0, 0.0}:softmax(0) --> tensor([0.5000, 0.5000])
                Source: torch.softmax
                """, samples: ["x:softmax(1)", "x:softmax(0)", "t3:softmax(1)"]
            ) {
                let x = try $0.tensor(0)
                return .tensor(try x.to(try $0.dtype(2) ?? x.dtype).softmax(try $0.int(1), log: false))
            },
            Op(
                """
                log_softmax(input: tensor, dim: int, *, dtype: dtype = nil) -> tensor
                Gives the logarithm of softmax along `dim`, computed without loss.
                Example: tensor{0.0, 0.0}:log_softmax(0) --> tensor([-0.6931, -0.6931])
                Source: torch.log_softmax
                """, samples: ["x:log_softmax(1)", "x:log_softmax(0)", "t3:log_softmax(-1)"]
            ) {
                let x = try $0.tensor(0)
                return .tensor(try x.to(try $0.dtype(2) ?? x.dtype).softmax(try $0.int(1), log: true))
            },
        ] + extremum("max", "largest", largest: true) + extremum("min", "smallest", largest: false)
}
