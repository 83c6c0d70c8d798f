/// Factorisations of matrices and batches of matrices [..., m, n]. Nothing here records history.
enum Factorizations {
    /// The matrices of `x` column by column, one after the other, in memory of their own.
    private static func columns(_ x: Tensor) throws -> Tensor {
        let r = x.rank
        return try x.permutedWindow(Array(0..<(r - 2)) + [r - 1, r - 2]).copied()
    }

    /// The reverse of `columns`: [..., n, m] memory as a packed [..., m, n].
    private static func rows(_ x: Tensor) throws -> Tensor { try columns(x) }

    private static func lead(_ shape: Shape) -> Shape {
        var s = shape
        s.remove(at: s.rank - 1)
        s.remove(at: s.rank - 1)
        return s
    }

    private static func extended(_ lead: Shape, _ sizes: Int...) -> Shape {
        var s = lead
        for size in sizes { s.append(size) }
        return s
    }

    /// Calls `body` with the number and the byte offsets' multiplier of each matrix.
    private static func forEachMatrix(_ lead: Shape, _ body: (Int) throws -> Void) rethrows {
        for i in 0..<lead.count { try body(i) }
    }

    /// Which matrix of a batch, for messages.
    static func which(_ i: Int, _ lead: Shape) -> String { lead.rank == 0 ? "the matrix" : "matrix \(i) of the batch" }

    /// Determinants of square matrices.
    static func det(_ a: Tensor) throws -> Tensor {
        let n = a.shape[a.rank - 1], lead = lead(a.shape), size = a.dtype.size
        let out = try Tensor.ones(lead, a.dtype)
        if n == 0 || out.count == 0 { return out }
        let lapack = try Lapack.load(), lu = try columns(a)
        var pivots = [Int32](repeating: 0, count: n)
        try forEachMatrix(lead) { i in
            _ = try lapack.getrf(a.dtype, n, lu.pointer + i * n * n * size, &pivots)
            var value = 1.0
            for k in 0..<n {
                value *= lu.element(i * n * n + k * n + k).double
                if Int(pivots[k]) != k + 1 { value = -value }
            }
            out.setElement(i, .double(value))
        }
        return out
    }

    /// X with A X = B; A [..., n, n] and B [..., n, k] with equal leading dimensions.
    static func solve(_ a: Tensor, _ b: Tensor, _ name: String) throws -> Tensor {
        let n = a.shape[a.rank - 1], k = b.shape[b.rank - 1], lead = lead(a.shape), size = a.dtype.size
        if b.count == 0 { return try Tensor(emptyOf: b.shape, b.dtype) }
        let lapack = try Lapack.load(), lu = try columns(a), x = try columns(b)
        var pivots = [Int32](repeating: 0, count: n)
        try forEachMatrix(lead) { i in
            let matrix = lu.pointer + i * n * n * size
            guard try lapack.getrf(a.dtype, n, matrix, &pivots) == 0 else {
                throw TensorError("\(name): \(which(i, lead)) is singular")
            }
            try lapack.getrs(a.dtype, n, k, matrix, &pivots, x.pointer + i * n * k * size)
        }
        return try rows(x)
    }

    /// Lower triangular L with L Lt = A; only A's lower triangle is read.
    static func cholesky(_ a: Tensor, upper: Bool) throws -> Tensor {
        let n = a.shape[a.rank - 1], lead = lead(a.shape), size = a.dtype.size
        if a.count == 0 { return try a.copied() }
        // Column by column, the transpose's upper triangle is what lies below the diagonal.
        let lapack = try Lapack.load(), l = upper ? try a.copied() : try columns(a)
        try forEachMatrix(lead) { i in
            let info = try lapack.potrf(a.dtype, n, l.pointer + i * n * n * size)
            guard info == 0 else {
                throw TensorError("cholesky: \(which(i, lead)) is not positive-definite: its leading minor of order \(info) is not positive")
            }
        }
        return upper ? try l.triangle(0, upper: true) : try rows(l).triangle(0, upper: false)
    }

