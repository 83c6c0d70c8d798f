#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Final metrics beside those of the run before.
enum MetricDiff {
    static func lines(_ old: [String: Double], _ new: [String: Double], _ ink: DiffInk) -> [String] {
        let names = Set(old.keys).union(new.keys).sorted()
        guard !names.isEmpty else { return [] }
        var rows = [["", "before", "now", "change"]]
        for name in names {
            let change = old[name].flatMap { before in new[name].map { $0 - before } }
            rows.append([
                name, old[name].map(number) ?? "-", new[name].map(number) ?? "-",
                change.map { $0 == 0 ? "" : ($0 > 0 ? "+" : "") + number($0) } ?? "",
            ])
        }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.enumerated().map { index, row in
            var line = row[0] + String(repeating: " ", count: widths[0] - row[0].count)
            for column in 1..<4 { line += "  " + String(repeating: " ", count: widths[column] - row[column].count) + row[column] }
            while line.hasSuffix(" ") { line.removeLast() }
            return index == 0 ? ink.faint(line) : line
        }
    }

    /// Five significant digits, as C's %.5g writes them.
    private static func number(_ value: Double) -> String {
        var text = [CChar](repeating: 0, count: 40)
        _ = withVaList([value]) { vsnprintf(&text, text.count, "%.5g", $0) }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
