import KernelABI

extension Tensor {
    /// relu(conv2d(...)), with `pool` then max_pool2d of 2x2 windows, as one operation: the convolution's own
    /// result is never in memory twice, with pooling often not at all. Values, gradients and the history's last
    /// name are those of the single operations.
    static func convRelu(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, stride: [Int], padding: [Int], dilation: [Int], groups: Int, pool: Bool
    ) throws -> Tensor {
        func single() throws -> Tensor {
            let y = try conv2d(x, weight, bias, stride: stride, padding: padding, dilation: dilation, groups: groups).relu()
            return pool ? try maxPool2d(y, kernel: [2], stride: nil, padding: [0], dilation: [1], ceil: false).0 : y
        }
        guard x.rank == 4 else { return try single() }
        let geometry = try convGeometry(x, weight, bias, stride, padding, dilation, groups)
        guard !pool || (geometry.oh > 1 && geometry.ow > 1), x.count > 0 else { return try single() }
        let (out, pooling) = try forward(x, weight, bias, geometry, pool)
        guard shouldRecord([x, weight, bias]) else { return out }
        let gradients = ConvGradients(x, weight, bias, geometry)
        let result = out.savedOutput("relu")
        return try out.record(pool ? "max_pool2d" : "relu", [x, weight, bias]) { g in
            let y = try result.value()
            if GradMode.isEnabled {
                var slope = try g.first * Comparison.compute(COMPARE_GT, y, try Tensor.wrapped(.int(0), beside: y)).to(y.dtype)
                if let pooling {
                    let source = Shape(geometry.n, geometry.o, geometry.oh, geometry.ow)
                    slope = try slope.unpooled(pooling.index, source, pooling.geometry)
                }
                return try gradients.of(slope)
            }
            guard let pooling else { return try gradients.of(ConvSlope(gy: try g.first.packed(), relu: y)) }
            // Windows whose largest is 0 pass nothing on, as relu would.
            let slope = try ConvSlope.throughRelu(try g.first.packed(), y)
            return try gradients.of(ConvSlope(gy: slope, pooling: pooling))
        }
    }

    private static func forward(
        _ x: Tensor, _ weight: Tensor, _ bias: Tensor?, _ geometry: kernel_conv, _ pool: Bool
    ) throws -> (Tensor, ConvSlope.Pooling?) {
        var p = geometry
        let code = x.dtype.code
        let px = try x.packed(), pw = try weight.packed(), pb = try bias?.packed()
        let biasPointer = pb.map { UnsafeRawPointer($0.pointer) }
        func convolved() throws -> Tensor {
            let y = try Tensor(emptyOf: Shape(p.n, p.o, p.oh, p.ow), x.dtype)
            if y.count > 0 {
                Parallel.withExec { kernels.conv_forward(code, &p, px.pointer, pw.pointer, biasPointer, 1, y.pointer, $0) }
            }
            return y
        }
        guard pool else { return (try convolved(), nil) }
        let shape = Shape(p.n, p.o, p.oh / 2, p.ow / 2)
        let out = try Tensor(emptyOf: shape, x.dtype), index = try Tensor(emptyOf: shape, .int32)
        var q = kernel_pool(
            planes: p.n * p.o, h: p.oh, w: p.ow, oh: p.oh / 2, ow: p.ow / 2, kh: 2, kw: 2, stride_h: 2, stride_w: 2, pad_h: 0,
            pad_w: 0, dilation_h: 1, dilation_w: 1)
        let done = Parallel.withExec { kernels.conv_relu_pool(code, &p, px.pointer, pw.pointer, biasPointer, out.pointer, index.data(), $0) }
        if !done {
            let y = try convolved()
            if out.count > 0 { Parallel.withExec { kernels.max_pool(code, &q, y.pointer, out.pointer, index.data(), $0) } }
        }
        return (out, ConvSlope.Pooling(geometry: q, index: index))
    }
}

/// The gradient of a convolution's result, or that of what relu (whose result is `relu`) or pooling made of it: kernels that can
/// take it as it is save passes over memory.
struct ConvSlope {
    struct Pooling {
        var geometry: kernel_pool
        let index: Tensor
    }

    var gy: Tensor
    var relu: Tensor?
    var pooling: Pooling?

    /// Runs a kernel on it, or on the gradient of the result itself where that is all that the kernel takes.
    mutating func pass(
        _ geometry: kernel_conv, _ kernel: (UnsafePointer<kernel_slope>, UnsafePointer<kernel_exec>) -> Bool
    ) throws {
        var slope = kernel_slope(
            gy: gy.pointer, relu: relu.map { UnsafeRawPointer($0.pointer) }, index: pooling.map { UnsafePointer($0.index.data()) })
        if Parallel.withExec({ kernel(&slope, $0) }) { return }
        if let relu { gy = try ConvSlope.throughRelu(gy, relu) }
        if var pooling {
            let whole = try Tensor(emptyOf: Shape(geometry.n, geometry.o, geometry.oh, geometry.ow), gy.dtype)
            Parallel.withExec {
                kernels.max_pool_backward(gy.dtype.code, &pooling.geometry, gy.pointer, pooling.index.data(), whole.pointer, $0)
            }
            gy = whole
        }
        (relu, pooling) = (nil, nil)
        slope = kernel_slope(gy: gy.pointer, relu: nil, index: nil)
        _ = Parallel.withExec { kernel(&slope, $0) }
    }

    static func throughRelu(_ g: Tensor, _ y: Tensor) throws -> Tensor {
        guard let kernel = kernels.binary(Int32(BINARY_RELU_GRAD), y.dtype.code) else { return g }
        return try Elementwise.binary(kernel, y, g, y.dtype)
    }
}

extension Op {
    /// What nn.Sequential makes of neighbours; not for scripts.
    static let fusedLayers: [Op] = [
        Op(
            "batch_norm_relu_pool(input: tensor, running_mean: tensor = nil, running_var: tensor = nil, weight: tensor = nil, bias: tensor = nil, training: bool = false, momentum: number = 0.1, eps: number = 1e-05) -> tensor\nBatch normalisation, relu and pooling of 2x2 windows.",
            form: .function
        ) {
            .tensor(
                try Tensor.batchNorm(
                    try $0.tensor(0), mean: try $0.optionalTensor(1), variance: try $0.optionalTensor(2), try $0.optionalTensor(3),
                    try $0.optionalTensor(4), training: try $0.bool(5), momentum: try $0.double(6), eps: try $0.double(7), pooled: true))
        },
        Op(
            "linear_relu(input: tensor, weight: tensor, bias: tensor = nil) -> tensor\nA linear layer and relu.",
            form: .function
        ) { .tensor(try Tensor.linear(try $0.tensor(0), try $0.tensor(1), try $0.optionalTensor(2), relu: true)) },
        Op(
            "conv2d_relu(input: tensor, weight: tensor, bias: tensor = nil, stride: ints = 1, padding: ints = 0, dilation: ints = 1, groups: int = 1, pool: bool = false) -> tensor\nA convolution, relu and perhaps pooling of 2x2 windows.",
            form: .function
        ) {
            .tensor(
                try Tensor.convRelu(
                    try $0.tensor(0), try $0.tensor(1), try $0.optionalTensor(2), stride: try $0.ints(3), padding: try $0.ints(4),
                    dilation: try $0.ints(5), groups: try $0.int(6), pool: try $0.bool(7)))
        },
    ]
}
