/// Pictures made larger or smaller.
extension Tensor {
    /// For each place of an output line: the two input places it lies between and the weight of the second.
    struct ResizeLine {
        var low: [Int] = []
        var high: [Int] = []
        var weight: [Double] = []

        /// - Parameter scale: input places per output place as the caller stated it; nil: from the sizes.
        ///   - exact: whether the nearest place is that of the middle of an output place.
        init(_ n: Int, _ out: Int, scale: Double?, nearest: Bool, exact: Bool = false, alignCorners: Bool, single: Bool) {
            // Positions are computed in the precision of the data, as PyTorch does.
            func round(_ x: Double) -> Double { single ? Double(Float(x)) : x }
            let step: Double
            if alignCorners { step = out > 1 ? round(Double(n - 1) / Double(out - 1)) : 0 } else {
                step = round(scale ?? Double(n) / Double(out))
            }
            for i in 0..<out {
                if nearest {
                    low.append(Swift.min(Int(round((exact ? Double(i) + 0.5 : Double(i)) * step)), n - 1))
                    high.append(low[i])
                    weight.append(0)
                    continue
                }
                let at = alignCorners ? round(step * Double(i)) : Swift.max(round(round(step * (Double(i) + 0.5)) - 0.5), 0)
                let first = Swift.min(Int(at), n - 1)
                low.append(first)
                high.append(Swift.min(first + 1, n - 1))
                weight.append(Swift.min(Swift.max(round(at - Double(first)), 0), 1))
            }
        }
    }

    /// - Parameters:
    ///   - size: of the output's picture dimensions, or
    ///   - factor: how many times larger it is.
    public static func interpolate(
        _ x: Tensor, size: [Int]?, factor: [Double]?, mode: String, alignCorners: Bool?, recomputeFactor: Bool
    ) throws -> Tensor {
        let name = "interpolate"
        let places = x.rank - 2
        guard x.dtype.isFloat, places == 1 || places == 2 else {
            throw TensorError("\(name): expected a floating-point input [N, C, L] or [N, C, H, W], got \(x.dtype.name) \(x.shape)")
        }
        let nearest = mode.hasPrefix("nearest"), smooth = places == 1 ? ["linear"] : ["bilinear", "bicubic"]
        guard nearest || mode == "area" || smooth.contains(mode) else {
            throw TensorError(
                "\(name): mode '\(mode)' does not fit input \(x.shape); use 'nearest', 'nearest-exact', 'area' or "
                    + smooth.map { "'\($0)'" }.joined(separator: " or "))
        }
        guard smooth.contains(mode) || alignCorners == nil else {
            throw TensorError("\(name): align_corners has a meaning for linear, bilinear and bicubic only")
        }
        guard (size == nil) != (factor == nil) else { throw TensorError("\(name): expected either size or scale_factor") }
        func spread<V>(_ values: [V], _ what: String) throws -> [V] {
            if values.count == places { return values }
            guard values.count == 1 else { throw TensorError("\(name): \(what) must be one value or \(places), got \(values)") }
            return Array(repeating: values[0], count: places)
        }
        let sizes: [Int], scales: [Double?]
        if let size {
            sizes = try spread(size, "size")
            scales = sizes.map { _ in nil }
        } else {
            let factors = try spread(factor ?? [], "scale_factor")
            guard factors.allSatisfy({ $0 > 0 && $0 < 1e6 }) else { throw TensorError("\(name): scale_factor must be positive, got \(factors)") }
            sizes = zip(factors, x.shape.array.suffix(places)).map { Int((Double($1) * $0).rounded(.down)) }
            scales = factors.map { recomputeFactor ? nil : 1 / $0 }
        }
        guard sizes.allSatisfy({ $0 > 0 }), x.shape.array.suffix(places).allSatisfy({ $0 > 0 }) else {
            throw TensorError("\(name): input \(x.shape) and output size \(sizes) must not be empty")
        }
        for n in sizes { try Allocator.shared.checkRoom(for: n, of: 64, "the weights of \(n) places") }
        // One dimension is a picture of height 1.
        let flat = places == 1 ? try x.unsqueeze(2) : x
        let (h, w) = places == 1 ? (1, sizes[0]) : (sizes[0], sizes[1])
        let single = x.dtype == .float32, align = alignCorners ?? false
        let y: Tensor
        switch mode {
        case "area": y = try adaptiveAvgPool2d(flat, [h, w])
        case "bicubic":
            // As products with the weights of all places: rows, then columns.
            let down = try cubicWeights(flat.shape[2], h, scale: scales[0], align, x.dtype)
            let across = try cubicWeights(flat.shape[3], w, scale: scales[1], align, x.dtype)
            y = try matmul(matmul(down, flat), across.transpose(0, 1))
        default:
            let exact = mode == "nearest-exact"
            func line(_ n: Int, _ out: Int, _ scale: Double?) -> ResizeLine {
                ResizeLine(n, out, scale: scale, nearest: nearest, exact: exact, alignCorners: align, single: single)
            }
            y = try resize(flat, line(flat.shape[2], h, places == 1 ? 1 : scales[0]), line(flat.shape[3], w, scales[places - 1]))
        }
        return places == 1 ? try y.squeeze([2]) : y
    }

