import KernelABI

// Cumulative sums and products along the middle of [outer, n, inner]: each element is the one before it
// combined with the next of x, in sequence.

@inline(__always)
func scan<T>(
    _: T.Type, _ outer: Int, _ n: Int, _ inner: Int, _ x: UnsafeRawPointer, _ y: UnsafeMutableRawPointer, _ f: (T, T) -> T
) {
    let x = x.assumingMemoryBound(to: T.self)
    let y = y.assumingMemoryBound(to: T.self)
    if n < 1 { return }
    for o in 0..<outer {
        let p = x + o &* n &* inner
        let q = y + o &* n &* inner
        if inner == 1 {
            var r = p[0]
            q[0] = r
            var i = 1
            while i < n {
                r = f(r, p[i])
                q[i] = r
                i &+= 1
            }
        } else {
            for j in 0..<inner { q[j] = p[j] }
            var i = inner
            while i < n &* inner {
                for j in i..<i &+ inner { q[j] = f(q[j &- inner], p[j]) }
                i &+= inner
            }
        }
    }
}

func scanOf(_ op: Int, _ dtype: Int) -> kernel_scan? {
    switch (op, dtype) {
    case (SCAN_CUMSUM, KERNEL_F32): { outer, n, inner, x, y in scan(Float.self, outer, n, inner, x, y) { $0 + $1 } }
    case (SCAN_CUMPROD, KERNEL_F32): { outer, n, inner, x, y in scan(Float.self, outer, n, inner, x, y) { $0 * $1 } }
    case (SCAN_CUMSUM, KERNEL_F64): { outer, n, inner, x, y in scan(Double.self, outer, n, inner, x, y) { $0 + $1 } }
    case (SCAN_CUMPROD, KERNEL_F64): { outer, n, inner, x, y in scan(Double.self, outer, n, inner, x, y) { $0 * $1 } }
    case (SCAN_CUMSUM, KERNEL_I64): { outer, n, inner, x, y in scan(Int64.self, outer, n, inner, x, y) { $0 &+ $1 } }
    case (SCAN_CUMPROD, KERNEL_I64): { outer, n, inner, x, y in scan(Int64.self, outer, n, inner, x, y) { $0 &* $1 } }
    case (SCAN_CUMSUM, KERNEL_I32): { outer, n, inner, x, y in scan(Int32.self, outer, n, inner, x, y) { $0 &+ $1 } }
    case (SCAN_CUMPROD, KERNEL_I32): { outer, n, inner, x, y in scan(Int32.self, outer, n, inner, x, y) { $0 &* $1 } }
    case (SCAN_SOFTMAX, KERNEL_F32): { outer, n, inner, x, y in softmax(FloatLanes.self, outer, n, inner, x, y) }
    case (SCAN_SOFTMAX, KERNEL_F64): { outer, n, inner, x, y in softmax(DoubleLanes.self, outer, n, inner, x, y) }
    case (SCAN_LOG_SOFTMAX, KERNEL_F32): { outer, n, inner, x, y in logSoftmax(FloatLanes.self, outer, n, inner, x, y) }
    case (SCAN_LOG_SOFTMAX, KERNEL_F64): { outer, n, inner, x, y in logSoftmax(DoubleLanes.self, outer, n, inner, x, y) }
    default: nil
    }
}

func softmaxBackwardOf(_ op: Int, _ dtype: Int) -> kernel_scan_backward? {
    switch (op, dtype) {
    case (SCAN_SOFTMAX, KERNEL_F32): { outer, n, inner, y, g, gx in softmaxBackward(FloatLanes.self, outer, n, inner, y, g, gx) }
    case (SCAN_SOFTMAX, KERNEL_F64): { outer, n, inner, y, g, gx in softmaxBackward(DoubleLanes.self, outer, n, inner, y, g, gx) }
    case (SCAN_LOG_SOFTMAX, KERNEL_F32): { outer, n, inner, y, g, gx in logSoftmaxBackward(FloatLanes.self, outer, n, inner, y, g, gx) }
    case (SCAN_LOG_SOFTMAX, KERNEL_F64): { outer, n, inner, y, g, gx in logSoftmaxBackward(DoubleLanes.self, outer, n, inner, y, g, gx) }
    default: nil
    }
}
