/// Pictures made of characters: half blocks in colour, shades without.
struct TextPicture {
    let screen: Screen

    /// How many pixels fit into a number of columns.
    func pixels(columns: Int) -> Int { screen.colors == .none ? columns / 2 : columns }
    func columns(pixels: Int) -> Int { screen.colors == .none ? pixels * 2 : pixels }

    /// Lines of characters, each as wide as `columns(pixels: picture.width)`.
    func lines(_ picture: Pixels) -> [String] {
        if screen.colors == .none { return shades(picture) }
        return screen.hasUnicode ? halfBlocks(picture) : coloredCells(picture)
    }

    private func halfBlocks(_ picture: Pixels) -> [String] {
        let ink = Ink(colors: screen.colors)
        return stride(from: 0, to: picture.height, by: 2).map { y in
            var line = "", last: (Color, Color?)?
            for x in 0..<picture.width {
                let top = picture.color(x, y)
                let bottom = y + 1 < picture.height ? picture.color(x, y + 1) : nil
                if last == nil || last! != (top, bottom) {
                    if bottom == nil { line += ink.reset }
                    line += ink.foreground(top) + (bottom.map(ink.background) ?? "")
                    last = (top, bottom)
                }
                line += "▀"
            }
            return line + ink.reset
        }
    }

    /// Without block characters: spaces on coloured ground, every other row.
    private func coloredCells(_ picture: Pixels) -> [String] {
        let ink = Ink(colors: screen.colors)
        let half = picture.scaled(width: picture.width, height: max(picture.height / 2, 1))
        return (0..<half.height).map { y in
            (0..<half.width).map { ink.background(half.color($0, y)) + " " }.joined() + ink.reset
        }
    }

    private func shades(_ picture: Pixels) -> [String] {
        let ramp: [Character] = Array(screen.hasUnicode ? " ░▒▓█" : " .:-=+*#%@")
        return (0..<picture.height).map { y in
            var line = ""
            for x in 0..<picture.width {
                let character = ramp[min(picture.color(x, y).luma * ramp.count / 256, ramp.count - 1)]
                line.append(character)
                line.append(character)
            }
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    /// Pictures in rows as many as fit, each under its caption.
    func lines(_ grid: ImageGrid) -> [String] {
        let room = pixels(columns: max(screen.width - 1, 8))
        var cell = max(grid.cellWidth, 1)
        var columns = grid.columns
        // Fewer in a row first; a single one that is too wide is made smaller.
        while columns > 1, (cell + 2) * columns - 2 > room { columns -= 1 }
        let scale = cell > room ? Double(room) / Double(cell) : 1
        cell = max(Int(Double(cell) * scale), 1)
        let width = self.columns(pixels: cell)
        var out: [String] = []
        for start in stride(from: 0, to: grid.images.count, by: columns) {
            let range = start..<min(start + columns, grid.images.count)
            if !grid.titles.isEmpty {
                out.append(trimmed(range.map { padded(grid.titles.indices.contains($0) ? grid.titles[$0] : "", width) }.joined(separator: "  ")))
            }
            let blocks = range.map { index -> [String] in
                let image = grid.images[index]
                let size = (max(Int(Double(image.width) * scale), 1), max(Int(Double(image.height) * scale), 1))
                return lines(image.scaled(width: size.0, height: size.1)).map { line in
                    // Colour codes have no width: pad by what is drawn.
                    let drawn = screen.colors == .none ? line.count : size.0
                    return line + String(repeating: " ", count: max(width - drawn, 0))
                }
            }
            for row in 0..<(blocks.map(\.count).max() ?? 0) {
                out.append(trimmed(blocks.map { row < $0.count ? $0[row] : String(repeating: " ", count: width) }.joined(separator: "  ")))
            }
            if columns < grid.images.count, range.upperBound < grid.images.count { out.append("") }
        }
        return out
    }

    private func padded(_ text: String, _ width: Int) -> String {
        let cut = text.count <= width ? text : String(text.prefix(max(width - 1, 0))) + (screen.hasUnicode ? "…" : "~")
        return cut + String(repeating: " ", count: max(width - cut.count, 0))
    }

    private func trimmed(_ line: String) -> String {
        var line = line
        while line.last == " " { line.removeLast() }
        return line
    }
}
