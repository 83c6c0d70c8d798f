import KernelABI

/// Long short-term memory and gated recurrent units: see `RecurrentLayer`. A kernel goes through all steps.
extension RecurrentLayer {
    /// What both passes of a kernel are given; the tensors have to live as long as that is used.
    func arguments(
        _ weights: (Tensor, Tensor), bias: Tensor?, states: Tensor, cells: Tensor?, gates: Tensor, squashed: Tensor?
    ) -> kernel_gated {
        kernel_gated(
            steps: steps, batch: batch, input: input, h: hidden, x_step: x.strides[0], x_row: x.strides[1], dout_step: 0, dout_row: 0,
            reverse: reverse, x: x.pointer, weight_ih: weights.0.pointer, weight_hh: weights.1.pointer,
            bias: bias.map { UnsafeRawPointer($0.pointer) }, states: states.pointer, cells: cells?.pointer, gates: gates.pointer,
            squashed: squashed?.pointer, dout: nil, dc: nil, dh: nil, dx: nil, dweight_ih: nil, dweight_hh: nil, dbias: nil)
    }

    /// Gradients of input, first state, weights and the bias [4, hidden] that the kernel knows, as far as they are needed.
    /// - Parameters:
    ///   - g: the gradient of the states of all steps; nil: zeros.
    ///   - dc: that of the last cell, which becomes that of the first.
    func back(
        _ kernel: (Int32, UnsafePointer<kernel_gated>, UnsafePointer<kernel_exec>) -> Void, _ arguments: kernel_gated, _ g: Tensor?,
        dc: Tensor?, needs: [Bool]
    ) throws -> [Tensor?] {
        func gradient(_ shape: Shape, _ needed: Bool) throws -> Tensor? { needed ? try Tensor(emptyOf: shape, dtype) : nil }
        let g = try g?.rowsPacked() ?? Tensor.zeros(Shape(steps, batch, hidden), dtype)
        let dx = try gradient(x.shape, needs[0]), dh = try gradient(h0.shape, needs[1])
        let dwih = try gradient(weightIH.shape, needs[2]), dwhh = try gradient(weightHH.shape, needs[3])
        let dbias = try gradient(Shape(4 * hidden), needs[4] || needs[5])
        var p = arguments
        // Without sequences one step is as good as all: there may be any number of them.
        if batch == 0 { p.steps = 1 }
        (p.dout, p.dout_step, p.dout_row) = (UnsafeRawPointer(g.pointer), g.strides[0], g.strides[1])
        (p.dc, p.dh, p.dx) = (dc?.pointer, dh?.pointer, dx?.pointer)
        (p.dweight_ih, p.dweight_hh, p.dbias) = (dwih?.pointer, dwhh?.pointer, dbias?.pointer)
        Parallel.withExec { kernel(dtype.code, &p, $0) }
        return [dx, dh, dwih, dwhh, dbias]
    }
}

extension Tensor {
    /// Gates i, f, g, o; c' = f c + i g, h' = o tanh(c'). Gives the states of all steps [T, B, H] and the last cell [B, H].
    static func lstmLayer(
        _ x: Tensor, _ h0: Tensor, _ c0: Tensor, _ wih: Tensor, _ whh: Tensor, _ bih: Tensor?, _ bhh: Tensor?, reverse: Bool
    ) throws -> (Tensor, Tensor) {
        let given: [Tensor?] = [x, h0, wih, whh, bih, bhh, c0]
        let layer = try RecurrentLayer("lstm", gates: 4, x, h0, wih, whh, bih, bhh, reverse: reverse, packs: false)
        guard c0.shape == h0.shape, c0.dtype == x.dtype else {
            throw TensorError("lstm: expected a first cell \(h0.shape) \(x.dtype.name), got \(c0.shape) \(c0.dtype.name)")
        }
        let states = try layer.states(h0), cells = try layer.states(c0)
        let gates = try Tensor(emptyOf: Shape(layer.steps, layer.batch, 4 * layer.hidden), x.dtype)
        let squashed = try Tensor(emptyOf: Shape(layer.steps, layer.batch, layer.hidden), x.dtype)
        let weights = (try wih.packed(), try whh.packed()), bias = try layer.bothBiases()?.packed()
        func arguments() -> kernel_gated {
            layer.arguments(weights, bias: bias, states: states, cells: cells, gates: gates, squashed: squashed)
        }
        var forward = arguments()
        Parallel.withExec { kernels.lstm(x.dtype.code, &forward, $0) }
        let out = layer.results(states), last = try layer.slot(cells, layer.after(layer.lastStep)).copied()
        guard shouldRecord(given) else { return (out, last) }
        let needs = RecurrentLayer.needs(given), saved = given.map { $0.map { SavedTensor($0, "lstm") } }, so = out.savedOutput("lstm")
        let node = Node("lstm", outputs: 2, edges: try given.map { try $0?.gradientEdge() ?? Edge() }) { g in
            if GradMode.isEnabled {
                return try Engine.recompute(try saved.map { try $0?.value() }, [g[0], g[1]]) { inputs in
                    guard var c = inputs[6] else { return [] }
                    let h = layer.hidden
                    let states = try layer.steps(inputs) { sums, state, w, b in
                        let all = try sums + linear(state, w, b)
                        func gate(_ i: Int) throws -> Tensor { try all.slice(1, i * h, (i + 1) * h) }
                        c = try gate(1).sigmoid() * c + gate(0).sigmoid() * gate(2).tanh()
                        return try gate(3).sigmoid() * c.tanh()
                    }
                    return states + [c]
                }
            }
            for s in saved { _ = try s?.value() }
            _ = try so.value()
            // The gradient of the cell is carried from step to step in place.
            let dc = try g[1]?.copied() ?? Tensor.zeros(Shape(layer.batch, layer.hidden), layer.dtype)
            let all = try layer.back(kernels.lstm_backward, arguments(), g[0], dc: dc, needs: needs)
            return Array(all[..<4]) + [needs[4] ? all[4] : nil, needs[5] ? all[4] : nil, needs[6] ? dc : nil]
        }
        (out.node, out.outputIndex) = (node, 0)
        (last.node, last.outputIndex) = (node, 1)
        return (out, last)
    }

