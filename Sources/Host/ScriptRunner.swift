#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import CPrelude
import LuaBridge

/// Makes the Lua state and runs what the command line asks for.
final class ScriptRunner {
    let lua: Lua
    private let words: [String]
    private let arguments: Arguments

    init(words: [String], arguments: Arguments) throws {
        self.words = words
        self.arguments = arguments
        lua = try Lua()
        lua.preludeSource = { name in
            var length = 0
            guard let text = chost_prelude(name, &length) else { return nil }
            return UnsafeRawBufferPointer(start: text, count: length).bindMemory(to: UInt8.self)
        }
        try lua.installExit()
        try lua.installHelp()
        try registerModules(lua)
    }

    func run() -> Int32 {
        lua.handleSignals()
        let status = work()
        // What ends now is not hurried: the reason to stop is dealt with.
        if status == ExitCode.superseded { lua.clearInterrupt() }
        lua.runExitHooks(status: status)
        lua.close()
        Console.flush()
        return status
    }

    private func work() -> Int32 {
        do {
            try prepare()
            for action in arguments.actions {
                switch action {
                case .execute(let code): try lua.run(code, name: "=(command line)")
                case .require(let text):
                    // -l MODULE, or -l GLOBAL=MODULE
                    let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
                    try lua.setGlobal(parts.first ?? text, .reference(lua.require(parts.last ?? text)))
                }
            }
            let terminal = isatty(STDIN_FILENO) != 0
            if let script = arguments.script {
                guard canRead(script) else {
                    complain("cannot open \(script)")
                    return ExitCode.scriptError
                }
                if arguments.interactive { try runGuarded(script) } else { try runChunk(lua.load(file: script)) }
            } else if arguments.readsStandardInput || (!terminal && arguments.actions.isEmpty && !arguments.interactive) {
                try runChunk(lua.load(file: nil))
            }
            let idle = arguments.script == nil && arguments.actions.isEmpty && !arguments.readsStandardInput
            if arguments.interactive || (idle && terminal && !arguments.showsVersion) {
                TerminalSession(lua).run()
            }
            return lua.interrupted.map(ExitCode.signal) ?? ExitCode.done
        } catch {
            return report(error)
        }
    }

    /// Runs a script before a session: what it left behind is there to be looked at, also after an error or Ctrl-C.
    private func runGuarded(_ script: String) throws {
        do {
            let chunk = try lua.load(file: script)
            guard let frames = try lua.prelude("session_frames"), case .reference(let guarded) = try lua.field("guard", of: frames) else {
                return try runChunk(chunk)
            }
            let outcome = try lua.call(guarded, [.reference(chunk)] + arguments.scriptArguments.map { .string($0) })
            guard outcome.first?.asBool == false else { return }
            complain(outcome.count > 1 ? outcome[1].asString ?? "" : "")
            if outcome.count > 2, let traceback = outcome[2].asString { complain(traceback, prefix: "") }
        } catch where lua.interrupted != SIGTERM {
            _ = report(error)
            lua.clearInterrupt()
        }
    }

    private func runChunk(_ chunk: LuaFunction) throws {
        _ = try lua.call(chunk, arguments.scriptArguments.map { .string($0) })
    }

    /// `arg`, and where `require` looks: beside the script, in `lib` beside it, then LUA_PATH.
    func prepare() throws {
        let origin = arguments.script == nil && !arguments.readsStandardInput ? 0 : arguments.scriptIndex
        let fields = words.enumerated().map { index, word in
            LuaField(key: .int(index - origin), value: .string(word))
        }
        try lua.setGlobal("arg", .map(fields))
        var folder = "."
        if let script = arguments.script, let slash = script.lastIndex(of: "/") {
            folder = slash == script.startIndex ? "/" : String(script[..<slash])
        }
        _ = try lua.run(
            """
            local folder = ...
            package.path = table.concat({folder .. "/?.lua", folder .. "/?/init.lua", folder .. "/lib/?.lua",
              folder .. "/lib/?/init.lua", package.path}, ";")
            """, name: "=[host start]", [.string(folder)])
    }

    private func canRead(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFDIR else { return false }
        return access(path, R_OK) == 0
    }

    /// Says what went wrong, and gives the exit status for it.
    private func report(_ error: any Error) -> Int32 {
        if let status = lua.exitStatus { return status }
        if lua.interrupted == Lua.stopSignal { return ExitCode.superseded }
        if let signal = lua.interrupted {
            complain("\(error)")
            return ExitCode.signal(signal)
        }
        let traceback = (error as? LuaError)?.traceback
        // A pipeline keeps little of a failed job: there the cause is the last line.
        let isJob = PachydermJob(environment: ProcessEnvironment.all()).isInside
        if isJob, let traceback { complain(traceback, prefix: "") }
        complain("\(error)")
        if !isJob, let traceback { complain(traceback, prefix: "") }
        return ExitCode.scriptError
    }
}
