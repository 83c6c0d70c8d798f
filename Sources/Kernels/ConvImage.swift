import KernelABI

// Convolutions read one image at a time from a copy in scratch memory: padded, spread out (for the
// gradient of a strided one) and, for a stride of s, sorted into s x s phases. In that copy every tap
// (c, kh, kw) of the kernel is a fixed offset, and a run of output positions is a run of memory: the
// products of a convolution become those of a matrix whose rows are never written out.

/// Source planes [h, w] and where their elements go: (i, j) to (i * up + off, j * up + off) of the padded plane.
struct ConvImage {
    var h: Int, w: Int
    var upH: Int, upW: Int
    var offH: Int, offW: Int
    var phasesH: Int, phasesW: Int
    var rows: Int, columns: Int  // of one phase

    @inline(__always) var phase: Int { rows &* columns }
    @inline(__always) var channel: Int { phasesH &* phasesW &* phase }

    /// Offset of the tap at (u, v) of channel c, for the output at (0, 0); outputs step by 1 and by `columns`.
    @inline(__always) func offset(_ c: Int, _ u: Int, _ v: Int) -> Int {
        c &* channel &+ ((u % phasesH) &* phasesW &+ v % phasesW) &* phase &+ (u / phasesH) &* columns &+ v / phasesW
    }

    /// The image that `conv_forward` and the weight gradient read.
    @inline(__always) init(input p: kernel_conv) {
        h = p.h
        w = p.w
        upH = 1
        upW = 1
        offH = p.pad_h
        offW = p.pad_w
        phasesH = p.stride_h
        phasesW = p.stride_w
        rows = (p.h &+ 2 &* p.pad_h &+ p.stride_h &- 1) / p.stride_h
        columns = (p.w &+ 2 &* p.pad_w &+ p.stride_w &- 1) / p.stride_w
    }

    /// The output's gradient as the input of a convolution of stride 1 that gives the input's gradient.
    @inline(__always) init(gradient p: kernel_conv) {
        h = p.oh
        w = p.ow
        upH = p.stride_h
        upW = p.stride_w
        offH = (p.kh &- 1) &* p.dilation_h &- p.pad_h
        offW = (p.kw &- 1) &* p.dilation_w &- p.pad_w
        phasesH = 1
        phasesW = 1
        rows = p.h &+ (p.kh &- 1) &* p.dilation_h
        columns = p.w &+ (p.kw &- 1) &* p.dilation_w
    }

    /// Copies `channels` planes. What is not copied to must hold zeros already and stays as it is.
    @inline(__always)
    func fill<T>(_: T.Type, _ channels: Int, _ x: UnsafePointer<T>, _ out: UnsafeMutablePointer<T>) {
        let lastH = rows &* phasesH
        let lastW = columns &* phasesW
        // Columns whose place is inside.
        let j0 = offW < 0 ? (upW &- 1 &- offW) / upW : 0
        let j1 = offW >= lastW ? 0 : min(w, (lastW &- offW &+ upW &- 1) / upW)
        if j1 <= j0 { return }
        for c in 0..<channels {
            for i in 0..<h {
                let u = i &* upH &+ offH
                if u < 0 || u >= lastH { continue }
                let from = x + (c &* h &+ i) &* w
                if upW == 1 && phasesW == 1 {
                    let to = out + (offset(c, u, 0) &+ j0 &+ offW)
                    UnsafeMutableRawPointer(to).copyMemory(from: from + j0, byteCount: (j1 &- j0) &* MemoryLayout<T>.size)
                } else {
                    let to = out + offset(c, u, 0)
                    var j = j0
                    while j < j1 {
                        let v = j &* upW &+ offW
                        to[(v % phasesW) &* phase &+ v / phasesW] = from[j]
                        j &+= 1
                    }
                }
            }
        }
    }
}
