#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import NN

/// What `describe` says about numbers.
struct Description {
    private let head: String
    private let count: Int
    private let finite: [Double]
    private let zeros, nans, infinities: Int

    init(_ tensor: Tensor) throws {
        let size = tensor.count * tensor.dtype.size
        self.init(try tensor.doubles(), head: "\(tensor.dtype.name) \(tensor.shape), \(tensor.count) element\(tensor.count == 1 ? "" : "s"), \(formatBytes(size))")
    }

    init(_ numbers: [Double], head: String) {
        self.head = head
        count = numbers.count
        finite = numbers.filter(\.isFinite).sorted()
        zeros = numbers.count { $0 == 0 }
        nans = numbers.count(where: \.isNaN)
        infinities = numbers.count(where: \.isInfinite)
    }

    func text(on screen: Screen) -> String {
        var lines = [head]
        if let low = finite.first, let high = finite.last {
            let n = Double(finite.count)
            let mean = finite.reduce(0) { $0 + $1 / n }
            // Bessel's correction, as tensor:std() has it.
            let variance = finite.reduce(0) { $0 + ($1 - mean) * ($1 - mean) / max(n - 1, 1) }
            lines.append("range      \(number(low)) .. \(number(high))")
            lines.append("mean       \(number(mean))   std \(finite.count > 1 ? number(variance.squareRoot()) : "nan")")
            let quantiles = [0.01, 0.25, 0.5, 0.75, 0.99].map { "\(Int($0 * 100))% \(number(quantile($0)))" }
            lines.append("quantiles  " + quantiles.joined(separator: "   "))
        }
        lines.append("zeros      \(share(zeros))   NaN \(share(nans))   infinite \(share(infinities))")
        if finite.count > 1, finite.first != finite.last { lines.append(histogram(screen)) }
        return lines.map { $0 + "\n" }.joined()
    }

    private func number(_ value: Double) -> String { cFormat("%.5g", value) }

    private func share(_ part: Int) -> String {
        part == 0 || count == 0 ? "\(part)" : "\(part) (\(cFormat("%.3g", Double(part) * 100 / Double(count)))%)"
    }

    /// Between two elements by their distance, as NumPy does by default.
    private func quantile(_ part: Double) -> Double {
        let place = part * Double(finite.count - 1)
        let low = Int(place), high = min(low + 1, finite.count - 1)
        return finite[low] + (finite[high] - finite[low]) * (place - Double(low))
    }

    private func histogram(_ screen: Screen) -> String {
        let width = max(min(screen.width - 12, 40), 8)
        let counts = PlotValues.histogram(finite, bins: width).y
        let most = counts.max() ?? 1
        let ramp: [Character] = screen.hasUnicode ? Array("▁▂▃▄▅▆▇█") : Array(".:-=+*#@")
        let bars = counts.map { count -> Character in
            count == 0 ? " " : ramp[min(Int((count / most * Double(ramp.count)).rounded(.up)) - 1, ramp.count - 1)]
        }
        return "histogram  " + (screen.hasUnicode ? "▕\(String(bars))▏" : "|\(String(bars))|")
    }
}
