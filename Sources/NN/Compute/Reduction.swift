import KernelABI

/// Runs the reducing kernels over chosen dimensions. Nothing here records history.
enum Reduction {
    /// The dims to reduce, sorted and checked; nil or empty means all of them.
    static func dims(_ dims: [Int]?, _ shape: Shape) throws -> [Int] {
        guard let dims, !dims.isEmpty else { return Array(0..<shape.rank) }
        let fixed = try dims.map { try shape.dim($0) }
        guard Set(fixed).count == fixed.count else { throw TensorError("dim appears more than once in \(dims)") }
        return shape.rank == 0 ? [] : fixed.sorted()
    }

    static func outputShape(_ shape: Shape, _ dims: [Int], keepdim: Bool) -> Shape {
        var out = Shape()
        for i in 0..<shape.rank {
            if !dims.contains(i) { out.append(shape[i]) } else if keepdim { out.append(1) }
        }
        return out
    }

    /// - Parameter dims: sorted and within the shape.
    static func run(_ op: Int, _ x: Tensor, _ dims: [Int], keepdim: Bool, _ resultType: DType) throws -> Tensor {
        guard let kernel = kernels.reduce(Int32(op), x.dtype.code) else {
            throw TensorError("not available for \(x.dtype.name) tensors")
        }
        let out = try Tensor(emptyOf: outputShape(x.shape, dims, keepdim: keepdim), resultType)
        let (source, outer, n, inner) = try layout(x, dims)
        if let (second, rows) = pieces(op, outer, n, inner), let join = kernels.reduce(Int32(second), resultType.code) {
            try inPieces(kernel, join, rows, outer, n, inner, source, out)
        } else {
            call(kernel, outer, n, inner, source, out)
        }
        return out
    }

    /// Elements of one piece of a long reduction.
    private static let pieceSize = 1 << 16

    /// How a reduction with little beside it is cut along n so that several threads share it: what joins the pieces'
    /// results, and the rows of a piece. Sizes alone decide.
    private static func pieces(_ op: Int, _ outer: Int, _ n: Int, _ inner: Int) -> (join: Int, rows: Int)? {
        guard outer < 16, n * inner >= 2 * pieceSize else { return nil }
        // Multiples of 64 rows: kernels sum so many of them one after the other.
        let rows = max(64, pieceSize / max(inner, 1) / 64 * 64)
        guard n >= 2 * rows else { return nil }
        switch op {
        case REDUCE_SUM, REDUCE_SUM_SQUARES, REDUCE_SUM_ABS, REDUCE_COUNT_NONZERO: return (REDUCE_SUM, rows)
        case REDUCE_PROD, REDUCE_MAX, REDUCE_MIN, REDUCE_ANY, REDUCE_ALL: return (op, rows)
        default: return nil
        }
    }

    private static func inPieces(
        _ kernel: @escaping kernel_reduce, _ join: kernel_reduce, _ rows: Int, _ outer: Int, _ n: Int, _ inner: Int, _ x: Tensor,
        _ y: Tensor
    ) throws {
        let count = (n + rows - 1) / rows
        let parts = try Tensor(emptyOf: Shape(outer, count, inner), y.dtype)
        let from = SendablePointer(x.pointer), to = SendablePointer(parts.pointer)
        let fromSize = x.dtype.size, toSize = y.dtype.size
        Parallel.ranges(count: outer * count, grain: 1) { low, high in
            for i in low..<high {
                let start = i % count * rows
                kernel(
                    1, min(rows, n - start), inner, from.raw + (i / count * n + start) * inner * fromSize,
                    to.raw + i * inner * toSize)
            }
        }
        join(outer, count, inner, parts.pointer, y.pointer)
    }

    /// Brings the reduced dimensions together: [outer, n, inner], packed.
    private static func layout(_ x: Tensor, _ dims: [Int]) throws -> (Tensor, Int, Int, Int) {
        guard let first = dims.first, let last = dims.last else { return (try x.packed(), x.count, 1, 1) }
        var source = x
        if last - first + 1 != dims.count {
            // Not neighbours: move them to the end.
            let order = (0..<x.shape.rank).filter { !dims.contains($0) } + dims
            source = x.permutedWindow(order)
            let n = dims.reduce(1) { $0 * x.shape[$1] }
            return (try source.packed(), n == 0 ? outerCount(x, dims) : x.count / n, n, 1)
        }
        var outer = 1, n = 1, inner = 1
        for i in 0..<x.shape.rank {
            if i < first { outer *= x.shape[i] } else if i <= last { n *= x.shape[i] } else { inner *= x.shape[i] }
        }
        return (try source.packed(), outer, n, inner)
    }

    private static func outerCount(_ x: Tensor, _ dims: [Int]) -> Int {
        (0..<x.shape.rank).filter { !dims.contains($0) }.reduce(1) { $0 * x.shape[$1] }
    }

    private static func call(_ kernel: @escaping kernel_reduce, _ outer: Int, _ n: Int, _ inner: Int, _ x: Tensor, _ y: Tensor) {
        guard outer > 0, inner > 0 else { return }
        let from = SendablePointer(x.pointer), to = SendablePointer(y.pointer)
        let fromSize = x.dtype.size, toSize = y.dtype.size
        Parallel.ranges(count: outer, grain: max(1, Parallel.elementGrain / max(n * inner, 1))) { low, high in
            kernel(high - low, n, inner, from.raw + low * n * inner * fromSize, to.raw + low * inner * toSize)
        }
    }

    /// Kernels that give a value for every element along `dim` (scans, softmax).
    static func scan(_ op: Int, _ x: Tensor, _ dim: Int) throws -> Tensor {
        guard let kernel = kernels.scan(Int32(op), x.dtype.code) else {
            throw TensorError("not available for \(x.dtype.name) tensors")
        }
        let x = try x.packed()
        let out = try Tensor(emptyOf: x.shape, x.dtype)
        let (outer, n, inner) = x.shape.around(dim)
        guard x.count > 0 else { return out }
        let from = SendablePointer(x.pointer), to = SendablePointer(out.pointer), bytes = n * inner * x.dtype.size
        Parallel.ranges(count: outer, grain: max(1, Parallel.elementGrain / max(n * inner, 1))) { low, high in
            kernel(high - low, n, inner, from.raw + low * bytes, to.raw + low * bytes)
        }
        return out
    }
}

extension Shape {
    /// Counts before, along and after a dimension.
    func around(_ dim: Int) -> (outer: Int, n: Int, inner: Int) {
        guard rank > 0 else { return (1, 1, 1) }
        var outer = 1, inner = 1
        for i in 0..<dim { outer *= self[i] }
        for i in (dim + 1)..<max(rank, dim + 1) { inner *= self[i] }
        return (outer, self[dim], inner)
    }
}
