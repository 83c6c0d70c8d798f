import CLuaShim
import Synchronization

/// Standard output and error, in order with what Lua's `print` writes.
public enum Console {
    public static func write(_ text: String) { write(text, error: false) }

    /// Writes to standard error, after what was printed before.
    public static func writeError(_ text: String) { write(text, error: true) }

    public static func flush() { chost_flush() }

    /// Lines of standard output appear as they are printed, also in a pipe.
    public static func flushEveryLine() { chost_flush_lines() }

    private static let listener = Mutex<(@Sendable (_ text: String, _ isError: Bool) -> Void)?>(nil)

    /// Tells somebody what is written from here on: all that does not come from Lua's own `print` and files.
    public static func listen(_ body: (@Sendable (_ text: String, _ isError: Bool) -> Void)?) {
        listener.withLock { $0 = body }
    }

    private static func write(_ text: String, error: Bool) {
        listener.withLock { $0 }?(text, error)
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                if let start = $0.baseAddress { chost_write(error, start, $0.count) }
            }
        }
    }
}
