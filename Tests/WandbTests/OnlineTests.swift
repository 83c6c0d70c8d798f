import Foundation
import Synchronization
import Wandb
import XCTest

final class OnlineTests: XCTestCase {
    private let key = String(repeating: "k", count: 36) + "wxyz"

    private func settings(_ server: RecordingServer, _ directory: Temporary, id: String = "run1") throws -> Settings {
        var settings = Settings()
        settings.baseURL = server.url
        settings.apiKey = try APIKey(key, source: "WANDB_API_KEY")
        settings.rootDirectory = directory.path
        settings.project = "demo"
        settings.runID = id
        settings.silent = true
        settings.retryScale = 0.01
        settings.fileStreamInterval = 0.05
        return settings
    }

    private func start(_ settings: Settings, config: WandbMap = [:]) throws -> Run {
        var options = RunOptions()
        options.config = config
        options.packages = [("host", "1.0")]
        return try Run.start(options, settings: settings)
    }

    func testAWholeRunArrives() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let run = try start(try settings(server, directory), config: ["lr": 0.1, "opt": ["name": "adam"]])
        XCTAssertEqual(run.entity, "testuser")
        XCTAssertEqual(run.name, "gentle-ember-1")
        XCTAssertEqual(run.url, "\(server.url)/testuser/demo/runs/run1")
        run.define(try MetricDefinition("acc", summary: .max))
        for i in 0..<20 { try run.log(["loss": .double(1 / Double(i + 1)), "acc": .double(Double(i % 5)), "n": ["x": .int(Int64(i))]]) }
        try run.updateConfig(["late": true])
        run.console("step 1\rstep 2\rstep 3\nnext\n")
        run.console("oops\n", .error)
        try run.alert(title: "Low", text: "is low", level: .warn, wait: 300)
        run.finish(exitCode: 0)

        let bucket = try XCTUnwrap(server.run("run1"))
        XCTAssertEqual(bucket.rows.count, 20)
        XCTAssertEqual(bucket.rows.map { $0["_step"] }, (0..<20).map { .int($0) })
        XCTAssertEqual(bucket.rows[3]["loss"], 0.25)
        XCTAssertEqual(bucket.rows[7]["n"], ["x": 7])
        XCTAssertEqual(bucket.summary["acc"], ["max": 4])
        XCTAssertEqual(bucket.summary["_step"], 19)
        XCTAssertEqual(bucket.config["lr"], ["value": 0.1])
        XCTAssertEqual(bucket.config["opt"], ["value": ["name": "adam"]])
        XCTAssertEqual(bucket.config["late"], ["value": true])
        XCTAssertEqual(bucket.config["_wandb"]?["value"]?["t"]?["5"], "0.31.0")
        XCTAssertEqual(bucket.config["_wandb"]?["value"]?["m"], [["1": "acc", "6": [3], "7": [2]]])
        XCTAssertTrue(bucket.complete)
        XCTAssertEqual(bucket.exitCode, 0)
        let console = bucket.lines("output.log").map { (try? JSONReader.value($0)) ?? .null }
        XCTAssertEqual(console.map { $0["content"] }, ["step 3", "next", "oops"])
        XCTAssertEqual(console.map { $0["level"] }, [nil, nil, "error"])

        let files = server.files()
        XCTAssertEqual(String(decoding: files["output.log"] ?? [], as: UTF8.self), "step 3\nnext\noops\n")
        XCTAssertEqual(String(decoding: files["requirements.txt"] ?? [], as: UTF8.self), "host==1.0\n")
        XCTAssertEqual(try JSONReader.value(files["wandb-summary.json"] ?? [])["acc"], ["max": 4])
        XCTAssertNotNil(try JSONReader.value(files["wandb-metadata.json"] ?? [])["os"])
        XCTAssertTrue(String(decoding: files["config.yaml"] ?? [], as: UTF8.self).contains("late:\n    value: true\n"))
        XCTAssertEqual(Set(bucket.uploaded), Set(files.keys))
        let alert = try XCTUnwrap(server.operations("NotifyScriptableRunAlert").first)
        XCTAssertEqual(alert.variables["severity"], "WARN")
        XCTAssertEqual(alert.variables["waitDuration"], 300_000)

