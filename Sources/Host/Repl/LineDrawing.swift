#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Draws an input of several lines over itself: prompt, text in colours, cursor.
struct LineDrawing {
    private let hasColor: Bool
    private let isUnicode = Screen.localeIsUnicode
    /// Where the cursor stands in what was drawn, counted in rows; and how many rows that has.
    private var cursorRow = 0, lastRow = 0, lastColumn = 0

    init(hasColor: Bool) { self.hasColor = hasColor }

    /// From here on drawing begins on a fresh line.
    mutating func start() { (cursorRow, lastRow, lastColumn) = (0, 0, 0) }

    /// The terminal has broken the lines anew: where the cursor is can only be guessed.
    mutating func resized() { cursorRow = min(cursorRow, lastRow) }

    /// Moves behind the last character, from where other output goes on after a line feed.
    mutating func leave() -> String {
        defer { start() }
        let down = lastRow > cursorRow ? "\u{1b}[\(lastRow - cursorRow)B" : ""
        return down + "\r" + (lastColumn > 0 ? "\u{1b}[\(lastColumn)C" : "")
    }

    /// - Parameter cursor: in bytes of the text.
    mutating func draw(prompt: String, text: String, cursor: Int) -> String {
        let width = max(Screen.current().width, 4)
        var out = cursorRow > 0 ? "\r\u{1b}[\(cursorRow)A" : "\r"
        out += "\u{1b}[J"
        var row = 0, column = 0
        var cursorAt = (row: 0, column: 0)
        var offset = 0

        func put(_ character: Character) {
            let (shown, size) = LineDrawing.shown(character, isUnicode)
            if column + size > width {
                out += "\r\n"
                row += 1
                column = 0
            }
            out += shown
            column += size
        }
        if hasColor { out += "\u{1b}[1m" }
        for character in prompt { put(character) }
        if hasColor { out += "\u{1b}[0m" }
        // Search prompts of readline bring their own text; the continuation stands under the input.
        let continuation = String(repeating: ".", count: max(min(prompt.count, width / 2) - 1, 1)) + " "
        for piece in hasColor ? Highlighter.pieces(text) : [(.plain, text[...])] {
            let code = hasColor ? Highlighter.code(piece.kind) : ""
            out += code
            for character in piece.text {
                if offset == cursor { cursorAt = (row, column) }
                offset += String(character).utf8.count
                if character == "\n" || character == "\r\n" {
                    out += code.isEmpty ? "" : "\u{1b}[0m"
                    out += "\r\n"
                    row += 1
                    column = 0
                    if hasColor { out += "\u{1b}[90m" }
                    for dot in continuation { put(dot) }
                    if hasColor { out += "\u{1b}[0m" + code }
                } else {
                    put(character)
                }
            }
            if !code.isEmpty { out += "\u{1b}[0m" }
        }
        if offset <= cursor { cursorAt = (row, column) }
        // A full last line: the cursor would hang over the edge.
        if cursorAt.column >= width {
            if cursorAt.row == row { out += "\r\n" ; row += 1; column = 0 }
            cursorAt = (cursorAt.row + 1, 0)
        }
        if row > cursorAt.row { out += "\u{1b}[\(row - cursorAt.row)A" }
        out += "\r"
        if cursorAt.column > 0 { out += "\u{1b}[\(cursorAt.column)C" }
        (cursorRow, lastRow, lastColumn) = (cursorAt.row, row, column)
        return out
    }

    /// What stands for a character, and how many columns that takes.
    private static func shown(_ character: Character, _ isUnicode: Bool) -> (String, Int) {
        guard let scalar = character.unicodeScalars.first else { return ("", 0) }
        if scalar.value < 32 { return ("^" + String(UnicodeScalar(scalar.value + 64) ?? "?"), 2) }
        if scalar.value < 127 { return (String(character), 1) }
        if !isUnicode { return ("?", 1) }
        switch scalar.properties.generalCategory {
        case .control, .surrogate, .unassigned, .lineSeparator, .paragraphSeparator: return ("?", 1)
        case .nonspacingMark, .enclosingMark, .format: return (String(character), 0)
        default: return (String(character), wide.contains { $0.contains(scalar.value) } ? 2 : 1)
        }
    }

    /// East Asian letters and emoji take two columns (Unicode Standard Annex 11, in its main blocks).
    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115f, 0x2e80...0x303e, 0x3041...0x33ff, 0x3400...0x4dbf, 0x4e00...0x9fff, 0xa000...0xa4cf, 0xa960...0xa97f,
        0xac00...0xd7a3, 0xf900...0xfaff, 0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f680...0x1f6ff,
        0x1f900...0x1f9ff, 0x20000...0x3fffd,
    ]
}
