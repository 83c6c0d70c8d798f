extension SharedArguments {
    static let tensor = [
        ("Tensor", tensorText), ("tensor", tensorText),
        (
            "tensor.linalg",
            """
            A: a matrix, or a batch of them [.., rows, columns]; float32 or float64
            B: the right side: matrices [.., n, k], or one vector [.., n] for each matrix
            UPLO: the triangle that is read: "L" the lower, "U" the upper one
            full_matrices: whether U and Vh are square; else they have min(rows, columns) vectors
            left: false solves X A = B
            mode: "reduced" gives Q [.., m, k] and R [.., k, n] with k = min(m, n), "complete" a square Q, "r" R alone
            ord: the order: a number, inf, -inf, "fro" or "nuc"; nil is 2 (the Frobenius norm of matrices)
            dim: one dimension for vectors, two for matrices; nil takes all
            keepdim: whether the dimensions stay, with size 1
            upper: gives the upper triangular factor
            dtype: what the elements are converted to first
            """
        ),
    ]

    private static let tensorText = """
        ...: what is handed on: tensors, or the arguments of the function
        allow_unused: gives nil for an input that the outputs do not depend on
        alpha: a factor: of `other` in sums, of the product in addmm and baddbmm, of e^x - 1 in elu
        approximate: "tanh" takes the faster formula with tanh
        as_tuple: gives one vector of positions for each dimension
        atol: the absolute difference allowed
        rtol: the difference allowed, as a fraction of the second value
        equal_nan: whether NaN equals NaN
        backward: called with the list of the outputs' gradients; gives one for each input, or nil
        batch1: a batch of matrices [B, n, k]
        batch2: a batch of matrices [B, k, m]
        mat1: a matrix [n, k]
        mat2: a matrix [k, m]
        beta: the factor of `input`; in softplus the steepness
        bins: the number of intervals
        chunks: the number of pieces
        compressed: whether the entries are deflated
        condition: bool: where to take which
        correction: what is subtracted from the number of elements; wins over `unbiased`
        create_graph: records the backward too, so that its result can be differentiated again
        retain_graph: keeps the graph for another backward
        data: a number or boolean, a nested table of them, or a tensor
        decimals: digits behind the point that stay; negative ones round before it
        definition: {forward = function, backward = function, name = string}
        descending: largest first
        stable: has no effect: equal elements always keep their order
        diagonal: 0 is the main one, positive ones lie above it, negative ones below
        offset: 0 is the main diagonal, positive ones lie above it, negative ones below
        dim: the dimension, from 0; negative ones count from the end; reductions take a list too
        dim0: the first of the two dimensions
        dim1: the one of the two dimensions
        dim2: the other of the two dimensions
        dims: dimensions, negative ones counted from the end; for tile how often each is repeated
        dtype: the element type of the result: "float32", "float64", "int64", "int32", "uint8", "bool"
        end_: the end: of the range, or the tensor to go to
        start: where to begin
        start_dim: the first of the dimensions that are merged
        end_dim: the last of the dimensions that are merged
        stop: where to end, not included; nil is the end
        step: the distance from one to the next
        steps: the number of values
        length: how many
        eps: how far each element is moved
        equation: letters for the dimensions of each tensor, commas between, "->" and those of the result
        fill_value: the value; without a dtype it decides the dtype
        fn: the function
        grad_outputs: the weights of the outputs, of their shapes; nil is 1 for outputs of one element
        gradient: the weights of this tensor's elements, of its shape; nil is 1 for a single element
        hook: called with the gradient; a tensor that it gives takes its place
        id: what add_hook gave
        index: int64 positions, or one position; for index_select, index_add and index_fill a vector
        indices: int64 positions along `dim`
        indexing: "ij" gives rows first, "xy" columns first
        input: the tensor; where numbers are taken too, it broadcasts with the other operand
        inputs: the tensors, or a list of them
        other: the second operand, a tensor or a number; broadcasts with `input`
        outputs: the results, a tensor or a list
        k: how many; in kthvalue which one, from 1
        keepdim: whether reduced dimensions stay, with size 1
        largest: false takes the smallest
        sorted: whether the result is in order; here it always is
        low: the least integer
        high: one above the largest integer
        n: the number; in eye that of rows
        m: the number of columns; nil is a square
        mask: bool, broadcasts with `input`
        max: the upper bound
        min: the lower bound
        max_val: the upper bound
        min_val: the lower bound
        minlength: the least number of bins
        mode: true or false; in pad "constant" for value, "reflect", "replicate" or "circular" for the tensor's own elements
        name: what errors call it
        nan: what NaN becomes
        posinf: what infinity becomes; nil is the largest finite value
        neginf: what minus infinity becomes; nil is the least finite value
        negative_slope: the slope below 0
        threshold: from here on x itself is given
        num_classes: how many classes; -1 is one above the largest
        num_samples: how many draws
        replacement: whether a position may be drawn again
        out_int32: gives int32 positions instead of int64
        right: gives the position after equal elements
        side: "right" is the same as right = true
        sorter: int64 positions that put an unsorted sequence in order
        sorted_sequence: ascending along its last dimension
        p: in norms the order: a number, inf, -inf or "fro"; in bernoulli the probability
        pad: (before, after) pairs, the last dimension first; negative ones cut
        path: the file
        raise_exception: an error instead of false when gradients differ
        reduce: adds or multiplies instead of storing
        repeats: how often each is repeated: a number, or an int64 vector with one for each
        requires_grad: makes the result a leaf that collects gradients
        return_counts: also gives how often each occurs
        return_inverse: also gives where each element went
        rounding_mode: "floor" rounds towards minus infinity, "trunc" towards zero; nil does not round
        seed: any integer
        shape: the sizes; one may be -1, which is what is left
        shifts: how far, one number for each of `dims`
        size: the sizes, as several integers or one list
        sizes: the sizes; -1 keeps a size (expand) or is what is left (unflatten)
        source: what is added, with one slice for each position
        split_size_or_sections: the size of each piece, or a list of sizes
        src: where the elements come from, a number too in scatter
        tensor: a tensor that requires gradients
        tensors: a list of tensors; for save_npz a table of name to tensor
        unbiased: divides by n - 1 (true) or n (false)
        value: the value
        vec2: the second vector
        weight: 0 gives `input`, 1 `end_`; a number or a tensor
        weights: one for each element of `input`, added instead of 1
        std: the standard deviation
        mean: the middle
        from: the lower end, included
        to: the upper end, not included
        """
}