    /// What each of n places gives to each of `out`, by cubic convolution with a = -0.75 (Keys 1981): [out, n].
    private static func cubicWeights(_ n: Int, _ out: Int, scale: Double?, _ align: Bool, _ dtype: DType) throws -> Tensor {
        let weights = try Tensor.zeros(Shape(out, n), dtype), a = -0.75
        let step = align ? (out > 1 ? Double(n - 1) / Double(out - 1) : 0) : scale ?? Double(n) / Double(out)
        func near(_ t: Double) -> Double { ((a + 2) * t - (a + 3)) * t * t + 1 }
        func far(_ t: Double) -> Double { ((a * t - 5 * a) * t + 8 * a) * t - 4 * a }
        for i in 0..<out {
            let at = align ? step * Double(i) : step * (Double(i) + 0.5) - 0.5
            let first = at.rounded(.down), t = at - first
            for (k, weight) in [far(t + 1), near(t), near(1 - t), far(2 - t)].enumerated() {
                let place = i * n + Swift.min(Swift.max(Int(first) - 1 + k, 0), n - 1)
                weights.setElement(place, .double(weights.element(place).double + weight))
            }
        }
        return weights
    }

    private static func resize(_ x: Tensor, _ rows: ResizeLine, _ columns: ResizeLine) throws -> Tensor {
        let shape = Shape(x.shape[0], x.shape[1], rows.low.count, columns.low.count)
        let full = x.shape
        return try x.linearMap("interpolate") { x in
            let out = try Tensor(emptyOf: shape, x.dtype), source = try x.packed()
            if x.dtype == .float32 { blend(Float.self, source, out, rows, columns) } else { blend(Double.self, source, out, rows, columns) }
            return out
        } adjoint: { g in
            let total = try Tensor.zeros(full, g.dtype), g = try g.packed()
            if g.dtype == .float32 { unblend(Float.self, g, total, rows, columns) } else { unblend(Double.self, g, total, rows, columns) }
            return total
        }
    }

    private static func blend<T: BinaryFloatingPoint & Sendable>(
        _ type: T.Type, _ x: Tensor, _ y: Tensor, _ rows: ResizeLine, _ columns: ResizeLine
    ) {
        let (h, w, oh, ow) = (x.shape[2], x.shape[3], rows.low.count, columns.low.count)
        let from = SendablePointer(x.pointer), to = SendablePointer(y.pointer)
        let weights = columns.weight.map { T($0) }
        Parallel.ranges(count: x.shape[0] * x.shape[1], grain: Swift.max(1, 16384 / (oh * ow))) { first, last in
            for plane in first..<last {
                let x = from.raw.assumingMemoryBound(to: T.self) + plane * h * w
                let y = to.raw.assumingMemoryBound(to: T.self) + plane * oh * ow
                for i in 0..<oh {
                    let v = T(rows.weight[i]), line = y + i * ow
                    let top = x + rows.low[i] * w, bottom = x + rows.high[i] * w
                    for j in 0..<ow {
                        let (a, b, u) = (columns.low[j], columns.high[j], weights[j])
                        // An unused neighbour must not turn an infinity into NaN.
                        let above = u == 0 ? top[a] : (1 - u) * top[a] + u * top[b]
                        if v == 0 {
                            line[j] = above
                        } else {
                            line[j] = (1 - v) * above + v * (u == 0 ? bottom[a] : (1 - u) * bottom[a] + u * bottom[b])
                        }
                    }
                }
            }
        }
    }

