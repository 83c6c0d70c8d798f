import KernelABI

// Convolution, forward and gradient of the input, as correlations (see Correlation).

func convForward(
    _ dtype: Int32, _ p: UnsafePointer<kernel_conv>, _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer,
    _ bias: UnsafeRawPointer?, _ activation: Int32, _ y: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) {
    if suitsWinograd(p.pointee, dtype, p.pointee.oh, p.pointee.ow) {
        winogradForward(p.pointee, x, weight, bias, relu: activation == 1, y, exec)
        return
    }
    let c = Correlation(forward: p.pointee)
    runCorrelation(dtype, c, x, weight, bias, relu: activation == 1, y, exec)
}

@inline(never)
func runCorrelation(
    _ dtype: Int32, _ c: Correlation, _ x: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ bias: UnsafeRawPointer?,
    relu: Bool, _ y: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) {
    if c.oh <= 0 || c.ow <= 0 || c.images <= 0 || c.outputs <= 0 { return }
    if dtype == KERNEL_F32 {
        let task: kernel_task = { correlateBand(FloatLanes.self, $0, $1) }
        correlate(FloatLanes.self, c, x, weight, bias, relu: relu, y, task, exec)
    } else {
        let task: kernel_task = { correlateBand(DoubleLanes.self, $0, $1) }
        correlate(DoubleLanes.self, c, x, weight, bias, relu: relu, y, task, exec)
    }
}

/// Taps of one dimension that reach input positions of one residue modulo the stride: kernel indices
/// first, first + step, ..., `count` of them; the t-th reads output position i + offset + t * offsetStep
/// for the i-th input position of the residue.
struct PhaseTaps {
    var first = 0, step = 1, count = 0
    var offset = 0, offsetStep = 0

    @inline(__always)
    init(phase: Int, kernel: Int, stride: Int, pad: Int, dilation: Int) {
        // Tap k is used where phase + pad - k * dilation is a multiple of the stride.
        var k = 0
        while k < kernel {
            if (phase &+ pad &- k &* dilation) % stride == 0 {
                if count == 0 {
                    first = k
                    offset = (phase &+ pad &- k &* dilation) / stride
                } else if count == 1 {
                    step = k &- first
                    offsetStep = 0 &- step &* dilation / stride
                }
                count &+= 1
            }
            k &+= 1
        }
    }
}

func convBackwardInput(
    _ dtype: Int32, _ p: UnsafePointer<kernel_conv>, _ slope: kernel_slope, _ weight: UnsafeRawPointer,
    _ gx: UnsafeMutableRawPointer, _ exec: UnsafePointer<kernel_exec>
) -> Bool {
    let s = p.pointee
    let winograd = suitsWinograd(s, dtype, s.h, s.w)
    if slope.relu != nil || (slope.index != nil && !(winograd && hasWholeWindows(s))) { return false }
    if winograd {
        winogradBackwardInput(s, slope, weight, gx, exec)
        return true
    }
    let gy = slope.gy
    if s.stride_h == 1 && s.stride_w == 1 && s.o / s.groups >= 8 {
        if dtype == KERNEL_F32 {
            convScatter(FloatLanes.self, p, gy, weight, gx, { convScatterBlock(FloatLanes.self, $0, $1) }, exec)
        } else {
            convScatter(DoubleLanes.self, p, gy, weight, gx, { convScatterBlock(DoubleLanes.self, $0, $1) }, exec)
        }
    } else {
        convPhases(dtype, s, gy, weight, gx, exec)
    }
    return true
}

/// With a stride of s, the input positions of each residue modulo s see a subset of the taps only:
/// each residue is a correlation of stride one over the output's gradient.
func convPhases(
    _ dtype: Int32, _ s: kernel_conv, _ gy: UnsafeRawPointer, _ weight: UnsafeRawPointer, _ gx: UnsafeMutableRawPointer,
    _ exec: UnsafePointer<kernel_exec>
) {
    var c = Correlation()
    c.images = s.n
    c.groups = s.groups
    c.outputs = s.c / s.groups
    c.h = s.oh
    c.w = s.ow
    c.outH = s.h
    c.outW = s.w
    c.outRowStep = s.stride_h
    c.outColumnStep = s.stride_w
    c.weightOutput = s.kh &* s.kw
    c.weightInput = c.outputs &* c.weightOutput
    c.weightGroup = s.o / s.groups &* c.weightInput
    for a in 0..<min(s.stride_h, s.h) {
        let rows = PhaseTaps(phase: a, kernel: s.kh, stride: s.stride_h, pad: s.pad_h, dilation: s.dilation_h)
        c.oh = (s.h &- a &+ s.stride_h &- 1) / s.stride_h
        c.outRow0 = a
        c.tapRows = rows.count
        c.row0 = rows.offset
        c.rowStep = rows.offsetStep
        c.weightRow = rows.step &* s.kw
        for b in 0..<min(s.stride_w, s.w) {
            let columns = PhaseTaps(phase: b, kernel: s.kw, stride: s.stride_w, pad: s.pad_w, dilation: s.dilation_w)
            c.ow = (s.w &- b &+ s.stride_w &- 1) / s.stride_w
            c.outColumn0 = b
            c.tapColumns = columns.count
            c.column0 = columns.offset
            c.columnStep = columns.offsetStep
            c.weightColumn = columns.step
            c.weightStart = rows.first &* s.kw &+ columns.first
            // A residue that no tap reaches has a gradient of zero: no planes to read.
            c.inputs = rows.count > 0 && columns.count > 0 ? s.o / s.groups : 0
            if c.inputs == 0 {
                c.tapRows = 1
                c.tapColumns = 1
            } else {
                c.tapRows = rows.count
            }
            runCorrelation(dtype, c, gy, weight, nil, relu: false, gx, exec)
        }
    }
}
