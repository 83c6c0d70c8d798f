/// Counts between edges: `bins` has one entry more than `counts`.
public struct Histogram: Sendable, Equatable {
    public let counts: [Double]
    public let bins: [Double]
    public static let mostBins = 512

    public init(counts: [Double], bins: [Double]) throws(WandbError) {
        guard !counts.isEmpty, bins.count == counts.count + 1 else {
            throw .usage(
                "wandb.Histogram: expected one more bin edge than counts, got \(counts.count) counts and "
                    + "\(bins.count) edges")
        }
        guard counts.count <= Self.mostBins else {
            throw .usage("wandb.Histogram: \(counts.count) bins; at most \(Self.mostBins) are allowed")
        }
        self.counts = counts
        self.bins = bins
    }

    /// The histogram of finite values in bins of equal width; one bin when all values are equal.
    public init(values: [Double], bins count: Int = 64) throws(WandbError) {
        guard (1...Self.mostBins).contains(count) else {
            throw .usage("wandb.Histogram: num_bins is \(count); expected 1 to \(Self.mostBins)")
        }
        let finite = values.filter(\.isFinite)
        guard let low = finite.min(), let high = finite.max() else {
            throw .usage("wandb.Histogram: none of the \(values.count) values is finite")
        }
        guard high > low else {
            try self.init(counts: [Double(finite.count)], bins: [low - 0.5, high + 0.5])
            return
        }
        let width = high / Double(count) - low / Double(count)
        var counts = [Double](repeating: 0, count: count)
        for value in finite {
            let position = (value / width - low / width).rounded(.down)
            counts[min(count - 1, max(0, Int(exactly: position) ?? 0))] += 1
        }
        try self.init(
            counts: counts, bins: (0...count).map { $0 == count ? high : low + Double($0) * width })
    }

    package var value: WandbValue {
        [
            "_type": "histogram", "values": .list(counts.map { .double($0) }), "bins": .list(bins.map { .double($0) }),
        ]
    }
}
