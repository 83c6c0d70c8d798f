/// Tensors that share another's memory. Each records how a gradient goes back to what it is a view of.
extension Tensor {
    /// Finishes a view: remembers its base and records its history.
    private func asView(of source: Tensor, _ name: String, _ backward: @escaping Node.Backward) throws -> Tensor {
        isWrappedNumber = false
        guard dtype.isFloat, GradMode.isEnabled else { return self }
        viewBase = source.viewBase ?? source
        viewHistoryVersion = storage.historyVersion
        return source.requiresGrad ? try record(name, [source], backward) : self
    }

    func permutedWindow(_ order: [Int]) -> Tensor {
        var s = Shape(), t = Shape()
        for i in order {
            s.append(shape[i])
            t.append(strides[i])
        }
        return window(s, t, offset: offset)
    }

    /// Dimensions in another order: result dimension i is this one's `dims[i]`.
    public func permute(_ dims: [Int]) throws -> Tensor {
        guard dims.count == rank else {
            throw TensorError("permute: expected \(rank) dims for shape \(shape), got \(dims)")
        }
        let order = try dims.map { try shape.dim($0) }
        guard Set(order).count == rank else { throw TensorError("permute: a dim appears more than once in \(dims)") }
        var inverse = order
        for (i, d) in order.enumerated() { inverse[d] = i }
        let back = inverse
        return try permutedWindow(order).asView(of: self, "permute") { [try $0.first.permute(back)] }
    }

    public func transpose(_ a: Int, _ b: Int) throws -> Tensor {
        let (a, b) = (try shape.dim(a), try shape.dim(b))
        var s = shape, t = strides
        if rank > 0 {
            (s[a], s[b]) = (s[b], s[a])
            (t[a], t[b]) = (t[b], t[a])
        }
        return try window(s, t, offset: offset).asView(of: self, "transpose") { [try $0.first.transpose(a, b)] }
    }

    /// Elements start, start + step, ... before `end` along `dim`; bounds as in a Python slice.
    public func slice(_ dim: Int, _ start: Int?, _ end: Int?, _ step: Int = 1) throws -> Tensor {
        guard rank > 0 else { throw TensorError("slice: a 0-d tensor has no dimension to cut") }
        guard step > 0 else { throw TensorError("slice: step must be positive, got \(step)") }
        let d = try shape.dim(dim)
        let n = shape[d]
        func clamp(_ i: Int) -> Int { min(max(i < 0 ? (i < -n ? 0 : i + n) : i, 0), n) }
        let low = clamp(start ?? 0)
        let high = max(clamp(end ?? n), low)
        let length = high == low ? 0 : (high - low - 1) / step + 1
        var t = strides
        t[d] = strides[d] &* step
        let source = shape
        return try window(shape.replacing(d, with: length), t, offset: offset + low * strides[d])
            .asView(of: self, "slice") { g in
                let whole = try Tensor.zeros(source, try g.first.dtype)
                return [try whole.insertingSlice(try g.first, d, low, high, step)]
            }
    }

    /// A fresh zero tensor's slice set to `g`, recorded so that it can be differentiated again.
    private func insertingSlice(_ g: Tensor, _ dim: Int, _ low: Int, _ high: Int, _ step: Int) throws -> Tensor {
        try slice(dim, low, high, step).detachedView().copyElements(from: g)
        guard shouldRecord(g) else { return self }
        return try record("slice_backward", [g]) { [try $0.first.slice(dim, low, high, step)] }
    }

    private func detachedView() -> Tensor { window(shape, strides, offset: offset) }

    public func narrow(_ dim: Int, _ start: Int, _ length: Int) throws -> Tensor {
        let d = try shape.dim(dim)
        guard rank > 0 else { throw TensorError("narrow: a 0-d tensor has no dimension to cut") }
        let n = shape[d]
        let from = start < 0 ? start &+ n : start
        guard from >= 0, from <= n, length >= 0, length <= n - from else {
            throw TensorError("narrow: start \(start) and length \(length) do not fit dimension \(d) of size \(n)")
        }
        return try slice(d, from, from + length)
    }

