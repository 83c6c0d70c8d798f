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

    /// Whatever the server does at the end: the job's exit status is the script's.
    func testAServerThatFailsAtTheEndDoesNotFailTheJob() throws {
        for fault in [Fault.status(500), .status(429), .garbage, .halfBody, .drop, .status(403)] {
            let server = try RecordingServer()
            let directory = try Temporary()
            let program = try HostProgram(
                """
                local run = require("wandb").init{project = "demo", id = "run1", settings = {finish_timeout = 0.5}}
                io.open("ready", "w"):write("ready"):close()
                while not io.open "go" do require("time").sleep(0.01) end
                for i = 1, 10 do run:log{i = i} end
                """, server: server, in: directory)
            XCTAssertTrue(program.wait(for: "ready", bytes: 5))
            server.inject(fault, times: .max) { $0.isStream }
            _ = try directory.write("go", to: "go")
            let outcome = program.finish(30)
            XCTAssertEqual(outcome.status, 0, "\(fault): \(outcome.error)")
            XCTAssertTrue(outcome.error.contains("host sync"), "\(fault): \(outcome.error)")
            let again = try RecordingServer()
            let synced = try HostProgram(words: ["sync"], server: again, in: directory).finish()
            XCTAssertEqual(synced.status, 0, synced.error)
            XCTAssertEqual(again.run("run1")?.rows.map { $0["i"] }, (1...10).map { .int($0) }, "\(fault)")
        }
    }

    /// The file may not grow: rows wait in memory, and go to the server from there.
    func testAFullDiskLosesNothing() throws {
        for (mode, recovers) in [("online", false), ("online", true), ("offline", true)] {
            let server = try RecordingServer()
            let directory = try Temporary()
            let program = try HostProgram(
                """
                local run = require("wandb").init{project = "demo", id = "run1", mode = arg[1]}
                run:log{i = 0}
                io.open("ready", "w"):write("ready"):close()
                while not io.open "full" do require("time").sleep(0.01) end
                for i = 1, 500 do run:log{i = i} end
                io.open("logged", "w"):close()
                while not io.open "go" do require("time").sleep(0.01) end
                run:log{i = 501}
                """, words: [mode], server: server, in: directory, environment: quick)
            XCTAssertTrue(program.wait(for: "ready", bytes: 5))
            try program.limitFiles(to: 8192)
            _ = try directory.write("full", to: "full")
            XCTAssertTrue(server.wait { FileManager.default.fileExists(atPath: "\(directory.path)/logged") })
            if recovers { try program.limitFiles(to: nil) }
            _ = try directory.write("go", to: "go")
            let outcome = program.finish()
            XCTAssertEqual(outcome.status, 0, outcome.error)
            XCTAssertTrue(outcome.error.contains("rows wait in memory"), outcome.error)
            XCTAssertFalse(outcome.error.contains("lost"), outcome.error)
            if mode == "offline" {
                XCTAssertEqual(try HostProgram(words: ["sync"], server: server, in: directory).finish().status, 0)
            }
            let rows = try XCTUnwrap(server.run("run1")).rows.map { $0["i"] }
            XCTAssertEqual(rows, (0...501).map { .int($0) }, "\(mode) \(recovers) \(outcome.error)")
        }
    }

    func testADamagedLogIsUploadedUpToTheDamage() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        _ = try HostProgram(
            """
            local run = require("wandb").init{project = "demo", id = "run1", mode = "offline"}
            for i = 0, 999 do run:log{i = i} end
            """, server: server, in: directory).finish()
        let folder = try FileManager.default.contentsOfDirectory(atPath: "\(directory.path)/wandb").first { $0.hasPrefix("offline") }
        let log = URL(fileURLWithPath: "\(directory.path)/wandb/\(folder ?? "")/run-run1.wandb")
        var bytes = [UInt8](try Data(contentsOf: log))
        let place = bytes.count / 2
        bytes[place] ^= 0xFF
        try Data(bytes).write(to: log)
        let outcome = try HostProgram(words: ["sync"], server: server, in: directory).finish()
        XCTAssertEqual(outcome.status, 1)
        let offset = try XCTUnwrap(outcome.out.firstMatch(of: /damaged at byte (\d+)/).flatMap { Int($0.1) }, outcome.out)
        XCTAssertLessThanOrEqual(offset, place)
        XCTAssertGreaterThan(offset, place - 32768)
        let rows = try XCTUnwrap(server.run("run1")).rows.map { $0["i"] }
        XCTAssertGreaterThan(rows.count, 300)
        XCTAssertEqual(rows, (0..<rows.count).map { .int(Int64($0)) })
    }

    func testTheServersRateLimitIsKept() throws {
        let server = try RecordingServer()
        server.inject(.headers(["RateLimit-Remaining": "1", "RateLimit-Reset": "0.4"]), times: .max) { $0.isStream }
        let outcome = try HostProgram(
            """
            local run = require("wandb").init{project = "demo", id = "run1"}
            for i = 1, 100 do run:log{i = i} end
            """, server: server, in: try Temporary(),
            environment: ["WANDB_X_FILE_STREAM_MAX_BYTES": "2000", "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "0.01"]
        ).finish()
        XCTAssertEqual(outcome.status, 0, outcome.error)
        XCTAssertEqual(server.run("run1")?.rows.count, 100)
        let times = server.requests.filter(\.isStream).map(\.time)
        XCTAssertGreaterThan(times.count, 3)
        for (earlier, later) in zip(times, times.dropFirst()) {
            XCTAssertGreaterThan(later.timeIntervalSince(earlier), 0.35)
        }
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

    /// What a server does not take waits in the file: the logger's memory does not grow with it.
    func testMemoryIsBoundedWhileTheServerIsStuck() throws {
        let server = try RecordingServer()
        server.inject(.slow(20), times: 100) { $0.isStream }
        let script = """
            local fs, wandb = require "fs", require "wandb"
            local function status(name) return tonumber(fs.read "/proc/self/status":match(name .. ":%s*(%d+)")) end
            collectgarbage()
            local before = status "VmRSS"
            local run = wandb.init{project = "demo", id = "stuck"}
            for i = 1, 100000 do
              run:log{loss = 1 / i, accuracy = 1 - 1 / i, lr = 0.001, epoch = i // 100, samples = i * 32}
              if i % 10000 == 0 then collectgarbage() end
            end
            print((status "VmHWM" - before) / 1024)
            """
        let outcome = try HostProgram(
            script, server: server, in: try Temporary(), environment: ["WANDB_FINISH_TIMEOUT": "0.5", "WANDB_X_DISABLE_STATS": "false"]
        ).finish(120)
        XCTAssertEqual(outcome.status, 0, outcome.error)
        let megabytes = try XCTUnwrap(Double(outcome.out.trimmingCharacters(in: .whitespacesAndNewlines)), outcome.out + outcome.error)
        XCTAssertLessThan(megabytes, 10)
        XCTAssertTrue(outcome.error.contains("host sync"), outcome.error)
    }

    /// After finish there are as many threads, open files and child processes as before init, and no file but the run's.
    func testNothingIsLeftBehind() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let script = """
            local fs, wandb, time = require "fs", require "wandb", require "time"
            local function usage()
              local open = 0
              for _, name in ipairs(fs.list "/proc/self/fd") do open = open + 1 end
              local children = fs.read("/proc/self/task/" .. fs.read("/proc/self/stat"):match("^%d+") .. "/children")
              return ("%s threads, %d files, children: %s"):format(fs.read("/proc/self/status"):match "Threads:%s*(%d+)", open, children)
            end
            local function run(id)
              local run = wandb.init{project = "demo", id = id, settings = {x_disable_stats = false}}
              for i = 1, 100 do run:log{i = i, picture = i == 50 and wandb.Histogram{1, 2, 3} or nil} end
              run:finish()
            end
            local before = usage()
            run "one"
            -- Threads that have ended are counted for a moment longer.
            for _ = 1, 100 do if usage() == before then break end time.sleep(0.02) end
            print(before == usage(), before, usage())
            """
        let outcome = try HostProgram(script, server: server, in: directory).finish()
        XCTAssertTrue(outcome.out.hasPrefix("true\t"), outcome.out + outcome.error)
        XCTAssertEqual(server.run("one")?.rows.count, 100)
        let left = try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        XCTAssertEqual(left.filter { $0 != "script.lua" }, ["wandb"], "also in the home folder, which is the same here")
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

// ioctls of Linux's terminals, which the system's headers compute and Swift does not see.
private let TIOCGPTN = 0x8004_5430
private let TIOCSPTLCK = 0x4004_5431

/// A program on a pseudo-terminal.
private final class Terminal: @unchecked Sendable {
    private let process = Process()
    private let master: Int32
    private var shown = Data()
    private let reader = DispatchGroup()

    init(_ binary: URL, _ words: [String], _ directory: Temporary, _ environment: [String: String]) throws {
        master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        var (number, locked): (UInt32, Int32) = (0, 0)
        guard master >= 0, ioctl(master, UInt(TIOCGPTN), &number) == 0, ioctl(master, UInt(TIOCSPTLCK), &locked) == 0 else {
            throw XCTSkip("there are no pseudo-terminals here")
        }
        let slave = FileHandle(fileDescriptor: open("/dev/pts/\(number)", O_RDWR | O_NOCTTY), closeOnDealloc: true)
        process.executableURL = binary
        process.arguments = words
        process.environment = environment.merging(HostProgram.sanitizer) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: directory.path)
        process.standardInput = slave
        process.standardOutput = slave
        process.standardError = slave
        try process.run()
        try slave.close()
        DispatchQueue.global().async(group: reader) { [self] in
            var piece = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = read(master, &piece, piece.count)
                if count <= 0 { return }
                shown.append(contentsOf: piece[..<count])
            }
        }
    }

    /// Each line once the program has asked for it, as a person would.
    func type(_ text: String) {
        for line in text.split(separator: "\n") {
            Thread.sleep(forTimeInterval: 0.5)
            let bytes = Array("\(line)\n".utf8)
            _ = bytes.withUnsafeBytes { write(master, $0.baseAddress, $0.count) }
        }
    }

    func finish() -> String {
        let end = Date().addingTimeInterval(30)
        while process.isRunning, Date() < end { Thread.sleep(forTimeInterval: 0.01) }
        if process.isRunning { process.terminate() }
        process.waitUntilExit()
        reader.wait()
        close(master)
        return String(decoding: shown, as: UTF8.self)
    }
}
