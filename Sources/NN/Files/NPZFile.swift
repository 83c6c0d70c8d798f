/// NumPy's file of several arrays by name: a zip archive of .npy files.
public enum NPZFile {
    /// - Throws: `TensorError` with path, byte offset and reason for anything but a sound archive.
    public static func read(_ path: String) throws -> [(name: String, tensor: Tensor)] {
        let archive = try ZipReader(path)
        return try archive.entries.map { entry in
            let bytes = try archive.contents(entry)
            let name = entry.name.hasSuffix(".npy") ? String(entry.name.dropLast(4)) : entry.name
            let tensor = try NPYFile.read("\(path): \(entry.name)", length: bytes.count, base: 0) { count, offset, target in
                if count > 0 { target.copyMemory(from: bytes.base + offset, byteCount: count) }
            }
            return (name, tensor)
        }
    }

    /// Writes the arrays in order of their names; deflated if `compressed`.
    /// - Throws: `TensorError` when the file cannot be written; one that was there stays whole.
    public static func write(_ tensors: [(name: String, tensor: Tensor)], compressed: Bool = false, to path: String) throws {
        var names = Set<String>()
        for (name, _) in tensors {
            guard names.insert(name).inserted else { throw TensorError("\(path): two tensors are called '\(name)'") }
            guard name.utf8.count <= 60000 else { throw TensorError("\(path): a name of \(name.utf8.count) bytes is too long for a zip archive") }
        }
        let archive = try ZipWriter(path)
        for (name, tensor) in tensors.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            let source = try tensor.packed()
            let body = UnsafeRawBufferPointer(start: source.pointer, count: source.count * source.dtype.size)
            try archive.add("\(name).npy", NPYHeader.bytes(source.dtype, source.shape), body, compressed: compressed)
        }
        try archive.finish()
    }
}
