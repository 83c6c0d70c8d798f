/// Whether operations record history. One script thread uses tensors with history, so this is a
/// plain variable; loader threads never record.
public enum GradMode {
    nonisolated(unsafe) public private(set) static var isEnabled = true

    /// Sets the mode and returns what it was, for callers that cannot nest a closure.
    @discardableResult
    public static func set(_ enabled: Bool) -> Bool {
        let old = isEnabled
        isEnabled = enabled
        return old
    }

    public static func with<R>(_ enabled: Bool, _ body: () throws -> R) rethrows -> R {
        let old = set(enabled)
        defer { set(old) }
        return try body()
    }
}
