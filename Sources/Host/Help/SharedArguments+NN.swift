extension SharedArguments {
    static let nn = [
        ("nn", layers + common), ("nn.functional", functions + common), ("nn.Module", module), ("nn.MultiheadAttention", attention),
        ("nn.TransformerEncoderLayer", attention),
        (
            "nn.init",
            """
            tensor: the tensor to fill, changed in place and given back
            a: the lower end; in the kaiming functions the slope below 0 of a leaky ReLU
            b: the upper end
            gain: a factor, see calculate_gain
            mean: the middle
            std: the standard deviation
            mode: "fan_in" keeps the size of signals forward, "fan_out" that of gradients backward
            nonlinearity: the function that follows, as "relu" or "tanh"
            param: the slope of "leaky_relu"
            sparsity: the fraction of each column that becomes 0
            val: the value
            """
        ),
        (
            "nn.utils",
            """
            parameters: a list of tensors; the clipping functions also take one tensor
            max_norm: the largest norm that is left as it is
            norm_type: the order of the norm: a number or inf
            error_if_nonfinite: an error when the norm is infinite or NaN
            clip_value: the largest absolute value of an element
            vec: a vector with as many elements as all parameters
            """
        ),
    ]

    private static let common = """

        align_corners: lets corner pixels keep their values; nil and false count pixels by their areas
        beta: the difference where squares end; in Softplus the steepness
        ceil_mode: lets a window begin that does not fit wholly
        count_include_pad: whether padded zeros count in the average
        delta: the difference where squares end
        dilation: the distance between a window's elements, one number or one for each dimension
        groups: how many groups the channels fall into, each with kernels of its own
        ignore_index: the class whose rows do not count
        label_smoothing: 0..1: the part of the target that is spread over all classes
        log_target: whether targets are logarithms
        margin: the distance that is asked for
        max_norm: rows above this norm are scaled down to it, in place
        norm_type: the order of that norm
        momentum: how much of the batch's statistics goes into the running ones
        normalized_shape: the trailing sizes, one number or a list
        num_groups: into how many groups the channels fall
        output_padding: what is added to one side of the result, one number or one for each dimension
        output_size: {height, width}, or one number for both
        padding_idx: the row that gets no gradient
        pos_weight: the weight of positive targets, one for each class
        recompute_scale_factor: computes the factor anew from the rounded size
        reduction: "mean" averages, "sum" adds up, "none" gives each element
        return_indices: also gives the positions in the flattened plane
        scale_factor: how much larger, one number or one for each dimension
        scale_grad_by_freq: divides a row's gradient by how often it was asked for
        swap: takes the distance from positive to negative where that is smaller
        upscale_factor: r: how many times larger the picture becomes
        """

    private static let layers = """
        ...: modules and functions in a row, or one list of them; Identity ignores all
        activation: the function between the two layers
        add_bias_kv: adds a learnt key and value
        add_zero_attn: adds a key and value of zeros
        affine: whether it learns a scale and a shift for each channel
        alpha: the factor of e^x - 1
        approximate: "tanh" takes the faster formula with tanh
        batch_first: sequences are [batch, time, features] instead of [time, batch, features]
        bias: whether it adds a learnt bias
        bidirectional: reads the sequence both ways
        d_model: features of the sequence
        data: the first values
        dim: the dimension, negative ones counted from the end
        dim_feedforward: features between the two linear layers
        dropout: probability of dropping, while training
        dtype: "float32" or "float64", of the parameters
        elementwise_affine: whether it learns a scale (and shift) for each element
        embed_dim: features of queries and results
        embedding_dim: numbers in a row
        end_dim: the last dimension that is joined
        start_dim: the first dimension that is joined
        eps: keeps the division from 0
        hidden_size: features of the state
        in1_features: the size of the first input's last dimension
        in2_features: the size of the second input's last dimension
        in_channels: channels of the input
        in_features: the size of the input's last dimension
        init: the first slope
        input_size: features of the input
        kdim: features of keys; nil is embed_dim
        vdim: features of values; nil is embed_dim
        kernel_size: the size of a window, one number or one for each dimension
        layer_norm_eps: eps of the layer norms
        max_val: the upper bound
        min_val: the lower bound
        metadata: a table of strings, kept in the file
        mode: how values between pixels are found
        modules: a list of modules; for ModuleDict a table of name to module
        name: the name of the class, for messages
        negative_slope: the slope below 0
        nhead: how many heads; divides d_model
        nonlinearity: "tanh" or "relu"
        norm_first: normalises before each part instead of after
        num_channels: channels of the input
        num_embeddings: how many rows
        num_features: channels of the input
        num_heads: how many heads; divides embed_dim
        num_layers: how many layers stand on each other
        num_parameters: 1, or the number of channels
        objects: what to restore, by the names in the file: anything with load_state_dict
        out_channels: channels of the result
        out_features: the size of the result's last dimension
        p: the probability; in TripletMarginLoss the order of the norm
        inplace: changes the input itself and gives it back
        padding: zeros on each side, one number or one for each dimension; "same" keeps the size, "valid" is 0
        padding_mode: what stands around the input: "zeros", or its own elements: "reflect" turns at the edge, "replicate" repeats it, "circular" goes on at the other end
        parent: the class to inherit from; nil is nn.Module
        path: the file
        requires_grad: whether it collects gradients
        size: the size of the result, one number or one for each dimension
        stride: the step from window to window, one number or one for each dimension
        threshold: beta x from which on x itself is given
        track_running_stats: whether it keeps running statistics for evaluation
        unflattened_size: the sizes of the new dimensions
        value: a module, or a table of name to tensor
        values: name to anything: objects with state_dict, tensors, plain values
        weight: one weight for each class (or element)
        """

    private static let functions = """
        anchor: vectors [.., D]
        positive: vectors that should be near, of the same shape
        negative: vectors that should be far, of the same shape
        attn_mask: [.., L, S]: bool: true may be looked at; else it is added to the scores
        bias: what is added, one number for each channel or feature of the result
        dim: the dimension of the vectors
        dropout_p: the probability of dropping a weight
        enable_gqa: lets several heads of queries share one of keys
        eps: keeps the division from 0
        input: what goes in: shapes are in the description
        input1: the first vectors
        input2: the second vectors
        is_causal: lets position i look at positions up to i only
        kernel_size: the size of a window, one number or one for each dimension
        key: [.., S, E]
        query: [.., L, E]
        value: [.., S, Ev]
        mode: how values between pixels are found
        p: the probability; in normalize and triplet_margin_loss the order of the norm
        padding: zeros on each side, one number or one for each dimension; convolutions take "same" and "valid" too
        running_mean: one mean for each channel, changed in place when training
        running_var: one variance for each channel, changed in place when training
        scale: the factor of the scores
        size: the size of the result, one number or one for each dimension
        stride: the step from window to window, one number or one for each dimension; pooling takes the kernel's size
        target: what should come out: shapes are in the description
        training: whether it behaves as in training
        use_input_stats: takes the input's own statistics
        weight: the weights: of layers their parameters, of losses one for each class or element
        x1: the first vectors
        x2: the second vectors
        """

    private static let module = """
        dtype: "float32" or "float64"
        fn: called with each module
        hook: called with the module, the list of its inputs and its output
        mode: true for training, false for evaluation
        module: the module; nil removes it
        name: the field's name, without dots
        param: the parameter; nil for none
        persistent: whether it belongs to the state dict
        prefix: put before the names, with a dot
        recurse: whether modules below count too
        requires_grad: whether to collect gradients
        set_to_none: makes gradients nil instead of 0
        state_dict: name to tensor
        strict: whether names must be the same on both sides
        tensor: the buffer; nil for none
        trainable: counts only what requires gradients
        """

    private static let attention = """
        query: [L, B, E]: what asks
        key: [S, B, kdim]: what is asked
        value: [S, B, vdim]: what is given
        key_padding_mask: [B, S]: true shuts a key out, other numbers are added
        need_weights: whether to give the attention weights
        attn_mask: [L, S] or [B * heads, L, S]: true shuts out, other numbers are added
        average_attn_weights: averages the weights over the heads
        is_causal: a hint that attn_mask is the causal mask
        src: the sequence [T, B, d_model] ([B, T, d_model] with batch_first)
        src_mask: [T, T]: true shuts out, other numbers are added
        src_key_padding_mask: [B, T]: true shuts a position out
        """ + "\n" + layers + common
}
