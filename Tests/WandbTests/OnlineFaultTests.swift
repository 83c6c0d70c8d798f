import Foundation
import Synchronization
import Wandb
import XCTest

/// Servers and networks that fail.
final class OnlineFaultTests: OnlineTestCase {
    func testEveryFaultIsSurvivedWithoutLossOrDoubles() throws {
        let faults: [(String, Fault)] = [
            ("500", .status(500)), ("502", .status(502)), ("429", .status(429, headers: ["Retry-After": "0.02"])),
            ("drop", .drop), ("lost answer", .loseAnswer), ("half", .halfBody), ("408", .status(408)),
            ("503", .status(503)), ("slow", .slow(0.2)),
        ]
        for (name, fault) in faults {
            let server = try RecordingServer()
            let directory = try Temporary()
            server.inject(fault, times: 2) { $0.isStream }
            server.inject(fault, times: 1) { $0.operation == "UpsertBucket" }
            server.inject(fault, times: 1) { $0.operation == "CreateRunFiles" }
            if name != "408" { server.inject(fault, times: 2) { $0.path.hasPrefix("/storage/") } }
            let run = try start(try settings(server, directory))
            for i in 0..<50 {
                try run.log(["i": .int(Int64(i))])
                if i % 10 == 0 { Thread.sleep(forTimeInterval: 0.02) }
            }
            run.finish()
            let bucket = try XCTUnwrap(server.run("run1"), name)
            XCTAssertEqual(bucket.rows.map { $0["i"] }, (0..<50).map { .int($0) }, name)
            XCTAssertTrue(bucket.complete, name)
            XCTAssertNotNil(server.files()["output.log"] ?? server.files()["config.yaml"], name)
        }
    }

