/// How often each true class (row) was taken for each class (column).
struct ConfusionChart: Sendable {
    let counts: [[Double]]
    let classes: [String]

    var total: Double { counts.reduce(0) { $0 + $1.reduce(0, +) } }
    /// The part on the diagonal.
    var accuracy: Double? {
        total > 0 ? counts.indices.reduce(0) { $0 + counts[$1][$1] } / total : nil
    }

    /// A cell's share of its row, 0 to 1: rare classes are seen as well as frequent ones.
    func share(_ row: Int, _ column: Int) -> Double {
        let sum = counts[row].reduce(0, +)
        return sum > 0 ? counts[row][column] / sum : 0
    }

    static func text(_ count: Double) -> String { Axis.short(count) }
    private static let dark = Color(hex: 0x08306b), pale = Color(hex: 0xf7fbff), wrong = Color(hex: 0xb30000), faint = Color(hex: 0xfff7f3)

    /// Right ones in blue, wrong ones in red; mistakes are rare, so their colour rises faster.
    func color(_ row: Int, _ column: Int) -> Color {
        let share = share(row, column)
        if counts[row][column] == 0 { return .white }
        return row == column
            ? Self.pale.mixed(with: Self.dark, share)
            : Self.faint.mixed(with: Self.wrong, min(1, 0.12 + share * 3))
    }

    func draw(on canvas: inout some Canvas, _ outer: Box) throws {
        let n = counts.count
        let size = 11.0
        let names = classes.map { Figure.cut($0, to: 90, size: size) }
        let widest = names.map { TextStyle.width($0, size: size) }.max() ?? 0
        let left = widest + 34, bottom = size + 28
        let side = max(min((outer.width - left - 4) / Double(n), (outer.height - bottom - 18) / Double(n)), 1)
        let box = Box(outer.x + left + max(0, (outer.width - left - 4 - side * Double(n)) / 2), outer.y + 18, side * Double(n), side * Double(n))
        if let accuracy {
            canvas.text(
                "\(Self.text(total)) samples, \(Axis.label(accuracy * 100, step: 0.01))% right", Point(box.x + box.width / 2, outer.y + 10),
                TextStyle(size: size, anchor: .middle, color: .frame))
        }
        let showsCounts = side >= 18
        for row in 0..<n {
            for column in 0..<n {
                let color = color(row, column)
                let cell = Box(box.x + Double(column) * side, box.y + Double(row) * side, side, side)
                canvas.fill(cell, color, opacity: 1)
                guard showsCounts, counts[row][column] != 0 else { continue }
                let text = Self.text(counts[row][column])
                let fitting = min(size, (side - 4) / (Double(text.count) * 0.6))
                canvas.text(
                    text, Point(cell.x + side / 2, cell.y + side / 2 + fitting * 0.35),
                    TextStyle(size: fitting, anchor: .middle, color: color.luma < 140 ? .white : .text))
            }
        }
        for k in 0...n {
            let (x, y) = ((box.x + Double(k) * side).rounded() + 0.5, (box.y + Double(k) * side).rounded() + 0.5)
            canvas.stroke([Point(x, box.y), Point(x, box.bottom)], .grid, width: 1)
            canvas.stroke([Point(box.x, y), Point(box.right, y)], .grid, width: 1)
        }
        let step = max(1, Int((size + 2) / side))
        let columnRoom = side * Double(step) - 2
        for k in stride(from: 0, to: n, by: step) {
            let middle = (Double(k) + 0.5) * side
            canvas.text(names[k], Point(box.x - 6, box.y + middle + size * 0.35), TextStyle(size: size, anchor: .end))
            canvas.text(
                Figure.cut(classes[k], to: max(columnRoom, 8), size: size), Point(box.x + middle, box.bottom + size + 4),
                TextStyle(size: size, anchor: .middle))
        }
        canvas.text("predicted", Point(box.x + box.width / 2, box.bottom + size + 22), TextStyle(size: size + 1, anchor: .middle))
        canvas.text(
            "true", Point(box.x - widest - 16, box.y + box.height / 2), TextStyle(size: size + 1, anchor: .middle, isUpright: true))
    }
}
