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

    func scatter(_ dim: Int, _ index: Tensor, _ source: Tensor, reduce: String?) throws -> Tensor {
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
        var found = 0
        for i in 0..<flags.count where bytes[i] != 0 { found += 1 }
        try Allocator.shared.checkRoom(for: found, "the positions of \(found) elements")
        var rows: [Int] = []
        rows.reserveCapacity(found)
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
