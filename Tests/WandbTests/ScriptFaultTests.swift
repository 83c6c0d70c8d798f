import Foundation
import Wandb
import XCTest

/// What scripts see when the server, the disk or the log fails.
final class ScriptFaultTests: XCTestCase {
    private let quick = ["WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "0.05"]

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
}
