import KernelABI

/// One layer of a recurrent network in one direction over a whole sequence, as one operation: for gated cells one kernel
/// for all steps; for plain ones a product for the inputs of all steps, then a small product and one pass over the sums per
/// step.
struct RecurrentLayer {
    let name: String
    /// How many gates a cell has: rows of the weights are `gates` blocks of `hidden`.
    let gates: Int
    let steps, batch, input, hidden: Int
    let reverse: Bool
    let dtype: DType
    /// x [steps, batch, input] (packed, if that was asked for; else its rows are), h0 [batch, hidden], weights [gates * hidden, input or hidden], biases [gates * hidden].
    let x, h0, weightIH, weightHH: Tensor
    let biasIH, biasHH: Tensor?

    /// - Parameter packs: whether all of x is wanted in one piece.
    init(
        _ name: String, gates: Int, _ x: Tensor, _ h0: Tensor, _ weightIH: Tensor, _ weightHH: Tensor, _ biasIH: Tensor?,
        _ biasHH: Tensor?, reverse: Bool, packs: Bool = true
    ) throws {
        guard x.rank == 3, weightIH.rank == 2, weightHH.rank == 2 else {
            throw TensorError("\(name): expected input [T, B, I] and weight matrices, got \(x.shape), \(weightIH.shape) and \(weightHH.shape)")
        }
        let hidden = weightHH.shape[1], rows = weightHH.shape[0]
        guard rows == gates * hidden, weightIH.shape[0] == rows else {
            throw TensorError("\(name): weights \(weightIH.shape) and \(weightHH.shape) do not make \(gates) gates of one size")
        }
        guard x.shape[2] == weightIH.shape[1] else {
            throw TensorError("\(name): expected \(weightIH.shape[1]) features, got input \(x.shape)")
        }
        guard h0.shape == Shape(x.shape[1], hidden) else {
            throw TensorError("\(name): expected a first state [\(x.shape[1]), \(hidden)], got \(h0.shape)")
        }
        for bias in [biasIH, biasHH] {
            if let bias, bias.shape != Shape(rows) { throw TensorError("\(name): expected bias [\(rows)], got \(bias.shape)") }
        }
        for t in [h0, weightIH, weightHH, biasIH, biasHH] {
            if let t, t.dtype != x.dtype || !x.dtype.isFloat {
                throw TensorError("\(name): expected floating-point tensors of one dtype, got \(x.dtype.name) and \(t.dtype.name)")
            }
        }
        guard x.shape[0] > 0 else { throw TensorError("\(name): expected at least one step, got input \(x.shape)") }
        self.name = name
        self.gates = gates
        (steps, batch, input, self.hidden) = (x.shape[0], x.shape[1], x.shape[2], hidden)
        self.reverse = reverse
        dtype = x.dtype
        self.x = try packs ? x.packed() : x.rowsPacked()
        self.h0 = h0
        (self.weightIH, self.weightHH) = (weightIH, weightHH)
        (self.biasIH, self.biasHH) = (biasIH, biasHH)
    }

    /// A buffer of states has one slot more than there are steps; the first state lies before the
    /// first step in the direction of travel.
    func before(_ t: Int) -> Int { reverse ? t + 1 : t }
    func after(_ t: Int) -> Int { reverse ? t : t + 1 }
    /// The steps in the direction of travel; none where there is nothing to compute, of however many steps.
    var order: some BidirectionalCollection<Int> {
        (0..<(batch * hidden > 0 ? steps : 0)).lazy.map { reverse ? steps - 1 - $0 : $0 }
    }
    var firstSlot: Int { reverse ? steps : 0 }
    var lastStep: Int { reverse ? 0 : steps - 1 }

    /// Slot `i` of a buffer [n, batch, width].
    func slot(_ buffer: Tensor, _ i: Int) -> Tensor {
        let width = buffer.shape[2]
        return buffer.window(Shape(batch, width), Shape(width, 1), offset: buffer.offset + i * batch * width)
    }

