import KernelABI

extension Tensor {
    /// Positions that put `dim` in order, equal elements as they came.
    public func argsort(_ dim: Int, descending: Bool) throws -> Tensor {
        let d = try shape.dim(dim)
        return try detached().positions(d, rank == 0 ? 1 : shape[d]) { keys, sorter in sorter.sort(keys, descending: descending) }
    }

    /// The values at `index` along `dim`, with history.
    private func valued(_ dim: Int, _ index: Tensor) throws -> [Tensor] { [try gather(dim, index), index] }

    public func sorted(_ dim: Int, descending: Bool) throws -> [Tensor] {
        try valued(dim, try argsort(dim, descending: descending))
    }

    public func topk(_ k: Int, _ dim: Int, largest: Bool) throws -> [Tensor] {
        let d = try shape.dim(dim)
        let n = rank == 0 ? 1 : shape[d]
        guard k >= 0, k <= n else { throw TensorError("topk: k is \(k), expected 0..\(n) for dimension \(d) of shape \(shape)") }
        let index = try detached().positions(d, k) { keys, sorter in sorter.sort(keys, descending: largest).prefix(k) }
        return try valued(d, index)
    }

    /// One position for each lane along `dim`; values and positions, without the dimension unless kept.
    private func single(
        _ name: String, _ dim: Int, keepdim: Bool, _ pick: (ArraySlice<UInt64>, inout Ordering.Sorter) -> Int
    ) throws -> [Tensor] {
        let d = try shape.dim(dim)
        guard rank == 0 || shape[d] > 0 else { throw TensorError("\(name): dimension \(d) of shape \(shape) is empty") }
        let index = try detached().positions(d, 1) { keys, sorter in [pick(keys, &sorter)] }
        let values = try gather(d, index)
        return keepdim || rank == 0 ? [values, index] : [try values.squeeze([d]), try index.squeeze([d])]
    }

    public func kthvalue(_ k: Int, _ dim: Int, keepdim: Bool) throws -> [Tensor] {
        let d = try shape.dim(dim)
        let n = rank == 0 ? 1 : shape[d]
        guard k >= 1, k <= n else { throw TensorError("kthvalue: k is \(k), expected 1..\(n) for dimension \(d) of shape \(shape)") }
        return try single("kthvalue", d, keepdim: keepdim) { keys, sorter in sorter.sort(keys, descending: false)[k - 1] }
    }

    /// The lower median along `dim`; NaN where there is one.
    public func median(_ dim: Int, keepdim: Bool) throws -> [Tensor] {
        guard dtype != .bool else { throw TensorError("median: not available for bool tensors") }
        let nan = Ordering.nanKey(dtype)
        return try single("median", dim, keepdim: keepdim) { keys, sorter in
            if let nan, let first = keys.firstIndex(of: nan) { return first - keys.startIndex }
            return sorter.sort(keys, descending: false)[(keys.count - 1) / 2]
        }
    }

    /// The lower median of all elements; equal ones share the gradient.
    public func median() throws -> Tensor {
        guard dtype != .bool else { throw TensorError("median: not available for bool tensors") }
        guard count > 0 else {
            guard dtype.isFloat else { throw TensorError("median: the tensor \(shape) is empty") }
            return try Tensor.full(Shape(), .double(.nan), dtype)
        }
        let flat = try detached().packed().reshape(Shape(count))
        let out = try flat.median(0, keepdim: false)[0]
        guard shouldRecord(self) else { return out }
        let (sx, so) = (SavedTensor(self, "median"), out.savedOutput("median"))
        return try out.record("median", [self]) { g in
            let (x, y) = (try sx.value().detached(), try so.value())
            let nan = y.element(0).double.isNaN
            let hit = try (nan ? Comparison.compute(COMPARE_NE, x, x) : Comparison.compute(COMPARE_EQ, x, y)).to(x.dtype)
            return [try g.first * (hit / hit.sum())]
        }
    }

