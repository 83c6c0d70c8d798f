import KernelABI

/// An element-wise operation in the form in which the script engine calls it first: from the operands' objects straight to
/// the kernel. It takes packed floating-point operands of one shape that a single thread gets through, or such a one and a number;
/// everything else, errors included, is left to the operation's usual form, which gives the same bits.
public struct ShortOp: @unchecked Sendable {
    /// An operand that is nil is the number. The result is retained; nil: nothing was done.
    public typealias Run = @convention(c) (
        _ context: UnsafeMutableRawPointer, _ a: UnsafeMutableRawPointer?, _ b: UnsafeMutableRawPointer?, _ number: Double
    ) -> UnsafeMutableRawPointer?
    typealias RecordBinary = (_ out: Tensor, _ a: Tensor, _ b: Tensor) throws -> Tensor
    typealias RecordUnary = (_ out: Tensor, _ x: Tensor) throws -> Tensor

    public let operands: Int
    /// Lives as long as the process.
    public let context: UnsafeMutableRawPointer
    public let run: Run
    /// Stores the result in the first operand, and gives that, not retained.
    public let runInPlace: Run?

    private struct Binary {
        let float, double: kernel_binary?
        let record: RecordBinary?
    }

    private struct Unary {
        let float, double: kernel_unary?
        let record: RecordUnary?
    }

    private struct Whole {
        let float, double: kernel_reduce?
    }

    /// - Parameter record: gives the result its history; where there is none, operands with history go the usual way.
    static func binary(_ op: Int, _ record: RecordBinary? = nil) -> ShortOp {
        let context = UnsafeMutablePointer<Binary>.allocate(capacity: 1)
        context.initialize(
            to: Binary(
                float: kernels.binary(Int32(op), DType.float32.code), double: kernels.binary(Int32(op), DType.float64.code),
                record: record))
        return ShortOp(operands: 2, context: context, run: runBinary, runInPlace: runBinaryInPlace)
    }

    static func unary(_ op: Int, _ record: RecordUnary?) -> ShortOp {
        let context = UnsafeMutablePointer<Unary>.allocate(capacity: 1)
        context.initialize(
            to: Unary(
                float: kernels.unary(Int32(op), DType.float32.code), double: kernels.unary(Int32(op), DType.float64.code),
                record: record))
        return ShortOp(operands: 1, context: context, run: runUnary, runInPlace: runUnaryInPlace)
    }

    /// All elements to one; not for operands with history.
    static func whole(_ op: Int) -> ShortOp {
        let context = UnsafeMutablePointer<Whole>.allocate(capacity: 1)
        context.initialize(
            to: Whole(float: kernels.reduce(Int32(op), DType.float32.code), double: kernels.reduce(Int32(op), DType.float64.code)))
        return ShortOp(operands: 1, context: context, run: runWhole, runInPlace: nil)
    }

    // MARK: With two operands

    private static let runBinary: Run = { context, a, b, number in
        let entry = context.assumingMemoryBound(to: Binary.self)
        guard let a else {
            return b.flatMap { b in with(b) { apply(entry, $0, number, numberFirst: true) } }
        }
        guard let b else { return with(a) { apply(entry, $0, number, numberFirst: false) } }
        return with(a) { x in with(b) { y in apply(entry, x, y) } }
    }

    private static let runBinaryInPlace: Run = { context, a, b, number in
        let entry = context.assumingMemoryBound(to: Binary.self)
        guard let a else { return nil }
        guard let b else { return with(a) { x in store(entry, x, number) ? a : nil } }
        return with(a) { x in with(b) { y in store(entry, x, y) ? a : nil } }
    }

    @inline(__always)
    private static func apply(_ entry: UnsafeMutablePointer<Binary>, _ x: Tensor, _ y: Tensor) -> UnsafeMutableRawPointer? {
        guard fits(x), fits(y), x.dtype == y.dtype, x.shape == y.shape, let kernel = kernel(entry, x.dtype),
            let isRecorded = history(x, y), !isRecorded || entry.pointee.record != nil,
            let out = try? Tensor(emptyLike: x, x.dtype)
        else { return nil }
        kernel(x.count, x.pointer, 1, y.pointer, 1, out.pointer)
        if isRecorded, (try? entry.pointee.record?(out, x, y)) == nil { return nil }
        return Unmanaged.passRetained(out).toOpaque()
    }

