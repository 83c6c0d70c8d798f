/// Curves, points and bars drawn with characters: braille dots where there are, marks elsewhere.
struct TextChart {
    let screen: Screen
    let chart: AxesChart

    private struct Cell {
        var dots: UInt8 = 0
        var mark: Character?
        var series = -1
    }

    func lines() -> [String] {
        let (xAxis, yAxis) = (chart.xAxis, chart.yAxis)
        let rows = min(max(screen.height / 2, 6), 14)
        let yTicks = yAxis.ticks(max(2, rows / 3))
        var margin = yTicks.map(\.label.count).max() ?? 1
        let total = min(max(screen.width - 1, 12), 100)
        if margin > total / 2 { margin = 0 }
        let columns = max(total - margin - (margin > 0 ? 1 : 0) - 1, 4)
        var cells = [[Cell]](repeating: [Cell](repeating: Cell(), count: columns), count: rows)
        for (index, series) in chart.series.enumerated() {
            switch series.style {
            case .bars: drawBars(series, index, xAxis, yAxis, &cells)
            default: draw(series, index, xAxis, yAxis, &cells)
            }
        }
        return assemble(cells, margin, yAxis, yTicks, xAxis)
    }

    /// Series are told apart by colour, or by their marks.
    private var usesBraille: Bool { screen.hasUnicode && (screen.colors != .none || chart.series.count == 1) }
    private func mark(_ index: Int) -> Character { Array("*+ox#@%&")[index % 8] }

    private func draw(_ series: AxesChart.Series, _ index: Int, _ xAxis: Axis, _ yAxis: Axis, _ cells: inout [[Cell]]) {
        let (across, down) = usesBraille ? (2, 4) : (1, 1)
        let width = cells[0].count * across, height = cells.count * down
        func dot(_ x: Int, _ y: Int) {
            guard (0..<width).contains(x), (0..<height).contains(y) else { return }
            let (column, row) = (x / across, y / down)
            cells[row][column].series = index
            if usesBraille {
                let bits: [[UInt8]] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]]
                cells[row][column].dots |= bits[y % 4][x % 2]
            } else {
                cells[row][column].mark = mark(index)
            }
        }
        var last: (Int, Int)?
        for (x, y) in zip(series.x, series.y) {
            guard let px = xAxis.place(x), let py = yAxis.place(y), abs(px) < 1e3, abs(py) < 1e3 else {
                last = nil
                continue
            }
            let here = (Int((px * Double(width - 1)).rounded()), Int(((1 - py) * Double(height - 1)).rounded()))
            if series.style == .line, let from = last {
                let steps = max(abs(here.0 - from.0), abs(here.1 - from.1), 1)
                for step in 0...steps {
                    dot(from.0 + (here.0 - from.0) * step / steps, from.1 + (here.1 - from.1) * step / steps)
                }
            } else {
                dot(here.0, here.1)
            }
            last = here
        }
    }

    private func drawBars(_ series: AxesChart.Series, _ index: Int, _ xAxis: Axis, _ yAxis: Axis, _ cells: inout [[Cell]]) {
        let columns = cells[0].count, rows = cells.count
        let barWidth = AxesChart.barWidth(series.x)
        for column in 0..<columns {
            let low = Double(column) / Double(columns), high = Double(column + 1) / Double(columns)
            // Of the bars that the column touches the one that covers its middle.
            let covering = zip(series.x, series.y).first { x, _ in
                guard let left = xAxis.place(x - barWidth / 2), let right = xAxis.place(x + barWidth / 2) else { return false }
                return left <= (low + high) / 2 && (low + high) / 2 < right
            }
            guard let bar = covering, let part = yAxis.place(bar.1), part > 0 else { continue }
            let eighths = Int((min(part, 1) * Double(rows * 8)).rounded())
            for row in 0..<rows {
                let filled = min(max(eighths - (rows - 1 - row) * 8, 0), 8)
                guard filled > 0 else { continue }
                if screen.hasUnicode { cells[row][column].mark = Array("▁▂▃▄▅▆▇█")[filled - 1] } else if filled >= 4 || eighths < 8 { cells[row][column].mark = "#" }
                cells[row][column].series = index
            }
        }
    }

    private func assemble(_ cells: [[Cell]], _ margin: Int, _ yAxis: Axis, _ yTicks: [(value: Double, label: String)], _ xAxis: Axis) -> [String] {
        let ink = Ink(colors: screen.colors)
        let rows = cells.count, columns = cells[0].count
        var labels = [Int: String]()
        for tick in yTicks {
            guard let part = yAxis.place(tick.value), (0...1).contains(part) else { continue }
            labels[Int(((1 - part) * Double(rows - 1)).rounded())] = tick.label
        }
        let (bar, tickBar, corner, floor) = screen.hasUnicode ? ("│", "┤", "└", "─") : ("|", "+", "+", "-")
        var lines: [String] = []
        if !chart.yLabel.isEmpty { lines.append(String(chart.yLabel.prefix(columns + margin))) }
        for (row, line) in cells.enumerated() {
            let label = labels[row] ?? ""
            var text = margin > 0 ? String(repeating: " ", count: margin - min(label.count, margin)) + label : ""
            text += labels[row] == nil ? bar : tickBar
            var color = -1
            var body = ""
            for cell in line {
                if cell.series >= 0, cell.series != color {
                    body += ink.foreground(Color.series(cell.series))
                    color = cell.series
                }
                body.append(cell.mark ?? (cell.dots > 0 ? Character(UnicodeScalar(0x2800 + UInt32(cell.dots)) ?? " ") : " "))
            }
            while body.last == " " { body.removeLast() }
            lines.append(text + body + (color >= 0 ? ink.reset : ""))
        }
        lines.append(String(repeating: " ", count: margin) + corner + String(repeating: floor, count: columns))
        lines.append(String(repeating: " ", count: margin + 1) + xLabels(xAxis, columns))
        if !chart.xLabel.isEmpty {
            let name = String(chart.xLabel.prefix(columns))
            lines.append(String(repeating: " ", count: margin + 1 + max((columns - name.count) / 2, 0)) + name)
        }
        if chart.hasLegend {
            let sample = usesBraille || chart.series.contains { $0.style == .bars } ? (screen.hasUnicode ? "━━" : "##") : nil
            let entries = chart.series.enumerated().filter { !$0.element.label.isEmpty }.map { index, series in
                ink.paint(sample ?? String(mark(index)), Color.series(index)) + " " + series.label
            }
            lines.append(String(repeating: " ", count: margin + 1) + entries.joined(separator: "   "))
        }
        return lines
    }

    private func xLabels(_ axis: Axis, _ columns: Int) -> String {
        var line = [Character](repeating: " ", count: columns)
        var free = 0
        for tick in axis.ticks(max(2, columns / 12)) {
            guard let part = axis.place(tick.value), (0...1).contains(part) else { continue }
            let middle = Int((part * Double(columns - 1)).rounded())
            let start = min(max(middle - tick.label.count / 2, 0), max(columns - tick.label.count, 0))
            guard start >= free, start + tick.label.count <= columns else { continue }
            for (offset, character) in tick.label.enumerated() { line[start + offset] = character }
            free = start + tick.label.count + 1
        }
        while line.last == " " { line.removeLast() }
        return String(line)
    }
}
