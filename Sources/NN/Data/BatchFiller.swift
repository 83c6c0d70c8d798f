#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The threads that fill batches, and what they wait for.
final class BatchFiller: @unchecked Sendable {
    let dataset: any Dataset
    private let order: [Int]?
    private let transform: (any Transform)?
    private let seed: UInt64
    private let spareFloats: Int

    private let mutex: UnsafeMutablePointer<pthread_mutex_t>
    private let changed: UnsafeMutablePointer<pthread_cond_t>
    // Guarded by the mutex.
    private var waiting: [Batch] = []
    private var isStopped = false

    private var threads: [pthread_t] = []

    /// - Parameter spareFloats: working room that one sample's transform needs.
    init(_ dataset: any Dataset, order: [Int]?, transform: (any Transform)?, seed: UInt64, spareFloats: Int) {
        self.dataset = dataset
        self.order = order
        self.transform = transform
        self.seed = seed
        self.spareFloats = spareFloats
        mutex = .allocate(capacity: 1)
        changed = .allocate(capacity: 1)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(mutex)
        mutex.deallocate()
        changed.deallocate()
    }

    /// With no thread to be had, batches are filled when they are submitted.
    func start(threads count: Int) {
        for _ in 0..<count {
            guard let thread = startThread({ [self] in run() }) else { return }
            threads.append(thread)
        }
    }

    /// Ends the threads; each finishes the batch it is at.
    func stop() {
        pthread_mutex_lock(mutex)
        isStopped = true
        waiting.removeAll()
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
        for thread in threads { pthread_join(thread, nil) }
        threads = []
    }

    func submit(_ batches: [Batch]) {
        if threads.isEmpty {
            for batch in batches {
                withSpare { fill(batch, $0) }
                batch.isFilled = true
            }
            return
        }
        pthread_mutex_lock(mutex)
        waiting.append(contentsOf: batches)
        pthread_cond_broadcast(changed)
        pthread_mutex_unlock(mutex)
    }

    func wait(for batch: Batch) {
        pthread_mutex_lock(mutex)
        while !batch.isFilled { pthread_cond_wait(changed, mutex) }
        pthread_mutex_unlock(mutex)
    }

    private func run() {
        withSpare { spare in
            while true {
                pthread_mutex_lock(mutex)
                while waiting.isEmpty && !isStopped { pthread_cond_wait(changed, mutex) }
                if isStopped {
                    pthread_mutex_unlock(mutex)
                    return
                }
                let batch = waiting.removeFirst()
                pthread_mutex_unlock(mutex)
                fill(batch, spare)
                pthread_mutex_lock(mutex)
                batch.isFilled = true
                pthread_cond_broadcast(changed)
                pthread_mutex_unlock(mutex)
            }
        }
    }

    private func withSpare(_ body: (UnsafeMutablePointer<Float>) -> Void) {
        let spare = UnsafeMutablePointer<Float>.allocate(capacity: max(spareFloats, 1))
        defer { spare.deallocate() }
        body(spare)
    }

    private func fill(_ batch: Batch, _ spare: UnsafeMutablePointer<Float>) {
        for (c, column) in dataset.columns.enumerated() {
            let bytes = column.byteCount
            let target = batch.tensors[c].pointer
            for k in 0..<batch.count {
                let row = order?[batch.from + k] ?? batch.from + k
                dataset.copy(row: row, column: c, to: target + k * bytes)
                guard c == 0, let transform else { continue }
                var random = SampleRandom(passSeed: seed, sample: row)
                transform.apply(
                    to: (target + k * bytes).assumingMemoryBound(to: Float.self), spare: spare, column.shape, column.background, &random)
            }
        }
    }
}
