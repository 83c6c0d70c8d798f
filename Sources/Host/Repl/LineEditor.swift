#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// Inputs typed at a terminal. GNU readline knows the keys, the history and its search, undo and paste; what is seen is drawn here,
/// so that inputs have colours and several lines.
final class LineEditor: InputLines {
    private let library: ReadlineLibrary
    private let lua: Lua
    private let history: History
    private let hasColor: Bool
    private var session: Session?
    private var finished: Input?
    private var prompt = ""
    private var drawing: LineDrawing
    private var lastEntry = ""
    /// readline's callbacks carry no context: there is one terminal, and one editor for it.
    nonisolated(unsafe) private static weak var current: LineEditor?

    /// nil: readline is not installed.
    init?(_ lua: Lua, hasColor: Bool) {
        guard let library = ReadlineLibrary.shared else { return nil }
        (self.library, self.lua, self.hasColor) = (library, lua, hasColor)
        history = History()
        drawing = LineDrawing(hasColor: hasColor)
        LineEditor.current = self
        // Character widths and bytes that belong together are the locale's business.
        setlocale(LC_CTYPE, "")
        library.name.pointee = UnsafePointer(strdup("host"))
        library.catchSignals.pointee = 0
        library.catchResize.pointee = 0
        _ = library.initialize()
        _ = library.variableBind("enable-bracketed-paste", "on")
        _ = library.variableBind("blink-matching-paren", "off")
        library.redisplay.pointee = { LineEditor.current?.redraw() }
        for key in [10, 13] as [Int32] {
            _ = library.bindKey(key) { count, key in LineEditor.current?.enter(count, key) ?? 0 }
        }
        _ = library.bindKey(9) { _, _ in LineEditor.current?.tab() ?? 0 }
        _ = library.bindKey(12) { _, _ in LineEditor.current?.clear() ?? 0 }
        library.stifleHistory(10_000)
        for entry in history.load() {
            library.addHistory(entry)
            lastEntry = entry
        }
        // A change of size or the return from a stop must end the wait for a key.
        for signal in [SIGWINCH, SIGCONT] {
            var action = sigaction()
            #if canImport(Glibc)
            action.__sigaction_handler.sa_handler = { _ in }
            #else
            action.__sigaction_u.__sa_handler = { _ in }
            #endif
            sigaction(signal, &action, nil)
        }
    }

    func remember(_ text: String) {
        guard !text.allSatisfy(\.isWhitespace), text != lastEntry else { return }
        lastEntry = text
        library.addHistory(text)
        history.append(text)
    }

    func next(prompt: String, session: Session) -> Input {
        (self.prompt, self.session, finished) = (prompt, session, nil)
        drawing.start()
        library.installHandler(prompt) { line in LineEditor.current?.accept(line) }
        while finished == nil {
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            let ready = lua.interrupted == nil ? poll(&waiting, 1, -1) : -1
            if let signal = lua.interrupted {
                cancel()
                return signal == SIGINT ? .cancelled : .end
            }
            if ready < 0 {
                guard errno == EINTR else { return .end }
                library.resetAfterSignal()
                drawing.resized()
                redraw()
                continue
            }
            library.readCharacter()
        }
        return finished ?? .end
    }

    private func cancel() {
        library.cleanUpAfterSignal()
        write(drawing.leave() + "^C\n")
        library.replaceLine("", 1)
        library.removeHandler()
    }

    // MARK: What readline calls

    private var text: String { library.lineBuffer.pointee.map { String(cString: $0) } ?? "" }

    private func accept(_ line: UnsafeMutablePointer<CChar>?) {
        library.removeHandler()
        write(drawing.leave() + "\n")
        if let line {
            finished = .text(String(cString: line))
            free(line)
        } else {
            finished = .end
        }
    }

    /// Enter ends an input that is whole, and a line of one that is not.
    private func enter(_ count: Int32, _ key: Int32) -> Int32 {
        closeBlock()
        guard let session, case .incomplete(let indent) = session.completeness(text) else { return library.newLine(count, key) }
        library.point.pointee = library.end.pointee
        _ = library.insertText("\n" + indent)
        return 0
    }

    /// A line that closes a block stands under the one that opened it, unless somebody has moved it.
    private func closeBlock() {
        let all = text
        guard let session, let feed = all.utf8.lastIndex(of: 10) else { return }
        let before = String(all[..<feed]), line = all[all.utf8.index(after: feed)...]
        let code = line.drop { $0 == " " }
        let word = code.first?.isLetter == true ? code.prefix { $0.isLetter } : code.prefix(1)
        guard ["end", "until", "else", "elseif", "}", ")"].contains(word), case .incomplete(let indent) = session.completeness(before),
            indent.utf8.count >= 2, line.utf8.count - code.utf8.count == indent.utf8.count
        else { return }
        let start = Int32(before.utf8.count + 1)
        _ = library.deleteText(start, start + 2)
        library.point.pointee = library.end.pointee
        redraw()
    }

    private func clear() -> Int32 {
        write("\u{1b}[H\u{1b}[2J")
        drawing.start()
        redraw()
        return 0
    }

    private func redraw() {
        let shown = library.displayPrompt.pointee.map { String(cString: $0) } ?? prompt
        write(drawing.draw(prompt: shown, text: text, cursor: Int(library.point.pointee)))
    }

    // MARK: Completion

    private func tab() -> Int32 {
        guard let session else { return 0 }
        let point = Int(library.point.pointee)
        let bytes = Array(text.utf8)
        let before = String(decoding: bytes[..<min(point, bytes.count)], as: UTF8.self)
        // At the beginning of a line Tab indents.
        if before.reversed().prefix(while: { $0 != "\n" }).allSatisfy({ $0 == " " }), before.contains("\n") {
            _ = library.insertText("  ")
            return 0
        }
        let completion = session.complete(before)
        guard let first = completion.matches.first else { return library.ding() }
        var common = first.text[...]
        for match in completion.matches { common = common.commonPrefix(with: match.text) }
        if common.utf8.count > completion.replaced {
            _ = library.deleteText(Int32(point - completion.replaced), Int32(point))
            library.point.pointee = Int32(point - completion.replaced)
            _ = library.insertText(String(common))
        } else if completion.matches.count > 1 {
            list(completion.matches.map(\.text))
        }
        return 0
    }

    /// Shows what is possible below the input, which then stands once more below that.
    private func list(_ names: [String]) {
        let screen = Screen.current()
        let most = max(min(screen.height - 4, 20), 3)
        let width = (names.map(\.count).max() ?? 1) + 2
        let columns = max(1, (screen.width - 1) / width)
        let rows = (names.count + columns - 1) / columns
        var out = drawing.leave() + "\n"
        for row in 0..<min(rows, most) {
            var line = ""
            for column in 0..<columns where column * rows + row < names.count {
                let name = names[column * rows + row]
                line += name + String(repeating: " ", count: width - name.count)
            }
            out += line.prefix(max(screen.width - 1, 1)) + "\n"
        }
        if rows > most { out += "... \(names.count) names; type more of one\n" }
        write(out)
        drawing.start()
        redraw()
    }

    private func write(_ text: String) {
        Console.write(text)
        Console.flush()
    }
}

extension Substring {
    fileprivate func commonPrefix(with other: String) -> Substring {
        self[..<(zip(indices, other).first { self[$0.0] != $0.1 }?.0 ?? index(startIndex, offsetBy: Swift.min(count, other.count)))]
    }
}
