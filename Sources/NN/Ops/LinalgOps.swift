extension Tensor {
    /// The norm of vectors along `dims`.
    fileprivate func vectorNorm(_ order: Double, _ dims: [Int]?, keepdim: Bool) throws -> Tensor {
        try norm(order, dims, keepdim: keepdim)
    }

    /// The sum of the singular values of matrices in two dimensions; `dims` may be left out for a matrix.
    func nuclearNorm(_ dims: [Int]?, keepdim: Bool) throws -> Tensor {
        let places = dims ?? (rank == 2 ? [0, 1] : [])
        guard places.count == 2 else {
            throw TensorError("norm: p = \"nuc\" needs a matrix or two dims, got shape \(shape)" + (dims.map { " and dims \($0)" } ?? ""))
        }
        return try matrixNorm("nuc", 0, places[0], places[1], keepdim: keepdim)
    }

    /// The norm of matrices that stand in two dimensions.
    fileprivate func matrixNorm(_ order: String, _ number: Double, _ a: Int, _ b: Int, keepdim: Bool) throws -> Tensor {
        let (rows, columns) = (try shape.dim(a), try shape.dim(b))
        guard rank >= 2, rows != columns else { throw TensorError("norm: a matrix norm needs two different dims, shape is \(shape)") }
        func shaped(_ t: Tensor) throws -> Tensor {
            guard keepdim else { return t }
            return try t.unsqueeze(Swift.min(rows, columns)).unsqueeze(Swift.max(rows, columns))
        }
        if order == "fro" { return try norm(2, [rows, columns], keepdim: keepdim) }
        if order == "nuc" || number.magnitude == 2 {
            let rest = (0..<rank).filter { $0 != rows && $0 != columns }
            let s = try permute(rest + [rows, columns]).svd(full: false)[1]
            if order == "nuc" { return try shaped(s.sum([-1])) }
            return try shaped(s.extremeValue([-1], keepdim: false, largest: number > 0, "norm"))
        }
        guard number.magnitude == 1 || number.isInfinite else {
            throw TensorError("norm: a matrix norm's order is 1, -1, 2, -2, inf, -inf, \"fro\" or \"nuc\", got \(number)")
        }
        // Orders 1 and -1 compare column sums, inf and -inf row sums.
        let summed = number.isInfinite ? columns : rows, kept = number.isInfinite ? rows : columns
        let sums = try abs().sum([summed], keepdim: true)
        let out = try sums.extremeValue([kept], keepdim: true, largest: number > 0, "norm")
        return keepdim ? out : try out.squeeze([rows, columns])
    }
}

extension Op {
    /// A symmetric positive-definite matrix from the sample `sq`.
    private static let positive = "(sq:matmul(sq:t()) + tensor.eye(3, {dtype = \"float64\"}))"
    /// A well-conditioned square matrix.
    private static let regular = "(sq + 3 * tensor.eye(3, {dtype = \"float64\"}))"

