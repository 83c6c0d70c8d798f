#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import NN

/// One direction of a chart: which numbers it shows, and where the marks stand.
struct Axis: Sendable {
    enum Scale: Sendable { case linear, log }
    let scale: Scale
    /// What lies at the two ends.
    let low, high: Double

    /// The range that holds these numbers, with a little room around them.
    /// - Parameter limits: what the script asked for.
    init(_ values: [Double], scale: Scale = .linear, limits: (Double, Double)? = nil, startsAtZero: Bool = false, margin: Double = 0.04) {
        let shown = values.filter { $0.isFinite && (scale == .linear || $0 > 0) }
        self.scale = scale
        if let limits, limits.0.isFinite, limits.1.isFinite, limits.0 < limits.1, scale == .linear || limits.0 > 0 {
            (low, high) = limits
            return
        }
        var (low, high) = (shown.min() ?? (scale == .log ? 0.1 : 0), shown.max() ?? 1)
        if startsAtZero { (low, high) = (min(low, 0), max(high, 0)) }
        if scale == .log {
            (low, high) = low == high ? (low / 2, high * 2) : (low / pow(high / low, margin), high * pow(high / low, margin))
            self.low = max(low, .leastNormalMagnitude)
            self.high = min(high, .greatestFiniteMagnitude)
            return
        }
        if low == high {
            let room = low == 0 ? 1 : abs(low) * 0.1
            (low, high) = (low - room, high + room)
        } else {
            let room = (high / 2 - low / 2) * 2 * margin
            if !(startsAtZero && low == 0) { low -= room }
            if !(startsAtZero && high == 0) { high += room }
        }
        self.low = max(low, -1e300)
        self.high = min(high, 1e300)
    }

    /// 0 at the low end, 1 at the high one; nil where the axis has no place for the number.
    func place(_ value: Double) -> Double? {
        guard value.isFinite else { return nil }
        if scale == .log {
            guard value > 0 else { return nil }
            return (log10(value) - log10(low)) / (log10(high) - log10(low))
        }
        return (value / 2 - low / 2) / (high / 2 - low / 2)
    }

    /// Marks at round numbers, about as many as asked for.
    func ticks(_ count: Int) -> [(value: Double, label: String)] {
        let wanted = max(count, 2)
        if scale == .log, log10(high / low) >= 1.5 { return decades(wanted) }
        let span = high - low
        guard span > 0, span.isFinite else { return [] }
        let rough = span / Double(wanted)
        let power = pow(10, floor(log10(rough)))
        let step = [1, 2, 2.5, 5, 10].map { $0 * power }.first { $0 >= rough * 0.999 } ?? 10 * power
        let first = (low / step).rounded(.up), last = (high / step).rounded(.down)
        guard step > 0, last >= first, last - first < 1000 else { return [] }
        return stride(from: first, through: last, by: 1).map { ($0 * step, Axis.label($0 * step, step: step)) }
    }

    private func decades(_ wanted: Int) -> [(value: Double, label: String)] {
        let first = Int(log10(low).rounded(.up)), last = Int(log10(high).rounded(.down))
        guard last >= first else { return [] }
        let step = max(1, (last - first + wanted) / wanted)
        return stride(from: first, through: last, by: step).map { exponent in
            let value = pow(10, Double(exponent))
            return (value, (-3...4).contains(exponent) ? Axis.label(value, step: value) : "1e\(exponent)")
        }
    }

    /// As many digits as the step between marks asks for.
    static func label(_ value: Double, step: Double) -> String {
        let value = value == 0 ? 0 : value
        let size = max(abs(value), step)
        if size >= 1e6 || size < 1e-4 {
            if value == 0 { return "0" }
            // 2.50e+06 -> 2.5e6
            let parts = cFormat("%.2e", value).split(separator: "e")
            guard parts.count == 2, let exponent = Int(parts[1]) else { return cFormat("%g", value) }
            var digits = String(parts[0])
            while digits.hasSuffix("0") { digits.removeLast() }
            if digits.hasSuffix(".") { digits.removeLast() }
            return "\(digits)e\(exponent)"
        }
        var digits = max(0, -Int(floor(log10(step * 1.0001))))
        // A step of 2.5 or 0.25 needs one digit more than its power of ten says.
        if abs(step * pow(10, Double(digits)) - (step * pow(10, Double(digits))).rounded()) > 1e-6 { digits += 1 }
        return cFormat("%.\(min(digits, 9))f", value)
    }

    /// A number as people write it: few digits, no noise.
    static func short(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        if value == value.rounded(), abs(value) < 1e15 { return cFormat("%.0f", value == 0 ? 0 : value) }
        return cFormat("%.4g", value)
    }
}
