/// Loops that read and write rows or elements at given positions. Nothing here records history;
/// positions were checked by the caller.
enum Indexed {
    /// Calls `body` with the unsigned integer type as wide as an element: moving needs no more.
    static func withWidth<R>(_ dtype: DType, _ body: (any FixedWidthInteger.Type) throws -> R) rethrows -> R {
        switch dtype.size {
        case 8: try body(UInt64.self)
        case 4: try body(UInt32.self)
        default: try body(UInt8.self)
        }
    }

    /// y[o, i, j] = x[o, index[o, i, j], j] for x [outer, n, inner], index and y [outer, k, inner].
    static func gather(_ x: Tensor, _ n: Int, _ index: Tensor, _ k: Int, _ inner: Int, into y: Tensor) {
        func run<T: FixedWidthInteger>(_: T.Type) {
            let outer = k * inner == 0 ? 0 : index.count / (k * inner)
            let from = SendablePointer(x.pointer), at = SendablePointer(index.pointer), to = SendablePointer(y.pointer)
            Parallel.ranges(count: outer, grain: max(1, Parallel.elementGrain / max(k * inner, 1))) { low, high in
                let x = from.raw.assumingMemoryBound(to: T.self), y = to.raw.assumingMemoryBound(to: T.self)
                let index = at.raw.assumingMemoryBound(to: Int.self)
                for o in low..<high {
                    let source = x + o * n * inner
                    for i in 0..<k {
                        let row = (o * k + i) * inner
                        for j in 0..<inner { y[row + j] = source[index[row + j] * inner + j] }
                    }
                }
            }
        }
        withWidth(x.dtype) { run($0) }
    }

    /// y[o, index[o, i, j], j] = x[o, i, j]; the last of equal positions wins.
    static func scatter(_ x: Tensor, _ k: Int, _ index: Tensor, _ n: Int, _ inner: Int, into y: Tensor) {
        func run<T: FixedWidthInteger>(_: T.Type) {
            place(T.self, x, k, index, n, inner, y) { $0 = $1 }
        }
        withWidth(x.dtype) { run($0) }
    }

    enum Combination { case add, multiply }

    /// y[o, index[o, i, j], j] += (or *=) x[o, i, j], in order of i; integers wrap.
    static func combine(
        _ how: Combination, _ x: Tensor, _ k: Int, _ index: Tensor, _ n: Int, _ inner: Int, into y: Tensor
    ) {
        func float<T: BinaryFloatingPoint & Sendable>(_: T.Type) {
            switch how {
            case .add: place(T.self, x, k, index, n, inner, y) { $0 += $1 }
            case .multiply: place(T.self, x, k, index, n, inner, y) { $0 *= $1 }
            }
        }
        func integer<T: FixedWidthInteger & Sendable>(_: T.Type) {
            switch how {
            case .add: place(T.self, x, k, index, n, inner, y) { $0 &+= $1 }
            case .multiply: place(T.self, x, k, index, n, inner, y) { $0 &*= $1 }
            }
        }
        switch x.dtype {
        case .float32: float(Float.self)
        case .float64: float(Double.self)
        case .int64: integer(Int.self)
        case .int32: integer(Int32.self)
        case .uint8: integer(UInt8.self)
        case .bool:
            switch how {
            case .add: place(UInt8.self, x, k, index, n, inner, y) { $0 |= $1 }
            case .multiply: place(UInt8.self, x, k, index, n, inner, y) { $0 &= $1 }
            }
        }
    }

    @inline(__always)
    private static func place<T>(
        _: T.Type, _ x: Tensor, _ k: Int, _ index: Tensor, _ n: Int, _ inner: Int, _ y: Tensor,
        _ write: @Sendable @escaping (inout T, T) -> Void
    ) {
        let outer = k * inner == 0 ? 0 : index.count / (k * inner)
        let from = SendablePointer(x.pointer), at = SendablePointer(index.pointer), to = SendablePointer(y.pointer)
        Parallel.ranges(count: outer, grain: max(1, Parallel.elementGrain / max(k * inner, 1))) { low, high in
            let x = from.raw.assumingMemoryBound(to: T.self), y = to.raw.assumingMemoryBound(to: T.self)
            let index = at.raw.assumingMemoryBound(to: Int.self)
            for o in low..<high {
                let target = y + o * n * inner
                for i in 0..<k {
                    let row = (o * k + i) * inner
                    for j in 0..<inner { write(&target[index[row + j] * inner + j], x[row + j]) }
                }
            }
        }
    }

