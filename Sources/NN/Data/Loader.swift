/// Batches of a dataset, pass after pass.
public final class Loader {
    public struct Options: Sendable {
        public var batchSize = 1
        public var shuffle = false
        public var dropLast = false
        /// nil: each pass draws one from the shared generator, if it needs any randomness.
        public var seed: UInt64?
        public var transform: (any Transform)?
        /// Batches made ahead on other threads, of small ones more; 0 makes them when they are asked for.
        public var prefetch = 3

        public init() {}
    }

    public let dataset: any Dataset
    public let options: Options

    /// - Throws: `TensorError` for a batch size below 1, or a transform that does not fit the dataset.
    public init(_ dataset: any Dataset, _ options: Options) throws {
        guard options.batchSize >= 1 else { throw TensorError("batch_size must be at least 1, got \(options.batchSize)") }
        guard options.prefetch >= 0, options.prefetch <= 1024 else {
            throw TensorError("prefetch must be 0 to 1024 batches, got \(options.prefetch)")
        }
        if options.transform != nil {
            guard let image = dataset.columns.first else { throw TensorError("a transform needs samples that begin with an image") }
            try TransformPipeline.check(image.shape, image.dtype)
        }
        self.dataset = dataset
        self.options = options
    }

    /// Batches in a pass.
    public static func batchCount(_ count: Int, batchSize: Int, dropLast: Bool) -> Int {
        dropLast ? count / batchSize : count / batchSize + (count % batchSize == 0 ? 0 : 1)
    }

    public var batchCount: Int {
        Loader.batchCount(dataset.count, batchSize: options.batchSize, dropLast: options.dropLast)
    }

    /// A fresh pass; `number` decides order and augmentation, together with the seed.
    public func pass(_ number: Int) throws -> LoaderPass {
        let isRandom = options.shuffle || options.transform != nil
        let seed = isRandom ? LoaderSeed.pass(options.seed ?? LoaderSeed.draw(), options.seed == nil ? 0 : number) : 0
        return try LoaderPass(self, seed: seed)
    }
}

/// One pass over a dataset: batches are filled ahead of the reader, into memory that the reader's
/// thread has allocated; what is in them does not depend on when or where.
public final class LoaderPass {
    private let filler: BatchFiller
    private let batchSize: Int
    private let rows: Int
    private let total: Int
    private var submitted = 0
    private var ready: [Batch] = []
    /// Batches made ahead at most, and how few may be left before more are ordered: waking a thread for each of many small
    /// batches costs more than to fill it.
    private let depth, refill: Int
    private static let smallBytes = 2 << 20, smallDepth = 16

    init(_ loader: Loader, seed: UInt64) throws {
        let options = loader.options, dataset = loader.dataset
        rows = dataset.count
        batchSize = options.batchSize
        total = loader.batchCount
        let bytes = dataset.columns.reduce(1) { $0 + $1.byteCount * options.batchSize }
        let ahead = options.prefetch > 0 ? max(options.prefetch, min(Self.smallDepth, Self.smallBytes / bytes)) : 0
        depth = min(ahead, max(total, 1))
        refill = ahead > options.prefetch ? ahead / 2 : max(ahead - 1, 0)
        filler = BatchFiller(
            dataset, order: options.shuffle ? try LoaderSeed.order(rows, seed) : nil, transform: options.transform, seed: seed,
            spareFloats: options.transform == nil ? 0 : dataset.columns.first?.shape.count ?? 0)
        if depth > 0 {
            // Augmentation takes long enough to be worth more threads on larger machines.
            filler.start(threads: options.transform == nil ? 1 : min(max(Parallel.threads / 4, 1), 4, depth))
        }
    }

    deinit { filler.stop() }

    /// The next batch: one tensor for each column; nil at the end.
    public func next() throws -> [Tensor]? {
        var fresh: [Batch] = []
        while ready.count <= refill || !fresh.isEmpty, ready.count < max(depth, 1), submitted < total {
            let batch = try Batch(filler.dataset, from: submitted * batchSize, count: min(batchSize, rows - submitted * batchSize))
            submitted += 1
            ready.append(batch)
            fresh.append(batch)
        }
        if !fresh.isEmpty { filler.submit(fresh) }
        guard !ready.isEmpty else { return nil }
        let batch = ready.removeFirst()
        filler.wait(for: batch)
        return batch.tensors
    }
}

/// Tensors to be filled with samples from..<from + count of a pass.
final class Batch: @unchecked Sendable {
    let tensors: [Tensor]
    let from: Int
    let count: Int
    /// Guarded by the filler's lock.
    var isFilled = false

    init(_ dataset: any Dataset, from: Int, count: Int) throws {
        tensors = try dataset.columns.map { column in
            try column.shape.checkRoom()
            var shape = column.shape
            shape.insert(count, at: 0)
            return try Tensor(emptyOf: shape, column.dtype)
        }
        self.from = from
        self.count = count
    }
}
