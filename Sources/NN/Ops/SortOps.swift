extension Op {
    static let sorting: [Op] = [
        Op(
            """
            sort(input: tensor, dim: int = -1, descending: bool = false, *, stable: bool = false) -> tensor, tensor
            Puts the elements along `dim` in order; gives the values and their int64 positions. Equal elements stay in their order, NaN counts as largest.
            Example: (tensor{3, 1, 2}:sort()) --> tensor([1, 2, 3])
            Source: torch.sort
            """, samples: ["(x:sort())", "(x:sort(0, true))", "(t3:sort(1))"]
        ) { .tensors(try $0.tensor(0).sorted(try $0.int(1), descending: try $0.bool(2))) },
        Op(
            """
            argsort(input: tensor, dim: int = -1, descending: bool = false, *, stable: bool = false) -> tensor
            Gives the int64 positions that put `dim` in order. Equal elements stay in their order, NaN counts as largest.
            Example: tensor{3, 1, 2}:argsort() --> tensor([1, 2, 0])
            Source: torch.argsort
            """, samples: ["!x:argsort()", "!x:argsort(0, true)"]
        ) { .tensor(try $0.tensor(0).argsort(try $0.int(1), descending: try $0.bool(2))) },
        Op(
            """
            topk(input: tensor, k: int, dim: int = -1, largest: bool = true, sorted: bool = true) -> tensor, tensor
            Gives the k largest (or smallest) elements along `dim` in order, and their int64 positions; the first of equals.
            Example: (tensor{3, 1, 2}:topk(2)) --> tensor([3, 2])
            Errors: k beyond the size of the dimension
            Source: torch.topk
            """, samples: ["(x:topk(2))", "(x:topk(2, 0, false))"]
        ) { .tensors(try $0.tensor(0).topk(try $0.int(1), try $0.int(2), largest: try $0.bool(3))) },
        Op(
            """
            kthvalue(input: tensor, k: int, dim: int = -1, keepdim: bool = false) -> tensor, tensor
            Gives the k-th smallest element along `dim` (k from 1) and its int64 position.
            Example: (tensor{30, 10, 20}:kthvalue(2)) --> tensor(20)
            Errors: k outside of 1..size
            Source: torch.kthvalue
            """, samples: ["(x:kthvalue(2))", "(x:kthvalue(3, 0, true))"]
        ) { .tensors(try $0.tensor(0).kthvalue(try $0.int(1), try $0.int(2), keepdim: try $0.bool(3))) },
        Op(
            """
            median(input: tensor, dim: int = nil, keepdim: bool = false) -> tensor, tensor
            Gives the median (the lower of two); along `dim`, values and their int64 positions. NaN where there is one.
            Example: tensor{5, 1, 3, 4}:median() --> tensor(3)
            Errors: an empty dimension
            Source: torch.median
            """, samples: ["x:median()", "(x:median(1))", "(x:median(0, true))"]
        ) {
            let x = try $0.tensor(0)
            guard let dim = try $0.optionalInt(1) else { return .tensor(try x.median()) }
            return .tensors(try x.median(dim, keepdim: try $0.bool(2)))
        },
        Op(
            """
            mode(input: tensor, dim: int = -1, keepdim: bool = false) -> tensor, tensor
            Gives the most frequent value along `dim`, the smallest of several, and the last int64 position where it stands.
            Example: (tensor{2, 1, 2}:mode()) --> tensor(2)
            Errors: an empty dimension
            Source: torch.mode
            """, samples: ["(x:mode())", "(x:mode(0, true))"]
        ) { .tensors(try $0.tensor(0).mode(try $0.int(1), keepdim: try $0.bool(2))) },
        Op(
            """
            unique(input: tensor, sorted: bool = true, return_inverse: bool = false, return_counts: bool = false, dim: int = nil) -> tensor, tensor, tensor
            Gives the distinct values in ascending order (or the distinct slices along `dim`); on request also where each element went among them, and how often each occurs.
            Example: tensor{3, 1, 3}:unique() --> tensor([1, 3])
            Source: torch.unique
            """, samples: ["!x:unique()", "!x:unique(true, true, true, 0)"]
        ) {
            let x = try $0.tensor(0)
            let (values, inverse, counts) = $0.isNil(4) ? try x.unique() : try x.unique(try $0.int(4))
            return .tensors([values] + (try $0.bool(2) ? [inverse] : []) + (try $0.bool(3) ? [counts] : []))
        },
        Op(
            """
            bincount(input: tensor, weights: tensor = nil, minlength: int = 0) -> tensor
            Counts how often 0, 1, 2, ... occur in a vector of integers, or adds up the weights that stand there.
            Example: tensor{1, 1, 3}:bincount() --> tensor([0, 2, 0, 1])
            Errors: negative values, more than one dimension
            Source: torch.bincount
            """, samples: ["!x:gt(0):long():reshape(-1):bincount()"]
        ) { .tensor(try $0.tensor(0).bincount(try $0.optionalTensor(1), try $0.int(2))) },
        Op(
            """
            histc(input: tensor, bins: int = 100, min: number = 0, max: number = 0) -> tensor
            Counts elements in `bins` equal intervals from min to max; elements outside do not count. When both are equal, the range of the elements.
            Example: tensor{1.0, 2.0, 1.0}:histc(4, 0, 3) --> tensor([0., 2., 1., 0.])
            Errors: an integer tensor, max below min, a range that is not finite
            Source: torch.histc
            """, samples: ["!x:histc(5)"]
        ) { .tensor(try $0.tensor(0).histogram(try $0.int(1), try $0.double(2), try $0.double(3))) },
        Op(
            """
            searchsorted(sorted_sequence: tensor, input: tensor|number, *, out_int32: bool = false, right: bool = false, side: "left"|"right" = nil, sorter: tensor = nil) -> tensor
            Gives where each element of `input` would go in an ascending sequence: before equal elements, or after them with right.
            Example: tensor.searchsorted(tensor{1, 3, 5}, tensor{3, 4}) --> tensor([1, 2])
            Errors: a batch of sequences that does not fit the values
            Source: torch.searchsorted
            """, form: .function, samples: ["!tensor.searchsorted(v:sort(), x)"]
        ) {
            let sequence = try $0.tensor(0)
            let side = $0.isNil(4) ? nil : try $0.string(4)
            if side == "left", try $0.bool(3) { throw TensorError("searchsorted: side = \"left\" contradicts right = true") }
            return .tensor(
                try sequence.searchsorted(
                    try $0.operand(1, beside: sequence), right: try side == "right" || $0.bool(3), sorter: try $0.optionalTensor(5),
                    int32: try $0.bool(2)))
        },
    ]
}