    public func select(_ dim: Int, _ index: Int) throws -> Tensor {
        guard rank > 0 else { throw TensorError("select: a 0-d tensor cannot be indexed") }
        let d = try shape.dim(dim)
        let n = shape[d]
        guard index >= -n, index < n else {
            throw TensorError(
                n == 0
                    ? "index \(index) is out of range: dimension \(d) of shape \(shape) is empty"
                    : "index \(index) is out of range for dimension \(d) of shape \(shape); valid: 0..\(n - 1) or \(-n)..-1")
        }
        let i = index < 0 ? index + n : index
        let source = shape
        return try window(shape.dropping(d), strides.dropping(d), offset: offset + i * strides[d])
            .asView(of: self, "select") { g in
                let row = try g.first.unsqueeze(d)
                return [try Tensor.zeros(source, row.dtype).insertingSlice(row, d, i, i + 1, 1)]
            }
    }

    public func unsqueeze(_ dim: Int) throws -> Tensor {
        try shape.checkRoom()
        let n = rank + 1
        guard dim >= -n, dim < n else {
            throw TensorError("unsqueeze: dim \(dim) is out of range for shape \(shape); valid: 0..\(n - 1) or \(-n)..-1")
        }
        let d = dim < 0 ? dim + n : dim
        var s = shape, t = strides
        s.insert(1, at: d)
        t.insert(d < rank ? strides[d] &* shape[d] : 1, at: d)
        return try window(s, t, offset: offset).asView(of: self, "unsqueeze") { [try $0.first.squeeze([d])] }
    }

    /// Without the given dims of size 1 (all of size 1 when nil).
    public func squeeze(_ dims: [Int]? = nil) throws -> Tensor {
        let chosen = try dims?.map { try shape.dim($0) }
        var s = Shape(), t = Shape()
        for i in 0..<rank where !(shape[i] == 1 && (chosen?.contains(i) ?? true)) {
            s.append(shape[i])
            t.append(strides[i])
        }
        let source = shape
        return try window(s, t, offset: offset).asView(of: self, "squeeze") { [try $0.first.reshape(source)] }
    }

    /// Repeats dimensions of size 1 without copying; -1 keeps a size.
    public func expand(_ sizes: Shape) throws -> Tensor {
        guard sizes.rank >= rank else {
            throw TensorError("expand: \(sizes) has fewer dimensions than shape \(shape)")
        }
        let lead = sizes.rank - rank
        var target = sizes
        for i in 0..<sizes.rank {
            let own = i < lead ? 1 : shape[i - lead]
            if sizes[i] == -1, i >= lead { target[i] = own }
            guard target[i] == own || own == 1, target[i] >= 0 else {
                throw TensorError("expand: shape \(shape) does not expand to \(sizes): dimension \(i) is \(own), expected 1 or \(sizes[i])")
            }
        }
        _ = try target.checkedCount()
        if target == shape { return try window(shape, strides, offset: offset).asView(of: self, "expand") { [try $0.first] } }
        let source = shape
        var t = Shape(repeating: 0, rank: target.rank)
        for i in 0..<rank where !(shape[i] == 1 && target[lead + i] != 1) { t[lead + i] = strides[i] }
        return try window(target, t, offset: offset).asView(of: self, "expand") { [try $0.first.sum(to: source)] }
    }

    /// The sizes with -1 filled in.
    func resolve(_ sizes: Shape, _ name: String) throws -> Shape {
        var sizes = sizes
        var known = 1
        var open: Int?
        for i in 0..<sizes.rank {
            if sizes[i] == -1 {
                guard open == nil else { throw TensorError("\(name): only one size may be -1, got \(sizes)") }
                open = i
            } else {
                guard sizes[i] >= 0 else { throw TensorError("\(name): sizes must not be negative, got \(sizes)") }
                let (p, overflow) = known.multipliedReportingOverflow(by: sizes[i])
                guard !overflow else { throw TensorError("\(name): shape \(sizes) is too large") }
                known = p
            }
        }
        if let open {
            guard known > 0, count % known == 0 else {
                throw TensorError("\(name): shape \(shape) (\(count) elements) does not divide into \(sizes)")
            }
            sizes[open] = count / known
        } else if known != count {
            throw TensorError("\(name): shape \(shape) (\(count) elements) does not fit \(sizes) (\(known) elements)")
        }
        return sizes
    }

