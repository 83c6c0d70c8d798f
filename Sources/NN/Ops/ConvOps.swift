import KernelABI

extension Tensor {
    /// One or two integers as a pair.
    static func pair(_ values: [Int], _ name: String, _ what: String, min low: Int) throws -> (Int, Int) {
        guard values.count == 1 || values.count == 2, values.allSatisfy({ $0 >= low && $0 < 1 << 31 }) else {
            throw TensorError("\(name): \(what) must be one or two integers of at least \(low), got \(values)")
        }
        return (values[0], values[values.count - 1])
    }

    /// Output size of a window that slides over n elements.
    static func windowCount(_ n: Int, _ kernel: Int, _ stride: Int, _ padding: Int, _ dilation: Int, ceil: Bool = false) -> Int {
        let reach = n + 2 * padding - dilation * (kernel - 1) - 1
        guard reach >= 0 else { return 0 }
        if !ceil { return reach / stride + 1 }
        var out = (reach + stride - 1) / stride + 1
        // The last window must begin inside the input or its left padding.
        if (out - 1) * stride >= n + padding { out -= 1 }
        return out
    }

    /// Cross-correlation. x [N, C, H, W] (or [C, H, W]), weight [O, C / groups, KH, KW], bias [O];
    /// gives [N, O, OH, OW].
    public static func conv2d(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: [Int], padding: [Int], dilation: [Int], groups: Int
    ) throws -> Tensor {
        if x.rank == 3 {
            return try conv2d(try x.unsqueeze(0), weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
                .squeeze([0])
        }
        let geometry = try convGeometry(x, weight, bias, stride, padding, dilation, groups)
        return try convolve(x, weight, bias, geometry)
    }

    /// Whether the channels (dimension 1) of an input and of a weight go together.
    static func checkGroups(_ name: String, _ x: Tensor, _ weight: Tensor, _ groups: Int) throws {
        let (channels, isHuge) = weight.shape[1].multipliedReportingOverflow(by: groups)
        guard groups > 0, !isHuge, weight.shape[0] % groups == 0, x.shape[1] == channels else {
            throw TensorError(
                "\(name): input \(x.shape) does not fit weight \(weight.shape) with groups \(groups)"
                    + (groups > 0 && !isHuge ? ": expected \(channels) channels, got \(x.shape[1])" : ""))
        }
    }

    static func convGeometry(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ stride: [Int], _ padding: [Int], _ dilation: [Int], _ groups: Int
    ) throws -> kernel_conv {
        guard x.rank == 4, weight.rank == 4 else {
            throw TensorError("conv2d: expected input [N, C, H, W] or [C, H, W] and weight [O, C, KH, KW], got \(x.shape) and \(weight.shape)")
        }
        guard x.dtype.isFloat, x.dtype == weight.dtype, bias == nil || bias?.dtype == x.dtype else {
            throw TensorError("conv2d: expected floating-point tensors of one dtype, got input \(x.dtype.name), weight \(weight.dtype.name)")
        }
        let (sh, sw) = try pair(stride, "conv2d", "stride", min: 1)
        let (ph, pw) = try pair(padding, "conv2d", "padding", min: 0)
        let (dh, dw) = try pair(dilation, "conv2d", "dilation", min: 1)
        try checkGroups("conv2d", x, weight, groups)
        if let bias, bias.shape != Shape(weight.shape[0]) {
            throw TensorError("conv2d: expected bias [\(weight.shape[0])], got \(bias.shape)")
        }
        let (kh, kw) = (weight.shape[2], weight.shape[3])
        let oh = windowCount(x.shape[2], kh, sh, ph, dh), ow = windowCount(x.shape[3], kw, sw, pw, dw)
        guard kh > 0, kw > 0, oh > 0, ow > 0 else {
            throw TensorError(
                "conv2d: a kernel of \(kh)x\(kw) with dilation \(dh)x\(dw) does not fit into the input "
                    + "\(x.shape[2])x\(x.shape[3]) padded by \(ph)x\(pw)")
        }
        return kernel_conv(
            n: x.shape[0], c: x.shape[1], h: x.shape[2], w: x.shape[3], o: weight.shape[0], kh: kh, kw: kw, oh: oh, ow: ow,
            groups: groups, stride_h: sh, stride_w: sw, pad_h: ph, pad_w: pw, dilation_h: dh, dilation_w: dw)
    }

    static func convolve(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ geometry: kernel_conv) throws -> Tensor {
        var p = geometry
        let out = try Tensor(emptyOf: Shape(p.n, p.o, p.oh, p.ow), x.dtype)
        let px = try x.packed(), pw = try weight.packed(), pb = try bias?.packed()
        if out.count > 0 {
            Parallel.withExec {
                kernels.conv_forward(x.dtype.code, &p, px.pointer, pw.pointer, pb.map { UnsafeRawPointer($0.pointer) }, 0, out.pointer, $0)
            }
        }
        guard shouldRecord([x, weight, bias]) else { return out }
        let gradients = ConvGradients(x, weight, bias, geometry)
        return try out.record("conv2d", [x, weight, bias]) { g in try gradients.of(try g.first) }
    }

    /// The gradient of a convolution for its weight as an operation of its own: with `convolve` and `transposed` it
    /// makes a family in which each one's gradients are the two others.
    static func convWeight(_ gy: Tensor, _ x: Tensor, _ geometry: kernel_conv) throws -> Tensor {
        var p = geometry
        let out = try Tensor(emptyOf: Shape(p.o, p.c / p.groups, p.kh, p.kw), x.dtype)
        let pg = try gy.packed(), px = try x.packed()
        if gy.count > 0, x.count > 0 {
            var slope = kernel_slope(gy: pg.pointer, relu: nil, index: nil)
            _ = Parallel.withExec { kernels.conv_backward_weight(x.dtype.code, &p, &slope, px.pointer, out.pointer, nil, $0) }
        } else {
            out.fillElements(.int(0))
        }
        guard shouldRecord(gy, x) else { return out }
        let (sg, sx) = (SavedTensor(gy, "conv2d"), SavedTensor(x, "conv2d"))
        return try out.record("conv2d", gy, x) { g in
            [try convolve(try sx.value(), try g.first, nil, geometry), try transposed(try sg.value(), try g.first, geometry, "conv2d")]
        }
    }
}

/// What backward of a convolution keeps.
struct ConvGradients {
    private let x, weight: SavedTensor
    private let needs: (Bool, Bool, Bool)
    private let geometry: kernel_conv

