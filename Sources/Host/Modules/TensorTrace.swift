import LuaBridge
import NN

/// Notes calls for `nn.export_onnx`; costs nothing while no trace is taken.
enum TensorTrace {
    @inline(__always) static var isOn: Bool { OperationTrace.current != nil }

    /// - Parameter name: the operation's, without the `_` of one in place.
    static func note(_ name: String, _ call: Call, _ type: UserdataType<Tensor>, _ result: OpResult) throws {
        let (results, inPlace): ([Tensor], Bool) =
            switch result {
            case .tensor(let tensor): ([tensor], false)
            case .tensors(let tensors), .list(let tensors): (tensors, false)
            case .receiver: ([try call.object(0, type)], true)
            case .scalar, .string, .ints, .none: ([], false)
            }
        OperationTrace.current?.append(
            name, try call.allArguments().map { argument($0, type) }, results: results, inPlace: inPlace)
    }

    /// Calls that are no operations of the catalogue.
    static func note(_ name: String, _ arguments: [OperationTrace.Argument], _ results: [Tensor], inPlace: Bool = false) {
        OperationTrace.current?.append(name, arguments, results: results, inPlace: inPlace)
    }

    static func argument(_ value: LuaValue, _ type: UserdataType<Tensor>) -> OperationTrace.Argument {
        switch value {
        case .nil, .null: .none
        case .bool(let flag): .bool(flag)
        case .int(let n): .int(n)
        case .number(let d): .double(d)
        case .string(let text): .string(text)
        case .list(let items): .list(items.map { argument($0, type) })
        case .object: type.object(value).map { .tensor($0) } ?? .other
        case .bytes, .map, .reference: .other
        }
    }

    static func arguments(_ parts: [IndexPart]) -> [OperationTrace.Argument] {
        parts.map { part in
            switch part {
            case .select(let i): .list([.string("select"), .int(i)])
            case .range(let start, let stop, let step):
                .list([.string("range"), start.map { .int($0) } ?? .none, stop.map { .int($0) } ?? .none, .int(step)])
            case .newAxis: .list([.string("new")])
            case .ellipsis: .list([.string("...")])
            case .tensor(let tensor): .list([.string("tensor"), .tensor(tensor)])
            }
        }
    }
}
