/// A block of native memory that one or more tensors look at.
public final class Storage {
    let bytes: UnsafeMutableRawPointer
    var byteCount: Int

    /// Counts in-place changes; backward compares it with what it was when a value was saved.
    var version = 0

    /// Counts changes of history through views, so that other views know theirs is stale.
    var historyVersion = 0

    let capacity: Int
    private let onRelease: (() -> Void)?

    /// - Throws: `TensorError` when the memory cannot be had.
    init(byteCount: Int, for what: @autoclosure () -> String) throws {
        (bytes, capacity) = try Allocator.shared.allocate(byteCount, for: what())
        self.byteCount = byteCount
        onRelease = nil
    }

    /// Memory that somebody else owns (a mapped file); `release` runs when the last tensor is gone.
    init(external: UnsafeMutableRawPointer, byteCount: Int, release: @escaping () -> Void) {
        bytes = external
        self.byteCount = byteCount
        capacity = 0
        onRelease = release
    }

    deinit {
        if let onRelease { onRelease() } else { Allocator.shared.release(bytes, size: capacity) }
    }
}
