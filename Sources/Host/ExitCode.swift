import LuaBridge

/// How the process ends, as seen by the shell.
enum ExitCode {
    static let done: Int32 = 0
    static let scriptError: Int32 = 1
    static let usage: Int32 = 2

    /// A watched script was stopped to start again.
    static let superseded = signal(Lua.stopSignal)

    /// 130 after SIGINT, 143 after SIGTERM.
    static func signal(_ number: Int32) -> Int32 { 128 + number }
}
