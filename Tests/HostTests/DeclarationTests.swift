import Foundation
import XCTest

/// Tests that follow from what is declared: golden cases, gradient checks, examples, random calls. See docs/testing.md.
final class DeclarationTests: XCTestCase {
    private static var golden: URL {
        HostProcess.scripts.deletingLastPathComponent().appendingPathComponent("Golden")
    }

    /// Runs a script of `Tests/Lua` and shows its last line, where it sums up.
    private func check(
        _ script: String, _ arguments: [String], folder: URL? = nil, environment: [String: String] = [:], seconds: Double = 300,
        line: UInt = #line
    ) throws {
        // Wild sizes are refused at the limit instead of filling the machine.
        let outcome = try HostProcess.run(
            [HostProcess.scripts.appendingPathComponent(script).path] + arguments, folder: folder,
            environment: environment.merging(["HOST_MEMORY_LIMIT": "1GiB"]) { $1 }, seconds: seconds)
        XCTAssertEqual(outcome.status, 0, String(outcome.out.suffix(20000)) + outcome.error, line: line)
        print(script, Array(arguments.suffix(2)), outcome.out.split(separator: "\n").last.map { String($0) } ?? "")
    }

    /// Cases with PyTorch's results: every documented name of the module has some, and all agree.
    func testTensorAgreesWithPyTorchAndEveryNameHasCases() throws {
        let scratch = try Scratch()
        let cases = scratch.url.appendingPathComponent("tensor.lua")
        let unpack = Process()
        unpack.executableURL = URL(fileURLWithPath: "/bin/sh")
        unpack.arguments = ["-c", "gzip -dc \"$0\"/*.lua.gz > \"$1\"", Self.golden.path, cases.path]
        try unpack.run()
        unpack.waitUntilExit()
        XCTAssertEqual(unpack.terminationStatus, 0)
        let report = scratch.url.appendingPathComponent("report.txt")
        try check("golden.lua", [cases.path, report.path, "tensor"])
        // Over all modules: every documented name has cases, here or in the other checked scripts.
        let coverage = scratch.url.appendingPathComponent("coverage.txt")
        try check("coverage.lua", [coverage.path, report.path, scratch.url.path])
        print(try String(contentsOf: coverage, encoding: .utf8))
    }

    func testGradientsOfTensorOperations() throws { try check("gradcheck.lua", ["tensor", "tensor.linalg", "nn.functional"]) }

    func testExamples() throws {
        let scratch = try scratchWithData()
        try check("examples.lua", [], folder: scratch.url)
    }

    /// `make fuzz` goes on for longer, from a seed that is drawn.
    func testRandomCalls() throws {
        for seed in 1...3 {
            let scratch = try Scratch()
            try check(
                "fuzz.lua", ["\(seed)", "4000", "tensor", "nn", "optim", "data", "plot", "json", "fs", "time", "progress", "wandb", "pachyderm"],
                folder: scratch.url, environment: ["WANDB_MODE": "offline", "WANDB_BASE_URL": "http://127.0.0.1:9", "HOST_PROGRESS": "0"])
        }
    }

    /// Every operation gives the same bits at any number of threads and on every CPU level that this machine has.
    func testTheSameBitsEverywhere() throws {
        var texts: [String: String] = [:]
        for level in ["baseline", "v3", "v4"] {
            let outcome = try HostProcess.run(
                [HostProcess.scripts.appendingPathComponent("digests.lua").path, "1,2,3,7"], environment: ["HOST_CPU_LEVEL": level], seconds: 600)
            XCTAssertEqual(outcome.status, 0, outcome.error)
            texts[level] = outcome.out
            print(level, outcome.out.split(separator: "\n").last ?? "")
        }
        let expected = (texts["baseline"] ?? "").split(separator: "\n")
        XCTAssertGreaterThan(expected.count, 500)
        for level in ["v3", "v4"] {
            for (a, b) in zip(expected, (texts[level] ?? "").split(separator: "\n")) where a != b { XCTFail("\(level): \(b)\nbaseline: \(a)") }
        }
    }

    /// A folder where examples find `data`.
    private func scratchWithData() throws -> Scratch {
        let scratch = try Scratch()
        try FileManager.default.createSymbolicLink(
            at: scratch.url.appendingPathComponent("data"),
            withDestinationURL: HostProcess.scripts.deletingLastPathComponent().deletingLastPathComponent()
                .appendingPathComponent("data"))
        return scratch
    }

    /// `make soak` does so for longer.
    func testCallsLeaveMemoryAsItIs() throws {
        let scratch = try scratchWithData()
        try check("growth.lua", ["10"], folder: scratch.url, environment: ["WANDB_SILENT": "true"])
    }

    /// Memory, files and threads of a run that goes on. `make soak` takes an hour.
    func testAShortSoak() throws {
        let scratch = try Scratch()
        let seconds = ProcessInfo.processInfo.environment["SOAK_SECONDS"] ?? "12"
        let environment = HostProcess.frugal
        try check("soak.lua", [seconds, scratch.url.path], environment: environment, seconds: (Double(seconds) ?? 12) + 120)
        try check("long_log.lua", ["200000", scratch.url.path], environment: environment)
    }
}
