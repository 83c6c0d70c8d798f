import KernelABI

// Pooling over planes of [H, W] to planes of [OH, OW]; one plane is one item of work.

struct PoolArguments {
    var p: kernel_pool
    var x: UnsafeRawPointer
    var y: UnsafeMutableRawPointer
    var index: UnsafeMutablePointer<Int32>?
    var countPadding: Bool
}

extension kernel_pool {
    /// Windows of 2 x 2 side by side.
    var isPairs: Bool {
        @inline(__always) get {
            kh == 2 && kw == 2 && stride_h == 2 && stride_w == 2 && pad_h == 0 && pad_w == 0 && dilation_h == 1 && dilation_w == 1
                && 2 &* oh <= h && 2 &* ow <= w
        }
    }
}

/// First and last position of a window that lie inside 0 ..< size, in steps of `dilation` from `start`.
@inline(__always)
func windowRange(_ start: Int, _ k: Int, _ dilation: Int, _ size: Int) -> (first: Int, end: Int) {
    let first = start < 0 ? (dilation &- 1 &- start) / dilation : 0
    let end = start >= size ? 0 : min(k, (size &- start &+ dilation &- 1) / dilation)
    return (first, end)
}

/// Any window: the first of equals wins, a NaN wins over everything.
@inline(__always)
func maxPoolPlane<V: Vector>(_: V.Type, _ a: PoolArguments, _ plane: Int) where V.Scalar: BinaryFloatingPoint {
    let p = a.p
    let x = a.x.assumingMemoryBound(to: V.Scalar.self) + plane &* p.h &* p.w
    let y = a.y.assumingMemoryBound(to: V.Scalar.self) + plane &* p.oh &* p.ow
    let index = a.index! + plane &* p.oh &* p.ow
    for oh in 0..<p.oh {
        let top = oh &* p.stride_h &- p.pad_h
        let (i0, i1) = windowRange(top, p.kh, p.dilation_h, p.h)
        for ow in 0..<p.ow {
            let left = ow &* p.stride_w &- p.pad_w
            let (j0, j1) = windowRange(left, p.kw, p.dilation_w, p.w)
            var best = V.scalar(-.infinity)
            var at = (top &+ i0 &* p.dilation_h) &* p.w &+ left &+ j0 &* p.dilation_w
            var i = i0
            while i < i1 {
                var j = j0
                while j < j1 {
                    let q = (top &+ i &* p.dilation_h) &* p.w &+ left &+ j &* p.dilation_w
                    let v = x[q]
                    if v > best || v != v {
                        best = v
                        at = q
                    }
                    j &+= 1
                }
                i &+= 1
            }
            y[oh &* p.ow &+ ow] = best
            index[oh &* p.ow &+ ow] = Int32(truncatingIfNeeded: at)
        }
    }
}

/// Windows of 2 x 2 side by side: a vector of outputs from four vectors of inputs.
@inline(__always)
func maxPoolPairs<V: Vector>(_: V.Type, _ a: PoolArguments, _ plane: Int) {
    let p = a.p
    let total = p.planes &* p.h &* p.w
    let all = a.x.assumingMemoryBound(to: V.Scalar.self)
    let y = a.y.assumingMemoryBound(to: V.Scalar.self) + plane &* p.oh &* p.ow
    let index = a.index! + plane &* p.oh &* p.ow
    let one = V(1.0)
    let row = V(Double(p.w))
    for oh in 0..<p.oh {
        var ow = 0
        while ow < p.ow {
            let count = min(V.lanes, p.ow &- ow)
            let base = 2 &* oh &* p.w &+ 2 &* ow
            let from = plane &* p.h &* p.w &+ base
            let (a0, a1) = pairRow(V.self, all + from, count, total &- from)
            let (b0, b1) = pairRow(V.self, all + from + p.w, count, total &- from &- p.w)
            var best = a0
            var at = V(0.0)
            var wins = V.either(V.less(best, a1), a1.isNaN)
            best = V.select(wins, a1, best)
            at = V.select(wins, one, at)
            wins = V.either(V.less(best, b0), b0.isNaN)
            best = V.select(wins, b0, best)
            at = V.select(wins, row, at)
            wins = V.either(V.less(best, b1), b1.isNaN)
            best = V.select(wins, b1, best)
            at = V.select(wins, row + one, at)
            let o = oh &* p.ow &+ ow
            storeSome(best, y + o, count)
            V.storePositions(at, Int32(truncatingIfNeeded: base), index + o, count)
            ow &+= V.lanes
        }
    }
}

