/// Loops that read and write rows or elements at given positions. Nothing here records history;
/// positions were checked by the caller.
enum Indexed {
    /// y[o, i, j] = x[o, index[o, i, j], j] for x [outer, n, inner], index and y [outer, k, inner].
    static func gather(_ x: Tensor, _ n: Int, _ index: Tensor, _ k: Int, _ inner: Int, into y: Tensor) {
        // Moving needs no more than the width of an element.
        switch x.dtype.size {
        case 8: gather(UInt64.self, x, n, index, k, inner, y)
        case 4: gather(UInt32.self, x, n, index, k, inner, y)
        default: gather(UInt8.self, x, n, index, k, inner, y)
        }
    }

    private static func gather<T: Sendable>(_: T.Type, _ x: Tensor, _ n: Int, _ index: Tensor, _ k: Int, _ inner: Int, _ y: Tensor) {
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

    /// y[o, index[o, i, j], j] = x[o, i, j]; the last of equal positions wins.
    static func scatter(_ x: Tensor, _ k: Int, _ index: Tensor, _ n: Int, _ inner: Int, into y: Tensor) {
        switch x.dtype.size {
        case 8: place(Replace<UInt64>.self, x, k, index, n, inner, y)
        case 4: place(Replace<UInt32>.self, x, k, index, n, inner, y)
        default: place(Replace<UInt8>.self, x, k, index, n, inner, y)
        }
    }

    enum Combination { case add, multiply }

    /// y[o, index[o, i, j], j] += (or *=) x[o, i, j], in order of i; integers wrap.
    static func combine(
        _ how: Combination, _ x: Tensor, _ k: Int, _ index: Tensor, _ n: Int, _ inner: Int, into y: Tensor
    ) {
        func either<A: ElementWrite, M: ElementWrite>(_: A.Type, _: M.Type) {
            switch how {
            case .add: place(A.self, x, k, index, n, inner, y)
            case .multiply: place(M.self, x, k, index, n, inner, y)
            }
        }
        switch x.dtype {
        case .float32: either(AddFloat<Float>.self, MultiplyFloat<Float>.self)
        case .float64: either(AddFloat<Double>.self, MultiplyFloat<Double>.self)
        case .int64: either(AddInteger<Int>.self, MultiplyInteger<Int>.self)
        case .int32: either(AddInteger<Int32>.self, MultiplyInteger<Int32>.self)
        case .uint8: either(AddInteger<UInt8>.self, MultiplyInteger<UInt8>.self)
        case .bool: either(Or.self, And.self)
        }
    }

    private static func place<W: ElementWrite>(
        _: W.Type, _ x: Tensor, _ k: Int, _ index: Tensor, _ n: Int, _ inner: Int, _ y: Tensor
    ) {
        let outer = k * inner == 0 ? 0 : index.count / (k * inner)
        let from = SendablePointer(x.pointer), at = SendablePointer(index.pointer), to = SendablePointer(y.pointer)
        Parallel.ranges(count: outer, grain: max(1, Parallel.elementGrain / max(k * inner, 1))) { low, high in
            let x = from.raw.assumingMemoryBound(to: W.Element.self), y = to.raw.assumingMemoryBound(to: W.Element.self)
            let index = at.raw.assumingMemoryBound(to: Int.self)
            for o in low..<high {
                let target = y + o * n * inner
                for i in 0..<k {
                    let row = (o * k + i) * inner
                    for j in 0..<inner { W.write(x[row + j], to: &target[index[row + j] * inner + j]) }
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
        switch x.dtype {
        case .float32: addRows(AddFloat<Float>.self, x, outer, n, inner, rows, y)
        case .float64: addRows(AddFloat<Double>.self, x, outer, n, inner, rows, y)
        case .int64: addRows(AddInteger<Int>.self, x, outer, n, inner, rows, y)
        case .int32: addRows(AddInteger<Int32>.self, x, outer, n, inner, rows, y)
        case .uint8: addRows(AddInteger<UInt8>.self, x, outer, n, inner, rows, y)
        case .bool: addRows(Or.self, x, outer, n, inner, rows, y)
        }
    }

    private static func addRows<W: ElementWrite>(
        _: W.Type, _ x: Tensor, _ outer: Int, _ n: Int, _ inner: Int, _ rows: [Int], _ y: Tensor
    ) {
        let from = SendablePointer(x.pointer), to = SendablePointer(y.pointer), k = rows.count
        Parallel.ranges(count: outer, grain: max(1, Parallel.elementGrain / max(k * inner, 1))) { low, high in
            let x = from.raw.assumingMemoryBound(to: W.Element.self), y = to.raw.assumingMemoryBound(to: W.Element.self)
            for o in low..<high {
                for (i, r) in rows.enumerated() {
                    let a = y + (o * n + r) * inner, b = x + (o * k + i) * inner
                    for j in 0..<inner { W.write(b[j], to: &a[j]) }
                }
            }
        }
    }
}

/// How an element arrives at its place; a type, so that loops are compiled for each.
private protocol ElementWrite: Sendable {
    associatedtype Element: Sendable
    static func write(_ value: Element, to place: inout Element)
}

private enum Replace<T: Sendable>: ElementWrite {
    @inline(__always) static func write(_ value: T, to place: inout T) { place = value }
}
private enum AddFloat<T: BinaryFloatingPoint & Sendable>: ElementWrite {
    @inline(__always) static func write(_ value: T, to place: inout T) { place += value }
}
private enum MultiplyFloat<T: BinaryFloatingPoint & Sendable>: ElementWrite {
    @inline(__always) static func write(_ value: T, to place: inout T) { place *= value }
}
private enum AddInteger<T: FixedWidthInteger & Sendable>: ElementWrite {
    @inline(__always) static func write(_ value: T, to place: inout T) { place &+= value }
}
private enum MultiplyInteger<T: FixedWidthInteger & Sendable>: ElementWrite {
    @inline(__always) static func write(_ value: T, to place: inout T) { place &*= value }
}
private enum Or: ElementWrite {
    @inline(__always) static func write(_ value: UInt8, to place: inout UInt8) { place |= value }
}
private enum And: ElementWrite {
    @inline(__always) static func write(_ value: UInt8, to place: inout UInt8) { place &= value }
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
