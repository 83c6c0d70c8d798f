/// An n-dimensional array: a typed, strided window onto a storage.
///
/// Tensors are reference objects used from one thread at a time; kernels see only their pointers.
public final class Tensor {
    public internal(set) var storage: Storage
    public internal(set) var dtype: DType
    public internal(set) var shape: Shape
    /// Distance between neighbours along each dimension, in elements; 0 where broadcast.
    public internal(set) var strides: Shape
    /// Position of the first element in the storage, in elements.
    public internal(set) var offset: Int
    /// Number of elements.
    public internal(set) var count: Int
    /// Whether the elements lie in row-major order without gaps.
    public internal(set) var isContiguous: Bool

    /// A number from a script: it does not raise the dtype of what it meets, as in PyTorch.
    var isWrappedNumber = false

    // Autograd: see Autograd/.
    var leafRequiresGrad = false
    public internal(set) var grad: Tensor?
    var node: Node?
    var outputIndex = 0
    /// The tensor this is a view of, while changes through either must reach the other's history.
    var viewBase: Tensor?
    var viewHistoryVersion = 0
    var hooks: [GradientHook]?
    var retainsGrad = false
    /// What a module registers when it is assigned to a field: see `Tensor.parameter`.
    public internal(set) var isParameter = false

    /// The next one in a list of `TensorPool`.
    var nextInPool: Unmanaged<Tensor>?

    init(storage: Storage, dtype: DType, shape: Shape, strides: Shape, offset: Int) {
        self.storage = storage
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.offset = offset
        count = shape.count
        isContiguous = shape.isRowMajor(strides, count)
    }

    /// A fresh packed tensor; see `TensorPool` for `Tensor(emptyOf:)` and `Tensor(emptyLike:)`.
    init(packed shape: Shape, _ strides: Shape, count: Int, _ dtype: DType) throws {
        storage = try Storage(byteCount: count &* dtype.size, for: "a tensor of shape \(shape) and dtype \(dtype.name)")
        self.dtype = dtype
        self.shape = shape
        self.strides = strides
        self.count = count
        offset = 0
        isContiguous = true
    }

    public var rank: Int { shape.rank }

    /// Address of the first element.
    public var pointer: UnsafeMutableRawPointer { storage.bytes + offset &* dtype.size }

    /// Address of the first element as `T`; the caller has checked the dtype.
    func data<T>(_ type: T.Type = T.self) -> UnsafeMutablePointer<T> {
        pointer.assumingMemoryBound(to: T.self)
    }

    /// The same storage under another shape; the caller has checked the bounds.
    func window(_ shape: Shape, _ strides: Shape, offset: Int) -> Tensor {
        Tensor(storage: storage, dtype: dtype, shape: shape, strides: strides, offset: offset)
    }

    /// The same data as a leaf that a module registers.
    public func parameter(requiresGrad: Bool) throws -> Tensor {
        let leaf = detached()
        try leaf.setRequiresGrad(requiresGrad)
        leaf.isParameter = true
        return leaf
    }

    /// Grows whenever the memory that this tensor looks at is changed in place.
    public var memoryVersion: Int { storage.version }

    /// The same data with no history and no gradient.
    public func detached() -> Tensor { window(shape, strides, offset: offset) }

    /// This tensor when its elements lie in row-major order, else a packed copy. No history.
    func packed() throws -> Tensor {
        if isContiguous { return self }
        let out = try Tensor(emptyOf: shape, dtype)
        out.copyElements(from: self)
        return out
    }

    /// This tensor when the elements along its last dimension are neighbours, else a packed copy. No history.
    func rowsPacked() throws -> Tensor {
        strides[rank - 1] == 1 ? self : try packed()
    }

    /// A packed copy without history.
    public func copied() throws -> Tensor {
        let out = try Tensor(emptyOf: shape, dtype)
        out.copyElements(from: self)
        return out
    }

    /// Copies elements of the same dtype and shape, whatever the strides.
    func copyElements(from source: Tensor) {
        guard count > 0 else { return }
        if isContiguous && source.isContiguous {
            let bytes = count * dtype.size
            if bytes < 1 << 20 {
                pointer.copyMemory(from: source.pointer, byteCount: bytes)
            } else {
                let to = SendablePointer(pointer), from = SendablePointer(source.pointer)
                Parallel.ranges(count: bytes, grain: 1 << 18) { low, high in
                    (to.raw + low).copyMemory(from: from.raw + low, byteCount: high - low)
                }
            }
            return
        }
        if shape.rank == 0 {
            pointer.copyMemory(from: source.pointer, byteCount: dtype.size)
            return
        }
        let size = Int32(dtype.size)
        // Large copies are shared out along the first dimension.
        let n = shape[0]
        let inner = shape.dropping(0)
        if count >= 1 << 16 && n >= 2 {
            let to = SendablePointer(pointer), from = SendablePointer(source.pointer)
            let ts = strides, fs = source.strides, bytes = dtype.size, shape = shape
            Parallel.ranges(count: n, grain: max(1, (1 << 14) / max(inner.count, 1))) { low, high in
                shape.replacing(0, with: high - low).withPointer { sp in
                    fs.withPointer { fp in
                        ts.withPointer { tp in
                            kernels.copy(
                                size, Int32(shape.rank), sp, from.raw + low * fs[0] * bytes, fp,
                                to.raw + low * ts[0] * bytes, tp)
                        }
                    }
                }
            }
            return
        }
        shape.withPointer { sp in
            source.strides.withPointer { fp in
                strides.withPointer { tp in
                    kernels.copy(size, Int32(shape.rank), sp, source.pointer, fp, pointer, tp)
                }
            }
        }
    }

    /// Elements converted to `dtype`, packed; this tensor itself when there is nothing to do. No history.
    func converted(to dtype: DType) throws -> Tensor {
        if dtype == self.dtype { return self }
        let source = try packed()
        let out = try Tensor(emptyOf: shape, dtype)
        guard let convert = kernels.convert(source.dtype.code, dtype.code) else {
            throw TensorError("no conversion from \(source.dtype.name) to \(dtype.name)")
        }
        let from = SendablePointer(source.pointer), to = SendablePointer(out.pointer)
        let fromSize = source.dtype.size, toSize = dtype.size
        Parallel.ranges(count: count, grain: Parallel.elementGrain) { low, high in
            convert(high - low, from.raw + low * fromSize, to.raw + low * toSize)
        }
        return out
    }
}

/// A pointer that a parallel loop's body may capture: the loop ends before the memory does.
struct SendablePointer: @unchecked Sendable {
    let raw: UnsafeMutableRawPointer
    init(_ raw: UnsafeMutableRawPointer) { self.raw = raw }
}
