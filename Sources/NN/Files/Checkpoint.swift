import JSONText

/// A training run's state in one file: tensors by name, plain values, the random generator. It is a
/// safetensors file, so other tools can look into it; values and generator are in its metadata.
public enum Checkpoint {
    public struct Contents {
        public var tensors: [(name: String, tensor: Tensor)]
        public var values: PlainValue
        public var generator: Generator.State
    }

    private static let format = "host-checkpoint-1"

    /// - Throws: `TensorError` when the file cannot be written; one that was there stays whole.
    public static func save(
        _ tensors: [(name: String, tensor: Tensor)], values: PlainValue, generator: Generator.State = Generator.shared.current,
        to path: String
    ) throws {
        try Safetensors.save(
            tensors,
            metadata: [
                ("format", format), ("values", values.json.encoded()),
                ("generator", "\(generator.seed) \(generator.offset)"),
            ], to: path)
    }

    /// - Throws: `TensorError` with path and reason for anything but a sound checkpoint.
    public static func load(_ path: String) throws -> Contents {
        let file = try Safetensors.load(path)
        func text(_ name: String) -> String? { file.metadata.first { $0.name == name }?.text }
        guard text("format") == format else {
            throw TensorError("\(path): is a safetensors file, but no checkpoint (its metadata has no format '\(format)'); nn.load reads it")
        }
        guard let values = text("values"), let generator = text("generator") else {
            throw TensorError("\(path): the checkpoint lacks its values or its generator")
        }
        let numbers = generator.split(separator: " ").map { UInt64($0) }
        guard numbers.count == 2, let seed = numbers[0], let offset = numbers[1] else {
            throw TensorError("\(path): the checkpoint's generator '\(generator)' is not two numbers")
        }
        do {
            return Contents(
                tensors: file.tensors, values: try PlainValue(try JSON.decode(values)),
                generator: Generator.State(seed: seed, offset: offset))
        } catch { throw TensorError("\(path): the checkpoint's values: \(error)") }
    }
}
