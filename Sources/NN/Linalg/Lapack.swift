/// The LAPACK library of the system, looked up when a factorisation is first asked for.
///
/// Matrices are given column by column (LAPACK's order), one after the other in memory.
struct Lapack: @unchecked Sendable {
    private let library: DynamicLibrary

    /// - Throws: `TensorError` that says what to install.
    static func load() throws -> Lapack {
        guard let found else {
            throw TensorError(
                "this function needs the LAPACK library, which was not found; install it: apt-get install liblapack3")
        }
        return found
    }

    private static let found: Lapack? = {
        // The reference library first: its results do not depend on the CPU or on threads.
        let names = [
            "liblapack.so.3", "libopenblas.so.0", "libopenblas.so", "liblapack.so",
            "/System/Library/Frameworks/Accelerate.framework/Accelerate",
        ]
        return DynamicLibrary(names, with: "dgetrf_").map { Lapack(library: $0) }
    }()

    private func symbol<F>(_ name: String, _: F.Type) throws -> F {
        guard let function = library.function(name, F.self) else {
            throw TensorError("the LAPACK library of this system has no \(name); install it: apt-get install liblapack3")
        }
        return function
    }

    private typealias Raw = UnsafeMutableRawPointer
    private typealias Ints = UnsafeMutablePointer<Int32>
    private typealias Char = UnsafePointer<CChar>

    /// A real-valued element type: `s` or `d` before the routine's name.
    private static func prefix(_ dtype: DType) -> String { dtype == .float32 ? "s" : "d" }

    /// LAPACK counts with 32-bit integers.
    private static func int32(_ n: Int) throws -> Int32 {
        guard let small = Int32(exactly: n) else { throw TensorError("a matrix with a side of \(n) is too large for LAPACK") }
        return small
    }

    /// P L U in place of an n x n matrix; pivots are row numbers from 1. Gives 0, or the number of a zero pivot.
    func getrf(_ dtype: DType, _ n: Int, _ a: UnsafeMutableRawPointer, _ pivots: inout [Int32]) throws -> Int {
        typealias F = @convention(c) (Ints, Ints, Raw, Ints, Ints, Ints) -> Void
        let f = try symbol(Lapack.prefix(dtype) + "getrf_", F.self)
        var size = try Lapack.int32(n), lead = Int32(max(n, 1)), info: Int32 = 0, columns = size
        pivots.withUnsafeMutableBufferPointer { p in
            if let p = p.baseAddress { f(&size, &columns, a, &lead, p, &info) }
        }
        return Int(info)
    }

    /// Solves A x = b for the columns of b in place, from what `getrf` gave.
    func getrs(_ dtype: DType, _ n: Int, _ columns: Int, _ lu: UnsafeMutableRawPointer, _ pivots: inout [Int32], _ b: UnsafeMutableRawPointer) throws {
        typealias F = @convention(c) (Char, Ints, Ints, Raw, Ints, Ints, Raw, Ints, Ints, Int) -> Void
        let f = try symbol(Lapack.prefix(dtype) + "getrs_", F.self)
        var size = try Lapack.int32(n), k = try Lapack.int32(columns), lead = Int32(max(n, 1)), leadB = lead, info: Int32 = 0
        pivots.withUnsafeMutableBufferPointer { p in
            if let p = p.baseAddress { "N".withCString { f($0, &size, &k, lu, &lead, p, b, &leadB, &info, 1) } }
        }
    }

    /// The lower Cholesky factor in place; gives 0, or the order of the leading minor that is not positive.
    func potrf(_ dtype: DType, _ n: Int, _ a: UnsafeMutableRawPointer) throws -> Int {
        typealias F = @convention(c) (Char, Ints, Raw, Ints, Ints, Int) -> Void
        let f = try symbol(Lapack.prefix(dtype) + "potrf_", F.self)
        var size = try Lapack.int32(n), lead = Int32(max(n, 1)), info: Int32 = 0
        "L".withCString { f($0, &size, a, &lead, &info, 1) }
        return Int(info)
    }

    /// Calls `run` first for the size of the working memory, then with it. `run` gets memory and its length (-1 asks).
    private func withWork(_ dtype: DType, _ run: (Raw, Ints) -> Void) throws {
        var probe = (0.0, 0.0)
        var length: Int32 = -1
        let size = withUnsafeMutableBytes(of: &probe) { p -> Double in
            guard let base = p.baseAddress else { return 1 }
            run(base, &length)
            return Scalar.load(dtype, from: base).double
        }
        let count = max(Int(size.isFinite ? size : 1), 1)
        length = try Lapack.int32(count)
        let work = try Tensor(emptyOf: Shape(count), dtype)
        run(work.pointer, &length)
    }

