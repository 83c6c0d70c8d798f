import LuaBridge
import NN

/// Safetensors files and checkpoints for `nn.save` and its kin: host functions, which scripts do not see.
enum FileNatives {
    static func functions(_ type: UserdataType<Tensor>) -> [Declaration] {
        [
            Declaration(
                """
                safetensors_save(path: string, tensors: table, metadata: table = nil, dtype: string = nil)
                Writes tensors by name, and metadata (strings by name). dtype "float16" or "bfloat16" narrows floats.
                """
            ) { call in
                let tensors = try named(try call.value(1), type)
                let metadata = try call.isNil(2) ? [] : strings(try call.value(2))
                var precision = Safetensors.Precision.own
                if let name = call.stringIfPresent(3) {
                    switch name {
                    case "float16": precision = .float16
                    case "bfloat16": precision = .bfloat16
                    default: throw LuaError("nn.save: dtype must be \"float16\" or \"bfloat16\", got \"\(name)\"")
                    }
                }
                try TensorModule.reporting("nn.save") {
                    try Safetensors.save(tensors, metadata: metadata, precision: precision, to: try call.string(0))
                }
            },
            Declaration(
                """
                safetensors_load(path: string) -> table, table, list
                Tensors by name, metadata by name, and the tensors' names in the order of the file.
                """
            ) { call in
                let contents = try TensorModule.reporting("nn.load") { try Safetensors.load(try call.string(0)) }
                try call.push(.fields(contents.tensors.map { ($0.name, type.value($0.tensor)) }))
                try call.push(.fields(contents.metadata.map { ($0.name, .string($0.text)) }))
                try call.push(.list(contents.tensors.map { .string($0.name) }))
            },
            Declaration(
                """
                checkpoint_save(path: string, values: table)
                Writes a tree of plain values and tensors, and the random state.
                """
            ) { call in
                var writer = CheckpointTree.Writer(type: type)
                let values = try writer.plain(try call.value(1), [])
                try TensorModule.reporting("nn.save_checkpoint") {
                    try Checkpoint.save(writer.tensors, values: values, to: try call.string(0))
                }
            },
            Declaration(
                """
                checkpoint_load(path: string) -> table, int, int
                The tree that was saved; seed and position of the random state.
                """
            ) { call in
                let path = try call.string(0)
                let contents = try TensorModule.reporting("nn.load_checkpoint") { try Checkpoint.load(path) }
                let tensors = Dictionary(uniqueKeysWithValues: contents.tensors.map { ($0.name, $0.tensor) })
                try call.push(try CheckpointTree.value(contents.values, tensors, path, type))
                call.push(Int(truncatingIfNeeded: contents.generator.seed))
                call.push(Int(truncatingIfNeeded: contents.generator.offset))
            },
        ]
    }

    /// A table of name to tensor.
    static func named(_ value: LuaValue, _ type: UserdataType<Tensor>) throws -> [(name: String, tensor: Tensor)] {
        if case .list(let items) = value {
            guard items.isEmpty else { throw LuaError("expected a table of name = tensor, got a list") }
            return []
        }
        guard case .map(let fields) = value else { throw LuaError("expected a table of name = tensor, got \(value.kindName)") }
        return try fields.map { field in
            guard let name = field.key.asString else { throw LuaError("expected names as keys, got \(field.key.kindName)") }
            guard let tensor = type.object(field.value) else { throw LuaError("'\(name)': expected a tensor, got \(field.value.kindName)") }
            return (name, tensor)
        }
    }

    private static func strings(_ value: LuaValue) throws -> [(name: String, text: String)] {
        if case .list(let items) = value, items.isEmpty { return [] }
        guard case .map(let fields) = value else { throw LuaError("metadata: expected a table of name = string, got \(value.kindName)") }
        return try fields.map { field in
            guard let name = field.key.asString else { throw LuaError("metadata: expected names as keys, got \(field.key.kindName)") }
            switch field.value {
            case .string(let text): return (name, text)
            case .int(let n): return (name, String(n))
            case .number(let d): return (name, String(d))
            case .bool(let b): return (name, String(b))
            default: throw LuaError("metadata '\(name)': expected a string, got \(field.value.kindName)")
            }
        }
    }
}

/// Between Lua tables and what a checkpoint holds.
enum CheckpointTree {
    private static let depthLimit = 60

    struct Writer {
        let type: UserdataType<Tensor>
        var tensors: [(name: String, tensor: Tensor)] = []
        private var names = Set<String>()

        init(type: UserdataType<Tensor>) { self.type = type }

        mutating func plain(_ value: LuaValue, _ path: [String]) throws -> PlainValue {
            let place = path.isEmpty ? "the checkpoint" : "'\(path.joined(separator: "."))'"
            guard path.count < depthLimit else { throw LuaError("nn.save_checkpoint: \(place) is nested deeper than \(depthLimit) levels") }
            switch value {
            case .null: return .null
            case .bool(let b): return .bool(b)
            case .int(let n): return .int(n)
            case .number(let d): return .double(d)
            case .string(let s): return .bytes(Array(s.utf8))
            case .bytes(let bytes): return .bytes(bytes)
            case .list(let items):
                return .list(try items.enumerated().map { i, item in try plain(item, path + [String(i + 1)]) })
            case .map(let fields):
                return .table(
                    try fields.map { field in
                        let key = try plain(field.key, path)
                        let name = field.key.asString ?? field.key.asInt.map(String.init) ?? "\(field.key)"
                        return (key, try plain(field.value, path + [name]))
                    })
            case .object:
                guard let tensor = type.object(value) else {
                    throw LuaError("nn.save_checkpoint: \(place) is a \(value.kindName), which a file cannot hold")
                }
                // Dots within names may make two paths the same text.
                var name = path.joined(separator: ".")
                while !names.insert(name).inserted { name += "'" }
                tensors.append((name, tensor))
                return .tensor(name)
            case .nil, .reference:
                throw LuaError(
                    "nn.save_checkpoint: \(place) is a \(value.isNil ? "nil" : "function or object"), which a file cannot hold; "
                        + "it takes modules, optimisers, schedulers, tensors, numbers, strings, booleans and plain tables")
            }
        }
    }

    static func value(_ plain: PlainValue, _ tensors: [String: Tensor], _ path: String, _ type: UserdataType<Tensor>) throws -> LuaValue {
        switch plain {
        case .null: return .null
        case .bool(let b): return .bool(b)
        case .int(let n): return .int(n)
        case .double(let d): return .number(d)
        case .bytes(let bytes): return String(validating: bytes, as: UTF8.self).map { .string($0) } ?? .bytes(bytes)
        case .list(let items): return .list(try items.map { try value($0, tensors, path, type) })
        case .table(let entries):
            return .map(
                try entries.map { LuaField(key: try value($0.key, tensors, path, type), value: try value($0.value, tensors, path, type)) })
        case .tensor(let name):
            guard let tensor = tensors[name] else { throw LuaError("nn.load_checkpoint: \(path): lacks the tensor '\(name)'") }
            return type.value(tensor)
        }
    }
}
