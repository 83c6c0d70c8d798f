import KernelABI

// Layer norm over the rows of x [R, S] (R is `n` of the arguments): y = (x - mean) rstd weight + bias,
// rstd = 1 / sqrt(var + eps).

@inline(__always)
func layerNormTask<V: Vector>(_: V.Type, _ s: Shared<NormArguments>, _ chunk: Int) {
    let a = s.arguments
    let size = V(Double(a.s))
    for r in s.first(chunk)..<s.end(chunk) {
        let x = a.x.assumingMemoryBound(to: V.Scalar.self) + r &* a.s
        let y = a.y!.assumingMemoryBound(to: V.Scalar.self) + r &* a.s
        let m = V(sumScalar(x, a.s, V.self)) / size
        let q = foldRow(SquaresFold.self, a.s, at: { V.load(x + $0) - m }, some: { loadSome(x + $0, $1, m) - m }).sum
        let rstd = V(1.0) / (V(q) / size + V(a.eps)).squareRoot
        a.out1!.assumingMemoryBound(to: V.Scalar.self)[r] = m[0]
        a.out2!.assumingMemoryBound(to: V.Scalar.self)[r] = rstd[0]
        let zero = V(0.0), one = V(1.0)
        // Both are there or neither, as a rule: a loop without questions.
        if let weight = a.weight?.assumingMemoryBound(to: V.Scalar.self), let bias = a.bias?.assumingMemoryBound(to: V.Scalar.self) {
            mapRow(V.self, a.s, y) { i, n in
                V.fma((loadSome(x + i, n, m) - m) * rstd, loadSome(weight + i, n, zero), loadSome(bias + i, n, zero))
            }
        } else if let weight = a.weight?.assumingMemoryBound(to: V.Scalar.self) {
            mapRow(V.self, a.s, y) { i, n in V.fma((loadSome(x + i, n, m) - m) * rstd, loadSome(weight + i, n, zero), zero) }
        } else if let bias = a.bias?.assumingMemoryBound(to: V.Scalar.self) {
            mapRow(V.self, a.s, y) { i, n in V.fma((loadSome(x + i, n, m) - m) * rstd, one, loadSome(bias + i, n, zero)) }
        } else {
            mapRow(V.self, a.s, y) { i, n in V.fma((loadSome(x + i, n, m) - m) * rstd, one, zero) }
        }
    }
}

struct LayerNormGradient {
    var norm: NormArguments
    /// Of each block of rows the sums for gweight and gbias: [blocks, 2, S].
    var sums: UnsafeMutableRawPointer?
}

/// Rows that are summed one after the other for the gradients of weight and bias.
let layerNormBlock = 64

/// With h = (x - mean) rstd and d = gy weight: gx = rstd (d - mean(d) - h mean(d h)); and one block's sums of gy h and gy.
@inline(__always)
func layerNormBackTask<V: Vector>(_: V.Type, _ s: Shared<LayerNormGradient>, _ chunk: Int) {
    let a = s.arguments.norm
    for block in s.first(chunk)..<s.end(chunk) {
        let sums = s.arguments.sums.map { $0.assumingMemoryBound(to: V.Scalar.self) + 2 &* block &* a.s }
        if let sums { mapRow(V.self, 2 &* a.s, sums) { _, _ in V(0.0) } }
        for r in (block &* layerNormBlock)..<min((block &+ 1) &* layerNormBlock, a.n) {
            let x = a.x.assumingMemoryBound(to: V.Scalar.self) + r &* a.s
            let gy = a.gy.assumingMemoryBound(to: V.Scalar.self) + r &* a.s
            let m = V(a.mean.assumingMemoryBound(to: V.Scalar.self)[r])
            let rstd = V(a.rstd.assumingMemoryBound(to: V.Scalar.self)[r])
            if let gx = a.y {
                let gx = gx.assumingMemoryBound(to: V.Scalar.self) + r &* a.s
                if let weight = a.weight?.assumingMemoryBound(to: V.Scalar.self) {
                    layerNormRow(V.self, a.s, x, m, rstd, gx) { i, n in loadSome(gy + i, n, V(0.0)) * loadSome(weight + i, n, V(0.0)) }
                } else {
                    layerNormRow(V.self, a.s, x, m, rstd, gx) { i, n in loadSome(gy + i, n, V(0.0)) }
                }
            }
            if let sums { layerNormSums(V.self, a.s, x, gy, m, rstd, sums) }
        }
    }
}