    /// Gates r, z, n; n = tanh(x_n + r (W_hn h + b_hn)), h' = (1 - z) n + z h. Gives the states of all steps [T, B, H].
    static func gruLayer(
        _ x: Tensor, _ h0: Tensor, _ wih: Tensor, _ whh: Tensor, _ bih: Tensor?, _ bhh: Tensor?, reverse: Bool
    ) throws -> Tensor {
        let given: [Tensor?] = [x, h0, wih, whh, bih, bhh]
        let layer = try RecurrentLayer("gru", gates: 3, x, h0, wih, whh, bih, bhh, reverse: reverse, packs: false)
        let states = try layer.states(h0), h = layer.hidden
        let gates = try Tensor(emptyOf: Shape(layer.steps, layer.batch, 4 * h), x.dtype)
        let weights = (try wih.packed(), try whh.packed())
        // The kernel has the two parts of n apart.
        let bias = try layer.bothBiases().map { both -> Tensor in
            func last(_ bias: Tensor?) throws -> Tensor { try bias?.detached().slice(0, 2 * h, 3 * h) ?? Tensor.zeros(Shape(h), x.dtype) }
            return try Tensor.cat([both.slice(0, 0, 2 * h), last(bih), last(bhh)], 0)
        }
        func arguments() -> kernel_gated {
            layer.arguments(weights, bias: bias, states: states, cells: nil, gates: gates, squashed: nil)
        }
        var forward = arguments()
        Parallel.withExec { kernels.gru(x.dtype.code, &forward, $0) }
        let out = layer.results(states)
        guard shouldRecord(given) else { return out }
        let needs = RecurrentLayer.needs(given), saved = given.map { $0.map { SavedTensor($0, "gru") } }, so = out.savedOutput("gru")
        return try out.record("gru", given) { g in
            if GradMode.isEnabled {
                return try Engine.recompute(try saved.map { try $0?.value() }, [try g.first]) { inputs in
                    try layer.steps(inputs) { sums, state, w, b in
                        let own = try linear(state, w, b)
                        func part(_ sum: Tensor, _ i: Int) throws -> Tensor { try sum.slice(1, i * h, (i + 1) * h) }
                        let r = try (part(sums, 0) + part(own, 0)).sigmoid(), z = try (part(sums, 1) + part(own, 1)).sigmoid()
                        let n = try (part(sums, 2) + r * part(own, 2)).tanh()
                        return try n + z * (state - n)
                    }
                }
            }
            for s in saved { _ = try s?.value() }
            _ = try so.value()
            let all = try layer.back(kernels.gru_backward, arguments(), try g.first, dc: nil, needs: needs)
            let dbih = try needs[4] ? all[4]?.slice(0, 0, 3 * h).copied() : nil
            let dbhh = try needs[5] ? all[4].map { try Tensor.cat([$0.slice(0, 0, 2 * h), $0.slice(0, 3 * h, 4 * h)], 0) } : nil
            return Array(all[..<4]) + [dbih, dbhh]
        }
    }
}
