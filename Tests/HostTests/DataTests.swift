import Foundation
import XCTest

final class DataTests: XCTestCase {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    func testDatasetsLoadersAndFiles() throws {
        let scratch = try Scratch()
        let outcome = try HostProcess.run(
            [HostProcess.scripts.appendingPathComponent("data.lua").path, DataTests.repository.path, scratch.url.path])
        XCTAssertEqual(outcome.status, 0, outcome.error)
        // Files that are no images are reported, and nothing else.
        XCTAssertEqual(outcome.error.split(separator: "\n").count, 3, outcome.error)
        XCTAssertTrue(outcome.error.contains("data.image_folder: "), outcome.error)
    }

    func testThreadsDoNotChangeWhatALoaderGives() throws {
        let scratch = try Scratch()
        let script = try scratch.write(
            "s.lua",
            """
            local data, tensor = require "data", require "tensor"
            tensor.manual_seed(4)
            local t = data.transforms
            local ds = data.mnist{root = ..., split = "test"}
            local sum = tensor.zeros(1, 28, 28)
            for x, y in data.loader(ds, {batch_size = 64, shuffle = true, transform = t.compose{t.random_affine{degrees = 20}, t.random_erasing()}}) do
              sum = sum * 0.5 + x[0] * y[0]:item()
            end
            io.write(("%a %a"):format(sum:sum():item(), sum:std():item()))
            """)
        let root = DataTests.repository.appendingPathComponent("data").path
        let outputs = try ["1", "2", "16"].map { try HostProcess.run(["--threads", $0, script, root]).out }
        XCTAssertFalse(outputs[0].isEmpty)
        XCTAssertEqual(Set(outputs).count, 1, "\(outputs)")
    }
}