    /// The most frequent value along `dim`, the smallest of several, and the last position where it stands.
    public func mode(_ dim: Int, keepdim: Bool) throws -> [Tensor] {
        let nan = Ordering.nanKey(dtype)
        return try single("mode", dim, keepdim: keepdim) { keys, sorter in
            let order = sorter.sort(keys, descending: false)
            let start = keys.startIndex
            var best = 0, bestCount = 0, i = 0
            while i < order.count {
                let key = keys[start + order[i]]
                var j = i + 1
                // NaN equals nothing, itself included.
                while j < order.count, key != nan, keys[start + order[j]] == key { j += 1 }
                if j - i > bestCount { (best, bestCount) = (order[j - 1], j - i) }
                i = j
            }
            if bestCount == 1, let nan, let first = keys.firstIndex(of: nan) { return first - start }
            return best
        }
    }

    /// Distinct values in ascending order; positions of the elements among them; how often each occurs.
    public func unique() throws -> (values: Tensor, inverse: Tensor, counts: Tensor) {
        let x = try detached().packed().reshape(Shape(count))
        let keys = try Ordering.keys(x)
        var sorter = try Ordering.Sorter(count)
        let order = sorter.sort(keys[...], descending: false)
        let nan = Ordering.nanKey(dtype)
        return try x.grouped(order, 0, inverseShape: shape) { keys[$0] == keys[$1] && keys[$0] != nan }
    }

    /// Distinct slices along `dim` in lexicographic order.
    public func unique(_ dim: Int) throws -> (values: Tensor, inverse: Tensor, counts: Tensor) {
        let d = try shape.dim(dim)
        guard rank > 0 else { return try unique() }
        let n = shape[d]
        let rest = (0..<rank).filter { $0 != d }
        let rows = try detached().permutedWindow([d] + rest).packed()
        let width = n == 0 ? 0 : count / n
        guard n == 0 || width > 0 else { throw TensorError("unique: the slices along dimension \(d) of shape \(shape) are empty") }
        let keys = try Ordering.keys(rows)
        func less(_ a: Int, _ b: Int) -> Bool {
            for j in 0..<width {
                let (p, q) = (keys[a * width + j], keys[b * width + j])
                if p != q { return p < q }
            }
            return a < b
        }
        let nan = Ordering.nanKey(dtype)
        try Allocator.shared.checkRoom(for: n, of: 2 * MemoryLayout<Int>.stride, "the order of \(n) slices")
        let order = (0..<n).sorted(by: less)
        return try detached().grouped(order[...], d, inverseShape: Shape(n)) { a, b in
            (0..<width).allSatisfy { keys[a * width + $0] == keys[b * width + $0] && keys[a * width + $0] != nan }
        }
    }

    /// Runs of equal neighbours in `order` become one slice each.
    private func grouped(
        _ order: ArraySlice<Int>, _ dim: Int, inverseShape: Shape, _ equal: (Int, Int) -> Bool
    ) throws -> (values: Tensor, inverse: Tensor, counts: Tensor) {
        // Two lists that grow; while one does it is there twice.
        try Allocator.shared.checkRoom(for: order.count, of: 6 * MemoryLayout<Int>.stride, "the groups of \(order.count) slices")
        var firsts: [Int] = [], counts: [Int] = []
        let inverse = try Tensor(emptyOf: inverseShape, .int64)
        let group = inverse.data(Int.self)
        var previous: Int?
        for i in order {
            if let last = previous, equal(last, i) { counts[counts.count - 1] += 1 } else {
                firsts.append(i)
                counts.append(1)
            }
            group[i] = firsts.count - 1
            previous = i
        }
        return (try selectRows(dim, firsts), inverse, try Tensor.from(counts, Shape(counts.count)))
    }

