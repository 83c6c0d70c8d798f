/// Pooling over one dimension, and pooling to a size asked for.
extension Tensor {
    /// x [N, C, L] or [C, L]; the largest element of each window and its position.
    public static func maxPool1d(
        _ x: Tensor, kernel: [Int], stride: [Int]?, padding: [Int], dilation: [Int], ceil: Bool
    ) throws -> (Tensor, Tensor) {
        guard x.rank == 2 || x.rank == 3 else { throw TensorError("max_pool1d: expected input [N, C, L] or [C, L], got \(x.shape)") }
        func one(_ values: [Int], _ what: String) throws -> Int {
            guard values.count == 1 else { throw TensorError("max_pool1d: \(what) must be one integer, got \(values)") }
            return values[0]
        }
        let k = try one(kernel, "kernel_size"), s = try stride.map { try one($0, "stride") } ?? k
        let (y, index) = try maxPool2d(
            try x.unsqueeze(-2), kernel: [1, k], stride: [1, s], padding: [0, try one(padding, "padding")],
            dilation: [1, try one(dilation, "dilation")], ceil: ceil)
        return (try y.squeeze([-2]), try index.squeeze([-2]))
    }

    /// First and last element (exclusive) of each of `out` windows that cover n elements.
    static func adaptiveWindows(_ n: Int, _ out: Int) -> [(low: Int, high: Int)] {
        (0..<out).map { ($0 * n / out, (($0 + 1) * n + out - 1) / out) }
    }

    private static func adaptiveShape(_ name: String, _ x: Tensor, _ size: [Int]) throws -> Shape {
        guard x.rank == 3 || x.rank == 4, x.dtype.isFloat else {
            throw TensorError("\(name): expected a floating-point input [N, C, H, W] or [C, H, W], got \(x.dtype.name) \(x.shape)")
        }
        guard x.shape[x.rank - 1] > 0, x.shape[x.rank - 2] > 0 else {
            throw TensorError("\(name): expected a picture with at least one element, got \(x.shape)")
        }
        let (oh, ow) = try pair(size, name, "output_size", min: 0)
        var shape = x.shape
        shape[x.rank - 2] = oh
        shape[x.rank - 1] = ow
        _ = try shape.checkedCount()
        for n in [oh, ow] { try Allocator.shared.checkRoom(for: n, of: 16, "\(n) windows") }
        return shape
    }

    public static func adaptiveAvgPool2d(_ x: Tensor, _ size: [Int]) throws -> Tensor {
        let name = "adaptive_avg_pool2d"
        let shape = try adaptiveShape(name, x, size)
        let (h, w, oh, ow) = (x.shape[x.rank - 2], x.shape[x.rank - 1], shape[x.rank - 2], shape[x.rank - 1])
        // One average over everything, and windows of one size, have fast ways.
        if oh == 1, ow == 1 { return try x.mean([-2, -1], keepdim: true) }
        if oh > 0, ow > 0, h % oh == 0, w % ow == 0 {
            return try avgPool2d(x, kernel: [h / oh, w / ow], stride: nil, padding: [0], ceil: false, countIncludePad: true)
        }
        let rows = adaptiveWindows(h, oh), columns = adaptiveWindows(w, ow), full = x.shape
        return try x.linearMap(name) { x in
            let out = try Tensor(emptyOf: shape, x.dtype), source = try x.packed()
            if x.dtype == .float32 { average(Float.self, source, out, rows, columns) } else { average(Double.self, source, out, rows, columns) }
            return out
        } adjoint: { g in
            let total = try Tensor.zeros(full, g.dtype), g = try g.packed()
            if g.dtype == .float32 { spread(Float.self, g, total, rows, columns) } else { spread(Double.self, g, total, rows, columns) }
            return total
        }
    }

    private typealias Windows = [(low: Int, high: Int)]

    private static func planes(_ x: Tensor) -> (count: Int, h: Int, w: Int) {
        let (h, w) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
        return (h * w == 0 ? 0 : x.count / (h * w), h, w)
    }

