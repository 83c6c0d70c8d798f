import Foundation
import XCTest

// ioctls of Linux's terminals, which the system's headers compute and Swift does not see.
private let TIOCGPTN = 0x8004_5430
private let TIOCSPTLCK = 0x4004_5431

/// A program on a pseudo-terminal.
final class Terminal: @unchecked Sendable {
    private let process = Process()
    private let master: Int32
    private var shown = Data()
    private let reader = DispatchGroup()

    init(_ binary: URL, _ words: [String], _ directory: Temporary, _ environment: [String: String]) throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (number, locked): (UInt32, Int32) = (0, 0)
        guard master >= 0, ioctl(master, UInt(TIOCGPTN), &number) == 0, ioctl(master, UInt(TIOCSPTLCK), &locked) == 0 else {
            throw XCTSkip("there are no pseudo-terminals here")
        }
        let slave = FileHandle(fileDescriptor: open("/dev/pts/\(number)", O_RDWR | O_NOCTTY), closeOnDealloc: true)
        process.executableURL = binary
        process.arguments = words
        process.environment = environment.merging(HostProgram.sanitizer) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        process.standardInput = slave
        process.standardOutput = slave
        process.standardError = slave
        try process.run()
        try slave.close()
        DispatchQueue.global().async(group: reader) { [self] in
            var piece = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(master, &piece, piece.count)
                if count <= 0 { return }
                shown.append(contentsOf: piece[..<count])
            }
        }
    }

    /// Each line once the program has asked for it, as a person would.
    func type(_ text: String) {
        for line in text.split(separator: "\n") {
            Thread.sleep(forTimeInterval: 0.5)
            let bytes = Array("\(line)\n".utf8)
            _ = bytes.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
        }
    }

    func finish() -> String {
        let end = Date().addingTimeInterval(30)
        while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.01) }
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        reader.wait()
        close(master)
        return String(decoding: shown, as: UTF8.self)
    }
}
