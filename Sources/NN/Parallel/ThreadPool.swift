#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import KernelABI
import Synchronization

/// Worker threads for kernels. One job at a time; a job from a thread that finds the pool busy runs
/// on that thread alone. What a job computes must not depend on how its items are shared out.
final class ThreadPool: @unchecked Sendable {
    static let shared = ThreadPool()

    /// Threads a job may use, the caller's included.
    private(set) var threads: Int {
        get { allowed.load(ordering: .relaxed) }
        set { allowed.store(newValue, ordering: .relaxed) }
    }
    private let allowed = Atomic<Int>(1)

    // The job at hand; written by its owner before `generation` publishes it.
    private var task: kernel_task = { _, _ in }
    private var context: UnsafeMutableRawPointer?
    private let count = Atomic<Int>(0)
    private let shares = Atomic<Int>(1)

    /// The number of the job; a change wakes the workers.
    private let generation = Atomic<UInt64>(0)
    /// A share's items are consecutive, and its own thread's first of all: what a thread wrote in one job it finds in its own
    /// cache in the next. Who is done with its share helps with the others'. Of each share, a cache line apart: the generation in
    /// the upper half, the next item in the lower. An item is claimed by adding one; a worker that is late finds another
    /// generation.
    private let next: UnsafeMutablePointer<Atomic<UInt64>>
    private static let most = 256, line = 8
    private let finished = Atomic<Int>(0)
    private let busy = Atomic<Bool>(false)
    private let wanted = Atomic<Int>(0)  // workers that should exist
    private var started = 0

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let wake: UnsafeMutablePointer<pthread_cond_t>

    private init() {
        mutex = .allocate(capacity: 1)
        wake = .allocate(capacity: 1)
        next = .allocate(capacity: ThreadPool.most * ThreadPool.line)
        for i in 0..<(ThreadPool.most * ThreadPool.line) { (next + i).initialize(to: Atomic(0)) }
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(wake, nil)
        threads = Machine.cpuCount
        if let text = getenv("HOST_NUM_THREADS"), let n = Int(String(cString: text)), n > 0 { threads = min(n, ThreadPool.most) }
    }

    func setThreads(_ n: Int) {
        threads = max(1, min(n, ThreadPool.most))
        wanted.store(threads - 1, ordering: .relaxed)
    }

    func run(count: Int, task: @escaping kernel_task, context: UnsafeMutableRawPointer?) {
        guard count > 1, threads > 1,
            busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
        else {
            for i in 0..<max(count, 0) { task(context, i) }
            return
        }
        startWorkers()
        self.task = task
        self.context = context
        self.count.store(count, ordering: .relaxed)
        let shares = min(threads, count)
        self.shares.store(shares, ordering: .relaxed)
        finished.store(0, ordering: .relaxed)
        let job = (generation.load(ordering: .relaxed) &+ 1) & 0xffff_ffff
        for i in 0..<shares {
            next[i * ThreadPool.line].store(job << 32 | UInt64(ThreadPool.firstItem(i, shares, count)), ordering: .relaxed)
        }
        generation.store(job, ordering: .releasing)
        pthread_mutex_lock(mutex)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(mutex)
        work(job, as: 0)
        var spins = 0
        while finished.load(ordering: .acquiring) < count {
            spins += 1
            if spins < 2000 { kernel_pause() } else { sched_yield() }
        }
        // Close the job, so that a late worker cannot claim an item of the next one under its number.
        for i in 0..<shares { next[i * ThreadPool.line].store(job << 32 | 0xffff_ffff, ordering: .releasing) }
        busy.store(false, ordering: .releasing)
    }

    private static func firstItem(_ share: Int, _ shares: Int, _ count: Int) -> Int {
        share * (count / shares) + min(share, count % shares)
    }

    /// Claims and runs items of this job until none is left, those of one's own share first.
    private func work(_ job: UInt64, as thread: Int) {
        let count = self.count.load(ordering: .relaxed), shares = self.shares.load(ordering: .relaxed)
        for i in 0..<shares {
            let share = (thread + i) % shares
            let end = ThreadPool.firstItem(share + 1, shares, count)
            while true {
                let seen = next[share * ThreadPool.line].load(ordering: .acquiring)
                guard seen >> 32 == job else { return }
                let index = Int(seen & 0xffff_ffff)
                guard index < end else { break }
                guard
                    next[share * ThreadPool.line].compareExchange(expected: seen, desired: seen + 1, ordering: .acquiringAndReleasing)
                        .exchanged
                else { continue }
                task(context, index)
                finished.add(1, ordering: .releasing)
            }
        }
    }

    private func startWorkers() {
        guard started < threads - 1 else { return }
        wanted.store(threads - 1, ordering: .relaxed)
        while started < threads - 1 {
            var thread = pthread_t()
            let argument = WorkerArgument(pool: self, index: started)
            let raw = Unmanaged.passRetained(argument).toOpaque()
            // Signals are the script thread's business.
            var all = sigset_t(), old = sigset_t()
            sigfillset(&all)
            pthread_sigmask(SIG_BLOCK, &all, &old)
            let rc = pthread_create(&thread, nil, { raw in
                guard let raw else { return nil }
                let argument = Unmanaged<WorkerArgument>.fromOpaque(raw).takeRetainedValue()
                argument.pool.workerLoop(index: argument.index)
                return nil
            }, raw)
            pthread_sigmask(SIG_SETMASK, &old, nil)
            guard rc == 0 else {
                // No more threads to be had: go on with those there are.
                Unmanaged<WorkerArgument>.fromOpaque(raw).release()
                threads = started + 1
                return
            }
            pthread_detach(thread)
            started += 1
        }
    }

