import Foundation
import XCTest

/// Tests that follow from what is declared: golden cases, gradient checks, examples, random calls. See docs/testing.md.
final class DeclarationTests: XCTestCase {
    private static var golden: URL {
        HostProcess.scripts.deletingLastPathComponent().appendingPathComponent("Golden")
    }

    /// Runs a script of `Tests/Lua` and shows its last line, where it sums up.
    private func check(_ script: String, _ arguments: [String], seconds: Double = 300, line: UInt = #line) throws {
        // Wild sizes are refused at the limit instead of filling the machine.
        let outcome = try HostProcess.run(
            [HostProcess.scripts.appendingPathComponent(script).path] + arguments, environment: ["HOST_MEMORY_LIMIT": "1GiB"],
            seconds: seconds)
        XCTAssertEqual(outcome.status, 0, String(outcome.out.suffix(20000)) + outcome.error, line: line)
        print(script, arguments.suffix(2), outcome.out.split(separator: "\n").last ?? "")
    }

    /// Cases with PyTorch's results: every documented name of the module has some, and all agree.
    func testTensorAgreesWithPyTorch() throws {
        let scratch = try Scratch()
        let cases = scratch.url.appendingPathComponent("tensor.lua")
        let unpack = Process()
        unpack.executableURL = URL(fileURLWithPath: "/bin/sh")
        unpack.arguments = ["-c", "gzip -dc \"$0\" > \"$1\"", Self.golden.appendingPathComponent("tensor.lua.gz").path, cases.path]
        try unpack.run()
        unpack.waitUntilExit()
        XCTAssertEqual(unpack.terminationStatus, 0)
        let report = scratch.url.appendingPathComponent("report.txt")
        try check("golden.lua", [cases.path, report.path, "tensor"])
    }

    func testGradientsOfTensorOperations() throws { try check("gradcheck.lua", ["tensor", "tensor.linalg"]) }

    func testExamples() throws { try check("examples.lua", ["tensor"]) }

    func testRandomCalls() throws {
        for seed in 1...3 { try check("fuzz.lua", ["\(seed)", "12", "tensor"]) }
    }
}
