import Foundation
import XCTest

/// The `host` binary that was built beside the tests, run as a user would.
struct HostProcess {
    struct Outcome {
        let status: Int32
        let out: String
        let error: String
    }

    static var binary: URL {
        URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent().appendingPathComponent("host")
    }

    /// The folder of the Lua scripts that tests run.
    static var scripts: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Lua")
    }

    /// Under a sanitizer: its options, and how many times longer programs may take (Tests/sanitized.sh).
    static let sanitizer = ProcessInfo.processInfo.environment.filter { $0.key.hasSuffix("SAN_OPTIONS") }
    /// The same for tests that measure memory: AddressSanitizer else keeps what was freed, up to 256 MB.
    static let frugal = sanitizer.mapValues { "\($0):quarantine_size_mb=0:thread_local_quarantine_size_kb=0" }
    static let patience = ProcessInfo.processInfo.environment["TEST_PATIENCE"].flatMap(Double.init) ?? 1

    /// Runs to the end; after `signal.delay` seconds the signal is sent. A run longer than `seconds` is killed.
    static func run(
        _ arguments: [String], input: String? = nil, folder: URL? = nil, environment: [String: String] = [:],
        signal: (number: Int32, delay: Double)? = nil, seconds: Double = 60
    ) throws -> Outcome {
        let process = Process()
        process.executableURL = binary
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let (out, error, inlet) = (Pipe(), Pipe(), Pipe())
        process.standardOutput = out
        process.standardError = error
        process.standardInput = inlet
        try process.run()
        let watch = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds * patience, execute: watch)
        if let signal {
            let pid = process.processIdentifier
            DispatchQueue.global().asyncAfter(deadline: .now() + signal.delay * patience) { kill(pid, signal.number) }
        }
        if let input { inlet.fileHandleForWriting.write(Data(input.utf8)) }
        try inlet.fileHandleForWriting.close()
        nonisolated(unsafe) var errorText = Data()
        let group = DispatchGroup()
        DispatchQueue.global().async(group: group) { errorText = error.fileHandleForReading.readDataToEndOfFile() }
        let text = out.fileHandleForReading.readDataToEndOfFile()
        group.wait()
        process.waitUntilExit()
        watch.cancel()
        let status = process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
        return Outcome(
            status: status, out: String(decoding: text, as: UTF8.self), error: String(decoding: errorText, as: UTF8.self))
    }

    /// Runs a script of `Tests/Lua`, which fails by raising an error.
    static func check(_ script: String, environment: [String: String] = [:], line: UInt = #line) throws {
        let outcome = try run([scripts.appendingPathComponent(script).path], environment: environment)
        XCTAssertEqual(outcome.status, 0, outcome.error, line: line)
    }
}

/// A folder that is gone after the test.
final class Scratch {
    let url: URL

    init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("host-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    @discardableResult
    func write(_ name: String, _ text: String) throws -> String {
        let file = url.appendingPathComponent(name)
        try FileManager.default.createDirectory(at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        return file.path
    }
}
