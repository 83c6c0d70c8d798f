/// Linear algebra with history. Backward passes follow from differentiating the defining equations
/// (Giles, "An extended collection of matrix derivative results", 2008; Walter and Lehmann 2010 for QR).
extension Tensor {
    private func checkMatrices(_ name: String, square: Bool = false) throws {
        guard dtype.isFloat else {
            throw TensorError("\(name): expected a floating-point tensor, got \(dtype.name); convert it first (x:double())")
        }
        guard rank >= 2 else { throw TensorError("\(name): expected a matrix or a batch of matrices, got shape \(shape)") }
        guard !square || shape[rank - 1] == shape[rank - 2] else {
            throw TensorError("\(name): expected square matrices, got shape \(shape)")
        }
    }

    /// The transpose of each matrix.
    private var mT: Tensor { get throws { try transpose(-2, -1) } }
    /// The diagonal of each matrix.
    private var diagonals: Tensor { get throws { try diagonal(0, -2, -1) } }

    /// This vector (or each of a batch) as a diagonal matrix.
    private func diagonalMatrices() throws -> Tensor {
        try unsqueeze(-1) * Tensor.eye(shape[rank - 1], shape[rank - 1], dtype)
    }

    public func det() throws -> Tensor {
        try checkMatrices("det", square: true)
        let out = try Factorizations.det(self)
        guard shouldRecord(self) else { return out }
        let (sx, so) = (SavedTensor(self, "det"), out.savedOutput("det"))
        return try out.record("det", [self]) { g in
            let a = try sx.value(), g = try g.first
            let singular = try Tensor.equal(so.value().equalTo(0), try Tensor.zeros(so.value().shape, .bool)) == false
            if singular {
                return [try g.unsqueeze(-1).unsqueeze(-1) * a.cofactors()]
            }
            let value = GradMode.isEnabled ? try a.det() : try so.value()
            return [try (g * value).unsqueeze(-1).unsqueeze(-1) * a.inverse().mT]
        }
    }

    /// The derivative of the determinant, right for singular matrices too: with A = U S Vt it is
    /// det(U Vt) U diag(product of the other singular values) Vt.
    private func cofactors() throws -> Tensor {
        let parts = try svd(full: false), (u, s, vt) = (parts[0], parts[1], parts[2])
        let n = s.shape[s.rank - 1]
        let others = try (0..<n).map { try Tensor.cat([s.slice(-1, 0, $0), s.slice(-1, $0 + 1, n)], -1).prod(-1, keepdim: true, dtype: nil) }
        let sign = try Factorizations.det(Tensor.matmul(u.detached(), vt.detached())).unsqueeze(-1).unsqueeze(-1)
        return try sign * Tensor.matmul(u * Tensor.cat(others, -1).unsqueeze(-2), vt)
    }

    public func inverse() throws -> Tensor {
        try checkMatrices("inv", square: true)
        let eye = try Tensor.eye(shape[rank - 1], shape[rank - 1], dtype).expandedCopy(to: shape)
        let out = try Factorizations.solve(detached(), eye, "inv")
        guard shouldRecord(self) else { return out }
        let (sx, so) = (SavedTensor(self, "inv"), out.savedOutput("inv"))
        return try out.record("inv", [self]) { g in
            let t = try (GradMode.isEnabled ? sx.value().inverse() : so.value()).mT
            return [try -Tensor.matmul(Tensor.matmul(t, g.first), t)]
        }
    }

    /// X with A X = B (or X A = B); B is a vector for each matrix, or a matrix.
    public static func solve(_ a: Tensor, _ b: Tensor, left: Bool) throws -> Tensor {
        try a.checkMatrices("solve", square: true)
        guard a.dtype == b.dtype else { throw TensorError("solve: expected operands of one dtype, got \(a.dtype.name) and \(b.dtype.name)") }
        // B is a batch of vectors when it has the shape of A without its last dimension.
        let isVector = b.rank == 1 || (b.rank == a.rank - 1 && b.shape == a.shape.dropping(a.rank - 1))
        if isVector {
            guard left else { throw TensorError("solve: left = false needs matrices on the right, got shape \(b.shape)") }
            return try solve(a, try b.unsqueeze(-1), left: true).squeeze([-1])
        }
        if !left { return try solve(try a.mT, try b.mT, left: true).mT }
        guard b.rank >= 2, b.shape[b.rank - 2] == a.shape[a.rank - 1] else {
            throw TensorError("solve: \(a.shape) and \(b.shape) do not fit: expected \(a.shape[a.rank - 1]) rows on the right")
        }
        var la = a.shape, lb = b.shape
        for _ in 0..<2 {
            la.remove(at: la.rank - 1)
            lb.remove(at: lb.rank - 1)
        }
        var ta: Shape
        do { ta = try Shape.broadcast(la, lb) } catch {
            throw TensorError("solve: batch dimensions of \(a.shape) and \(b.shape) do not broadcast")
        }
        var tb = ta
        for d in [a.rank - 2, a.rank - 1] { ta.append(a.shape[d]) }
        for d in [b.rank - 2, b.rank - 1] { tb.append(b.shape[d]) }
        return try solveAligned(try a.expand(ta), try b.expand(tb))
    }

