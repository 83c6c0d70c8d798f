/// A colour of 8 bits to a channel.
struct Color: Equatable, Hashable, Sendable {
    var red, green, blue: UInt8

    init(_ red: UInt8, _ green: UInt8, _ blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }
    init(hex: UInt32) {
        self.init(UInt8(truncatingIfNeeded: hex >> 16), UInt8(truncatingIfNeeded: hex >> 8), UInt8(truncatingIfNeeded: hex))
    }

    static let black = Color(hex: 0x000000), white = Color(hex: 0xffffff), text = Color(hex: 0x262626)
    static let frame = Color(hex: 0x8c8c8c), grid = Color(hex: 0xe6e6e6)
    /// Colours of series in their order: ten that are told apart also on a bad screen.
    static let series = [0x1f77b4, 0xff7f0e, 0x2ca02c, 0xd62728, 0x9467bd, 0x8c564b, 0xe377c2, 0x7f7f7f, 0xbcbd22, 0x17becf]
        .map { Color(hex: $0) }
    static func series(_ index: Int) -> Color { series[index % series.count] }

    var hex: String {
        func two(_ value: UInt8) -> String { (value < 16 ? "0" : "") + String(value, radix: 16) }
        return "#" + two(red) + two(green) + two(blue)
    }
    /// How bright it looks, 0 to 255.
    var luma: Int { (Int(red) * 299 + Int(green) * 587 + Int(blue) * 114) / 1000 }

    /// From this colour (0) to another (1).
    func mixed(with other: Color, _ part: Double) -> Color {
        let part = min(max(part, 0), 1)
        func mix(_ a: UInt8, _ b: UInt8) -> UInt8 { UInt8((Double(a) + (Double(b) - Double(a)) * part).rounded()) }
        return Color(mix(red, other.red), mix(green, other.green), mix(blue, other.blue))
    }
}

/// A picture of rows from the top: 1 (grey) or 3 bytes to a pixel.
struct Pixels: Sendable {
    let width, height, channels: Int
    var bytes: [UInt8]

    init(width: Int, height: Int, channels: Int, bytes: [UInt8]) {
        (self.width, self.height, self.channels, self.bytes) = (width, height, channels, bytes)
    }

    init(width: Int, height: Int, fill: Color) {
        self.init(width: width, height: height, channels: 3, bytes: Array(repeating: 0, count: width * height * 3))
        for at in 0..<(width * height) { set(at, fill) }
    }

    private mutating func set(_ at: Int, _ color: Color) {
        bytes[at * 3] = color.red
        bytes[at * 3 + 1] = color.green
        bytes[at * 3 + 2] = color.blue
    }

    func color(_ x: Int, _ y: Int) -> Color {
        let at = (y * width + x) * channels
        return channels == 1 ? Color(bytes[at], bytes[at], bytes[at]) : Color(bytes[at], bytes[at + 1], bytes[at + 2])
    }

    /// Copies another picture onto this one of three channels.
    mutating func paste(_ other: Pixels, x: Int, y: Int) {
        for row in 0..<other.height where (0..<height).contains(y + row) {
            for column in 0..<other.width where (0..<width).contains(x + column) {
                set((y + row) * width + x + column, other.color(column, row))
            }
        }
    }

    /// Every pixel as a square of `factor` by `factor`.
    func enlarged(_ factor: Int) -> Pixels { scaled(width: width * factor, height: height * factor) }

    /// Another size: the mean of what a pixel covers when smaller, the nearest when larger.
    func scaled(width newWidth: Int, height newHeight: Int) -> Pixels {
        if newWidth == width, newHeight == height { return self }
        var out = [UInt8](repeating: 0, count: newWidth * newHeight * channels)
        for y in 0..<newHeight {
            let top = y * height / newHeight, bottom = max(top + 1, (y + 1) * height / newHeight)
            for x in 0..<newWidth {
                let left = x * width / newWidth, right = max(left + 1, (x + 1) * width / newWidth)
                for channel in 0..<channels {
                    var sum = 0
                    for row in top..<bottom {
                        for column in left..<right { sum += Int(bytes[(row * width + column) * channels + channel]) }
                    }
                    out[(y * newWidth + x) * channels + channel] = UInt8(sum / ((bottom - top) * (right - left)))
                }
            }
        }
        return Pixels(width: newWidth, height: newHeight, channels: channels, bytes: out)
    }
}

struct Point: Equatable, Sendable {
    var x, y: Double
    init(_ x: Double, _ y: Double) { (self.x, self.y) = (x, y) }
}

struct Box: Equatable, Sendable {
    var x, y, width, height: Double
    init(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        (self.x, self.y, self.width, self.height) = (x, y, width, height)
    }
    var right: Double { x + width }
    var bottom: Double { y + height }
}

struct TextStyle: Sendable {
    enum Anchor { case start, middle, end }
    var size = 12.0
    var anchor = Anchor.start
    var color = Color.text
    var isBold = false
    /// Read from below.
    var isUpright = false

    /// Wide enough for any usual font; layout must not depend on which one a viewer has.
    static func width(_ text: String, size: Double) -> Double { Double(text.count) * size * 0.6 }
}

/// What figures are drawn on: y grows downwards, one unit is one pixel.
protocol Canvas {
    mutating func fill(_ box: Box, _ color: Color, opacity: Double)
    mutating func stroke(_ points: [Point], _ color: Color, width: Double)
    mutating func dot(_ center: Point, radius: Double, _ color: Color)
    /// The baseline begins, has its middle or ends at the point.
    mutating func text(_ text: String, _ at: Point, _ style: TextStyle)
    /// Pixels stay squares.
    mutating func image(_ pixels: Pixels, _ box: Box) throws
    /// What follows is only seen inside of the box, until `unclip`.
    mutating func clip(_ box: Box)
    mutating func unclip()
}
