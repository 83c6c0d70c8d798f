import CZlib

/// The file format of MNIST: a magic number that tells element type and rank, sizes, elements; all
/// of it big-endian, often gzipped.
/// Source: http://yann.lecun.com/exdb/mnist (the section on file formats)
public enum IDXFile {
    /// Element types by the code in the third byte.
    enum Element: UInt8 {
        case uint8 = 0x08, int8 = 0x09, int16 = 0x0b, int32 = 0x0c, float32 = 0x0d, float64 = 0x0e

        var size: Int {
            switch self {
            case .uint8, .int8: 1
            case .int16: 2
            case .int32, .float32: 4
            case .float64: 8
            }
        }

        /// What tensors hold it as: the narrow signed types are widened.
        var dtype: DType {
            switch self {
            case .uint8: .uint8
            case .int8, .int16, .int32: .int32
            case .float32: .float32
            case .float64: .float64
            }
        }
    }

    /// Reads a plain or gzipped file. 8 and 16-bit signed elements become int32.
    /// - Throws: `TensorError` with path, byte offset and reason for anything but a whole, sound file.
    public static func read(_ path: String) throws -> Tensor {
        let pending = try PendingIDX(path)
        try pending.fill()
        return pending.tensor
    }

    /// Writes a tensor; gzipped when the name ends in ".gz". int64 is written as int32 and bool as
    /// uint8, the nearest types that the format has.
    /// - Throws: `TensorError` when an int64 does not fit, or the file cannot be written.
    public static func write(_ tensor: Tensor, to path: String) throws {
        let source = try tensor.packed()
        guard source.rank > 0 else { throw TensorError("\(path): an IDX file has at least one dimension, the tensor has none") }
        let element: Element =
            switch source.dtype {
            case .uint8, .bool: .uint8
            case .int32, .int64: .int32
            case .float32: .float32
            case .float64: .float64
            }
        var header: [UInt8] = [0, 0, element.rawValue, UInt8(source.rank)]
        for size in source.shape.array {
            guard let small = UInt32(exactly: size) else { throw TensorError("\(path): size \(size) does not fit the format's 32 bits") }
            header += small.bigEndianBytes
        }
        let body = try Storage(byteCount: source.count * element.size, for: "the bytes of \(path)")
        if source.dtype == .int64 {
            let from = source.data(Int.self), to = body.bytes.assumingMemoryBound(to: Int32.self)
            for i in 0..<source.count {
                guard let small = Int32(exactly: from[i]) else {
                    throw TensorError("\(path): element \(i) is \(from[i]); the format's integers have 32 bits")
                }
                to[i] = small
            }
        } else {
            body.bytes.copyMemory(from: source.pointer, byteCount: body.byteCount)
        }
        swapBytes(body.bytes, count: source.count, size: element.size)
        let bytes = UnsafeRawBufferPointer(start: body.bytes, count: body.byteCount)
        let file = try OutputFile(path)
        if path.hasSuffix(".gz") {
            let packer = try Deflate(path, .gzip)
            try header.withUnsafeBytes { try packer.write($0, to: file) }
            try packer.write(bytes, to: file)
            try packer.finish(to: file)
        } else {
            try file.write(header)
            try file.write(bytes)
        }
        try file.commit()
    }
}

/// An IDX file whose header is read and checked and whose tensor is allocated; `fill` reads the
/// elements and may run on any thread.
final class PendingIDX: @unchecked Sendable {
    let path: String
    let tensor: Tensor
    let element: IDXFile.Element
    private let file: InputFile
    private let packed: Inflate?
    private let headerSize: Int