    private static func unblend<T: BinaryFloatingPoint & Sendable>(
        _ type: T.Type, _ g: Tensor, _ total: Tensor, _ rows: ResizeLine, _ columns: ResizeLine
    ) {
        let (h, w, oh, ow) = (total.shape[2], total.shape[3], rows.low.count, columns.low.count)
        let from = SendablePointer(g.pointer), to = SendablePointer(total.pointer)
        let weights = columns.weight.map { T($0) }
        Parallel.ranges(count: total.shape[0] * total.shape[1], grain: Swift.max(1, 16384 / (oh * ow))) { first, last in
            for plane in first..<last {
                let g = from.raw.assumingMemoryBound(to: T.self) + plane * oh * ow
                let x = to.raw.assumingMemoryBound(to: T.self) + plane * h * w
                for i in 0..<oh {
                    let v = T(rows.weight[i])
                    let top = x + rows.low[i] * w, bottom = x + rows.high[i] * w
                    for j in 0..<ow {
                        let (a, b, u, d) = (columns.low[j], columns.high[j], weights[j], g[i * ow + j])
                        top[a] += (1 - v) * (1 - u) * d
                        if u != 0 { top[b] += (1 - v) * u * d }
                        if v != 0 {
                            bottom[a] += v * (1 - u) * d
                            if u != 0 { bottom[b] += v * u * d }
                        }
                    }
                }
            }
        }
    }

    /// [.., C r^2, H, W] to [.., C, H r, W r].
    public func pixelShuffle(_ r: Int) throws -> Tensor {
        guard r > 0, r < 1 << 20, rank >= 3, shape[rank - 3] % (r * r) == 0 else {
            throw TensorError("pixel_shuffle: expected input [.., C * \(r)^2, H, W], got \(shape)")
        }
        let (h, w, c) = (shape[rank - 2], shape[rank - 1], shape[rank - 3] / (r * r))
        let lead = shape.array.dropLast(3)
        let rows = lead.reduce(1, *)
        let split = try reshape(try Shape([rows, c, r, r, h, w])).permute([0, 1, 4, 2, 5, 3])
        return try split.reshape(try Shape(Array(lead) + [c, h * r, w * r]))
    }
}

extension Op {
    static let resizing: [Op] = [
        Op(
            """
            interpolate(input: tensor, size: ints = nil, scale_factor: numbers = nil, mode: "nearest"|"linear"|"bilinear"|"bicubic"|"area"|"nearest-exact" = "nearest", align_corners: bool = nil, recompute_scale_factor: bool = false) -> tensor
            Resizes `input` [N, C, L] or [N, C, H, W] to `size`, or to `scale_factor` times its size.
            Errors: neither or both of size and scale_factor, a mode that does not fit the dimensions
            Example: nn.functional.interpolate(tensor{{{1.0, 2.0}}}, {scale_factor = 2}) --> tensor([[[1., 1., 2., 2.]]])
            Source: torch.nn.functional.interpolate
            """, form: .function,
            samples: [
                "F.interpolate(img, {scale_factor = 2})", "F.interpolate(img, {size = {4, 10}, mode = \"bilinear\"})",
                "F.interpolate(img, {9, 5}, {mode = \"bilinear\", align_corners = true})", "F.interpolate(sig, {size = 5})",
                "F.interpolate(sig, {scale_factor = 1.7, mode = \"linear\"})", "F.interpolate(img, {size = {3, 9}, mode = \"bicubic\"})",
                "F.interpolate(img, {size = {3, 9}, mode = \"area\"})", "F.interpolate(sig, {size = 4, mode = \"nearest-exact\"})",
            ]
        ) {
            .tensor(
                try Tensor.interpolate(
                    try $0.tensor(0), size: try $0.optionalInts(1), factor: try $0.optionalDoubles(2), mode: try $0.string(3),
                    alignCorners: $0.isNil(4) ? nil : try $0.bool(4), recomputeFactor: try $0.bool(5)))
        },
        Op(
            """
            pixel_shuffle(input: tensor, upscale_factor: int) -> tensor
            Moves channels [.., C * r^2, H, W] into the picture: [.., C, H * r, W * r].
            Errors: channels that do not divide by r^2
            Example: nn.functional.pixel_shuffle(tensor.zeros(1, 4, 2, 2), 2).shape --> {1, 1, 4, 4}
            Source: Shi et al. 2016; torch.nn.functional.pixel_shuffle
            """, form: .function, samples: ["F.pixel_shuffle(t3:reshape(4, 3, 2), 2)", "F.pixel_shuffle(img, 1)"]
        ) { .tensor(try $0.tensor(0).pixelShuffle(try $0.int(1))) },
    ]
}