    /// R and the reflections that make Q, in place of an m x n matrix; `tau` [min(m, n)].
    func geqrf(_ dtype: DType, _ m: Int, _ n: Int, _ a: UnsafeMutableRawPointer, _ tau: UnsafeMutableRawPointer) throws {
        typealias F = @convention(c) (Ints, Ints, Raw, Ints, Raw, Raw, Ints, Ints) -> Void
        let f = try symbol(Lapack.prefix(dtype) + "geqrf_", F.self)
        var rows = try Lapack.int32(m), columns = try Lapack.int32(n), lead = Int32(max(m, 1)), info: Int32 = 0
        try withWork(dtype) { f(&rows, &columns, a, &lead, tau, $0, $1, &info) }
    }

    /// The first n columns of Q in place of m x n with k reflections.
    func orgqr(_ dtype: DType, _ m: Int, _ n: Int, _ k: Int, _ a: UnsafeMutableRawPointer, _ tau: UnsafeMutableRawPointer) throws {
        typealias F = @convention(c) (Ints, Ints, Ints, Raw, Ints, Raw, Raw, Ints, Ints) -> Void
        let f = try symbol(Lapack.prefix(dtype) + "orgqr_", F.self)
        var rows = try Lapack.int32(m), columns = try Lapack.int32(n), count = try Lapack.int32(k), lead = Int32(max(m, 1)), info: Int32 = 0
        try withWork(dtype) { f(&rows, &columns, &count, a, &lead, tau, $0, $1, &info) }
    }

    /// U diag(s) Vt of an m x n matrix, which is destroyed. `full`: square U and Vt, else min(m, n) columns and rows.
    func gesdd(
        _ dtype: DType, _ m: Int, _ n: Int, _ a: UnsafeMutableRawPointer, s: UnsafeMutableRawPointer,
        u: UnsafeMutableRawPointer, vt: UnsafeMutableRawPointer, full: Bool
    ) throws -> Int {
        typealias F = @convention(c) (Char, Ints, Ints, Raw, Ints, Raw, Raw, Ints, Raw, Ints, Raw, Ints, Ints, Ints, Int) -> Void
        let f = try symbol(Lapack.prefix(dtype) + "gesdd_", F.self)
        var rows = try Lapack.int32(m), columns = try Lapack.int32(n), lead = Int32(max(m, 1)), info: Int32 = 0
        var leadU = lead, leadV = Int32(max(full ? n : min(m, n), 1))
        var integers = [Int32](repeating: 0, count: 8 * max(min(m, n), 1))
        try integers.withUnsafeMutableBufferPointer { work in
            guard let iwork = work.baseAddress else { return }
            try withWork(dtype) { w, length in
                (full ? "A" : "S").withCString {
                    f($0, &rows, &columns, a, &lead, s, u, &leadU, vt, &leadV, w, length, iwork, &info, 1)
                }
            }
        }
        return Int(info)
    }

    /// Eigenvalues in ascending order; the eigenvectors as columns in place of a symmetric matrix, of which one triangle is read.
    func syevd(_ dtype: DType, _ n: Int, _ a: UnsafeMutableRawPointer, _ w: UnsafeMutableRawPointer, upper: Bool) throws -> Int {
        typealias F = @convention(c) (Char, Char, Ints, Raw, Ints, Raw, Raw, Ints, Ints, Ints, Ints, Int, Int) -> Void
        let f = try symbol(Lapack.prefix(dtype) + "syevd_", F.self)
        var size = try Lapack.int32(n), lead = Int32(max(n, 1)), info: Int32 = 0
        var integerCount = try Lapack.int32(3 + 5 * n)
        var integers = [Int32](repeating: 0, count: Int(integerCount))
        try integers.withUnsafeMutableBufferPointer { work in
            guard let iwork = work.baseAddress else { return }
            try withWork(dtype) { memory, length in
                "V".withCString { job in
                    (upper ? "U" : "L").withCString {
                        f(job, $0, &size, a, &lead, w, memory, length, iwork, &integerCount, &info, 1, 1)
                    }
                }
            }
        }
        return Int(info)
    }
}
