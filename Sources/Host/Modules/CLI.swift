import LuaBridge
import NN

/// The module `cli`; what scripts see is Prelude/cli.lua.
func registerCLI(_ lua: Lua) throws {
    try lua.module("cli", "cli\nCommand-line options of a script.") { module in
        try module.lua.addHostFunctions([
            Declaration("cli_config(path: string) -> table\nThe values of a JSON, YAML or TOML file.") { call in
                try call.push(try ConfigFile.read(try call.string(0)))
            }
        ])
    }
}

/// Files of options, in one of three formats by the ending of their names.
enum ConfigFile {
    static func read(_ path: String) throws -> LuaValue {
        let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
        let parse: ([UInt8]) throws -> LuaValue
        switch ending {
        case "json":
            parse = { bytes in
                try bytes.withUnsafeBytes { bytes in
                    var reader = JSONReader(bytes)
                    return try reader.document()
                }
            }
        case "yaml", "yml": parse = { try YAMLReader.document($0) }
        case "toml": parse = { try TOMLReader.document($0) }
        default: throw LuaError("\(path): expected a file that ends in .json, .yaml, .yml or .toml")
        }
        let bytes = try Files.read(path)
        let value: LuaValue
        do { value = try parse(bytes) } catch { throw LuaError("\(path): \(error)") }
        switch value {
        case .map: return value
        case .list(let items) where items.isEmpty: return value
        case .nil, .null: return .list([])
        default: throw LuaError("\(path): expected options by name at the top level, got \(value.kindName)")
        }
    }
}
