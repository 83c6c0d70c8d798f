import NN

extension Rules {
    /// One direction of one layer over a whole sequence: input [T, B, I], states [B, H], weights of all gates one under the other.
    static let recurrent: [String: Rule] = [
        // Gates i, f, g, o here; i, o, f, c in ONNX.
        "lstm_layer": { c in
            let first = [try c.state(1), try c.state(2)]
            let results = try c.recurrent("LSTM", gates: [0, 3, 1, 2], weights: 3, states: first, reverse: c.bool(7), results: 3)
            return [c.squeezed(results[0], 1), c.squeezed(results[2], 0)]
        },
        // Gates r, z, n here; z, r, h in ONNX.
        "gru_layer": { c in
            let results = try c.recurrent(
                "GRU", gates: [1, 0, 2], weights: 2, states: [c.state(1)], reverse: c.bool(6), results: 1,
                more: ("linear_before_reset", .int(1)))
            return [c.squeezed(results[0], 1)]
        },
        "rnn_layer": { c in
            let results = try c.recurrent(
                "RNN", gates: [0], weights: 2, states: [c.state(1)], reverse: c.bool(6), results: 1,
                more: ("activations", .strings([c.bool(7) ? "Relu" : "Tanh"])))
            return [c.squeezed(results[0], 1)]
        },
    ]
}

extension TracedCall {
    func state(_ i: Int) throws -> String { graph.node("Unsqueeze", [try name(i), graph.vector([0])]) }
    func squeezed(_ name: String, _ axis: Int) -> String { graph.node("Squeeze", [name, graph.vector([axis])]) }

    /// - Parameters:
    ///   - gates: for each of ONNX's gates which of ours it is.
    ///   - weights: the first of the four arguments weight_ih, weight_hh, bias_ih, bias_hh.
    func recurrent(
        _ op: String, gates: [Int], weights: Int, states: [String], reverse: Bool, results: Int,
        more: (String, AttributeValue)? = nil
    ) throws -> [String] {
        let g = graph
        let hidden = try value(weights + 1).shape[1].offset
        // The weights stay in the file as the network has them; the graph puts their gates in order.
        func ordered(_ name: String) -> String {
            if gates.count == 1 { return name }
            return g.node("Concat", gates.map { g.slice(name, axis: 0, start: $0 * hidden, stop: ($0 + 1) * hidden) }, ["axis": .int(0)])
        }
        func one(_ name: String) -> String { g.node("Unsqueeze", [name, g.vector([0])]) }
        let matrices = try [weights, weights + 1].map { one(ordered(try name($0))) }
        var bias = ""
        if has(weights + 2) || has(weights + 3) {
            let zeros = g.table(Array(repeating: 0, count: gates.count * hidden), [gates.count * hidden], dtype)
            let parts = try [weights + 2, weights + 3].map { has($0) ? ordered(try name($0)) : zeros }
            bias = one(g.node("Concat", parts, ["axis": .int(0)]))
        }
        let inputs = [try name(0)] + matrices + [bias, ""] + states
        return g.recurrent(op, inputs, hidden: hidden, reverse: reverse, results: results, more: more)
    }
}

extension Graph {
    func recurrent(
        _ op: String, _ inputs: [String], hidden: Int, reverse: Bool, results: Int, more: (String, AttributeValue)?
    ) -> [String] {
        let direction = AttributeValue.string(reverse ? "reverse" : "forward")
        guard let more else { return nodes(op, inputs, ["hidden_size": .int(hidden), "direction": direction], results: results) }
        return nodes(op, inputs, ["hidden_size": .int(hidden), "direction": direction, more.0: more.1], results: results)
    }
}
