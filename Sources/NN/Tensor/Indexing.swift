/// One part of an index expression, as in Python's `x[1, 2:5, None, ..., mask]`.
public enum IndexPart {
    case select(Int)
    case range(start: Int?, stop: Int?, step: Int)
    case newAxis
    case ellipsis
    /// An integer tensor (positions) or a bool tensor (mask).
    case tensor(Tensor)

    /// Parses Python's slice notation: "1:3, :, -1", "...", "None".
    public static func parse(_ text: String) throws -> [IndexPart] {
        try text.split(separator: ",", omittingEmptySubsequences: false).map { piece in
            let part = piece.trimmed
            switch part {
            case "...": return .ellipsis
            case "None", "nil": return .newAxis
            default: break
            }
            let fields = part.split(separator: ":", omittingEmptySubsequences: false).map(\.trimmed)
            func number(_ s: Substring) throws -> Int? {
                if s.isEmpty { return nil }
                guard let n = Int(s) else {
                    throw TensorError("index \"\(text)\": expected an integer, a slice, ... or None, got '\(s)'")
                }
                return n
            }
            guard fields.count <= 3 else { throw TensorError("index \"\(text)\": '\(part)' has more than two colons") }
            if fields.count == 1 {
                guard let n = try number(fields[0]) else { throw TensorError("index \"\(text)\" has an empty part") }
                return .select(n)
            }
            return .range(
                start: try number(fields[0]), stop: try number(fields[1]), step: fields.count == 3 ? try number(fields[2]) ?? 1 : 1)
        }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var s = self
        while s.first == " " { s.removeFirst() }
        while s.last == " " { s.removeLast() }
        return s
    }
}

extension Tensor {
    /// What an index expression picks: a view where no tensor index is involved, else a copy.
    public subscript(_ parts: [IndexPart]) -> Tensor {
        get throws {
            let (view, tensors) = try basicIndex(parts)
            if !tensors.isEmpty { return try view.gather(tensors) }
            // `x["..."]` is another tensor on the same memory, with x before it in the history.
            return view === self ? try expand(shape) : view
        }
    }

    /// Sets what an index expression picks; `value` broadcasts.
    public func setIndex(_ parts: [IndexPart], _ value: Tensor) throws {
        let (view, tensors) = try basicIndex(parts)
        if tensors.isEmpty {
            var value = value
            // As in NumPy, leading dimensions of size 1 may be left over.
            while value.rank > view.rank, value.shape[0] == 1 { value = try value.squeeze([0]) }
            if view === self { return try assign(value, "index assignment") }
            return try view.assign(value, "index assignment")
        }
        try view.put(tensors, value)
    }

    /// Applies everything but tensors; these are returned by the dimension of the view that they index.
    private func basicIndex(_ parts: [IndexPart]) throws -> (Tensor, [(dim: Int, index: Tensor)]) {
        var used = 0, dots = 0
        for part in parts {
            switch part {
            case .select, .range: used += 1
            case .tensor(let t): used += t.dtype == .bool ? Swift.max(t.rank, 0) : 1
            case .ellipsis: dots += 1
            case .newAxis: break
            }
        }
        guard dots <= 1 else { throw TensorError("index: '...' may appear only once") }
        guard used <= rank else { throw TensorError("index: \(used) indices for a tensor of \(rank) dimensions, shape \(shape)") }
        var view = self, dim = 0
        var tensors: [(dim: Int, index: Tensor)] = []
        for part in parts {
            switch part {
            case .select(let i):
                view = try view.select(dim, i)
            case .range(let start, let stop, let step):
                if !(start == nil && stop == nil && step == 1) { view = try view.slice(dim, start, stop, step) }
                dim += 1
            case .newAxis:
                view = try view.unsqueeze(dim)
                dim += 1
            case .ellipsis:
                dim += rank - used
            case .tensor(let t):
                if t.dtype == .bool {
                    for (k, column) in try t.nonzeroColumns(matching: view.shape, at: dim).enumerated() {
                        tensors.append((dim + k, column))
                    }
                    if t.rank == 0 {
                        view = try view.unsqueeze(dim)
                        tensors.append((dim, try Tensor.from(t.element(0).double != 0 ? [0] : [], Shape(t.element(0).double != 0 ? 1 : 0))))
                        dim += 1
                    }
                    dim += t.rank
                } else {
                    guard t.dtype.isInteger else {
                        throw TensorError("index: expected an integer or bool tensor, got \(t.dtype.name)")
                    }
                    tensors.append((dim, try t.converted(to: .int64)))
                    dim += 1
                }
            }
        }
        return (view, tensors)
    }

