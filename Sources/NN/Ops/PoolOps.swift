import KernelABI

extension Tensor {
    private static func poolGeometry(
        _ name: String, _ x: Tensor, _ kernel: [Int], _ stride: [Int]?, _ padding: [Int], _ dilation: [Int], ceil: Bool
    ) throws -> kernel_pool {
        guard x.rank == 4 || x.rank == 3 else {
            throw TensorError("\(name): expected input [N, C, H, W] or [C, H, W], got \(x.shape)")
        }
        guard x.dtype.isFloat else { throw TensorError("\(name): expected a floating-point tensor, got \(x.dtype.name)") }
        let (kh, kw) = try pair(kernel, name, "kernel_size", min: 1)
        let (sh, sw) = try pair(stride ?? kernel, name, "stride", min: 1)
        let (ph, pw) = try pair(padding, name, "padding", min: 0)
        let (dh, dw) = try pair(dilation, name, "dilation", min: 1)
        guard ph <= kh / 2, pw <= kw / 2 else {
            throw TensorError("\(name): padding must be at most half of the kernel: got padding \(ph)x\(pw) for kernel \(kh)x\(kw)")
        }
        let (h, w) = (x.shape[x.rank - 2], x.shape[x.rank - 1])
        let oh = windowCount(h, kh, sh, ph, dh, ceil: ceil), ow = windowCount(w, kw, sw, pw, dw, ceil: ceil)
        guard oh > 0, ow > 0 else {
            throw TensorError("\(name): a window of \(kh)x\(kw) does not fit into the input \(h)x\(w) padded by \(ph)x\(pw)")
        }
        return kernel_pool(
            planes: x.shape.array.dropLast(2).reduce(1, *), h: h, w: w, oh: oh, ow: ow, kh: kh, kw: kw, stride_h: sh,
            stride_w: sw, pad_h: ph, pad_w: pw, dilation_h: dh, dilation_w: dw)
    }

    /// Largest element of each window; x [N, C, H, W] or [C, H, W]. Also the int32 position of each within its plane.
    public static func maxPool2d(
        _ x: Tensor, kernel: [Int], stride: [Int]?, padding: [Int], dilation: [Int], ceil: Bool
    ) throws -> (Tensor, Tensor) {
        let geometry = try poolGeometry("max_pool2d", x, kernel, stride, padding, dilation, ceil: ceil)
        var p = geometry
        var shape = x.shape
        shape[x.rank - 2] = p.oh
        shape[x.rank - 1] = p.ow
        let out = try Tensor(emptyOf: shape, x.dtype), index = try Tensor(emptyOf: shape, .int32)
        let px = try x.packed()
        if out.count > 0 {
            Parallel.withExec { kernels.max_pool(x.dtype.code, &p, px.pointer, out.pointer, index.data(), $0) }
        }
        guard shouldRecord(x) else { return (out, index) }
        let source = x.shape
        return (try out.record("max_pool2d", x) { g in [try g.first.unpooled(index, source, geometry)] }, index)
    }

    /// Gradients of pooled elements, back at the places `index` that they came from.
    func unpooled(_ index: Tensor, _ source: Shape, _ geometry: kernel_pool) throws -> Tensor {
        try linearMap("max_pool2d") { g in
            let gy = try g.packed()
            var p = geometry
            let gx = try Tensor(emptyOf: source, gy.dtype)
            if gy.count > 0 {
                Parallel.withExec { kernels.max_pool_backward(gy.dtype.code, &p, gy.pointer, index.data(), gx.pointer, $0) }
            } else {
                gx.fillElements(.int(0))
            }
            return gx
        } adjoint: {
            try $0.elementsOfPlanes(try index.converted(to: .int64))
        }
    }

