/// Colours as a terminal takes them.
struct Ink: Sendable {
    let colors: Screen.Colors

    func foreground(_ color: Color) -> String { code(color, base: 38) }
    func background(_ color: Color) -> String { code(color, base: 48) }
    var reset: String { colors == .none ? "" : "\u{1b}[0m" }

    func paint(_ text: String, _ color: Color) -> String { colors == .none ? text : foreground(color) + text + reset }

    private func code(_ color: Color, base: Int) -> String {
        switch colors {
        case .none: ""
        case .full: "\u{1b}[\(base);2;\(color.red);\(color.green);\(color.blue)m"
        case .palette: "\u{1b}[\(base);5;\(Ink.palette(color))m"
        }
    }

    /// The nearest of xterm's 256 colours: 24 greys or a cube of 6 by 6 by 6.
    static func palette(_ color: Color) -> Int {
        let levels = [0, 95, 135, 175, 215, 255]
        func nearest(_ value: UInt8) -> Int { levels.indices.min { abs(levels[$0] - Int(value)) < abs(levels[$1] - Int(value)) } ?? 0 }
        func distance(_ r: Int, _ g: Int, _ b: Int) -> Int {
            let (x, y, z) = (r - Int(color.red), g - Int(color.green), b - Int(color.blue))
            return x * x + y * y + z * z
        }
        let (r, g, b) = (nearest(color.red), nearest(color.green), nearest(color.blue))
        let grey = min(max((Int(color.luma) - 3) / 10, 0), 23)
        let level = 8 + 10 * grey
        return distance(level, level, level) < distance(levels[r], levels[g], levels[b]) ? 232 + grey : 16 + 36 * r + 6 * g + b
    }
}