    /// - Parameter check: looks at element type and shape before anything is allocated.
    init(_ path: String, check: (IDXFile.Element, Shape) throws -> Void = { _, _ in }) throws {
        self.path = path
        let file = try InputFile(path)
        let limit: Int
        let packed: Inflate?
        if file.size >= 2, try file.bytes(2, at: 0) == [0x1f, 0x8b] {
            let compressed = try file.contents()
            packed = try Inflate(path, compressed.buffer, at: 0, owner: compressed, .gzip)
            limit = Inflate.largestOutput(of: file.size)
        } else {
            packed = nil
            limit = file.size
        }
        func header(_ count: Int, at offset: Int) throws -> [UInt8] {
            guard let packed else {
                guard file.size - offset >= count else {
                    throw TensorError.file(path, at: file.size, "the file ends within its header of \(offset + count) bytes")
                }
                return try file.bytes(count, at: offset)
            }
            return try [UInt8](count: count, "\(count) bytes of \(path)") { target in
                let n = try packed.read(into: target, count)
                guard n == count else {
                    throw TensorError.file(path, at: offset + n, "the uncompressed data ends within its header of \(offset + count) bytes")
                }
            }
        }
        let magic = try header(4, at: 0)
        guard magic[0] == 0, magic[1] == 0, let element = IDXFile.Element(rawValue: magic[2]) else {
            throw TensorError.file(
                path, at: 0,
                "not an IDX file: expected 00 00, a type (08 09 0b 0c 0d 0e) and a rank, got "
                    + magic.map { hex($0) }.joined(separator: " "))
        }
        let rank = Int(magic[3])
        guard rank >= 1, rank <= Shape.maxRank else {
            throw TensorError.file(path, at: 3, "expected 1 to \(Shape.maxRank) dimensions, got \(rank)")
        }
        let sizes = try header(4 * rank, at: 4)
        let shape = try Shape((0..<rank).map { Int(UInt32(bigEndian: sizes[($0 * 4)...])) })
        headerSize = 4 + 4 * rank
        self.element = element
        self.file = file
        self.packed = packed
        try check(element, shape)
        // Not before this is known to be possible is memory asked for.
        let count: Int
        do { count = try shape.checkedCount() } catch { throw TensorError.file(path, at: 4, "\(error)") }
        guard count <= (limit - min(headerSize, limit)) / element.size else {
            let (need, overflow) = count.multipliedReportingOverflow(by: element.size)
            throw TensorError.file(
                path, at: packed == nil ? file.size : 4,
                "its header says \(shape), \(overflow ? "more bytes than memory can address" : "\(need) bytes") of elements; "
                    + (packed == nil
                        ? "the file has \(file.size - headerSize)" : "\(file.size) compressed bytes cannot hold that"))
        }
        if packed == nil {
            let extra = file.size - headerSize - count * element.size
            guard extra == 0 else {
                throw TensorError.file(path, at: file.size - extra, "\(extra) bytes more than the shape \(shape) in its header needs")
            }
        }
        if packed == nil {
            tensor = try Tensor(emptyOf: shape, element.dtype)
        } else {
            // A compressed file is decompressed whole, header included: there is room for that before the elements.
            let bytes = Self.lead + count * element.dtype.size
            tensor = Tensor(
                storage: try Storage(byteCount: bytes, for: "the elements \(shape) of \(path)"), dtype: element.dtype, shape: shape,
                strides: shape.contiguousStrides, offset: Self.lead / element.dtype.size)
        }
    }

    /// More than the longest header, and as much as keeps elements aligned.
    private static let lead = 64

    /// Reads the elements into `tensor`.
    func fill() throws {
        let bytes = tensor.count * element.size
        // Narrow elements are read into the upper end of their wider tensor and widened from below.
        let target = tensor.pointer + tensor.count * (tensor.dtype.size - element.size)
        if let packed, packed.whole(into: target - headerSize, headerSize + bytes) {
            // All is there.
        } else if let packed {
            let got = try packed.read(into: target, bytes)
            guard got == bytes else {
                throw TensorError.file(
                    path, at: headerSize + got,
                    "the uncompressed data ends here; the shape \(tensor.shape) in its header needs \(headerSize + bytes) bytes")
            }
            try packed.expectEnd(after: headerSize + bytes)
        } else {
            try file.read(bytes, at: headerSize, into: target)
        }
        swapBytes(target, count: tensor.count, size: element.size)
        let wide = tensor.data(Int32.self)
        if element == .int8 {
            let narrow = target.assumingMemoryBound(to: Int8.self)
            for i in 0..<tensor.count { wide[i] = Int32(narrow[i]) }
        } else if element == .int16 {
            for i in 0..<tensor.count { wide[i] = Int32(target.load(fromByteOffset: i * 2, as: Int16.self)) }
        }
    }
}

func hex(_ byte: UInt8) -> String {
    let digits = Array("0123456789abcdef")
    return String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
}
