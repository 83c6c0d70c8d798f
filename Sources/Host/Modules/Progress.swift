#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge
import NN

/// One bar: how far a loop is, drawn over itself on a terminal, as lines elsewhere.
final class ProgressLine {
    enum Unit { case steps, bytes }

    private let name: String
    private let unit: Unit
    var total: Int?
    private let start: Double
    private var nextDraw: Double
    private let terminal: ProgressTerminal?
    private let interval: Double

    /// Seconds between drawings: often enough to look alive; seldom enough that logs stay readable.
    private static let terminalInterval = 0.1, plainInterval = 5.0

    init(name: String, total: Int?, unit: Unit = .steps) {
        self.name = name
        self.unit = unit
        self.total = total
        terminal = ProgressTerminal.standardError
        start = monotonic()
        interval = terminal == nil ? ProgressLine.plainInterval : ProgressLine.terminalInterval
        nextDraw = start + (terminal == nil ? interval : 0)
    }

    /// A bar that nobody finished (after a `break` or an error) leaves its line to what comes next.
    deinit { terminal?.close(self) }

    var isDue: Bool { monotonic() >= nextDraw }

    func draw(_ count: Int, _ values: String, done: Bool) {
        let now = monotonic()
        nextDraw = now + interval
        let elapsed = max(now - start, 1e-9)
        guard let terminal else {
            Console.writeError(plain(count, elapsed, values, done: done) + "\n")
            return
        }
        terminal.draw(self, bar(count, elapsed, values, width: terminal.width, done: done))
        if done { terminal.close(self) }
    }

    private func plain(_ count: Int, _ elapsed: Double, _ values: String, done: Bool) -> String {
        var parts = [amount(count) + (total.map { "/" + amount($0) } ?? "")]
        if let total, total > 0, !done { parts[0] += " (\(count * 100 / total)%)" }
        parts.append(ProgressLine.time(elapsed))
        parts.append(rate(Double(count) / elapsed))
        if !done, let total, count > 0, total > count { parts.append(ProgressLine.time(elapsed / Double(count) * Double(total - count)) + " left") }
        return (name.isEmpty ? "" : "\(name): ") + (parts + (values.isEmpty ? [] : [values])).joined(separator: ", ")
    }

    private func bar(_ count: Int, _ elapsed: Double, _ values: String, width: Int, done: Bool) -> String {
        let head = name.isEmpty ? "" : "\(name): "
        let rate = rate(count > 0 ? Double(count) / elapsed : 0)
        var tail: String
        var head2 = ""
        if let total, total > 0 {
            let percent = String(min(count * 100 / total, 100))
            head2 = String(repeating: " ", count: 3 - percent.count) + percent + "% "
            let left = done ? ProgressLine.time(elapsed)
                : ProgressLine.time(elapsed) + "<" + (count > 0 ? ProgressLine.time(elapsed / Double(count) * Double(max(total - count, 0))) : "?")
            tail = " \(amount(count))/\(amount(total)) [\(left), \(rate)]"
        } else {
            tail = "\(amount(count)) [\(ProgressLine.time(elapsed)), \(rate)]"
        }
        if !values.isEmpty { tail += " " + values }
        var room = width - 1 - head.count - head2.count - tail.count
        var drawn = ""
        if let total, total > 0, room >= 6 {
            room = min(room, 40)
            drawn = terminal?.meter(Double(min(count, total)) / Double(total), room) ?? ""
        }
        return String((head + head2).prefix(max(width - 1, 0))) + drawn
            + String(tail.prefix(max(width - 1 - head.count - head2.count - (drawn.isEmpty ? 0 : room), 0)))
    }

    /// 75.3 -> "01:15".
    private static func time(_ seconds: Double) -> String {
        let whole = Int(min(seconds.rounded(), 359_999_999))
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        return (whole >= 3600 ? "\(whole / 3600):" : "") + two(whole / 60 % 60) + ":" + two(whole % 60)
    }

    private func amount(_ n: Int) -> String { unit == .bytes ? formatBytes(n) : "\(n)" }