    /// The elements of each plane (the last two dimensions) at int64 positions within it. No history.
    func elementsOfPlanes(_ index: Tensor) throws -> Tensor {
        let out = try Tensor(emptyOf: index.shape, dtype)
        guard out.count > 0 else { return out }
        let (h, w) = (shape[rank - 2], shape[rank - 1])
        let inner = index.shape[index.rank - 2] * index.shape[index.rank - 1]
        Indexed.gather(try packed(), h * w, try index.packed(), inner, 1, into: out)
        return out
    }

    public static func avgPool2d(
        _ x: Tensor, kernel: [Int], stride: [Int]?, padding: [Int], ceil: Bool, countIncludePad: Bool
    ) throws -> Tensor {
        let geometry = try poolGeometry("avg_pool2d", x, kernel, stride, padding, [1], ceil: ceil)
        let source = x.shape
        return try x.linearMap("avg_pool2d") { x in
            var p = geometry, shape = source
            shape[x.rank - 2] = p.oh
            shape[x.rank - 1] = p.ow
            let out = try Tensor(emptyOf: shape, x.dtype)
            let px = try x.packed()
            if out.count > 0 {
                Parallel.withExec { kernels.avg_pool(x.dtype.code, &p, countIncludePad, px.pointer, out.pointer, $0) }
            }
            return out
        } adjoint: { g in
            let gy = try g.packed()
            var p = geometry
            let gx = try Tensor(emptyOf: source, gy.dtype)
            if gy.count > 0 {
                Parallel.withExec { kernels.avg_pool_backward(gy.dtype.code, &p, countIncludePad, gy.pointer, gx.pointer, $0) }
            } else {
                gx.fillElements(.int(0))
            }
            return gx
        }
    }
}

extension Op {
    static let pooling: [Op] = [
        Op(
            """
            max_pool2d(input: tensor, kernel_size: ints, stride: ints = nil, padding: ints = 0, dilation: ints = 1, ceil_mode: bool = false, return_indices: bool = false) -> tensor, tensor
            Gives the largest element of each window of `input` [N, C, H, W] (or [C, H, W]); with return_indices also its position in the plane.
            Errors: padding above half of the kernel, a window that does not fit
            Example: nn.functional.max_pool2d(tensor.arange(4, {dtype = "float32"}):view(1, 1, 2, 2), 2) --> tensor([[[[3.]]]])
            Source: torch.nn.functional.max_pool2d
            """, form: .function, samples: ["F.max_pool2d(img, 2)", "F.max_pool2d(img, {3, 2}, {2, 1}, {1, 0})", "F.max_pool2d(img, 2, {ceil_mode = true})"]
        ) {
            let (y, index) = try Tensor.maxPool2d(
                try $0.tensor(0), kernel: try $0.ints(1), stride: try $0.optionalInts(2), padding: try $0.ints(3),
                dilation: try $0.ints(4), ceil: try $0.bool(5))
            return try $0.bool(6) ? .tensors([y, try index.converted(to: .int64)]) : .tensor(y)
        },
        Op(
            """
            avg_pool2d(input: tensor, kernel_size: ints, stride: ints = nil, padding: ints = 0, ceil_mode: bool = false, count_include_pad: bool = true) -> tensor
            Gives the average of each window of `input` [N, C, H, W] (or [C, H, W]).
            Errors: padding above half of the kernel, a window that does not fit
            Example: nn.functional.avg_pool2d(tensor.arange(4, {dtype = "float32"}):view(1, 1, 2, 2), 2) --> tensor([[[[1.5000]]]])
            Source: torch.nn.functional.avg_pool2d
            """, form: .function, samples: ["F.avg_pool2d(img, 2)", "F.avg_pool2d(img, 3, 2, 1)", "F.avg_pool2d(img, 3, 2, 1, {count_include_pad = false})"]
        ) {
            .tensor(
                try Tensor.avgPool2d(
                    try $0.tensor(0), kernel: try $0.ints(1), stride: try $0.optionalInts(2), padding: try $0.ints(3),
                    ceil: try $0.bool(4), countIncludePad: try $0.bool(5)))
        },
    ]
}
