import KernelABI

// Batch norm, relu and pooling of 2x2 windows in one pass over the input, and back in two: what lies between them is never
// in memory. Planes have even sides, so that each element lies in one window.

struct NormPoolArguments {
    var n: Int, c: Int, h: Int, w: Int
    var training: Bool
    var x: UnsafeRawPointer
    var mean: UnsafeRawPointer
    var rstd: UnsafeRawPointer
    var weight: UnsafeRawPointer?
    var bias: UnsafeRawPointer?
    var y: UnsafeMutableRawPointer
    var index: UnsafeMutablePointer<Int32>
    var gy: UnsafeRawPointer
    var gx: UnsafeMutableRawPointer?
    var gweight: UnsafeMutableRawPointer?
    var gbias: UnsafeMutableRawPointer?
}

@inline(__always)
func normPoolTask<V: Vector>(_: V.Type, _ s: Shared<NormPoolArguments>, _ chunk: Int) {
    let a = s.arguments
    let inside = a.h &* a.w
    let all = a.x.assumingMemoryBound(to: V.Scalar.self)
    let total = a.n &* a.c &* inside
    let one = V(1.0), row = V(Double(a.w))
    for plane in s.first(chunk)..<s.end(chunk) {
        let c = plane % a.c
        let m = V(a.mean.assumingMemoryBound(to: V.Scalar.self)[c])
        let scale = V(a.rstd.assumingMemoryBound(to: V.Scalar.self)[c])
            * (a.weight.map { V($0.assumingMemoryBound(to: V.Scalar.self)[c]) } ?? one)
        let shift = a.bias.map { V($0.assumingMemoryBound(to: V.Scalar.self)[c]) } ?? V(0.0)
        let y = a.y.assumingMemoryBound(to: V.Scalar.self) + plane &* inside / 4
        let index = a.index + plane &* inside / 4
        eachWindows(V.self, a.h, a.w) { window, place, count, rows in
            let from = plane &* inside &+ place
            let (a0, a1, b0, b1) = rows.load(all + from, count, total &- from)
            var best = reluLanes(V.fma(a0 - m, scale, shift))
            var at = V(0.0)
            // The first of equals stays, a NaN wins.
            let v1 = reluLanes(V.fma(a1 - m, scale, shift))
            var wins = V.either(V.less(best, v1), v1.isNaN)
            best = V.select(wins, v1, best)
            at = V.select(wins, one, at)
            let v2 = reluLanes(V.fma(b0 - m, scale, shift))
            wins = V.either(V.less(best, v2), v2.isNaN)
            best = V.select(wins, v2, best)
            at = V.select(wins, row, at)
            let v3 = reluLanes(V.fma(b1 - m, scale, shift))
            wins = V.either(V.less(best, v3), v3.isNaN)
            best = V.select(wins, v3, best)
            at = V.select(wins, row + one, at)
            storeSome(best, y + window, count)
            rows.storePositions(at, place, index + window, count)
        }
    }
}

/// The gradient of the largest of each window (0 where relu stopped it).
@inline(__always)
func windowGradient<V: Vector>(_ a: NormPoolArguments, _ at: Int, _ count: Int, _ zero: V) -> V {
    let y = loadSome(UnsafePointer(a.y.assumingMemoryBound(to: V.Scalar.self)) + at, count, zero)
    return V.select(V.less(zero, y), loadSome(a.gy.assumingMemoryBound(to: V.Scalar.self) + at, count, zero), zero)
}

