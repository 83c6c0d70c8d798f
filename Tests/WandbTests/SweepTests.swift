import Foundation
import Wandb
import XCTest

final class SweepTests: XCTestCase {
    private func settings(_ server: RecordingServer, _ directory: Temporary) throws -> Settings {
        var settings = Settings()
        settings.baseURL = server.url
        settings.apiKey = try APIKey(String(repeating: "k", count: 40), source: "test")
        settings.rootDirectory = directory.path
        settings.project = "demo"
        settings.silent = true
        settings.retryScale = 0.01
        settings.fileStreamInterval = 0.05
        return settings
    }

    func testConfigsAreCompletedAndChecked() throws {
        let checked = try Sweep.check([
            "method": "random",
            "parameters": [
                "lr": ["min": 0.1, "max": 1], "n": ["min": 1, "max": 5], "k": ["values": [1, 2]],
                "deep": ["parameters": ["x": ["min": 0, "max": 1]]],
            ],
        ])
        XCTAssertEqual(checked["parameters"]?["lr"]?["distribution"], "uniform")
        XCTAssertEqual(checked["parameters"]?["n"]?["distribution"], "int_uniform")
        XCTAssertNil(checked["parameters"]?["k"]?["distribution"])
        XCTAssertEqual(checked["parameters"]?["deep"]?["parameters"]?["x"]?["distribution"], "int_uniform")
        for bad: WandbMap in [
            [:], ["method": "guess", "parameters": ["a": ["value": 1]]], ["method": "grid"],
            ["method": "bayes", "parameters": ["a": ["value": 1]]], ["method": "grid", "parameters": ["a": 1]],
        ] { XCTAssertThrowsError(try Sweep.check(bad)) }
    }

    func testAnAgentGetsItsRunsOneAfterTheOther() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let settings = try settings(server, directory)
        let sweep = try Sweep.create(["method": "grid", "parameters": ["lr": ["values": [0.1, 0.2]]]], settings: settings)
        XCTAssertEqual(sweep.path, "testuser/demo/sweep1")
        let sent = try XCTUnwrap(server.operations("UpsertSweep").first?.variables["config"]?.stringValue)
        XCTAssertTrue(sent.contains("method: grid\n"), sent)
        server.state.withLock {
            $0.agentCommands = [
                #"[{"type":"run","run_id":"r1","args":{"lr":{"value":0.1}}}]"#,
                #"[{"type":"run","run_id":"r2","args":{"lr":{"value":0.2}}}]"#, #"[{"type":"exit"}]"#,
            ]
        }
        let agent = try SweepAgent(sweep.path, settings: settings)
        var seen: [WandbValue] = []
        while let assignment = try agent.next() {
            seen.append(assignment.config["lr"] ?? .null)
            var options = RunOptions()
            options.config = assignment.config
            let run = try Run.start(options, settings: agent.settings(for: assignment))
            XCTAssertEqual(run.id, assignment.runID)
            try run.log(["loss": 1])
            run.finish()
            agent.finished(assignment)
        }
        agent.close()
        XCTAssertEqual(seen, [0.1, 0.2])
        XCTAssertEqual(server.operations("UpsertBucket").first?.variables["sweep"], "sweep1")
        XCTAssertEqual(server.run("r2")?.config["lr"], ["value": 0.2])
    }

    func testADeletedSweepEndsTheAgent() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        server.inject(.status(404), times: 9) { $0.operation == "Heartbeat" }
        let agent = try SweepAgent("sweep1", settings: try settings(server, directory))
        XCTAssertNil(try agent.next())
        agent.close()
    }

    func testThePublicAPI() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        var settings = try settings(server, directory)
        for id in ["r1", "r2"] {
            settings.runID = id
            var options = RunOptions()
            options.config = ["lr": 0.5]
            let run = try Run.start(options, settings: settings)
            for i in Int64(0)..<25 { try run.log(["a": .int(i), "b": i % 2 == 0 ? .int(i) : nil]) }
            run.finish()
        }
        let api = try PublicAPI(settings: settings)
        let runs = try api.runs("demo", filters: ["state": "finished"])
        XCTAssertEqual(runs.map(\.id), ["r1", "r2"])
        XCTAssertEqual(runs[0].config, ["lr": 0.5])
        XCTAssertEqual(runs[0].summary["a"], 24)
        XCTAssertEqual(runs[0].state, "finished")
        XCTAssertEqual(server.operations("Runs").last?.variables["filters"], #"{"state":"finished"}"#)
        let run = try api.run("testuser/demo/r2")
        XCTAssertEqual(try api.history(of: run, pageSize: 10).count, 25)
        XCTAssertEqual(try api.history(of: run, keys: ["a"], pageSize: 7).map { $0["a"] }, (0..<25).map { .int($0) })
        XCTAssertThrowsError(try api.run("testuser/demo/none")) { XCTAssertTrue("\($0)".contains("none")) }
        XCTAssertThrowsError(try api.run("a/b/c/d"))
    }
}