/// gx of one row; `slope` gives d.
@inline(__always)
func layerNormRow<V: Vector>(
    _: V.Type, _ s: Int, _ x: UnsafePointer<V.Scalar>, _ m: V, _ rstd: V, _ gx: UnsafeMutablePointer<V.Scalar>, _ slope: (Int, Int) -> V
) {
    let size = V(Double(s))
    let sum = sumRow(V.self, s) { i, n in slope(i, n) }
    let dot = sumRow(V.self, s) { i, n in slope(i, n) * (loadSome(x + i, n, m) - m) }
    let meanGradient = V(sum) / size
    let along = (V(dot) / size) * (rstd * rstd)
    mapRow(V.self, s, gx) { i, n in V.fma((loadSome(x + i, n, m) - m).negated, along, slope(i, n) - meanGradient) * rstd }
}

@inline(__always)
func layerNormSums<V: Vector>(
    _: V.Type, _ s: Int, _ x: UnsafePointer<V.Scalar>, _ gy: UnsafePointer<V.Scalar>, _ m: V, _ rstd: V,
    _ sums: UnsafeMutablePointer<V.Scalar>
) {
    let zero = V(0.0)
    mapRow(V.self, s, sums) { i, n in
        loadSome(UnsafePointer(sums + i), n, zero) + loadSome(gy + i, n, zero) * ((loadSome(x + i, n, m) - m) * rstd)
    }
    let plain = sums + s
    mapRow(V.self, s, plain) { i, n in loadSome(UnsafePointer(plain + i), n, zero) + loadSome(gy + i, n, zero) }
}

/// gweight = sum over rows of gy h, gbias = sum of gy: the blocks' sums in their tree, a vector of columns per item.
@inline(__always)
func layerNormWeightTask<V: Vector>(_: V.Type, _ s: Shared<LayerNormGradient>, _ chunk: Int) {
    let a = s.arguments.norm
    let sums = UnsafePointer(s.arguments.sums!.assumingMemoryBound(to: V.Scalar.self))
    let blocks = (a.n &+ layerNormBlock &- 1) / layerNormBlock
    let zero = V(0.0)
    for v in s.first(chunk)..<s.end(chunk) {
        let j = v &* V.lanes
        let count = min(V.lanes, a.s &- j)
        for kind in 0..<2 {
            guard let out = (kind == 0 ? a.out1 : a.out2)?.assumingMemoryBound(to: V.Scalar.self) else { continue }
            let from = sums + (kind &* a.s &+ j)
            var tree = FoldTree(zero)
            for block in 0..<blocks { tree.add(loadSome(from + 2 &* block &* a.s, count, zero)) { $0 + $1 } }
            storeSome(blocks > 1 ? tree.total { $0 + $1 } : tree.near, out + j, count)
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
    let norm = NormArguments(
        n: r, c: 1, s: s, training: true, eps: 0, x: x, mean: mean, rstd: rstd, weight: weight, bias: nil, gy: gy, y: gx, out1: gweight,
        out2: gbias)
    let weights = gweight != nil || gbias != nil
    let blocks = (r &+ layerNormBlock &- 1) / layerNormBlock
    let size = Int(dtype) == KERNEL_F32 ? 4 : 8
    let a = LayerNormGradient(norm: norm, sums: weights ? exec.pointee.scratch(0, max(1, 2 &* blocks &* s &* size)) : nil)
    if Int(dtype) == KERNEL_F32 {
        share(exec, blocks, 4 &* layerNormBlock &* s, a) { s, i in
            layerNormBackTask(FloatLanes.self, s!.load(as: Shared<LayerNormGradient>.self), i)
        }
        if weights {
            share(exec, (s &+ 15) / 16, 32 &* blocks, a) { s, i in
                layerNormWeightTask(FloatLanes.self, s!.load(as: Shared<LayerNormGradient>.self), i)
            }
        }
    } else {
        share(exec, blocks, 4 &* layerNormBlock &* s, a) { s, i in
            layerNormBackTask(DoubleLanes.self, s!.load(as: Shared<LayerNormGradient>.self), i)
        }
        if weights {
            share(exec, (s &+ 7) / 8, 16 &* blocks, a) { s, i in
                layerNormWeightTask(DoubleLanes.self, s!.load(as: Shared<LayerNormGradient>.self), i)
            }
        }
    }
}
