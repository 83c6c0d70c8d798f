import KernelABI

// What this CPU level offers. Every entry is a plain C function pointer; the tensor library picks one
// level's table at start and calls nothing else of this module.

public func kernelTable() -> kernel_table {
    kernel_table(
        name: levelName(),
        unary: { op, dtype in unaryOf(Int(op), Int(dtype)) },
        binary: { op, dtype in binaryOf(Int(op), Int(dtype)) },
        compare: { op, dtype in compareOf(Int(op), Int(dtype)) },
        convert: { from, to in convertOf(Int(from), Int(to)) },
        reduce: { op, dtype in reduceOf(Int(op), Int(dtype)) },
        scan: { op, dtype in scanOf(Int(op), Int(dtype)) },
        softmax_backward: { op, dtype in softmaxBackwardOf(Int(op), Int(dtype)) },
        where_: { size, n, c, cs, x, xs, z, zs, y in choose(size, n, c, cs, x, xs, z, zs, y) },
        copy: { size, rank, shape, x, xs, y, ys in copy(size, rank, shape, x, xs, y, ys) },
        fill: { size, n, value, y in fill(size, n, value, y) },
        uniform: { dtype, n, seed, offset, low, high, y in uniform(dtype, n, seed, offset, low, high, y) },
        normal: { dtype, n, seed, offset, mean, std, y in normal(dtype, n, seed, offset, mean, std, y) },
        random_bits: { n, seed, offset, y in randomBits(n, seed, offset, y) },
        dropout: { dtype, n, seed, offset, p, scale, x, y, mask in dropout(dtype, n, seed, offset, p, scale, x, y, mask) },
        mask_scale: { dtype, n, scale, x, mask, y in maskScale(dtype, n, scale, x, mask, y) },
        gemm: { dtype, g, exec in gemm(dtype, g, exec) },
        conv_forward: { dtype, p, x, weight, bias, activation, y, exec in convForward(dtype, p, x, weight, bias, activation, y, exec) },
        conv_backward_input: { dtype, p, slope, weight, gx, exec in convBackwardInput(dtype, p, slope.pointee, weight, gx, exec) },
        conv_backward_weight: { dtype, p, slope, x, gweight, gbias, exec in convBackwardWeight(dtype, p, slope.pointee, x, gweight, gbias, exec) },
        conv_relu_pool: { dtype, p, x, weight, bias, y, index, exec in convReluPool(dtype, p, x, weight, bias, y, index, exec) },
        max_pool: { dtype, p, x, y, index, exec in maxPool(dtype, p, x, y, index, exec) },
        max_pool_backward: { dtype, p, gy, index, gx, exec in maxPoolBackward(dtype, p, gy, index, gx, exec) },
        avg_pool: { dtype, p, all, x, y, exec in averagePool(dtype, p, all, x, y, exec) },
        avg_pool_backward: { dtype, p, all, gy, gx, exec in averagePoolBackward(dtype, p, all, gy, gx, exec) },
        batch_norm_stats: { dtype, n, c, s, x, mean, variance, exec in batchNormStats(dtype, n, c, s, x, mean, variance, exec) },
        batch_norm_apply: { dtype, n, c, s, x, mean, rstd, weight, bias, y, exec in
            batchNormApply(dtype, n, c, s, x, mean, rstd, weight, bias, y, exec)
        },
        batch_norm_backward: { dtype, n, c, s, training, x, mean, rstd, weight, gy, gx, gweight, gbias, exec in
            batchNormBackward(dtype, n, c, s, training, x, mean, rstd, weight, gy, gx, gweight, gbias, exec)
        },
        batch_norm_relu_pool: { dtype, n, c, h, w, x, mean, rstd, weight, bias, y, index, exec in
            batchNormReluPool(dtype, n, c, h, w, x, mean, rstd, weight, bias, y, index, exec)
        },
        batch_norm_relu_pool_backward: { dtype, n, c, h, w, training, x, mean, rstd, weight, y, index, gy, gx, gweight, gbias, exec in
            batchNormReluPoolBackward(dtype, n, c, h, w, training, x, mean, rstd, weight, y, index, gy, gx, gweight, gbias, exec)
        },
        layer_norm: { dtype, r, s, eps, x, weight, bias, y, mean, rstd, exec in
            layerNorm(dtype, r, s, eps, x, weight, bias, y, mean, rstd, exec)
        },
        layer_norm_backward: { dtype, r, s, x, mean, rstd, weight, gy, gx, gweight, gbias, exec in
            layerNormBackward(dtype, r, s, x, mean, rstd, weight, gy, gx, gweight, gbias, exec)
        },
        cross_entropy: { dtype, r, c, logits, target, weight, ignored, smoothing, loss, lse, rowWeight, exec in
            crossEntropy(dtype, r, c, logits, target, weight, ignored, smoothing, loss, lse, rowWeight, exec)
        },
        cross_entropy_backward: { dtype, r, c, logits, target, weight, ignored, smoothing, lse, g, gStride, glogits, exec in
            crossEntropyBackward(dtype, r, c, logits, target, weight, ignored, smoothing, lse, g, gStride, glogits, exec)
        },
        lstm: { dtype, p, exec in lstmForward(dtype, p, exec) },
        gru: { dtype, p, exec in gruForward(dtype, p, exec) },
        lstm_backward: { dtype, p, exec in lstmBackward(dtype, p, exec) },
        gru_backward: { dtype, p, exec in gruBackward(dtype, p, exec) },
        sgd: { dtype, n, o, p, g, momentum in sgd(dtype, n, o, p, g, momentum) },
        adam: { dtype, n, o, p, g, m, v, vmax in adam(dtype, n, o, p, g, m, v, vmax) })
}