    private static func solveAligned(_ a: Tensor, _ b: Tensor) throws -> Tensor {
        let out = try Factorizations.solve(a.detached(), b.detached(), "solve")
        guard shouldRecord(a, b) else { return out }
        let (sa, sb, so) = (SavedTensor(a, "solve"), SavedTensor(b, "solve"), out.savedOutput("solve"))
        let needsA = a.requiresGrad
        return try out.record("solve", [a, b]) { g in
            let a = try sa.value()
            let gb = try solveAligned(try a.mT.contiguous(), try g.first)
            guard needsA else { return [nil, gb] }
            let x = GradMode.isEnabled ? try solveAligned(a, try sb.value()) : try so.value()
            return [try -matmul(gb, try x.mT), gb]
        }
    }

    public func cholesky(upper: Bool) throws -> Tensor {
        try checkMatrices("cholesky", square: true)
        if upper { return try mT.cholesky(upper: false).mT }
        let out = try Factorizations.cholesky(detached(), upper: false)
        guard shouldRecord(self) else { return out }
        let (sx, so) = (SavedTensor(self, "cholesky"), out.savedOutput("cholesky"))
        return try out.record("cholesky", [self]) { g in
            let l = GradMode.isEnabled ? try sx.value().cholesky(upper: false) : try so.value()
            // dA = L^-T phi(Lt dL) L^-1, made symmetric; phi halves the diagonal of the lower triangle.
            let inner = try Tensor.matmul(l.mT, g.first)
            let phi = try inner.triangle(0, upper: false) - inner.diagonals.diagonalMatrices() * 0.5
            let inverse = try l.inverse()
            let s = try Tensor.matmul(Tensor.matmul(inverse.mT, phi), inverse)
            return [try (s + s.mT) * 0.5]
        }
    }

    /// - Parameter mode: "reduced", "complete" or "r" (R alone).
    public func qr(_ mode: String) throws -> (Tensor, Tensor) {
        try checkMatrices("qr")
        let (m, n) = (shape[rank - 2], shape[rank - 1])
        let (q, r) = try Factorizations.qr(detached(), complete: mode == "complete")
        guard shouldRecord(self) else { return (q, r) }
        guard mode != "r" else { throw TensorError("qr: mode = \"r\" has no gradient; use \"reduced\"") }
        guard mode == "reduced" || m <= n else { throw TensorError("qr: mode = \"complete\" has no gradient for tall matrices; use \"reduced\"") }
        let (k, qs, rs) = (Swift.min(m, n), q.savedOutput("qr"), r.savedOutput("qr"))
        let sx = SavedTensor(self, "qr")
        return try recordPair("qr", q, r) { gq, gr in
            let (q, r) = GradMode.isEnabled ? try sx.value().qr("reduced") : (try qs.value(), try rs.value())
            // Wide matrices: A = [X Y], X = Q U, R = [U V]; what V = Qt Y needs goes to Q and Y.
            let u = try r.slice(-1, 0, k), gu = try gr.slice(-1, 0, k)
            var gqTotal = gq, gy: Tensor?
            if n > m {
                let gv = try gr.slice(-1, k, n), y = try sx.value().slice(-1, k, n)
                gqTotal = try gq + Tensor.matmul(y, gv.mT)
                gy = try Tensor.matmul(q, gv)
            }
            let mm = try Tensor.matmul(u, gu.mT) - Tensor.matmul(gqTotal.mT, q)
            let lower = try mm.triangle(-1, upper: false)
            let symmetric = try lower + lower.mT + mm.diagonals.diagonalMatrices()
            // (gq + Q sym) U^-T, by solving with U.
            let right = try gqTotal + Tensor.matmul(q, symmetric)
            let gx = try Tensor.solve(u, right.mT, left: true).mT
            return try gy.map { try Tensor.cat([gx, $0], -1) } ?? gx
        }
    }