    /// Q [..., m, k] and R [..., k, n] with k = min(m, n), or m when `complete`.
    static func qr(_ a: Tensor, complete: Bool) throws -> (Tensor, Tensor) {
        let m = a.shape[a.rank - 2], n = a.shape[a.rank - 1], lead = lead(a.shape), size = a.dtype.size
        let k = min(m, n), width = complete ? m : k
        // LAPACK overwrites its input; Q may need more columns than A has.
        let packed = try columns(a)
        let q = try Tensor.zeros(extended(lead, width, m), a.dtype)
        let r = try Tensor.zeros(extended(lead, width, n), a.dtype)
        if lead.count == 0 || m == 0 { return (try rows(q), r) }
        if k == 0 {
            let eye = try Tensor.eye(m, width, a.dtype)
            forEachMatrix(lead) { i in (q.pointer + i * m * width * size).copyMemory(from: eye.pointer, byteCount: m * width * size) }
            return (try rows(q), r)
        }
        let lapack = try Lapack.load(), tau = try Tensor(emptyOf: Shape(k), a.dtype)
        try forEachMatrix(lead) { i in
            let matrix = packed.pointer + i * m * n * size, target = q.pointer + i * m * width * size
            try lapack.geqrf(a.dtype, m, n, matrix, tau.pointer)
            for row in 0..<k {
                for column in row..<n { r.setElement((i * width + row) * n + column, packed.element((i * n + column) * m + row)) }
            }
            target.copyMemory(from: matrix, byteCount: m * min(n, width) * size)
            try lapack.orgqr(a.dtype, m, width, k, target, tau.pointer)
        }
        return (try rows(q), r)
    }

    /// U, the singular values in descending order, and the transpose of V.
    static func svd(_ a: Tensor, full: Bool) throws -> (Tensor, Tensor, Tensor) {
        let m = a.shape[a.rank - 2], n = a.shape[a.rank - 1], lead = lead(a.shape), size = a.dtype.size
        let k = min(m, n), uWidth = full ? m : k, vHeight = full ? n : k
        let u = try Tensor.zeros(extended(lead, uWidth, m), a.dtype), vt = try Tensor.zeros(extended(lead, n, vHeight), a.dtype)
        let s = try Tensor(emptyOf: extended(lead, k), a.dtype)
        if lead.count == 0 { return (try rows(u), s, try rows(vt)) }
        if k == 0 {
            forEachMatrix(lead) { i in
                for j in 0..<uWidth { u.setElement((i * uWidth + j) * m + j, .int(1)) }
                for j in 0..<vHeight { vt.setElement((i * n + j) * vHeight + j, .int(1)) }
            }
            return (try rows(u), s, try rows(vt))
        }
        try checkFinite(a, "svd")
        let lapack = try Lapack.load(), work = try columns(a)
        try forEachMatrix(lead) { i in
            let info = try lapack.gesdd(
                a.dtype, m, n, work.pointer + i * m * n * size, s: s.pointer + i * k * size, u: u.pointer + i * m * uWidth * size,
                vt: vt.pointer + i * n * vHeight * size, full: full)
            guard info == 0 else { throw TensorError("svd: the computation for \(which(i, lead)) did not converge") }
        }
        return (try rows(u), s, try rows(vt))
    }

    /// Eigenvalues in ascending order and eigenvectors (columns) of symmetric matrices, of which one triangle is read.
    static func eigh(_ a: Tensor, upper: Bool) throws -> (Tensor, Tensor) {
        let n = a.shape[a.rank - 1], lead = lead(a.shape), size = a.dtype.size
        let w = try Tensor(emptyOf: extended(lead, n), a.dtype), v = try columns(a)
        if a.count == 0 { return (w, v) }
        try checkFinite(a, "eigh")
        let lapack = try Lapack.load()
        try forEachMatrix(lead) { i in
            let info = try lapack.syevd(a.dtype, n, v.pointer + i * n * n * size, w.pointer + i * n * size, upper: upper)
            guard info == 0 else { throw TensorError("eigh: the computation for \(which(i, lead)) did not converge") }
        }
        return (w, try rows(v))
    }

    /// LAPACK may not come back from iterations on NaN.
    private static func checkFinite(_ a: Tensor, _ name: String) throws {
        guard try a.detached().doubles().allSatisfy(\.isFinite) else {
            throw TensorError("\(name): the input \(a.shape) holds NaN or infinite elements")
        }
    }
}
