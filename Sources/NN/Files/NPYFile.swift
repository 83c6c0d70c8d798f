/// NumPy's file of one array.
public enum NPYFile {
    /// - Throws: `TensorError` with path, byte offset and reason for anything but a sound file.
    public static func read(_ path: String) throws -> Tensor {
        let file = try InputFile(path)
        return try read(path, length: file.size, base: 0) { try file.read($0, at: $1, into: $2) }
    }

    /// Reads an array of `length` bytes that come from `read(count, offset, target)`.
    static func read(
        _ path: String, length: Int, base: Int, _ read: (Int, Int, UnsafeMutableRawPointer) throws -> Void
    ) throws -> Tensor {
        let header = try NPYHeader(path, length: length, base: base) { count, offset in
            try [UInt8](count: count, "\(count) bytes of \(path)") { try read(count, offset, $0) }
        }
        guard let type = NPYHeader.types[header.type] else { throw TensorError.file(path, "unknown type") }
        let count: Int, shape: Shape
        do {
            shape = try Shape(header.isFortran ? header.shape.reversed() : header.shape)
            count = try shape.checkedCount()
        } catch { throw TensorError.file(path, at: base + 10, "\(error)") }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: type.size)
        guard !overflow, bytes == length - header.size else {
            throw TensorError.file(
                path, at: base + min(length, header.size &+ bytes),
                "shape \(header.shape) of \(header.type) needs \(bytes) bytes of elements, there are \(length - header.size)")
        }
        let tensor = try Tensor(emptyOf: shape, type.dtype)
        let start = tensor.pointer + count * type.dtype.size - bytes
        try read(bytes, header.size, start)
        if header.isBigEndian { swapBytes(start, count: count, size: type.size) }
        if let bad = type.widen(tensor.pointer, count: count) {
            throw TensorError.file(
                path, at: base + header.size + bad * type.size, "element \(bad) of type \(header.type) cannot be a \(type.dtype.name)")
        }
        guard header.isFortran, shape.rank > 1 else { return tensor }
        return try tensor.permutedWindow(Array((0..<shape.rank).reversed())).packed()
    }

    public static func write(_ tensor: Tensor, to path: String) throws {
        let source = try tensor.packed()
        let file = try OutputFile(path)
        try file.write(NPYHeader.bytes(source.dtype, source.shape))
        try file.write(UnsafeRawBufferPointer(start: source.pointer, count: source.count * source.dtype.size))
        try file.commit()
    }
}
