import KernelABI

extension Op {
    private static func cast(_ name: String, _ dtype: DType, _ example: String) -> Op {
        Op(
            """
            \(name)(input: tensor) -> tensor
            Converts to \(dtype.name); the tensor itself when it is that already.
            Example: \(example)
            Source: torch.Tensor.\(name)
            """, form: .method, samples: ["!x:\(name)()"]
        ) { .tensor(try $0.tensor(0).to(dtype)) }
    }

    static let conversion: [Op] = [
        cast("float", .float32, "tensor{1, 2}:float() --> tensor([1., 2.])"),
        cast("double", .float64, "tensor{1, 2}:double().dtype --> float64"),
        cast("long", .int64, "tensor{1.9, -1.9}:long() --> tensor([ 1, -1])"),
        cast("int", .int32, "tensor{1.9, -1.9}:int() --> tensor([ 1, -1], dtype=int32)"),
        cast("byte", .uint8, "tensor{1.9, 255.0}:byte() --> tensor([  1, 255], dtype=uint8)"),
        cast("bool", .bool, "tensor{0.0, 0.5}:bool() --> tensor([false,  true])"),
        Op(
            """
            to(input: tensor, dtype: dtype|tensor) -> tensor
            Converts to a dtype (or that of another tensor); the tensor itself when it is that already.
            Example: tensor{1, 2}:to("float64") --> tensor([1., 2.], dtype=float64)
            Source: torch.Tensor.to
            """, form: .method, samples: ["x:to(\"float64\")"]
        ) {
            let x = try $0.tensor(0)
            return .tensor(try x.to($0.isTensor(1) ? try $0.tensor(1).dtype : try $0.dtype(1) ?? x.dtype))
        },
        Op(
            """
            item(input: tensor) -> number|bool
            Gives the only element as a Lua number: an integer for integer dtypes, a boolean for bool.
            Example: tensor(3):item() --> 3
            Errors: a tensor with more or fewer than one element
            Source: torch.Tensor.item
            """, form: .method
        ) { .scalar(try $0.tensor(0).item()) },
        Op(
            """
            numel(input: tensor) -> int
            Gives the number of elements.
            Example: tensor.zeros(2, 3):numel() --> 6
            Source: torch.numel
            """
        ) { .scalar(.int(try $0.tensor(0).count)) },
        Op(
            """
            dim(input: tensor) -> int
            Gives the number of dimensions.
            Example: tensor.zeros(2, 3):dim() --> 2
            Source: torch.Tensor.dim
            """, form: .method
        ) { .scalar(.int(try $0.tensor(0).rank)) },
        Op(
            """
            size(input: tensor, dim: int = nil) -> table|int
            Gives the shape as a table, or the size of one dimension.
            Example: tensor.zeros(2, 3):size(1) --> 3
            Errors: a dimension out of range
            Source: torch.Tensor.size
            """, form: .method
        ) {
            let x = try $0.tensor(0)
            guard let dim = try $0.optionalInt(1) else { return .ints(x.shape.array) }
            guard x.rank > 0 else { throw TensorError("size: a 0-d tensor has no dimension \(dim)") }
            return .scalar(.int(x.shape[try x.shape.dim(dim)]))
        },
        Op(
            """
            stride(input: tensor, dim: int = nil) -> table|int
            Gives the distance between neighbours along each dimension, in elements.
            Example: tensor.zeros(2, 3):stride() --> {3, 1}
            Source: torch.Tensor.stride
            """, form: .method
        ) {
            let x = try $0.tensor(0)
            guard let dim = try $0.optionalInt(1) else { return .ints(x.strides.array) }
            return .scalar(.int(x.strides[try x.shape.dim(dim)]))
        },
        Op(
            """
            is_contiguous(input: tensor) -> bool
            Tells whether the elements lie in row-major order without gaps.
            Example: tensor.zeros(2, 3):transpose(0, 1):is_contiguous() --> false
            Source: torch.Tensor.is_contiguous
            """, form: .method
        ) { .scalar(.bool(try $0.tensor(0).isContiguous)) },
        Op(
            """
            requires_grad_(input: tensor, requires_grad: bool = true) -> tensor
            Makes the tensor collect gradients in its field `grad`, or stops it from doing so.
            Errors: an integer tensor; turning it off on a result
            Example: tensor.ones(2):requires_grad_().requires_grad --> true
            Source: torch.Tensor.requires_grad_
            """, form: .method
        ) {
            try $0.tensor(0).setRequiresGrad(try $0.bool(1))
            return .receiver
        },
        Op(
            """
            zero_(input: tensor) -> tensor
            Sets all elements to 0.
            Example: tensor.ones(2):zero_() --> tensor([0., 0.])
            Source: torch.Tensor.zero_
            """, form: .method
        ) {
            let x = try $0.tensor(0)
            try x.overwrite("zero_") { $0.fillElements(.int(0)) }
            return .receiver
        },
        Op(
            """
            fill_(input: tensor, value: number|bool|tensor) -> tensor
            Sets all elements to a value.
            Example: tensor.zeros(2):fill_(7) --> tensor([7., 7.])
            Source: torch.Tensor.fill_
            """, form: .method
        ) {
            let x = try $0.tensor(0)
            if $0.isTensor(1) {
                let v = try $0.tensor(1)
                guard v.rank == 0 else { throw TensorError("fill_: expected a number or a 0-d tensor, got shape \(v.shape)") }
                try x.assign(v, "fill_")
            } else {
                let v = try $0.scalar(1).checked(for: x.dtype)
                try x.overwrite("fill_") { $0.fillElements(v) }
            }
            return .receiver
        },
        Op(
            """
            copy_(input: tensor, src: tensor) -> tensor
            Copies the elements of `src`, broadcast and converted to this tensor's shape and dtype.
            Errors: a shape that does not broadcast to this one's
            Example: tensor.zeros(2, 2):copy_(tensor{1, 2}) --> tensor([[1., 2.],
                    [1., 2.]])
            Source: torch.Tensor.copy_
            """, form: .method
        ) {
            try $0.tensor(0).assign(try $0.tensor(1), "copy_")
            return .receiver
        },
        Op(
            """
            normal_(input: tensor, mean: number = 0, std: number = 1) -> tensor
            Fills with draws from a normal distribution.
            Errors: a negative std, an integer tensor
            Example: tensor.zeros(1000):normal_(5, 0.1):mean():round():item() --> 5.0
            Source: torch.Tensor.normal_
            """, form: .method
        ) {
            let (mean, std) = (try $0.double(1), try $0.double(2))
            guard std >= 0 else { throw TensorError("normal_: std must not be negative, got \(std)") }
            try $0.tensor(0).overwrite("normal_") { try $0.fillNormal(mean, std) }
            return .receiver
        },
        Op(
            """
            uniform_(input: tensor, from: number = 0, to: number = 1) -> tensor
            Fills with draws from the uniform distribution on [from, to).
            Errors: to below from, an integer tensor
            Example: tensor.zeros(1000):uniform_(2, 3):ge(2):all():item() --> true
            Source: torch.Tensor.uniform_
            """, form: .method
        ) {
            let (low, high) = (try $0.double(1), try $0.double(2))
            guard low <= high else { throw TensorError("uniform_: expected from <= to, got \(low) and \(high)") }
            try $0.tensor(0).overwrite("uniform_") { try $0.fillUniform(low, high) }
            return .receiver
        },
        Op(
            """
            bernoulli_(input: tensor, p: number = 0.5) -> tensor
            Fills with 1 with probability p, else 0.
            Errors: p outside 0..1
            Example: tensor.zeros(3):bernoulli_(1) --> tensor([1., 1., 1.])
            Source: torch.Tensor.bernoulli_
            """, form: .method
        ) {
            let p = try $0.double(1)
            guard p >= 0, p <= 1 else { throw TensorError("bernoulli_: p must be in 0..1, got \(p)") }
            let x = try $0.tensor(0)
            let draw = try Tensor(emptyOf: x.shape, .float64)
            try draw.fillUniform(0, 1)
            try x.assign(try draw.below(p).converted(to: x.dtype), "bernoulli_")
            return .receiver
        },
    ]
}

extension Tensor {
    /// Which elements are less than `limit`. No history.
    func below(_ limit: Double) throws -> Tensor {
        try Comparison.compute(COMPARE_LT, self, try Tensor.wrapped(.double(limit), beside: self))
    }

    /// Writes new contents that do not depend on the old ones, nor on anything with history.
    func overwrite(_ name: String, _ write: (Tensor) throws -> Void) throws {
        try checkWritable(name)
        try write(self)
        storage.version += 1
        if GradMode.isEnabled, dtype.isFloat, requiresGrad { try forgetHistory() }
    }
}
