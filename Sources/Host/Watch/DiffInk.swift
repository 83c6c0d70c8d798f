#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Colours for standard error: none in a pipe, on a dumb terminal, or where NO_COLOR says so.
struct DiffInk {
    let isColored: Bool

    static let standardError: DiffInk = {
        let plain = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
        let dumb = getenv("TERM").map { String(cString: $0) == "dumb" } ?? true
        return DiffInk(isColored: isatty(STDERR_FILENO) != 0 && !plain && !dumb)
    }()

    func red(_ text: String) -> String { wrap(text, 31) }
    func green(_ text: String) -> String { wrap(text, 32) }
    func faint(_ text: String) -> String { wrap(text, 2) }

    private func wrap(_ text: String, _ code: Int) -> String { isColored ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}
