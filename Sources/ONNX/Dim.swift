/// A number that may depend on the batch size: factor * batch + offset.
struct Dim: Equatable {
    var factor = 0
    var offset: Int

    init(_ value: Int) { offset = value }

    /// What it is, seen at one batch size and at the next larger.
    init(_ small: Int, _ large: Int, batch: Int) {
        factor = large - small
        offset = small - factor * batch
    }

    var isFixed: Bool { factor == 0 }

    var text: String {
        if isFixed { return String(offset) }
        let product = factor == 1 ? "batch" : "\(factor)*batch"
        return offset == 0 ? product : offset > 0 ? "\(product)+\(offset)" : "\(product)\(offset)"
    }
}

extension [Dim] {
    /// The values, when none depends on the batch size.
    var fixed: [Int]? { allSatisfy(\.isFixed) ? map(\.offset) : nil }
}

/// A network that cannot be written as a graph.
public struct ExportError: Error, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
