import KernelABI

/// A task's arguments and how its items are cut into chunks for the threads. Items are independent, so
/// the cut never shows in a result.
struct Shared<Arguments> {
    var arguments: Arguments
    var items: Int
    var perChunk: Int

    /// The items of chunk i.
    @inline(__always) func first(_ i: Int) -> Int { i &* perChunk }
    @inline(__always) func end(_ i: Int) -> Int { min(items, (i &+ 1) &* perChunk) }
}

/// Calls `task` for chunks of `items`, each of about `work` elements; on this thread when that is little.
@inline(__always)
func share<Arguments>(
    _ exec: UnsafePointer<kernel_exec>, _ items: Int, _ work: Int, _ arguments: Arguments, _ task: kernel_task
) {
    if items < 1 { return }
    let threads = exec.pointee.threads
    // Less than some microseconds of work is not worth waking a thread for. (A shift binds tighter than a product.)
    let chunks = threads < 2 ? 1 : max(1, min(items, min(4 &* threads, (items &* work) >> 14)))
    var s = Shared(arguments: arguments, items: items, perChunk: (items &+ chunks &- 1) / chunks)
    let count = (items &+ s.perChunk &- 1) / s.perChunk
    withUnsafeMutablePointer(to: &s) { s in
        if count == 1 { task(s, 0) } else { exec.pointee.run(count, task, s) }
    }
}
