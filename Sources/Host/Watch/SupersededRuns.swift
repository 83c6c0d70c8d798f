import Synchronization
import Wandb

/// Ends the W&B runs of scripts that were stopped for a newer version: what the server still lacks is sent while the next
/// one runs already.
enum SupersededRuns {
    /// The thread that ends a run, and whether it has.
    private final class Ending: Sendable {
        private let isOverFlag = Atomic<Bool>(false)
        private let thread = Mutex<BackgroundThread?>(nil)

        var isOver: Bool { isOverFlag.load(ordering: .acquiring) }

        /// False where no thread is to be had.
        func start(_ run: Run) -> Bool {
            let started = BackgroundThread { [self] in
                run.supersede()
                isOverFlag.store(true, ordering: .releasing)
            }
            guard started.isStarted else { return false }
            thread.withLock { $0 = started }
            return true
        }

        func join() { thread.withLock { $0.take() }?.join() }
    }

    private static let endings = Mutex<[Ending]>([])

    /// Ends a run with the exit status of its script.
    static func end(_ run: Run, status: Int32) {
        guard status == ExitCode.superseded else { return run.finish(exitCode: status) }
        let ending = Ending()
        guard ending.start(run) else { return run.supersede() }
        endings.withLock { $0.append(ending) }
    }

    /// How many have not ended yet. Of those that have nothing is left afterwards: someone who watches may save a thousand times.
    static func unfinished() -> Int {
        let (over, left) = endings.withLock { all in
            let border = all.partition { $0.isOver }
            defer { all.removeSubrange(border...) }
            return (Array(all[border...]), border)
        }
        for ending in over { ending.join() }
        return left
    }

    /// Waits until all of them have ended.
    static func join() {
        while let ending = endings.withLock({ $0.popLast() }) { ending.join() }
    }
}
