/// One picture or several in rows, each with its caption.
struct ImageGrid: Sendable {
    let images: [Pixels]
    /// One caption for each image, or none at all.
    let titles: [String]
    let columns: Int

    init(_ images: [Pixels], titles: [String] = [], columns: Int? = nil) {
        self.images = images
        self.titles = titles.contains { !$0.isEmpty } ? titles : []
        self.columns = max(1, min(columns ?? ImageGrid.columns(images.count), max(images.count, 1)))
    }

    var rows: Int { (images.count + columns - 1) / columns }
    var cellWidth: Int { images.map(\.width).max() ?? 1 }
    var cellHeight: Int { images.map(\.height).max() ?? 1 }
    private static let gap = 2

    /// Wider than high, as screens are.
    private static func columns(_ count: Int) -> Int {
        guard count > 4 else { return count }
        var columns = 1
        while columns * columns < count { columns += 1 }
        return min(max(columns, count <= 10 ? (count + 1) / 2 : columns), 16)
    }

    /// The size that shows the pixels well: small ones are enlarged.
    func size(title: Bool) -> (width: Int, height: Int) {
        let wanted = min(max(cellWidth * columns, images.count == 1 ? 280 : columns * 84), 1600)
        let width = max(wanted + 16 + 6 * (columns - 1), 120)
        let cell = Double(width - 16 - 6 * (columns - 1)) / Double(columns)
        let rowHeight = cell * Double(cellHeight) / Double(cellWidth) + (titles.isEmpty ? 6 : 22)
        let height = Int(rowHeight * Double(rows)) + 16 + (title ? 25 : 0)
        return (width, min(max(height, 40), Figure.sizes.upperBound))
    }

    /// All images side by side, each pixel a whole number of pixels, no text.
    func pixels(width: Int) throws -> Pixels {
        let factor = max(1, (width - 16) / max((cellWidth + ImageGrid.gap) * columns, 1))
        return joined().enlarged(factor)
    }

    /// All images in their own size on a white ground.
    func joined(gap: Int = gap) -> Pixels {
        if images.count == 1 { return images[0] }
        var sheet = Pixels(width: (cellWidth + gap) * columns - gap, height: (cellHeight + gap) * max(rows, 1) - gap, fill: .white)
        for (index, image) in images.enumerated() {
            sheet.paste(image, x: index % columns * (cellWidth + gap), y: index / columns * (cellHeight + gap))
        }
        return sheet
    }

    func draw(on canvas: inout some Canvas, _ box: Box) throws {
        guard !images.isEmpty else { return }
        let caption = titles.isEmpty ? 0.0 : 16.0, gap = 6.0
        let cell = (box.width - gap * Double(columns - 1)) / Double(columns)
        let rowHeight = (box.height - gap * Double(rows - 1)) / Double(rows)
        let scale = min(cell / Double(cellWidth), (rowHeight - caption) / Double(cellHeight))
        guard scale > 0 else { return }
        for (index, image) in images.enumerated() {
            let x = box.x + Double(index % columns) * (cell + gap), y = box.y + Double(index / columns) * (rowHeight + gap)
            let (width, height) = (Double(image.width) * scale, Double(image.height) * scale)
            if index < titles.count, !titles[index].isEmpty {
                let text = Figure.cut(titles[index], to: cell + 4, size: 11)
                canvas.text(text, Point(x + cell / 2, y + 11), TextStyle(size: 11, anchor: .middle))
            }
            try canvas.image(image, Box(x + (cell - width) / 2, y + caption, width, height))
        }
    }
}