    private static func average<T: BinaryFloatingPoint & Sendable>(_ type: T.Type, _ x: Tensor, _ y: Tensor, _ rows: Windows, _ columns: Windows) {
        let (count, h, w) = planes(x)
        let from = SendablePointer(x.pointer), to = SendablePointer(y.pointer)
        Parallel.ranges(count: count, grain: Swift.max(1, 4096 / (h * w))) { low, high in
            for plane in low..<high {
                let x = from.raw.assumingMemoryBound(to: T.self) + plane * h * w
                let y = to.raw.assumingMemoryBound(to: T.self) + plane * rows.count * columns.count
                for (i, r) in rows.enumerated() {
                    for (j, c) in columns.enumerated() {
                        var sum: T = 0
                        for a in r.low..<r.high { for b in c.low..<c.high { sum += x[a * w + b] } }
                        y[i * columns.count + j] = sum / T((r.high - r.low) * (c.high - c.low))
                    }
                }
            }
        }
    }

    private static func spread<T: BinaryFloatingPoint & Sendable>(_ type: T.Type, _ g: Tensor, _ total: Tensor, _ rows: Windows, _ columns: Windows) {
        let (count, h, w) = planes(total)
        let from = SendablePointer(g.pointer), to = SendablePointer(total.pointer)
        Parallel.ranges(count: count, grain: Swift.max(1, 4096 / (h * w))) { low, high in
            for plane in low..<high {
                let g = from.raw.assumingMemoryBound(to: T.self) + plane * rows.count * columns.count
                let x = to.raw.assumingMemoryBound(to: T.self) + plane * h * w
                for (i, r) in rows.enumerated() {
                    for (j, c) in columns.enumerated() {
                        let share = g[i * columns.count + j] / T((r.high - r.low) * (c.high - c.low))
                        for a in r.low..<r.high { for b in c.low..<c.high { x[a * w + b] += share } }
                    }
                }
            }
        }
    }

    /// The largest element of each window and its position in the plane; NaN wins.
    public static func adaptiveMaxPool2d(_ x: Tensor, _ size: [Int]) throws -> (Tensor, Tensor) {
        let name = "adaptive_max_pool2d"
        let shape = try adaptiveShape(name, x, size)
        let (h, w) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
        let rows = adaptiveWindows(h, shape[x.rank - 2]), columns = adaptiveWindows(w, shape[x.rank - 1])
        let out = try Tensor(emptyOf: shape, x.dtype), index = try Tensor(emptyOf: shape, .int64)
        let source = try x.packed()
        if x.dtype == .float32 { largest(Float.self, source, out, index, rows, columns) } else { largest(Double.self, source, out, index, rows, columns) }
        guard shouldRecord(x) else { return (out, index) }
        let full = x.shape
        let recorded = try out.record(name, x) { g in
            let gx = try g.first.linearMap(name) { g in
                let total = try Tensor.zeros(full, g.dtype), g = try g.packed()
                let inner = rows.count * columns.count
                if g.dtype == .float32 { scatter(Float.self, g, index, total, inner) } else { scatter(Double.self, g, index, total, inner) }
                return total
            } adjoint: {
                try $0.elementsOfPlanes(index)
            }
            return [gx]
        }
        return (recorded, index)
    }

    private static func largest<T: BinaryFloatingPoint & Sendable>(
        _ type: T.Type, _ x: Tensor, _ y: Tensor, _ index: Tensor, _ rows: Windows, _ columns: Windows
    ) {
        let (count, h, w) = planes(x)
        let from = SendablePointer(x.pointer), to = SendablePointer(y.pointer), places = SendablePointer(index.pointer)
        Parallel.ranges(count: count, grain: Swift.max(1, 4096 / (h * w))) { low, high in
            for plane in low..<high {
                let x = from.raw.assumingMemoryBound(to: T.self) + plane * h * w
                let start = plane * rows.count * columns.count
                let y = to.raw.assumingMemoryBound(to: T.self) + start, at = places.raw.assumingMemoryBound(to: Int.self) + start
                for (i, r) in rows.enumerated() {
                    for (j, c) in columns.enumerated() {
                        var best = r.low * w + c.low
                        for a in r.low..<r.high {
                            for b in c.low..<c.high {
                                let v = x[a * w + b]
                                if v > x[best] || (v.isNaN && !x[best].isNaN) { best = a * w + b }
                            }
                        }
                        y[i * columns.count + j] = x[best]
                        at[i * columns.count + j] = best
                    }
                }
            }
        }
    }

