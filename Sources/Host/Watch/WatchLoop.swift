#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge
import NN

/// `host --watch script.lua`: runs the script again whenever it, or a Lua file that it loaded, was saved with other contents.
/// Each run has a Lua state of its own in this process; decoded data sets stay in memory in between.
final class WatchLoop {
    private let words: [String]
    private let arguments: Arguments
    private let watcher: ChangeWatcher
    private let ink = DiffInk.standardError
    /// What a fresh process has, and each run begins with.
    private let random = Generator.shared.current
    private let threads = Parallel.threads
    /// Final metrics of the last run that came to its end.
    private var metrics: [String: Double]?
    /// Lua states whose W&B runs are still being sent: these look at the state's interrupt flag.
    private var retired: [ScriptRunner] = []

    init(words: [String], arguments: Arguments) throws {
        self.words = words
        self.arguments = arguments
        watcher = try ChangeWatcher()
    }

    func run() throws -> Int32 {
        DataCache.shared.isEnabled = true
        // From here on a signal that no script listens to any more, or not yet, ends the watch in order.
        Lua.noteSignals(true)
        defer {
            Lua.noteSignals(false)
            watcher.stop()
        }
        while true {
            let status = try runOnce()
            if let signal = Lua.receivedSignal { return leave(ExitCode.signal(signal)) }
            watcher.compare()
            if status != ExitCode.superseded {
                let count = watcher.files.paths.count
                say("watching \(count) file\(count == 1 ? "" : "s"); Ctrl-C leaves")
            }
            if let signal = waitForChange() { return leave(ExitCode.signal(signal)) }
            for change in watcher.files.changes() {
                for line in CodeDiff.lines(change, ink) { Console.writeError(line + "\n") }
            }
            say("starting again")
        }
    }

    /// Runs the script to its end, an error, or a change of its files.
    private func runOnce() throws -> Int32 {
        Generator.shared.current = random
        Parallel.threads = threads
        DataCache.shared.beginRun()
        if SupersededRuns.unfinished() == 0 { retired = [] }
        let record = RunRecord()
        RunRecord.current = record
        defer { RunRecord.current = nil }
        watcher.begin()
        if let script = arguments.script { watcher.opened(script) }
        let runner = try ScriptRunner(words: words, arguments: arguments)
        runner.lua.leavesByStopping = true
        runner.lua.onOpeningFile { [watcher] in watcher.opened($0) }
        let start = monotonic()
        let status = runner.run()
        watcher.end()
        if SupersededRuns.unfinished() > 0 { retired.append(runner) }
        let seconds = Finding.tenths(monotonic() - start)
        switch status {
        case ExitCode.superseded: say("changed after \(seconds) s: the run was stopped")
        case ExitCode.done:
            say("done in \(seconds) s")
            let now = record.metrics
            if let metrics { for line in MetricDiff.lines(metrics, now, ink) { Console.writeError(line + "\n") } }
            if !now.isEmpty { metrics = now }
        default: say("ended with status \(status) after \(seconds) s")
        }
        return status
    }

    /// Gives the signal that ended the wait; nil: a file changed.
    private func waitForChange() -> Int32? {
        while true {
            if let signal = Lua.receivedSignal { return signal }
            if watcher.wait(0.1) { return nil }
        }
    }

    private func leave(_ status: Int32) -> Int32 {
        Lua.noteSignals(false)
        if SupersededRuns.unfinished() > 0 {
            say("waiting until W&B has the runs that were stopped; Ctrl-C leaves them to host sync")
            SupersededRuns.join()
        }
        return status
    }

    private func say(_ text: String) {
        ProgressTerminal.standardError?.leaveLine()
        Console.writeError(ink.faint("host: \(text)") + "\n")
    }
}
