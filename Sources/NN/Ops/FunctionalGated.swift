import KernelABI

/// Where rows of several tensors begin, for kernels that several threads share out.
private struct RowPointers: @unchecked Sendable {
    private let pointers: [SendablePointer]
    private let rowBytes: Int
    init(_ dtype: DType, _ width: Int, _ tensors: [Tensor]) {
        pointers = tensors.map { SendablePointer($0.pointer) }
        rowBytes = width * dtype.size
    }
    /// `rows` rows of the width on.
    func at(_ i: Int, _ rows: Int) -> UnsafeMutableRawPointer { pointers[i].raw + rows * rowBytes }
}

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
        let gates = try layer.inputProducts(bias: try layer.bothBiases())
        let squashed = try Tensor(emptyOf: Shape(layer.steps, layer.batch, layer.hidden), x.dtype)
        // Turned round once: each step packs it, which is cheaper row by row.
        let weight = try whh.detached().permutedWindow([1, 0]).packed()
        let code = x.dtype.code, h = layer.hidden
        for t in layer.order {
            let gate = layer.slot(gates, t)
            _ = try Product.run(layer.slot(states, layer.before(t)), weight, into: gate, accumulate: true)
            let p = RowPointers(x.dtype, h, [
                gate, layer.slot(cells, layer.before(t)), layer.slot(cells, layer.after(t)), layer.slot(squashed, t),
                layer.slot(states, layer.after(t)),
            ])
            layer.rows { low, high in
                kernels.lstm_step(code, high - low, h, p.at(0, 4 * low), p.at(1, low), p.at(2, low), p.at(3, low), p.at(4, low))
            }
        }
        let out = layer.results(states), last = try layer.slot(cells, layer.after(layer.lastStep)).copied()
        guard shouldRecord(given) else { return (out, last) }
        let needs = RecurrentLayer.needs(given), saved = given.map { $0.map { SavedTensor($0, "lstm") } }, so = out.savedOutput("lstm")
        let node = Node("lstm", outputs: 2, edges: try given.map { try $0?.gradientEdge() ?? Edge() }, differentiable: false) { g in
            for s in saved { _ = try s?.value() }
            _ = try so.value()
            let toOut = try g[0]?.packed() ?? Tensor.zeros(Shape(layer.steps, layer.batch, layer.hidden), layer.dtype)
            // The gradient of the cell is carried from step to step in place.
            let dc = try g[1]?.copied() ?? Tensor.zeros(Shape(layer.batch, layer.hidden), layer.dtype)
            let slopes = try Tensor(emptyOf: gates.shape, layer.dtype)
            let back = whh.detached()
            let dh = try Tensor(emptyOf: Shape(layer.batch, h), layer.dtype)
            var hasNext = false
            for t in layer.order.reversed() {
                let p = RowPointers(layer.dtype, h, [
                    layer.slot(toOut, t), dh, dc, layer.slot(gates, t), layer.slot(squashed, t), layer.slot(cells, layer.before(t)),
                    layer.slot(slopes, t),
                ])
                let next = hasNext
                layer.rows { low, high in
                    kernels.lstm_back(
                        code, high - low, h, p.at(0, low), next ? p.at(1, low) : nil, p.at(2, low), p.at(3, 4 * low), p.at(4, low),
                        p.at(5, low), p.at(6, 4 * low))
                }
                if needs[1] || t != layer.order[0] { _ = try Product.run(layer.slot(slopes, t), back, into: dh) }
                hasNext = true
            }
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
        return try out.record("gru", given, differentiable: false) { g in
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
