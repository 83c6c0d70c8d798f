import Foundation
import XCTest

/// The `host` binary that was built beside the tests, running a script against a recording server.
final class HostProgram: @unchecked Sendable {
    let directory: Temporary
    private let process = Process()
    private let error = Pipe()
    private let out = Pipe()
    private var texts = (out: Data(), error: Data())
    private let readers = DispatchGroup()

    static let key = String(repeating: "k", count: 36) + "wxyz"

    static var binary: URL {
        URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("host")
    }

    /// Under a sanitizer: its options, and how many times longer programs may take (Tests/sanitized.sh).
    static let sanitizer = ProcessInfo.processInfo.environment.filter { $0.key.hasSuffix("SAN_OPTIONS") }
    static let patience = ProcessInfo.processInfo.environment["TEST_PATIENCE"].flatMap(Double.init) ?? 1

    /// Starts `host script.lua words…`. Without a server there is neither an address nor a key.
    init(
        _ script: String, words: [String] = [], server: RecordingServer?, in directory: Temporary,
        environment: [String: String] = [:]
    ) throws {
        self.directory = directory
        let file = try directory.write(script, to: "script.lua")
        try start([file] + words, server, environment)
    }

    /// Starts `host words…`.
    init(words: [String], server: RecordingServer?, in directory: Temporary, environment: [String: String] = [:]) throws {
        self.directory = directory
        try start(words, server, environment)
    }

    private func start(_ words: [String], _ server: RecordingServer?, _ environment: [String: String]) throws {
        process.executableURL = Self.binary
        process.arguments = words
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        var variables = ["PATH": "/usr/bin:/bin", "HOME": directory.path, "WANDB_X_DISABLE_STATS": "true"]
        if let server {
            variables["WANDB_BASE_URL"] = server.url
            variables["WANDB_API_KEY"] = Self.key
        }
        process.environment = variables.merging(Self.sanitizer) { $1 }.merging(environment) { $1 }
        process.standardOutput = out
        process.standardError = error
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let (out, error) = (out, error)
        DispatchQueue.global().async(group: readers) { [self] in texts.out = out.fileHandleForReading.readDataToEndOfFile() }
        DispatchQueue.global().async(group: readers) { [self] in texts.error = error.fileHandleForReading.readDataToEndOfFile() }
    }

    var isRunning: Bool { process.isRunning }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Files grow to so many bytes and no further, as on a full disk; nil: freely again.
    func limitFiles(to bytes: UInt64?) throws {
        typealias Limit = @convention(c) (pid_t, Int32, UnsafePointer<UInt64>, UnsafeMutablePointer<UInt64>?) -> Int32
        let limit: [UInt64] = [bytes ?? .max, .max]
        guard let symbol = dlsym(nil, "prlimit64"),
            unsafeBitCast(symbol, to: Limit.self)(process.processIdentifier, 1 /* RLIMIT_FSIZE */, limit, nil) == 0
        else { throw XCTSkip("the size of another process's files cannot be limited here") }
    }

    struct Outcome {
        let status: Int32
        let out: String
        let error: String
    }

    /// Waits for the end; kills what does not come to one.
    func finish(_ seconds: Double = 60) -> Outcome {
        let end = Date().addingTimeInterval(seconds * Self.patience)
        while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.005) }
        if process.isRunning { signal(SIGKILL) }
        process.waitUntilExit()
        readers.wait()
        let status = process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
        return Outcome(
            status: status, out: String(decoding: texts.out, as: UTF8.self), error: String(decoding: texts.error, as: UTF8.self))
    }

    /// Waits until a file in the directory has at least so many bytes.
    func wait(for name: String, bytes: Int, seconds: Double = 60) -> Bool {
        let path = "\(directory.path)/\(name)"
        let end = Date().addingTimeInterval(seconds * Self.patience)
        while Date() < end {
            let size = (try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int) ?? 0
            if size >= bytes { return true }
            if !process.isRunning { return false }
            usleep(200)
        }
        return false
    }
}
