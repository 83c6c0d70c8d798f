/// A packed result of the shape of its input, as backward of its own node may keep it: less than a tensor, and made
/// into one only when it is needed.
struct SavedOutput {
    private let storage: Storage
    private let version: Int
    private let dtype: DType

    /// - Parameter out: fresh, and contiguous from the start of its storage.
    init(_ out: Tensor) {
        storage = out.storage
        version = storage.version
        dtype = out.dtype
    }

    /// - Throws: `TensorError` when it was changed in place since.
    func value(_ shape: Shape, _ operation: String) throws -> Tensor {
        let tensor = Tensor(storage: storage, dtype: dtype, shape: shape, strides: shape.contiguousStrides, offset: 0)
        guard storage.version == version else {
            throw SavedTensor.changed(tensor, operation, "its result", version)
        }
        return tensor
    }
}

/// A tensor that backward will need, with the version it had.
struct SavedTensor {
    private let tensor: Tensor
    private let version: Int
    private let operation: String
    private let role: String

    /// An input: kept with its history, so that backward can be differentiated again.
    init(_ tensor: Tensor, _ operation: String, _ role: String = "an input") {
        self.tensor = tensor
        version = tensor.storage.version
        self.operation = operation
        self.role = role
    }

    /// - Throws: `TensorError` when it was changed in place since.
    func value() throws -> Tensor {
        guard tensor.storage.version == version else { throw SavedTensor.changed(tensor, operation, role, version) }
        return tensor
    }

    fileprivate static func changed(_ tensor: Tensor, _ operation: String, _ role: String, _ version: Int) -> TensorError {
        TensorError(
            "backward of \(operation) needs \(role) (\(tensor.dtype.name) \(tensor.shape)) that was changed in place "
                + "after it was used: it is at version \(tensor.storage.version), expected \(version); "
                + "use the out-of-place form or clone it first")
    }
}
