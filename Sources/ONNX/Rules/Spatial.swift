import NN

extension Rules {
    /// Convolution, pooling, resizing.
    static let spatial: [String: Rule] = [
        "conv1d": convolution(1), "conv2d": convolution(2),
        "conv_transpose2d": one { c in
            try c.batched(2) { x in
                let padding = c.spread(try c.ints(4), 2)
                return c.graph.node(
                    "ConvTranspose", [x, try c.name(1), try c.optionalName(2)],
                    [
                        "strides": .ints(c.spread(try c.ints(3), 2)), "pads": .ints(padding + padding),
                        "output_padding": .ints(c.spread(try c.ints(5), 2)), "group": .int(try c.int(6)),
                        "dilations": .ints(c.spread(try c.ints(7), 2)),
                    ])
            }
        },
        "max_pool1d": maximum(1), "max_pool2d": maximum(2),
        "avg_pool2d": one { c in
            let kernel = c.spread(try c.ints(1), 2), padding = c.spread(try c.ints(3), 2)
            return try c.batched(2) { x in
                c.graph.node(
                    "AveragePool", [x],
                    [
                        "kernel_shape": .ints(kernel), "strides": .ints(c.has(2) ? c.spread(try c.ints(2), 2) : kernel),
                        "pads": .ints(padding + padding), "ceil_mode": .int(c.bool(4) ? 1 : 0), "count_include_pad": .int(c.bool(5) ? 1 : 0),
                    ])
            }
        },
        "adaptive_avg_pool2d": one { c in
            try c.batched(2) { x in
                let (sizes, targets) = try c.picture()
                if targets == [1, 1] { return c.graph.node("GlobalAveragePool", [x]) }
                // A window's mean is a product with its share of each row, then of each column.
                func shares(_ n: Int, _ out: Int) -> [Double] {
                    (0..<out).flatMap { i -> [Double] in
                        let (low, high) = c.window(i, n, out)
                        return (0..<n).map { $0 >= low && $0 < high ? 1 / Double(high - low) : 0 }
                    }
                }
                let rows = c.graph.table(shares(sizes[0], targets[0]), [targets[0], sizes[0]], c.dtype)
                let columns = c.graph.table(shares(sizes[1], targets[1]), [targets[1], sizes[1]], c.dtype)
                let high = c.graph.node("MatMul", [rows, x])
                return c.graph.node("MatMul", [high, c.graph.node("Transpose", [columns], ["perm": .ints([1, 0])])])
            }
        },
        "adaptive_max_pool2d": one { c in
            guard !c.bool(2) else { throw ExportError("return_indices cannot be written as ONNX") }
            return try c.batched(2) { x in
                let (sizes, targets) = try c.picture()
                if targets == [1, 1] { return c.graph.node("GlobalMaxPool", [x]) }
                var y = x
                for (k, axis) in [(0, 2), (1, 3)] {
                    let rows = (0..<targets[k]).map { i in
                        let (low, high) = c.window(i, sizes[k], targets[k])
                        return c.reduced("ReduceMax", c.graph.slice(y, axis: axis, start: low, stop: high), [axis], keep: true)
                    }
                    y = c.graph.node("Concat", rows, ["axis": .int(axis)])
                }
                return y
            }
        },
        "interpolate": one { c in
            let x = try c.value(0), places = x.rank - 2
            let out = try c.shape()
            guard let target = Array(out[2...]).fixed, let source = Array(x.shape[2...]).fixed else {
                throw ExportError("the size depends on the batch size")
            }
            let mode = c.string(3) ?? "nearest", nearest = mode == "nearest"
            guard nearest || mode == "linear" || mode == "bilinear" else { throw ExportError("mode \"\(mode)\" of interpolate has no rule") }
            // How far apart the places lie is the stated factor, unless it is to be taken from the sizes.
            var scales = zip(target, source).map { Double($0) / Double($1) }
            if c.has(2), !c.bool(5), !c.bool(4) { scales = try c.numbers(2, places) }
            let exact = zip(scales, zip(target, source)).allSatisfy { (Double($1.1) * $0).rounded(.down) == Double($1.0) }
            let roi = "", one = c.graph.table([1, 1] + scales, [2 + places], .float32)
            let inputs = exact && c.has(2) ? [x.name, roi, one] : [x.name, roi, "", try c.graph.sizes(out)]
            return c.graph.node(
                "Resize", inputs,
                [
                    "mode": .string(nearest ? "nearest" : "linear"), "nearest_mode": .string("floor"),
                    "coordinate_transformation_mode": .string(nearest ? "asymmetric" : c.bool(4) ? "align_corners" : "half_pixel"),
                ])
        },
        "pixel_shuffle": one { c in
            let x = try c.value(0), r = try c.int(1), n = x.rank
            let flat = n == 4 ? x.name : c.graph.node("Reshape", [x.name, c.graph.vector([-1] + (x.shape[(n - 3)...].map(\.offset)))])
            let y = c.graph.node("DepthToSpace", [flat], ["blocksize": .int(r), "mode": .string("CRD")])
            return n == 4 ? y : try c.graph.reshape(y, to: c.shape())
        },
    ]

