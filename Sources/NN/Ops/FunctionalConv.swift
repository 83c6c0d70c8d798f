import KernelABI

/// One-dimensional and transposed convolution, on the kernels of `conv2d`.
extension Tensor {
    private static func oneInt(_ values: [Int], _ name: String, _ what: String, min low: Int) throws -> Int {
        guard values.count == 1, values[0] >= low, values[0] < 1 << 31 else {
            throw TensorError("\(name): \(what) must be one integer of at least \(low), got \(values)")
        }
        return values[0]
    }

    /// x [N, C, L] (or [C, L]), weight [O, C / groups, K]; gives [N, O, OL]. A nil padding is "same".
    public static func conv1d(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: [Int], padding: [Int]?, dilation: [Int], groups: Int
    ) throws -> Tensor {
        let name = "conv1d"
        if x.rank == 2 {
            return try conv1d(
                try x.unsqueeze(0), weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups
            ).squeeze([0])
        }
        guard x.rank == 3, weight.rank == 3 else {
            throw TensorError("\(name): expected input [N, C, L] or [C, L] and weight [O, C, K], got \(x.shape) and \(weight.shape)")
        }
        try checkGroups(name, x, weight, groups)
        let s = try oneInt(stride, name, "stride", min: 1), d = try oneInt(dilation, name, "dilation", min: 1)
        var source = x, p = 0
        if let padding {
            p = try oneInt(padding, name, "padding", min: 0)
        } else {
            guard s == 1 else { throw TensorError("\(name): padding \"same\" needs stride 1, got \(s)") }
            let total = d * (weight.shape[2] - 1)
            if total % 2 == 1 { source = try x.pad([0, 1], .int(0)) }
            p = total / 2
        }
        guard weight.shape[2] > 0, windowCount(source.shape[2], weight.shape[2], s, p, d) > 0 else {
            throw TensorError(
                "\(name): a kernel of \(weight.shape[2]) with dilation \(d) does not fit into the input of length "
                    + "\(source.shape[2]) padded by \(p)")
        }
        return try conv2d(
            try source.unsqueeze(2), try weight.unsqueeze(2), bias, stride: [1, s], padding: [0, p], dilation: [1, d], groups: groups
        ).squeeze([2])
    }

    /// The gradient of `conv2d` for its input as an operation of its own. x [N, I, H, W] (or [I, H, W]),
    /// weight [I, O / groups, KH, KW], bias [O]; gives [N, O, OH, OW].
    public static func convTranspose2d(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: [Int], padding: [Int], outputPadding: [Int], groups: Int,
        dilation: [Int]
    ) throws -> Tensor {
        let name = "conv_transpose2d"
        if x.rank == 3 {
            return try convTranspose2d(
                try x.unsqueeze(0), weight, bias, stride: stride, padding: padding, outputPadding: outputPadding, groups: groups,
                dilation: dilation
            ).squeeze([0])
        }
        guard x.rank == 4, weight.rank == 4 else {
            throw TensorError("\(name): expected input [N, I, H, W] or [I, H, W] and weight [I, O, KH, KW], got \(x.shape) and \(weight.shape)")
        }
        guard x.dtype.isFloat, x.dtype == weight.dtype, bias == nil || bias?.dtype == x.dtype else {
            throw TensorError("\(name): expected floating-point tensors of one dtype, got input \(x.dtype.name), weight \(weight.dtype.name)")
        }
        guard groups > 0, x.shape[1] % groups == 0, x.shape[1] == weight.shape[0] else {
            throw TensorError(
                "\(name): input \(x.shape) does not fit weight \(weight.shape) with groups \(groups): expected "
                    + "\(weight.shape[0]) channels, got \(x.shape[1])")
        }
        let outs = try x.checkedProduct(weight.shape[1], groups, name)
        if let bias, bias.shape != Shape(outs) { throw TensorError("\(name): expected bias [\(outs)], got \(bias.shape)") }
        let (sh, sw) = try pair(stride, name, "stride", min: 1), (ph, pw) = try pair(padding, name, "padding", min: 0)
        let (dh, dw) = try pair(dilation, name, "dilation", min: 1)
        let (eh, ew) = try pair(outputPadding, name, "output_padding", min: 0)
        guard eh < Swift.max(sh, dh), ew < Swift.max(sw, dw) else {
            throw TensorError("\(name): output_padding \(eh)x\(ew) must be smaller than stride \(sh)x\(sw) or dilation \(dh)x\(dw)")
        }
        let (kh, kw) = (weight.shape[2], weight.shape[3])
        let oh = (x.shape[2] - 1) * sh - 2 * ph + dh * (kh - 1) + eh + 1
        let ow = (x.shape[3] - 1) * sw - 2 * pw + dw * (kw - 1) + ew + 1
        guard kh > 0, kw > 0, oh > 0, ow > 0 else {
            throw TensorError("\(name): input \(x.shape), kernel \(kh)x\(kw) and padding \(ph)x\(pw) leave an output of \(oh)x\(ow)")
        }
        // Seen from the convolution that this turns round, our output is the input.
        let geometry = kernel_conv(
            n: x.shape[0], c: outs, h: oh, w: ow, o: x.shape[1], kh: kh, kw: kw, oh: x.shape[2], ow: x.shape[3], groups: groups,
            stride_h: sh, stride_w: sw, pad_h: ph, pad_w: pw, dilation_h: dh, dilation_w: dw)
        let out = try transposed(x, weight, geometry, name)
        guard let bias else { return out }
        return try out + bias.reshape(Shape(outs, 1, 1))
    }

