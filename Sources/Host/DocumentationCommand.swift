import LuaBridge

/// `host types [DIR]` and `host reference [FILE]`: what is written from the declarations.
struct DocumentationCommand {
    static let names = ["types", "reference"]
    private static let help = [
        "types": """
            usage: host types [DIR]
            Writes stubs of all modules for editors that speak with lua-language-server, one file each (default: .host-types).
            In .luarc.json: {"runtime.version": "Lua 5.4", "workspace.library": [".host-types"]}

            """,
        "reference": """
            usage: host reference [FILE]
            Writes the reference of all modules as Markdown, to standard output without a file.

            """,
    ]
    let words: [String]

    func run() -> Int32 {
        let name = words[1], rest = words.dropFirst(2)
        if rest.contains(where: { $0 == "-h" || $0 == "--help" }) {
            Console.write(Self.help[name] ?? "")
            return ExitCode.done
        }
        if let option = rest.first(where: { $0.hasPrefix("-") }) {
            complain("\(name): unknown option '\(option)'")
            return ExitCode.usage
        }
        guard rest.count <= 1 else {
            complain("\(name): expected one place to write to, got \(rest.count)")
            return ExitCode.usage
        }
        do {
            var arguments = try Arguments([words[0]])
            arguments.actions = [.execute("require('host.\(name)').command(arg[2])")]
            return try ScriptRunner(words: words, arguments: arguments).run()
        } catch {
            complain("\(error)")
            return ExitCode.scriptError
        }
    }
}
