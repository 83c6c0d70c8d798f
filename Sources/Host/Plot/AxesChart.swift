/// Series over two axes: curves, points, bars.
struct AxesChart: Sendable {
    enum Style: Sendable { case line, points, bars }
    struct Series: Sendable {
        var x: [Double]
        var y: [Double]
        var label = ""
        var style = Style.line
    }
    var series: [Series]
    var xLabel = "", yLabel = ""
    var xScale = Axis.Scale.linear, yScale = Axis.Scale.linear
    var xLimits: (Double, Double)?
    var yLimits: (Double, Double)?
    /// Dots on curves, so that few points are seen as such.
    var hasMarkers = false

    var xAxis: Axis {
        var values = series.flatMap(\.x)
        for bars in series where bars.style == .bars {
            let half = AxesChart.barWidth(bars.x) / 2
            values += bars.x.flatMap { [$0 - half, $0 + half] }
        }
        return Axis(values, scale: xScale, limits: xLimits, margin: hasBars ? 0.01 : 0.03)
    }
    var yAxis: Axis { Axis(series.flatMap(\.y), scale: yScale, limits: yLimits, startsAtZero: hasBars && yScale == .linear) }
    private var hasBars: Bool { series.contains { $0.style == .bars } }
    var labels: [String] { series.map(\.label) }
    var hasLegend: Bool { series.contains { !$0.label.isEmpty } }

    /// Bars stand at equal distances.
    static func barWidth(_ x: [Double]) -> Double { x.count > 1 ? abs(x[1] - x[0]) : 1 }

    var description: String {
        let points = series.reduce(0) { $0 + $1.y.count }
        let kind = hasBars ? "histogram" : series.contains { $0.style == .line } ? "curves" : "points"
        return series.count == 1 ? "\(kind), \(points) \(hasBars ? "bars" : "points")" : "\(kind), \(series.count) series"
    }

    func draw(on canvas: inout some Canvas, _ outer: Box) throws {
        let size = 12.0
        let (xAxis, yAxis) = (xAxis, yAxis)
        let yTicks = yAxis.ticks(max(2, Int(outer.height / 60)))
        let left = 12 + (yTicks.map { TextStyle.width($0.label, size: size) }.max() ?? 0) + (yLabel.isEmpty ? 0 : size + 8)
        let bottom = size + 12 + (xLabel.isEmpty ? 0 : size + 8)
        let box = Box(outer.x + left, outer.y + 4, max(outer.width - left - 10, 1), max(outer.height - bottom - 4, 1))
        let widest = xAxis.ticks(6).map { TextStyle.width($0.label, size: size) }.max() ?? 0
        let xTicks = xAxis.ticks(max(2, min(10, Int(box.width / (widest + 24)))))

        for tick in yTicks {
            guard let part = yAxis.place(tick.value), (0...1).contains(part) else { continue }
            let y = (box.bottom - part * box.height).rounded() + 0.5
            canvas.stroke([Point(box.x, y), Point(box.right, y)], .grid, width: 1)
            canvas.text(tick.label, Point(box.x - 6, y + size * 0.35), TextStyle(size: size, anchor: .end))
        }
        for tick in xTicks {
            guard let part = xAxis.place(tick.value), (0...1).contains(part) else { continue }
            let x = (box.x + part * box.width).rounded() + 0.5
            canvas.stroke([Point(x, box.y), Point(x, box.bottom)], .grid, width: 1)
            canvas.text(tick.label, Point(x, box.bottom + size + 5), TextStyle(size: size, anchor: .middle))
        }
        canvas.clip(box)
        for (index, series) in series.enumerated() {
            draw(series, Color.series(index), on: &canvas, box, xAxis, yAxis)
        }
        canvas.unclip()
        canvas.stroke(
            [Point(box.x, box.y), Point(box.x, box.bottom), Point(box.right, box.bottom), Point(box.right, box.y), Point(box.x, box.y)]
                .map { Point($0.x.rounded() + 0.5, $0.y.rounded() + 0.5) }, .frame, width: 1)
        if !xLabel.isEmpty {
            canvas.text(
                Figure.cut(xLabel, to: box.width, size: size + 1), Point(box.x + box.width / 2, outer.bottom - 3),
                TextStyle(size: size + 1, anchor: .middle))
        }
        if !yLabel.isEmpty {
            canvas.text(
                Figure.cut(yLabel, to: box.height, size: size + 1), Point(outer.x + size, box.y + box.height / 2),
                TextStyle(size: size + 1, anchor: .middle, isUpright: true))
        }
        if hasLegend { legend(on: &canvas, box, xAxis, yAxis) }
    }

