#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One closure on a thread of its own, and its result. Where no thread can be had, it runs at once.
///
/// The closure must not allocate tensors: the script engine's count of native memory belongs to
/// the thread that runs scripts.
final class BackgroundTask: @unchecked Sendable {
    private let body: @Sendable () throws -> Void
    private var failure: (any Error)?
    private var thread: pthread_t?

    init(_ body: @escaping @Sendable () throws -> Void) {
        self.body = body
        thread = startThread { [self] in run() }
        if thread == nil { run() }
    }

    private func run() {
        do { try body() } catch { failure = error }
    }

    /// Waits for the end; throws what the closure threw.
    func wait() throws {
        if let thread {
            pthread_join(thread, nil)
            self.thread = nil
        }
        if let failure { throw failure }
    }
}

private final class ThreadBody {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// A joinable thread that gets no signals: those are the script thread's business.
/// - Returns: nil when the system has no more threads.
func startThread(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    let raw = Unmanaged.passRetained(ThreadBody(body)).toOpaque()
    var all = sigset_t(), old = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_BLOCK, &all, &old)
    defer { pthread_sigmask(SIG_SETMASK, &old, nil) }
    #if canImport(Glibc)
    var thread = pthread_t()
    #else
    var thread: pthread_t?
    #endif
    let code = pthread_create(&thread, nil, { raw in
        #if canImport(Glibc)
        guard let raw else { return nil }
        #endif
        Unmanaged<ThreadBody>.fromOpaque(raw).takeRetainedValue().run()
        return nil
    }, raw)
    guard code == 0 else {
        Unmanaged<ThreadBody>.fromOpaque(raw).release()
        return nil
    }
    return thread
}
