import LuaBridge
import NN
import Wandb

/// A picture as a value: what `plot.line` and its kin give. It can be drawn in a terminal, as SVG and as PNG.
///
/// `svg()` needs nothing; `png()` needs libcairo, except for plain pictures without text.
final class Figure {
    enum Content {
        case axes(AxesChart)
        case images(ImageGrid)
        case confusion(ConfusionChart)
    }
    let content: Content
    let title: String
    let width, height: Int

    /// Pixels to a side: beyond this a figure is a mistake.
    static let sizes = 16...10_000

    init(_ content: Content, title: String = "", width: Int, height: Int) {
        (self.content, self.title, self.width, self.height) = (content, title, width, height)
    }

    func svg() throws -> String {
        var canvas = SVGCanvas(width: width, height: height)
        try draw(on: &canvas)
        return canvas.text
    }

    func png() throws -> [UInt8] {
        // Pixels alone need nobody to draw them.
        if case .images(let grid) = content, title.isEmpty, grid.titles.isEmpty { return try grid.pixels(width: width).png() }
        return try drawn().png()
    }

    /// The figure as pixels, for terminals that show them.
    func pixels() throws -> Pixels {
        if case .images(let grid) = content, title.isEmpty, grid.titles.isEmpty { return try grid.pixels(width: width) }
        return try drawn().pixels()
    }

    private func drawn() throws -> CairoCanvas {
        var canvas = try CairoCanvas(width: width, height: height)
        try draw(on: &canvas)
        return canvas
    }

    private func draw(on canvas: inout some Canvas) throws {
        canvas.fill(Box(0, 0, Double(width), Double(height)), .white, opacity: 1)
        var top = 8.0
        if !title.isEmpty {
            let size = 15.0
            let shown = Figure.cut(title, to: Double(width) - 16, size: size)
            canvas.text(shown, Point(Double(width) / 2, top + size), TextStyle(size: size, anchor: .middle, isBold: true))
            top += size + 10
        }
        let box = Box(8, top, Double(width) - 16, Double(height) - top - 8)
        switch content {
        case .axes(let chart): try chart.draw(on: &canvas, box)
        case .images(let grid): try grid.draw(on: &canvas, box)
        case .confusion(let chart): try chart.draw(on: &canvas, box)
        }
    }

    /// The text, with an ellipsis when it is too long.
    static func cut(_ text: String, to width: Double, size: Double) -> String {
        let room = max(Int(width / (size * 0.6)), 1)
        return text.count <= room ? text : text.prefix(max(room - 1, 0)) + "…"
    }

    /// Writes the figure; the name says in which format.
    func save(to path: String) throws {
        let lower = path.lowercased()
        let bytes: [UInt8]
        if lower.hasSuffix(".svg") { bytes = Array(try svg().utf8) } else if lower.hasSuffix(".png") { bytes = try png() } else {
            throw LuaError("a figure is saved as .png or .svg, got '\(path)'")
        }
        let file = try OutputFile(path)
        try file.write(bytes)
        try file.commit()
    }
}

extension Figure: CustomStringConvertible {
    var description: String {
        let kind = switch content {
        case .axes(let chart): chart.description
        case .images(let grid): "\(grid.images.count) image\(grid.images.count == 1 ? "" : "s")"
        case .confusion(let chart): "confusion matrix of \(chart.counts.count) classes"
        }
        return "Figure(\(title.isEmpty ? "" : "\"\(title)\", ")\(kind), \(width)x\(height))"
    }
}
