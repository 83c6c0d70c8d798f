import KernelABI

/// A band by plain loops (see Winograd).
@inline(never)
func winogradPlain(_ job: UnsafePointer<WinogradJob>, image: Int, first: Int, rows: Int) {
    let j = job.pointee
    let pair = j.exec.pointee.scratch(7, 8 &* j.ow).assumingMemoryBound(to: Float.self)
    let planeOut = j.pools ? j.tileRows &* j.tileColumns : j.oh &* j.ow
    for output in 0..<j.outputs {
        let y = j.y + (image &* j.outputs &+ output) &* planeOut
        for r in (2 &* first)..<min(2 &* (first &+ rows), j.oh) {
            let sums = pair + (r & 1) &* j.ow
            winogradPlainRow(job, image: image, output: output, row: r, sums)
            if !j.pools {
                for c in 0..<j.ow { y[r &* j.ow &+ c] = sums[c] }
            } else if r & 1 == 1 {
                for c in 0..<j.tileColumns {
                    var best = 0
                    for i in 1..<4 {
                        let a = pair[(best >> 1) &* j.ow &+ 2 &* c &+ best & 1], b = pair[(i >> 1) &* j.ow &+ 2 &* c &+ i & 1]
                        if a < b || b != b { best = i } // as max_pool does: of several NaN the last
                    }
                    let at = (r >> 1) &* j.tileColumns &+ c
                    y[at] = pair[(best >> 1) &* j.ow &+ 2 &* c &+ best & 1]
                    if let index = j.index {
                        index[(image &* j.outputs &+ output) &* planeOut &+ at] = Int32(
                            truncatingIfNeeded: (r &- 1 &+ best >> 1) &* j.ow &+ 2 &* c &+ best & 1)
                    }
                }
            }
        }
    }
}

@inline(__always)
func winogradPlainRow(_ job: UnsafePointer<WinogradJob>, image: Int, output: Int, row: Int, _ sums: UnsafeMutablePointer<Float>) {
    let j = job.pointee
    let bias = j.bias.map { $0[output] } ?? 0
    for c in 0..<j.ow { sums[c] = bias }
    for input in 0..<j.inputs {
        let w = j.weight + (output &* j.weightOutput &+ input &* j.weightInput)
        for ky in 0..<3 {
            let i = row &+ ky &- j.padH
            if i < 0 || i >= j.h { continue }
            let from = j.x + ((image &* j.inputs &+ input) &* j.h &+ i) &* j.w
            for kx in 0..<3 {
                let e = w[j.flipped ? 8 &- 3 &* ky &- kx : 3 &* ky &+ kx]
                let shift = kx &- j.padW
                for c in max(0, 0 &- shift)..<max(max(0, 0 &- shift), min(j.ow, j.w &- shift)) { sums[c] += e * from[c &+ shift] }
            }
        }
    }
    if j.relu {
        for c in 0..<j.ow where sums[c] < 0 { sums[c] = 0 }
    }
}
