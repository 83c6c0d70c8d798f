import Foundation
import Synchronization
import Wandb
import XCTest

final class OnlineTests: OnlineTestCase {
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
}
