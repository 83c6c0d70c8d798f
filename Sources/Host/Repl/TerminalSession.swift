#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// A session at a terminal, or over a pipe.
struct TerminalSession {
    private let lua: Lua
    private let screen: Screen
    private let takesKeys: Bool

    init(_ lua: Lua) {
        self.lua = lua
        screen = Screen.current()
        takesKeys = isatty(STDIN_FILENO) != 0
    }

    private var hasColor: Bool { screen.colors != .none }

    func run() {
        let session: Session
        let paint: ((Session.Part, String) -> String)? = if hasColor { TerminalSession.paint } else { nil }
        do { session = try Session(lua, width: screen.width, paint: paint) } catch {
            complain("\(error)")
            return
        }
        let canDraw = takesKeys && screen.isTerminal && !["", "dumb"].contains(Screen.environment("TERM"))
        let lines: any InputLines = (canDraw ? LineEditor(lua, hasColor: hasColor) : nil) ?? PlainLines(lua, prompts: takesKeys && screen.isTerminal)
        Console.write(HostCommand.version + (takesKeys ? "  :help explains, Ctrl-D leaves" : "") + "\n")
        if takesKeys, canDraw, lines is PlainLines {
            complain("no line editing: libreadline is not installed (Debian: libreadline8)")
        }
        while true {
            if takesKeys { try? session.setWidth(Screen.current().width) }
            let input = lines.next(prompt: "\(session.count + 1)> ", session: session)
            if lua.interrupted == SIGTERM { return }
            lua.clearInterrupt()
            switch input {
            case .end: return
            case .cancelled: continue
            case .text(let text):
                lines.remember(text)
                guard show(session.evaluate(text), of: text) else { return }
                if lua.interrupted == SIGTERM { return }
                lua.clearInterrupt()
            }
        }
    }

    /// False: the session is over.
    private func show(_ outcome: Session.Outcome, of text: String) -> Bool {
        ProgressTerminal.standardError?.leaveLine()
        switch outcome {
        case .quit: return false
        case .value(let text): if !text.isEmpty { Console.write(text + "\n") }
        case .syntax(let message, let line, let column):
            var out = red(message)
            if let line, let column {
                let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
                if lines.indices.contains(line - 1) {
                    // Bytes before the column as characters, so that the caret stands under the right one.
                    let before = String(decoding: Array(lines[line - 1].utf8.prefix(column - 1)), as: UTF8.self)
                    out += "\n  \(lines[line - 1])\n  " + before.map { $0 == "\t" ? "\t" : " " }.joined() + red("^")
                }
            }
            Console.writeError(out + "\n")
        case .failure(let message, let traceback):
            Console.writeError(red(message) + "\n" + (traceback.isEmpty ? "" : grey(traceback.trimmedFeeds) + "\n"))
        case .interrupted:
            if lua.interrupted != SIGTERM { Console.writeError(red("interrupted") + "\n") }
        }
        return true
    }

    private func red(_ text: String) -> String { hasColor ? "\u{1b}[31m\(text)\u{1b}[0m" : text }
    private func grey(_ text: String) -> String { hasColor ? "\u{1b}[90m\(text)\u{1b}[0m" : text }

    private static func paint(_ part: Session.Part, _ text: String) -> String {
        let code = switch part {
        case .key: "34"
        case .string: "32"
        case .number: "36"
        case .note: "90"
        }
        return "\u{1b}[\(code)m\(text)\u{1b}[0m"
    }
}

extension String {
    fileprivate var trimmedFeeds: String { String(drop { $0 == "\n" }) }
}