    /// The results of all steps: the buffer without its first state.
    func results(_ buffer: Tensor) -> Tensor {
        let width = buffer.shape[2]
        return buffer.window(
            Shape(steps, batch, width), Shape(batch * width, width, 1), offset: buffer.offset + (reverse ? 0 : batch * width))
    }

    /// The states that each step began with.
    func starts(_ buffer: Tensor) -> Tensor {
        let width = buffer.shape[2]
        return buffer.window(
            Shape(steps * batch, width), Shape(width, 1), offset: buffer.offset + (reverse ? batch * width : 0))
    }

    func states(_ first: Tensor) throws -> Tensor {
        let buffer = try Tensor(emptyOf: Shape(steps + 1, batch, hidden), dtype)
        slot(buffer, firstSlot).copyElements(from: first)
        return buffer
    }

    /// Inputs of all steps times their weights: [steps, batch, gates * hidden].
    func inputProducts(bias: Tensor?) throws -> Tensor {
        let flat = x.window(Shape(steps * batch, input), Shape(input, 1), offset: x.offset)
        let out = try Tensor(emptyOf: Shape(steps, batch, gates * hidden), dtype)
        let target = out.window(Shape(steps * batch, gates * hidden), Shape(gates * hidden, 1), offset: 0)
        _ = try Product.run(flat, weightIH.permutedWindow([1, 0]), bias: try bias?.packed(), into: target)
        return out
    }

    func bothBiases() throws -> Tensor? {
        guard let biasIH else { return biasHH?.detached() }
        guard let biasHH else { return biasIH.detached() }
        return try biasIH.detached() + biasHH.detached()
    }

    /// Gradients of input, first state, weights and biases from those of the sums [steps, batch, gates * hidden].
    func gradients(_ sums: Tensor, _ hiddenStates: Tensor, _ dh: Tensor?, needs: [Bool]) throws -> [Tensor?] {
        let width = gates * hidden
        let g = sums.window(Shape(steps * batch, width), Shape(width, 1), offset: sums.offset)
        let xs = x.window(Shape(steps * batch, input), Shape(input, 1), offset: x.offset)
        let bias = needs[4] || needs[5] ? try g.sum([0]) : nil
        return [
            needs[0] ? try Product.run(g, weightIH.detached()).reshape(Shape(steps, batch, input)) : nil,
            needs[1] ? dh : nil,
            needs[2] ? try Product.run(g.permutedWindow([1, 0]), xs) : nil,
            needs[3] ? try Product.run(g.permutedWindow([1, 0]), starts(hiddenStates)) : nil,
            needs[4] ? bias : nil,
            needs[5] ? bias : nil,
        ]
    }

    /// All steps, made of recorded operations for those who differentiate twice.
    /// - Parameter cell: from the products of a step's input, the state, hidden weights and bias: the next state.
    func steps(_ inputs: [Tensor?], _ cell: (Tensor, Tensor, Tensor, Tensor?) throws -> Tensor) throws -> [Tensor] {
        guard let x = inputs[0], var h = inputs[1], let wih = inputs[2], let whh = inputs[3] else { return [] }
        let sums = try Tensor.linear(x, wih, inputs[4])
        try Allocator.shared.checkRoom(for: steps, "the states of \(steps) steps")
        var states = [Tensor](repeating: h, count: steps)
        for t in order {
            h = try cell(try sums.select(0, t), h, whh, inputs[5])
            states[t] = h
        }
        return [try Tensor.stack(states, 0)]
    }

    var inputs: [Tensor?] { [x, h0, weightIH, weightHH, biasIH, biasHH] }
    static func needs(_ inputs: [Tensor?]) -> [Bool] { inputs.map { $0?.requiresGrad ?? false } }
}

