extension Op {
    /// A value that may be a number or a 0-d tensor, in the dtype of `x`.
    private static func value(_ args: any OpArguments, _ i: Int, for x: Tensor) throws -> Tensor {
        args.isTensor(i) ? try args.tensor(i) : try Tensor.full(Shape(), try args.scalar(i), x.dtype)
    }

    static let indexing: [Op] = [
        Op(
            """
            gather(input: tensor, dim: int, index: tensor) -> tensor
            Picks along `dim` the elements at the positions in `index`: out[i][j] = input[index[i][j]][j] for dim 0. The result has the shape of `index`.
            Example: tensor{{1, 2}, {3, 4}}:gather(1, tensor{{0, 0}, {1, 0}}) --> tensor([[1, 1],
                    [4, 3]])
            Errors: a position out of range, an index larger than the input in another dimension
            Source: torch.gather
            """,
            samples: [
                "x:gather(1, tensor{{0, 3}, {1, 1}, {2, 0}})", "x:gather(0, tensor{{0, 2, 1, 1}})",
                "t3:gather(-1, tensor{{{0, 3}, {1, 1}}})", "s:gather(0, tensor{0, 0})",
            ]
        ) { .tensor(try $0.tensor(0).gather(try $0.int(1), try $0.tensor(2))) },
        Op(
            """
            scatter(input: tensor, dim: int, index: tensor, src: tensor|number|bool, *, reduce: "add"|"multiply" = nil) -> tensor
            Gives a copy with the elements of `src` stored at the positions in `index` along `dim`; the reverse of gather.
            Example: tensor.zeros(2, 3):scatter(1, tensor{{2}, {0}}, 5) --> tensor([[0., 0., 5.],
                    [5., 0., 0.]])
            Errors: a position out of range, a source of another dtype, an index larger than input or source
            Source: torch.scatter
            """, inPlace: true,
            samples: [
                "x:scatter(1, tensor{{0, 3}, {1, 0}, {2, 0}}, y)", "x:scatter(0, tensor{{2, 0, 1, 1}}, 0.5)",
                "x:scatter(1, tensor{{0, 0}, {1, 0}, {2, 2}}, y, {reduce = \"add\"})",
            ]
        ) {
            let x = try $0.tensor(0), index = try $0.tensor(2)
            let source = $0.isTensor(3) ? try $0.tensor(3) : try Tensor.full(index.shape, try $0.scalar(3), x.dtype)
            return .tensor(try x.scatter(try $0.int(1), index, source, reduce: $0.isNil(4) ? nil : try $0.string(4)))
        },
        Op(
            """
            scatter_add(input: tensor, dim: int, index: tensor, src: tensor) -> tensor
            Gives a copy with the elements of `src` added at the positions in `index` along `dim`, in order.
            Example: tensor.zeros(3):scatter_add(0, tensor{0, 2, 2}, tensor{1.0, 2.0, 3.0}) --> tensor([1., 0., 5.])
            Errors: a position out of range, a source of another dtype, an index larger than input or source
            Source: torch.scatter_add
            """, inPlace: true,
            samples: ["x:scatter_add(1, tensor{{0, 0}, {1, 0}, {2, 2}}, y)", "x:scatter_add(0, tensor{{2, 0, 2, 1}, {2, 2, 2, 2}}, y)"]
        ) { .tensor(try $0.tensor(0).scatterAdd(try $0.int(1), try $0.tensor(2), try $0.tensor(3))) },
        Op(
            """
            index_select(input: tensor, dim: int, index: tensor) -> tensor
            Picks the slices along `dim` at the positions in the 1-d `index`. A copy.
            Example: tensor{10, 20, 30}:index_select(0, tensor{2, 0, 2}) --> tensor([30, 10, 30])
            Errors: a position out of range
            Source: torch.index_select
            """, samples: ["x:index_select(0, tensor{2, 0, 2})", "x:index_select(1, tensor{3})", "t3:index_select(1, tensor{1, 1, 0})"]
        ) { .tensor(try $0.tensor(0).indexSelect(try $0.int(1), try $0.tensor(2))) },
        Op(
            """
            index_add(input: tensor, dim: int, index: tensor, source: tensor, *, alpha: number = 1) -> tensor
            Gives a copy with the slices of `alpha * source` added at the positions in `index` along `dim`, in order.
            Example: tensor{0, 0, 0}:index_add(0, tensor{1, 1}, tensor{5, 6}) --> tensor([ 0, 11,  0])
            Errors: a position out of range, a source of another dtype or shape
            Source: torch.index_add
            """, inPlace: true,
            samples: ["x:index_add(0, tensor{2, 0, 2}, y)", "x:index_add(1, tensor{1, 1, 3, 0}, y, {alpha = 0.5})"]
        ) {
            .tensor(try $0.tensor(0).indexAdd(try $0.int(1), try $0.tensor(2), try $0.tensor(3), alpha: try $0.scalar(4)))
        },
        Op(
            """
            index_fill(input: tensor, dim: int, index: tensor, value: number|bool|tensor) -> tensor
            Gives a copy with the slices along `dim` at the positions in `index` set to a value.
            Example: tensor{1, 2, 3}:index_fill(0, tensor{0, 2}, 9) --> tensor([9, 2, 9])
            Errors: a position out of range
            Source: torch.Tensor.index_fill
            """, inPlace: true, samples: ["x:index_fill(0, tensor{2, 0}, 0.5)", "x:index_fill(1, tensor{-1}, s)"]
        ) {
            let x = try $0.tensor(0)
            return .tensor(try x.indexFill(try $0.int(1), try $0.tensor(2), try value($0, 3, for: x)))
        },
        Op(
            """
            masked_select(input: tensor, mask: tensor) -> tensor
            Gives the elements where the bool `mask` is true, as a vector; both broadcast.
            Example: tensor{1, 2, 3}:masked_select(tensor{true, false, true}) --> tensor([1, 3])
            Errors: a mask that is not bool
            Source: torch.masked_select
            """, samples: ["x:masked_select(x:gt(-5))", "x:masked_select(tensor{true, false, true, true})"]
        ) { .tensor(try $0.tensor(0).maskedSelect(try $0.tensor(1))) },
        Op(
            """
            masked_fill(input: tensor, mask: tensor, value: number|bool|tensor) -> tensor
            Gives a copy with `value` where the bool `mask` is true; mask and input broadcast.
            Example: tensor{1, 2, 3}:masked_fill(tensor{true, false, true}, 0) --> tensor([0, 2, 0])
            Errors: a mask that is not bool, a value with dimensions
            Source: torch.Tensor.masked_fill
            """, inPlace: true,
            samples: ["x:masked_fill(tensor{true, false, true, true}, 0.5)", "x:masked_fill(tensor{{true}, {false}, {true}}, s)"]
        ) {
            let x = try $0.tensor(0)
            return .tensor(try x.maskedFill(try $0.tensor(1), try value($0, 2, for: x)))
        },
        Op(
            """
            take(input: tensor, index: tensor) -> tensor
            Gives the elements of the flattened tensor at the positions in `index`, in the shape of `index`.
            Example: tensor{{1, 2}, {3, 4}}:take(tensor{0, -1}) --> tensor([1, 4])
            Errors: a position out of range
            Source: torch.take
            """, samples: ["x:take(tensor{{0, 11}, {-1, 4}})"]
        ) { .tensor(try $0.tensor(0).take(try $0.tensor(1))) },
        Op(
            """
            take_along_dim(input: tensor, indices: tensor, dim: int = nil) -> tensor
            As gather, with broadcasting and positions from the end; without `dim`, in the flattened tensors. Fits what argsort and argmax give.
            Example: tensor{3, 1, 2}:take_along_dim(tensor{3, 1, 2}:argsort(), 0) --> tensor([1, 2, 3])
            Errors: a position out of range, shapes that do not broadcast outside of `dim`
            Source: torch.take_along_dim
            """, samples: ["x:take_along_dim(tensor{{0, -1}}, 1)", "x:take_along_dim(tensor{1, 1, 7})"]
        ) { .tensor(try $0.tensor(0).takeAlongDim(try $0.tensor(1), try $0.optionalInt(2))) },
        Op(
            """
            tril(input: tensor, diagonal: int = 0) -> tensor
            Gives the lower triangle of matrices: what lies above the diagonal becomes 0; `diagonal` moves it up or down.
            Example: tensor.ones(2, 2):tril() --> tensor([[1., 0.],
                    [1., 1.]])
            Errors: fewer than 2 dimensions
            Source: torch.tril
            """, inPlace: true, samples: ["x:tril()", "x:tril(1)", "t3:tril(-1)"]
        ) { .tensor(try $0.tensor(0).triangle(try $0.int(1), upper: false)) },
        Op(
            """
            triu(input: tensor, diagonal: int = 0) -> tensor
            Gives the upper triangle of matrices: what lies below the diagonal becomes 0; `diagonal` moves it up or down.
            Example: tensor.ones(2, 2):triu() --> tensor([[1., 1.],
                    [0., 1.]])
            Errors: fewer than 2 dimensions
            Source: torch.triu
            """, inPlace: true, samples: ["x:triu()", "x:triu(1)", "t3:triu(-1)"]
        ) { .tensor(try $0.tensor(0).triangle(try $0.int(1), upper: true)) },
        Op(
            """
            diag(input: tensor, diagonal: int = 0) -> tensor
            Gives the matrix with a vector on its diagonal, or the diagonal of a matrix as a vector.
            Example: tensor.diag(tensor{1, 2}) --> tensor([[1, 0],
                    [0, 2]])
            Errors: neither a vector nor a matrix
            Source: torch.diag
            """, samples: ["v:diag()", "row:diag(-2)", "x:diag()", "x:diag(1)"]
        ) { .tensor(try $0.tensor(0).diag(try $0.int(1))) },
        Op(
            """
            diagonal(input: tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> tensor
            Gives the diagonal between two dimensions, as the last dimension of the result. A view.
            Example: tensor{{1, 2}, {3, 4}}:diagonal() --> tensor([1, 4])
            Source: torch.diagonal
            """, samples: ["x:diagonal()", "t3:diagonal(1, 0, 2)"]
        ) { .tensor(try $0.tensor(0).diagonal(try $0.int(1), try $0.int(2), try $0.int(3))) },
        Op(
            """
            nonzero(input: tensor, *, as_tuple: bool = false) -> tensor|list
            Gives the positions of the non-zero elements, a row each: int64 [count, ndim]; with as_tuple a list of one vector for each dimension, which works as an index.
            Example: tensor{0, 5, 7}:nonzero() --> tensor([[1],
                    [2]])
            Source: torch.nonzero
            """, samples: ["!x:nonzero()", "!x:nonzero({as_tuple = true})"]
        ) {
            let x = try $0.tensor(0)
            guard try $0.bool(1) else { return .tensor(try x.nonzero()) }
            let rows = try (x.rank == 0 ? x.detached().reshape(Shape(1)) : x).nonzero()
            return .list(try (0..<rows.shape[1]).map { try rows.select(1, $0).contiguous() })
        },
    ]
}
