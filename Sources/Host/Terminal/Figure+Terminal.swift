/// A figure on a screen: as a picture where pictures can be shown, in characters elsewhere.
extension Figure {
    /// Text that shows the figure, with a line feed at its end.
    func text(on screen: Screen) throws -> String {
        if screen.graphics != .none, let picture = try? fitted(to: screen) {
            return try PictureProtocol.sequence(picture, screen.graphics) + "\n"
        }
        var lines: [String] = []
        if !title.isEmpty { lines.append(title) }
        switch content {
        case .axes(let chart): lines += TextChart(screen: screen, chart: chart).lines()
        case .images(let grid): lines += TextPicture(screen: screen).lines(grid)
        case .confusion(let chart): lines += TextConfusion(screen: screen, chart: chart).lines()
        }
        return lines.map { $0 + "\n" }.joined()
    }

    /// Never wider than the screen. Without libcairo only pictures without text come about.
    private func fitted(to screen: Screen) throws -> Pixels {
        let picture = try pixels()
        let room = max(screen.width * screen.cell.width - screen.cell.width, 16)
        guard picture.width > room else { return picture }
        return picture.scaled(width: room, height: max(picture.height * room / picture.width, 1))
    }
}