    public func svd(full: Bool) throws -> [Tensor] {
        try checkMatrices("svd")
        let (m, n) = (shape[rank - 2], shape[rank - 1])
        let (u, s, vt) = try Factorizations.svd(detached(), full: full)
        guard shouldRecord(self) else { return [u, s, vt] }
        let k = Swift.min(m, n)
        let (us, ss, vs, sx) = (u.savedOutput("svd"), s.savedOutput("svd"), vt.savedOutput("svd"), SavedTensor(self, "svd"))
        let (su, svt) = (u.shape, vt.shape)
        let node = Node("svd", outputs: 3, edges: [try gradientEdge()]) { g in
            let parts = GradMode.isEnabled ? try sx.value().svd(full: full) : [try us.value(), try ss.value(), try vs.value()]
            let u = try parts[0].slice(-1, 0, k), s = parts[1], v = try parts[2].slice(-2, 0, k).mT
            func part(_ g: Tensor?, _ whole: Shape, _ dim: Int) throws -> Tensor? {
                guard let g else { return nil }
                let n = whole[whole.rank + dim]
                guard n > k else { return g }
                guard try Tensor.equal(g.slice(dim, k, n).detached(), try Tensor.zeros(whole.replacing(whole.rank + dim, with: n - k), g.dtype)) else {
                    throw TensorError("svd: singular vectors beyond the first \(k) have no gradient; use full_matrices = false")
                }
                return try g.slice(dim, 0, k)
            }
            let gu = try part(g[0], su, -1), gv = try part(g[2], svt, -2)?.mT
            let column = try s.unsqueeze(-2), line = try s.unsqueeze(-1)
            // E[i][j] = s[j]^2 - s[i]^2, with ones on the diagonal.
            let e = try column * column - line * line + Tensor.eye(k, k, s.dtype)
            func skew(_ x: Tensor) throws -> Tensor { try (x - x.mT) / e }
            var inner = try g[1].map { try $0.diagonalMatrices() } ?? Tensor.zeros(e.shape, s.dtype)
            if let gu { inner = try inner + skew(Tensor.matmul(u.mT, gu)) * column }
            if let gv { inner = try inner + skew(Tensor.matmul(v.mT, gv)) * line }
            var out = try Tensor.matmul(Tensor.matmul(u, inner), v.mT)
            if let gu, m > k {
                let outside = try gu - Tensor.matmul(u, Tensor.matmul(u.mT, gu))
                out = try out + Tensor.matmul(outside / column, v.mT)
            }
            if let gv, n > k {
                let outside = try gv - Tensor.matmul(v, Tensor.matmul(v.mT, gv))
                out = try out + Tensor.matmul(u / column, outside.mT)
            }
            return [out]
        }
        for (i, t) in [u, s, vt].enumerated() { (t.node, t.outputIndex) = (node, i) }
        return [u, s, vt]
    }

    public func eigh(upper: Bool) throws -> (Tensor, Tensor) {
        try checkMatrices("eigh", square: true)
        let (w, v) = try Factorizations.eigh(detached(), upper: upper)
        guard shouldRecord(self) else { return (w, v) }
        let (sw, sv, sx, n) = (w.savedOutput("eigh"), v.savedOutput("eigh"), SavedTensor(self, "eigh"), shape[rank - 1])
        let node = Node("eigh", outputs: 2, edges: [try gradientEdge()]) { g in
            let (w, v) = GradMode.isEnabled ? try sx.value().eigh(upper: upper) : (try sw.value(), try sv.value())
            var inner = try g[0].map { try $0.diagonalMatrices() } ?? Tensor.zeros(v.shape, v.dtype)
            if let gv = g[1] {
                let eye = try Tensor.eye(n, n, w.dtype)
                let e = try w.unsqueeze(-2) - w.unsqueeze(-1) + eye
                // Orthogonal V can only turn: the antisymmetric part counts, and makes the result symmetric.
                let turn = try Tensor.matmul(v.mT, gv)
                inner = try inner + (turn - turn.mT) * 0.5 / e
            }
            return [try Tensor.matmul(Tensor.matmul(v, inner), v.mT)]
        }
        for (i, t) in [w, v].enumerated() { (t.node, t.outputIndex) = (node, i) }
        return (w, v)
    }

    /// Records two results of this tensor; a gradient that did not arrive is zero.
    private func recordPair(
        _ name: String, _ a: Tensor, _ b: Tensor, _ backward: @escaping (Tensor, Tensor) throws -> Tensor
    ) throws -> (Tensor, Tensor) {
        let (sa, sb, type) = (a.shape, b.shape, dtype)
        let node = Node(name, outputs: 2, edges: [try gradientEdge()]) { g in
            [try backward(try g[0] ?? Tensor.zeros(sa, type), try g[1] ?? Tensor.zeros(sb, type))]
        }
        for (i, t) in [a, b].enumerated() { (t.node, t.outputIndex) = (node, i) }
        return (a, b)
    }
}
