import LuaBridge
import NN

/// What stands between the brackets of `t[...]`.
enum TensorIndex {
    /// - Returns: the parts of the index expression at argument `i`, or nil when it is no index at all (a field name).
    static func parts(_ call: Call, _ i: Int, _ type: UserdataType<Tensor>) throws -> [IndexPart]? {
        switch call.kind(i) {
        case .int: return [.select(try call.int(i))]
        case .number:
            guard let n = call.intIfPresent(i) else {
                throw LuaError("index: expected an integer, got \(try call.number(i))")
            }
            return [.select(n)]
        case .object:
            if let tensor = call.objectIfPresent(i, type) { return [.tensor(tensor)] }
            throw LuaError("index: expected an integer, a slice string, a table or a tensor, got another object")
        case .string:
            let text = try call.string(i)
            return isSlice(text) ? try IndexPart.parse(text) : nil
        case .table:
            guard case .list(let items) = try call.value(i) else {
                throw LuaError("index: expected a list of numbers, ranges, slice strings and tensors, got a table with other keys")
            }
            return try items.flatMap(part)
        default:
            throw LuaError("index: expected an integer, a slice string, a table or a tensor, got \(try call.value(i).kindName)")
        }
    }

    /// Field names begin with a letter; of those only "None" is an index.
    private static func isSlice(_ text: String) -> Bool {
        guard let first = text.utf8.first else { return false }
        return !(first >= 65 && first <= 90 || first >= 97 && first <= 122 || first == 95) || text.hasPrefix("None")
    }

    private static func part(_ item: LuaValue) throws -> [IndexPart] {
        switch item {
        case .int(let n): return [.select(n)]
        case .number:
            guard let n = item.asInt else { throw LuaError("index: expected integers, got a fraction") }
            return [.select(n)]
        case .string(let text): return try IndexPart.parse(text)
        case .object(let value):
            guard let tensor = value.object as? Tensor else { throw LuaError("index: expected a tensor, got \(item.kindName)") }
            return [.tensor(tensor)]
        case .list(let bounds):
            guard bounds.count == 2 || bounds.count == 3 else {
                throw LuaError("index: a range is {start, stop} or {start, stop, step}, got \(bounds.count) numbers")
            }
            let numbers = try bounds.map { bound -> Int in
                guard let n = bound.asInt else { throw LuaError("index: a range holds integers, got \(bound.kindName)") }
                return n
            }
            return [.range(start: numbers[0], stop: numbers[1], step: numbers.count == 3 ? numbers[2] : 1)]
        default: throw LuaError("index: expected a number, a range, a slice string or a tensor, got \(item.kindName)")
        }
    }

    /// A value to assign: a tensor, or a number or boolean as a 0-d one.
    static func value(_ call: Call, _ i: Int, _ target: Tensor, _ type: UserdataType<Tensor>) throws -> Tensor {
        if let tensor = call.objectIfPresent(i, type) { return tensor }
        switch call.kind(i) {
        case .int: return try Tensor.full(Shape(), try Scalar.int(try call.int(i)).checked(for: target.dtype), target.dtype)
        case .number: return try Tensor.full(Shape(), try Scalar.double(try call.number(i)).checked(for: target.dtype), target.dtype)
        case .bool: return try Tensor.full(Shape(), .bool(try call.bool(i)), target.dtype)
        case .table: return try TensorLiteral.tensor(try call.value(i), target.dtype)
        default: throw LuaError("index assignment: expected a number, a boolean, a table or a tensor, got \(try call.value(i).kindName)")
        }
    }
}