        // The key goes to the server and to no storage.
        for request in server.requests {
            XCTAssertEqual(request.headers["authorization"] != nil, !request.path.hasPrefix("/storage/"), request.path)
            if request.path.hasPrefix("/storage/") { XCTAssertEqual(request.headers["x-signed"], "1") }
        }
        XCTAssertTrue(FileManager.default.fileExists(atPath: "\(try XCTUnwrap(run.path))/run-run1.wandb.synced"))
        XCTAssertEqual(server.requests.last?.json?["complete"], true)
    }

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

    func testResume() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        var first = try settings(server, directory)
        first.resume = .never
        var run = try start(first, config: ["lr": 0.1, "old": 1])
        for _ in 0..<5 { try run.log(["a": 1]) }
        run.console("one\ntwo\n")
        run.finish()
        XCTAssertThrowsError(try start(first)) { XCTAssertTrue("\($0)".contains("exists"), "\($0)") }

        var again = try settings(server, directory)
        again.resume = .must
        run = try start(again, config: ["lr": 0.2])
        XCTAssertTrue(run.isResumed)
        XCTAssertEqual(run.step, 5)
        XCTAssertEqual(run.config, ["lr": 0.2, "old": 1])
        try run.log(["a": 2])
        run.console("three\n")
        run.finish()
        let bucket = try XCTUnwrap(server.run("run1"))
        XCTAssertEqual(bucket.rows.map { $0["_step"] }, (0..<6).map { .int($0) })
        XCTAssertEqual(bucket.lines("output.log").count, 3)
        XCTAssertEqual(bucket.config["lr"], ["value": 0.2])
        XCTAssertEqual(bucket.config["old"], ["value": 1])

        var missing = try settings(server, directory, id: "nothere")
        missing.resume = .must
        XCTAssertThrowsError(try start(missing)) { XCTAssertTrue("\($0)".contains("nothere"), "\($0)") }
        missing.resume = .allow
        run = try start(missing)
        XCTAssertFalse(run.isResumed)
        run.finish()
    }

    func testResumeAutoTakesUpTheRunThatFailed() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        var settings = try settings(server, directory)
        settings.runID = nil
        settings.resume = .auto
        var run = try start(settings)
        let id = run.id
        try run.log(["a": 1])
        run.finish(exitCode: 1)
        run = try start(settings)
        XCTAssertEqual(run.id, id)
        XCTAssertEqual(run.step, 1)
        run.finish(exitCode: 0)
        run = try start(settings)
        XCTAssertNotEqual(run.id, id)
        run.finish()
    }

    func testForkAndRewind() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        var run = try start(try settings(server, directory), config: ["lr": 0.1])
        for i in 0..<6 { try run.log(["a": .int(Int64(i))]) }
        run.finish()

        var forked = try settings(server, directory, id: "fork1")
        forked.forkFrom = "run1?_step=2"
        run = try start(forked)
        try run.log(["a": 10])
        run.finish()
        let fork = try XCTUnwrap(server.run("fork1"))
        XCTAssertEqual(fork.rows.map { $0["_step"] }, [3])
        XCTAssertEqual(fork.config["_wandb"]?["value"]?["branch_point"], ["run_id": "run1", "step": 2])

        var rewound = try settings(server, directory)
        rewound.runID = nil
        rewound.resumeFrom = "run1?_step=3"
        run = try start(rewound)
        XCTAssertEqual(run.id, "run1")
        try run.log(["a": 20])
        run.finish()
        XCTAssertEqual(server.run("run1")?.rows.map { $0["a"] }, [0, 1, 2, 3, 20])
        XCTAssertEqual(server.run("run1")?.rows.map { $0["_step"] }, [0, 1, 2, 3, 4])
        XCTAssertEqual(server.run("run1")?.config["lr"], ["value": 0.1])

        rewound.resumeFrom = "nonsense"
        XCTAssertThrowsError(try start(rewound)) { XCTAssertTrue("\($0)".contains("_step="), "\($0)") }
        rewound.resumeFrom = "run1?_step=3"
        rewound.resume = .allow
        XCTAssertThrowsError(try start(rewound))
    }

    func testNameTagsAndNotesMayChange() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        var settings = try settings(server, directory)
        settings.tags = ["a"]
        let run = try start(settings)
        try run.relabel(name: "renamed", tags: ["a", "b"])
        try run.relabel(notes: "a note")
        XCTAssertEqual(run.name, "renamed")
        XCTAssertThrowsError(try run.relabel(tags: [""]))
        run.finish()
        let bucket = try XCTUnwrap(server.run("run1"))
        XCTAssertEqual(bucket.displayName, "renamed")
        XCTAssertEqual(bucket.tags, ["a", "b"])
        XCTAssertEqual(bucket.notes, "a note")
        XCTAssertTrue(bucket.complete)
    }

    func testASupersededRunSaysSo() throws {
        for mode in [RunMode.online, .offline] {
            let server = try RecordingServer()
            let directory = try Temporary()
            var settings = try settings(server, directory)
            settings.mode = mode
            settings.tags = ["a"]
            settings.notes = "first try"
            let run = try start(settings)
            XCTAssertTrue(Run.unfinished.contains { $0 === run })
            try run.log(["a": 1])
            run.supersede(by: "run2")
            run.supersede(by: "run3")
            XCTAssertFalse(Run.unfinished.contains { $0 === run })
            if mode == .offline {
                settings.mode = .online
                XCTAssertFalse(Sync(settings: settings).upload(try XCTUnwrap(run.path)).isFailure)
            }
            let bucket = try XCTUnwrap(server.run("run1"))
            XCTAssertEqual(bucket.tags, ["a", "superseded"])
            XCTAssertEqual(bucket.notes, "first try\nsuperseded by run2")
            XCTAssertEqual(bucket.rows.count, 1)
            XCTAssertTrue(bucket.complete)
            XCTAssertEqual(bucket.exitCode, 0)
        }
    }

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

    func testStopFromTheWebPage() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let stopped = Mutex(false)
        var options = RunOptions()
        options.onStop = { stopped.withLock { $0 = true } }
        let run = try Run.start(options, settings: try settings(server, directory))
        XCTAssertFalse(run.isStopRequested)
        server.state.withLock { $0.stopsRuns = true }
        try run.log(["a": 1])
        XCTAssertTrue(server.wait { run.isStopRequested })
        XCTAssertTrue(server.wait { stopped.withLock { $0 } })
        run.finish()
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