/// Even and odd elements of the next 2 * count; whole vectors are read where `left` elements allow it.
@inline(__always)
func pairRow<V: Vector>(_: V.Type, _ p: UnsafePointer<V.Scalar>, _ count: Int, _ left: Int) -> (V, V) {
    if left >= 2 &* V.lanes { return V.deinterleave(V.load(p), V.load(p + V.lanes)) }
    let n = 2 &* count
    let zero = V(0.0)
    let high = n > V.lanes ? loadSome(p + V.lanes, n &- V.lanes, zero) : zero
    return V.deinterleave(loadSome(p, n, zero), high)
}

@inline(__always)
func maxPoolTask<V: Vector>(_: V.Type, _ s: Shared<PoolArguments>, _ chunk: Int) where V.Scalar: BinaryFloatingPoint {
    let pairs = s.arguments.p.isPairs
    for plane in s.first(chunk)..<s.end(chunk) {
        if pairs { maxPoolPairs(V.self, s.arguments, plane) } else { maxPoolPlane(V.self, s.arguments, plane) }
    }
}

func maxPool(
    _ dtype: Int32, _ p: UnsafePointer<kernel_pool>, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer,
    _ index: UnsafeMutablePointer<Int32>, _ exec: UnsafePointer<kernel_exec>
) {
    let a = PoolArguments(p: p.pointee, x: x, y: y, index: index, countPadding: false)
    let work = a.p.oh &* a.p.ow &* a.p.kh &* a.p.kw
    if Int(dtype) == KERNEL_F32 {
        share(exec, a.p.planes, work, a) { s, i in maxPoolTask(FloatLanes.self, s!.load(as: Shared<PoolArguments>.self), i) }
    } else {
        share(exec, a.p.planes, work, a) { s, i in maxPoolTask(DoubleLanes.self, s!.load(as: Shared<PoolArguments>.self), i) }
    }
}

/// Back through windows of 2 x 2 side by side: each element of gx is written once, with its window's gradient or 0.
@inline(__always)
func maxPoolPairsBackward<V: Vector>(_: V.Type, _ a: PoolArguments, _ plane: Int) {
    let p = a.p
    let gy = a.x.assumingMemoryBound(to: V.Scalar.self) + plane &* p.oh &* p.ow
    let gx = a.y.assumingMemoryBound(to: V.Scalar.self) + plane &* p.h &* p.w
    let index = UnsafePointer(a.index! + plane &* p.oh &* p.ow)
    let zero = V(0.0)
    for oh in 0..<p.oh {
        var ow = 0
        while ow < p.ow {
            let count = min(V.lanes, p.ow &- ow)
            let o = oh &* p.ow &+ ow
            let g = loadSome(gy + o, count, zero) + zero
            let at = V.loadPositions(index + o, Int32(truncatingIfNeeded: 2 &* oh &* p.w &+ 2 &* ow), count)
            for row in 0..<2 {
                let place = (2 &* oh &+ row) &* p.w &+ 2 &* ow
                let left = V(Double(row &* p.w))
                let (low, high) = V.interleave(
                    V.select(V.equal(at, left), g, zero), V.select(V.equal(at, left + V(1.0)), g, zero))
                storeSome(low, gx + place, 2 &* count)
                if 2 &* count > V.lanes { storeSome(high, gx + place + V.lanes, 2 &* count &- V.lanes) }
            }
            ow &+= V.lanes
        }
        // What no window covers.
        for row in 0..<2 {
            for j in (2 &* p.ow)..<max(2 &* p.ow, p.w) { gx[(2 &* oh &+ row) &* p.w &+ j] = V.scalar(0) }
        }
    }
    for i in (2 &* p.oh &* p.w)..<max(2 &* p.oh &* p.w, p.h &* p.w) { gx[i] = V.scalar(0) }
}

/// gx = 0, then gx[index] += gy in ascending order. Here x is gy and y is gx.
@inline(__always)
func maxPoolBackwardTask<V: Vector>(_: V.Type, _ s: Shared<PoolArguments>, _ chunk: Int) where V.Scalar: BinaryFloatingPoint {
    let a = s.arguments
    if a.p.isPairs {
        for plane in s.first(chunk)..<s.end(chunk) { maxPoolPairsBackward(V.self, a, plane) }
        return
    }
    let inside = a.p.h &* a.p.w
    let outside = a.p.oh &* a.p.ow
    for plane in s.first(chunk)..<s.end(chunk) {
        let gy = a.x.assumingMemoryBound(to: V.Scalar.self) + plane &* outside
        let gx = a.y.assumingMemoryBound(to: V.Scalar.self) + plane &* inside
        let index = a.index! + plane &* outside
        for i in 0..<inside { gx[i] = 0 }
        for i in 0..<outside { gx[Int(index[i])] += gy[i] }
    }
}

