#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// How tensors are shown: PyTorch's rules with its default settings.
private enum PrintStyle {
    static let precision = 4
    /// Elements beyond which only the edges are shown, and how many at each edge.
    static let threshold = 1000
    static let edge = 3
    static let lineWidth = 80
}

/// Chooses one notation for all elements, so that columns align.
private struct ElementFormat {
    let isFloat: Bool
    var integral = true
    var scientific = false
    var width = 1

    init(_ values: [Scalar], _ dtype: DType) {
        isFloat = dtype.isFloat
        guard isFloat else {
            for v in values { width = max(width, ElementFormat.plain(v).utf8.count) }
            return
        }
        let finite = values.map(\.double).filter { $0.isFinite && $0 != 0 }
        guard let first = finite.first else { return }
        var low = abs(first), high = abs(first)
        for v in finite {
            low = min(low, abs(v))
            high = max(high, abs(v))
            if v != v.rounded(.up) { integral = false }
        }
        scientific = high / low > 1000 || high > 1e8 || low < 1e-4
        for v in finite {
            let length = number(v).utf8.count
            width = max(width, length)
        }
    }

    private static func plain(_ v: Scalar) -> String {
        switch v {
        case .int(let i): String(i)
        case .bool(let b): b ? "true" : "false"
        case .double(let d): String(d)
        }
    }

    private func number(_ v: Double) -> String {
        if v.isNaN { return "nan" }
        if v.isInfinite { return v < 0 ? "-inf" : "inf" }
        if scientific { return cFormat("%.\(PrintStyle.precision)e", v) }
        return integral ? cFormat("%.0f", v) + "." : cFormat("%.\(PrintStyle.precision)f", v)
    }

    func text(_ v: Scalar) -> String {
        let t = isFloat ? number(v.double) : ElementFormat.plain(v)
        return String(repeating: " ", count: max(0, width - t.utf8.count)) + t
    }
}

/// printf of one double. Swift's own description has no fixed notation.
public func cFormat(_ format: String, _ value: Double) -> String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: 400) { buffer in
        guard let p = buffer.baseAddress else { return "" }
        let n = withVaList([value]) { vsnprintf(p, buffer.count, format, $0) }
        return n < 0 ? "" : String(cString: p)
    }
}

extension Tensor: CustomStringConvertible {
    public var description: String {
        let prefix = "tensor("
        var suffixes: [String] = []
        if count == 0 && rank != 1 { suffixes.append("size=(\(shape.array.map(String.init).joined(separator: ", ")))") }
        let isDefault = count == 0 ? dtype == .float32 : dtype == .float32 || dtype == .int64 || dtype == .bool
        if !isDefault { suffixes.append("dtype=\(dtype.name)") }
        if let node { suffixes.append("grad_fn=<\(node.name)>") } else if leafRequiresGrad { suffixes.append("requires_grad=true") }
        var out = prefix + (count == 0 ? "[]" : elementText(indent: prefix.utf8.count))
        var length = 1 + (out.lastIndex(of: "\n").map { out.distance(from: $0, to: out.endIndex) } ?? out.count + 1)
        for suffix in suffixes {
            // PyTorch writes torch.float64 here: lines break where its own do.
            let width = suffix.count + (suffix.hasPrefix("dtype=") ? 6 : 0)
            if length + width + 2 > PrintStyle.lineWidth {
                out += ",\n" + String(repeating: " ", count: prefix.count) + suffix
                length = prefix.count + width
            } else {
                out += ", " + suffix
                length += width + 2
            }
        }
        return out + ")"
    }

    private func elementText(indent: Int) -> String {
        let summarize = count > PrintStyle.threshold
        var shown: [Scalar] = []
        collect(0, offset, summarize, &shown)
        return nested(0, offset, indent, summarize, ElementFormat(shown, dtype))
    }

    /// Indices along a dimension that are shown; nil stands for the dots.
    private func shownIndices(_ dim: Int, _ summarize: Bool) -> [Int?] {
        let n = shape[dim], e = PrintStyle.edge
        return summarize && n > 2 * e ? Array(0..<e) + [nil] + Array((n - e)..<n) : Array(0..<n)
    }

    private func load(_ at: Int) -> Scalar { Scalar.load(dtype, from: storage.bytes + at * dtype.size) }

    private func collect(_ dim: Int, _ at: Int, _ summarize: Bool, _ out: inout [Scalar]) {
        if dim == rank { return out.append(load(at)) }
        for case let i? in shownIndices(dim, summarize) { collect(dim + 1, at + i * strides[dim], summarize, &out) }
    }

    private func nested(_ dim: Int, _ at: Int, _ indent: Int, _ summarize: Bool, _ format: ElementFormat) -> String {
        if dim == rank { return format.text(load(at)) }
        let indices = shownIndices(dim, summarize)
        let margin = String(repeating: " ", count: indent + 1)
        if dim == rank - 1 {
            let texts = indices.map { $0.map { format.text(load(at + $0 * strides[dim])) } ?? " ..." }
            let perLine = max(1, (PrintStyle.lineWidth - indent) / (format.width + 2))
            let lines = stride(from: 0, to: texts.count, by: perLine).map {
                texts[$0..<min($0 + perLine, texts.count)].joined(separator: ", ")
            }
            return "[" + lines.joined(separator: ",\n" + margin) + "]"
        }
        let slices = indices.map {
            $0.map { nested(dim + 1, at + $0 * strides[dim], indent + 1, summarize, format) } ?? "..."
        }
        return "[" + slices.joined(separator: "," + String(repeating: "\n", count: rank - dim - 1) + margin) + "]"
    }
}
