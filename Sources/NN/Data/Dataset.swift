/// One part of every sample: images, labels, ...
public struct DataColumn: Sendable, Equatable {
    /// Shape of one sample's part; a batch has the number of samples in front.
    public var shape: Shape
    public var dtype: DType
    /// For images: the value of an empty pixel, after normalisation.
    public var background: Float = 0
    /// Whether a single sample's part is a number rather than a tensor.
    public var isNumber = false

    var byteCount: Int { shape.count * dtype.size }
}

/// Samples that can be gathered on any thread, without a script's help.
public protocol Dataset: AnyObject, Sendable {
    var count: Int { get }
    var columns: [DataColumn] { get }
    /// Writes one part of sample `row` (0..<count) to `target`, packed.
    func copy(row: Int, column: Int, to target: UnsafeMutableRawPointer)
}

extension Dataset {
    /// Sample `index`, counted from the end when negative: one tensor for each column.
    /// - Throws: `TensorError` that states the valid range.
    public func sample(_ index: Int) throws -> [Tensor] {
        guard index >= -count, index < count else {
            throw TensorError(
                count == 0
                    ? "index \(index) is out of range: the dataset is empty"
                    : "index \(index) is out of range for a dataset of \(count); valid: 0..\(count - 1) or \(-count)..-1")
        }
        let row = index < 0 ? index + count : index
        return try columns.enumerated().map { c, column in
            let tensor = try Tensor(emptyOf: column.shape, column.dtype)
            copy(row: row, column: c, to: tensor.pointer)
            return tensor
        }
    }
}

/// Tensors whose first dimensions agree: sample i is row i of each.
public final class TensorDataset: Dataset, @unchecked Sendable {
    private enum Source {
        case plain(Storage, UnsafeMutableRawPointer)
        /// Bytes that become floats by a table of 256 for each channel.
        case pixels(Storage, UnsafeMutableRawPointer, [Float], channels: Int)
    }

    public let count: Int
    public let columns: [DataColumn]
    public let tensors: [Tensor]
    private let sources: [Source]

    /// - Throws: `TensorError` when there are no tensors, or their sizes differ.
    public convenience init(_ tensors: [Tensor]) throws {
        try self.init(tensors, pixels: nil, numbers: false)
    }

    /// Images and their classes: uint8 [N, H, W] or [N, C, H, W] come as float32 [C, H, W] in 0..1, and
    /// normalised if constants are given (one for all channels, or one each).
    public static func images(_ images: Tensor, _ labels: Tensor, mean: [Double], std: [Double]) throws -> TensorDataset {
        try TensorDataset([images, labels], pixels: (mean, std), numbers: true)
    }

    private init(_ tensors: [Tensor], pixels: (mean: [Double], std: [Double])?, numbers: Bool) throws {
        guard let first = tensors.first else { throw TensorError("TensorDataset: expected at least one tensor") }
        for tensor in tensors {
            guard tensor.rank > 0 else { throw TensorError("TensorDataset: a 0-d tensor has no samples") }
            guard tensor.shape[0] == first.shape[0] else {
                throw TensorError(
                    "TensorDataset: sizes differ in the first dimension: \(tensors.map(\.shape.description).joined(separator: " and "))")
            }
        }
        count = first.shape[0]
        self.tensors = tensors
        var columns: [DataColumn] = []
        var sources: [Source] = []
        for (i, tensor) in tensors.enumerated() {
            let packed = try tensor.packed()
            let row = packed.shape.dropping(0)
            if i == 0, let pixels {
                guard packed.dtype == .uint8, row.rank == 2 || row.rank == 3 else {
                    throw TensorError("expected uint8 images [N, H, W] or [N, C, H, W], got \(packed.dtype.name) \(packed.shape)")
                }
                let shape = row.rank == 3 ? row : Shape(1, row[0], row[1])
                let table = try TensorDataset.table(channels: shape[0], pixels.mean, pixels.std)
                columns.append(DataColumn(shape: shape, dtype: .float32, background: table[0]))
                sources.append(.pixels(packed.storage, packed.pointer, table, channels: shape[0]))
            } else {
                columns.append(DataColumn(shape: row, dtype: packed.dtype, isNumber: numbers && row.rank == 0))
                sources.append(.plain(packed.storage, packed.pointer))
            }
        }
        self.columns = columns
        self.sources = sources
    }

