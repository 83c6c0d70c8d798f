#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// An interactive session, whatever its front end: evaluates inputs, completes, explains. See docs/session.md.
///
/// A front end makes one for its `Lua`, gives it each input, and shows the outcome. What scripts print goes to standard
/// output by itself; figures go to `FigureOutlet.show`.
final class Session {
    enum Outcome {
        /// What the values are shown as; empty when there is nothing to show.
        case value(String)
        /// The text is no Lua; line and column count from 1.
        case syntax(String, line: Int?, column: Int?)
        case failure(String, traceback: String)
        case interrupted
        /// The input asks to leave.
        case quit
    }

    enum Completeness: Equatable {
        case complete
        /// More lines must follow; the next one is indented like this.
        case incomplete(indent: String)
        case invalid
    }

    struct Completion {
        struct Match: Equatable {
            let text: String
            /// `function`, `table`, `field`, `option`, `file`, `keyword` ...
            let kind: String
        }
        /// How many bytes before the cursor the matches replace.
        let replaced: Int
        let matches: [Match]
    }

    /// The parts of printed values that may have colours.
    enum Part: String { case key, string, number, note }

    let lua: Lua
    private let functions: LuaReference

    /// - Parameters:
    ///   - width: of lines; tables are broken to fit.
    ///   - paint: gives a part of a value its colour; nil: none.
    init(_ lua: Lua, width: Int = 80, paint: ((Part, String) -> String)? = nil) throws {
        self.lua = lua
        // Names of modules that are no globals yet; a script that defined such a name keeps it.
        for name in lua.moduleNames where (try lua.global(name)).isNil {
            if let module = try? lua.require(name) { try lua.setGlobal(name, .reference(module)) }
        }
        try lua.addHostFunctions(SessionNatives.functions(lua))
        guard let functions = try lua.prelude("session") else { throw LuaError("the session is not part of this program") }
        self.functions = functions
        for name in ["show", "describe"] where (try lua.global(name)).isNil {
            try lua.setGlobal(name, try lua.field(name, of: lua.require("plot")))
        }
        try setWidth(width)
        if let paint {
            try lua.addHostFunctions([
                Declaration("session_paint(part: string, text: string) -> string\nGives a part of a value its colour.") { call in
                    try call.push(paint(Part(rawValue: try call.string(0)) ?? .note, try call.string(1)))
                }
            ])
            _ = try call("use_color")
        }
        _ = try call("begin")
    }

    private func call(_ name: String, _ arguments: [LuaValue] = []) throws -> [LuaValue] {
        guard case .reference(let function) = try lua.field(name, of: functions) else { throw LuaError("the session has no function '\(name)'") }
        return try lua.call(function, arguments)
    }

    func setWidth(_ width: Int) throws { _ = try call("set_width", [.int(width)]) }

    /// For notebooks: the name of the next inputs in messages; all that they print is shown.
    func setChunk(_ name: String) throws { _ = try call("set_chunk", [.string("=" + name)]) }

    /// How many inputs have been evaluated.
    var count: Int { (try? call("count").first?.asInt) ?? 0 }

    func evaluate(_ text: String) -> Outcome {
        do {
            let result = try call("evaluate", [.string(text)]).first ?? .nil
            let message = result["message"]?.asString ?? ""
            switch result["status"]?.asString {
            case "ok": return .value(result["text"]?.asString ?? "")
            case "syntax": return .syntax(message, line: result["line"]?.asInt, column: result["column"]?.asInt)
            case "quit": return .quit
            default: return .failure(message, traceback: result["traceback"]?.asString ?? "")
            }
        } catch {
            if lua.interrupted != nil { return .interrupted }
            return .failure("\(error)", traceback: (error as? LuaError)?.traceback ?? "")
        }
    }

    func completeness(_ text: String) -> Completeness {
        switch try? call("is_complete", [.string(text)]).first?.asString {
        case "incomplete": .incomplete(indent: (try? call("indent", [.string(text)]).first?.asString) ?? "")
        case "invalid": .invalid
        default: .complete
        }
    }

    /// What may stand at the end of the text; the front end cuts the text at the cursor.
    func complete(_ text: String) -> Completion {
        guard let result = try? call("complete", [.string(text)]), result.count == 2, let replaced = result[0].asInt, let matches = result[1].asList
        else { return Completion(replaced: 0, matches: []) }
        return Completion(
            replaced: replaced,
            matches: matches.compactMap { match in
                match["text"]?.asString.map { .init(text: $0, kind: match["kind"]?.asString ?? "") }
            })
    }

    /// Help on what is at the cursor (bytes from the start of the text); nil when there is none.
    func inspect(_ text: String, cursor: Int) -> String? {
        try? call("inspect", [.string(text), .int(cursor)]).first?.asString
    }
}
