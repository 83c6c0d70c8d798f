extension Tensor {
    public static func full(_ shape: Shape, _ value: Scalar, _ dtype: DType) throws -> Tensor {
        let out = try Tensor(emptyOf: shape, dtype)
        out.fillElements(value)
        return out
    }

    static func full(_ shape: Shape, _ value: Int, _ dtype: DType) throws -> Tensor {
        try full(shape, .int(value), dtype)
    }

    public static func zeros(_ shape: Shape, _ dtype: DType = .float32) throws -> Tensor { try full(shape, 0, dtype) }
    public static func ones(_ shape: Shape, _ dtype: DType = .float32) throws -> Tensor { try full(shape, 1, dtype) }

    /// A 0-d tensor that stands for a script's number in an operation.
    static func wrapped(_ value: Scalar) throws -> Tensor {
        let t = try full(Shape(), value, value.wrappedDType)
        t.isWrappedNumber = true
        return t
    }

    /// Writes `value` to every element, whatever the strides.
    func fillElements(_ value: Scalar) {
        guard count > 0 else { return }
        withUnsafeTemporaryAllocation(byteCount: 8, alignment: 8) { raw in
            guard let bytes = raw.baseAddress else { return }
            value.store(as: dtype, to: bytes)
            if isContiguous {
                let source = SendablePointer(bytes), to = SendablePointer(pointer)
                let size = dtype.size
                Parallel.ranges(count: count, grain: 1 << 17) { low, high in
                    kernels.fill(Int32(size), high - low, source.raw, to.raw + low * size)
                }
            } else {
                let none = Shape(repeating: 0, rank: max(shape.rank, 1))
                shape.withPointer { sp in
                    none.withPointer { np in
                        strides.withPointer { tp in
                            kernels.copy(Int32(dtype.size), Int32(shape.rank), sp, bytes, np, pointer, tp)
                        }
                    }
                }
            }
        }
    }

    /// start, start + step, ... up to but not including end.
    /// - Throws: `TensorError` for a zero step, a wrong direction, or a count beyond memory.
    public static func arange(_ start: Scalar, _ end: Scalar, _ step: Scalar, _ dtype: DType) throws -> Tensor {
        let (s, e, d) = (start.double, end.double, step.double)
        guard d != 0, !d.isNaN else { throw TensorError("arange: step must not be 0") }
        guard s.isFinite, e.isFinite, d.isFinite else { throw TensorError("arange: bounds must be finite, got \(s), \(e)") }
        guard (e - s) * d >= 0 else { throw TensorError("arange: from \(s) to \(e) with step \(d) goes the wrong way") }
        let n = ((e - s) / d).rounded(.up)
        guard n < 1e15 else { throw TensorError("arange: \(n) elements are more than memory can address") }
        let out = try Tensor(emptyOf: Shape(Int(n)), dtype)
        let useInt = dtype.isInteger && start.isInteger && step.isInteger
        for i in 0..<out.count {
            if useInt {
                out.setElement(i, .int(start.int &+ i &* step.int))
            } else {
                out.setElement(i, .double(s + Double(i) * d))
            }
        }
        return out
    }

    public static func linspace(_ start: Double, _ end: Double, _ steps: Int, _ dtype: DType) throws -> Tensor {
        guard steps >= 0 else { throw TensorError("linspace: steps must not be negative, got \(steps)") }
        let out = try Tensor(emptyOf: Shape(steps), dtype)
        let step = steps > 1 ? (end - start) / Double(steps - 1) : 0
        for i in 0..<steps {
            // From both ends, so that the last one is exact.
            let v = i < (steps + 1) / 2 ? start + Double(i) * step : end - Double(steps - 1 - i) * step
            out.setElement(i, .double(v))
        }
        return out
    }

    public static func eye(_ n: Int, _ m: Int, _ dtype: DType) throws -> Tensor {
        let out = try zeros(Shape(n, m), dtype)
        for i in 0..<min(n, m) { out.setElement(i * m + i, .int(1)) }
        return out
    }

    /// Copies a Swift array into a fresh tensor; `values.count` is the shape's count.
    public static func from(_ values: [Float], _ shape: Shape) throws -> Tensor {
        let out = try Tensor(emptyOf: shape, .float32)
        guard values.count == out.count else { throw TensorError("\(values.count) values do not fill shape \(shape)") }
        values.withUnsafeBytes { if let p = $0.baseAddress { out.pointer.copyMemory(from: p, byteCount: $0.count) } }
        return out
    }

    public static func from(_ values: [Int], _ shape: Shape) throws -> Tensor {
        let out = try Tensor(emptyOf: shape, .int64)
        guard values.count == out.count else { throw TensorError("\(values.count) values do not fill shape \(shape)") }
        values.withUnsafeBytes { if let p = $0.baseAddress { out.pointer.copyMemory(from: p, byteCount: $0.count) } }
        return out
    }

    public static func from(_ values: [Scalar], _ shape: Shape, _ dtype: DType) throws -> Tensor {
        let out = try Tensor(emptyOf: shape, dtype)
        guard values.count == out.count else { throw TensorError("\(values.count) values do not fill shape \(shape)") }
        for (i, v) in values.enumerated() { out.setElement(i, v) }
        return out
    }

    /// All elements in row-major order.
    public func scalars() throws -> [Scalar] {
        let p = try packed()
        try Allocator.shared.checkRoom(for: count, of: MemoryLayout<Scalar>.stride, "a list of the elements of shape \(shape)")
        return (0..<count).map { p.element($0) }
    }

    /// All elements in row-major order as doubles (64-bit integers beyond 2^53 are rounded).
    public func doubles() throws -> [Double] {
        let p = try packed()
        try Allocator.shared.checkRoom(for: count, "a list of the elements of shape \(shape)")
        return (0..<count).map { p.element($0).double }
    }

    /// All elements in row-major order as integers; fractions are cut off.
    public func integers() throws -> [Int] {
        let p = try packed()
        try Allocator.shared.checkRoom(for: count, "a list of the elements of shape \(shape)")
        return (0..<count).map { p.element($0).int }
    }
}
