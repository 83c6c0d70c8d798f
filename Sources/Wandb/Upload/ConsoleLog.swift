/// Terminal output as the lines that a terminal would show: progress bars rewrite theirs. Both streams share one
/// numbering; only the last 32 lines can still change.
package struct ConsoleLog {
    package struct Line: Equatable {
        package var text: [Character] = []
        package var time = WBTime()
        package var isError = false

        package init(text: [Character] = [], time: WBTime = WBTime(), isError: Bool = false) {
            self.text = text
            self.time = time
            self.isError = isError
        }
    }

    private struct Screen {
        /// Numbers of the lines that this stream has begun, oldest first.
        var lines: [Int] = []
        var row = 0
        var column = 0
        var escape: [Character]?
    }

    package static let window = 32
    package static let longestLine = 4096

    private var lines: [Int: Line] = [:]
    private var screens = [Screen(), Screen()]
    private(set) package var count = 0
    /// The first line that has not been taken for the file.
    private var filed = 0
    private var changed: Set<Int> = []
    private var keptLines = 0

    package init() {}

    package mutating func write(_ text: String, isError: Bool, time: WBTime) {
        let stream = isError ? 1 : 0
        for character in text { put(character, stream, isError, time) }
        forgetOldLines()
    }

    private mutating func put(_ character: Character, _ stream: Int, _ isError: Bool, _ time: WBTime) {
        if screens[stream].escape != nil {
            escape(character, stream)
            return
        }
        switch character {
        case "\n", "\r\n":
            _ = currentLine(stream, isError, time)
            screens[stream].row += 1
            screens[stream].column = 0
        case "\r": screens[stream].column = 0
        case "\u{8}": screens[stream].column = max(0, screens[stream].column - 1)
        case "\u{1B}": screens[stream].escape = []
        case "\u{7}", "\0": break
        case "\t":
            let stop = (screens[stream].column / 8 + 1) * 8
            while screens[stream].column < stop { store(" ", stream, isError, time) }
        default: store(character, stream, isError, time)
        }
    }

    private mutating func store(_ character: Character, _ stream: Int, _ isError: Bool, _ time: WBTime) {
        let number = currentLine(stream, isError, time)
        let column = screens[stream].column
        screens[stream].column += 1
        guard column < Self.longestLine else { return }
        var line = lines[number] ?? Line()
        lines[number] = nil
        while line.text.count < column { line.text.append(" ") }
        if column < line.text.count { line.text[column] = character } else { line.text.append(character) }
        lines[number] = line
        changed.insert(number)
    }

    /// The number of the line that the cursor is in, which begins here if it has not.
    private mutating func currentLine(_ stream: Int, _ isError: Bool, _ time: WBTime) -> Int {
        let oldest = count - Self.window
        if let stale = screens[stream].lines.lastIndex(where: { $0 < oldest }) {
            screens[stream].lines.removeFirst(stale + 1)
            screens[stream].row = max(0, screens[stream].row - stale - 1)
        }
        while screens[stream].lines.count <= screens[stream].row {
            screens[stream].lines.append(count)
            lines[count] = Line(text: [], time: time, isError: isError)
            changed.insert(count)
            count += 1
        }
        return screens[stream].lines[screens[stream].row]
    }

    private mutating func escape(_ character: Character, _ stream: Int) {
        var sequence = screens[stream].escape ?? []
        sequence.append(character)
        screens[stream].escape = sequence
        switch sequence[0] {
        case "[":
            guard sequence.count > 1, let last = sequence.last, last.isLetter || last == "@" || last == "~" else {
                if sequence.count > 32 { screens[stream].escape = nil }
                return
            }
            screens[stream].escape = nil
            control(last, String(sequence.dropFirst().dropLast()), stream)
        case "]":
            // A title or a link, up to a bell or ESC \.
            if character == "\u{7}" || sequence.suffix(2) == ["\u{1B}", "\\"] || sequence.count > 4096 {
                screens[stream].escape = nil
            }
        case "(", ")": if sequence.count > 1 { screens[stream].escape = nil }
        default: screens[stream].escape = nil
        }
    }

    private mutating func control(_ command: Character, _ parameters: String, _ stream: Int) {
        let number = Int(parameters.split(separator: ";").first ?? "") ?? 0
        let distance = min(max(1, number), 10_000)
        switch command {
        case "A": screens[stream].row = max(0, screens[stream].row - distance)
        case "B": screens[stream].row = min(max(0, screens[stream].lines.count - 1), screens[stream].row + distance)
        case "C": screens[stream].column = min(Self.longestLine, screens[stream].column + distance)
        case "D": screens[stream].column = max(0, screens[stream].column - distance)
        case "G": screens[stream].column = min(Self.longestLine, distance - 1)
        case "K":
            guard screens[stream].row < screens[stream].lines.count else { return }
            let line = screens[stream].lines[screens[stream].row]
            guard var text = lines[line]?.text else { return }
            let column = screens[stream].column
            switch number {
            case 0: if column < text.count { text.removeSubrange(column...) }
            case 1: for position in 0..<min(column + 1, text.count) { text[position] = " " }
            default: text = []
            }
            lines[line]?.text = text
            changed.insert(line)
        default: break
        }
    }

    private mutating func forgetOldLines() {
        // Looking through all lines is only worth it when there are many new ones.
        guard lines.count > 2 * keptLines + 2 * Self.window else { return }
        defer { keptLines = lines.count }
        // Lines that cannot change any more stay until both the server and the file have them.
        for number in lines.keys where number < min(filed, count - Self.window) && !changed.contains(number) {
            lines[number] = nil
        }
    }

    package var hasChanges: Bool { !changed.isEmpty }

    /// One run of consecutive changed lines: the oldest. The rest follows with the next request.
    package mutating func takeChanges(most: Int = 5000) -> (first: Int, lines: [Line])? {
        guard let first = changed.min() else { return nil }
        var taken: [Line] = []
        while taken.count < most, changed.remove(first + taken.count) != nil {
            taken.append(lines[first + taken.count] ?? Line())
        }
        forgetOldLines()
        return (first, taken)
    }

    /// Lines that will not change any more, or all of them at the end, for `output.log`.
    package mutating func takeForFile(isFinal: Bool) -> [String] {
        let end = isFinal ? count : max(filed, count - Self.window)
        let texts = (filed..<max(filed, end)).map { Self.text(lines[$0]?.text ?? []) }
        filed = max(filed, end)
        forgetOldLines()
        return texts
    }

    package static func text(_ characters: [Character]) -> String {
        var characters = characters
        while characters.last == " " { characters.removeLast() }
        return String(characters)
    }

    /// A line as the file stream has it.
    package static func encode(_ line: Line, structured: Bool, label: String?) -> String {
        let text = text(line.text)
        let time = TimeText.utc(line.time)
        guard structured else {
            return "\(line.isError ? "ERROR " : "")\(time) \(label.map { "[\($0)] " } ?? "")\(text)"
        }
        var map = WandbMap()
        if line.isError { map["level"] = "error" }
        map["ts"] = .string(time)
        if let label { map["label"] = .string(label) }
        map["content"] = .string(text)
        return JSONWriter.text(.map(map))
    }
}
