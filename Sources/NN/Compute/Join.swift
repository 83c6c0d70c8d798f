extension Tensor {
    /// Tensors one after the other along `dim`; dtypes are promoted, 1-d empty ones are skipped.
    public static func cat(_ tensors: [Tensor], _ dim: Int) throws -> Tensor {
        guard let first = tensors.first else { throw TensorError("cat: expected a list of at least one tensor") }
        let parts = tensors.filter { !($0.rank == 1 && $0.count == 0) }
        guard let model = parts.first else { return try first.copied() }
        guard model.rank > 0 else { throw TensorError("cat: 0-d tensors cannot be joined; use stack") }
        let d = try model.shape.dim(dim)
        var dtype = model.dtype
        var total = 0
        for (i, t) in tensors.enumerated() where !(t.rank == 1 && t.count == 0) {
            dtype = DType.promote(dtype, t.dtype)
            guard t.rank == model.rank, t.shape.replacing(d, with: 0) == model.shape.replacing(d, with: 0) else {
                throw TensorError(
                    "cat: shapes must agree except in dimension \(d): tensor 0 is \(model.shape), tensor \(i) is \(t.shape)")
            }
            total += t.shape[d]
        }
        let out = try Tensor(emptyOf: model.shape.replacing(d, with: total), dtype)
        var at = 0
        for t in parts {
            let size = t.shape[d]
            out.window(t.shape, out.strides, offset: at * out.strides[d]).copyElements(from: try t.converted(to: dtype))
            at += size
        }
        guard shouldRecord(parts) else { return out }
        let sizes = parts.map { ($0.shape[d], $0.dtype) }
        return try out.record("cat", parts) { g in
            let g = try g.first
            var at = 0
            return try sizes.map { size, dtype in
                defer { at += size }
                return try g.slice(d, at, at + size).to(dtype)
            }
        }
    }

    /// Tensors of one shape along a new dimension.
    public static func stack(_ tensors: [Tensor], _ dim: Int) throws -> Tensor {
        guard let first = tensors.first else { throw TensorError("stack: expected a list of at least one tensor") }
        for (i, t) in tensors.enumerated() where t.shape != first.shape {
            throw TensorError("stack: all shapes must be equal: tensor 0 is \(first.shape), tensor \(i) is \(t.shape)")
        }
        let d = try first.shape.dim(dim, extra: 1)
        return try cat(try tensors.map { try $0.unsqueeze(d) }, d)
    }

    /// Elements in reverse order along `dims`.
    public func flip(_ dims: [Int]) throws -> Tensor {
        let list = try dims.map { try shape.dim($0) }
        guard Set(list).count == list.count else { throw TensorError("flip: a dim appears more than once in \(dims)") }
        var t = strides, start = offset
        for d in list where rank > 0 && count > 0 {
            start += (shape[d] - 1) * strides[d]
            t[d] = -strides[d]
        }
        let out = try Tensor(emptyOf: shape, dtype)
        out.copyElements(from: window(shape, t, offset: start))
        return shouldRecord(self) ? try out.record("flip", [self]) { [try $0.first.flip(list)] } : out
    }

    /// Surrounds with `value`: `sizes` are (before, after) pairs from the last dimension on.
    public func pad(_ sizes: [Int], _ value: Scalar) throws -> Tensor {
        guard sizes.count % 2 == 0, sizes.count / 2 <= rank else {
            throw TensorError("pad: expected pairs for at most \(rank) dimensions, got \(sizes)")
        }
        var whole = shape
        var inner = self
        var at = Shape(repeating: 0, rank: rank)
        for i in 0..<(sizes.count / 2) {
            let d = rank - 1 - i
            let (before, after) = (sizes[2 * i], sizes[2 * i + 1])
            let (size, o1) = shape[d].addingReportingOverflow(before)
            let (end, o2) = size.addingReportingOverflow(after)
            guard !o1, !o2, end >= 0 else {
                throw TensorError("pad: \(before) and \(after) leave nothing of dimension \(d) of shape \(shape)")
            }
            whole[d] = end
            at[d] = Swift.max(before, 0)
            inner = try inner.slice(d, Swift.max(-before, 0), shape[d] - Swift.max(-after, 0))
        }
        let out = try Tensor.full(whole, value, dtype)
        let (box, corner, pads) = (inner.shape, at, sizes)
        var start = 0
        for i in 0..<rank { start += corner[i] * out.strides[i] }
        if box.count > 0 { out.window(box, out.strides, offset: start).copyElements(from: inner) }
        guard shouldRecord(self) else { return out }
        return try out.record("pad", [self]) { [try $0.first.pad(pads.map { -$0 }, .int(0))] }
    }

    /// Surrounds with the tensor's own elements: `mode` is "reflect", "replicate" or "circular".
    func pad(_ sizes: [Int], _ mode: String) throws -> Tensor {
        guard sizes.count % 2 == 0, !sizes.isEmpty, rank == sizes.count / 2 + 1 || rank == sizes.count / 2 + 2 else {
            throw TensorError(
                "pad: mode \"\(mode)\" expects pairs for all dimensions but the first or the first two, got \(sizes) for shape \(shape)")
        }
        var out = self
        for i in 0..<(sizes.count / 2) {
            let d = rank - 1 - i, n = shape[d], (before, after) = (sizes[2 * i], sizes[2 * i + 1])
            let most = mode == "reflect" ? n - 1 : mode == "circular" ? n : Int.max
            guard n > 0, before <= most, after <= most, before > -n - 1, after > -n - 1, n + Swift.min(before, 0) + Swift.min(after, 0) > 0
            else {
                throw TensorError(
                    "pad: \(before) and \(after) do not fit dimension \(d) of shape \(shape) with mode \"\(mode)\""
                        + (most == Int.max ? "" : ": at most \(Swift.max(most, 0))"))
            }
            if before == 0, after == 0 { continue }
            let (front, o1) = n.addingReportingOverflow(before)
            let (size, o2) = front.addingReportingOverflow(after)
            guard !o1, !o2 else { throw TensorError("pad: \(before) and \(after) are more than memory can address") }
            _ = try out.shape.replacing(d, with: size).checkedCount()
            // Both ends come from the whole, also where a negative size cuts the other one off.
            var parts = [try out.slice(d, Swift.max(-before, 0), n - Swift.max(-after, 0))]
            if before > 0 { parts.insert(try out.edge(d, mode, before, first: true), at: 0) }
            if after > 0 { parts.append(try out.edge(d, mode, after, first: false)) }
            out = try Tensor.cat(parts, d)
        }
        return out === self ? try clone() : out
    }

    /// What `pad` puts before the first or behind the last element along `d`.
    private func edge(_ d: Int, _ mode: String, _ size: Int, first: Bool) throws -> Tensor {
        let n = shape[d]
        switch mode {
        case "reflect": return try (first ? slice(d, 1, size + 1) : slice(d, n - 1 - size, n - 1)).flip([d])
        case "circular": return try first ? slice(d, n - size, n) : slice(d, 0, size)
        default: return try (first ? slice(d, 0, 1) : slice(d, n - 1, n)).expand(shape.replacing(d, with: size))
        }
    }

    /// The whole repeated `counts` times along each dimension.
    public func tile(_ counts: Shape) throws -> Tensor {
        var t = self
        while t.rank < counts.rank { t = try t.unsqueeze(0) }
        let lead = t.rank - counts.rank
        for i in 0..<counts.rank where counts[i] != 1 {
            guard counts[i] >= 0 else { throw TensorError("tile: counts must not be negative, got \(counts)") }
            let d = lead + i
            let size = t.shape[d]
            _ = try t.shape.replacing(d, with: try checkedProduct(size, counts[i], "tile")).checkedCount()
            // [.., n, ..] -> [.., 1, n, ..] -> [.., k, n, ..] -> [.., k n, ..]
            let split = try t.unsqueeze(d)
            t = try split.expand(split.shape.replacing(d, with: counts[i])).reshape(t.shape.replacing(d, with: size * counts[i]))
        }
        return t === self ? try clone() : t
    }

    func checkedProduct(_ a: Int, _ b: Int, _ name: String) throws -> Int {
        let (p, overflow) = a.multipliedReportingOverflow(by: b)
        guard !overflow else { throw TensorError("\(name): size \(a) x \(b) is more than memory can address") }
        return p
    }

    /// Elements moved by `shifts` along `dims`, coming in again at the other end.
    public func roll(_ shifts: [Int], _ dims: [Int]?) throws -> Tensor {
        guard let dims, !dims.isEmpty else {
            guard shifts.count == 1 else { throw TensorError("roll: without dims expected one shift, got \(shifts)") }
            return try reshape(Shape(count)).roll(shifts, [0]).reshape(shape)
        }
        guard shifts.count == dims.count else { throw TensorError("roll: \(shifts.count) shifts for \(dims.count) dims") }
        var t = self
        for (shift, dim) in zip(shifts, dims) {
            let d = try shape.dim(dim)
            guard rank > 0, shape[d] > 0 else { continue }
            let n = shape[d]
            let k = ((shift % n) + n) % n
            if k == 0 { continue }
            t = try Tensor.cat([try t.slice(d, n - k, n), try t.slice(d, 0, n - k)], d)
        }
        return t === self ? try clone() : t
    }
}
