import LuaBridge
import NN

/// Tensors from nested tables, as `torch.tensor` makes them from nested lists.
enum TensorLiteral {
    private static let maxDepth = Shape.maxRank

    /// - Parameter dtype: nil lets the values decide: all integers give int64, any float float32, booleans bool.
    static func tensor(_ value: LuaValue, _ dtype: DType?) throws -> Tensor {
        if case .object(let object) = value, let tensor = object.object as? Tensor {
            return try tensor.detached().copied().to(dtype ?? tensor.dtype)
        }
        var sizes: [Int] = []
        try measure(value, 0, &sizes)
        var scan = Scan()
        var values: [Scalar] = []
        try collect(value, sizes, 0, &values, &scan)
        let shape = try Shape(sizes + scan.innerShape)
        if let dtype, !dtype.isFloat { for value in values { _ = try value.checked(for: dtype) } }
        return try Tensor.from(values, shape, dtype ?? scan.dtype)
    }

    private struct Scan {
        var sawFloat = false, sawInt = false, sawBool = false
        var innerShape: [Int] = []
        var innerDType: DType?

        var dtype: DType {
            if let innerDType { return innerDType }
            return sawFloat ? .float32 : sawInt ? .int64 : sawBool ? .bool : .float32
        }
    }

    private static func measure(_ value: LuaValue, _ depth: Int, _ sizes: inout [Int]) throws {
        guard case .list(let items) = value else { return }
        guard depth < maxDepth else { throw LuaError("a tensor has at most \(maxDepth) dimensions, the table is nested deeper") }
        sizes.append(items.count)
        if let first = items.first { try measure(first, depth + 1, &sizes) }
    }

    private static func collect(
        _ value: LuaValue, _ sizes: [Int], _ depth: Int, _ out: inout [Scalar], _ scan: inout Scan
    ) throws {
        if depth == sizes.count {
            switch value {
            case .int(let n):
                out.append(.int(n))
                scan.sawInt = true
            case .number(let x):
                out.append(.double(x))
                scan.sawFloat = true
            case .bool(let b):
                out.append(.bool(b))
                scan.sawBool = true
            case .object(let object):
                // A list of tensors of one shape is stacked.
                guard let tensor = object.object as? Tensor else { fallthrough }
                let inner = tensor.shape.array
                guard out.isEmpty || scan.innerShape == inner else {
                    throw LuaError("all tensors in the table must have one shape: expected \(scan.innerShape), got \(inner)")
                }
                scan.innerShape = inner
                scan.innerDType = scan.innerDType.map { DType.promote($0, tensor.dtype) } ?? tensor.dtype
                let packed = try tensor.detached().copied()
                out += try packed.scalars()
            case .list:
                throw LuaError("the table is not rectangular: a list stands where a number is expected at depth \(depth + 1)")
            default:
                throw LuaError("expected numbers, booleans or nested lists of them, got \(value.kindName)")
            }
            return
        }
        guard case .list(let items) = value else {
            throw LuaError("the table is not rectangular: expected a list of \(sizes[depth]) at depth \(depth + 1), got \(value.kindName)")
        }
        guard items.count == sizes[depth] else {
            throw LuaError("the table is not rectangular: expected \(sizes[depth]) elements at depth \(depth + 1), got \(items.count)")
        }
        for item in items { try collect(item, sizes, depth + 1, &out, &scan) }
    }

    /// Elements as nested lists.
    static func list(_ t: Tensor) throws -> LuaValue {
        // An empty tensor may be a long list of empty lists.
        var lists = 1
        for i in 0..<t.shape.rank {
            let (n, overflow) = lists.multipliedReportingOverflow(by: t.shape[i])
            lists = overflow ? .max : n
            try Allocator.shared.checkRoom(for: lists, of: 64, "nested lists of shape \(t.shape)")
        }
        var position = 0
        let values = try t.detached().copied().scalars()
        func build(_ dim: Int) -> LuaValue {
            if dim == t.shape.rank {
                defer { position += 1 }
                return switch values[position] {
                case .int(let n): .int(n)
                case .double(let x): .number(x)
                case .bool(let b): .bool(b)
                }
            }
            return .list((0..<t.shape[dim]).map { _ in build(dim + 1) })
        }
        return build(0)
    }
}
