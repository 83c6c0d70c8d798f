/// Elements in order. Every element becomes an unsigned key with the same order (NaN last, -0 equal
/// to 0), so that one stable radix sort serves all dtypes.
enum Ordering {
    /// Keys of the elements of a packed tensor, in row-major order.
    /// - Throws: `TensorError` where memory has no room for them.
    static func keys(_ x: Tensor) throws -> [UInt64] {
        try [UInt64](count: x.count, "the order of \(x.count) elements") { keys in
            func fill<T>(_: T.Type, _ key: (T) -> UInt64) {
                let values = x.data(T.self)
                for i in 0..<x.count { keys[i] = key(values[i]) }
            }
            switch x.dtype {
            case .float32:
                fill(Float.self) { v in
                    if v.isNaN { return UInt64(UInt32.max) }
                    let bits = (v == 0 ? 0 : v).bitPattern
                    return UInt64(bits >> 31 == 0 ? bits | 1 << 31 : ~bits)
                }
            case .float64:
                fill(Double.self) { v in
                    if v.isNaN { return .max }
                    let bits = (v == 0 ? 0 : v).bitPattern
                    return bits >> 63 == 0 ? bits | 1 << 63 : ~bits
                }
            case .int64: fill(Int.self) { UInt64(bitPattern: Int64($0)) ^ 1 << 63 }
            case .int32: fill(Int32.self) { UInt64(UInt32(bitPattern: $0) ^ 1 << 31) }
            case .uint8, .bool: fill(UInt8.self) { UInt64($0) }
            }
        }
    }

    /// The key of NaN, which no other value of the dtype has; nil where there is no NaN.
    static func nanKey(_ dtype: DType) -> UInt64? {
        switch dtype {
        case .float32: UInt64(UInt32.max)
        case .float64: .max
        default: nil
        }
    }

    /// Working memory for sorting rows of up to `n` keys.
    struct Sorter {
        private var keys: [UInt64]
        private var spareKeys: [UInt64]
        private var order: [Int]
        private var spareOrder: [Int]
        private var counts = [Int](repeating: 0, count: 256)

        /// - Throws: `TensorError` where memory has no room for it.
        init(_ n: Int) throws {
            try Allocator.shared.checkRoom(for: n, of: 2 * (MemoryLayout<UInt64>.stride + MemoryLayout<Int>.stride), "sorting \(n) elements")
            keys = [UInt64](repeating: 0, count: n)
            spareKeys = keys
            order = [Int](repeating: 0, count: n)
            spareOrder = order
        }

        /// The positions of a row's keys in ascending (or descending) order, equal ones as they came.
        mutating func sort(_ row: ArraySlice<UInt64>, descending: Bool) -> ArraySlice<Int> {
            let n = row.count
            let flip: UInt64 = descending ? .max : 0
            var differ: UInt64 = 0
            let first = row.first ?? 0
            for (i, key) in row.enumerated() {
                keys[i] = key ^ flip
                order[i] = i
                differ |= key ^ first
            }
            if n < 48 { insertion(n) } else { radix(n, differ) }
            return order[0..<n]
        }

        private mutating func insertion(_ n: Int) {
            guard n > 1 else { return }
            for i in 1..<n {
                let (key, position) = (keys[i], order[i])
                var j = i
                while j > 0, keys[j - 1] > key {
                    keys[j] = keys[j - 1]
                    order[j] = order[j - 1]
                    j -= 1
                }
                keys[j] = key
                order[j] = position
            }
        }

        /// One counting pass for each byte in which any two keys differ.
        private mutating func radix(_ n: Int, _ differ: UInt64) {
            for byte in 0..<8 where (differ >> UInt64(8 * byte)) & 0xff != 0 {
                let shift = UInt64(8 * byte)
                for d in 0..<256 { counts[d] = 0 }
                for i in 0..<n { counts[Int((keys[i] >> shift) & 0xff)] += 1 }
                var start = 0
                for d in 0..<256 {
                    let c = counts[d]
                    counts[d] = start
                    start += c
                }
                for i in 0..<n {
                    let d = Int((keys[i] >> shift) & 0xff)
                    spareKeys[counts[d]] = keys[i]
                    spareOrder[counts[d]] = order[i]
                    counts[d] += 1
                }
                swap(&keys, &spareKeys)
                swap(&order, &spareOrder)
            }
        }
    }
}

extension Tensor {
    /// int64 positions along `dim` (checked), for each lane those that `pick` gives.
    /// - Parameter pick: gets a lane's keys and a sorter; gives `k` positions.
    func positions(
        _ dim: Int, _ k: Int, _ pick: (ArraySlice<UInt64>, inout Ordering.Sorter) -> ArraySlice<Int>
    ) throws -> Tensor {
        let out = try Tensor(emptyOf: shape.replacing(dim, with: k), .int64)
        guard out.count > 0 else { return out }
        let (outer, n, inner) = shape.around(dim)
        // Lanes one after the other: [outer, inner, n].
        let lanes = inner == 1 ? try packed() : try window(Shape(outer, n, inner), Shape(n * inner, inner, 1), offset: 0, of: try packed())
            .permutedWindow([0, 2, 1]).packed()
        let keys = try Ordering.keys(lanes)
        var sorter = try Ordering.Sorter(n)
        let target = out.data(Int.self)
        for o in 0..<outer {
            for j in 0..<inner {
                let start = (o * inner + j) * n
                for (i, p) in pick(keys[start..<(start + n)], &sorter).enumerated() { target[(o * k + i) * inner + j] = p }
            }
        }
        return out
    }

    private func window(_ shape: Shape, _ strides: Shape, offset: Int, of base: Tensor) -> Tensor {
        base.window(shape, strides, offset: base.offset + offset)
    }
}