/// With d the gradient behind relu and pooling and h = (x - mean) rstd: gweight = sum d h, gbias = sum d, and, in training,
/// gx = weight rstd (d - gbias / M - h gweight / M), M = N H W; else gx = weight rstd d. One channel is one item.
@inline(__always)
func normPoolBackTask<V: Vector>(_: V.Type, _ s: Shared<NormPoolArguments>, _ chunk: Int) {
    let a = s.arguments
    let inside = a.h &* a.w
    let all = a.x.assumingMemoryBound(to: V.Scalar.self)
    let total = a.n &* a.c &* inside
    let zero = V(0.0)
    let size = V(Double(a.n &* inside))
    let one = V(1.0), row = V(Double(a.w))
    for c in s.first(chunk)..<s.end(chunk) {
        let m = V(a.mean.assumingMemoryBound(to: V.Scalar.self)[c])
        let r = V(a.rstd.assumingMemoryBound(to: V.Scalar.self)[c])
        let w = r * (a.weight.map { V($0.assumingMemoryBound(to: V.Scalar.self)[c]) } ?? V(1.0))
        var sums = FoldTree(zero), dots = FoldTree(zero)
        for n in 0..<a.n {
            let plane = n &* a.c &+ c
            var sum = zero, dot = zero
            eachWindows(V.self, a.h, a.w) { window, place, count, rows in
                let at = plane &* inside / 4 &+ window
                let from = plane &* inside &+ place
                let g = windowGradient(a, at, count, zero)
                let (a0, a1, b0, b1) = rows.load(all + from, count, total &- from)
                let position = rows.loadPositions(a.index + at, place, count)
                var largest = V.select(V.equal(position, zero), a0, a1)
                largest = V.select(V.equal(position, row), b0, largest)
                largest = V.select(V.equal(position, row + one), b1, largest)
                sum = sum + g
                dot = V.fma(g, V.select(V.equal(g, zero), zero, largest - m), dot)
            }
            sums.add(sum) { $0 + $1 }
            dots.add(dot) { $0 + $1 }
        }
        let sum = V(sums.total { $0 + $1 }.sum)
        let dot = V(dots.total { $0 + $1 }.sum) * r
        if let gweight = a.gweight { gweight.assumingMemoryBound(to: V.Scalar.self)[c] = dot[0] }
        if let gbias = a.gbias { gbias.assumingMemoryBound(to: V.Scalar.self)[c] = sum[0] }
        guard let gx = a.gx?.assumingMemoryBound(to: V.Scalar.self) else { continue }
        // Outside of training the statistics are constants: nothing flows through them.
        let meanGradient = a.training ? sum / size : zero
        let slope = a.training ? (dot / size * r).negated : zero
        for n in 0..<a.n {
            let plane = n &* a.c &+ c
            eachWindows(V.self, a.h, a.w) { window, place, count, rows in
                let at = plane &* inside / 4 &+ window
                let from = plane &* inside &+ place
                let g = windowGradient(a, at, count, zero)
                let position = rows.loadPositions(a.index + at, place, count)
                let (a0, a1, b0, b1) = rows.load(all + from, count, total &- from)
                rows.store(
                    V.fma(a0 - m, slope, V.select(V.equal(position, zero), g, zero) - meanGradient) * w,
                    V.fma(a1 - m, slope, V.select(V.equal(position, one), g, zero) - meanGradient) * w,
                    V.fma(b0 - m, slope, V.select(V.equal(position, row), g, zero) - meanGradient) * w,
                    V.fma(b1 - m, slope, V.select(V.equal(position, row + one), g, zero) - meanGradient) * w, gx + from, count)
            }
        }
    }
}

func batchNormReluPool(
    _ dtype: Int32, _ n: Int, _ c: Int, _ h: Int, _ w: Int, _ x: UnsafeRawPointer, _ mean: UnsafeRawPointer, _ rstd: UnsafeRawPointer,
    _ weight: UnsafeRawPointer?, _ bias: UnsafeRawPointer?, _ y: UnsafeMutableRawPointer, _ index: UnsafeMutablePointer<Int32>,
    _ exec: UnsafePointer<kernel_exec>
) {
    let a = NormPoolArguments(
        n: n, c: c, h: h, w: w, training: false, x: x, mean: mean, rstd: rstd, weight: weight, bias: bias, y: y, index: index, gy: x,
        gx: nil, gweight: nil, gbias: nil)
    if Int(dtype) == KERNEL_F32 {
        share(exec, n &* c, h &* w, a) { s, i in normPoolTask(FloatLanes.self, s!.load(as: Shared<NormPoolArguments>.self), i) }
    } else {
        share(exec, n &* c, h &* w, a) { s, i in normPoolTask(DoubleLanes.self, s!.load(as: Shared<NormPoolArguments>.self), i) }
    }
}

func batchNormReluPoolBackward(
    _ dtype: Int32, _ n: Int, _ c: Int, _ h: Int, _ w: Int, _ training: Bool, _ x: UnsafeRawPointer, _ mean: UnsafeRawPointer,
    _ rstd: UnsafeRawPointer, _ weight: UnsafeRawPointer?, _ y: UnsafeRawPointer, _ index: UnsafePointer<Int32>, _ gy: UnsafeRawPointer,
    _ gx: UnsafeMutableRawPointer?, _ gweight: UnsafeMutableRawPointer?, _ gbias: UnsafeMutableRawPointer?,
    _ exec: UnsafePointer<kernel_exec>
) {
    let a = NormPoolArguments(
        n: n, c: c, h: h, w: w, training: training, x: x, mean: mean, rstd: rstd, weight: weight, bias: nil,
        y: UnsafeMutableRawPointer(mutating: y), index: UnsafeMutablePointer(mutating: index), gy: gy, gx: gx, gweight: gweight, gbias: gbias)
    if Int(dtype) == KERNEL_F32 {
        share(exec, c, n &* h &* w, a) { s, i in normPoolBackTask(FloatLanes.self, s!.load(as: Shared<NormPoolArguments>.self), i) }
    } else {
        share(exec, c, n &* h &* w, a) { s, i in normPoolBackTask(DoubleLanes.self, s!.load(as: Shared<NormPoolArguments>.self), i) }
    }
}
