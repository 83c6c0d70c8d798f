import LuaBridge
import NN

/// Arguments of a Lua call as an operation of the tensor library reads them.
struct TensorArguments: OpArguments {
    let call: Call
    let type: UserdataType<Tensor>
    /// Stands for the first argument where an operation in place needs its old contents in backward.
    var original: Tensor?

    func isNil(_ i: Int) -> Bool { call.isNil(i) }
    func isTensor(_ i: Int) -> Bool { call.objectIfPresent(i, type) != nil }
    func isBool(_ i: Int) -> Bool { call.kind(i) == .bool }
    func isList(_ i: Int) -> Bool { call.kind(i) == .table }
    func tensor(_ i: Int) throws -> Tensor {
        if i == 0, let original { return original }
        return try call.object(i, type)
    }
    func int(_ i: Int) throws -> Int { try call.int(i) }
    func double(_ i: Int) throws -> Double { try call.number(i) }
    func bool(_ i: Int) throws -> Bool { try call.bool(i) }
    func string(_ i: Int) throws -> String { try call.string(i) }
    func ints(_ i: Int) throws -> [Int] { try call.ints(i) }
    func doubles(_ i: Int) throws -> [Double] { try call.numbers(i) }

    func scalar(_ i: Int) throws -> Scalar {
        switch call.kind(i) {
        case .int: .int(try call.int(i))
        case .number: .double(try call.number(i))
        case .bool: .bool(try call.bool(i))
        default:
            switch try call.value(i) {
            case .int(let value): .int(value)
            case .bool(let value): .bool(value)
            // A declared default of 1 is as good as an integer.
            case .number(let value): Int(exactly: value).map { .int($0) } ?? .double(value)
            default: .double(try call.number(i))
            }
        }
    }

    func tensors(_ i: Int) throws -> [Tensor] {
        if call.kind(i) == .table { return try call.objects(i, type) }
        return try (0..<call.restTotal).flatMap { k -> [Tensor] in
            let value = try call.rest(k)
            if let tensor = type.object(value) { return [tensor] }
            guard let list = value.asList else { throw LuaError("argument \(i + k + 1): expected tensor, got \(value.kindName)") }
            return try list.map { item in
                guard let tensor = type.object(item) else { throw LuaError("expected a list of tensors, got \(item.kindName)") }
                return tensor
            }
        }
    }
}

extension Call {
    /// A number as operations take it; nil for everything else.
    func scalarIfPresent(_ i: Int) -> Scalar? {
        switch kind(i) {
        case .int: intIfPresent(i).map { .int($0) }
        case .number: numberIfPresent(i).map { .double($0) }
        default: nil
        }
    }

    /// Gives an operation's result back to Lua.
    func push(_ result: OpResult, _ type: UserdataType<Tensor>) throws {
        switch result {
        case .tensor(let tensor): try push(tensor, type)
        case .tensors(let tensors): for tensor in tensors { try push(tensor, type) }
        case .list(let tensors): try push(list: tensors, type)
        case .scalar(let scalar): push(scalar)
        case .string(let text): try push(text)
        case .ints(let values): try push(values)
        case .receiver: returnArgument(0)
        case .none: break
        }
    }

    func push(_ scalar: Scalar) {
        switch scalar {
        case .int(let value): push(value)
        case .double(let value): push(value)
        case .bool(let value): push(value)
        }
    }
}