extension Tensor {
    /// h' = tanh or relu (W_ih x + b_ih + W_hh h + b_hh); gives the states of all steps [T, B, H].
    static func rnnLayer(
        _ x: Tensor, _ h0: Tensor, _ wih: Tensor, _ whh: Tensor, _ bih: Tensor?, _ bhh: Tensor?, relu: Bool, reverse: Bool
    ) throws -> Tensor {
        let given: [Tensor?] = [x, h0, wih, whh, bih, bhh]
        let layer = try RecurrentLayer("rnn", gates: 1, x, h0, wih, whh, bih, bhh, reverse: reverse)
        let states = try layer.states(h0)
        let sums = try layer.inputProducts(bias: try layer.bothBiases())
        let weight = whh.permutedWindow([1, 0]), op = relu ? UNARY_RELU : UNARY_TANH
        for t in layer.order {
            let gate = layer.slot(sums, t)
            _ = try Product.run(layer.slot(states, layer.before(t)), weight, into: gate, accumulate: true)
            _ = try Elementwise.unary(op, gate, into: layer.slot(states, layer.after(t)))
        }
        let out = layer.results(states)
        guard shouldRecord(given) else { return out }
        let needs = RecurrentLayer.needs(given), saved = given.map { $0.map { SavedTensor($0, "rnn") } }, so = out.savedOutput("rnn")
        guard let slope = kernels.binary(Int32(relu ? BINARY_RELU_GRAD : BINARY_TANH_GRAD), x.dtype.code) else { return out }
        return try out.record("rnn", given) { g in
            if GradMode.isEnabled {
                return try Engine.recompute(try saved.map { try $0?.value() }, [try g.first]) { inputs in
                    try layer.steps(inputs) { sums, h, w, b in
                        let sum = try sums + linear(h, w, b)
                        return relu ? try sum.relu() : try sum.tanh()
                    }
                }
            }
            for s in saved { _ = try s?.value() }
            _ = try so.value()
            let g = try g.first.packed()
            let gates = try Tensor(emptyOf: g.shape, g.dtype)
            var dh: Tensor?
            for t in layer.order.reversed() {
                var total = layer.slot(g, t)
                if let dh { total = try total.detached() + dh }
                _ = try Elementwise.binary(slope, layer.slot(states, layer.after(t)), total, g.dtype, into: layer.slot(gates, t))
                dh = try Product.run(layer.slot(gates, t), whh.detached())
            }
            return try layer.gradients(gates, states, dh, needs: needs)
        }
    }
}

extension Op {
    private static let shared = "weight_ih: tensor, weight_hh: tensor, bias_ih: tensor = nil, bias_hh: tensor = nil, reverse: bool = false"

    /// Building blocks of the recurrent layers; not for scripts.
    static let recurrent: [Op] = [
        Op("rnn_layer(input: tensor, h0: tensor, \(shared), relu: bool = false) -> tensor\nThe states of all steps.", form: .function) {
            .tensor(
                try Tensor.rnnLayer(
                    try $0.tensor(0), try $0.tensor(1), try $0.tensor(2), try $0.tensor(3), try $0.optionalTensor(4),
                    try $0.optionalTensor(5), relu: try $0.bool(7), reverse: try $0.bool(6)))
        },
        Op("lstm_layer(input: tensor, h0: tensor, c0: tensor, \(shared)) -> tensor, tensor\nThe states of all steps and the last cell.", form: .function) {
            let (out, cell) = try Tensor.lstmLayer(
                try $0.tensor(0), try $0.tensor(1), try $0.tensor(2), try $0.tensor(3), try $0.tensor(4), try $0.optionalTensor(5),
                try $0.optionalTensor(6), reverse: try $0.bool(7))
            return .tensors([out, cell])
        },
        Op("attention(query: tensor, key: tensor, value: tensor, mask: tensor = nil, dropout_p: number = 0) -> tensor, tensor\nThe result and the weights.", form: .function) {
            let (out, weights) = try Tensor.attention(
                try $0.tensor(0), try $0.tensor(1), try $0.tensor(2), mask: try $0.optionalTensor(3), dropout: try $0.double(4),
                causal: false, scale: nil, name: "attention")
            return .tensors([out, weights])
        },
        Op("gru_layer(input: tensor, h0: tensor, \(shared)) -> tensor\nThe states of all steps.", form: .function) {
            .tensor(
                try Tensor.gruLayer(
                    try $0.tensor(0), try $0.tensor(1), try $0.tensor(2), try $0.tensor(3), try $0.optionalTensor(4),
                    try $0.optionalTensor(5), reverse: try $0.bool(6)))
        },
    ]
}
