import LuaBridge

/// `host types [DIR]`: writes the editor stubs.
struct TypesCommand {
    static let help = """
        usage: host types [DIR]
        Writes stubs of all modules for editors that speak with lua-language-server, one file each (default: .host-types).
        In .luarc.json: {"runtime.version": "Lua 5.4", "workspace.library": [".host-types"]}

        """
    let words: [String]

    func run() -> Int32 {
        let rest = words.dropFirst(2)
        if rest.contains(where: { $0 == "-h" || $0 == "--help" }) {
            Console.write(Self.help)
            return ExitCode.done
        }
        if let option = rest.first(where: { $0.hasPrefix("-") }) {
            complain("types: unknown option '\(option)'")
            return ExitCode.usage
        }
        guard rest.count <= 1 else {
            complain("types: expected one folder, got \(rest.count)")
            return ExitCode.usage
        }
        do {
            var arguments = try Arguments([words[0]])
            arguments.actions = [.execute("require('host.types').command(arg[2])")]
            return try ScriptRunner(words: words, arguments: arguments).run()
        } catch {
            complain("\(error)")
            return ExitCode.scriptError
        }
    }
}
