#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// Where a session's inputs come from.
protocol InputLines: AnyObject {
    /// The next whole input, which may have several lines.
    func next(prompt: String, session: Session) -> Input
    /// Remembers an input.
    func remember(_ text: String)
}

enum Input {
    case text(String)
    /// Given up with Ctrl-C.
    case cancelled
    case end
}

/// Lines as they come: from a pipe, or from a terminal that cannot move its cursor.
final class PlainLines: InputLines {
    private let lua: Lua
    private let prompts: Bool
    private var buffer: [UInt8] = []
    private var atEnd = false

    init(_ lua: Lua, prompts: Bool) { (self.lua, self.prompts) = (lua, prompts) }

    func next(prompt: String, session: Session) -> Input {
        var text = ""
        while true {
            if prompts {
                Console.write(text.isEmpty ? prompt : String(repeating: ".", count: max(prompt.count - 1, 1)) + " ")
                Console.flush()
            }
            switch line() {
            case .text(let line):
                text += (text.isEmpty ? "" : "\n") + line
                if case .incomplete = session.completeness(text) { continue }
                return .text(text)
            case .cancelled:
                Console.write("\n")
                return .cancelled
            case .end:
                if prompts { Console.write("\n") }
                // What was begun is an error worth seeing.
                return text.isEmpty ? .end : .text(text)
            }
        }
    }

    func remember(_ text: String) {}

    /// Not `readLine`: a signal must end the wait.
    private func line() -> Input {
        while true {
            if let feed = buffer.firstIndex(of: 10) {
                let line = Array(buffer[..<feed])
                buffer.removeSubrange(...feed)
                return .text(String(decoding: line.last == 13 ? line.dropLast() : line[...], as: UTF8.self))
            }
            if atEnd {
                defer { buffer = [] }
                return buffer.isEmpty ? .end : .text(String(decoding: buffer, as: UTF8.self))
            }
            var chunk = [UInt8](repeating: 0, count: 4096)
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            if lua.interrupted == nil, poll(&waiting, 1, -1) < 0, errno == EINTR, lua.interrupted == nil { continue }
            if lua.interrupted != nil {
                buffer = []
                return .cancelled
            }
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            if count <= 0 { atEnd = true } else { buffer += chunk[..<count] }
        }
    }
}
