import KernelABI

/// Long short-term memory and gated recurrent units: see `RecurrentLayer`.
extension Tensor {
    /// Gates i, f, g, o; c' = f c + i g, h' = o tanh(c'). Gives the states of all steps [T, B, H] and the last cell [B, H].
    static func lstmLayer(
        _ x: Tensor, _ h0: Tensor, _ c0: Tensor, _ wih: Tensor, _ whh: Tensor, _ bih: Tensor?, _ bhh: Tensor?, reverse: Bool
    ) throws -> (Tensor, Tensor) {
        let given: [Tensor?] = [x, h0, wih, whh, bih, bhh, c0]
        let layer = try RecurrentLayer("lstm", gates: 4, x, h0, wih, whh, bih, bhh, reverse: reverse)
        guard c0.shape == h0.shape, c0.dtype == x.dtype else {
            throw TensorError("lstm: expected a first cell \(h0.shape) \(x.dtype.name), got \(c0.shape) \(c0.dtype.name)")
        }
        let states = try layer.states(h0), cells = try layer.states(c0)
        let gates = try Tensor(emptyOf: Shape(layer.steps, layer.batch, 4 * layer.hidden), x.dtype)
        let squashed = try Tensor(emptyOf: Shape(layer.steps, layer.batch, layer.hidden), x.dtype)
        let (inputWeight, hiddenWeight) = (try wih.packed(), try whh.packed())
        let bias = try layer.bothBiases()?.packed(), code = x.dtype.code
        /// What both passes are given; the tensors live as long as the node.
        func arguments() -> kernel_lstm {
            kernel_lstm(
                steps: layer.steps, batch: layer.batch, input: layer.input, h: layer.hidden, reverse: reverse, first_state: true,
                x: layer.x.pointer, weight_ih: inputWeight.pointer, weight_hh: hiddenWeight.pointer,
                bias: bias.map { UnsafeRawPointer($0.pointer) }, states: states.pointer, cells: cells.pointer, gates: gates.pointer,
                squashed: squashed.pointer, dout: nil, dc: nil, dh: nil, slopes: nil)
        }
        var forward = arguments()
        Parallel.withExec { kernels.lstm(code, &forward, $0) }
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
            let toOut = try g[0]?.packed() ?? Tensor.zeros(Shape(layer.steps, layer.batch, layer.hidden), layer.dtype)
            // The gradient of the cell is carried from step to step in place.
            let dc = try g[1]?.copied() ?? Tensor.zeros(Shape(layer.batch, layer.hidden), layer.dtype)
            let slopes = try Tensor(emptyOf: gates.shape, layer.dtype)
            let dh = try Tensor(emptyOf: Shape(layer.batch, layer.hidden), layer.dtype)
            var back = arguments()
            back.first_state = needs[1]
            (back.dout, back.dc, back.dh, back.slopes) = (UnsafeRawPointer(toOut.pointer), dc.pointer, dh.pointer, slopes.pointer)
            Parallel.withExec { kernels.lstm_backward(code, &back, $0) }
            return try layer.gradients(slopes, slopes, states, dh, needs: needs) + [needs[6] ? dc : nil]
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
        let layer = try RecurrentLayer("gru", gates: 3, x, h0, wih, whh, bih, bhh, reverse: reverse)
        let states = try layer.states(h0)
        let gates = try layer.inputProducts(bias: bih)
        let hiddenSums = try Tensor(emptyOf: gates.shape, x.dtype)
        let weight = whh.permutedWindow([1, 0]), bias = try bhh?.packed(), h = layer.hidden
        let (sigmoid, tanh) = (try GateFunction(UNARY_SIGMOID, x.dtype), try GateFunction(UNARY_TANH, x.dtype))
        for t in layer.order {
            _ = try Product.run(layer.slot(states, layer.before(t)), weight, bias: bias, into: layer.slot(hiddenSums, t))
            let parts = [
                layer.slot(gates, t), layer.slot(hiddenSums, t), layer.slot(states, layer.before(t)), layer.slot(states, layer.after(t)),
            ].map { SendablePointer($0.pointer) }
            if x.dtype == .float32 {
                layer.rows { gruStep(Float.self, parts, h, $0, $1, sigmoid, tanh) }
            } else {
                layer.rows { gruStep(Double.self, parts, h, $0, $1, sigmoid, tanh) }
            }
        }
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
            let g = try g.first.packed()
            let toInput = try Tensor(emptyOf: gates.shape, layer.dtype), toHidden = try Tensor(emptyOf: gates.shape, layer.dtype)
            var dh: Tensor?
            for t in layer.order.reversed() {
                var total = layer.slot(g, t)
                if let dh { total = try total + dh }
                // What reaches the state before past the gates.
                let direct = try Tensor(emptyOf: Shape(layer.batch, h), layer.dtype)
                let parts = [
                    total, layer.slot(gates, t), layer.slot(hiddenSums, t), layer.slot(states, layer.before(t)), layer.slot(toInput, t),
                    layer.slot(toHidden, t), direct,
                ].map { SendablePointer($0.pointer) }
                if layer.dtype == .float32 {
                    layer.rows { gruBack(Float.self, parts, h, $0, $1) }
                } else {
                    layer.rows { gruBack(Double.self, parts, h, $0, $1) }
                }
                dh = try Product.run(layer.slot(toHidden, t), whh.detached(), into: direct, accumulate: true)
            }
            return try layer.gradients(toInput, toHidden, states, dh, needs: needs)
        }
    }

    /// p: gates (input sums, then values), hidden sums, state before, state after.
    private static func gruStep<T: BinaryFloatingPoint & Sendable>(
        _ type: T.Type, _ p: [SendablePointer], _ h: Int, _ low: Int, _ high: Int, _ sigmoid: GateFunction, _ tanh: GateFunction
    ) {
        for row in low..<high {
            let gate = p[0].at(T.self, row * 3 * h), sum = p[1].at(T.self, row * 3 * h)
            let old = p[2].at(T.self, row * h), state = p[3].at(T.self, row * h)
            for j in 0..<(2 * h) { gate[j] += sum[j] }
            sigmoid(2 * h, gate)
            for j in 0..<h { gate[2 * h + j] += gate[j] * sum[2 * h + j] }
            tanh(h, gate + 2 * h)
            for j in 0..<h {
                let n = gate[2 * h + j]
                state[j] = n + gate[h + j] * (old[j] - n)
            }
        }
    }

    /// p: gradient of the state, gates, hidden sums, state before; gradients of input sums, of hidden sums, of the state before.
    private static func gruBack<T: BinaryFloatingPoint & Sendable>(_ type: T.Type, _ p: [SendablePointer], _ h: Int, _ low: Int, _ high: Int) {
        for row in low..<high {
            let dh = p[0].at(T.self, row * h), gate = p[1].at(T.self, row * 3 * h), sum = p[2].at(T.self, row * 3 * h)
            let old = p[3].at(T.self, row * h), toInput = p[4].at(T.self, row * 3 * h), toHidden = p[5].at(T.self, row * 3 * h)
            let direct = p[6].at(T.self, row * h)
            for j in 0..<h {
                let (r, z, n, d) = (gate[j], gate[h + j], gate[2 * h + j], dh[j])
                let dn = d * (1 - z) * (1 - n * n)
                let dr = dn * sum[2 * h + j] * r * (1 - r)
                let dz = d * (old[j] - n) * z * (1 - z)
                toInput[j] = dr
                toHidden[j] = dr
                toInput[h + j] = dz
                toHidden[h + j] = dz
                toInput[2 * h + j] = dn
                toHidden[2 * h + j] = dn * r
                direct[j] = d * z
            }
        }
    }
}
