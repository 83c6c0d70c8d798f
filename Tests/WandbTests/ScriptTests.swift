import Foundation
import Wandb
import XCTest

/// What scripts see of the logger, run by the program itself.
final class ScriptTests: XCTestCase {
    private let quick = ["WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "0.05"]

    private func console(_ run: RecordingServer.Bucket) -> [String] {
        run.lines("output.log").map { (try? JSONReader.value($0))?["content"]?.stringValue ?? "" }
    }

    func testAnErrorEndsTheRunAsFailed() throws {
        let server = try RecordingServer()
        let outcome = try HostProgram(
            """
            local run = require("wandb").init{project = "demo", id = "run1"}
            print "before"
            io.write("half ", "a line", "\\n")
            io.stderr:write "to stderr\\n"
            print("the key is \(HostProgram.key)")
            local ok, message = pcall(run.log, run, {good = 1, bad = print})
            assert(not ok and message:find "bad" and message:find "function", message)
            ok, message = pcall(run.log, run, {deep = {worse = io.stdout}})
            assert(not ok and message:find "deep.worse", message)
            run:log{good = 2}
            error "it broke"
            """, server: server, in: try Temporary()).finish()
        XCTAssertEqual(outcome.status, 1)
        let run = try XCTUnwrap(server.run("run1"))
        XCTAssertEqual(run.exitCode, 1)
        XCTAssertEqual(run.rows.map { $0["good"] }, [2])
        let lines = console(run)
        XCTAssertEqual(lines.prefix(4), ["before", "half a line", "to stderr", "the key is ********"])
        XCTAssertTrue(lines.contains { $0.contains("it broke") }, "\(lines)")
        XCTAssertTrue(lines.contains { $0.contains("stack traceback") })
        for (name, bytes) in server.files() {
            XCTAssertFalse(String(decoding: bytes, as: UTF8.self).contains(HostProgram.key), name)
        }
    }

    func testFunctionsKeptFromARunGoOnWorking() throws {
        let server = try RecordingServer()
        let outcome = try HostProgram(
            """
            local wandb = require "wandb"
            local first = wandb.init{project = "demo", id = "run1"}
            local kept, out, write = print, io.write, io.stdout.write
            kept "one"
            first:finish()
            kept "between"
            out "between\\n"
            write(io.stdout, "between\\n")
            local second = wandb.init{project = "demo", id = "run2"}
            kept "two"
            out "written\\n"
            write(io.stdout, "by file\\n")
            print "by name"
            """, server: server, in: try Temporary()).finish()
        XCTAssertEqual(outcome.status, 0)
        XCTAssertEqual(console(try XCTUnwrap(server.run("run1"))), ["one"])
        XCTAssertEqual(console(try XCTUnwrap(server.run("run2"))), ["two", "written", "by file", "by name"])
    }

    /// W&B's own client says 255 after Ctrl-C; a terminated one is killed and says nothing.
    func testSignalsEndTheRun() throws {
        for (signal, status, code) in [(SIGINT, 130, 255), (SIGTERM, 143, 143)] as [(Int32, Int32, Int64)] {
            let server = try RecordingServer()
            let directory = try Temporary()
            let program = try HostProgram(
                """
                local run = require("wandb").init{project = "demo", id = "run1"}
                run:log{a = 1}
                io.open("ready", "w"):write("ready"):close()
                while true do pcall(function() while true do end end) end
                """, server: server, in: directory)
            XCTAssertTrue(program.wait(for: "ready", bytes: 5))
            program.signal(signal)
            XCTAssertEqual(program.finish().status, status)
            XCTAssertEqual(server.run("run1")?.exitCode, code)
            XCTAssertEqual(server.run("run1")?.rows.count, 1)
        }
    }

    func testAStopOnThePageEndsTheScript() throws {
        let server = try RecordingServer()
        server.state.withLock { $0.stopsRuns = true }
        let outcome = try HostProgram(
            """
            local run = require("wandb").init{project = "demo", id = "run1"}
            run:log{a = 1}
            while true do pcall(function() while true do end end) end
            """, server: server, in: try Temporary(), environment: quick
        ).finish(30)
        XCTAssertEqual(outcome.status, 130, outcome.error)
        XCTAssertTrue(outcome.error.contains("stopped on its page"), outcome.error)
        XCTAssertEqual(server.run("run1")?.exitCode, 255)
    }

    func testCodeIsKept() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        _ = try directory.write("return 1\n", to: "lib/early.lua")
        _ = try directory.write("return 2\n", to: "lib/late.lua")
        let script = """
            require "early"
            local run = require("wandb").init{project = "demo", id = "run1"}
            require "late"
            run:log{a = 1}
            """
        _ = try directory.write(script, to: "script.lua")
        _ = try directory.write("one\n", to: "data.txt")
        for words in [
            ["init", "-q", "."], ["add", "."],
            ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-q", "-m", "first"],
        ] {
            let git = Process()
            git.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            git.arguments = ["git"] + words
            git.currentDirectoryURL = URL(fileURLWithPath: directory.path)
            try git.run()
            git.waitUntilExit()
            try XCTSkipIf(git.terminationStatus != 0, "git is not installed")
        }
        _ = try directory.write("two\n", to: "data.txt")
        let outcome = try HostProgram(
            script, words: ["--epochs", "3"], server: server, in: directory, environment: ["WANDB_SAVE_CODE": "true"]
        ).finish()
        XCTAssertEqual(outcome.status, 0, outcome.error)
        let files = server.files().mapValues { String(decoding: $0, as: UTF8.self) }
        XCTAssertEqual(files["code/script.lua"], script)
        XCTAssertEqual(files["code/lib/early.lua"], "return 1\n")
        XCTAssertEqual(files["code/lib/late.lua"], "return 2\n")
        let patch = try XCTUnwrap(files["diff.patch"])
        XCTAssertTrue(patch.contains("-one\n+two\n"), patch)
        let run = try XCTUnwrap(server.run("run1"))
        XCTAssertEqual(run.config["_wandb"]?["value"]?["code_path"], "code/script.lua")
        let facts = try JSONReader.value(server.files()["wandb-metadata.json"] ?? [])
        XCTAssertEqual(facts["git"]?["commit"]?.stringValue?.count, 40)
        XCTAssertEqual(facts["args"], ["--epochs", "3"])
        XCTAssertEqual(facts["program"]?.stringValue?.hasSuffix("/script.lua"), true)
        XCTAssertTrue(files["requirements.txt"]?.contains("host==") ?? false)
    }