    /// total[plane, index[i]] += g[i]; one plane is one thread's, so the order is fixed.
    private static func scatter<T: BinaryFloatingPoint & Sendable>(_ type: T.Type, _ g: Tensor, _ index: Tensor, _ total: Tensor, _ inner: Int) {
        let (count, h, w) = planes(total)
        let from = SendablePointer(g.pointer), to = SendablePointer(total.pointer), places = SendablePointer(index.pointer)
        Parallel.ranges(count: count, grain: Swift.max(1, 4096 / (h * w))) { low, high in
            for plane in low..<high {
                let g = from.raw.assumingMemoryBound(to: T.self) + plane * inner
                let at = places.raw.assumingMemoryBound(to: Int.self) + plane * inner
                let x = to.raw.assumingMemoryBound(to: T.self) + plane * h * w
                for i in 0..<inner { x[at[i]] += g[i] }
            }
        }
    }
}

extension Op {
    static let morePooling: [Op] = [
        Op(
            """
            max_pool1d(input: tensor, kernel_size: ints, stride: ints = nil, padding: ints = 0, dilation: ints = 1, ceil_mode: bool = false, return_indices: bool = false) -> tensor, tensor
            Gives the largest element of each window of `input` [N, C, L] (or [C, L]); with return_indices also its position.
            Errors: padding above half of the kernel, a window that does not fit
            Example: nn.functional.max_pool1d(tensor{{{1.0, 3.0, 2.0, 4.0}}}, 2) --> tensor([[[3., 4.]]])
            Source: torch.nn.functional.max_pool1d
            """, form: .function, samples: ["F.max_pool1d(sig, 2)", "F.max_pool1d(sig[0], 3, 2, 1)", "F.max_pool1d(sig, 2, {ceil_mode = true})"]
        ) {
            let (y, index) = try Tensor.maxPool1d(
                try $0.tensor(0), kernel: try $0.ints(1), stride: try $0.optionalInts(2), padding: try $0.ints(3),
                dilation: try $0.ints(4), ceil: try $0.bool(5))
            return try $0.bool(6) ? .tensors([y, try index.converted(to: .int64)]) : .tensor(y)
        },
        Op(
            """
            adaptive_avg_pool2d(input: tensor, output_size: ints) -> tensor
            Averages `input` [N, C, H, W] (or [C, H, W]) over as many windows as give pictures of `output_size`.
            Example: nn.functional.adaptive_avg_pool2d(tensor.ones(1, 2, 5, 7), 1).shape --> {1, 2, 1, 1}
            Source: torch.nn.functional.adaptive_avg_pool2d
            """, form: .function, samples: ["F.adaptive_avg_pool2d(img, 1)", "F.adaptive_avg_pool2d(img, {4, 3})", "F.adaptive_avg_pool2d(img, {3, 7})"]
        ) { .tensor(try Tensor.adaptiveAvgPool2d(try $0.tensor(0), try $0.ints(1))) },
        Op(
            """
            adaptive_max_pool2d(input: tensor, output_size: ints, return_indices: bool = false) -> tensor, tensor
            Gives the largest elements of as many windows of `input` [N, C, H, W] (or [C, H, W]) as give pictures of `output_size`.
            Example: nn.functional.adaptive_max_pool2d(tensor.ones(1, 2, 5, 7), {2, 3}).shape --> {1, 2, 2, 3}
            Source: torch.nn.functional.adaptive_max_pool2d
            """, form: .function, samples: ["F.adaptive_max_pool2d(img, 1)", "F.adaptive_max_pool2d(img, {4, 3})"]
        ) {
            let (y, index) = try Tensor.adaptiveMaxPool2d(try $0.tensor(0), try $0.ints(1))
            return try $0.bool(2) ? .tensors([y, index]) : .tensor(y)
        },
    ]
}
