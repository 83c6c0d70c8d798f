/// A confusion matrix as a table; on a screen that is too narrow for it, what is most often taken for what.
struct TextConfusion {
    let screen: Screen
    let chart: ConfusionChart

    func lines() -> [String] {
        let n = chart.counts.count
        let texts = chart.counts.map { $0.map { $0 == 0 ? "." : ConfusionChart.text($0) } }
        let nameWidth = min(chart.classes.map(\.count).max() ?? 1, 12)
        let cell = max(texts.flatMap { $0 }.map(\.count).max() ?? 1, min(nameWidth, 5)) + 1
        var lines: [String] = []
        let first = chart.accuracy.map { "\(ConfusionChart.text(chart.total)) samples, \(Axis.label($0 * 100, step: 0.01))% right" } ?? "no samples"
        lines.append(first)
        guard nameWidth + 1 + cell * n < screen.width else { return lines + worst() }
        let ink = Ink(colors: screen.colors)
        lines.append("row: true class, column: predicted")
        lines.append(String(repeating: " ", count: nameWidth) + chart.classes.map { left($0, cell) }.joined())
        for row in 0..<n {
            var line = padded(chart.classes[row], nameWidth)
            for column in 0..<n {
                let text = left(texts[row][column], cell)
                let color = chart.color(row, column)
                if screen.colors == .none || chart.counts[row][column] == 0 { line += text } else {
                    line += ink.background(color) + ink.foreground(color.luma < 140 ? .white : .black) + text + ink.reset
                }
            }
            lines.append(line)
        }
        return lines
    }

    private func worst() -> [String] {
        var pairs: [(row: Int, column: Int, count: Double)] = []
        for row in chart.counts.indices {
            for column in chart.counts.indices where row != column && chart.counts[row][column] > 0 {
                pairs.append((row, column, chart.counts[row][column]))
            }
        }
        let arrow = screen.hasUnicode ? "→" : "->"
        return pairs.sorted { $0.count > $1.count }.prefix(10).map {
            "\(chart.classes[$0.row]) \(arrow) \(chart.classes[$0.column]): \(ConfusionChart.text($0.count))"
        }
    }

    private func padded(_ text: String, _ width: Int) -> String {
        String(text.prefix(width)) + String(repeating: " ", count: max(width - text.count, 0))
    }

    private func left(_ text: String, _ width: Int) -> String {
        let text = String(text.prefix(width - 1))
        return String(repeating: " ", count: width - text.count) + text
    }
}