func maxPoolBackward(
    _ dtype: Int32, _ p: UnsafePointer<kernel_pool>, _ gy: UnsafeRawPointer, _ index: UnsafePointer<Int32>,
    _ gx: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) {
    let a = PoolArguments(p: p.pointee, x: gy, y: gx, index: UnsafeMutablePointer(mutating: index), countPadding: false)
    let work = a.p.h &* a.p.w
    if Int(dtype) == KERNEL_F32 {
        share(exec, a.p.planes, work, a) { s, i in maxPoolBackwardTask(FloatLanes.self, s!.load(as: Shared<PoolArguments>.self), i) }
    } else {
        share(exec, a.p.planes, work, a) { s, i in maxPoolBackwardTask(DoubleLanes.self, s!.load(as: Shared<PoolArguments>.self), i) }
    }
}

/// The divisor of a window: its elements inside the plane, or also those in the padding (but not beyond it).
@inline(__always)
func divisor(_ a: PoolArguments, _ top: Int, _ left: Int, _ rows: Int, _ columns: Int) -> Int {
    if !a.countPadding { return max(rows &* columns, 1) }
    let bottom = min(top &+ a.p.kh, a.p.h &+ a.p.pad_h)
    let right = min(left &+ a.p.kw, a.p.w &+ a.p.pad_w)
    return max((bottom &- top) &* (right &- left), 1)
}

@inline(__always)
func averagePoolTask<T: BinaryFloatingPoint>(_: T.Type, _ s: Shared<PoolArguments>, _ chunk: Int, backward: Bool) {
    let a = s.arguments
    let p = a.p
    let inside = p.h &* p.w
    let outside = p.oh &* p.ow
    for plane in s.first(chunk)..<s.end(chunk) {
        // Forward reads the plane and writes the windows; backward reads the windows and adds to the plane.
        let x = a.x.assumingMemoryBound(to: T.self) + plane &* (backward ? outside : inside)
        let y = a.y.assumingMemoryBound(to: T.self) + plane &* (backward ? inside : outside)
        if backward { for i in 0..<inside { y[i] = 0 } }
        for oh in 0..<p.oh {
            let top = oh &* p.stride_h &- p.pad_h
            let (i0, i1) = windowRange(top, p.kh, 1, p.h)
            for ow in 0..<p.ow {
                let left = ow &* p.stride_w &- p.pad_w
                let (j0, j1) = windowRange(left, p.kw, 1, p.w)
                let d = T(divisor(a, top, left, max(i1 &- i0, 0), max(j1 &- j0, 0)))
                let o = oh &* p.ow &+ ow
                var sum: T = backward ? x[o] / d : 0
                var i = i0
                while i < i1 {
                    let r = (top &+ i) &* p.w &+ left
                    var j = j0
                    while j < j1 {
                        if backward { y[r &+ j] += sum } else { sum += x[r &+ j] }
                        j &+= 1
                    }
                    i &+= 1
                }
                if !backward { y[o] = sum / d }
            }
        }
    }
}

func averagePool(
    _ dtype: Int32, _ p: UnsafePointer<kernel_pool>, _ countPadding: Bool, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer,
    _ exec: UnsafePointer<kernel_exec>
) {
    let a = PoolArguments(p: p.pointee, x: x, y: y, index: nil, countPadding: countPadding)
    let work = a.p.oh &* a.p.ow &* a.p.kh &* a.p.kw
    if Int(dtype) == KERNEL_F32 {
        share(exec, a.p.planes, work, a) { s, i in averagePoolTask(Float.self, s!.load(as: Shared<PoolArguments>.self), i, backward: false) }
    } else {
        share(exec, a.p.planes, work, a) { s, i in averagePoolTask(Double.self, s!.load(as: Shared<PoolArguments>.self), i, backward: false) }
    }
}

func averagePoolBackward(
    _ dtype: Int32, _ p: UnsafePointer<kernel_pool>, _ countPadding: Bool, _ gy: UnsafeRawPointer, _ gx: UnsafeMutableRawPointer,
    _ exec: UnsafePointer<kernel_exec>
) {
    let a = PoolArguments(p: p.pointee, x: gy, y: gx, index: nil, countPadding: countPadding)
    let work = a.p.oh &* a.p.ow &* a.p.kh &* a.p.kw
    if Int(dtype) == KERNEL_F32 {
        share(exec, a.p.planes, work, a) { s, i in averagePoolTask(Float.self, s!.load(as: Shared<PoolArguments>.self), i, backward: true) }
    } else {
        share(exec, a.p.planes, work, a) { s, i in averagePoolTask(Double.self, s!.load(as: Shared<PoolArguments>.self), i, backward: true) }
    }
}
