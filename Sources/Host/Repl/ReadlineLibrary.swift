import NN

/// The functions and variables of GNU readline that the line editor needs; opened when a session starts on a terminal.
struct ReadlineLibrary: @unchecked Sendable {
    typealias Command = @convention(c) (Int32, Int32) -> Int32
    typealias LineHandler = @convention(c) (UnsafeMutablePointer<CChar>?) -> Void
    typealias Redisplay = @convention(c) () -> Void

    let initialize: @convention(c) () -> Int32
    let installHandler: @convention(c) (UnsafePointer<CChar>, LineHandler) -> Void
    let removeHandler: @convention(c) () -> Void
    let readCharacter: @convention(c) () -> Void
    let cleanUpAfterSignal: @convention(c) () -> Void
    let resetAfterSignal: @convention(c) () -> Void
    let bindKey: @convention(c) (Int32, Command) -> Int32
    let newLine: Command
    let insertText: @convention(c) (UnsafePointer<CChar>) -> Int32
    let deleteText: @convention(c) (Int32, Int32) -> Int32
    let replaceLine: @convention(c) (UnsafePointer<CChar>, Int32) -> Void
    let ding: @convention(c) () -> Int32
    let addHistory: @convention(c) (UnsafePointer<CChar>) -> Void
    let stifleHistory: @convention(c) (Int32) -> Void
    let variableBind: @convention(c) (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32

    let lineBuffer: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    let point: UnsafeMutablePointer<Int32>
    let end: UnsafeMutablePointer<Int32>
    let displayPrompt: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    let redisplay: UnsafeMutablePointer<Redisplay?>
    let catchSignals: UnsafeMutablePointer<Int32>
    let catchResize: UnsafeMutablePointer<Int32>
    let name: UnsafeMutablePointer<UnsafePointer<CChar>?>

    static let shared: ReadlineLibrary? = ReadlineLibrary()

    private init?() {
        guard let library = DynamicLibrary(["libreadline.so.8", "libreadline.8.dylib", "/opt/homebrew/opt/readline/lib/libreadline.8.dylib"]) else {
            return nil
        }
        struct Missing: Error {}
        func find<T>(_ name: String) throws -> T {
            guard let symbol = library.function(name, T.self) else { throw Missing() }
            return symbol
        }
        do {
            initialize = try find("rl_initialize")
            installHandler = try find("rl_callback_handler_install")
            removeHandler = try find("rl_callback_handler_remove")
            readCharacter = try find("rl_callback_read_char")
            cleanUpAfterSignal = try find("rl_callback_sigcleanup")
            resetAfterSignal = try find("rl_reset_after_signal")
            bindKey = try find("rl_bind_key")
            newLine = try find("rl_newline")
            insertText = try find("rl_insert_text")
            deleteText = try find("rl_delete_text")
            replaceLine = try find("rl_replace_line")
            ding = try find("rl_ding")
            addHistory = try find("add_history")
            stifleHistory = try find("stifle_history")
            variableBind = try find("rl_variable_bind")
            lineBuffer = try find("rl_line_buffer")
            point = try find("rl_point")
            end = try find("rl_end")
            displayPrompt = try find("rl_display_prompt")
            redisplay = try find("rl_redisplay_function")
            catchSignals = try find("rl_catch_signals")
            catchResize = try find("rl_catch_sigwinch")
            name = try find("rl_readline_name")
        } catch { return nil }
    }
}
