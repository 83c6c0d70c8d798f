import KernelABI

// One step of long short-term memory, forward and back, in one pass over the gates (see KernelABI).

@inline(__always)
func lstmStep<V: Vector & ExpressibleByFloatLiteral>(
    _: V.Type, _ rows: Int, _ h: Int, _ gates: UnsafeMutableRawPointer, _ old: UnsafeRawPointer, _ cell: UnsafeMutableRawPointer,
    _ squashed: UnsafeMutableRawPointer, _ state: UnsafeMutableRawPointer
) {
    let zero = V(0.0)
    for row in 0..<rows {
        let gate = gates.assumingMemoryBound(to: V.Scalar.self) + 4 &* row &* h
        let old = old.assumingMemoryBound(to: V.Scalar.self) + row &* h
        let cell = cell.assumingMemoryBound(to: V.Scalar.self) + row &* h
        let squashed = squashed.assumingMemoryBound(to: V.Scalar.self) + row &* h
        let state = state.assumingMemoryBound(to: V.Scalar.self) + row &* h
        var j = 0
        while j < h {
            let count = min(V.lanes, h &- j)
            let i = V.sigmoid(loadSome(UnsafePointer(gate + j), count, zero))
            let f = V.sigmoid(loadSome(UnsafePointer(gate + (h &+ j)), count, zero))
            let g = V.tanh(loadSome(UnsafePointer(gate + (2 &* h &+ j)), count, zero))
            let o = V.sigmoid(loadSome(UnsafePointer(gate + (3 &* h &+ j)), count, zero))
            storeSome(i, gate + j, count)
            storeSome(f, gate + (h &+ j), count)
            storeSome(g, gate + (2 &* h &+ j), count)
            storeSome(o, gate + (3 &* h &+ j), count)
            let c = f * loadSome(old + j, count, zero) + i * g
            let s = V.tanh(c)
            storeSome(c, cell + j, count)
            storeSome(s, squashed + j, count)
            storeSome(o * s, state + j, count)
            j &+= V.lanes
        }
    }
}

@inline(__always)
func lstmBack<V: Vector>(
    _: V.Type, _ rows: Int, _ h: Int, _ dout: UnsafeRawPointer, _ dnext: UnsafeRawPointer?, _ dc: UnsafeMutableRawPointer,
    _ gates: UnsafeRawPointer, _ squashed: UnsafeRawPointer, _ old: UnsafeRawPointer, _ slopes: UnsafeMutableRawPointer
) {
    let zero = V(0.0), one = V(1.0)
    for row in 0..<rows {
        let dout = dout.assumingMemoryBound(to: V.Scalar.self) + row &* h
        let dnext = dnext.map { $0.assumingMemoryBound(to: V.Scalar.self) + row &* h }
        let dc = dc.assumingMemoryBound(to: V.Scalar.self) + row &* h
        let gate = gates.assumingMemoryBound(to: V.Scalar.self) + 4 &* row &* h
        let squashed = squashed.assumingMemoryBound(to: V.Scalar.self) + row &* h
        let old = old.assumingMemoryBound(to: V.Scalar.self) + row &* h
        let slope = slopes.assumingMemoryBound(to: V.Scalar.self) + 4 &* row &* h
        var j = 0
        while j < h {
            let count = min(V.lanes, h &- j)
            let i = loadSome(gate + j, count, zero), f = loadSome(gate + (h &+ j), count, zero)
            let g = loadSome(gate + (2 &* h &+ j), count, zero), o = loadSome(gate + (3 &* h &+ j), count, zero)
            let s = loadSome(squashed + j, count, zero)
            var d = loadSome(dout + j, count, zero)
            if let dnext { d = d + loadSome(dnext + j, count, zero) }
            let c = loadSome(UnsafePointer(dc + j), count, zero) + d * o * (one - s * s)
            storeSome(c * g * i * (one - i), slope + j, count)
            storeSome(c * loadSome(old + j, count, zero) * f * (one - f), slope + (h &+ j), count)
            storeSome(c * i * (one - g * g), slope + (2 &* h &+ j), count)
            storeSome(d * s * o * (one - o), slope + (3 &* h &+ j), count)
            storeSome(c * f, dc + j, count)
            j &+= V.lanes
        }
    }
}

func lstmStep(
    _ dtype: Int32, _ rows: Int, _ h: Int, _ gates: UnsafeMutableRawPointer, _ old: UnsafeRawPointer, _ cell: UnsafeMutableRawPointer,
    _ squashed: UnsafeMutableRawPointer, _ state: UnsafeMutableRawPointer
) {
    if Int(dtype) == KERNEL_F32 {
        lstmStep(FloatLanes.self, rows, h, gates, old, cell, squashed, state)
    } else {
        lstmStep(DoubleLanes.self, rows, h, gates, old, cell, squashed, state)
    }
}

func lstmBack(
    _ dtype: Int32, _ rows: Int, _ h: Int, _ dout: UnsafeRawPointer, _ dnext: UnsafeRawPointer?, _ dc: UnsafeMutableRawPointer,
    _ gates: UnsafeRawPointer, _ squashed: UnsafeRawPointer, _ old: UnsafeRawPointer, _ slopes: UnsafeMutableRawPointer
) {
    if Int(dtype) == KERNEL_F32 {
        lstmBack(FloatLanes.self, rows, h, dout, dnext, dc, gates, squashed, old, slopes)
    } else {
        lstmBack(DoubleLanes.self, rows, h, dout, dnext, dc, gates, squashed, old, slopes)
    }
}
