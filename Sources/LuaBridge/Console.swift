import CLuaShim

/// Standard output and error, in order with what Lua's `print` writes.
public enum Console {
    public static func write(_ text: String) { write(text, error: false) }

    /// Writes to standard error, after what was printed before.
    public static func writeError(_ text: String) { write(text, error: true) }

    public static func flush() { chost_flush() }

    /// Lines of standard output appear as they are printed, also in a pipe.
    public static func flushEveryLine() { chost_flush_lines() }

    private static func write(_ text: String, error: Bool) {
        var text = text
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                if let start = $0.baseAddress { chost_write(error, start, $0.count) }
            }
        }
    }
}
