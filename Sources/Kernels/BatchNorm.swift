import KernelABI

// Batch norm over x [N, C, S]: each channel's N * S elements are normalised together. With S == 1 the
// channels are neighbours, and a vector of them is handled at once; else a vector lies within S.

struct NormArguments {
    var n: Int, c: Int, s: Int
    var training: Bool
    var eps: Double
    var x: UnsafeRawPointer
    var mean: UnsafeRawPointer
    var rstd: UnsafeRawPointer
    var weight: UnsafeRawPointer?
    var bias: UnsafeRawPointer?
    var gy: UnsafeRawPointer
    var y: UnsafeMutableRawPointer?
    var out1: UnsafeMutableRawPointer?
    var out2: UnsafeMutableRawPointer?
}

/// Sum of f(i, count) over the N rows of S elements of one channel; i is an element's place in x.
@inline(__always)
func foldChannel<V: Vector>(_: V.Type, _ a: NormArguments, _ channel: Int, _ f: (V, Int, Int) -> V) -> V {
    var tree = FoldTree(V(0.0))
    for n in 0..<a.n {
        let base = (n &* a.c &+ channel) &* a.s
        // `step` takes the element in: it gets the running sum and the element's place.
        var acc = V(0.0)
        var acc2 = V(0.0)
        var i = 0
        while i &+ 2 &* V.lanes <= a.s {
            acc = f(acc, base &+ i, V.lanes)
            acc2 = f(acc2, base &+ i &+ V.lanes, V.lanes)
            i &+= 2 &* V.lanes
        }
        while i < a.s {
            acc = f(acc, base &+ i, min(V.lanes, a.s &- i))
            i &+= V.lanes
        }
        tree.add(acc + acc2) { $0 + $1 }
    }
    return tree.total { $0 + $1 }
}

@inline(__always)
func batchNormStatsTask<V: Vector>(_: V.Type, _ s: Shared<NormArguments>, _ chunk: Int) {
    let a = s.arguments
    let x = a.x.assumingMemoryBound(to: V.Scalar.self)
    let mean = a.out1!.assumingMemoryBound(to: V.Scalar.self)
    let variance = a.out2!.assumingMemoryBound(to: V.Scalar.self)
    let size = V(Double(a.n &* a.s))
    if a.s == 1 {
        // Items are vectors of channels.
        for v in s.first(chunk)..<s.end(chunk) {
            let j = v &* V.lanes
            let count = min(V.lanes, a.c &- j)
            let zero = V(0.0)
            let m = foldColumn(SumFold.self, a.n) { loadSome(x + ($0 &* a.c &+ j), count, zero) } / size
            let q = foldColumn(SquaresFold.self, a.n) { loadSome(x + ($0 &* a.c &+ j), count, zero) - m }
            storeSome(m, mean + j, count)
            storeSome(q / size, variance + j, count)
        }
        return
    }
    for c in s.first(chunk)..<s.end(chunk) {
        let m = V(foldChannel(V.self, a, c) { acc, i, n in acc + loadSome(x + i, n, V(0.0)) }.sum) / size
        let q = foldChannel(V.self, a, c) { acc, i, n in
            let d = loadSome(x + i, n, m) - m
            return V.fma(d, d, acc)
        }
        mean[c] = m[0]
        variance[c] = (V(q.sum) / size)[0]
    }
}