@inline(__always)
func levelName() -> UnsafePointer<CChar> {
    #if HOST_V4
        let name: StaticString = "v4"
    #elseif HOST_V3
        let name: StaticString = "v3"
    #elseif HOST_NEON
        let name: StaticString = "neon"
    #else
        let name: StaticString = "baseline"
    #endif
    return UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
}

func unaryOf(_ op: Int, _ dtype: Int) -> kernel_unary? {
    switch dtype {
    case KERNEL_F32: unaryFloat(op)
    case KERNEL_F64: unaryDouble(op)
    case KERNEL_I64: unaryInt64(op)
    case KERNEL_I32: unaryInt32(op)
    case KERNEL_U8: unaryUInt8(op)
    default: nil
    }
}

func binaryOf(_ op: Int, _ dtype: Int) -> kernel_binary? {
    switch dtype {
    case KERNEL_F32: binaryFloat(op)
    case KERNEL_F64: binaryDouble(op)
    case KERNEL_I64: binaryInt64(op)
    case KERNEL_I32: binaryInt32(op)
    case KERNEL_U8: binaryUInt8(op)
    default: nil
    }
}

func compareOf(_ op: Int, _ dtype: Int) -> kernel_binary? {
    switch dtype {
    case KERNEL_F32: compareFloat(op)
    case KERNEL_F64: compareDouble(op)
    case KERNEL_I64: compareInt64(op)
    case KERNEL_I32: compareInt32(op)
    default: compareUInt8(op)
    }
}

func convertOf(_ from: Int, _ to: Int) -> kernel_convert? {
    switch from {
    case KERNEL_F32: convertFromF32(to)
    case KERNEL_F64: convertFromF64(to)
    case KERNEL_I64: convertFromI64(to)
    case KERNEL_I32: convertFromI32(to)
    case KERNEL_U8: convertFromU8(to)
    default: convertFromBOOL(to)
    }
}

func reduceOf(_ op: Int, _ dtype: Int) -> kernel_reduce? {
    switch dtype {
    case KERNEL_F32: reduceFloat(op)
    case KERNEL_F64: reduceDouble(op)
    case KERNEL_I64: reduceInt64(op)
    case KERNEL_I32: reduceInt32(op)
    default: reduceUInt8(op)
    }
}