    /// Positions of the non-zero elements, one int64 tensor per dimension.
    public func nonzeroColumns(matching shape: Shape? = nil, at dim: Int = 0) throws -> [Tensor] {
        if let shape {
            for i in 0..<rank {
                let expected = dim + i < shape.rank ? shape[dim + i] : -1
                guard self.shape[i] == expected else {
                    throw TensorError("index: a mask of shape \(self.shape) does not fit the indexed shape \(shape) at dimension \(dim + i)")
                }
            }
        }
        let mask = try converted(to: .bool).packed()
        let bytes = mask.data(UInt8.self)
        var found = 0
        for i in 0..<mask.count where bytes[i] != 0 { found += 1 }
        // Arrays that grow are there twice.
        try Allocator.shared.checkRoom(for: found, of: 2 * rank * MemoryLayout<Int>.stride, "the positions of \(found) elements")
        var columns = [[Int]](repeating: [], count: rank)
        for i in 0..<mask.count where bytes[i] != 0 {
            var rest = i
            for d in stride(from: rank - 1, through: 0, by: -1) {
                columns[d].append(rest % self.shape[d])
                rest /= self.shape[d]
            }
        }
        return try columns.map { try Tensor.from($0, Shape($0.count)) }
    }

    /// A plan for advanced indexing: the indexed dimensions become one flat list of positions.
    private struct GatherPlan {
        /// The tensor with its indexed dimensions moved to the front, and the rest's shape.
        let order: [Int]
        let indexShape: Shape
        /// Where the index dimensions stand in the result.
        let position: Int
        let rows: [Int]
        let indexedCount: Int
    }

    private func gatherPlan(_ tensors: [(dim: Int, index: Tensor)]) throws -> GatherPlan {
        var indexShape = Shape()
        for (_, t) in tensors {
            do { indexShape = try Shape.broadcast(indexShape, t.shape) } catch {
                throw TensorError("index: shapes of index tensors do not broadcast: \(tensors.map { $0.index.shape.description }.joined(separator: ", "))")
            }
        }
        let dims = tensors.map(\.dim)
        let n = try indexShape.checkedCount()
        try Allocator.shared.checkRoom(for: n, of: 3 * MemoryLayout<Int>.stride, "\(n) positions")
        var rows = [Int](repeating: 0, count: n)
        for (dim, t) in tensors {
            let size = shape[dim]
            let values = try t.expandedCopy(to: indexShape).integers()
            for (i, v) in values.enumerated() {
                guard v >= -size, v < size else {
                    throw TensorError(
                        size == 0
                            ? "index \(v) is out of range: dimension \(dim) of shape \(shape) is empty"
                            : "index \(v) is out of range for dimension \(dim) of shape \(shape); valid: 0..\(size - 1) or \(-size)..-1")
                }
                rows[i] = rows[i] * size + (v < 0 ? v + size : v)
            }
        }
        let rest = (0..<rank).filter { !dims.contains($0) }
        // Neighbouring indices leave their result in place, others put it first, as in NumPy.
        let adjacent = zip(dims, dims.dropFirst()).allSatisfy { $1 == $0 + 1 }
        return GatherPlan(
            order: dims + rest, indexShape: indexShape, position: adjacent ? dims[0] : 0, rows: rows,
            indexedCount: dims.reduce(1) { $0 * shape[$1] })
    }

    private func gather(_ tensors: [(dim: Int, index: Tensor)]) throws -> Tensor {
        let plan = try gatherPlan(tensors)
        let k = tensors.count
        let front = try permute(plan.order)
        var restShape = Shape()
        for i in k..<rank { restShape.append(front.shape[i]) }
        try restShape.checkRoom(for: plan.indexShape.rank)
        let flat = try front.reshape(try Shape([plan.indexedCount, restShape.count]))
        let picked = try flat.rowsAt(plan.rows)
        let shaped = try picked.reshape(try Shape(plan.indexShape.array + restShape.array))
        // Move the index dimensions to where they belong.
        let m = plan.indexShape.rank
        let order = Array(m..<(m + plan.position)) + Array(0..<m) + Array((m + plan.position)..<(m + restShape.rank))
        return order == Array(0..<order.count) ? shaped : try shaped.permute(order).contiguous()
    }