    private func workerLoop(index: Int) {
        var last: UInt64 = 0
        while true {
            // A short spin catches the next operation of a busy training step without a system call, and without the halt of a
            // virtual CPU: some 200 us, or 10 where there are more threads than CPUs and others have better use for them.
            let limit = threads > Machine.cpuCount ? 200 : 4000
            var spins = 0
            while generation.load(ordering: .acquiring) == last, spins < limit {
                kernel_pause()
                spins += 1
            }
            if generation.load(ordering: .acquiring) == last {
                pthread_mutex_lock(mutex)
                while generation.load(ordering: .acquiring) == last { pthread_cond_wait(wake, mutex) }
                pthread_mutex_unlock(mutex)
            }
            last = generation.load(ordering: .acquiring)
            if index < wanted.load(ordering: .relaxed) { work(last, as: index + 1) }
        }
    }
}

private final class WorkerArgument {
    let pool: ThreadPool
    let index: Int
    init(pool: ThreadPool, index: Int) {
        self.pool = pool
        self.index = index
    }
}

/// How library code shares out loops.
public enum Parallel {
    /// Elements per chunk of an element-wise loop: large enough that handing it over costs little.
    static let elementGrain = 1 << 15

    public static var threads: Int {
        get { ThreadPool.shared.threads }
        set { ThreadPool.shared.setThreads(newValue) }
    }

    /// Calls `body(low, high)` for consecutive ranges that cover 0..<count. Range borders are
    /// multiples of `grain`, so they do not depend on the number of threads.
    static func ranges(count: Int, grain: Int, _ body: @Sendable (Int, Int) -> Void) {
        guard count > 0 else { return }
        if count <= grain || threads == 1 {
            body(0, count)
            return
        }
        let chunks = (count + grain - 1) / grain
        // As few pieces as balance the load: eight per thread, or the last ones leave a thread with nothing to do for long.
        let perPiece = max(1, chunks / (threads * 8)) * grain
        let pieces = (count + perPiece - 1) / perPiece
        withoutActuallyEscaping(body) { body in
            withUnsafePointer(to: Job(body: body, count: count, grain: perPiece)) { job in
                ThreadPool.shared.run(
                    count: pieces,
                    task: { context, index in
                        guard let context else { return }
                        let job = context.assumingMemoryBound(to: Job.self).pointee
                        let low = index * job.grain
                        job.body(low, min(low + job.grain, job.count))
                    }, context: UnsafeMutableRawPointer(mutating: job))
            }
        }
    }

    private struct Job {
        let body: @Sendable (Int, Int) -> Void
        let count: Int
        let grain: Int
    }

    /// What kernels that share out their own work are given. The pointer lives as long as `body`.
    static func withExec<R>(_ body: (UnsafePointer<kernel_exec>) throws -> R) rethrows -> R {
        var exec = kernel_exec(
            threads: threads,
            run: { count, task, context in ThreadPool.shared.run(count: count, task: task, context: context) },
            scratch: { slot, bytes in Scratch.buffer(slot: slot, bytes: bytes) })
        return try body(&exec)
    }
}

/// Per-thread working memory of kernels, kept between calls.
enum Scratch {
    private static let key: pthread_key_t = {
        var key = pthread_key_t()
        pthread_key_create(&key) { raw in
            #if canImport(Glibc)
            guard let raw else { return }
            #endif
            let table = raw.assumingMemoryBound(to: Slot.self)
            for i in 0..<slots { free(table[i].buffer) }
            table.deallocate()
        }
        return key
    }()
    private static let slots = 8

    private struct Slot {
        var buffer: UnsafeMutableRawPointer?
        var size: Int
    }

    static func buffer(slot: Int, bytes: Int) -> UnsafeMutableRawPointer {
        let table: UnsafeMutablePointer<Slot>
        if let existing = pthread_getspecific(key) {
            table = existing.assumingMemoryBound(to: Slot.self)
        } else {
            table = .allocate(capacity: slots)
            table.initialize(repeating: Slot(buffer: nil, size: 0), count: slots)
            pthread_setspecific(key, table)
        }
        if let buffer = table[slot].buffer, table[slot].size >= bytes { return buffer }
        free(table[slot].buffer)
        // Panels of a matrix are read from end to end again and again: one large page for them, not hundreds of small ones.
        let step = bytes > 1 << 20 ? 2 << 20 : 4096
        let size = (max(bytes, 4096) + step - 1) / step * step
        // Kernels cannot report failure; their working sets are a few MiB, and running out of those
        // means that the process is about to be killed for memory anyway.
        guard let fresh = alignedMemory(size, largeFrom: 2 << 20) else {
            let message = "host: out of memory: \(size) bytes of working memory cannot be had\n"
            _ = message.withCString { write(2, $0, strlen($0)) }
            _exit(1)
        }
        table[slot] = Slot(buffer: fresh, size: size)
        return fresh
    }
}
