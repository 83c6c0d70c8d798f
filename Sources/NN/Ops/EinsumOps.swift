/// Sums of products in Einstein's notation, by way of batched matrix products.
struct Einsum {
    /// A dimension's label: a letter's code, or a number below 0 for one that `...` stands for.
    private typealias Label = Int

    private var inputs: [[Label]] = []
    private var output: [Label] = []
    private let equation: String

    /// Reads the equation for operands of these ranks.
    private init(_ equation: String, _ ranks: [Int]) throws {
        self.equation = equation
        let text = Array(equation.utf8.filter { $0 != 32 })
        func fail(_ what: String) -> TensorError { TensorError("einsum: \"\(equation)\": \(what)") }
        var left = text[...], right: ArraySlice<UInt8>?
        if let arrow = text.indices.first(where: { text[$0] == 45 && $0 + 1 < text.count && text[$0 + 1] == 62 }) {
            left = text[..<arrow]
            right = text[(arrow + 2)...]
        }
        let terms = left.split(separator: 44, omittingEmptySubsequences: false)
        guard terms.count == ranks.count else { throw fail("has \(terms.count) terms for \(ranks.count) tensors") }
        /// Letters of a term, with nil for `...`.
        func letters(_ term: ArraySlice<UInt8>) throws -> [Label?] {
            var out: [Label?] = [], i = term.startIndex
            while i < term.endIndex {
                let c = term[i]
                if c == 46 {
                    guard i + 2 < term.endIndex, term[i + 1] == 46, term[i + 2] == 46, !out.contains(nil) else {
                        throw fail("'.' may stand only in one '...' for each term")
                    }
                    out.append(nil)
                    i += 3
                    continue
                }
                guard (c >= 65 && c <= 90) || (c >= 97 && c <= 122) else {
                    throw fail("expected letters, ',', '...' and '->', got '\(Character(UnicodeScalar(c)))'")
                }
                out.append(Label(c))
                i += 1
            }
            return out
        }
        var widest = 0
        let parsed = try terms.map(letters)
        for (i, term) in parsed.enumerated() {
            let named = term.filter { $0 != nil }.count
            guard term.contains(nil) ? named <= ranks[i] : named == ranks[i] else {
                throw fail("term \(i) names \(named) dimensions, tensor \(i) has \(ranks[i])")
            }
            if term.contains(nil) { widest = max(widest, ranks[i] - named) }
        }
        // Dimensions under `...` are matched from the right: -1 is the last of them.
        func expand(_ term: [Label?], _ count: Int) -> [Label] {
            term.flatMap { $0.map { [$0] } ?? Array((-count)..<0) }
        }
        for (i, term) in parsed.enumerated() {
            inputs.append(expand(term, ranks[i] - term.filter { $0 != nil }.count))
        }
        let all = inputs.joined()
        if let right {
            output = expand(try letters(right), widest)
            guard Set(output).count == output.count else { throw fail("a letter appears more than once in the result") }
            for label in output where !all.contains(label) && label > 0 {
                throw fail("the result's '\(Character(UnicodeScalar(UInt8(label))))' stands in no term")
            }
        } else {
            // Without an arrow: `...`, then the letters that appear once, in alphabetical order.
            output = Array((-widest)..<0) + Set(all.filter { $0 > 0 }).sorted().filter { l in all.count { $0 == l } == 1 }
        }
    }

    /// A tensor whose dimensions carry labels.
    private struct Labelled {
        var tensor: Tensor
        var labels: [Label]

        func size(_ label: Label) -> Int? { labels.firstIndex(of: label).map { tensor.shape[$0] } }
    }

    static func run(_ equation: String, _ tensors: [Tensor]) throws -> Tensor {
        guard !tensors.isEmpty else { throw TensorError("einsum: expected at least one tensor") }
        return try Einsum(equation, tensors.map(\.rank)).run(tensors)
    }

    private func run(_ tensors: [Tensor]) throws -> Tensor {
        var sizes: [Label: Int] = [:]
        for (i, t) in tensors.enumerated() {
            for (d, label) in inputs[i].enumerated() {
                let (old, new) = (sizes[label] ?? 1, t.shape[d])
                guard old == new || old == 1 || new == 1 else {
                    throw TensorError(
                        "einsum: \"\(equation)\": tensor \(i) has size \(new) in dimension \(d), other tensors have \(old) there; shapes are "
                            + tensors.map(\.shape.description).joined(separator: ", "))
                }
                sizes[label] = old == 1 ? new : old
            }
        }
        var operands: [Labelled] = []
        for (i, t) in tensors.enumerated() { operands.append(try withoutRepeats(Labelled(tensor: t, labels: inputs[i]), sizes)) }
        var result = operands[0]
        for i in operands.indices.dropFirst() {
            let needed = Set(output).union(operands[(i + 1)...].flatMap(\.labels))
            result = try contract(result, operands[i], needed, sizes)
        }
        let extra = result.labels.indices.filter { !output.contains(result.labels[$0]) }
        if !extra.isEmpty {
            result.tensor = try result.tensor.sum(extra, dtype: result.tensor.dtype)
            result.labels = result.labels.filter { output.contains($0) }
        }
        return try aligned(result, output, sizes).tensor
    }

