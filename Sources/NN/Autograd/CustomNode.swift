extension Tensor {
    /// Makes `outputs`, computed without history, the outputs of a node whose backward the caller provides.
    /// - Parameter backward: gets one gradient per output (zeros where none arrived), gives one per input or nil.
    /// - Returns: the outputs with their history; fresh tensors where an output was one of the inputs.
    public static func custom(
        _ name: String, inputs: [Tensor], outputs: [Tensor], backward: @escaping ([Tensor]) throws -> [Tensor?]
    ) throws -> [Tensor] {
        guard shouldRecord(inputs) else { return outputs }
        let shapes = outputs.map { ($0.shape, $0.dtype) }
        let expected = inputs.map { ($0.shape, $0.dtype) }
        let node = Node(name, outputs: outputs.count, edges: try inputs.map { try $0.gradientEdge() }) { g in
            let full = try shapes.enumerated().map { i, s in try g[i] ?? Tensor.zeros(s.0, s.1) }
            let grads = try backward(full)
            for (i, g) in grads.enumerated() where i < expected.count {
                if let g, g.shape != expected[i].0 {
                    throw TensorError("\(name): backward gave a gradient of shape \(g.shape) for input \(i), expected \(expected[i].0)")
                }
            }
            return try grads.enumerated().map { i, g in i < expected.count ? try g?.to(expected[i].1) : nil }
        }
        node.makesFreshGradients = false
        return outputs.enumerated().map { i, output in
            guard output.dtype.isFloat else { return output }
            let fresh = output.detached()
            fresh.node = node
            fresh.outputIndex = i
            return fresh
        }
    }

    /// Keeps the gradient of a result in its `grad`, as leaves do.
    public func retainGrad() throws {
        guard requiresGrad else { throw TensorError("retain_grad: the tensor does not require gradients") }
        guard let node, !retainsGrad else { return }
        retainsGrad = true
        node.outputHooks.append((outputIndex, GradientHook(id: -1) { [weak self] g in
            self?.grad = g.detached()
            return nil
        }))
    }
}
