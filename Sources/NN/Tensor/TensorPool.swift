#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Small tensors that the script let go of, kept whole for the next ones: object, storage and memory, in lists by the size
/// of that. An operation on a few numbers is mostly the making and unmaking of these.
///
/// Only the script's thread takes from the lists and gives to them.
public enum TensorPool {
    static var isOwnThread: Bool {
        guard let cache = Allocator.ownCache else { return false }
        return pthread_equal(cache.pointee.thread, pthread_self()) != 0
    }

    /// A tensor of an earlier operation whose memory fits.
    @inline(__always)
    fileprivate static func take(_ bytes: Int) -> Tensor? {
        let index = max(bytes &+ 63, 64) / 64 &- 1
        guard index < Allocator.smallClasses, let cache = Allocator.ownCache, let head = cache.pointee.tensors[index],
            pthread_equal(cache.pointee.thread, pthread_self()) != 0
        else { return nil }
        cache.pointee.tensors[index] = head._withUnsafeGuaranteedRef { $0.nextInPool }
        // Its block is in use again.
        let size = (index &+ 1) &* 64
        cache.pointee.counts.pointee.cached &-= size
        cache.pointee.took(size)
        return head.takeRetainedValue()
    }

    /// Lets go of the tensor of a userdata block: keeps it for later when nobody else has it, nor its memory.
    public static func release(_ raw: UnsafeMutableRawPointer) {
        var tensor = Unmanaged<Tensor>.fromOpaque(raw).takeRetainedValue()
        let size = tensor.storage.capacity
        guard let cache = Allocator.ownCache, cache.pointee.counts.pointee.cached < Allocator.OwnCache.limit, size > 0,
            size <= Allocator.smallClasses &* 64, isKnownUniquelyReferenced(&tensor),
            pthread_equal(cache.pointee.thread, pthread_self()) != 0
        else { return }
        // First, since backward may have saved the result's memory.
        if tensor.node != nil { Node.recycle(&tensor.node) }
        guard isKnownUniquelyReferenced(&tensor.storage) else { return }
        tensor.forgetUse()
        cache.pointee.counts.pointee.cached &+= size
        cache.pointee.gaveBack(size)
        tensor.nextInPool = cache.pointee.tensors[size / 64 &- 1]
        cache.pointee.tensors[size / 64 &- 1] = Unmanaged.passRetained(tensor)
    }

    /// Lets go of all that is kept; the memory goes to the allocator.
    static func drain() {
        guard let cache = Allocator.ownCache, pthread_equal(cache.pointee.thread, pthread_self()) != 0 else { return }
        for index in 0..<Allocator.smallClasses { while take((index + 1) * 64) != nil {} }
    }
}

extension Tensor {
    /// As a tensor that was just made, whatever it was used for.
    fileprivate func forgetUse() {
        offset = 0
        isContiguous = true
        isWrappedNumber = false
        leafRequiresGrad = false
        if grad != nil { grad = nil }
        outputIndex = 0
        if viewBase != nil { viewBase = nil }
        viewHistoryVersion = 0
        if hooks != nil { hooks = nil }
        retainsGrad = false
        isParameter = false
        storage.version = 0
        storage.historyVersion = 0
    }

    /// A fresh contiguous tensor with undefined contents; the caller has checked the shape.
    @inline(__always)
    public static func make(_ shape: Shape, _ strides: Shape, count: Int, _ dtype: DType) throws -> Tensor {
        let bytes = count &* dtype.size
        guard let tensor = TensorPool.take(bytes) else { return try Tensor(packed: shape, strides, count: count, dtype) }
        tensor.shape = shape
        tensor.strides = strides
        tensor.count = count
        tensor.dtype = dtype
        tensor.storage.byteCount = bytes
        return tensor
    }
}

/// An initialiser of a class makes a new object; one of a protocol may give an object that was there before.
public protocol ReusableTensor {
    static func make(_ shape: Shape, _ strides: Shape, count: Int, _ dtype: DType) throws -> Self
}

extension Tensor: ReusableTensor {}

extension ReusableTensor {
    /// A fresh contiguous tensor with undefined contents.
    /// - Throws: `TensorError` for a bad shape or when memory is short.
    public init(emptyOf shape: Shape, _ dtype: DType) throws {
        self = try Self.make(shape, shape.contiguousStrides, count: try shape.checkedCount(), dtype)
    }

    /// A fresh tensor of the shape of `other`, which is contiguous, with undefined contents.
    init(emptyLike other: Tensor, _ dtype: DType) throws {
        self = try Self.make(other.shape, other.strides, count: other.count, dtype)
    }
}
