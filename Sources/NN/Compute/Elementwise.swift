import KernelABI

/// Runs the element-wise kernels over tensors: packing, promotion, broadcasting, sharing out.
/// Nothing here records history.
enum Elementwise {
    /// y = f(x) for a kernel of one input and up to two parameters, into `out` or a fresh tensor.
    static func unary(_ op: Int, _ x: Tensor, _ a: Double = 0, _ b: Double = 0, into out: Tensor? = nil) throws -> Tensor {
        guard let kernel = kernels.unary(Int32(op), x.dtype.code) else {
            throw TensorError("not available for \(x.dtype.name) tensors")
        }
        let x = try x.packed()
        let y = try out ?? Tensor(emptyLike: x, x.dtype)
        let n = x.count
        if n <= Parallel.elementGrain {
            kernel(n, x.pointer, y.pointer, a, b)
        } else {
            let from = SendablePointer(x.pointer), to = SendablePointer(y.pointer), size = x.dtype.size
            Parallel.ranges(count: n, grain: Parallel.elementGrain) { low, high in
                kernel(high - low, from.raw + low * size, to.raw + low * size, a, b)
            }
        }
        return y
    }

    /// z = f(x, y) for tensors of one dtype, with broadcasting; `resultType` is what the kernel writes.
    static func binary(
        _ kernel: @escaping kernel_binary, _ x: Tensor, _ y: Tensor, _ resultType: DType, into out: Tensor? = nil
    ) throws -> Tensor {
        if out == nil, x.isContiguous, y.isContiguous, x.shape == y.shape {
            let z = try Tensor(emptyLike: x, resultType)
            flat(kernel, z.count, x, 1, y, 1, z)
            return z
        }
        let shape = x.shape == y.shape ? x.shape : try Shape.broadcast(x.shape, y.shape)
        let z = try out ?? Tensor(emptyOf: shape, resultType)
        let n = z.count
        if n == 0 { return z }
        let xs = x.count == 1 ? 0 : 1, ys = y.count == 1 ? 0 : 1
        let xFits = xs == 0 || (x.shape == shape && x.isContiguous)
        let yFits = ys == 0 || (y.shape == shape && y.isContiguous)
        if xFits && yFits {
            flat(kernel, n, x, xs, y, ys, z)
            return z
        }
        try rows(kernel, shape, x, y, z)
        return z
    }

    private static func flat(_ kernel: @escaping kernel_binary, _ n: Int, _ x: Tensor, _ xs: Int, _ y: Tensor, _ ys: Int, _ z: Tensor) {
        if n <= Parallel.elementGrain {
            kernel(n, x.pointer, xs, y.pointer, ys, z.pointer)
            return
        }
        let px = SendablePointer(x.pointer), py = SendablePointer(y.pointer), pz = SendablePointer(z.pointer)
        let xb = xs * x.dtype.size, yb = ys * y.dtype.size, zb = z.dtype.size
        Parallel.ranges(count: n, grain: Parallel.elementGrain) { low, high in
            kernel(high - low, px.raw + low * xb, xs, py.raw + low * yb, ys, pz.raw + low * zb)
        }
    }

    /// The general case: one kernel call per innermost row, rows merged as far as strides allow.
    private static func rows(_ kernel: @escaping kernel_binary, _ shape: Shape, _ x: Tensor, _ y: Tensor, _ z: Tensor) throws {
        var plan = RowPlan(shape, x.broadcastStrides(to: shape), y.broadcastStrides(to: shape))
        var x = x, y = y
        // Rows that are short, or that no kernel stride fits, are not worth a call each.
        if !plan.isRowwise || plan.inner < 16 {
            if plan.xs > 1 || plan.xs < 0 || plan.inner < 16 { x = try x.expandedCopy(to: shape) }
            if plan.ys > 1 || plan.ys < 0 || plan.inner < 16 { y = try y.expandedCopy(to: shape) }
            plan = RowPlan(shape, x.broadcastStrides(to: shape), y.broadcastStrides(to: shape))
        }
        let inner = plan.inner, outer = plan.outer
        let px = SendablePointer(x.pointer), py = SendablePointer(y.pointer), pz = SendablePointer(z.pointer)
        let xb = x.dtype.size, yb = y.dtype.size, zb = z.dtype.size
        let final = plan
        Parallel.ranges(count: outer, grain: max(1, Parallel.elementGrain / max(inner, 1))) { low, high in
            var position = RowPlan.Position(final, low)
            for row in low..<high {
                kernel(
                    inner, px.raw + position.x * xb, final.xs, py.raw + position.y * yb, final.ys,
                    pz.raw + row * inner * zb)
                position.advance(final)
            }
        }
    }

