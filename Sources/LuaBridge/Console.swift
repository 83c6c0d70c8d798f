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

    public typealias Listener = @Sendable (_ text: String, _ isError: Bool) -> Void

    /// Around the closure, because a bare one is wrapped once more by each call of the generic `withLock`: a frame deeper and
    /// a block of memory more with every text written.
    private struct Holder {
        var listener: Listener?
    }

    private static let holder = Mutex(Holder())

    /// Tells somebody what is written from here on: all that does not come from Lua's own `print` and files.
    public static func listen(_ listener: Listener?) {
        holder.withLock { $0.listener = listener }
    }

    private static func write(_ text: String, error: Bool) {
        holder.withLock { $0.listener }?(text, error)
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                if let start = $0.baseAddress { chost_write(error, start, $0.count) }
            }
        }
    }
}
