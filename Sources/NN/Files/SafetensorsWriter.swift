import JSONText

extension Safetensors {
    /// How floating-point tensors are stored.
    public enum Precision: String, CaseIterable, Sendable {
        case own, float16, bfloat16
    }

    /// Writes tensors and metadata. The bytes depend on names and values alone, whatever the order
    /// of `tensors`: wide types come first, then by name, as the format's own writer has it.
    /// - Throws: `TensorError` when the file cannot be written; one that was there stays whole.
    public static func save(
        _ tensors: [(name: String, tensor: Tensor)], metadata: [(name: String, text: String)] = [],
        precision: Precision = .own, to path: String
    ) throws {
        var names = Set<String>()
        for (name, _) in tensors {
            guard name != "__metadata__" else { throw TensorError("\(path): '__metadata__' cannot be a tensor's name") }
            guard names.insert(name).inserted else { throw TensorError("\(path): two tensors are called '\(name)'") }
        }
        func type(_ dtype: DType) -> SafetensorsType {
            dtype.isFloat && precision != .own ? precision == .float16 ? .float16 : .bfloat16 : SafetensorsType(dtype)
        }
        let rank = Dictionary(uniqueKeysWithValues: SafetensorsType.allCases.enumerated().map { ($1, $0) })
        // Names are compared by their bytes, as the format's own writer does.
        let sorted = tensors.map { (name: $0.name, tensor: $0.tensor, type: type($0.tensor.dtype)) }.sorted { a, b in
            let (x, y) = (rank[a.type] ?? 0, rank[b.type] ?? 0)
            return x != y ? x > y : a.name.utf8.lexicographicallyPrecedes(b.name.utf8)
        }
        var members: [JSON.Member] = []
        if !metadata.isEmpty {
            members.append(
                JSON.Member(
                    "__metadata__",
                    .object(
                        metadata.sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
                            .map { JSON.Member($0.name, .string($0.text)) })))
        }
        var offset = 0
        for entry in sorted {
            let end = offset + entry.tensor.count * entry.type.size
            members.append(
                JSON.Member(
                    entry.name,
                    .object([
                        JSON.Member("dtype", .string(entry.type.rawValue)),
                        JSON.Member("shape", .array(entry.tensor.shape.array.map { .int($0) })),
                        JSON.Member("data_offsets", .array([.int(offset), .int(end)])),
                    ])))
            offset = end
        }
        var header = Array(JSON.object(members).encoded().utf8)
        // Spaces align the elements to 8 bytes.
        header += [UInt8](repeating: 0x20, count: (8 - header.count % 8) % 8)
        guard header.count <= headerLimit else {
            throw TensorError("\(path): names and metadata take \(header.count) bytes, the format's limit is \(headerLimit)")
        }
        let file = try OutputFile(path)
        try file.write(UInt64(header.count).littleEndianBytes)
        try file.write(header)
        for entry in sorted {
            let tensor = try entry.tensor.packed()
            if entry.type == SafetensorsType(tensor.dtype) {
                try file.write(UnsafeRawBufferPointer(start: tensor.pointer, count: tensor.count * tensor.dtype.size))
            } else {
                try writeNarrowed(tensor, entry.type, to: file)
            }
        }
        try file.commit()
    }

    private static func writeNarrowed(_ tensor: Tensor, _ type: SafetensorsType, to file: OutputFile) throws {
        let piece = 1 << 15
        var narrow = [UInt16](repeating: 0, count: piece)
        var at = 0
        while at < tensor.count {
            let n = min(piece, tensor.count - at)
            for i in 0..<n {
                let value = tensor.dtype == .float32 ? tensor.data(Float.self)[at + i] : Float(tensor.data(Double.self)[at + i])
                narrow[i] = type == .float16 ? HalfFloat.toFloat16(value) : HalfFloat.toBFloat16(value)
            }
            try narrow.withUnsafeBytes { try file.write(UnsafeRawBufferPointer(rebasing: $0.prefix(n * 2))) }
            at += n
        }
    }
}