    /// What each byte becomes, in the order of operations that PyTorch users write: x / 255, then
    /// (x - mean) / std, each rounded to float32.
    private static func table(channels: Int, _ mean: [Double], _ std: [Double]) throws -> [Float] {
        guard mean.count == std.count, mean.isEmpty || mean.count == 1 || mean.count == channels else {
            throw TensorError("expected one mean and deviation, or one for each of \(channels) channels, got \(mean.count) and \(std.count)")
        }
        guard std.allSatisfy({ $0 > 0 && $0.isFinite }) else { throw TensorError("expected deviations above 0, got \(std)") }
        var table: [Float] = []
        for c in 0..<channels {
            for byte in 0..<256 {
                var x = Float(byte) / 255
                if !mean.isEmpty {
                    let k = mean.count == 1 ? 0 : c
                    x = (x - Float(mean[k])) / Float(std[k])
                }
                table.append(x)
            }
        }
        return table
    }

    public func copy(row: Int, column: Int, to target: UnsafeMutableRawPointer) {
        switch sources[column] {
        case .plain(_, let base):
            let bytes = columns[column].byteCount
            target.copyMemory(from: base + row * bytes, byteCount: bytes)
        case .pixels(_, let base, let table, let channels):
            let size = columns[column].shape.count, plane = size / max(channels, 1)
            let from = (base + row * size).assumingMemoryBound(to: UInt8.self)
            let to = target.assumingMemoryBound(to: Float.self)
            table.withUnsafeBufferPointer { table in
                guard let table = table.baseAddress else { return }
                for c in 0..<channels {
                    let lookup = table + c * 256
                    for i in (c * plane)..<((c + 1) * plane) { to[i] = lookup[Int(from[i])] }
                }
            }
        }
    }
}

/// Some samples of another dataset, in an order of its own.
public final class Subset: Dataset, @unchecked Sendable {
    public let dataset: any Dataset
    public let indices: [Int]
    public var count: Int { indices.count }
    public var columns: [DataColumn] { dataset.columns }

    /// - Throws: `TensorError` for an index out of range; negative ones count from the end.
    public init(_ dataset: any Dataset, _ indices: [Int]) throws {
        let n = dataset.count
        self.indices = try indices.map { i in
            guard i >= -n, i < n else {
                throw TensorError("Subset: index \(i) is out of range for a dataset of \(n); valid: 0..\(n - 1) or \(-n)..-1")
            }
            return i < 0 ? i + n : i
        }
        self.dataset = dataset
    }

    public func copy(row: Int, column: Int, to target: UnsafeMutableRawPointer) {
        dataset.copy(row: indices[row], column: column, to: target)
    }
}

/// Several datasets one after the other.
public final class ConcatDataset: Dataset, @unchecked Sendable {
    public let datasets: [any Dataset]
    /// Where each ends.
    private let ends: [Int]
    public let columns: [DataColumn]
    public var count: Int { ends.last ?? 0 }

    /// - Throws: `TensorError` when there are none, or their samples differ in shape or dtype.
    public init(_ datasets: [any Dataset]) throws {
        guard let first = datasets.first else { throw TensorError("ConcatDataset: expected at least one dataset") }
        columns = first.columns
        for (i, other) in datasets.enumerated() {
            func text(_ columns: [DataColumn]) -> String { columns.map { "\($0.dtype.name) \($0.shape)" }.joined(separator: ", ") }
            guard text(other.columns) == text(first.columns) else {
                throw TensorError("ConcatDataset: samples of dataset \(i) are \(text(other.columns)), of dataset 0 \(text(first.columns))")
            }
        }
        var sum = 0
        ends = datasets.map { sum += $0.count; return sum }
        self.datasets = datasets
    }

    public func copy(row: Int, column: Int, to target: UnsafeMutableRawPointer) {
        var low = 0, high = ends.count - 1
        while low < high {
            let middle = (low + high) / 2
            if row < ends[middle] { high = middle } else { low = middle + 1 }
        }
        datasets[low].copy(row: row - (low == 0 ? 0 : ends[low - 1]), column: column, to: target)
    }
}
