import KernelABI

/// Changing a tensor's contents while keeping its history, and that of its views, true.
extension Tensor {
    /// Checks that this tensor may be written to.
    public func checkWritable(_ name: String) throws {
        if GradMode.isEnabled, leafRequiresGrad || (viewBase?.leafRequiresGrad ?? false) {
            throw TensorError(
                "\(name): a leaf tensor that requires gradients cannot be changed in place; do it inside tensor.no_grad(function() ... end)")
        }
        for i in 0..<rank where strides[i] == 0 && shape[i] > 1 {
            throw TensorError("\(name): several elements of this expanded tensor \(shape) share one memory location; clone it first")
        }
    }

    /// Makes this tensor's contents those of `result`, which an operation on it (or something else
    /// that broadcasts to its shape) gave, and its history `result`'s.
    public func assign(_ result: Tensor, _ name: String) throws {
        try checkWritable(name)
        var result = result
        if result.shape != shape {
            let common = try? Shape.broadcast(shape, result.shape)
            guard common == shape else {
                throw TensorError("\(name): a value of shape \(result.shape) does not fit the tensor's shape \(shape)")
            }
            result = try result.expand(shape)
        }
        if result.dtype != dtype { result = try result.to(dtype) }
        if result.storage === storage && !(result.offset == offset && result.strides == strides) {
            result = try result.clone()  // overlapping memory
        }
        if result.storage !== storage { copyElements(from: result) }
        storage.version += 1
        guard GradMode.isEnabled, dtype.isFloat, result.requiresGrad || requiresGrad else { return }
        try adoptHistory(of: result)
    }

    /// The contents no longer depend on anything: gradients stop here.
    func forgetHistory() throws {
        try adoptHistory(of: try Tensor.zeros(shape, dtype))
    }

    private func adoptHistory(of result: Tensor) throws {
        guard let base = viewBase else {
            let edge = try result.gradientEdge()
            storage.historyVersion += 1
            if let leaf = edge.leaf {
                node = Node(
                    "copy", edges: [Edge(leaf: leaf)], backward: { [try $0.first] })
                outputIndex = 0
            } else {
                node = edge.node
                outputIndex = edge.index
            }
            return
        }
        guard base.isContiguous else {
            throw TensorError("a change through this view cannot be recorded: the tensor it looks at is not contiguous; clone that first")
        }
        // A view: the base's gradient splits into what lies outside the window and what lies in it.
        let (s, t, start) = (shape, strides, offset - base.offset)
        let edges = [try base.gradientEdge(), try result.gradientEdge()]
        let whole = base.shape
        func outside(_ g: Tensor) throws -> Tensor {
            let out = try g.copied()
            out.window(s, t, offset: start).fillElements(.int(0))
            return out
        }
        let node = Node("copy_slices", edges: edges) { g in
            [
                try g.first.linearMap("copy_slices", outside, adjoint: outside),
                try g.first.linearMap("copy_slices") {
                    try $0.packed().window(s, t, offset: start).copied()
                } adjoint: { inside in
                    let out = try Tensor.zeros(whole, inside.dtype)
                    out.window(s, t, offset: start).copyElements(from: inside)
                    return out
                },
            ]
        }
        base.node = node
        base.outputIndex = 0
        storage.historyVersion += 1
        try refreshViewHistory()
    }

    /// Rebuilds a view's history after the base's was changed through another view.
    func refreshViewHistory() throws {
        guard let base = viewBase, viewHistoryVersion != storage.historyVersion else { return }
        viewHistoryVersion = storage.historyVersion
        node = nil
        outputIndex = 0
        guard base.requiresGrad else { return }
        let (s, t, start, whole) = (shape, strides, offset - base.offset, base.shape)
        node = Node("as_strided", edges: [try base.gradientEdge()]) { g in
            let back = try g.first.linearMap("as_strided") { g in
                let out = try Tensor.zeros(whole, g.dtype)
                // Dimensions with stride 0 show one element several times: their gradients add up.
                var sum = g, s = s, t = t
                for i in 0..<s.rank where t[i] == 0 && s[i] > 1 {
                    sum = try sum.sum([i], keepdim: true)
                    s[i] = 1
                    t[i] = 1
                }
                out.window(s, t, offset: start).copyElements(from: sum)
                return out
            } adjoint: {
                try $0.packed().window(s, t, offset: start).copied()
            }
            return [back]
        }
    }

    /// Plain accumulation of gradients: the caller knows that there is no history to keep.
    func addInPlace(_ other: Tensor) throws {
        guard shape == other.shape, dtype == other.dtype, isContiguous, let add = kernels.binary(Int32(BINARY_ADD), dtype.code) else {
            copyElements(from: try Tensor.add(detached(), other))
            storage.version += 1
            return
        }
        _ = try Elementwise.binary(add, self, other, dtype, into: self)
        storage.version += 1
    }
}