    /// The gradient of a convolution for its input.
    static func transposed(_ x: Tensor, _ weight: Tensor, _ geometry: kernel_conv, _ name: String) throws -> Tensor {
        var p = geometry
        let code = x.dtype.code
        let out = try Tensor(emptyOf: Shape(p.n, p.c, p.h, p.w), x.dtype)
        let px = try x.packed(), pw = try weight.packed()
        if x.count > 0, out.count > 0 {
            var slope = kernel_slope(gy: px.pointer, relu: nil, index: nil)
            _ = Parallel.withExec { kernels.conv_backward_input(code, &p, &slope, pw.pointer, out.pointer, $0) }
        } else {
            out.fillElements(.int(0))
        }
        guard shouldRecord(x, weight) else { return out }
        let (sx, sw) = (SavedTensor(x, name), SavedTensor(weight, name))
        let needs = (x.requiresGrad, weight.requiresGrad)
        return try out.record(name, x, weight) { g in
            let g = try g.first, x = try sx.value()
            return [
                needs.0 ? try convolve(g, try sw.value(), nil, geometry) : nil,
                needs.1 ? try convWeight(x, g, geometry) : nil,
            ]
        }
    }
}

extension Op {
    static let moreConvolution: [Op] = [
        Op(
            """
            conv1d(input: tensor, weight: tensor, bias: tensor = nil, stride: ints = 1, padding: ints|"same"|"valid" = 0, dilation: ints = 1, groups: int = 1) -> tensor
            Slides `weight` [O, C / groups, K] over `input` [N, C, L] (or [C, L]) and gives [N, O, OL].
            Errors: channels that differ, a kernel longer than the padded input
            Example: nn.functional.conv1d(tensor{{{1.0, 2.0, 3.0}}}, tensor{{{1.0, 1.0}}}) --> tensor([[[3., 5.]]])
            Source: torch.nn.functional.conv1d
            """, form: .function,
            samples: [
                "F.conv1d(sig, sig:narrow(2, 0, 3))", "F.conv1d(sig[0], sig:narrow(2, 0, 4), v:narrow(0, 0, 2), 2, 1)",
                "F.conv1d(sig, sig:narrow(2, 0, 4), {padding = \"same\", dilation = 1})",
                "F.conv1d(sig, sq:unsqueeze(1), {groups = 3, dilation = 2})",
            ]
        ) {
            var padding: [Int]? = [0]
            if let mode = try? $0.string(4) { padding = mode == "same" ? nil : [0] } else { padding = try $0.ints(4) }
            return .tensor(
                try Tensor.conv1d(
                    try $0.tensor(0), try $0.tensor(1), try $0.optionalTensor(2), stride: try $0.ints(3), padding: padding,
                    dilation: try $0.ints(5), groups: try $0.int(6)))
        },
        Op(
            """
            conv_transpose2d(input: tensor, weight: tensor, bias: tensor = nil, stride: ints = 1, padding: ints = 0, output_padding: ints = 0, groups: int = 1, dilation: ints = 1) -> tensor
            Turns `conv2d` round: `input` [N, I, H, W] (or [I, H, W]) and `weight` [I, O / groups, KH, KW] give [N, O, OH, OW].
            Errors: channels that differ, an output_padding as large as the stride
            Example: nn.functional.conv_transpose2d(tensor.ones(1, 1, 2, 2), tensor.ones(1, 1, 2, 2), {stride = 2}).shape --> {1, 1, 4, 4}
            Source: Zeiler et al. 2010; torch.nn.functional.conv_transpose2d
            """, form: .function,
            samples: [
                "F.conv_transpose2d(img, img:narrow(2, 0, 3):narrow(3, 0, 3):transpose(0, 1))",
                "F.conv_transpose2d(img, t3:reshape(3, 2, 2, 2), v:narrow(0, 0, 2), 2, 1, 1)",
                "F.conv_transpose2d(img, sq:reshape(3, 1, 1, 3), {groups = 3, dilation = 2})",
            ]
        ) {
            .tensor(
                try Tensor.convTranspose2d(
                    try $0.tensor(0), try $0.tensor(1), try $0.optionalTensor(2), stride: try $0.ints(3), padding: try $0.ints(4),
                    outputPadding: try $0.ints(5), groups: try $0.int(6), dilation: try $0.ints(7)))
        },
    ]
}
