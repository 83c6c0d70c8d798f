import LuaBridge
import NN
import Wandb

/// Lua values as rows, configurations and summaries hold them.
struct WandbValues {
    private let tensor: UserdataType<Tensor>

    init(_ tensor: UserdataType<Tensor>) { self.tensor = tensor }

    /// - Parameter place: where the value stands, for messages.
    func map(_ value: LuaValue, _ place: String) throws -> WandbMap {
        switch value {
        case .map(let fields):
            return WandbMap(
                try fields.map { field in
                    let key: String
                    switch field.key {
                    case .string(let text): key = text
                    case .int(let number): key = String(number)
                    default: throw LuaError("\(place.isEmpty ? "row" : place): keys must be strings, got \(field.key.kindName)")
                    }
                    return (key, try self.value(field.value, place.isEmpty ? key : "\(place).\(key)"))
                })
        case .list(let items) where items.isEmpty: return WandbMap()
        default:
            let found = if case .list = value { "a list" } else { value.kindName }
            throw LuaError("\(place.isEmpty ? "row" : place): expected a table with string keys, got \(found)")
        }
    }

    func value(_ value: LuaValue, _ place: String) throws -> WandbValue {
        switch value {
        case .nil, .null: .null
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(Int64(number))
        case .number(let number): .double(number)
        case .string(let text): .string(text)
        case .bytes(let bytes): .string(String(decoding: bytes, as: UTF8.self))
        case .list(let items): .list(try items.enumerated().map { try self.value($1, "\(place)[\($0 + 1)]") })
        case .map: .map(try map(value, place))
        case .object, .reference: try object(value, place)
        }
    }

    /// A tensor with one element is a number, one with more a histogram.
    private func object(_ value: LuaValue, _ place: String) throws -> WandbValue {
        if case .object(let object) = value, let box = object.object as? WandbMediaBox { return .media(box.media) }
        guard let tensor = tensor.object(value) else {
            throw LuaError("\(place): a \(value.kindName) cannot be logged; expected a number, string, boolean, table or tensor")
        }
        if tensor.count == 1 {
            switch try tensor.item() {
            case .int(let number): return .int(Int64(number))
            case .double(let number): return .double(number)
            case .bool(let flag): return .bool(flag)
            }
        }
        do { return .media(.histogram(try Histogram(values: try tensor.doubles()))) } catch let error as WandbError {
            throw LuaError("\(place): \(error.description)")
        }
    }

    /// Back to Lua.
    static func lua(_ value: WandbValue) -> LuaValue {
        switch value {
        case .null: .nil
        case .bool(let flag): .bool(flag)
        case .int(let number): .int(Int(number))
        case .double(let number): .number(number)
        case .string(let text): .string(text)
        case .list(let items): .list(items.map(lua))
        case .map(let map): .fields(map.entries.map { ($0.key, lua($0.value)) })
        case .media: .nil
        }
    }
}
