import LuaBridge
import Wandb

/// Draws into SVG text: needs no library.
struct SVGCanvas: Canvas {
    private let width, height: Int
    private var body = ""
    private var clips = 0

    init(width: Int, height: Int) { (self.width, self.height) = (width, height) }

    var text: String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" width="\(width)" height="\(height)" viewBox="0 0 \(width) \(height)" \
        font-family="DejaVu Sans, Verdana, Helvetica, sans-serif">

        """ + body + "</svg>\n"
    }

    /// Two digits after the point, none that say nothing.
    private static func number(_ value: Double) -> String {
        let hundredths = Int((min(max(value, -1e9), 1e9) * 100).rounded())
        let (whole, part) = (abs(hundredths) / 100, abs(hundredths) % 100)
        let sign = hundredths < 0 ? "-" : ""
        if part == 0 { return "\(sign)\(whole)" }
        return "\(sign)\(whole)." + (part % 10 == 0 ? "\(part / 10)" : part < 10 ? "0\(part)" : "\(part)")
    }

    static func escape(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            // XML knows no other control characters.
            case _ where scalar.value < 32 || scalar.value == 0x7f || scalar.value == 0xfffe || scalar.value == 0xffff: out += " "
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }

    mutating func fill(_ box: Box, _ color: Color, opacity: Double) {
        let n = Self.number
        let faint = opacity < 1 ? " fill-opacity=\"\(n(opacity))\"" : ""
        body += "<rect x=\"\(n(box.x))\" y=\"\(n(box.y))\" width=\"\(n(max(box.width, 0)))\" height=\"\(n(max(box.height, 0)))\" fill=\"\(color.hex)\"\(faint)/>\n"
    }

    mutating func stroke(_ points: [Point], _ color: Color, width: Double) {
        guard points.count > 1 else { return }
        let path = points.map { "\(Self.number($0.x)),\(Self.number($0.y))" }.joined(separator: " ")
        body += "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(color.hex)\" stroke-width=\"\(Self.number(width))\" stroke-linejoin=\"round\"/>\n"
    }

    mutating func dot(_ center: Point, radius: Double, _ color: Color) {
        body += "<circle cx=\"\(Self.number(center.x))\" cy=\"\(Self.number(center.y))\" r=\"\(Self.number(radius))\" fill=\"\(color.hex)\"/>\n"
    }

    mutating func text(_ text: String, _ at: Point, _ style: TextStyle) {
        let anchor = switch style.anchor { case .start: "start"; case .middle: "middle"; case .end: "end" }
        let (x, y) = (Self.number(at.x), Self.number(at.y))
        let turned = style.isUpright ? " transform=\"rotate(-90 \(x) \(y))\"" : ""
        let bold = style.isBold ? " font-weight=\"bold\"" : ""
        body += "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(Self.number(style.size))\" text-anchor=\"\(anchor)\" fill=\"\(style.color.hex)\"\(bold)\(turned)>\(Self.escape(text))</text>\n"
    }

    mutating func image(_ pixels: Pixels, _ box: Box) throws {
        let n = Self.number
        body += "<image x=\"\(n(box.x))\" y=\"\(n(box.y))\" width=\"\(n(box.width))\" height=\"\(n(box.height))\" preserveAspectRatio=\"none\" style=\"image-rendering: pixelated\" href=\"data:image/png;base64,"
        body += Wandb.Base64.encode(try pixels.png()) + "\"/>\n"
    }

    mutating func clip(_ box: Box) {
        clips += 1
        let n = Self.number
        body += "<clipPath id=\"c\(clips)\"><rect x=\"\(n(box.x))\" y=\"\(n(box.y))\" width=\"\(n(box.width))\" height=\"\(n(box.height))\"/></clipPath>\n<g clip-path=\"url(#c\(clips))\">\n"
    }

    mutating func unclip() { body += "</g>\n" }
}

extension Pixels {
    /// The picture as a PNG file.
    func png() throws -> [UInt8] {
        guard let file = PNG.encode(bytes, width: width, height: height, channels: channels) else {
            throw LuaError("no memory to compress a picture of \(width) by \(height) pixels")
        }
        return file
    }
}