/// y = (x - mean) (rstd weight) + bias
@inline(__always)
func batchNormApplyTask<V: Vector>(_: V.Type, _ s: Shared<NormArguments>, _ chunk: Int) {
    let a = s.arguments
    let x = a.x.assumingMemoryBound(to: V.Scalar.self)
    let y = a.y!.assumingMemoryBound(to: V.Scalar.self)
    let mean = a.mean.assumingMemoryBound(to: V.Scalar.self)
    let rstd = a.rstd.assumingMemoryBound(to: V.Scalar.self)
    let weight = a.weight?.assumingMemoryBound(to: V.Scalar.self)
    let bias = a.bias?.assumingMemoryBound(to: V.Scalar.self)
    let zero = V(0.0)
    if a.s == 1 {
        // Items are rows of C channels.
        for n in s.first(chunk)..<s.end(chunk) {
            mapRow(V.self, a.c, y + n &* a.c) { j, count in
                var scale = loadSome(rstd + j, count, zero)
                if let weight { scale = scale * loadSome(weight + j, count, zero) }
                let shift = bias.map { loadSome($0 + j, count, zero) } ?? zero
                return V.fma(loadSome(x + (n &* a.c &+ j), count, zero) - loadSome(mean + j, count, zero), scale, shift)
            }
        }
        return
    }
    // Items are planes of S elements.
    for plane in s.first(chunk)..<s.end(chunk) {
        let c = plane % a.c
        let m = V(mean[c])
        let scale = V(rstd[c]) * (weight.map { V($0[c]) } ?? V(1.0))
        let shift = bias.map { V($0[c]) } ?? zero
        mapRow(V.self, a.s, y + plane &* a.s) { i, n in V.fma(loadSome(x + (plane &* a.s &+ i), n, zero) - m, scale, shift) }
    }
}

/// With h = (x - mean) rstd: gweight = sum gy h, gbias = sum gy and, in training,
/// gx = weight rstd (gy - gbias / M - h gweight / M), M = N S; else gx = weight rstd gy.
@inline(__always)
func batchNormBackwardTask<V: Vector>(_: V.Type, _ s: Shared<NormArguments>, _ chunk: Int) {
    let a = s.arguments
    let x = a.x.assumingMemoryBound(to: V.Scalar.self)
    let gy = a.gy.assumingMemoryBound(to: V.Scalar.self)
    let gx = a.y?.assumingMemoryBound(to: V.Scalar.self)
    let mean = a.mean.assumingMemoryBound(to: V.Scalar.self)
    let rstd = a.rstd.assumingMemoryBound(to: V.Scalar.self)
    let weight = a.weight?.assumingMemoryBound(to: V.Scalar.self)
    let gweight = a.out1?.assumingMemoryBound(to: V.Scalar.self)
    let gbias = a.out2?.assumingMemoryBound(to: V.Scalar.self)
    let zero = V(0.0)
    let size = V(Double(a.n &* a.s))
    if a.s == 1 {
        for v in s.first(chunk)..<s.end(chunk) {
            let j = v &* V.lanes
            let count = min(V.lanes, a.c &- j)
            let m = loadSome(mean + j, count, zero)
            let r = loadSome(rstd + j, count, zero)
            let w = r * (weight.map { loadSome($0 + j, count, zero) } ?? V(1.0))
            let sum = foldColumn(SumFold.self, a.n) { loadSome(gy + ($0 &* a.c &+ j), count, zero) }
            let dot = foldColumn(SumFold.self, a.n) {
                loadSome(gy + ($0 &* a.c &+ j), count, zero) * ((loadSome(x + ($0 &* a.c &+ j), count, zero) - m) * r)
            }
            if let gweight { storeSome(dot, gweight + j, count) }
            if let gbias { storeSome(sum, gbias + j, count) }
            guard let gx else { continue }
            let meanGradient = sum / size
            let slope = dot / size * r
            for n in 0..<a.n {
                let i = n &* a.c &+ j
                var d = loadSome(gy + i, count, zero)
                if a.training { d = V.fma((loadSome(x + i, count, zero) - m).negated, slope, d - meanGradient) }
                storeSome(d * w, gx + i, count)
            }
        }
        return
    }
    for c in s.first(chunk)..<s.end(chunk) {
        let m = V(mean[c])
        let r = V(rstd[c])
        let w = r * (weight.map { V($0[c]) } ?? V(1.0))
        let sum = V(foldChannel(V.self, a, c) { acc, i, n in acc + loadSome(gy + i, n, zero) }.sum)
        let dot =
            V(foldChannel(V.self, a, c) { acc, i, n in V.fma(loadSome(gy + i, n, zero), loadSome(x + i, n, m) - m, acc) }.sum) * r
        if let gweight { gweight[c] = dot[0] }
        if let gbias { gbias[c] = sum[0] }
        guard let gx else { continue }
        let meanGradient = sum / size
        let slope = dot / size * r
        for n in 0..<a.n {
            let base = (n &* a.c &+ c) &* a.s
            mapRow(V.self, a.s, gx + base) { i, count in
                var d = loadSome(gy + (base &+ i), count, zero)
                if a.training { d = V.fma((loadSome(x + (base &+ i), count, m) - m).negated, slope, d - meanGradient) }
                return d * w
            }
        }
    }
}

