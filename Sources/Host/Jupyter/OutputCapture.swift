#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Standard output and error of the process as pipes, so that a front end gets what is printed while it is printed.
/// Read by one thread, which also gets what is written by native code.
final class OutputCapture: @unchecked Sendable {
    enum Stream: String { case stdout, stderr }

    /// The ends to read from.
    let files: [Int32]
    private let streams: [Stream] = [.stdout, .stderr]
    /// The beginning of a character whose rest has not arrived.
    private var tails: [[UInt8]] = [[], []]

    init() throws {
        var files: [Int32] = []
        for target in [STDOUT_FILENO, STDERR_FILENO] {
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0, dup2(ends[1], target) >= 0 else { throw FileError("cannot redirect", "the output") }
            close(ends[1])
            _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
            _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
            files.append(ends[0])
        }
        self.files = files
        // A cell cannot ask a person: what reads standard input finds its end.
        let nothing = open("/dev/null", O_RDONLY)
        if nothing >= 0 {
            dup2(nothing, STDIN_FILENO)
            close(nothing)
        }
    }

    /// Everything that was written by now, in pieces of one stream each.
    func drain() -> [(stream: Stream, text: String)] {
        var pieces: [(Stream, String)] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        for (index, file) in files.enumerated() {
            while true {
                let count = read(file, &buffer, buffer.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { break }
                var bytes = tails[index] + buffer[..<count]
                let cut = Self.incompleteTail(bytes)
                tails[index] = Array(bytes.suffix(cut))
                bytes.removeLast(cut)
                if !bytes.isEmpty { pieces.append((streams[index], String(decoding: bytes, as: UTF8.self))) }
            }
        }
        return pieces
    }

    /// How many bytes at the end begin a character of UTF-8 that is not complete.
    private static func incompleteTail(_ bytes: [UInt8]) -> Int {
        for back in 1...min(3, max(1, bytes.count)) where back <= bytes.count {
            let byte = bytes[bytes.count - back]
            if byte & 0xC0 == 0x80 { continue }
            let length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            return length > back ? back : 0
        }
        return 0
    }
}