    init(_ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ geometry: kernel_conv) {
        (self.x, self.weight) = (SavedTensor(x, "conv2d"), SavedTensor(weight, "conv2d"))
        needs = (x.requiresGrad, weight.requiresGrad, bias?.requiresGrad ?? false)
        self.geometry = geometry
    }

    /// Gradients of input, weight and bias from that of the result.
    func of(_ g: Tensor) throws -> [Tensor?] {
        if GradMode.isEnabled { return try recorded(g) }
        return try of(ConvSlope(gy: try g.packed()))
    }

    /// The same, not recorded, from what relu and perhaps pooling made of the result.
    func of(_ slope: ConvSlope) throws -> [Tensor?] {
        var p = geometry
        var slope = slope
        let gy = slope.gy
        let code = gy.dtype.code
        var gx: Tensor?, gw: Tensor?, gb: Tensor?
        if needs.0 {
            let result = try Tensor(emptyOf: x.value().shape, gy.dtype)
            let w = try weight.value().packed()
            if gy.count == 0 { result.fillElements(.int(0)) } else {
                try slope.pass(geometry) { kernels.conv_backward_input(code, &p, $0, w.pointer, result.pointer, $1) }
            }
            gx = result
        }
        if needs.1 || needs.2 {
            let result = try Tensor(emptyOf: weight.value().shape, gy.dtype)
            let sums = try Tensor(emptyOf: Shape(p.o), gy.dtype)
            let x = try x.value().packed()
            if gy.count == 0 {
                result.fillElements(.int(0))
                sums.fillElements(.int(0))
            } else {
                try slope.pass(geometry) {
                    kernels.conv_backward_weight(code, &p, $0, x.pointer, result.pointer, needs.2 ? sums.pointer : nil, $1)
                }
            }
            gw = needs.1 ? result : nil
            gb = needs.2 ? sums : nil
        }
        return [gx, gw, gb]
    }

