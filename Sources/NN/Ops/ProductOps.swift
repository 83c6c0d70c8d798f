extension Op {
    private static func ranked(_ name: String, _ text: String, _ ra: Int, _ rb: Int, sample: String, _ example: String) -> Op {
        Op(
            """
            \(name)(input: tensor, other: tensor) -> tensor
            \(text)
            Errors: other ranks, inner sizes that differ
            Example: \(example)
            Source: torch.\(name)
            """, samples: [sample]
        ) {
            let (a, b) = (try $0.tensor(0), try $0.tensor(1))
            guard a.rank == ra, b.rank == rb else {
                throw TensorError("\(name): expected tensors of \(ra) and \(rb) dimensions, got \(a.shape) and \(b.shape)")
            }
            if name == "bmm", a.shape[0] != b.shape[0] {
                throw TensorError("bmm: batch sizes differ: \(a.shape) x \(b.shape)")
            }
            return .tensor(try Tensor.matmul(a, b))
        }
    }

    static let products: [Op] = [
        Op(
            """
            matmul(input: tensor, other: tensor) -> tensor
            Multiplies matrices; 1-d operands are vectors, leading dimensions are batches that broadcast.
            Example: tensor{{1, 2}, {3, 4}}:matmul(tensor{1, 1}) --> tensor([3, 7])
            Errors: inner sizes that differ
            Source: torch.matmul
            """, samples: ["x:matmul(m)", "x:matmul(row)", "row:matmul(m)", "row:matmul(row)", "t3:matmul(u3)", "t3:matmul(m)", "x:matmul(u3)"],
            .binary(Tensor.matmul)),
        ranked("mm", "Multiplies two matrices.", 2, 2, sample: "x:mm(m)",
            "tensor{{1, 2}, {3, 4}}:mm(tensor{{1}, {1}}) --> tensor([[3],\n        [7]])"),
        ranked("bmm", "Multiplies two batches of matrices.", 3, 3, sample: "t3:bmm(u3)",
            "tensor.ones(2, 3, 4):bmm(tensor.ones(2, 4, 5)).shape --> {2, 3, 5}"),
        ranked("mv", "Multiplies a matrix and a vector.", 2, 1, sample: "x:mv(row)",
            "tensor{{1, 2}, {3, 4}}:mv(tensor{1, 1}) --> tensor([3, 7])"),
        ranked("dot", "Gives the sum of the products of two vectors.", 1, 1, sample: "v:dot(w)",
            "tensor{1, 2}:dot(tensor{3, 4}) --> tensor(11)"),
        Op(
            """
            outer(input: tensor, vec2: tensor) -> tensor
            Gives all products of an element of each of two vectors, as a matrix.
            Example: tensor{1, 2}:outer(tensor{3, 4}) --> tensor([[3, 4],
                    [6, 8]])
            Source: torch.outer
            """, samples: ["v:outer(row)"]
        ) {
            let (a, b) = (try $0.tensor(0), try $0.tensor(1))
            guard a.rank == 1, b.rank == 1 else { throw TensorError("outer: expected two vectors, got \(a.shape) and \(b.shape)") }
            return .tensor(try a.unsqueeze(1) * b)
        },
        Op(
            """
            addmm(input: tensor, mat1: tensor, mat2: tensor, *, beta: number = 1, alpha: number = 1) -> tensor
            Gives beta * input + alpha * (mat1 x mat2).
            Example: tensor{{1.0, 1.0}}:addmm(tensor{{1.0, 2.0}}, tensor.eye(2)) --> tensor([[2., 3.]])
            Source: torch.addmm
            """, inPlace: true, samples: ["tensor.addmm(v, x, m)", "tensor.addmm(v, x, m, {beta = 0.5, alpha = 2})"]
        ) {
            let (c, a, b) = (try $0.tensor(0), try $0.tensor(1), try $0.tensor(2))
            guard a.rank == 2, b.rank == 2 else { throw TensorError("addmm: expected two matrices, got \(a.shape) and \(b.shape)") }
            return .tensor(try combine(c, try Tensor.matmul(a, b), try $0.scalar(3), try $0.scalar(4)))
        },
        Op(
            """
            baddbmm(input: tensor, batch1: tensor, batch2: tensor, *, beta: number = 1, alpha: number = 1) -> tensor
            Gives beta * input + alpha * (batch1 x batch2) for batches of matrices.
            Example: tensor.ones(1, 2, 2):baddbmm(tensor.ones(1, 2, 3), tensor.ones(1, 3, 2)) --> tensor([[[4., 4.],
                     [4., 4.]]])
            Source: torch.baddbmm
            """, inPlace: true, samples: ["tensor.baddbmm(s, t3, u3, {alpha = 0.5})"]
        ) {
            let (c, a, b) = (try $0.tensor(0), try $0.tensor(1), try $0.tensor(2))
            guard a.rank == 3, b.rank == 3 else { throw TensorError("baddbmm: expected two batches of matrices, got \(a.shape) and \(b.shape)") }
            return .tensor(try combine(c, try Tensor.matmul(a, b), try $0.scalar(3), try $0.scalar(4)))
        },
    ]

    /// beta * c + alpha * product; beta 0 ignores what c holds.
    private static func combine(_ c: Tensor, _ product: Tensor, _ beta: Scalar, _ alpha: Scalar) throws -> Tensor {
        let scaled = alpha.double == 1 ? product : try product.scaled(by: alpha)
        if beta.double == 0 { return scaled }
        return try (beta.double == 1 ? c : try c.scaled(by: beta)) + scaled
    }
}
