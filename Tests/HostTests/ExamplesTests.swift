import Foundation
import XCTest

/// The scripts of scripts/examples, in small: each must learn what its last line states.
/// The same seed gives the same bits everywhere, so the bounds lie close to what was reached when they were written.
final class ExamplesTests: XCTestCase {
    private static let repository = DataTests.repository

    /// Runs an example and gives the numbers of the line that `marker` is in.
    private func numbers(_ script: String, _ options: String, line marker: String, at line: UInt = #line) throws -> [Double] {
        let path = "scripts/examples/\(script).lua"
        let outcome = try HostProcess.run(
            [path] + options.split(separator: " ").map(String.init), folder: Self.repository,
            environment: ["HOST_PROGRESS": "0", "NO_COLOR": "1"], seconds: 300)
        XCTAssertEqual(outcome.status, 0, outcome.error, line: line)
        let text = outcome.out.split(separator: "\n").last { $0.contains(marker) } ?? ""
        XCTAssertFalse(text.isEmpty, "no line with '\(marker)' in: \(outcome.out)", line: line)
        return text.split { !"0123456789.-".contains($0) }.compactMap { Double($0) }
    }

    private func accuracy(_ script: String, _ options: String, above bound: Double, line: UInt = #line) throws {
        let reached = try numbers(script, options, line: "test accuracy", at: line).last ?? 0
        XCTAssertGreaterThan(reached, bound, script, line: line)
    }

    func testMLP() throws {
        try accuracy("mlp", "--samples 10000 --test-samples 2000 --epochs 2 --batch-size 64", above: 92)
    }

    func testResidualNetwork() throws {
        try accuracy("resnet", "--samples 6000 --test-samples 1000 --batch-size 32", above: 90)
    }

    func testLSTMReadsRows() throws {
        try accuracy("lstm_rows", "--samples 8000 --test-samples 1000 --lr 0.01", above: 82)
    }

    func testVisionTransformer() throws {
        try accuracy("vit", "--samples 8000 --test-samples 1000 --epochs 1 --batch-size 32", above: 72)
    }

    func testAutoencoderWritesItsPicture() throws {
        let scratch = try Scratch()
        let picture = scratch.url.appendingPathComponent("new/digits.png")
        let errors = try numbers(
            "autoencoder", "--samples 10000 --test-samples 500 --epochs 1 --batch-size 32 --lr 0.006 --out \(picture.path)", line: "reconstruction error")
        XCTAssertGreaterThan(errors.count, 1)
        XCTAssertLessThan(errors[0], 0.6 * errors[1])
        XCTAssertEqual(try Data(contentsOf: picture).prefix(4), Data([0x89, 0x50, 0x4E, 0x47]))
    }

    func testAdversarialNetworks() throws {
        let distances = try numbers("gan", "--samples 10000 --epochs 5", line: "distance")
        XCTAssertEqual(distances.count, 2)
        XCTAssertLessThan(distances[0], 0.6 * distances[1])
    }

    func testLossWithItsOwnGradient() throws {
        try accuracy("focal_loss", "--samples 8000 --test-samples 2000 --epochs 1", above: 84)
    }

    func testNeighbours() throws { try accuracy("neighbours", "--samples 5000 --test-samples 1000", above: 90) }

    func testPrincipalComponents() throws {
        try accuracy("pca", "--samples 10000 --test-samples 2000 --components 30", above: 93)
    }

    func testDatasetTransformAndScheduleInLua() throws {
        let reached = try numbers("own_parts", "--samples 20000 --epochs 3", line: "right sums").last ?? 0
        XCTAssertGreaterThan(reached, 75)
    }

    func testEveryExampleIsListedAndHasHelp() throws {
        let folder = Self.repository.appendingPathComponent("scripts/examples")
        let list = try String(contentsOf: folder.appendingPathComponent("README.md"), encoding: .utf8)
        let scripts = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".lua") }
        XCTAssertEqual(scripts.count, 10)
        for script in scripts {
            XCTAssertTrue(list.contains("`\(script)`"), "\(script) is not in scripts/examples/README.md")
            let outcome = try HostProcess.run(["scripts/examples/\(script)", "--help"], folder: Self.repository)
            XCTAssertEqual(outcome.status, 0, outcome.error)
            XCTAssertTrue(outcome.out.contains("--samples"), outcome.out)
        }
    }
}
