#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import Synchronization

/// A thread that does not outlive its owner's patience and takes no signals: those belong to the program.
package final class BackgroundThread: @unchecked Sendable {
    // Touched by the thread that starts it and the one that joins it, which the owner keeps apart.
    private var thread: pthread_t?

    private final class Work {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    package init(_ body: @escaping @Sendable () -> Void) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setstacksize(&attributes, 1 << 20)
        defer { pthread_attr_destroy(&attributes) }
        var all = sigset_t()
        var former = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &former)
        defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
        let work = Unmanaged.passRetained(Work(body))
        var started = pthread_t()
        let result = pthread_create(&started, &attributes, { context in
            guard let context else { return nil }
            Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body()
            return nil
        }, work.toOpaque())
        if result == 0 { thread = started } else { work.release() }
    }

    package var isStarted: Bool { thread != nil }

    package func join() {
        guard let started = thread else { return }
        thread = nil
        pthread_join(started, nil)
    }

    deinit { if let thread { pthread_detach(thread) } }
}

/// A lock with a condition: a value that threads wait on.
package final class Signal<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    package init(_ value: Value) {
        self.value = value
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Changes the value and wakes every waiter.
    @discardableResult
    package func update<Result>(_ body: (inout Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer {
            pthread_cond_broadcast(condition)
            pthread_mutex_unlock(mutex)
        }
        return body(&value)
    }

    package func read<Result>(_ body: (Value) -> Result) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return body(value)
    }

    /// Waits until `isDone`, at most `seconds`. True when it is done.
    @discardableResult
    package func wait(_ seconds: Double, until isDone: (Value) -> Bool) -> Bool {
        let end = Clock.now() + min(max(0, seconds), 1e9)
        var deadline = timespec(tv_sec: Int(end), tv_nsec: Int((end - end.rounded(.down)) * 1e9))
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while !isDone(value) {
            if pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT { return isDone(value) }
        }
        return true
    }
}