func batchNormStats(
    _ dtype: Int32, _ n: Int, _ c: Int, _ s: Int, _ x: UnsafeRawPointer, _ mean: UnsafeMutableRawPointer,
    _ variance: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) {
    let a = NormArguments(
        n: n, c: c, s: s, training: true, eps: 0, x: x, mean: x, rstd: x, weight: nil, bias: nil, gy: x, y: nil, out1: mean, out2: variance)
    if Int(dtype) == KERNEL_F32 {
        let items = s == 1 ? (c &+ 15) / 16 : c
        share(exec, items, n &* s &* (s == 1 ? 16 : 1), a) { s, i in
            batchNormStatsTask(FloatLanes.self, s!.load(as: Shared<NormArguments>.self), i)
        }
    } else {
        let items = s == 1 ? (c &+ 7) / 8 : c
        share(exec, items, n &* s &* (s == 1 ? 8 : 1), a) { s, i in
            batchNormStatsTask(DoubleLanes.self, s!.load(as: Shared<NormArguments>.self), i)
        }
    }
}

func batchNormApply(
    _ dtype: Int32, _ n: Int, _ c: Int, _ s: Int, _ x: UnsafeRawPointer, _ mean: UnsafeRawPointer, _ rstd: UnsafeRawPointer,
    _ weight: UnsafeRawPointer?, _ bias: UnsafeRawPointer?, _ y: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) {
    let a = NormArguments(
        n: n, c: c, s: s, training: false, eps: 0, x: x, mean: mean, rstd: rstd, weight: weight, bias: bias, gy: x, y: y, out1: nil, out2: nil)
    let items = s == 1 ? n : n &* c
    let work = s == 1 ? c : s
    if Int(dtype) == KERNEL_F32 {
        share(exec, items, work, a) { s, i in batchNormApplyTask(FloatLanes.self, s!.load(as: Shared<NormArguments>.self), i) }
    } else {
        share(exec, items, work, a) { s, i in batchNormApplyTask(DoubleLanes.self, s!.load(as: Shared<NormArguments>.self), i) }
    }
}

func batchNormBackward(
    _ dtype: Int32, _ n: Int, _ c: Int, _ s: Int, _ training: Bool, _ x: UnsafeRawPointer, _ mean: UnsafeRawPointer,
    _ rstd: UnsafeRawPointer, _ weight: UnsafeRawPointer?, _ gy: UnsafeRawPointer, _ gx: UnsafeMutableRawPointer?,
    _ gweight: UnsafeMutableRawPointer?, _ gbias: UnsafeMutableRawPointer?, _ exec: UnsafePointer<kernel_exec>
) {
    let a = NormArguments(
        n: n, c: c, s: s, training: training, eps: 0, x: x, mean: mean, rstd: rstd, weight: weight, bias: nil, gy: gy, y: gx, out1: gweight,
        out2: gbias)
    if Int(dtype) == KERNEL_F32 {
        let items = s == 1 ? (c &+ 15) / 16 : c
        share(exec, items, 2 &* n &* s &* (s == 1 ? 16 : 1), a) { s, i in
            batchNormBackwardTask(FloatLanes.self, s!.load(as: Shared<NormArguments>.self), i)
        }
    } else {
        let items = s == 1 ? (c &+ 7) / 8 : c
        share(exec, items, 2 &* n &* s &* (s == 1 ? 8 : 1), a) { s, i in
            batchNormBackwardTask(DoubleLanes.self, s!.load(as: Shared<NormArguments>.self), i)
        }
    }
}
