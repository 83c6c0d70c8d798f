#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge
import NN

/// What Prelude/session*.lua ask of the program: declarations, files, memory.
enum SessionNatives {
    static func functions(_ lua: Lua) -> [Declaration] {
        [
            Declaration("session_doc(value: any) -> table|nil\nThe declaration of a function or a class.") { call in
                guard let entry = call.documentation(of: 0), entry.signature != nil || !entry.parameters.isEmpty else { return call.pushNil() }
                let parameters = entry.parameters.map { parameter in
                    LuaValue.fields([
                        ("name", .string(parameter.name)),
                        ("choices", .list(choices(parameter).map { .string($0) })),
                    ])
                }
                try call.push(
                    .fields([
                        ("name", .string(entry.name)), ("module", .string(entry.module)), ("head", .string(entry.head)),
                        ("returns", .string(entry.signature?.returns ?? "")), ("parameters", .list(parameters)),
                    ]))
            },
            Declaration("session_help(value: any) -> string\nWhat help(value) prints.") { [unowned lua] call in
                try call.push(lua.helpText(call))
            },
            Declaration("session_field_kind(type: string, field: string) -> string|nil\nThe kind of a field of a native type.") { [unowned lua] call in
                let name = "\(try call.string(0)).\(try call.string(1))"
                guard let entry = lua.docs.entries.first(where: { $0.name == name || $0.name.hasSuffix("." + name) }),
                    let colon = entry.sections.head.firstIndex(of: ":")
                else { return call.pushNil() }
                let kind = entry.sections.head[entry.sections.head.index(after: colon)...].drop { $0 == " " }.prefix { $0.isLetter || $0 == "_" }
                try call.push(String(kind))
            },
            Declaration("session_search(word: string) -> list\nDocumented things whose name or summary holds the word; names first.") { [unowned lua] call in
                let word = try call.string(0).lowercased()
                for name in lua.moduleNames { _ = try? lua.require(name) }
                let named = lua.docs.entries.filter { $0.name.lowercased().contains(word) }
                let told = lua.docs.entries.filter { !$0.name.lowercased().contains(word) && $0.sections.summary.lowercased().contains(word) }
                try call.push(
                    .list((named + told).map { .fields([("name", .string($0.name)), ("summary", .string($0.sections.summary))]) }))
            },
            Declaration("session_modules() -> list\nThe names of the program's modules.") { [unowned lua] call in
                try call.push(.list(lua.moduleNames.map { .string($0) }))
            },
            Declaration("session_files(folder: string) -> list\nWhat is in a folder; nothing when it cannot be read.") { call in
                let folder = try call.string(0)
                let names = Folder.names(folder) ?? []
                try call.push(
                    .list(
                        names.map { name in
                            var status = stat()
                            let isFolder = stat(folder + "/" + name, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
                            return .fields([("name", .string(name)), ("is_folder", .bool(isFolder))])
                        }))
            },
            Declaration("session_read(path: string) -> string|nil\nThe bytes of a file, or nil.") { call in
                guard let bytes = try? DiskFile.read(try call.string(0)) else { return call.pushNil() }
                try call.push(bytes: bytes)
            },
            Declaration("session_resident() -> int\nBytes of memory that the process occupies; 0 where the system does not tell.") { call in
                guard let bytes = try? DiskFile.read("/proc/self/statm") else { return call.push(0) }
                let words = String(decoding: bytes, as: UTF8.self).split(separator: " ")
                call.push((words.count > 1 ? Int(words[1]) ?? 0 : 0) * Int(sysconf(Int32(_SC_PAGESIZE))))
            },
            Declaration("session_item_size(dtype: string) -> int\nBytes of one element.") { call in
                call.push(DType(name: try call.string(0))?.size ?? 0)
            },
            Declaration("session_dataset_fields(value: any = nil) -> list\nThe fields that a dataset has.") { call in
                guard case .object(let object) = try call.value(0), let source = object.object as? DataSource else { return try call.push(.list([])) }
                try call.push(.list(source.fields.map { .string($0.name) }))
            },
        ]
    }

    private static func choices(_ parameter: Signature.Parameter) -> [String] {
        let literal = parameter.kinds.filter { $0.hasPrefix("\"") }.map { String($0.dropFirst().dropLast()) }
        return literal.isEmpty && parameter.kinds.contains("dtype") ? DType.allCases.map(\.name) : literal
    }
}
