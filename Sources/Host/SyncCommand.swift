#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge
import Wandb

/// `host sync [PATH …]`: uploads runs that are not, or not wholly, on the server.
struct SyncCommand {
    static let help = """
        usage: host sync [PATH ...]
        Uploads W&B runs: run directories, .wandb files, or directories that hold runs (default: here).
          --again    also those that are marked as uploaded

        """
    let words: [String]

    func run() -> Int32 {
        var paths: [String] = []
        var again = false
        for word in words {
            switch word {
            case "-h", "--help":
                Console.write(Self.help)
                return ExitCode.done
            case "--again": again = true
            case _ where word.hasPrefix("-"):
                complain("sync: unknown option '\(word)'")
                return ExitCode.usage
            default: paths.append(word)
            }
        }
        do {
            let sync = Sync(settings: try Settings.load())
            var failed = false
            var seen = 0
            for path in paths.isEmpty ? ["."] : paths {
                for run in try Sync.directories(at: path) {
                    seen += 1
                    let outcome = sync.upload(run, again: again)
                    Console.write("\(run): \(Self.describe(outcome))\n")
                    failed = failed || outcome.isFailure
                }
            }
            return failed ? ExitCode.scriptError : ExitCode.done
        } catch {
            complain("\(error)", prefix: "")
            return ExitCode.scriptError
        }
    }

    private static func describe(_ outcome: Sync.Outcome) -> String {
        switch outcome {
        case .uploaded(let rows, let url): "uploaded \(rows) rows\(url.map { " to \($0)" } ?? "")"
        case .damaged(let rows, let offset, let reason):
            "damaged at byte \(offset) (\(reason)); uploaded the \(rows) rows before it"
        case .skipped(let reason): "skipped: \(reason)"
        case .failed(let reason): "failed: \(reason)"
        }
    }
}
