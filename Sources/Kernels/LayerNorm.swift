import KernelABI

// Layer norm over the rows of x [R, S] (R is `n` of the arguments): y = (x - mean) rstd weight + bias,
// rstd = 1 / sqrt(var + eps).

@inline(__always)
func layerNormTask<V: Vector>(_: V.Type, _ s: Shared<NormArguments>, _ chunk: Int) {
    let a = s.arguments
    let weight = a.weight?.assumingMemoryBound(to: V.Scalar.self)
    let bias = a.bias?.assumingMemoryBound(to: V.Scalar.self)
    let size = V(Double(a.s))
    let zero = V(0.0)
    for r in s.first(chunk)..<s.end(chunk) {
        let x = a.x.assumingMemoryBound(to: V.Scalar.self) + r &* a.s
        let m = V(sumScalar(x, a.s, V.self)) / size
        let q = sumRow(V.self, a.s) { i, n in
            let d = loadSome(x + i, n, m) - m
            return d * d
        }
        let rstd = V(1.0) / (V(q) / size + V(a.eps)).squareRoot
        a.out1!.assumingMemoryBound(to: V.Scalar.self)[r] = m[0]
        a.out2!.assumingMemoryBound(to: V.Scalar.self)[r] = rstd[0]
        mapRow(V.self, a.s, a.y!.assumingMemoryBound(to: V.Scalar.self) + r &* a.s) { i, n in
            let h = (loadSome(x + i, n, m) - m) * rstd
            let w = weight.map { loadSome($0 + i, n, zero) } ?? V(1.0)
            return V.fma(h, w, bias.map { loadSome($0 + i, n, zero) } ?? zero)
        }
    }
}

/// With h = (x - mean) rstd and d = gy weight: gx = rstd (d - mean(d) - h mean(d h)).
@inline(__always)
func layerNormInputTask<V: Vector>(_: V.Type, _ s: Shared<NormArguments>, _ chunk: Int) {
    let a = s.arguments
    let weight = a.weight?.assumingMemoryBound(to: V.Scalar.self)
    let size = V(Double(a.s))
    let zero = V(0.0)
    for r in s.first(chunk)..<s.end(chunk) {
        let x = a.x.assumingMemoryBound(to: V.Scalar.self) + r &* a.s
        let gy = a.gy.assumingMemoryBound(to: V.Scalar.self) + r &* a.s
        let m = V(a.mean.assumingMemoryBound(to: V.Scalar.self)[r])
        let rstd = V(a.rstd.assumingMemoryBound(to: V.Scalar.self)[r])
        let sum = sumRow(V.self, a.s) { i, n in loadSome(gy + i, n, zero) * (weight.map { loadSome($0 + i, n, zero) } ?? V(1.0)) }
        let dot = sumRow(V.self, a.s) { i, n in
            loadSome(gy + i, n, zero) * (weight.map { loadSome($0 + i, n, zero) } ?? V(1.0)) * (loadSome(x + i, n, m) - m)
        }
        let meanGradient = V(sum) / size
        let slope = (V(dot) / size) * (rstd * rstd)
        mapRow(V.self, a.s, a.y!.assumingMemoryBound(to: V.Scalar.self) + r &* a.s) { i, n in
            let d = loadSome(gy + i, n, zero) * (weight.map { loadSome($0 + i, n, zero) } ?? V(1.0))
            return V.fma((loadSome(x + i, n, m) - m).negated, slope, d - meanGradient) * rstd
        }
    }
}

/// gweight = sum over rows of gy h, gbias = sum of gy: a vector of columns per item.
@inline(__always)
func layerNormWeightTask<V: Vector>(_: V.Type, _ s: Shared<NormArguments>, _ chunk: Int) {
    let a = s.arguments
    let mean = a.mean.assumingMemoryBound(to: V.Scalar.self)
    let rstd = a.rstd.assumingMemoryBound(to: V.Scalar.self)
    let zero = V(0.0)
    for v in s.first(chunk)..<s.end(chunk) {
        let j = v &* V.lanes
        let count = min(V.lanes, a.s &- j)
        let x = a.x.assumingMemoryBound(to: V.Scalar.self) + j
        let gy = a.gy.assumingMemoryBound(to: V.Scalar.self) + j
        if let gweight = a.out1?.assumingMemoryBound(to: V.Scalar.self) {
            let dot = foldColumn(
                a.n, zero,
                at: { loadSome(gy + $0 &* a.s, count, zero) * ((loadSome(x + $0 &* a.s, count, zero) - V(mean[$0])) * V(rstd[$0])) },
                step: { $0 + $1 }, combine: { $0 + $1 })
            storeSome(dot, gweight + j, count)
        }
        if let gbias = a.out2?.assumingMemoryBound(to: V.Scalar.self) {
            let sum = foldColumn(a.n, zero, at: { loadSome(gy + $0 &* a.s, count, zero) }, step: { $0 + $1 }, combine: { $0 + $1 })
            storeSome(sum, gbias + j, count)
        }
    }
}

func layerNorm(
    _ dtype: Int32, _ r: Int, _ s: Int, _ eps: Double, _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer?, _ bias: UnsafeRawPointer?,
    _ y: UnsafeMutableRawPointer, _ mean: UnsafeMutableRawPointer, _ rstd: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) {
    let a = NormArguments(
        n: r, c: 1, s: s, training: true, eps: eps, x: x, mean: x, rstd: x, weight: weight, bias: bias, gy: x, y: y, out1: mean, out2: rstd)
    if Int(dtype) == KERNEL_F32 {
        share(exec, r, 2 &* s, a) { s, i in layerNormTask(FloatLanes.self, s!.load(as: Shared<NormArguments>.self), i) }
    } else {
        share(exec, r, 2 &* s, a) { s, i in layerNormTask(DoubleLanes.self, s!.load(as: Shared<NormArguments>.self), i) }
    }
}

func layerNormBackward(
    _ dtype: Int32, _ r: Int, _ s: Int, _ x: UnsafeRawPointer, _ mean: UnsafeRawPointer, _ rstd: UnsafeRawPointer,
    _ weight: UnsafeRawPointer?, _ gy: UnsafeRawPointer, _ gx: UnsafeMutableRawPointer?, _ gweight: UnsafeMutableRawPointer?,
    _ gbias: UnsafeMutableRawPointer?, _ exec: UnsafePointer<kernel_exec>
) {
    let a = NormArguments(
        n: r, c: 1, s: s, training: true, eps: 0, x: x, mean: mean, rstd: rstd, weight: weight, bias: nil, gy: gy, y: gx, out1: gweight,
        out2: gbias)
    let weights = gweight != nil || gbias != nil
    if Int(dtype) == KERNEL_F32 {
        if gx != nil {
            share(exec, r, 2 &* s, a) { s, i in layerNormInputTask(FloatLanes.self, s!.load(as: Shared<NormArguments>.self), i) }
        }
        if weights {
            share(exec, (s &+ 15) / 16, 32 &* r, a) { s, i in
                layerNormWeightTask(FloatLanes.self, s!.load(as: Shared<NormArguments>.self), i)
            }
        }
    } else {
        if gx != nil {
            share(exec, r, 2 &* s, a) { s, i in layerNormInputTask(DoubleLanes.self, s!.load(as: Shared<NormArguments>.self), i) }
        }
        if weights {
            share(exec, (s &+ 7) / 8, 16 &* r, a) { s, i in
                layerNormWeightTask(DoubleLanes.self, s!.load(as: Shared<NormArguments>.self), i)
            }
        }
    }
}