    func testGarbageFromTheServerIsSurvived() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        server.inject(.garbage, times: 2) { $0.operation == "UpsertBucket" }
        server.inject(.garbage, times: 2) { $0.isStream }
        let run = try start(try settings(server, directory))
        try run.log(["a": 1])
        Thread.sleep(forTimeInterval: 0.2)
        try run.log(["a": 2])
        run.finish()
        XCTAssertEqual(server.run("run1")?.rows.last?["a"], 2)
        XCTAssertEqual(server.run("run1")?.complete, true)
    }

    func testARefusedKeyIsNamedByItsLastFourCharacters() throws {
        for (status, words) in [(401, "user is not logged in"), (403, "permission denied"), (404, "entity x not found")] {
            let server = try RecordingServer()
            let directory = try Temporary()
            server.inject(.status(status, body: #"{"errors":[{"message":"\#(words)"}],"data":null}"#), times: 99) {
                $0.operation != nil
            }
            XCTAssertThrowsError(try start(try settings(server, directory))) { error in
                XCTAssertTrue("\(error)".contains(words), "\(error)")
                XCTAssertFalse("\(error)".contains(self.key))
                XCTAssertFalse("\(error)".contains("{"), "\(error)")
                if status != 404 {
                    XCTAssertTrue("\(error)".contains("wxyz"), "\(error)")
                    XCTAssertTrue("\(error)".contains("/authorize"), "\(error)")
                }
            }
            XCTAssertEqual(server.operations("UpsertBucket").count, 1, "no second attempt after \(status)")
        }
    }

    func testAConflictIsTriedAgain() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        server.inject(.status(409), times: 3) { $0.operation == "UpsertBucket" }
        let run = try start(try settings(server, directory))
        run.finish()
        XCTAssertEqual(server.run("run1")?.complete, true)
    }

    func testAFatalStreamErrorLeavesTheRunForSync() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        server.inject(.status(413), times: 1) { $0.isStream }
        let run = try start(try settings(server, directory))
        for i in 0..<10 { try run.log(["i": .int(Int64(i))]) }
        Thread.sleep(forTimeInterval: 0.2)
        run.finish()
        XCTAssertEqual(server.requests.filter(\.isStream).count, 1)
        XCTAssertEqual(server.run("run1")?.complete, false)
        XCTAssertNotNil(server.files()["config.yaml"])
        let path = try XCTUnwrap(run.path)
        XCTAssertFalse(FileManager.default.fileExists(atPath: "\(path)/run-run1.wandb.synced"))
        let outcome = Sync(settings: try settings(server, directory)).upload(path)
        XCTAssertEqual(outcome, .uploaded(rows: 10, url: "\(server.url)/testuser/demo/runs/run1"))
        XCTAssertEqual(server.run("run1")?.rows.map { $0["i"] }, (0..<10).map { .int($0) })
        XCTAssertEqual(server.run("run1")?.complete, true)
    }

    func testAServerThatDiesAndComesBack() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let run = try start(try settings(server, directory))
        for i in 0..<100 { try run.log(["i": .int(Int64(i))]) }
        XCTAssertTrue(server.wait { (server.run("run1")?.rows.count ?? 0) == 100 })
        server.close()
        for i in 100..<300 { try run.log(["i": .int(Int64(i))]) }
        Thread.sleep(forTimeInterval: 0.3)
        try server.reopen()
        for i in 300..<400 { try run.log(["i": .int(Int64(i))]) }
        run.finish()
        XCTAssertEqual(server.run("run1")?.rows.map { $0["i"] }, (0..<400).map { .int($0) })
        XCTAssertEqual(server.run("run1")?.complete, true)
    }

    func testFinishGivesUpAndSyncTakesOver() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        var settings = try settings(server, directory)
        settings.finishTimeout = 0.5
        settings.retryScale = 1
        let run = try start(settings)
        for i in 0..<30 { try run.log(["i": .int(Int64(i))]) }
        XCTAssertTrue(server.wait { (server.run("run1")?.rows.count ?? 0) == 30 })
        server.close()
        for i in 30..<60 { try run.log(["i": .int(Int64(i))]) }
        let began = Date()
        run.finish()
        XCTAssertLessThan(Date().timeIntervalSince(began), 3)
        XCTAssertEqual(server.run("run1")?.complete, false)
        try server.reopen()
        let outcome = Sync(settings: try self.settings(server, directory)).upload(try XCTUnwrap(run.path))
        XCTAssertEqual(outcome, .uploaded(rows: 30, url: "\(server.url)/testuser/demo/runs/run1"))
        XCTAssertEqual(server.run("run1")?.rows.map { $0["i"] }, (0..<60).map { .int($0) })
        XCTAssertEqual(server.run("run1")?.complete, true)
        XCTAssertEqual(
            Sync(settings: try self.settings(server, directory)).upload(try XCTUnwrap(run.path)),
            .skipped(reason: "it is uploaded already"))
    }

    func testAnUnreachableServerDoesNotStopTheRun() throws {
        let server = try RecordingServer()
        server.close()
        let directory = try Temporary()
        let run = try start(try settings(server, directory))
        for i in 0..<10 { try run.log(["i": .int(Int64(i))]) }
        XCTAssertNil(run.url)
        try server.reopen()
        run.finish()
        XCTAssertEqual(server.run("run1")?.rows.count, 10)
    }

    func testWithoutAKeyARunGoesOffline() throws {
        let directory = try Temporary()
        let lines = Mutex<[String]>([])
        var options = RunOptions()
        options.notice = { line in lines.withLock { $0.append(line) } }
        var settings = Settings()
        settings.rootDirectory = directory.path
        let run = try Run.start(options, settings: settings)
        XCTAssertEqual(run.mode, .offline)
        XCTAssertEqual(lines.withLock { $0.filter { $0.contains("no API key") }.count }, 1)
        run.finish()
        settings.modeWasAsked = true
        XCTAssertThrowsError(try Run.start(options, settings: settings)) {
            XCTAssertTrue("\($0)".contains("WANDB_API_KEY"), "\($0)")
        }
    }
}