    /// The same, of operations that can be differentiated again.
    private func recorded(_ g: Tensor) throws -> [Tensor?] {
        [
            needs.0 ? try Tensor.transposed(g, try weight.value(), geometry, "conv2d") : nil,
            needs.1 ? try Tensor.convWeight(g, try x.value(), geometry) : nil,
            needs.2 ? try g.sum([0, 2, 3]) : nil,
        ]
    }
}

extension Op {
    static let convolution: [Op] = [
        Op(
            """
            conv2d(input: tensor, weight: tensor, bias: tensor = nil, stride: ints = 1, padding: ints|"same"|"valid" = 0, dilation: ints = 1, groups: int = 1) -> tensor
            Slides `weight` [O, C / groups, KH, KW] over `input` [N, C, H, W] (or [C, H, W]) and gives [N, O, OH, OW].
            Errors: channels that differ, a kernel larger than the padded input
            Example: nn.functional.conv2d(tensor.ones(1, 1, 3, 3), tensor.ones(1, 1, 2, 2)) --> tensor([[[[4., 4.],
                      [4., 4.]]]])
            Source: torch.nn.functional.conv2d
            """, form: .function,
            samples: [
                "F.conv2d(img, img:narrow(2, 0, 3):narrow(3, 0, 3))",
                "F.conv2d(img, t3:sum(2):reshape(2, 3, 1, 1), nil, 2)",
                "F.conv2d(img, img:narrow(2, 0, 3):narrow(3, 0, 2), sq:sum(1):narrow(0, 0, 2), {stride = {2, 1}, padding = {1, 2}})",
                "F.conv2d(img, img:narrow(2, 0, 2):narrow(3, 0, 2), {dilation = 2})",
            ]
        ) {
            let (x, w) = (try $0.tensor(0), try $0.tensor(1))
            let dilation = try $0.ints(5), stride = try $0.ints(3)
            var padding = [0]
            if let mode = try? $0.string(4) {
                if mode == "same" {
                    guard stride.allSatisfy({ $0 == 1 }), w.rank == 4 else { throw TensorError("conv2d: padding \"same\" needs stride 1 and weight [O, C, KH, KW]") }
                    let (dh, dw) = try Tensor.pair(dilation, "conv2d", "dilation", min: 1)
                    let (th, tw) = (dh * (w.shape[2] - 1), dw * (w.shape[3] - 1))
                    // An odd total goes to the right and below, as in PyTorch.
                    let padded = th % 2 == 0 && tw % 2 == 0 ? x : try x.pad([0, tw % 2, 0, th % 2], .int(0))
                    return .tensor(
                        try Tensor.conv2d(
                            padded, w, try $0.optionalTensor(2), stride: stride, padding: [th / 2, tw / 2], dilation: dilation,
                            groups: try $0.int(6)))
                }
            } else {
                padding = try $0.ints(4)
            }
            return .tensor(
                try Tensor.conv2d(
                    x, w, try $0.optionalTensor(2), stride: stride, padding: padding, dilation: dilation, groups: try $0.int(6)))
        },
        Op(
            """
            linear(input: tensor, weight: tensor, bias: tensor = nil) -> tensor
            Gives input [.., in] times the transpose of weight [out, in], plus bias [out].
            Errors: a number of features that differs
            Example: nn.functional.linear(tensor{{1.0, 2.0}}, tensor{{1.0, 1.0}, {0.0, 3.0}}, tensor{0.0, 1.0}) --> tensor([[3., 7.]])
            Source: torch.nn.functional.linear
            """, form: .function, samples: ["F.linear(x, m:t(), v)", "F.linear(t3, m:t())", "F.linear(row, m:t(), v)"],
            .ternary(Tensor.linear)),
    ]
}