    /// Functions of `tensor.linalg`.
    static let linearAlgebra: [Op] = [
        Op(
            """
            norm(A: tensor, ord: number|string = nil, dim: ints = nil, keepdim: bool = false, *, dtype: dtype = nil) -> tensor
            Gives the norm of vectors (one dim) or matrices (two dims; order "fro", "nuc", 1, -1, 2, -2, inf, -inf); without ord and dim, of all elements as one vector.
            Example: tensor.linalg.norm(tensor{3.0, 4.0}) --> tensor(5.)
            Errors: an integer tensor, a matrix norm of another order
            Source: torch.linalg.norm
            """, form: .function,
            samples: [
                "tensor.linalg.norm(x)", "tensor.linalg.norm(x, 1)", "tensor.linalg.norm(x, \"fro\")", "tensor.linalg.norm(x, \"nuc\")",
                "tensor.linalg.norm(x, 2)", "tensor.linalg.norm(x, -2)", "tensor.linalg.norm(x, 1/0)", "tensor.linalg.norm(x, 3, 1)",
                "tensor.linalg.norm(t3, \"fro\", {0, 2}, true)", "tensor.linalg.norm(v, -1/0)",
            ]
        ) {
            var x = try $0.tensor(0)
            if let type = try $0.dtype(4) { x = try x.to(type) }
            guard x.dtype.isFloat else { throw TensorError("norm: expected a floating-point tensor, got \(x.dtype.name); convert it first (x:float())") }
            let keepdim = try $0.bool(3), dims = try $0.optionalInts(2)
            if $0.isNil(1) {
                return .tensor(try x.vectorNorm(2, dims, keepdim: keepdim))
            }
            let text = (try? $0.string(1)).flatMap { Double($0) == nil ? $0 : nil }
            if let text {
                guard text == "fro" || text == "nuc" else { throw TensorError("norm: expected the order \"fro\", \"nuc\" or a number, got \"\(text)\"") }
            }
            let number = text == nil ? try $0.double(1) : 0
            guard text != nil || !number.isNaN else { throw TensorError("norm: the order is not a number") }
            let list = dims ?? Array(0..<x.rank)
            guard list.count == 1 || list.count == 2 else {
                throw TensorError("norm: with an order expected 1 or 2 dims, got \(list.count) for shape \(x.shape)")
            }
            if list.count == 2 { return .tensor(try x.matrixNorm(text ?? "", number, list[0], list[1], keepdim: keepdim)) }
            guard text == nil else { throw TensorError("norm: the order \"\(text ?? "")\" needs two dims, got \(list)") }
            return .tensor(try x.vectorNorm(number, list, keepdim: keepdim))
        },
        Op(
            """
            det(A: tensor) -> tensor
            Gives the determinant of square matrices.
            Example: tensor.linalg.det(tensor{{2.0, 1.0}, {1.0, 3.0}}) --> tensor(5.)
            Errors: matrices that are not square
            Source: torch.linalg.det
            """, form: .function, samples: ["tensor.linalg.det(sq)", "tensor.linalg.det(t3:matmul(u3))"]
        ) { .tensor(try $0.tensor(0).det()) },
        Op(
            """
            inv(A: tensor) -> tensor
            Gives the inverse of square matrices.
            Example: tensor.linalg.inv(tensor{{2.0, 0.0}, {0.0, 4.0}}) --> tensor([[0.5000, 0.0000],
                    [0.0000, 0.2500]])
            Errors: a singular matrix
            Source: torch.linalg.inv
            """, form: .function, samples: ["tensor.linalg.inv(\(regular))"]
        ) { .tensor(try $0.tensor(0).inverse()) },
        Op(
            """
            solve(A: tensor, B: tensor, *, left: bool = true) -> tensor
            Gives X with A X = B (X A = B with left = false); B holds matrices, or one vector for each matrix.
            Example: tensor.linalg.solve(tensor{{2.0, 0.0}, {0.0, 4.0}}, tensor{2.0, 2.0}) --> tensor([1.0000, 0.5000])
            Errors: a singular matrix, shapes that do not fit
            Source: torch.linalg.solve
            """, form: .function,
            samples: [
                "tensor.linalg.solve(\(regular), x)", "tensor.linalg.solve(\(regular), col)", "tensor.linalg.solve(\(regular), v:narrow(0, 0, 3))",
                "tensor.linalg.solve(\(regular), x:t(), {left = false})",
            ]
        ) { .tensor(try Tensor.solve(try $0.tensor(0), try $0.tensor(1), left: try $0.bool(2))) },
        Op(
            """
            cholesky(A: tensor, *, upper: bool = false) -> tensor
            Gives the lower triangular L with L Lt = A for symmetric positive-definite matrices (or the upper triangular transpose).
            Example: tensor.linalg.cholesky(tensor{{4.0, 0.0}, {0.0, 9.0}}) --> tensor([[2., 0.],
                    [0., 3.]])
            Errors: a matrix that is not positive-definite
            Source: torch.linalg.cholesky
            """, form: .function, samples: ["tensor.linalg.cholesky(\(positive))", "tensor.linalg.cholesky(\(positive), {upper = true})"]
        ) { .tensor(try $0.tensor(0).cholesky(upper: try $0.bool(1))) },
        Op(
            """
            qr(A: tensor, mode: "reduced"|"complete"|"r" = "reduced") -> tensor, tensor
            Gives Q with orthonormal columns and upper triangular R, Q R = A.
            Example: tensor.linalg.qr(tensor.eye(2)):abs() --> tensor([[1., 0.],
                    [0., 1.]])
            Source: torch.linalg.qr
            """, form: .function,
            samples: [
                "(tensor.linalg.qr(\(regular)))", "(select(2, tensor.linalg.qr(\(regular))))", "(tensor.linalg.qr(x:t()))",
                "(select(2, tensor.linalg.qr(x)))", "(tensor.linalg.qr(x))", "!tensor.linalg.qr(x:t(), \"complete\")",
            ]
        ) {
            let mode = try $0.string(1)
            let (q, r) = try $0.tensor(0).qr(mode)
            return .tensors([mode == "r" ? try Tensor.zeros(Shape(0), q.dtype) : q, r])
        },
        Op(
            """
            svd(A: tensor, full_matrices: bool = true) -> tensor, tensor, tensor
            Gives U, the singular values S in descending order, and Vh (the transpose of V) with U diag(S) Vh = A.
            Example: (select(2, tensor.linalg.svd(tensor{{3.0, 0.0}, {0.0, 4.0}}))) --> tensor([4., 3.])
            Errors: elements that are not finite; a gradient of more than min(m, n) vectors
            Source: torch.linalg.svd
            """, form: .function,
            samples: [
                "(tensor.linalg.svd(x, false))", "(select(2, tensor.linalg.svd(x)))", "(select(3, tensor.linalg.svd(x, false)))",
                "(tensor.linalg.svd(x:t(), false))", "!tensor.linalg.svd(x)",
            ]
        ) { .tensors(try $0.tensor(0).svd(full: try $0.bool(1))) },
        Op(
            """
            eigh(A: tensor, UPLO: "L"|"U" = "L") -> tensor, tensor
            Gives the eigenvalues of symmetric matrices in ascending order and their eigenvectors as columns; one triangle is read.
            Example: (tensor.linalg.eigh(tensor{{2.0, 0.0}, {0.0, 1.0}})) --> tensor([1., 2.])
            Errors: elements that are not finite
            Source: torch.linalg.eigh
            """, form: .function,
            samples: ["(tensor.linalg.eigh(sq + sq:t()))", "(select(2, tensor.linalg.eigh(sq + sq:t(), \"U\")))"]
        ) {
            let (w, v) = try $0.tensor(0).eigh(upper: try $0.string(1) == "U")
            return .tensors([w, v])
        },
    ]
}
