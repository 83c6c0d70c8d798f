import Foundation
import Wandb
import XCTest

/// Logs that are uploaded later.
final class SyncTests: OnlineTestCase {
    func testSyncOfAnOfflineResumedRunShiftsSteps() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        var run = try start(try settings(server, directory))
        for _ in 0..<3 { try run.log(["a": 1]) }
        run.finish()
        var offline = try settings(server, directory)
        offline.mode = .offline
        offline.resume = .allow
        run = try start(offline)
        for _ in 0..<2 { try run.log(["a": 2]) }
        run.finish()
        XCTAssertFalse(Sync(settings: try settings(server, directory)).upload(try XCTUnwrap(run.path)).isFailure)
        XCTAssertEqual(server.run("run1")?.rows.map { $0["_step"] }, (0..<5).map { .int($0) })
    }

    /// A try that was killed, and the next one, which goes back to the last checkpoint: each row arrives once, and whole.
    func testSyncOfTriesThatComputeRowsAgain() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        var offline = try settings(server, directory)
        offline.mode = .offline
        offline.resume = .allow
        var tries: [String] = []
        for steps in [1...7, 5...9] as [ClosedRange<Int64>] {
            let run = try start(offline)
            for step in steps {
                try run.log(["loss": .double(1 / Double(step))], step: step)
                // The first try dies before the last row has both of its values.
                if step % 2 == 1, step != 7 || steps.lowerBound == 5 { try run.log(["accuracy": .int(step)], step: step) }
            }
            tries.append(try XCTUnwrap(run.path))
            // As SIGKILL leaves it: the log without an end, the open row in its file.
            let kept = try FileManager.default.contentsOfDirectory(atPath: tries.last ?? "").filter { $0.contains(".wandb") }
            let copies = try kept.map { (name: "\(tries.last ?? "")/\($0)", data: try Data(contentsOf: URL(fileURLWithPath: "\(tries.last ?? "")/\($0)"))) }
            run.finish()
            if steps.lowerBound == 1 { for copy in copies { try copy.data.write(to: URL(fileURLWithPath: copy.name)) } }
        }
        // As copies, the way a job's output holds them, and from their directories.
        let copies = "\(directory.path)/offline"
        try FileManager.default.createDirectory(atPath: copies, withIntermediateDirectories: true)
        for (index, path) in tries.enumerated() {
            for ending in ["", ".row"] where FileManager.default.fileExists(atPath: "\(path)/run-run1.wandb\(ending)") {
                try FileManager.default.copyItem(atPath: "\(path)/run-run1.wandb\(ending)", toPath: "\(copies)/run1-\(index + 1).wandb\(ending)")
            }
        }
        let sync = Sync(settings: try settings(server, directory))
        for paths in [tries, try Sync.directories(at: copies)] {
            XCTAssertEqual(paths.count, 2)
            server.state.withLock { $0.runs = [:] }
            for path in paths { XCTAssertFalse(sync.upload(path).isFailure) }
            let rows = try XCTUnwrap(server.run("run1")).rows
            XCTAssertEqual(rows.map { $0["_step"] }, (1...9).map { .int($0) })
            XCTAssertEqual(rows.map { $0["loss"]?.doubleValue }, (1...9).map { 1 / Double($0) })
            XCTAssertEqual(rows.map { $0["accuracy"] }, (1...9).map { $0 % 2 == 1 ? .int($0) : nil })
        }
    }

    func testSyncOfADamagedFileUploadsWhatPrecedes() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        var offline = try settings(server, directory)
        offline.mode = .offline
        let run = try start(offline)
        for i in 0..<200 { try run.log(["i": .int(Int64(i))]) }
        run.finish()
        let path = try XCTUnwrap(run.path)
        let log = "\(path)/run-run1.wandb"
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: log)))
        bytes[bytes.count * 3 / 4] ^= 0xFF
        try Data(bytes).write(to: URL(fileURLWithPath: log))
        guard case .damaged(let rows, let offset, _) = Sync(settings: try settings(server, directory)).upload(path) else {
            return XCTFail("expected damage")
        }
        XCTAssertGreaterThan(rows, 100)
        XCTAssertLessThan(rows, 200)
        XCTAssertLessThanOrEqual(offset, Int64(bytes.count * 3 / 4))
        XCTAssertEqual(server.run("run1")?.rows.map { $0["i"] }, (0..<rows).map { .int(Int64($0)) })
        XCTAssertEqual(server.run("run1")?.exitCode, 1)
    }

    /// W&B's own log of an offline run, uploaded by us, arrives as its own `wandb sync` brings it.
    func testSyncOfALogOfTheOfficialClient() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let path = "\(directory.path)/offline-run-20261123_145303-offline1"
        try FileManager.default.createDirectory(atPath: "\(path)/files", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: fixture("run-offline1.wandb"), toPath: "\(path)/run-offline1.wandb")
        XCTAssertEqual(try Sync.directories(at: directory.path), [path])
        XCTAssertFalse(Sync(settings: try settings(server, directory)).upload(path).isFailure)
        let bucket = try XCTUnwrap(server.run("offline1"))
        XCTAssertEqual(bucket.rows.map { $0["loss"] }, [1, 0.5, .double(1.0 / 3)])
        XCTAssertEqual(bucket.rows[1]["img"]?["path"], "media/images/img_1_704c213a9c24c9a4c47a.png")
        XCTAssertEqual(bucket.rows[1]["bad"]?.doubleValue?.isNaN, true)
        XCTAssertEqual(bucket.summary["loss"], ["min": .double(1.0 / 3)])
        XCTAssertEqual(bucket.summary["best"], 0.5)
        XCTAssertEqual(bucket.summary["nested"], ["x": 2])
        XCTAssertEqual(bucket.config["late"], ["value": 1])
        let block = bucket.config["_wandb"]?["value"]
        XCTAssertEqual(block?["m"], [["1": "loss", "6": [3], "7": [1]]])
        XCTAssertEqual(bucket.displayName, "tiny")
        let texts = bucket.lines("output.log").map { (try? JSONReader.value($0))?["content"] }
        XCTAssertEqual(texts.prefix(2), ["hello", "to stderr"])
        XCTAssertEqual(bucket.exitCode, 0)
        let event = try JSONReader.value(bucket.lines("wandb-events.jsonl")[0])
        XCTAssertEqual(event["system.disk./.usageGB"]?.doubleValue, 22.937515258789062)
        XCTAssertEqual(try XCTUnwrap(event["_runtime"]?.doubleValue), 0.040990442, accuracy: 1e-6)
        XCTAssertEqual(server.operations("NotifyScriptableRunAlert").count, 1)
    }
}