    private static func convolution(_ places: Int) -> Rule {
        one { c in
            let dilation = c.spread(try c.ints(5), places)
            let kernel = try c.value(1).shape.suffix(places).map(\.offset)
            let pads: [Int]
            switch c.string(4) {
            case "same":
                let total = zip(dilation, kernel).map { $0 * ($1 - 1) }
                pads = total.map { $0 / 2 } + total.map { $0 - $0 / 2 }
            case "valid": pads = Array(repeating: 0, count: 2 * places)
            default:
                let padding = c.spread(try c.ints(4), places)
                pads = padding + padding
            }
            return try c.batched(places) { x in
                c.graph.node(
                    "Conv", [x, try c.name(1), try c.optionalName(2)],
                    [
                        "kernel_shape": .ints(kernel), "strides": .ints(c.spread(try c.ints(3), places)), "pads": .ints(pads),
                        "dilations": .ints(dilation), "group": .int(try c.int(6)),
                    ])
            }
        }
    }

    private static func maximum(_ places: Int) -> Rule {
        { c in
            let kernel = c.spread(try c.ints(1), places), padding = c.spread(try c.ints(3), places)
            // The places of the largest elements count differently in ONNX.
            return [
                try c.batched(places) { x in
                    c.graph.node(
                        "MaxPool", [x],
                        [
                            "kernel_shape": .ints(kernel), "strides": .ints(c.has(2) ? c.spread(try c.ints(2), places) : kernel),
                            "pads": .ints(padding + padding), "dilations": .ints(c.spread(try c.ints(4), places)),
                            "ceil_mode": .int(c.bool(5) ? 1 : 0),
                        ])
                }
            ]
        }
    }
}

extension TracedCall {
    func spread(_ values: [Int], _ places: Int) -> [Int] {
        values.count == 1 ? Array(repeating: values[0], count: places) : values
    }

    func numbers(_ i: Int, _ places: Int) throws -> [Double] {
        guard case .list(let items) = small.arguments[i] else { return Array(repeating: try double(i), count: places) }
        let values = try items.map { item -> Double in
            switch item {
            case .int(let n): return Double(n)
            case .double(let d): return d
            default: throw ExportError("expected numbers")
            }
        }
        return values.count == 1 ? Array(repeating: values[0], count: places) : values
    }

    /// Runs a rule on argument 0 with a batch dimension, which is made for a single picture and taken away again.
    func batched(_ places: Int, _ rule: (String) throws -> String) throws -> String {
        let x = try value(0)
        if x.rank == places + 2 { return try rule(x.name) }
        let y = try rule(graph.node("Unsqueeze", [x.name, graph.vector([0])]))
        return graph.node("Squeeze", [y, graph.vector([0])])
    }

    /// Sizes of the picture that comes in and of the one that goes out.
    func picture() throws -> ([Int], [Int]) {
        guard let sizes = Array(try value(0).shape.suffix(2)).fixed, let targets = Array(try shape().suffix(2)).fixed else {
            throw ExportError("the picture's size depends on the batch size")
        }
        return (sizes, targets)
    }

    /// Where window `i` of an adaptive pool begins and ends.
    func window(_ i: Int, _ n: Int, _ out: Int) -> (Int, Int) { (i * n / out, ((i + 1) * n + out - 1) / out) }
}
