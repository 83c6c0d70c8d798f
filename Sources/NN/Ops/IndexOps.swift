extension Tensor {
    /// The leading part of this tensor that `index` covers in every dimension but `dim` (nil: in all).
    private func covered(by index: Shape, exceptDim dim: Int?, _ name: String, _ role: String) throws -> Tensor {
        guard rank == index.rank else {
            throw TensorError("\(name): index \(index) must have as many dimensions as \(role) \(shape)")
        }
        var t = self
        for d in 0..<rank where d != dim && shape[d] != index[d] {
            guard index[d] <= shape[d] else {
                throw TensorError("\(name): index \(index) is larger than \(role) \(shape) in dimension \(d)")
            }
            t = try t.slice(d, 0, index[d])
        }
        return t
    }

    /// A 0-d tensor takes part as one with a single element.
    private var lifted: Tensor { get throws { rank == 0 ? try reshape(Shape(1)) : self } }

    /// y[.., i, ..] = x[.., index[.., i, ..], ..]; the shape is that of `index`.
    public func gather(_ dim: Int, _ index: Tensor, _ name: String = "gather") throws -> Tensor {
        let d = try shape.dim(dim)
        if index.count == 0 {
            guard index.dtype.isInteger else { throw TensorError("\(name): expected an int64 index tensor, got \(index.dtype.name)") }
            let out = try Tensor(emptyOf: index.shape, dtype), source = shape
            return shouldRecord(self) ? try out.record("gather", [self]) { [try Tensor.zeros(source, try $0.first.dtype)] } : out
        }
        let place = try index.checkedPositions(name, d, of: shape, fromEnd: false)
        let source = try lifted.covered(by: place.lifted.shape, exceptDim: d, name, "the input")
        let lines = try place.lifted
        let out = try Tensor(emptyOf: index.shape, dtype)
        let (_, k, inner) = lines.shape.around(d)
        Indexed.gather(try source.packed(), source.shape[d], lines, k, inner, into: out)
        guard shouldRecord(source) else { return out }
        let shape = source.shape
        return try out.record("gather", [source]) { g in
            let g = try g.first
            return [try Tensor.zeros(shape, g.dtype).scatterAdd(d, lines, try g.lifted)]
        }
    }

    /// A copy with `source` stored (or combined) at the positions in `index` along `dim`.
    private func scattered(
        _ dim: Int, _ index: Tensor, _ source: Tensor, _ how: Indexed.Combination?, _ name: String
    ) throws -> Tensor {
        let d = try shape.dim(dim)
        guard source.dtype == dtype else {
            throw TensorError("\(name): expected a source of the input's dtype \(dtype.name), got \(source.dtype.name)")
        }
        let place = try index.checkedPositions(name, d, of: shape, fromEnd: false).lifted
        if place.count == 0 { return try clone() }
        let part = try source.lifted.covered(by: place.shape, exceptDim: nil, name, "the source")
        let out = try copied()
        let whole = out.rank == 0 ? out.window(Shape(1), Shape(1), offset: 0) : out
        let target = try whole.covered(by: place.shape, exceptDim: d, name, "the input")
        let area = try target.packed()
        let (_, k, inner) = place.shape.around(d)
        let values = try part.packed()
        if let how {
            Indexed.combine(how, values, k, place, area.shape[d], inner, into: area)
        } else {
            Indexed.scatter(values, k, place, area.shape[d], inner, into: area)
        }
        if area.storage !== out.storage { target.copyElements(from: area) }
        guard shouldRecord(self, part) else { return out }
        if how == .multiply { throw TensorError("\(name): reduce = \"multiply\" has no gradient; detach the tensors first") }
        return try out.record(name, [self, part]) { g in
            let g = try g.first
            let own = how == nil ? try g.scatter(d, place, try Tensor.zeros(place.shape, g.dtype)) : g
            return [own, try g.lifted.gather(d, place)]
        }
    }

    public func scatter(_ dim: Int, _ index: Tensor, _ source: Tensor) throws -> Tensor {
        try scattered(dim, index, source, nil, "scatter")
    }

    public func scatterAdd(_ dim: Int, _ index: Tensor, _ source: Tensor) throws -> Tensor {
        try scattered(dim, index, source, .add, "scatter_add")
    }

    fileprivate func scatter(_ dim: Int, _ index: Tensor, _ source: Tensor, reduce: String?) throws -> Tensor {
        try scattered(dim, index, source, reduce.map { $0 == "add" ? .add : .multiply }, "scatter")
    }

    /// The positions in a 1-d (or 0-d) index tensor, checked against dimension `dim`.
    private func rowPositions(_ name: String, _ dim: Int, _ index: Tensor, fromEnd: Bool = false) throws -> [Int] {
        guard index.rank <= 1 else { throw TensorError("\(name): expected a 1-d index, got shape \(index.shape)") }
        guard rank > 0 || index.count == 1 else {
            throw TensorError("\(name): a 0-d tensor takes an index of one element, got \(index.count)")
        }
        return try index.checkedPositions(name, dim, of: shape, fromEnd: fromEnd).integers()
    }

    /// Slices along `dim` at the positions in `index`.
    public func indexSelect(_ dim: Int, _ index: Tensor) throws -> Tensor {
        let d = try shape.dim(dim)
        return try selectRows(d, try rowPositions("index_select", d, index))
    }

    /// Slices along `dim` (checked) at `rows` (checked).
    func selectRows(_ dim: Int, _ rows: [Int]) throws -> Tensor {
        let out = try Tensor(emptyOf: shape.replacing(dim, with: rows.count), dtype)
        let (outer, n, inner) = shape.around(dim)
        if out.count > 0 { Indexed.takeRows(try packed(), outer, n, inner, rows, into: out) }
        guard shouldRecord(self) else { return out }
        let source = shape
        return try out.record("index_select", [self]) { g in
            let g = try g.first
            return [try Tensor.zeros(source, g.dtype).addingSlices(dim, rows, g)]
        }
    }

    /// A copy with the slices of `source` added at `rows` (checked) along `dim`.
    private func addingSlices(_ dim: Int, _ rows: [Int], _ source: Tensor) throws -> Tensor {
        let out = try copied()
        let (outer, n, inner) = shape.around(dim)
        if source.count > 0 { Indexed.addRows(try source.packed(), outer, n, inner, rows, into: out) }
        guard shouldRecord(self, source) else { return out }
        return try out.record("index_add", [self, source]) { g in
            let g = try g.first
            return [g, try g.selectRows(dim, rows)]
        }
    }

    public func indexAdd(_ dim: Int, _ index: Tensor, _ source: Tensor, alpha: Scalar) throws -> Tensor {
        let d = try shape.dim(dim)
        let rows = try rowPositions("index_add", d, index)
        guard source.dtype == dtype else {
            throw TensorError("index_add: expected a source of the input's dtype \(dtype.name), got \(source.dtype.name)")
        }
        guard dtype.isFloat || alpha.isInteger else {
            throw TensorError("index_add: alpha must be an integer for \(dtype.name) tensors, got \(alpha.double)")
        }
        let expected = rank == 0 ? source.shape : shape.replacing(d, with: rows.count)
        guard source.shape == expected, source.rank > 0 || rows.count == 1, rank > 0 || source.count == 1 else {
            throw TensorError("index_add: expected a source of shape \(expected) for \(rows.count) positions, got \(source.shape)")
        }
        return try addingSlices(d, rows, alpha == .int(1) ? source : try source.scaled(by: alpha))
    }

    public func indexFill(_ dim: Int, _ index: Tensor, _ value: Tensor) throws -> Tensor {
        let d = try shape.dim(dim)
        let rows = try rowPositions("index_fill", d, index, fromEnd: true)
        guard value.rank == 0 else { throw TensorError("index_fill: expected a number or a 0-d tensor, got shape \(value.shape)") }
        let n = rank == 0 ? 1 : shape[d]
        let mask = try Tensor.zeros(Shape(n), .bool)
        for r in rows { mask.setElement(r, .int(1)) }
        var line = Shape(repeating: 1, rank: rank)
        if rank > 0 { line[d] = n }
        return try maskedFill(try mask.reshape(line), value, "index_fill")
    }

    /// A copy with `value` (0-d) where the mask is true.
    public func maskedFill(_ mask: Tensor, _ value: Tensor, _ name: String = "masked_fill") throws -> Tensor {
        guard mask.dtype == .bool else { throw TensorError("\(name): expected a bool mask, got \(mask.dtype.name)") }
        guard value.rank == 0 else { throw TensorError("\(name): expected a number or a 0-d tensor as value, got shape \(value.shape)") }
        return try Tensor.where(mask, try value.to(dtype), self)
    }

    /// The elements where the mask is true, in row-major order.
    public func maskedSelect(_ mask: Tensor) throws -> Tensor {
        guard mask.dtype == .bool else { throw TensorError("masked_select: expected a bool mask, got \(mask.dtype.name)") }
        let common = try Shape.broadcast(shape, mask.shape)
        let flags = try mask.expandedCopy(to: common)
        let bytes = flags.data(UInt8.self)
        var rows: [Int] = []
        for i in 0..<flags.count where bytes[i] != 0 { rows.append(i) }
        return try expand(common).reshape(Shape(common.count)).selectRows(0, rows)
    }

    /// Elements of the flattened tensor; the shape is that of `index`.
    public func take(_ index: Tensor) throws -> Tensor {
        guard index.dtype.isInteger else { throw TensorError("take: expected an int64 index tensor, got \(index.dtype.name)") }
        let values = try index.integers()
        var rows = values
        for (i, v) in values.enumerated() {
            guard v >= -count, v < count else {
                throw TensorError(
                    count == 0
                        ? "take: the tensor \(shape) is empty"
                        : "take: index \(v) is out of range for the \(count) elements of shape \(shape); valid: 0..\(count - 1) or \(-count)..-1")
            }
            if v < 0 { rows[i] = v + count }
        }
        return try reshape(Shape(count)).selectRows(0, rows).reshape(index.shape)
    }

    public func takeAlongDim(_ index: Tensor, _ dim: Int?) throws -> Tensor {
        guard let dim else {
            return try reshape(Shape(count)).takeAlongDim(try index.reshape(Shape(index.count)), 0)
        }
        let d = try shape.dim(dim)
        guard index.rank == rank, rank > 0 else {
            throw TensorError("take_along_dim: indices \(index.shape) must have as many dimensions as the input \(shape), at least 1")
        }
        let common: Shape
        do { common = try Shape.broadcast(shape.replacing(d, with: 1), index.shape.replacing(d, with: 1)) } catch {
            throw TensorError("take_along_dim: indices \(index.shape) do not broadcast with the input \(shape) outside of dimension \(d)")
        }
        let place = try index.checkedPositions("take_along_dim", d, of: shape, fromEnd: true)
        return try expand(common.replacing(d, with: shape[d])).gather(d, try place.expand(common.replacing(d, with: index.shape[d])))
    }

    /// Matrices with what lies above (or below) a diagonal set to 0.
    public func triangle(_ diagonal: Int, upper: Bool) throws -> Tensor {
        let name = upper ? "triu" : "tril"
        guard rank >= 2 else { throw TensorError("\(name): expected at least 2 dimensions, got shape \(shape)") }
        let out = try copied()
        let (rows, columns) = (shape[rank - 2], shape[rank - 1])
        let shift = Swift.min(Swift.max(diagonal, -rows - 1), columns + 1)
        let size = dtype.size, matrices = count == 0 ? 0 : count / (rows * columns)
        for k in 0..<matrices {
            for i in 0..<rows {
                // Columns 0..<cut lie on or below the diagonal (tril), or below it (triu).
                let cut = Swift.min(Swift.max(i + shift + (upper ? 0 : 1), 0), columns)
                let start = ((k * rows + i) * columns + (upper ? 0 : cut)) * size
                let length = (upper ? cut : columns - cut) * size
                (out.pointer + start).initializeMemory(as: UInt8.self, repeating: 0, count: length)
            }
        }
        guard shouldRecord(self) else { return out }
        return try out.record(name, [self]) { [try $0.first.triangle(diagonal, upper: upper)] }
    }

    /// A matrix with this vector on a diagonal, or the diagonal of this matrix.
    public func diag(_ shift: Int) throws -> Tensor {
        switch rank {
        case 2: return try diagonal(shift, 0, 1).clone()
        case 1:
            let (n, overflow) = count.addingReportingOverflow(shift == .min ? .max : Swift.abs(shift))
            guard !overflow else { throw TensorError("diag: diagonal \(shift) is too far out") }
            let out = try Tensor.zeros(Shape(n, n), dtype)
            try out.diagonal(shift, 0, 1).detached().copyElements(from: self)
            guard shouldRecord(self) else { return out }
            return try out.record("diag", [self]) { [try $0.first.diagonal(shift, 0, 1)] }
        default: throw TensorError("diag: expected a vector or a matrix, got shape \(shape)")
        }
    }

    /// Positions of the non-zero elements, a row of `rank` numbers each: int64 [count, rank].
    public func nonzero() throws -> Tensor {
        let mask = try detached().converted(to: .bool).packed()
        let bytes = mask.data(UInt8.self)
        var total = 0
        for i in 0..<mask.count where bytes[i] != 0 { total += 1 }
        let out = try Tensor(emptyOf: Shape(total, rank), .int64)
        let positions = out.data(Int.self)
        var row = 0
        for i in 0..<mask.count where bytes[i] != 0 {
            var rest = i
            for d in stride(from: rank - 1, through: 0, by: -1) {
                positions[row * rank + d] = rest % shape[d]
                rest /= shape[d]
            }
            row += 1
        }
        return out
    }
}

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
