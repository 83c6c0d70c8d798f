/// A value that W&B shows in a panel of its own.
public enum Media: Sendable, Equatable {
    case histogram(Histogram)

    public var kind: String {
        switch self {
        case .histogram: "histogram"
        }
    }
}