    /// c ? x : y, all broadcast; x and y of one dtype.
    static func select(_ c: Tensor, _ x: Tensor, _ y: Tensor) throws -> Tensor {
        let shape = try Shape.broadcast(try Shape.broadcast(c.shape, x.shape), y.shape)
        let z = try Tensor(emptyOf: shape, x.dtype)
        func fit(_ t: Tensor) throws -> (Tensor, Int) {
            if t.count == 1 && shape.count != 0 { return (t, 0) }
            return (t.shape == shape ? try t.packed() : try t.expandedCopy(to: shape), 1)
        }
        let ((c, cs), (x, xs), (y, ys)) = (try fit(c), try fit(x), try fit(y))
        let pc = SendablePointer(c.pointer), px = SendablePointer(x.pointer), py = SendablePointer(y.pointer)
        let pz = SendablePointer(z.pointer), size = x.dtype.size
        Parallel.ranges(count: z.count, grain: Parallel.elementGrain) { low, high in
            kernels.where_(
                Int32(size), high - low, (pc.raw + low * cs).assumingMemoryBound(to: UInt8.self), cs,
                px.raw + low * xs * size, xs, py.raw + low * ys * size, ys, pz.raw + low * size)
        }
        return z
    }
}

/// How two broadcast operands are walked: `outer` rows of `inner` elements, with dimensions merged
/// where both operands' strides allow.
struct RowPlan {
    var sizes = Shape()
    var xStrides = Shape()
    var yStrides = Shape()
    let inner: Int
    let xs: Int
    let ys: Int

    init(_ shape: Shape, _ x: Shape, _ y: Shape) {
        var sizes = Shape(), xStrides = Shape(), yStrides = Shape()
        for i in 0..<shape.rank where shape[i] != 1 {
            let last = sizes.rank - 1
            if last >= 0, xStrides[last] == x[i] * shape[i], yStrides[last] == y[i] * shape[i] {
                sizes[last] *= shape[i]
                xStrides[last] = x[i]
                yStrides[last] = y[i]
            } else {
                sizes.append(shape[i])
                xStrides.append(x[i])
                yStrides.append(y[i])
            }
        }
        let last = sizes.rank - 1
        inner = last >= 0 ? sizes[last] : 1
        xs = last >= 0 ? xStrides[last] : 0
        ys = last >= 0 ? yStrides[last] : 0
        if last >= 0 {
            sizes.remove(at: last)
            xStrides.remove(at: last)
            yStrides.remove(at: last)
        }
        self.sizes = sizes
        self.xStrides = xStrides
        self.yStrides = yStrides
    }

    var outer: Int { sizes.count }
    var isRowwise: Bool { (xs == 0 || xs == 1) && (ys == 0 || ys == 1) }

    /// Where a row starts in both operands, in elements.
    struct Position {
        var x = 0
        var y = 0
        private var index: Shape

        init(_ plan: RowPlan, _ row: Int) {
            index = Shape(repeating: 0, rank: plan.sizes.rank)
            var rest = row
            var i = plan.sizes.rank - 1
            while i >= 0 {
                index[i] = rest % plan.sizes[i]
                rest /= plan.sizes[i]
                x += index[i] * plan.xStrides[i]
                y += index[i] * plan.yStrides[i]
                i -= 1
            }
        }

        mutating func advance(_ plan: RowPlan) {
            var i = plan.sizes.rank - 1
            while i >= 0 {
                index[i] += 1
                x += plan.xStrides[i]
                y += plan.yStrides[i]
                if index[i] < plan.sizes[i] { return }
                x -= plan.sizes[i] * plan.xStrides[i]
                y -= plan.sizes[i] * plan.yStrides[i]
                index[i] = 0
                i -= 1
            }
        }
    }
}

extension Tensor {
    /// Strides of this tensor seen as `shape`, which it broadcasts to.
    func broadcastStrides(to shape: Shape) -> Shape {
        var out = Shape(repeating: 0, rank: shape.rank)
        let lead = shape.rank - self.shape.rank
        for i in 0..<self.shape.rank where self.shape[i] != 1 || shape[lead + i] == 1 { out[lead + i] = strides[i] }
        return out
    }

    /// A packed copy broadcast to `shape`. No history.
    func expandedCopy(to shape: Shape) throws -> Tensor {
        let out = try Tensor(emptyOf: shape, dtype)
        out.copyElements(from: window(shape, broadcastStrides(to: shape), offset: offset))
        return out
    }
}