    /// Strides that show this tensor's elements in row-major order as `sizes` without a copy, if there are any.
    private func viewStrides(_ sizes: Shape) -> Shape? {
        if isContiguous { return sizes.contiguousStrides }
        if count == 0 { return sizes.contiguousStrides }
        var out = sizes.contiguousStrides
        var j = sizes.rank - 1
        var i = rank - 1
        while i >= 0 {
            // A run of own dimensions that behaves as one: [.., a, b] with stride(a) == b * stride(b).
            let step = strides[i]
            var n = shape[i]
            var k = i
            while k > 0, shape[k - 1] == 1 || strides[k - 1] == n &* step {
                k -= 1
                n *= shape[k]
            }
            var left = n
            var s = step
            while j >= 0, left > 1 || sizes[j] == 1 {
                guard left % max(sizes[j], 1) == 0 else { return nil }
                out[j] = s
                s *= sizes[j]
                left /= sizes[j]
                j -= 1
            }
            guard left == 1 else { return nil }
            i = k - 1
        }
        return out
    }

    /// The same elements under another shape: a view where strides allow, else a copy.
    public func reshape(_ sizes: Shape) throws -> Tensor {
        let target = try resolve(sizes, "reshape")
        guard let t = viewStrides(target) else { return try contiguous().reshape(target) }
        let source = shape
        return try window(target, t, offset: offset).asView(of: self, "reshape") { [try $0.first.reshape(source)] }
    }

    /// As `reshape`, but an error where a copy would be needed.
    public func view(_ sizes: Shape) throws -> Tensor {
        let target = try resolve(sizes, "view")
        guard let t = viewStrides(target) else {
            throw TensorError("view: shape \(shape) with strides \(strides) cannot be seen as \(target) without a copy; use reshape")
        }
        let source = shape
        return try window(target, t, offset: offset).asView(of: self, "view") { [try $0.first.reshape(source)] }
    }

    /// This tensor when it is packed, else a packed copy (recorded).
    public func contiguous() throws -> Tensor {
        if isContiguous { return self }
        let out = try copied()
        return shouldRecord(self) ? try out.record("contiguous", [self]) { [try $0.first] } : out
    }

    /// A packed copy (recorded).
    public func clone() throws -> Tensor {
        let out = try copied()
        return shouldRecord(self) ? try out.record("clone", [self]) { [try $0.first] } : out
    }

    /// Elements in another dtype (recorded between floating-point types); itself when nothing changes.
    public func to(_ dtype: DType) throws -> Tensor {
        if dtype == self.dtype { return self }
        let out = try converted(to: dtype)
        let own = self.dtype
        guard shouldRecord(self), dtype.isFloat else { return out }
        return try out.record("to", [self]) { [try $0.first.to(own)] }
    }

    /// The diagonal between two dimensions, as the last dimension of a view.
    public func diagonal(_ shift: Int, _ a: Int, _ b: Int) throws -> Tensor {
        let (a, b) = (try shape.dim(a), try shape.dim(b))
        guard rank >= 2, a != b else { throw TensorError("diagonal: needs two different dims, shape is \(shape)") }
        let rows = shape[a], columns = shape[b]
        // Shifts beyond the matrix give an empty diagonal.
        let up = min(max(shift, 0), columns), down = min(max(-max(shift, -Int.max), 0), rows)
        let n = max(min(rows - down, columns - up), 0)
        var s = Shape(), t = Shape()
        for i in 0..<rank where i != a && i != b {
            s.append(shape[i])
            t.append(strides[i])
        }
        s.append(n)
        t.append(strides[a] + strides[b])
        let start = n == 0 ? offset : offset + down * strides[a] + up * strides[b]
        let source = shape
        return try window(s, t, offset: start).asView(of: self, "diagonal") { g in
            let g = try g.first
            let whole = try Tensor.zeros(source, g.dtype)
            try GradMode.with(false) { try whole.diagonal(shift, a, b).copyElements(from: g) }
            return [shouldRecord(g) ? try whole.record("diagonal_backward", [g]) { [try $0.first.diagonal(shift, a, b)] } : whole]
        }
    }
}