    private func rate(_ perSecond: Double) -> String {
        if unit == .bytes { return formatBytes(Int(min(perSecond, 1e15))) + "/s" }
        func short(_ x: Double) -> String {
            if x >= 100 { return String(Int(min(x, 1e15).rounded())) }
            let tenths = Int((x * (x >= 10 ? 10 : 100)).rounded())
            let unit = x >= 10 ? 10 : 100
            let rest = String(tenths % unit)
            return "\(tenths / unit)." + String(repeating: "0", count: (unit == 10 ? 1 : 2) - rest.count) + rest
        }
        return perSecond >= 1 || perSecond <= 0 ? short(perSecond) + " it/s" : short(1 / perSecond) + " s/it"
    }
}

func monotonic() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// The terminal that bars are drawn on, and whose line is open there. Used by the script's thread only.
final class ProgressTerminal {
    /// nil: standard error is no terminal that can be drawn on.
    nonisolated(unsafe) static let standardError: ProgressTerminal? = {
        guard isatty(STDERR_FILENO) != 0, environment("TERM") != "dumb" else { return nil }
        return ProgressTerminal()
    }()

    private weak var open: ProgressLine?
    private var isOpen = false
    private let hasBlocks: Bool
    private let hasColor: Bool

    private init() {
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].compactMap(environment).first { !$0.isEmpty } ?? ""
        hasBlocks = locale.uppercased().contains("UTF")
        hasColor = (environment("NO_COLOR") ?? "").isEmpty
    }

    var width: Int {
        var size = winsize()
        if ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return environment("COLUMNS").flatMap { Int($0) }.map { max($0, 20) } ?? 80
    }

    /// A part of a bar `width` columns wide, in eighths where there are the characters.
    func meter(_ part: Double, _ width: Int) -> String {
        let inner = width - 2
        var text: String
        if hasBlocks {
            let eighths = Int(part * Double(inner * 8))
            text = String(repeating: "█", count: eighths / 8)
            if eighths % 8 > 0 { text += ["▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8 - 1] }
        } else {
            text = String(repeating: "#", count: Int(part * Double(inner)))
        }
        let rest = String(repeating: " ", count: inner - text.count)
        return hasColor ? "|\u{1b}[36m\(text)\u{1b}[0m\(rest)|" : "|\(text)\(rest)|"
    }

    func draw(_ line: ProgressLine, _ text: String) {
        if isOpen, open !== line { leaveLine() }
        Console.writeError("\r\(text)\u{1b}[K")
        open = line
        isOpen = true
    }

    func close(_ line: ProgressLine) {
        // A line whose bar is just being let go cannot be reached weakly any more.
        if isOpen, open == nil || open === line { leaveLine() }
    }

    /// Ends the line of a bar, so that other output begins on a line of its own.
    func leaveLine() {
        guard isOpen else { return }
        isOpen = false
        open = nil
        Console.writeError("\n")
    }
}

private func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

/// The module `progress`; what scripts see is Prelude/progress.lua.
func registerProgress(_ lua: Lua) throws {
    let type = UserdataType<ProgressLine>(lua, "ProgressLine", kind: "progress_line")
    lua.atExit { _ in ProgressTerminal.standardError?.leaveLine() }
    try lua.module("progress", "progress\nProgress bars around loops.") { module in
        try type.build { _ in }
        try module.lua.addHostFunctions([
            Declaration("progress_off() -> bool\nWhether the environment asks for silence.") { call in
                call.push(["0", "false", "no", "off"].contains((environment("HOST_PROGRESS") ?? "").lowercased()))
            },
            Declaration("progress_line(name: string, total: int) -> progress_line\nA fresh bar; total -1: not known.", returns: type) { call in
                let total = try call.int(1)
                let line = ProgressLine(name: try call.string(0), total: total < 0 ? nil : total)
                try call.push(line, type)
            },
            Declaration("progress_due(line: progress_line) -> bool\nWhether it is time to draw again.") { call in
                call.push(try call.object(0, type).isDue)
            },
            Declaration("progress_draw(line: progress_line, count: int, values: string, done: bool)\nDraws the bar, for the last time if done.") { call in
                try call.object(0, type).draw(try call.int(1), try call.string(2), done: try call.bool(3))
            },
            Declaration("progress_leave_line()\nEnds the line of an open bar.") { _ in ProgressTerminal.standardError?.leaveLine() },
            Declaration("progress_terminal() -> bool\nWhether bars are drawn.") { call in call.push(ProgressTerminal.standardError != nil) },
        ])
    }
}
