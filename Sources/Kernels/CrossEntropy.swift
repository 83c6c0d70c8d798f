import KernelABI

// Softmax cross-entropy with class indices over rows of [R, C]:
// loss[r] = (1 - ls) w[t] (lse - x[t]) + ls / C sum_c w[c] (lse - x[c]), lse = log sum exp of the row.

struct CrossEntropyArguments {
    var c: Int
    var logits: UnsafeRawPointer
    var target: UnsafePointer<Int64>
    var weight: UnsafeRawPointer?
    var ignored: Int64
    var smoothing: Double
    var loss: UnsafeMutableRawPointer  // backward: glogits
    var lse: UnsafeMutableRawPointer
    var rowWeight: UnsafeMutableRawPointer
    var g: UnsafeRawPointer
    var gStride: Int
}

@inline(__always)
func crossEntropyTask<V: Vector>(_: V.Type, _ s: Shared<CrossEntropyArguments>, _ chunk: Int) {
    let a = s.arguments
    let c = a.c
    let weight = a.weight?.assumingMemoryBound(to: V.Scalar.self)
    let loss = a.loss.assumingMemoryBound(to: V.Scalar.self)
    let lse = a.lse.assumingMemoryBound(to: V.Scalar.self)
    let rowWeight = a.rowWeight.assumingMemoryBound(to: V.Scalar.self)
    let zero = V(0.0)
    var first = s.first(chunk)
    let end = s.end(chunk)
    while first < end {
        // The logarithms of a vector of rows at once.
        let rows = min(V.lanes, end &- first)
        for r in first..<(first &+ rows) {
            (rowWeight[r], lse[r]) = exponentialSum(a.logits.assumingMemoryBound(to: V.Scalar.self) + r &* c, c, V.self)
        }
        let shifts = loadSome(UnsafePointer(rowWeight + first), rows, zero)
        storeSome(V.log(loadSome(UnsafePointer(lse + first), rows, V(1.0))) + shifts, lse + first, rows)
        for r in first..<(first &+ rows) {
            let x = a.logits.assumingMemoryBound(to: V.Scalar.self) + r &* c
            let l = V(lse[r])
            let t = a.target[r]
            if t == a.ignored {
                loss[r] = V.scalar(0)
                rowWeight[r] = V.scalar(0)
                continue
            }
            let w = weight.map { V($0[Int(t)]) } ?? V(1.0)
            rowWeight[r] = w[0]
            var value = w * (l - V(x[Int(t)]))
            if a.smoothing != 0 {
                let spread = sumRow(V.self, c) { i, n in
                    (weight.map { loadSome($0 + i, n, zero) } ?? V(1.0)) * (l - loadSome(x + i, n, l))
                }
                value = V.fma(V(spread), V(a.smoothing / Double(c)), value * V(1 - a.smoothing))
            }
            loss[r] = value[0]
        }
        first &+= rows
    }
}

/// The greatest element m (0 where that is infinite) and the sum of exp(x - m).
@inline(__always)
func exponentialSum<V: Vector>(_ x: UnsafePointer<V.Scalar>, _ n: Int, _: V.Type) -> (V.Scalar, V.Scalar) {
    if n <= V.lanes {
        let v = loadSome(x, n, V.infinity.negated)
        let shift = finiteOrZero(V(MaxFold.collapse(v)))
        return (shift[0], V.exp(v - shift).sum)
    }
    let shift = finiteOrZero(V(maxScalar(x, n, V.self)))
    return (shift[0], sumRow(V.self, n) { i, n in V.exp(loadSome(x + i, n, V.infinity.negated) - shift) })
}

