import KernelABI

/// The innermost loop of a weight gradient: up to 12 taps by 2 vectors of output channels.
///
/// The gradient of tap i (an offset into the image) and output channel o is one chain of fused
/// multiply-adds over the output positions in ascending order, continued from what `sum` holds:
/// sum[i * width + o] += image[offsets[i] + oh * imageRow + ow] * gy[(oh * OW + ow) * width + o].
@inline(__always)
func gradientTile<V: Vector>(
    _: V.Type, rows: Int, vectors: Int, _ oh: Int, _ ow: Int, _ image: UnsafePointer<V.Scalar>, _ imageRow: Int,
    _ offsets: UnsafePointer<Int>, _ gy: UnsafePointer<V.Scalar>, _ sum: UnsafeMutablePointer<V.Scalar>
) {
    let width = vectors &* V.lanes
    var b = gy
    var p0 = image + offsets[rows > 0 ? 0 : 0]
    var p1 = image + offsets[rows > 1 ? 1 : 0]
    var p2 = image + offsets[rows > 2 ? 2 : 0]
    var p3 = image + offsets[rows > 3 ? 3 : 0]
    var p4 = image + offsets[rows > 4 ? 4 : 0]
    var p5 = image + offsets[rows > 5 ? 5 : 0]
    var p6 = image + offsets[rows > 6 ? 6 : 0]
    var p7 = image + offsets[rows > 7 ? 7 : 0]
    var p8 = image + offsets[rows > 8 ? 8 : 0]
    var p9 = image + offsets[rows > 9 ? 9 : 0]
    var p10 = image + offsets[rows > 10 ? 10 : 0]
    var p11 = image + offsets[rows > 11 ? 11 : 0]
    var c0 = rows > 0 ? V.load(sum + 0 &* width) : V(0.0)
    var d0 = rows > 0 && vectors > 1 ? V.load(sum + (0 &* width &+ V.lanes)) : V(0.0)
    var c1 = rows > 1 ? V.load(sum + 1 &* width) : V(0.0)
    var d1 = rows > 1 && vectors > 1 ? V.load(sum + (1 &* width &+ V.lanes)) : V(0.0)
    var c2 = rows > 2 ? V.load(sum + 2 &* width) : V(0.0)
    var d2 = rows > 2 && vectors > 1 ? V.load(sum + (2 &* width &+ V.lanes)) : V(0.0)
    var c3 = rows > 3 ? V.load(sum + 3 &* width) : V(0.0)
    var d3 = rows > 3 && vectors > 1 ? V.load(sum + (3 &* width &+ V.lanes)) : V(0.0)
    var c4 = rows > 4 ? V.load(sum + 4 &* width) : V(0.0)
    var d4 = rows > 4 && vectors > 1 ? V.load(sum + (4 &* width &+ V.lanes)) : V(0.0)
    var c5 = rows > 5 ? V.load(sum + 5 &* width) : V(0.0)
    var d5 = rows > 5 && vectors > 1 ? V.load(sum + (5 &* width &+ V.lanes)) : V(0.0)
    var c6 = rows > 6 ? V.load(sum + 6 &* width) : V(0.0)
    var d6 = rows > 6 && vectors > 1 ? V.load(sum + (6 &* width &+ V.lanes)) : V(0.0)
    var c7 = rows > 7 ? V.load(sum + 7 &* width) : V(0.0)
    var d7 = rows > 7 && vectors > 1 ? V.load(sum + (7 &* width &+ V.lanes)) : V(0.0)
    var c8 = rows > 8 ? V.load(sum + 8 &* width) : V(0.0)
    var d8 = rows > 8 && vectors > 1 ? V.load(sum + (8 &* width &+ V.lanes)) : V(0.0)
    var c9 = rows > 9 ? V.load(sum + 9 &* width) : V(0.0)
    var d9 = rows > 9 && vectors > 1 ? V.load(sum + (9 &* width &+ V.lanes)) : V(0.0)
    var c10 = rows > 10 ? V.load(sum + 10 &* width) : V(0.0)
    var d10 = rows > 10 && vectors > 1 ? V.load(sum + (10 &* width &+ V.lanes)) : V(0.0)
    var c11 = rows > 11 ? V.load(sum + 11 &* width) : V(0.0)
    var d11 = rows > 11 && vectors > 1 ? V.load(sum + (11 &* width &+ V.lanes)) : V(0.0)
    for _ in 0..<oh {
        var j = 0
        while j < ow {
            let b0 = V.load(b)
            let b1 = vectors > 1 ? V.load(b + V.lanes) : b0
            do {
                let e = V(p0[j])
                c0 = V.fma(e, b0, c0)
                if vectors > 1 { d0 = V.fma(e, b1, d0) }
            }
            if rows > 1 {
                let e = V(p1[j])
                c1 = V.fma(e, b0, c1)
                if vectors > 1 { d1 = V.fma(e, b1, d1) }
            }
            if rows > 2 {
                let e = V(p2[j])
                c2 = V.fma(e, b0, c2)
                if vectors > 1 { d2 = V.fma(e, b1, d2) }
            }
            if rows > 3 {
                let e = V(p3[j])
                c3 = V.fma(e, b0, c3)
                if vectors > 1 { d3 = V.fma(e, b1, d3) }
            }
            if rows > 4 {
                let e = V(p4[j])
                c4 = V.fma(e, b0, c4)
                if vectors > 1 { d4 = V.fma(e, b1, d4) }
            }
            if rows > 5 {
                let e = V(p5[j])
                c5 = V.fma(e, b0, c5)
                if vectors > 1 { d5 = V.fma(e, b1, d5) }
            }
            if rows > 6 {
                let e = V(p6[j])
                c6 = V.fma(e, b0, c6)
                if vectors > 1 { d6 = V.fma(e, b1, d6) }
            }
            if rows > 7 {
                let e = V(p7[j])
                c7 = V.fma(e, b0, c7)
                if vectors > 1 { d7 = V.fma(e, b1, d7) }
            }
            if rows > 8 {
                let e = V(p8[j])
                c8 = V.fma(e, b0, c8)
                if vectors > 1 { d8 = V.fma(e, b1, d8) }
            }
            if rows > 9 {
                let e = V(p9[j])
                c9 = V.fma(e, b0, c9)
                if vectors > 1 { d9 = V.fma(e, b1, d9) }
            }
            if rows > 10 {
                let e = V(p10[j])
                c10 = V.fma(e, b0, c10)
                if vectors > 1 { d10 = V.fma(e, b1, d10) }
            }
            if rows > 11 {
                let e = V(p11[j])
                c11 = V.fma(e, b0, c11)
                if vectors > 1 { d11 = V.fma(e, b1, d11) }
            }
            b += width
            j &+= 1
        }
        p0 += imageRow
        p1 += imageRow
        p2 += imageRow
        p3 += imageRow
        p4 += imageRow
        p5 += imageRow
        p6 += imageRow
        p7 += imageRow
        p8 += imageRow
        p9 += imageRow
        p10 += imageRow
        p11 += imageRow
    }
    if rows > 0 {
        c0.store(sum + 0 &* width)
        if vectors > 1 { d0.store(sum + (0 &* width &+ V.lanes)) }
    }
    if rows > 1 {
        c1.store(sum + 1 &* width)
        if vectors > 1 { d1.store(sum + (1 &* width &+ V.lanes)) }
    }
    if rows > 2 {
        c2.store(sum + 2 &* width)
        if vectors > 1 { d2.store(sum + (2 &* width &+ V.lanes)) }
    }
    if rows > 3 {
        c3.store(sum + 3 &* width)
        if vectors > 1 { d3.store(sum + (3 &* width &+ V.lanes)) }
    }
    if rows > 4 {
        c4.store(sum + 4 &* width)
        if vectors > 1 { d4.store(sum + (4 &* width &+ V.lanes)) }
    }
    if rows > 5 {
        c5.store(sum + 5 &* width)
        if vectors > 1 { d5.store(sum + (5 &* width &+ V.lanes)) }
    }
    if rows > 6 {
        c6.store(sum + 6 &* width)
        if vectors > 1 { d6.store(sum + (6 &* width &+ V.lanes)) }
    }
    if rows > 7 {
        c7.store(sum + 7 &* width)
        if vectors > 1 { d7.store(sum + (7 &* width &+ V.lanes)) }
    }
    if rows > 8 {
        c8.store(sum + 8 &* width)
        if vectors > 1 { d8.store(sum + (8 &* width &+ V.lanes)) }
    }
    if rows > 9 {
        c9.store(sum + 9 &* width)
        if vectors > 1 { d9.store(sum + (9 &* width &+ V.lanes)) }
    }
    if rows > 10 {
        c10.store(sum + 10 &* width)
        if vectors > 1 { d10.store(sum + (10 &* width &+ V.lanes)) }
    }
    if rows > 11 {
        c11.store(sum + 11 &* width)
        if vectors > 1 { d11.store(sum + (11 &* width &+ V.lanes)) }
    }
}
