import Wandb

/// Pictures as terminals take them that can show pixels.
enum PictureProtocol {
    /// The control sequence that shows the picture where the cursor stands.
    static func sequence(_ picture: Pixels, _ graphics: Screen.Graphics) throws -> String {
        switch graphics {
        case .none: ""
        case .kitty: kitty(try picture.png())
        case .iterm2: iterm2(try picture.png())
        case .sixel: sixel(picture)
        }
    }

    private static func kitty(_ png: [UInt8]) -> String {
        let text = Array(Wandb.Base64.encode(png).utf8)
        var out = ""
        for start in stride(from: 0, to: text.count, by: 4096) {
            let end = min(start + 4096, text.count)
            // f=100: PNG; a=T: show it at once; q=2: no answer; m: whether more follows.
            out += "\u{1b}_G" + (start == 0 ? "f=100,a=T,q=2," : "") + "m=\(end < text.count ? 1 : 0);"
            out += String(decoding: text[start..<end], as: UTF8.self) + "\u{1b}\\"
        }
        return out
    }

    private static func iterm2(_ png: [UInt8]) -> String {
        "\u{1b}]1337;File=inline=1;size=\(png.count);preserveAspectRatio=1:\(Wandb.Base64.encode(png))\u{7}"
    }

    /// Six rows at a time, one pass for each colour in them.
    private static func sixel(_ picture: Pixels) -> String {
        let (indices, palette) = indexed(picture)
        var out = "\u{1b}P0;1;0q\"1;1;\(picture.width);\(picture.height)"
        for (index, color) in palette.enumerated() {
            func percent(_ value: UInt8) -> Int { (Int(value) * 100 + 127) / 255 }
            out += "#\(index);2;\(percent(color.red));\(percent(color.green));\(percent(color.blue))"
        }
        for top in stride(from: 0, to: picture.height, by: 6) {
            let rows = top..<min(top + 6, picture.height)
            var used: [Int: [UInt8]] = [:]
            for row in rows {
                for x in 0..<picture.width {
                    used[Int(indices[row * picture.width + x]), default: [UInt8](repeating: 0, count: picture.width)][x] |= 1 << UInt8(row - top)
                }
            }
            for (number, index) in used.keys.sorted().enumerated() {
                out += (number > 0 ? "$" : "") + "#\(index)"
                var run = 0, last: UInt8 = 0
                func flush() -> String {
                    let character = String(UnicodeScalar(63 + last))
                    return run > 3 ? "!\(run)\(character)" : String(repeating: character, count: run)
                }
                for bits in used[index] ?? [] {
                    if bits != last {
                        out += flush()
                        (run, last) = (0, bits)
                    }
                    run += 1
                }
                if last != 0 { out += flush() }
            }
            out += "-"
        }
        return out + "\u{1b}\\"
    }

    /// At most 256 colours: the picture's own if they are that few, else a cube of 6 by 7 by 6.
    private static func indexed(_ picture: Pixels) -> ([UInt8], [Color]) {
        var known: [Color: UInt8] = [:], palette: [Color] = []
        var indices = [UInt8](repeating: 0, count: picture.width * picture.height)
        var fits = true
        search: for y in 0..<picture.height {
            for x in 0..<picture.width {
                let color = picture.color(x, y)
                if let index = known[color] { indices[y * picture.width + x] = index } else {
                    guard palette.count < 256 else {
                        fits = false
                        break search
                    }
                    known[color] = UInt8(palette.count)
                    indices[y * picture.width + x] = UInt8(palette.count)
                    palette.append(color)
                }
            }
        }
        if fits { return (indices, palette) }
        palette = (0..<252).map { index -> Color in
            let (red, green, blue) = (index / 42 * 51, index / 6 % 7 * 255 / 6, index % 6 * 51)
            return Color(UInt8(red), UInt8(green), UInt8(blue))
        }
        for y in 0..<picture.height {
            for x in 0..<picture.width {
                let color = picture.color(x, y)
                let r: Int = (Int(color.red) + 25) / 51
                let g: Int = (Int(color.green) * 6 + 127) / 255
                let b: Int = (Int(color.blue) + 25) / 51
                indices[y * picture.width + x] = UInt8(r * 42 + g * 6 + b)
            }
        }
        return (indices, palette)
    }
}
