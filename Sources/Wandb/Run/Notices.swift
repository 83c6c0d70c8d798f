#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import Synchronization

/// Lines for a person. `once` says the same thing a single time per run.
public final class Notices: Sendable {
    private let sink: @Sendable (String) -> Void
    private let isSilent: Bool
    private let isQuiet: Bool
    private let redactor: Redactor
    private let said = Mutex<Set<String>>([])

    package init(settings: Settings, redactor: Redactor, sink: @escaping @Sendable (String) -> Void) {
        self.sink = sink
        self.redactor = redactor
        isSilent = settings.silent
        isQuiet = settings.quiet
    }

    package func info(_ text: String) { if !isSilent, !isQuiet { sink(redactor.redact("wandb: \(text)")) } }
    package func warn(_ text: String) { if !isSilent { sink(redactor.redact("wandb: WARNING \(text)")) } }

    package func warnOnce(_ cause: String, _ text: @autoclosure () -> String) {
        if said.withLock({ $0.insert(cause).inserted }) { warn(text()) }
    }

    public static func standardError(_ line: String) {
        _ = Files.writeAll(Array("\(line)\n".utf8), to: STDERR_FILENO)
    }
}