    /// Rows of a matrix by position (checked). Gradients of repeated rows add up.
    func rowsAt(_ rows: [Int]) throws -> Tensor {
        let width = shape[1]
        let x = try packed()
        let out = try Tensor(emptyOf: Shape(rows.count, width), dtype)
        let bytes = width * dtype.size
        let (from, to) = (x.pointer, out.pointer)
        for (i, r) in rows.enumerated() { (to + i * bytes).copyMemory(from: from + r * bytes, byteCount: bytes) }
        guard shouldRecord(self) else { return out }
        let source = shape
        return try out.record("index", [self]) { g in
            let g = try g.first
            let back = try Tensor.zeros(source, g.dtype).addingRows(rows, g)
            return [back]
        }
    }

    /// A fresh tensor with `g`'s rows added at `rows`, in order. Recorded.
    func addingRows(_ rows: [Int], _ g: Tensor) throws -> Tensor {
        let g0 = try g.packed()
        let width = shape[1]
        switch dtype {
        case .float32: Tensor.addRows(data(Float.self), g0.data(Float.self), rows, width)
        case .float64: Tensor.addRows(data(Double.self), g0.data(Double.self), rows, width)
        default: throw TensorError("index: gradients need floating-point tensors")
        }
        return shouldRecord(g) ? try record("index_backward", [g]) { [try $0.first.rowsAt(rows)] } : self
    }

    private static func addRows<T: FloatingPoint>(_ to: UnsafeMutablePointer<T>, _ g: UnsafeMutablePointer<T>, _ rows: [Int], _ width: Int) {
        for (i, r) in rows.enumerated() {
            let a = to + r * width, b = g + i * width
            for j in 0..<width { a[j] += b[j] }
        }
    }

    private func put(_ tensors: [(dim: Int, index: Tensor)], _ value: Tensor) throws {
        let plan = try gatherPlan(tensors)
        let k = tensors.count
        var restShape = Shape()
        for i in plan.order.dropFirst(k) { restShape.append(shape[i]) }
        // The value's shape is that of what reading would give.
        let m = plan.indexShape.rank
        try restShape.checkRoom(for: m)
        let rest = restShape.array
        let target = try Shape(Array(rest[..<plan.position]) + plan.indexShape.array + Array(rest[plan.position...]))
        var value = value
        while value.rank > target.rank, value.shape[0] == 1 { value = try value.squeeze([0]) }
        guard let common = try? Shape.broadcast(target, value.shape), common == target else {
            throw TensorError("index assignment: a value of shape \(value.shape) does not fit the indexed shape \(target)")
        }
        let toFront = Array(plan.position..<(plan.position + m)) + Array(0..<plan.position) + Array((plan.position + m)..<target.rank)
        let rows = try value.to(dtype).expand(target).permute(toFront).reshape(try Shape([plan.rows.count, restShape.count]))
        // Out of place, then assigned: history comes out right however base and value are related.
        let front = try permute(plan.order)
        let flat = try front.reshape(try Shape([plan.indexedCount, restShape.count]))
        let replaced = try flat.replacingRows(plan.rows, rows).reshape(front.shape)
        var inverse = plan.order
        for (i, d) in plan.order.enumerated() { inverse[d] = i }
        try assign(try replaced.permute(inverse), "index assignment")
    }

    private func replacingRows(_ rows: [Int], _ values: Tensor) throws -> Tensor {
        let out = try copied()
        let bytes = shape[1] * dtype.size
        let v = try values.packed()
        for (i, r) in rows.enumerated() { (out.pointer + r * bytes).copyMemory(from: v.pointer + i * bytes, byteCount: bytes) }
        guard shouldRecord(self, values) else { return out }
        let (whole, part) = (shape, values.shape)
        return try out.record("index_put", self, values) { g in
            // The last write to a row wins, so only that one gets its gradient.
            var last: [Int: Int] = [:]
            for (i, r) in rows.enumerated() { last[r] = i }
            func kept(_ g: Tensor) throws -> Tensor {
                let base = try g.copied()
                for r in last.keys { base.window(Shape(whole[1]), Shape(1), offset: r * whole[1]).fillElements(.int(0)) }
                return base
            }
            /// Copies rows of packed `g` between their places in the whole and among the values.
            func moved(_ g: Tensor, toValues: Bool) throws -> Tensor {
                let out = try Tensor.zeros(toValues ? part : whole, g.dtype), g = try g.packed()
                for (r, i) in last {
                    let (from, to) = toValues ? (r, i) : (i, r)
                    (out.pointer + to * bytes).copyMemory(from: g.pointer + from * bytes, byteCount: bytes)
                }
                return out
            }
            let g = try g.first
            return [
                try g.linearMap("index_put", kept, adjoint: kept),
                try g.linearMap("index_put") { try moved($0, toValues: true) } adjoint: { try moved($0, toValues: false) },
            ]
        }
    }
}
