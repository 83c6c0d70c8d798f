import LuaBridge
import Synchronization
import Wandb

/// Waits on a thread of its own for changes of a script's files, and stops the script when there is one.
final class ChangeWatcher: Sendable {
    private struct State {
        /// The files of the run that is going on or has just ended.
        var files = SourceFiles()
        var isRunning = false
    }

    private let events: FolderEvents
    private let state = Mutex(State())
    private let changed = Signal(false)
    private let thread = Mutex<BackgroundThread?>(nil)

    init() throws {
        events = try FolderEvents()
        thread.withLock { $0 = BackgroundThread { [events, weak self] in while events.wait() { self?.compare() } } }
    }

    func stop() {
        events.stop()
        thread.withLock { $0 }?.join()
    }

    /// A run begins, with files yet to be named.
    func begin() {
        changed.update { $0 = false }
        state.withLock { $0 = State(isRunning: true) }
    }

    /// The script is about to read this file.
    func opened(_ path: String) {
        events.add(folderOf: path)
        state.withLock { $0.files }.add(path)
    }

    func end() { state.withLock { $0.isRunning = false } }

    var files: SourceFiles { state.withLock { $0.files } }

    /// Waits until the files are no longer what the run read, at most so long.
    func wait(_ seconds: Double) -> Bool { changed.wait(seconds) { $0 } }

    /// Also right after a run: something may have changed before its folder was watched.
    func compare() {
        state.withLock { state in
            guard !state.files.changes().isEmpty else { return }
            changed.update { $0 = true }
            if state.isRunning { Lua.stopRunningScript() }
        }
    }
}
