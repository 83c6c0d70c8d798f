extension Op {
    static let joining: [Op] = [
        Op(
            """
            cat(tensors: list, dim: int = 0) -> tensor
            Joins tensors along a dimension; their other sizes must agree.
            Example: tensor.cat({tensor{1}, tensor{2, 3}}) --> tensor([1, 2, 3])
            Source: torch.cat
            """, form: .function, samples: ["tensor.cat({x, y})", "tensor.cat({x, col}, 1)"]
        ) { .tensor(try Tensor.cat(try $0.tensors(0), try $0.int(1))) },
        Op(
            """
            stack(tensors: list, dim: int = 0) -> tensor
            Joins tensors of one shape along a new dimension.
            Example: tensor.stack{tensor{1, 2}, tensor{3, 4}} --> tensor([[1, 2],
                    [3, 4]])
            Source: torch.stack
            """, form: .function, samples: ["tensor.stack({x, y})", "tensor.stack({x, y}, -1)"]
        ) { .tensor(try Tensor.stack(try $0.tensors(0), try $0.int(1))) },
        Op(
            """
            hstack(tensors: list) -> tensor
            Joins tensors along the second dimension (1-d ones along the first).
            Example: tensor.hstack{tensor{1, 2}, tensor{3}} --> tensor([1, 2, 3])
            Source: torch.hstack
            """, form: .function, samples: ["tensor.hstack({x, y})", "tensor.hstack({v, w})", "tensor.hstack({s, s})"]
        ) {
            let list = try $0.tensors(0).map { $0.rank == 0 ? try $0.reshape(Shape(1)) : $0 }
            return .tensor(try Tensor.cat(list, list.first?.rank == 1 ? 0 : 1))
        },
        Op(
            """
            vstack(tensors: list) -> tensor
            Joins tensors along the first dimension, 1-d ones as rows.
            Example: tensor.vstack{tensor{1, 2}, tensor{3, 4}} --> tensor([[1, 2],
                    [3, 4]])
            Source: torch.vstack
            """, form: .function, samples: ["tensor.vstack({x, y})", "tensor.vstack({v, w})"]
        ) {
            let list = try $0.tensors(0).map { $0.rank < 2 ? try $0.reshape(Shape(1, $0.count)) : $0 }
            return .tensor(try Tensor.cat(list, 0))
        },
        Op(
            """
            broadcast_tensors(...) -> list
            Expands all tensors to their common shape. A list of views.
            Example: tensor.broadcast_tensors(tensor{{1}, {2}}, tensor{1, 2, 3})[1].shape --> {2, 3}
            Source: torch.broadcast_tensors
            """, form: .function, samples: ["tensor.broadcast_tensors(row, col)[1]"]
        ) {
            let list = try $0.tensors(0)
            let shape = try list.reduce(Shape()) { try Shape.broadcast($0, $1.shape) }
            return .list(try list.map { try $0.expand(shape) })
        },
        Op(
            """
            meshgrid(..., *, indexing: "ij"|"xy" = "ij") -> list
            Makes coordinate grids of 1-d tensors. A list of views.
            Example: tensor.meshgrid(tensor{1, 2}, tensor{3, 4, 5})[1].shape --> {2, 3}
            Source: torch.meshgrid
            """, form: .function, samples: ["tensor.meshgrid(v, row)[2]", "tensor.meshgrid(v, row, {indexing = \"xy\"})[1]"]
        ) {
            let list = try $0.tensors(0)
            for t in list where t.rank > 1 { throw TensorError("meshgrid: expected 1-d tensors, got shape \(t.shape)") }
            var sizes = Shape()
            try sizes.checkRoom(for: list.count)
            for t in list { sizes.append(t.count) }
            let swap = try $0.string(1) == "xy" && list.count >= 2
            return .list(
                try list.enumerated().map { i, t in
                    var line = Shape(repeating: 1, rank: list.count)
                    line[i] = t.count
                    let grid = try t.reshape(line).expand(sizes)
                    return swap ? try grid.transpose(0, 1) : grid
                })
        },
    ]
}
