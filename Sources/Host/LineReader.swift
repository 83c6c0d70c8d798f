#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// Reads lines, runs them and prints what they give: the session at a plain terminal.
struct LineReader {
    private let lua: Lua

    init(_ lua: Lua) { self.lua = lua }

    func run() {
        Console.write(HostCommand.version + "\n")
        for name in lua.moduleNames {
            if let module = try? lua.require(name) { try? lua.setGlobal(name, .reference(module)) }
        }
        while let text = read() {
            do {
                guard let chunk = try compile(text) else { break }
                let results = try lua.call(chunk)
                if !results.isEmpty {
                    Console.write(try results.map { try lua.text(of: $0) }.joined(separator: "\t") + "\n")
                }
            } catch {
                complain("\(error)", prefix: "")
                if lua.interrupted == SIGTERM { return }
                lua.clearInterrupt()
            }
        }
    }

    private func read(prompt: String = "> ") -> String? {
        Console.write(prompt)
        Console.flush()
        return readLine(strippingNewline: true)
    }

    /// An expression, or statements; reads on while what was typed is only the beginning of something.
    private func compile(_ first: String) throws -> LuaFunction? {
        if let chunk = try? lua.load("return " + first, name: "=stdin") { return chunk }
        var text = first
        while true {
            do { return try lua.load(text, name: "=stdin") } catch let error as LuaError {
                guard error.message.hasSuffix("<eof>"), let more = read(prompt: ">> ") else { throw error }
                text += "\n" + more
            }
        }
    }
}