    /// y[o, i, :] = x[o, rows[i], :] for x [outer, n, inner] and y [outer, rows.count, inner].
    static func takeRows(_ x: Tensor, _ outer: Int, _ n: Int, _ inner: Int, _ rows: [Int], into y: Tensor) {
        let bytes = inner * x.dtype.size, k = rows.count
        let from = SendablePointer(x.pointer), to = SendablePointer(y.pointer)
        Parallel.ranges(count: outer * k, grain: max(1, Parallel.elementGrain / max(inner, 1))) { low, high in
            for i in low..<high {
                let (o, r) = (i / k, rows[i % k])
                (to.raw + i * bytes).copyMemory(from: from.raw + (o * n + r) * bytes, byteCount: bytes)
            }
        }
    }

    /// y[o, rows[i], :] += x[o, i, :], in order of i; integers wrap.
    static func addRows(_ x: Tensor, _ outer: Int, _ n: Int, _ inner: Int, _ rows: [Int], into y: Tensor) {
        func run<T>(_: T.Type, _ add: @Sendable @escaping (inout T, T) -> Void) {
            let from = SendablePointer(x.pointer), to = SendablePointer(y.pointer), k = rows.count
            Parallel.ranges(count: outer, grain: max(1, Parallel.elementGrain / max(k * inner, 1))) { low, high in
                let x = from.raw.assumingMemoryBound(to: T.self), y = to.raw.assumingMemoryBound(to: T.self)
                for o in low..<high {
                    for (i, r) in rows.enumerated() {
                        let a = y + (o * n + r) * inner, b = x + (o * k + i) * inner
                        for j in 0..<inner { add(&a[j], b[j]) }
                    }
                }
            }
        }
        switch x.dtype {
        case .float32: run(Float.self) { $0 += $1 }
        case .float64: run(Double.self) { $0 += $1 }
        case .int64: run(Int.self) { $0 &+= $1 }
        case .int32: run(Int32.self) { $0 &+= $1 }
        case .uint8: run(UInt8.self) { $0 &+= $1 }
        case .bool: run(UInt8.self) { $0 |= $1 }
        }
    }
}

extension Tensor {
    /// The int64 positions in this index tensor, packed and checked against dimension `dim` of `shape`.
    /// - Parameter fromEnd: whether negative positions count from the end.
    func checkedPositions(_ name: String, _ dim: Int, of shape: Shape, fromEnd: Bool) throws -> Tensor {
        guard dtype.isInteger else {
            throw TensorError("\(name): expected an int64 index tensor, got \(dtype.name)")
        }
        var index = try converted(to: .int64).packed()
        let n = shape.rank == 0 ? 1 : shape[dim]
        let values = index.data(Int.self)
        var negative = false
        for i in 0..<index.count {
            let v = values[i]
            guard v < n, v >= 0 || (fromEnd && v >= -n) else {
                throw TensorError("\(name): \(Tensor.outOfRange(v, dim, shape, fromEnd: fromEnd))")
            }
            if v < 0 { negative = true }
        }
        guard negative else { return index }
        if index.storage === storage { index = try index.copied() }
        let own = index.data(Int.self)
        for i in 0..<index.count where own[i] < 0 { own[i] += n }
        return index
    }

    static func outOfRange(_ v: Int, _ dim: Int, _ shape: Shape, fromEnd: Bool) -> String {
        let n = shape.rank == 0 ? 1 : shape[dim]
        if n == 0 { return "index \(v) is out of range: dimension \(dim) of shape \(shape) is empty" }
        return "index \(v) is out of range for dimension \(dim) of shape \(shape); valid: 0..\(n - 1)"
            + (fromEnd ? " or \(-n)..-1" : "")
    }
}