    /// How often each of 0, 1, 2, ... occurs, or the sum of the weights there.
    public func bincount(_ weights: Tensor?, _ minimum: Int) throws -> Tensor {
        guard dtype.isInteger else { throw TensorError("bincount: expected an integer tensor, got \(dtype.name)") }
        guard rank == 1 else { throw TensorError("bincount: expected a 1-d tensor, got shape \(shape)") }
        guard minimum >= 0 else { throw TensorError("bincount: minlength must not be negative, got \(minimum)") }
        let values = try integers()
        if let low = values.min(), low < 0 { throw TensorError("bincount: values must not be negative, got \(low)") }
        let (size, overflow) = (values.max() ?? -1).addingReportingOverflow(1)
        guard !overflow else { throw TensorError("bincount: the value \(Int.max) is too large") }
        let n = Swift.max(size, minimum)
        guard let weights else {
            let out = try Tensor.zeros(Shape(n), .int64)
            let bins = out.data(Int.self)
            for v in values { bins[v] += 1 }
            return out
        }
        guard weights.shape == shape else {
            throw TensorError("bincount: weights must have the input's shape \(shape), got \(weights.shape)")
        }
        let type = weights.dtype == .float32 ? DType.float32 : .float64
        let out = try Tensor.zeros(Shape(n), type)
        if count > 0 { Indexed.addRows(try weights.detached().converted(to: type).packed(), 1, n, 1, values, into: out) }
        return out
    }

    /// How many elements fall into each of `bins` equal intervals from `low` to `high`; both equal: the range of the elements.
    public func histogram(_ bins: Int, _ low: Double, _ high: Double) throws -> Tensor {
        guard dtype.isFloat else { throw TensorError("histc: expected a floating-point tensor, got \(dtype.name); convert it first (x:float())") }
        guard bins > 0 else { throw TensorError("histc: bins must be above 0, got \(bins)") }
        let values = try doubles()
        var (a, b) = (low, high)
        if a == b, !values.isEmpty {
            a = .infinity
            b = -.infinity
            for v in values { (a, b) = (v.isNaN ? .nan : Swift.min(a, v), v.isNaN ? .nan : Swift.max(b, v)) }
        }
        if a == b { (a, b) = (a - 1, b + 1) }
        guard a.isFinite, b.isFinite else { throw TensorError("histc: the range from \(a) to \(b) is not finite") }
        guard a < b else { throw TensorError("histc: max must be above min, got min \(a) and max \(b)") }
        let counts = try Tensor.zeros(Shape(bins), .int64)
        let bin = counts.data(Int.self)
        for v in values where v >= a && v <= b {
            bin[Swift.min(Int((v - a) * (Double(bins) / (b - a))), bins - 1)] += 1
        }
        return try counts.converted(to: dtype)
    }

    /// Where each element of `values` would go in this ordered sequence (rows of sequences, rows of values).
    public func searchsorted(_ values: Tensor, right: Bool, sorter: Tensor?, int32: Bool) throws -> Tensor {
        guard rank > 0 else { throw TensorError("searchsorted: expected a sequence with at least 1 dimension, got a 0-d tensor") }
        let n = shape[rank - 1]
        let batches = shape.dropping(rank - 1)
        guard rank == 1 || (values.rank == rank && values.shape.dropping(rank - 1) == batches) else {
            throw TensorError("searchsorted: the sequence must be 1-d or agree with the values except in the last dimension, got \(shape) and \(values.shape)")
        }
        var sequence = detached()
        if let sorter {
            guard sorter.shape == shape else { throw TensorError("searchsorted: sorter must have the sequence's shape \(shape), got \(sorter.shape)") }
            sequence = try sequence.gather(rank - 1, sorter, "searchsorted")
        }
        let dtype = Tensor.resultType(sequence, values)
        let keys = try Ordering.keys(sequence.converted(to: dtype).packed())
        let wanted = try Ordering.keys(values.detached().converted(to: dtype).packed())
        let out = try Tensor(emptyOf: values.shape, int32 ? .int32 : .int64)
        let rows = rank == 1 ? 1 : batches.count
        let width = rows == 0 ? 0 : wanted.count / rows
        for i in 0..<wanted.count {
            let start = rank == 1 ? 0 : i / width * n
            var low = 0, high = n
            while low < high {
                let middle = (low + high) / 2
                let key = keys[start + middle]
                if key < wanted[i] || (right && key == wanted[i]) { low = middle + 1 } else { high = middle }
            }
            out.setElement(i, .int(low))
        }
        return out
    }
}
