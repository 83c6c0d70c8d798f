/// A value that W&B shows in a panel of its own.
public enum Media: Sendable, Equatable {
    case histogram(Histogram)
    case image(Image)
    case table(Table)
    case html(String)
    case chart(Chart)

    public var kind: String {
        switch self {
        case .histogram: "histogram"
        case .image: "image"
        case .table: "table"
        case .html: "html"
        case .chart: "chart"
        }
    }
}