    func testWithoutAKeyThereIsOneLineAndNoError() throws {
        let directory = try Temporary()
        let outcome = try HostProgram(
            """
            local run = require("wandb").init{project = "demo", id = "run1"}
            run:log{a = 1}
            """, server: nil, in: directory).finish()
        XCTAssertEqual(outcome.status, 0, outcome.error)
        XCTAssertEqual(outcome.error.components(separatedBy: "no API key").count, 2, outcome.error)
        let refused = try HostProgram(
            "require('wandb').init{project = 'demo', mode = 'online'}", server: nil, in: directory).finish()
        XCTAssertEqual(refused.status, 1)
        XCTAssertTrue(refused.error.contains("WANDB_API_KEY"), refused.error)
    }

    /// A file of an earlier version is named by the later one, and not sent again.
    func testArtifactsMayReferToEarlierVersions() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        _ = try directory.write("weights", to: "w.bin")
        _ = try directory.write("more", to: "m.bin")
        let outcome = try HostProgram(
            """
            local wandb = require "wandb"
            local run = wandb.init{project = "demo", id = "run1"}
            local first = wandb.Artifact("model", "model")
            first:add_file "w.bin"
            run:log_artifact(first):wait()
            local used = run:use_artifact "model:latest"
            assert(#used:files() == 1 and used:files()[1] == "w.bin")
            local second = wandb.Artifact("model", "model")
            second:add_reference(used:get_entry "w.bin")
            second:add_file "m.bin"
            assert(not pcall(used.get_entry, used, "nothere"))
            run:log_artifact(second):wait()
            """, server: server, in: directory).finish()
        XCTAssertEqual(outcome.status, 0, outcome.error)
        let versions = server.state.withLock { $0.artifacts.values.sorted { $0.version < $1.version } }
        XCTAssertEqual(versions.map(\.committed), [true, true])
        XCTAssertEqual(versions.map { $0.files.keys.sorted() }, [["w.bin"], ["m.bin"]])
        let manifest = try JSONReader.value(server.files()[versions[1].manifest] ?? [])
        let entry = try XCTUnwrap(manifest["contents"]?["w.bin"])
        XCTAssertEqual(entry["ref"]?.stringValue?.hasPrefix("wandb-artifact://"), true)
        XCTAssertEqual(server.state.withLock { $0.usedArtifacts }, [versions[0].id])
    }

    func testTheServerMayStopOneRunOfASweep() throws {
        let server = try RecordingServer()
        server.state.withLock {
            $0.agentCommands = [
                #"[{"type":"run","run_id":"s1","args":{"lr":{"value":0.1}}}]"#,
                #"[{"type":"run","run_id":"s2","args":{"lr":{"value":0.2}}}]"#, #"[{"type":"exit"}]"#,
            ]
            $0.stopsAgentRun = "s1"
        }
        let outcome = try HostProgram(
            """
            local wandb = require "wandb"
            local time = require "time"
            wandb.agent("sweep1", function()
              local run = wandb.init{}
              print("run", run.id, run.config.lr)
              for i = 1, run.id == "s1" and math.huge or 3 do
                run:log{i = i}
                time.sleep(0.02)
              end
            end, {project = "demo"})
            print "over"
            """, server: server, in: try Temporary()).finish()
        XCTAssertEqual(outcome.status, 0, outcome.error)
        XCTAssertTrue(outcome.out.contains("run\ts2\t0.2"), outcome.out + outcome.error)
        XCTAssertTrue(outcome.out.contains("over"), outcome.out)
        XCTAssertEqual(server.run("s1")?.complete, true)
        XCTAssertEqual(server.run("s2")?.rows.count, 3)
    }

    /// A sweep's agent that starts scripts says what to try in a file.
    func testParametersOfASweepComeFromItsFile() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let file = try directory.write("wandb_version: 1\nlr:\n  value: 0.5\nopt:\n  value:\n    name: adam\n", to: "p.yaml")
        let outcome = try HostProgram(
            "require('wandb').init{project = 'ignored', config = {lr = 0.1, other = 1}}:log{a = 1}", server: server,
            in: directory,
            environment: [
                "WANDB_SWEEP_ID": "sweep1", "WANDB_RUN_ID": "run1", "WANDB_PROJECT": "demo", "WANDB_SWEEP_PARAM_PATH": file,
            ]).finish()
        XCTAssertEqual(outcome.status, 0, outcome.error)
        let run = try XCTUnwrap(server.run("run1"))
        XCTAssertEqual(run.config["lr"], ["value": 0.5])
        XCTAssertEqual(run.config["opt"], ["value": ["name": "adam"]])
        XCTAssertEqual(run.config["other"], ["value": 1])
        XCTAssertEqual(run.project, "demo")
    }

    /// Several processes write into one run: only the first of them says what the run is and when it is over.
    func testWritersShareARun() throws {
        let server = try RecordingServer()
        let script = """
            local run = require("wandb").init{project = "demo", id = "together", config = {who = arg[1]}}
            run:log{[arg[1]] = 1}
            print("from " .. arg[1])
            run:finish()
            """
        for (name, environment) in [
            ("worker", ["WANDB_X_PRIMARY": "false", "WANDB_X_UPDATE_FINISH_STATE": "false"]), ("chief", [:]),
        ] {
            let outcome = try HostProgram(
                script, words: [name], server: server, in: try Temporary(),
                environment: environment.merging(["WANDB_MODE": "shared", "WANDB_X_LABEL": name]) { $1 }
            ).finish()
            XCTAssertEqual(outcome.status, 0, outcome.error)
            let bucket = try XCTUnwrap(server.run("together"), outcome.error)
            XCTAssertEqual(bucket.complete, name == "chief", "a worker's end is not the run's")
            XCTAssertEqual(bucket.uploaded.contains("config.yaml"), name == "chief")
            let stream = server.requests.filter(\.isStream)
            XCTAssertTrue(stream.allSatisfy { $0.headers["x-wandb-use-async-filestream"] == "true" })
            let ids = Set(stream.compactMap { $0.headers["x-wandb-async-client-id"] })
            XCTAssertEqual(ids.count, name == "chief" ? 2 : 1, "each writer has an id of its own")
            XCTAssertTrue(bucket.lines("output.log").contains { $0.contains("from \(name)") && $0.contains("\"label\":\"\(name)\"") }, "\(bucket.lines("output.log"))")
        }
    }

    func testAKeyIsAskedForOnATerminal() throws {
        let server = try RecordingServer()
        for (answers, mode) in [("2\n\(HostProgram.key)\n", "online"), ("3\n", "offline")] {
            let directory = try Temporary()
            _ = try directory.write("machine other.example\n  login me\n  password secret\n", to: ".netrc")
            let script = try directory.write(
                "print(require('wandb').init{project = 'demo', id = 'run1'}.mode)", to: "script.lua")
            let terminal = try Terminal(
                HostProgram.binary, [script], directory,
                ["HOME": directory.path, "WANDB_BASE_URL": server.url, "WANDB_X_DISABLE_STATS": "true", "PATH": "/usr/bin:/bin"])
            terminal.type(answers)
            let shown = terminal.finish()
            XCTAssertTrue(shown.contains("Use an existing W&B account"), shown)
            XCTAssertTrue(shown.contains(mode), shown)
            XCTAssertFalse(shown.contains(HostProgram.key), shown)
            let netrc = try String(contentsOfFile: "\(directory.path)/.netrc", encoding: .utf8)
            XCTAssertTrue(netrc.hasPrefix("machine other.example\n  login me\n  password secret\n"), netrc)
            XCTAssertEqual(netrc.contains("  login user\n  password \(HostProgram.key)\n"), mode == "online")
            if mode == "online" {
                let facts = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/.netrc")
                XCTAssertEqual(facts[.posixPermissions] as? Int, 0o600)
            }
        }
    }
}