    private func draw(_ series: Series, _ color: Color, on canvas: inout some Canvas, _ box: Box, _ xAxis: Axis, _ yAxis: Axis) {
        let points = zip(series.x, series.y).map { x, y -> Point? in
            guard let px = xAxis.place(x), let py = yAxis.place(y) else { return nil }
            return Point(box.x + px * box.width, box.bottom - py * box.height)
        }
        switch series.style {
        case .points:
            let radius = points.count > 2000 ? 1.5 : points.count > 300 ? 2.2 : 3
            for case let point? in points { canvas.dot(point, radius: radius, color) }
        case .line:
            // A number that cannot be shown is a gap.
            for run in points.split(separator: nil) {
                let run = AxesChart.thinned(run.compactMap { $0 }, columns: Int(box.width) * 2)
                canvas.stroke(run, color, width: 1.8)
                if hasMarkers || run.count == 1 { for point in run { canvas.dot(point, radius: 2.6, color) } }
            }
        case .bars:
            let width = AxesChart.barWidth(series.x)
            let floor = box.bottom - (yAxis.place(0) ?? 0) * box.height
            for (x, y) in zip(series.x, series.y) {
                guard let left = xAxis.place(x - width / 2), let right = xAxis.place(x + width / 2), let top = yAxis.place(y) else { continue }
                let (from, to) = (box.x + left * box.width, box.x + right * box.width)
                let height = box.bottom - top * box.height
                let gap = to - from > 4 ? 0.5 : 0
                canvas.fill(
                    Box(from + gap, min(height, floor), to - from - 2 * gap, abs(floor - height)), color,
                    opacity: self.series.count > 1 ? 0.6 : 1)
            }
        }
    }

    /// Of very many points in a row those that the eye could tell apart: the least and the greatest of each column.
    private static func thinned(_ points: [Point], columns: Int) -> [Point] {
        guard points.count > 4 * max(columns, 1), zip(points, points.dropFirst()).allSatisfy({ $0.x <= $1.x }) else { return points }
        var out: [Point] = []
        for start in stride(from: 0, to: points.count, by: max(points.count / columns, 1)) {
            let part = points[start..<min(start + max(points.count / columns, 1), points.count)]
            guard let low = part.indices.min(by: { part[$0].y < part[$1].y }), let high = part.indices.max(by: { part[$0].y < part[$1].y })
            else { continue }
            out.append(points[min(low, high)])
            if low != high { out.append(points[max(low, high)]) }
        }
        return out
    }

    /// In the corner where the fewest points are.
    private func legend(on canvas: inout some Canvas, _ box: Box, _ xAxis: Axis, _ yAxis: Axis) {
        let size = 12.0, line = size + 6
        let entries = series.enumerated().filter { !$0.element.label.isEmpty }.prefix(max(1, Int((box.height - 16) / line)))
        let room = max(box.width * 0.6 - 36, 20)
        let texts = entries.map { Figure.cut($0.element.label, to: room, size: size) }
        let width = (texts.map { TextStyle.width($0, size: size) }.max() ?? 0) + 36
        let height = Double(entries.count) * line + 6
        let corners = [(1.0, 0.0), (0.0, 0.0), (1.0, 1.0), (0.0, 1.0)].map { right, low in
            Box(right > 0 ? box.right - width - 8 : box.x + 8, low > 0 ? box.bottom - height - 8 : box.y + 8, width, height)
        }
        func crowd(_ corner: Box) -> Int {
            series.reduce(0) { sum, series in
                sum + zip(series.x, series.y).count { x, y in
                    guard let px = xAxis.place(x), let py = yAxis.place(y) else { return false }
                    let point = Point(box.x + px * box.width, box.bottom - py * box.height)
                    return (corner.x...corner.right).contains(point.x) && (corner.y...corner.bottom).contains(point.y)
                }
            }
        }
        var best = corners[0], least = Int.max
        for corner in corners {
            let count = crowd(corner)
            if count < least { (best, least) = (corner, count) }
        }
        canvas.fill(best, .white, opacity: 0.85)
        for ((index, entry), (row, text)) in zip(entries, texts.enumerated()) {
            let y = best.y + 3 + (Double(row) + 0.5) * line
            let color = Color.series(index)
            switch entry.style {
            case .line: canvas.stroke([Point(best.x + 6, y), Point(best.x + 24, y)], color, width: 2.5)
            case .points: canvas.dot(Point(best.x + 15, y), radius: 4, color)
            case .bars: canvas.fill(Box(best.x + 8, y - 5, 14, 10), color, opacity: 1)
            }
            canvas.text(text, Point(best.x + 30, y + size * 0.35), TextStyle(size: size))
        }
    }
}
