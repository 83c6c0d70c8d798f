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
        try module.add(
            Declaration(
                """
                stop_requested(grace: number = 4) -> bool
                Whether the program was asked to end (SIGTERM: a container that stops, a scheduler, `kill`). Without this function
                SIGTERM stops a script wherever it is. A script that asks between two steps has `grace` seconds from the signal on
                to save its state and leave with `os.exit(143)`; after that it is stopped.
                Args:
                  grace: seconds from the signal until the script is stopped
                Example:
                  for step = 1, 3 do
                    if require "cli".stop_requested() then os.exit(143) end
                  end
                Source: POSIX signals: SIGTERM, SIGINT
                """
            ) { [unowned lua] call in
                let grace = try call.number(0)
                guard grace > 0 else { throw call.error(0, "expected more than 0 seconds, got \(grace)") }
                call.push(lua.isTerminating(grace: grace))
            })
    }
}

/// Files of options, in one of three formats by the ending of their names.
enum ConfigFile {
    static func read(_ path: String) throws -> LuaValue {
        let ending = path.split(separator: ".").last.map { $0.lowercased() } ?? ""
        let parse: ([UInt8]) throws -> LuaValue
        switch ending {
        case "json":
            parse = { bytes in try bytes.withUnsafeBytes { try JSONReader.value($0) } }
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
