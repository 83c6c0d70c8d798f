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

    private let bar: (@Sendable (String?) -> Void)?
    private let nextLine = Mutex(0.0)
    /// Seconds between lines about something that takes its time.
    private static let lineInterval = 3.0

    /// `bar` draws a line over itself, or ends it for nil; without one there is a fresh line every three seconds.
    package init(
        settings: Settings, redactor: Redactor, sink: @escaping @Sendable (String) -> Void,
        bar: (@Sendable (String?) -> Void)? = nil
    ) {
        self.sink = sink
        self.bar = bar
        self.redactor = redactor
        isSilent = settings.silent
        isQuiet = settings.quiet
    }

    package func info(_ text: String) { if !isSilent, !isQuiet { sink(redactor.redact("wandb: \(text)")) } }
    package func warn(_ text: String) { if !isSilent { sink(redactor.redact("wandb: WARNING \(text)")) } }

    /// How far something is that takes its time; nil: it has ended.
    package func progress(_ text: String?) {
        guard !isSilent, !isQuiet else { return }
        if let bar { return bar(text.map { redactor.redact("wandb: \($0)") }) }
        let now = Clock.monotonic()
        let isDue = nextLine.withLock { next -> Bool in
            guard text != nil else {
                next = 0
                return false
            }
            if next == 0 { next = now + Self.lineInterval }
            guard now >= next else { return false }
            next = now + Self.lineInterval
            return true
        }
        if isDue, let text { info(text) }
    }

    package func warnOnce(_ cause: String, _ text: @autoclosure () -> String) {
        if said.withLock({ $0.insert(cause).inserted }) { warn(text()) }
    }

    public static func standardError(_ line: String) { write("\(line)\n") }

    /// Straight to standard error, past every buffer.
    public static func write(_ text: String) { _ = Files.writeAll(Array(text.utf8), to: STDERR_FILENO) }
}
