import JSONText

/// Tensors by name in one file: a length, a JSON header, the elements.
/// Source: https://github.com/huggingface/safetensors (the section on the format)
public enum Safetensors {
    public struct Contents {
        /// In the order of their places in the file.
        public var tensors: [(name: String, tensor: Tensor)]
        /// Sorted by name.
        public var metadata: [(name: String, text: String)]
    }

    /// The longest header that is accepted, the limit of the format's own reader.
    static let headerLimit = 100_000_000

    struct Entry {
        let name: String
        let type: SafetensorsType
        let shape: Shape
        let begin: Int
        let end: Int
    }

    /// Reads all tensors. Types that tensors do not have come as the nearest that loses nothing:
    /// F16 and BF16 as float32, small integers as int32.
    /// - Throws: `TensorError` with path, byte offset and reason for anything but a sound file.
    public static func load(_ path: String) throws -> Contents {
        let file = try InputFile(path)
        let (entries, metadata, start) = try header(of: file)
        var tensors: [(name: String, tensor: Tensor)] = []
        tensors.reserveCapacity(entries.count)
        for entry in entries {
            let tensor = try Tensor(emptyOf: entry.shape, entry.type.dtype)
            let bytes = entry.end - entry.begin
            try file.read(bytes, at: start + entry.begin, into: tensor.pointer + tensor.count * entry.type.dtype.size - bytes)
            if let bad = entry.type.widen(tensor.pointer, count: tensor.count) {
                throw TensorError.file(
                    path, at: start + entry.begin + bad * entry.type.size,
                    "'\(entry.name)': element \(bad) of type \(entry.type.rawValue) cannot be a \(entry.type.dtype.name)")
            }
            tensors.append((entry.name, tensor))
        }
        return Contents(tensors: tensors, metadata: metadata)
    }

    private static func header(of file: InputFile) throws -> ([Entry], [(name: String, text: String)], Int) {
        let path = file.path
        guard file.size >= 8 else { throw TensorError.file(path, at: file.size, "not a safetensors file: expected 8 bytes of header length") }
        let length = UInt64(littleEndian: try file.bytes(8, at: 0))
        guard length <= UInt64(headerLimit) else {
            throw TensorError.file(path, at: 0, "not a safetensors file: its header would have \(length) bytes, the limit is \(headerLimit)")
        }
        let start = 8 + Int(length)
        guard start <= file.size else {
            throw TensorError.file(path, at: file.size, "the file ends within its header of \(length) bytes")
        }
        let text = try file.bytes(Int(length), at: 8)
        guard text.first == UInt8(ascii: "{") else { throw TensorError.file(path, at: 8, "not a safetensors file: expected a header that begins with '{'") }
        let json: JSON
        do { json = try JSONParser.parse(text, .modelFile) } catch {
            throw TensorError.file(path, at: 8 + error.offset, "in the header: \(error.reason)")
        }
        guard case .object(let members) = json else { throw TensorError.file(path, at: 8, "the header is not an object") }
        var metadata: [(name: String, text: String)] = []
        var entries: [Entry] = []
        for member in members {
            if member.name == "__metadata__" {
                guard case .object(let texts) = member.value else { throw TensorError.file(path, at: 8, "__metadata__ is not an object") }
                for entry in texts {
                    guard let text = entry.value.string else {
                        throw TensorError.file(path, at: 8, "__metadata__: '\(entry.name)' is not a string")
                    }
                    metadata.append((entry.name, text))
                }
            } else {
                entries.append(try entry(member, path))
            }
        }
        metadata.sort { $0.name < $1.name }
        entries.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
        // The elements must cover the rest of the file, without holes and without overlaps.
        var covered = 0
        for entry in entries {
            guard entry.begin == covered else {
                throw TensorError.file(
                    path, at: start + min(entry.begin, covered),
                    entry.begin < covered
                        ? "'\(entry.name)' overlaps the tensor before it"
                        : "\(entry.begin - covered) bytes before '\(entry.name)' belong to no tensor")
            }
            covered = entry.end
        }
        guard covered == file.size - start else {
            throw TensorError.file(
                path, at: min(start + covered, file.size),
                covered > file.size - start
                    ? "the tensors need \(covered) bytes, the file has \(file.size - start)"
                    : "\(file.size - start - covered) bytes after the last tensor")
        }
        return (entries, metadata, start)
    }

    private static func entry(_ member: JSON.Member, _ path: String) throws -> Entry {
        func bad(_ reason: String) -> TensorError { TensorError.file(path, at: 8, "'\(member.name)': \(reason)") }
        guard case .object(let fields) = member.value, fields.count == 3 else {
            throw bad("expected an object with dtype, shape and data_offsets")
        }
        guard let name = member.value["dtype"]?.string else { throw bad("has no dtype") }
        guard let type = SafetensorsType(rawValue: name) else {
            throw bad(
                "elements of type \(name) are not supported; there are "
                    + SafetensorsType.allCases.map(\.rawValue).joined(separator: " "))
        }
        guard let sizes = member.value["shape"]?.array?.map(\.int), !sizes.contains(nil) else { throw bad("has no shape of integers") }
        guard let offsets = member.value["data_offsets"]?.array?.compactMap(\.int), offsets.count == 2,
            offsets[0] >= 0, offsets[0] <= offsets[1]
        else { throw bad("expected data_offsets of two ascending integers") }
        let shape: Shape
        let count: Int
        do {
            shape = try Shape(sizes.compactMap { $0 })
            count = try shape.checkedCount()
        } catch { throw bad("\(error)") }
        guard offsets[1] - offsets[0] == count * type.size else {
            throw bad("shape \(shape) of \(name) needs \(count * type.size) bytes, data_offsets give \(offsets[1] - offsets[0])")
        }
        return Entry(name: member.name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }
}