    /// One dimension for each label: repeated ones become their diagonal.
    private func withoutRepeats(_ operand: Labelled, _ sizes: [Label: Int]) throws -> Labelled {
        var x = operand
        var i = 0
        while i < x.labels.count {
            if let j = x.labels[(i + 1)...].firstIndex(of: x.labels[i]) {
                guard x.tensor.shape[i] == x.tensor.shape[j] else {
                    throw TensorError("einsum: \"\(equation)\": a repeated letter stands for sizes \(x.tensor.shape[i]) and \(x.tensor.shape[j])")
                }
                x.tensor = try x.tensor.diagonal(0, i, j)
                let label = x.labels[i]
                x.labels.remove(at: j)
                x.labels.remove(at: i)
                x.labels.append(label)
            } else {
                i += 1
            }
        }
        return x
    }

    /// Dimensions in the order of `labels`; those that are missing or of size 1 where others are larger are expanded.
    private func aligned(_ operand: Labelled, _ labels: [Label], _ sizes: [Label: Int]) throws -> Labelled {
        var t = try operand.tensor.permute(labels.compactMap { operand.labels.firstIndex(of: $0) })
        var target = Shape()
        try target.checkRoom(for: labels.count)
        for (i, label) in labels.enumerated() {
            if !operand.labels.contains(label) { t = try t.unsqueeze(i) }
            target.append(sizes[label] ?? 1)
        }
        return Labelled(tensor: t.shape == target ? t : try t.expand(target), labels: labels)
    }

    /// The product of two operands, summed over the labels that nothing after them needs.
    private func contract(_ a: Labelled, _ b: Labelled, _ needed: Set<Label>, _ sizes: [Label: Int]) throws -> Labelled {
        // Labels of one operand alone that nobody needs are summed out first.
        func reduced(_ x: Labelled, _ other: Labelled) throws -> Labelled {
            let gone = x.labels.indices.filter { !needed.contains(x.labels[$0]) && !other.labels.contains(x.labels[$0]) }
            if gone.isEmpty { return x }
            return Labelled(tensor: try x.tensor.sum(gone, dtype: x.tensor.dtype), labels: x.labels.filter { needed.contains($0) || other.labels.contains($0) })
        }
        let a = try reduced(a, b), b = try reduced(b, a)
        let shared = a.labels.filter { b.labels.contains($0) }
        let batch = shared.filter { needed.contains($0) }, summed = shared.filter { !needed.contains($0) }
        let rows = a.labels.filter { !shared.contains($0) }, columns = b.labels.filter { !shared.contains($0) }
        let labels = batch + rows + columns
        guard labels.count <= Shape.maxRank else {
            throw TensorError("einsum: \"\(equation)\": an intermediate result would have \(labels.count) dimensions, at most \(Shape.maxRank) are possible")
        }
        func total(_ labels: [Label]) -> Int { labels.reduce(1) { $0 * (sizes[$1] ?? 1) } }
        if summed.isEmpty {
            // [batch, rows, 1...] times [batch, 1..., columns].
            func spread(_ kept: [Label]) throws -> Shape { try Shape(labels.map { kept.contains($0) ? sizes[$0] ?? 1 : 1 }) }
            let x = try aligned(a, batch + rows, sizes).tensor.reshape(try spread(batch + rows))
            let y = try aligned(b, batch + columns, sizes).tensor.reshape(try spread(batch + columns))
            return Labelled(tensor: try x * y, labels: labels)
        }
        let x = try aligned(a, batch + rows + summed, sizes).tensor.reshape(Shape(total(batch), total(rows), total(summed)))
        let y = try aligned(b, batch + summed + columns, sizes).tensor.reshape(Shape(total(batch), total(summed), total(columns)))
        return Labelled(tensor: try Tensor.matmul(x, y).reshape(try Shape(labels.map { sizes[$0] ?? 1 })), labels: labels)
    }
}

extension Op {
    static let contraction: [Op] = [
        Op(
            """
            einsum(equation: string, ...) -> tensor
            Multiplies tensors and sums as the equation says: "ij,jk->ik" is a matrix product. Letters name dimensions; those missing after "->" are summed, "..." stands for leading dimensions that broadcast.
            Example: tensor.einsum("ij,j->i", tensor{{1, 2}, {3, 4}}, tensor{1, 1}) --> tensor([3, 7])
            Errors: an equation that does not fit the tensors, sizes that differ for one letter
            Source: torch.einsum
            """, form: .function,
            samples: [
                "tensor.einsum(\"ij,jk->ik\", x, m)", "tensor.einsum(\"ij,j\", x, row)", "tensor.einsum(\"bij,bjk->bik\", t3, u3)",
                "tensor.einsum(\"ij,kj->\", x, y)", "tensor.einsum(\"ii->i\", sq)", "tensor.einsum(\"ij->ji\", x)",
                "tensor.einsum(\"i,j->ij\", v, row)", "tensor.einsum(\"...j,jk->...k\", t3, m)", "tensor.einsum(\"ij,ij,j->i\", x, y, row)",
                "tensor.einsum(\"ii\", sq)",
            ]
        ) { .tensor(try Einsum.run(try $0.string(0), try $0.tensors(1))) },
    ]
}
