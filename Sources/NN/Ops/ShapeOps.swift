extension Op {
    private static func split(_ x: Tensor, _ sizes: [Int], _ dim: Int) throws -> [Tensor] {
        let d = try x.shape.dim(dim)
        var at = 0
        return try sizes.map { size in
            defer { at += size }
            return try x.narrow(d, at, size)
        }
    }

    /// Lists hold at most that many tensors: dimensions of an expanded tensor can be longer than any list.
    private static func checkPieces(_ count: Int, _ name: String) throws {
        guard count <= 1 << 22 else { throw TensorError("\(name): this would be a list of \(count) tensors, expected at most \(1 << 22)") }
    }

    private static func evenSizes(_ n: Int, _ size: Int, _ name: String) throws -> [Int] {
        if n == 0 { return [0] }
        try checkPieces((n - 1) / size + 1, name)
        return stride(from: 0, to: n, by: size).map { Swift.min(size, n - $0) }
    }

    static let shape: [Op] = [
        Op(
            """
            reshape(input: tensor, shape: shape) -> tensor
            Shows the elements in row-major order under another shape: a view where possible, else a copy; one size may be -1.
            Example: tensor.arange(4):reshape(2, -1).shape --> {2, 2}
            Errors: a shape with another number of elements
            Source: torch.reshape
            """, samples: ["x:reshape(2, 6)", "x:reshape(-1)", "t3:transpose(0, 1):reshape(6, 4)"]
        ) { .tensor(try $0.tensor(0).reshape(try $0.shape(1))) },
        Op(
            """
            view(input: tensor, shape: shape) -> tensor
            As reshape, but always a view: an error where a copy would be needed.
            Errors: strides that do not allow it
            Example: tensor.arange(6):view(2, 3).shape --> {2, 3}
            Source: torch.Tensor.view
            """, form: .method, samples: ["x:contiguous():view(2, 6)"]
        ) { .tensor(try $0.tensor(0).view(try $0.shape(1))) },
        Op(
            """
            flatten(input: tensor, start_dim: int = 0, end_dim: int = -1) -> tensor
            Merges the dimensions from start_dim to end_dim into one.
            Example: tensor.zeros(2, 3, 4):flatten(1).shape --> {2, 12}
            Source: torch.flatten
            """, samples: ["t3:flatten()", "t3:flatten(1)", "t3:flatten(0, 1)"]
        ) {
            let x = try $0.tensor(0)
            if x.rank == 0 { return .tensor(try x.reshape(Shape(1))) }
            let (a, b) = (try x.shape.dim(try $0.int(1)), try x.shape.dim(try $0.int(2)))
            guard a <= b else { throw TensorError("flatten: start_dim \(a) comes after end_dim \(b)") }
            var s = Shape(), n = 1
            for i in 0..<x.rank {
                if i >= a && i <= b { n *= x.shape[i] } else { s.append(x.shape[i]) }
                if i == b { s.append(n) }
            }
            return .tensor(try x.reshape(s))
        },
        Op(
            """
            unflatten(input: tensor, dim: int, sizes: ints) -> tensor
            Splits one dimension into several; one size may be -1.
            Example: tensor.zeros(2, 12):unflatten(1, {3, 4}).shape --> {2, 3, 4}
            Source: torch.unflatten
            """, samples: ["x:unflatten(1, {2, 2})", "x:unflatten(-1, {-1, 2})"]
        ) {
            let x = try $0.tensor(0), d = try x.shape.dim(try $0.int(1)), sizes = try $0.ints(2)
            guard x.rank > 0 else { throw TensorError("unflatten: a 0-d tensor has no dimension to split") }
            let part = try Tensor.zeros(Shape(x.shape[d]), .bool).resolve(try Shape(sizes), "unflatten")
            return .tensor(try x.reshape(try Shape(Array(x.shape.array[..<d]) + part.array + Array(x.shape.array[(d + 1)...]))))
        },
        Op(
            """
            squeeze(input: tensor, dim: ints = nil) -> tensor
            Drops dimensions of size 1 (all of them, or those in `dim`). A view.
            Example: tensor.zeros(1, 3, 1):squeeze().shape --> {3}
            Source: torch.squeeze
            """, inPlace: false, samples: ["col:squeeze()", "col:squeeze(1)", "x:squeeze(0)"]
        ) { .tensor(try $0.tensor(0).squeeze(try $0.optionalInts(1))) },
        Op(
            """
            unsqueeze(input: tensor, dim: int) -> tensor
            Inserts a dimension of size 1 at `dim`. A view.
            Example: tensor.zeros(3):unsqueeze(0).shape --> {1, 3}
            Source: torch.unsqueeze
            """, samples: ["x:unsqueeze(0)", "x:unsqueeze(-1)", "s:unsqueeze(0)"]
        ) { .tensor(try $0.tensor(0).unsqueeze(try $0.int(1))) },
        Op(
            """
            transpose(input: tensor, dim0: int, dim1: int) -> tensor
            Swaps two dimensions. A view.
            Example: tensor{{1, 2}, {3, 4}}:transpose(0, 1) --> tensor([[1, 3],
                    [2, 4]])
            Source: torch.transpose
            """, samples: ["x:transpose(0, 1)", "t3:transpose(0, -1)"]
        ) { .tensor(try $0.tensor(0).transpose(try $0.int(1), try $0.int(2))) },
        Op(
            """
            t(input: tensor) -> tensor
            Transposes a matrix; a vector or 0-d tensor is returned as it is. A view.
            Errors: more than two dimensions
            Example: tensor{{1, 2}, {3, 4}}:t() --> tensor([[1, 3],
                    [2, 4]])
            Source: torch.t
            """, samples: ["x:t()", "v:t()"]
        ) {
            let x = try $0.tensor(0)
            guard x.rank <= 2 else { throw TensorError("t: expected at most 2 dimensions, got shape \(x.shape)") }
            return .tensor(x.rank < 2 ? try x.expand(x.shape) : try x.transpose(0, 1))
        },
        Op(
            """
            permute(input: tensor, dims: shape) -> tensor
            Puts the dimensions in another order. A view.
            Example: tensor.zeros(2, 3, 4):permute(2, 0, 1).shape --> {4, 2, 3}
            Source: torch.permute
            """, samples: ["t3:permute(2, 0, 1)", "t3:permute({1, 0, -1})"]
        ) { .tensor(try $0.tensor(0).permute(try $0.ints(1))) },
        Op(
            """
            expand(input: tensor, sizes: shape) -> tensor
            Shows dimensions of size 1 as larger ones without copying; -1 keeps a size. A view.
            Example: tensor{{1}, {2}}:expand(2, 3) --> tensor([[1, 1, 1],
                    [2, 2, 2]])
            Source: torch.Tensor.expand
            """, form: .method, samples: ["col:expand(3, 4)", "row:expand(3, -1)", "s:expand(2)"]
        ) { .tensor(try $0.tensor(0).expand(try $0.shape(1))) },
        Op(
            """
            expand_as(input: tensor, other: tensor) -> tensor
            Expands to the shape of `other`. A view.
            Example: tensor{{1}, {2}}:expand_as(tensor.zeros(2, 2)) --> tensor([[1, 1],
                    [2, 2]])
            Source: torch.Tensor.expand_as
            """, form: .method, samples: ["col:expand_as(x)"]
        ) { .tensor(try $0.tensor(0).expand(try $0.tensor(1).shape)) },
        Op(
            """
            tile(input: tensor, dims: shape) -> tensor
            Repeats the whole tensor along each dimension.
            Example: tensor{1, 2}:tile(2) --> tensor([1, 2, 1, 2])
            Source: torch.tile
            """, samples: ["x:tile(2, 1)", "v:tile(2, 3)", "x:tile(2)"]
        ) { .tensor(try $0.tensor(0).tile(try $0.shape(1))) },
        Op(
            """
            repeat_interleave(input: tensor, repeats: int|tensor, dim: int = nil) -> tensor
            Repeats each element (or slice along `dim`) right after itself; `repeats` may be one count per slice.
            Example: tensor{1, 2}:repeat_interleave(2) --> tensor([1, 1, 2, 2])
            Source: torch.repeat_interleave
            """, samples: ["v:repeat_interleave(2)", "x:repeat_interleave(3, 1)", "x:repeat_interleave(tensor{1, 0, 2}, 0)"]
        ) {
            var x = try $0.tensor(0)
            if $0.isNil(2) { x = try x.reshape(Shape(x.count)) }
            let d = try x.shape.dim($0.isNil(2) ? 0 : try $0.int(2))
            if x.rank == 0 { x = try x.reshape(Shape(1)) }
            let n = x.shape[d]
            let counts = $0.isTensor(1) ? try $0.tensor(1).integers() : [try $0.int(1)]
            guard counts.count == 1 || counts.count == n, counts.allSatisfy({ $0 >= 0 }) else {
                throw TensorError("repeat_interleave: expected 1 or \(n) counts, none negative, got \(counts.count)")
            }
            if counts.count == 1 {
                let k = counts[0], total = try x.checkedProduct(n, k, "repeat_interleave")
                _ = try x.shape.replacing(d, with: total).checkedCount()
                let split = try x.unsqueeze(d + 1)
                return .tensor(try split.expand(split.shape.replacing(d + 1, with: k)).reshape(x.shape.replacing(d, with: total)))
            }
            let parts = try counts.enumerated().compactMap { i, k in
                k == 0 ? nil : try x.narrow(d, i, 1).expand(x.shape.replacing(d, with: k))
            }
            return .tensor(parts.isEmpty ? try x.narrow(d, 0, 0).clone() : try Tensor.cat(parts, d))
        },
        Op(
            """
            narrow(input: tensor, dim: int, start: int, length: int) -> tensor
            Takes `length` slices from `start` on along `dim`. A view.
            Errors: a range that does not fit
            Example: tensor{1, 2, 3, 4}:narrow(0, 1, 2) --> tensor([2, 3])
            Source: torch.narrow
            """, samples: ["x:narrow(1, 1, 2)", "x:narrow(0, 0, 3)"]
        ) { .tensor(try $0.tensor(0).narrow(try $0.int(1), try $0.int(2), try $0.int(3))) },
        Op(
            """
            select(input: tensor, dim: int, index: int) -> tensor
            Takes one slice along `dim`, dropping that dimension. A view.
            Errors: an index out of range
            Example: tensor{{1, 2}, {3, 4}}:select(1, 0) --> tensor([1, 3])
            Source: torch.select
            """, samples: ["x:select(0, 1)", "x:select(1, -1)"]
        ) { .tensor(try $0.tensor(0).select(try $0.int(1), try $0.int(2))) },
        Op(
            """
            slice(input: tensor, dim: int, start: int = nil, stop: int = nil, step: int = 1) -> tensor
            Takes every `step`-th slice from `start` up to but not including `stop` along `dim`, as a Python slice does. A view.
            Errors: a step below 1
            Example: tensor{0, 1, 2, 3, 4}:slice(0, 1, nil, 2) --> tensor([1, 3])
            Source: torch.Tensor.__getitem__
            """, samples: ["x:slice(1, 1, 3)", "x:slice(1, nil, nil, 2)", "x:slice(0, -2)"]
        ) { .tensor(try $0.tensor(0).slice(try $0.int(1), try $0.optionalInt(2), try $0.optionalInt(3), try $0.int(4))) },
        Op(
            """
            split(input: tensor, split_size_or_sections: ints, dim: int = 0) -> list
            Cuts into pieces of a size (the last may be smaller) or of the given sizes. A list of views.
            Example: #tensor.arange(5):split(2) --> 3
            Source: torch.split
            """, samples: ["x:split(2, 1)[1]", "x:split({1, 3}, 1)[2]"]
        ) {
            let x = try $0.tensor(0), sizes = try $0.ints(1)
            let d = try x.shape.dim(try $0.int(2))
            guard x.rank > 0 else { throw TensorError("split: a 0-d tensor cannot be cut") }
            if $0.isList(1) {
                let rest = sizes.reduce(Int?(x.shape[d])) { rest, size in rest.flatMap { (0...$0).contains(size) ? $0 - size : nil } }
                guard rest == 0 else {
                    throw TensorError("split: sizes \(sizes) must add up to \(x.shape[d]), the size of dimension \(d)")
                }
                return .list(try split(x, sizes, d))
            }
            guard let size = sizes.first, size > 0 else { throw TensorError("split: expected a positive size, got \(sizes)") }
            return .list(try split(x, evenSizes(x.shape[d], size, "split"), d))
        },
        Op(
            """
            chunk(input: tensor, chunks: int, dim: int = 0) -> list
            Cuts into at most `chunks` pieces of equal size (the last may be smaller). A list of views.
            Example: tensor.arange(5):chunk(2)[1] --> tensor([0, 1, 2])
            Source: torch.chunk
            """, samples: ["x:chunk(3, 1)[2]", "x:chunk(2)[1]"]
        ) {
            let x = try $0.tensor(0), n = try $0.int(1), d = try x.shape.dim(try $0.int(2))
            guard x.rank > 0, n > 0 else { throw TensorError("chunk: expected a positive count and at least 1 dimension, got \(n) and \(x.shape)") }
            let size = Swift.max(1, x.shape[d] / n + (x.shape[d] % n == 0 ? 0 : 1))
            return .list(try split(x, evenSizes(x.shape[d], size, "chunk"), d))
        },
        Op(
            """
            unbind(input: tensor, dim: int = 0) -> list
            Gives the slices along `dim`. A list of views.
            Example: tensor{{1, 2}, {3, 4}}:unbind()[2] --> tensor([3, 4])
            Source: torch.unbind
            """, samples: ["x:unbind(1)[3]"]
        ) {
            let x = try $0.tensor(0), d = try x.shape.dim(try $0.int(1))
            guard x.rank > 0 else { throw TensorError("unbind: a 0-d tensor cannot be cut") }
            try checkPieces(x.shape[d], "unbind")
            return .list(try (0..<x.shape[d]).map { try x.select(d, $0) })
        },
        Op(
            """
            flip(input: tensor, dims: shape) -> tensor
            Reverses the order of elements along `dims`. A copy.
            Example: tensor{1, 2, 3}:flip(0) --> tensor([3, 2, 1])
            Source: torch.flip
            """, samples: ["x:flip(0)", "x:flip({0, 1})", "t3:flip(0, 2)"]
        ) { .tensor(try $0.tensor(0).flip(try $0.ints(1))) },
        Op(
            """
            roll(input: tensor, shifts: ints, dims: ints = nil) -> tensor
            Moves elements along `dims` (the flattened tensor without); what leaves comes in at the other end. A copy.
            Example: tensor{1, 2, 3}:roll(1) --> tensor([3, 1, 2])
            Source: torch.roll
            """, samples: ["x:roll(1)", "x:roll({1, -2}, {0, 1})"]
        ) { .tensor(try $0.tensor(0).roll(try $0.ints(1), try $0.optionalInts(2))) },
        Op(
            """
            pad(input: tensor, pad: ints, mode: "constant"|"reflect"|"replicate"|"circular" = "constant", value: number = 0) -> tensor
            Surrounds with a value, or with the tensor's own elements; `pad` holds (before, after) pairs from the last dimension on, negative ones cut.
            Errors: more than there is to reflect or to take from the other end, a value with another mode than "constant"
            Example: tensor{1, 2}:pad({1, 1}) --> tensor([0, 1, 2, 0])
            Source: torch.nn.functional.pad
            """, samples: [
                "x:pad({1, 2})", "x:pad({1, 0, 2, 1})", "x:pad({-1, 1})", "t3:pad({2, 1}, \"reflect\")", "img:pad({1, 0, 2, 3}, \"replicate\")",
                "t3:pad({3, 1}, \"circular\")", "x:pad({-1, 2}, \"reflect\")",
            ]
        ) {
            let mode = try $0.string(2)
            if mode == "constant" { return .tensor(try $0.tensor(0).pad(try $0.ints(1), try $0.scalar(3))) }
            guard try $0.scalar(3).double == 0 else { throw TensorError("pad: a value has a meaning with mode \"constant\" only") }
            return .tensor(try $0.tensor(0).pad(try $0.ints(1), mode))
        },
        Op(
            """
            contiguous(input: tensor) -> tensor
            Gives the tensor itself when its elements lie in row-major order, else a packed copy.
            Example: tensor.zeros(2, 3):transpose(0, 1):contiguous():is_contiguous() --> true
            Source: torch.Tensor.contiguous
            """, form: .method, samples: ["x:t():contiguous()"]
        ) { .tensor(try $0.tensor(0).contiguous()) },
        Op(
            """
            clone(input: tensor) -> tensor
            Copies the tensor; gradients flow through.
            Example:
              local x = tensor{1, 2}
              x:clone():fill_(0)
              x --> tensor([1, 2])
            Source: torch.clone
            """, samples: ["x:clone()"]
        ) { .tensor(try $0.tensor(0).clone()) },
        Op(
            """
            detach(input: tensor) -> tensor
            Gives the same data without history.
            Example: tensor.ones(2, {requires_grad = true}):detach().requires_grad --> false
            Source: torch.Tensor.detach
            """, form: .method, samples: ["!x:detach()"]
        ) { .tensor(try $0.tensor(0).detached()) },
    ]
}