/// glogits[j] = g ((1 - ls) w[t] (p[j] - [j == t]) + ls / C (p[j] sum w - w[j])), p = exp(x - lse).
@inline(__always)
func crossEntropyBackwardTask<V: Vector>(_: V.Type, _ s: Shared<CrossEntropyArguments>, _ chunk: Int) {
    let a = s.arguments
    let c = a.c
    let weight = a.weight?.assumingMemoryBound(to: V.Scalar.self)
    let g = a.g.assumingMemoryBound(to: V.Scalar.self)
    let lse = a.lse.assumingMemoryBound(to: V.Scalar.self)
    let zero = V(0.0)
    var total = V(Double(c))
    if let weight, a.smoothing != 0 { total = V(sumScalar(weight, c, V.self)) }
    let part = V(a.smoothing / Double(c))
    for r in s.first(chunk)..<s.end(chunk) {
        let x = a.logits.assumingMemoryBound(to: V.Scalar.self) + r &* c
        let out = a.loss.assumingMemoryBound(to: V.Scalar.self) + r &* c
        let t = a.target[r]
        if t == a.ignored {
            mapRow(V.self, c, out) { _, _ in zero }
            continue
        }
        let w = weight.map { V($0[Int(t)]) } ?? V(1.0)
        let l = V(lse[r])
        let scale = V(g[r &* a.gStride])
        let hit = w * V(1 - a.smoothing)
        if a.smoothing == 0 {
            let f = scale * hit
            mapRow(V.self, c, out) { i, n in f * V.exp(loadSome(x + i, n, l) - l) }
            out[Int(t)] = (f * (V.exp(V(x[Int(t)]) - l) - V(1.0)))[0]
        } else {
            let all = V.fma(part, total, hit)
            mapRow(V.self, c, out) { i, n in
                let wj = weight.map { loadSome($0 + i, n, zero) } ?? V(1.0)
                return scale * V.fma(V.exp(loadSome(x + i, n, l) - l), all, (part * wj).negated)
            }
            let p = V.exp(V(x[Int(t)]) - l)
            out[Int(t)] = (scale * (V.fma(p, all, (part * w).negated) - hit))[0]
        }
    }
}

func crossEntropy(
    _ dtype: Int32, _ r: Int, _ c: Int, _ logits: UnsafeRawPointer, _ target: UnsafePointer<Int64>, _ weight: UnsafeRawPointer?,
    _ ignored: Int64, _ smoothing: Double, _ loss: UnsafeMutableRawPointer, _ lse: UnsafeMutableRawPointer,
    _ rowWeight: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) {
    let a = CrossEntropyArguments(
        c: c, logits: logits, target: target, weight: weight, ignored: ignored, smoothing: smoothing, loss: loss, lse: lse,
        rowWeight: rowWeight, g: logits, gStride: 0)
    if Int(dtype) == KERNEL_F32 {
        share(exec, r, 4 &* c, a) { s, i in crossEntropyTask(FloatLanes.self, s!.load(as: Shared<CrossEntropyArguments>.self), i) }
    } else {
        share(exec, r, 4 &* c, a) { s, i in crossEntropyTask(DoubleLanes.self, s!.load(as: Shared<CrossEntropyArguments>.self), i) }
    }
}

func crossEntropyBackward(
    _ dtype: Int32, _ r: Int, _ c: Int, _ logits: UnsafeRawPointer, _ target: UnsafePointer<Int64>, _ weight: UnsafeRawPointer?,
    _ ignored: Int64, _ smoothing: Double, _ lse: UnsafeRawPointer, _ g: UnsafeRawPointer, _ gStride: Int,
    _ glogits: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) {
    let a = CrossEntropyArguments(
        c: c, logits: logits, target: target, weight: weight, ignored: ignored, smoothing: smoothing, loss: glogits,
        lse: UnsafeMutableRawPointer(mutating: lse), rowWeight: glogits, g: g, gStride: gStride)
    if Int(dtype) == KERNEL_F32 {
        share(exec, r, 4 &* c, a) { s, i in crossEntropyBackwardTask(FloatLanes.self, s!.load(as: Shared<CrossEntropyArguments>.self), i) }
    } else {
        share(exec, r, 4 &* c, a) { s, i in crossEntropyBackwardTask(DoubleLanes.self, s!.load(as: Shared<CrossEntropyArguments>.self), i) }
    }
}
