import Synchronization
import Wandb

/// Ends the W&B runs of scripts that were stopped for a newer version: what the server still lacks is sent while the next
/// one runs already.
enum SupersededRuns {
    private static let waiting = Mutex<[BackgroundThread]>([])
    private static let unfinished = Atomic<Int>(0)

    /// Ends a run with the exit status of its script.
    static func end(_ run: Run, status: Int32) {
        guard status == ExitCode.superseded else { return run.finish(exitCode: status) }
        unfinished.add(1, ordering: .relaxed)
        let thread = BackgroundThread {
            run.supersede()
            unfinished.subtract(1, ordering: .releasing)
        }
        guard thread.isStarted else {
            unfinished.subtract(1, ordering: .releasing)
            return run.supersede()
        }
        waiting.withLock { $0.append(thread) }
    }

    static var count: Int { unfinished.load(ordering: .acquiring) }

    /// Waits until all of them have ended.
    static func join() {
        while let thread = waiting.withLock({ $0.popLast() }) { thread.join() }
    }
}
