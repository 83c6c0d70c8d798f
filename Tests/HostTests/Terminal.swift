import Foundation
import XCTest

/// The program at a terminal: a pseudo terminal whose other end the test holds.
final class Terminal {
    private let process = Process()
    private let master: Int32
    /// TIOCSPTLCK and TIOCGPTN.
    private static let lock: UInt = 0x4004_5431, number: UInt = 0x8004_5430
    private var received = Data()
    private var seen = 0
    let scratch: Scratch

    /// - Parameter scratch: where the history lies; shared by sessions that follow each other.
    init(_ arguments: [String] = [], columns: UInt16 = 80, scratch: Scratch? = nil, environment: [String: String] = [:]) throws {
        self.scratch = try scratch ?? Scratch()
        // Linux's own calls: the portable ones are hidden from Swift.
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var locked: Int32 = 0, number: UInt32 = 0
        guard master >= 0, ioctl(master, Self.lock, &locked) == 0, ioctl(master, Self.number, &number) == 0 else {
            throw XCTSkip("this system has no pseudo terminals")
        }
        var size = winsize(ws_row: 30, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(master, UInt(TIOCSWINSZ), &size)
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
        let handle = FileHandle(fileDescriptor: slave, closeOnDealloc: true)
        // setsid makes the terminal the controlling one: Ctrl-C becomes a signal.
        process.executableURL = URL(fileURLWithPath: "/usr/bin/setsid")
        process.arguments = ["--ctty", "--wait", HostProcess.binary.path] + arguments
        process.standardInput = handle
        process.standardOutput = handle
        process.standardError = handle
        var all = ["TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", "HOST_GRAPHICS": "blocks", "HOME": self.scratch.url.path]
        all["XDG_STATE_HOME"] = self.scratch.url.path
        all["PATH"] = ProcessInfo.processInfo.environment["PATH"]
        process.environment = all.merging(HostProcess.sanitizer) { $1 }.merging(environment) { $1 }
        process.currentDirectoryURL = self.scratch.url
        try process.run()
    }

    deinit {
        if process.isRunning { process.terminate() }
        close(master)
    }

    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(master, bytes, bytes.count)
    }

    /// Everything that came, as it came.
    var raw: String { String(decoding: received, as: UTF8.self) }

    /// What came since the last match, without control sequences.
    private var fresh: String {
        // Returns as bytes: with a line feed they are one character for Swift.
        String(decoding: received.dropFirst(seen).filter { $0 != 13 }, as: UTF8.self)
            .replacing(/\u{1b}\[[0-9;?]*[A-Za-z]/, with: "")
    }

    /// Waits until the text appears after what was waited for before.
    @discardableResult
    func expect(_ text: String, seconds: Double = 20, file: StaticString = #filePath, line: UInt = #line) -> Bool {
        let end = Date().addingTimeInterval(seconds * HostProcess.patience)
        while Date() < end {
            if fresh.contains(text) {
                seen = received.count
                return true
            }
            var waiting = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, 200) > 0 else { continue }
            var chunk = [UInt8](repeating: 0, count: 8192)
            let count = read(master, &chunk, chunk.count)
            if count <= 0 { break }
            received.append(contentsOf: chunk[..<count])
        }
        XCTFail("expected '\(text)', got:\n\(fresh)", file: file, line: line)
        return false
    }

    /// Sends a line and waits for what it gives.
    func enter(_ line: String, _ text: String, file: StaticString = #filePath, at number: UInt = #line) {
        send(line + "\r")
        expect(text, file: file, line: number)
    }

    /// Waits for the end of the program.
    func leave() -> Int32 {
        let end = Date().addingTimeInterval(30 * HostProcess.patience)
        var next = Date()
        while process.isRunning, Date() < end {
            // Once more in a while: what comes before the program reads keys is taken by the terminal.
            if Date() >= next {
                send("\u{4}")
                next = Date().addingTimeInterval(0.5)
            }
            var waiting = pollfd(fd: master, events: Int16(POLLIN), revents: 0)
            var chunk = [UInt8](repeating: 0, count: 8192)
            if poll(&waiting, 1, 50) > 0, waiting.revents & Int16(POLLIN) != 0 { _ = read(master, &chunk, chunk.count) }
        }
        return process.isRunning ? -1 : process.terminationStatus
    }
}
