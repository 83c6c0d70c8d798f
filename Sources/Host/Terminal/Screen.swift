#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What can be shown on standard output: how wide it is, whether in colour, and whether pictures appear as such.
struct Screen: Sendable {
    enum Colors: Sendable { case none, palette, full }
    enum Graphics: String, Sendable { case none, kitty, iterm2, sixel }

    var width = 80
    var height = 24
    /// Block characters and braille dots are there.
    var hasUnicode = false
    var colors = Colors.none
    var graphics = Graphics.none
    /// Pixels of one character.
    var cell = (width: 8, height: 16)
    var isTerminal = false

    /// Standard output as it is now. `HOST_GRAPHICS` (kitty, iterm2, sixel, blocks, ascii) overrules what is found.
    static func current() -> Screen {
        var screen = Screen()
        screen.hasUnicode = localeIsUnicode
        let wish = environment("HOST_GRAPHICS").lowercased()
        screen.isTerminal = isatty(STDOUT_FILENO) != 0
        var size = winsize()
        if screen.isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 {
            screen.width = Int(size.ws_col)
            if size.ws_row > 0 { screen.height = Int(size.ws_row) }
            if size.ws_xpixel > 0, size.ws_ypixel > 0, size.ws_row > 0 {
                let cell = (Int(size.ws_xpixel) / Int(size.ws_col), Int(size.ws_ypixel) / Int(size.ws_row))
                if cell.0 > 0, cell.1 > 0 { screen.cell = cell }
            }
        } else if let columns = Int(environment("COLUMNS")), columns > 0 {
            screen.width = min(columns, 1000)
        }
        if screen.isTerminal, environment("TERM") == "dumb" { screen.hasUnicode = false }
        let isPlain = !screen.isTerminal || environment("TERM") == "dumb" || environment("TERM").isEmpty || !environment("NO_COLOR").isEmpty
        if !isPlain {
            let deep = ["truecolor", "24bit"].contains(environment("COLORTERM").lowercased())
                || ["kitty", "direct", "ghostty", "alacritty"].contains { environment("TERM").contains($0) }
            screen.colors = deep ? .full : .palette
        }
        switch wish {
        case "ascii": (screen.hasUnicode, screen.colors) = (false, .none)
        case "blocks", "none": break
        case "kitty", "iterm2", "sixel": screen.graphics = Graphics(rawValue: wish) ?? .none
        default: if !isPlain { screen.graphics = TerminalQuery.graphics }
        }
        return screen
    }

    static var localeIsUnicode: Bool {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(environment).first { !$0.isEmpty } ?? ""
        return locale.uppercased().contains("UTF-8") || locale.uppercased().contains("UTF8")
    }

    static func environment(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
}

/// Asks the terminal which pictures it can show; once, and for a moment only.
enum TerminalQuery {
    static let graphics: Screen.Graphics = find()

    private static func find() -> Screen.Graphics {
        // What the environment says may be another terminal's word once a multiplexer stands between.
        let isNested = !Screen.environment("TMUX").isEmpty || Screen.environment("TERM").hasPrefix("screen") || Screen.environment("TERM").hasPrefix("tmux")
        if !isNested {
            if ["iTerm.app", "WezTerm", "mintty"].contains(Screen.environment("TERM_PROGRAM")) || Screen.environment("LC_TERMINAL") == "iTerm2" {
                return .iterm2
            }
        }
        // A kitty query, then a question that every terminal answers, so that silence need not be waited for.
        guard let answer = ask("\u{1b}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1b}\\\u{1b}[c") else { return .none }
        if answer.contains("_Gi=31;OK") { return .kitty }
        // Device attributes: ESC [ ? 62 ; 4 ; ... c, where 4 is sixel.
        if let start = answer.firstRange(of: "[?"), let end = answer[start.upperBound...].firstIndex(of: "c") {
            let attributes = answer[start.upperBound..<end].split(separator: ";")
            if attributes.dropFirst().contains("4") { return .sixel }
        }
        return .none
    }

    /// Sends a question and gives what comes back within a fifth of a second, up to the `c` that ends device attributes.
    private static func ask(_ question: String) -> String? {
        guard isatty(STDIN_FILENO) != 0, isatty(STDOUT_FILENO) != 0, tcgetpgrp(STDIN_FILENO) == getpgrp() else { return nil }
        var former = termios()
        guard tcgetattr(STDIN_FILENO, &former) == 0 else { return nil }
        var raw = former
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO)
        guard tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0 else { return nil }
        defer { tcsetattr(STDIN_FILENO, TCSANOW, &former) }
        var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        // Somebody types already: these keys are not ours to take.
        if poll(&waiting, 1, 0) > 0 { return nil }
        let bytes = Array(question.utf8)
        guard write(STDOUT_FILENO, bytes, bytes.count) == bytes.count else { return nil }
        var answer: [UInt8] = []
        while answer.count < 1000, poll(&waiting, 1, 200) > 0 {
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) == 1 else { break }
            answer.append(byte)
            if byte == UInt8(ascii: "c"), answer.contains(UInt8(ascii: "?")) { break }
        }
        return String(decoding: answer, as: UTF8.self)
    }
}