    @inline(__always)
    private static func apply(
        _ entry: UnsafeMutablePointer<Binary>, _ x: Tensor, _ number: Double, numberFirst: Bool
    ) -> UnsafeMutableRawPointer? {
        guard fits(x), let kernel = kernel(entry, x.dtype), history(x, x) == false, let out = try? Tensor(emptyLike: x, x.dtype)
        else { return nil }
        withNumber(number, x.dtype) { number in
            if numberFirst {
                kernel(x.count, number, 0, x.pointer, 1, out.pointer)
            } else {
                kernel(x.count, x.pointer, 1, number, 0, out.pointer)
            }
        }
        return Unmanaged.passRetained(out).toOpaque()
    }

    @inline(__always)
    private static func store(_ entry: UnsafeMutablePointer<Binary>, _ x: Tensor, _ y: Tensor) -> Bool {
        guard fits(x), fits(y), x.dtype == y.dtype, x.shape == y.shape, let kernel = kernel(entry, x.dtype),
            history(x, y) == false,
            // Memory that overlaps would be read after it was written.
            x.storage !== y.storage || x.offset == y.offset
        else { return false }
        kernel(x.count, x.pointer, 1, y.pointer, 1, x.pointer)
        x.storage.version += 1
        return true
    }

    @inline(__always)
    private static func store(_ entry: UnsafeMutablePointer<Binary>, _ x: Tensor, _ number: Double) -> Bool {
        guard fits(x), let kernel = kernel(entry, x.dtype), history(x, x) == false else { return false }
        withNumber(number, x.dtype) { kernel(x.count, x.pointer, 1, $0, 0, x.pointer) }
        x.storage.version += 1
        return true
    }

    @inline(__always)
    private static func kernel(_ entry: UnsafeMutablePointer<Binary>, _ dtype: DType) -> kernel_binary? {
        dtype == .float32 ? entry.pointee.float : dtype == .float64 ? entry.pointee.double : nil
    }

    // MARK: With one

    private static let runUnary: Run = { context, a, _, _ in
        guard let a else { return nil }
        return with(a) { x in
            let entry = context.assumingMemoryBound(to: Unary.self)
            guard fits(x), let kernel = x.dtype == .float32 ? entry.pointee.float : entry.pointee.double,
                let isRecorded = history(x, x), !isRecorded || entry.pointee.record != nil,
                let out = try? Tensor(emptyLike: x, x.dtype)
            else { return nil }
            kernel(x.count, x.pointer, out.pointer, 0, 0)
            if isRecorded, (try? entry.pointee.record?(out, x)) == nil { return nil }
            return Unmanaged.passRetained(out).toOpaque()
        }
    }

    private static let runUnaryInPlace: Run = { context, a, _, _ in
        guard let a else { return nil }
        return with(a) { x in
            let entry = context.assumingMemoryBound(to: Unary.self)
            guard fits(x), let kernel = x.dtype == .float32 ? entry.pointee.float : entry.pointee.double, history(x, x) == false
            else { return nil }
            kernel(x.count, x.pointer, x.pointer, 0, 0)
            x.storage.version += 1
            return a
        }
    }

    private static let runWhole: Run = { context, a, _, _ in
        guard let a else { return nil }
        return with(a) { x in
            let entry = context.assumingMemoryBound(to: Whole.self)
            guard fits(x), let kernel = x.dtype == .float32 ? entry.pointee.float : entry.pointee.double, history(x, x) == false,
                let out = try? Tensor(emptyOf: Shape(), x.dtype)
            else { return nil }
            kernel(1, x.count, 1, x.pointer, out.pointer)
            return Unmanaged.passRetained(out).toOpaque()
        }
    }

    // MARK: What is taken

    @inline(__always)
    private static func with<R>(_ raw: UnsafeMutableRawPointer, _ body: (Tensor) -> R) -> R {
        Unmanaged<Tensor>.fromOpaque(raw)._withUnsafeGuaranteedRef(body)
    }

    @inline(__always)
    private static func fits(_ x: Tensor) -> Bool {
        x.isContiguous && x.dtype.isFloat && x.count > 0 && x.count <= Parallel.elementGrain && !x.isWrappedNumber
            && OperationTrace.current == nil
    }

    /// Whether the operation is to be recorded; nil where views make that hard to tell.
    @inline(__always)
    private static func history(_ x: Tensor, _ y: Tensor) -> Bool? {
        guard GradMode.isEnabled else { return false }
        guard x.viewBase == nil, y.viewBase == nil else { return nil }
        return x.leafRequiresGrad || x.node != nil || y.leafRequiresGrad || y.node != nil
    }

    @inline(__always)
    private static func withNumber(_ number: Double, _ dtype: DType, _ body: (UnsafeRawPointer) -> Void) {
        if dtype == .float32 {
            withUnsafeBytes(of: Float(number)) { body($0.baseAddress!) }
        } else {
            withUnsafeBytes(of: number) { body($0.baseAddress!) }
        }
    }
}
