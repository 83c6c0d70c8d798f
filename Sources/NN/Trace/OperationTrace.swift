/// What a network did to its input: every operation that a script reached, in order. ONNX files are made of it.
public final class OperationTrace {
    /// The trace being taken. One script thread uses tensors, so this is a plain variable, as in `GradMode`.
    nonisolated(unsafe) public private(set) static var current: OperationTrace?

    /// An argument as it was given, defaults filled in.
    public indirect enum Argument {
        case none
        case bool(Bool)
        case int(Int)
        case double(Double)
        case string(String)
        case tensor(Tensor)
        case list([Argument])
        /// A function, a table with names: nothing that an operation computes with.
        case other
    }

    public struct Step {
        public let operation: String
        public let arguments: [Argument]
        /// For an operation in place: the tensor that it changed.
        public let results: [Tensor]
        public let isInPlace: Bool
    }

    public private(set) var steps: [Step] = []
    /// The version of each tensor's memory when it was first seen.
    private var versions: [ObjectIdentifier: Int] = [:]

    public init() {}

    /// Records what `body` does.
    public func record<R>(_ body: () throws -> R) rethrows -> R {
        let outer = OperationTrace.current
        OperationTrace.current = self
        defer { OperationTrace.current = outer }
        return try body()
    }

    public func append(_ operation: String, _ arguments: [Argument], results: [Tensor], inPlace: Bool = false) {
        for argument in arguments { see(argument) }
        for tensor in results { see(tensor) }
        steps.append(Step(operation: operation, arguments: arguments, results: results, isInPlace: inPlace))
    }

    private func see(_ argument: Argument) {
        switch argument {
        case .tensor(let tensor): see(tensor)
        case .list(let items): for item in items { see(item) }
        default: break
        }
    }

    private func see(_ tensor: Tensor) {
        let key = ObjectIdentifier(tensor)
        if versions[key] == nil { versions[key] = tensor.storage.version }
    }

    /// Whether a tensor still holds what it held when an operation of this trace first met it.
    public func isUnchanged(_ tensor: Tensor) -> Bool {
        versions[ObjectIdentifier(tensor)].map { $0 == tensor.storage.version } ?? true
    }
}

extension Tensor {
    /// Whether a change of one may be a change of the other.
    public func sharesMemory(with other: Tensor) -> Bool { storage === other.storage }
}
