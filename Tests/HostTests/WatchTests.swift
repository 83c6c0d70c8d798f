import Foundation
import NN
import XCTest
import host

/// A program that goes on while the test changes files: what it printed so far can be asked for.
private final class LiveProcess: @unchecked Sendable {
    private let process = Process()
    private let lock = NSLock()
    private var text = ""
    /// Where the next `wait` begins to look.
    private var position = 0

    init(_ arguments: [String], folder: URL, environment: [String: String] = [:]) throws {
        process.executableURL = HostProcess.binary
        process.arguments = arguments
        process.currentDirectoryURL = folder
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        pipe.fileHandleForReading.readabilityHandler = { [weak self] handle in
            let piece = String(decoding: handle.availableData, as: UTF8.self)
            self?.lock.withLock { self?.text += piece }
        }
        try process.run()
    }

    /// The stacks of its threads: those that run, and those of threads that ended and that nobody waited for.
    func stacks() throws -> Int {
        try String(contentsOfFile: "/proc/\(process.processIdentifier)/maps", encoding: .utf8).split(separator: "\n").filter {
            // Below each lies a page that cannot be touched, and that belongs to no file.
            let words = $0.split(separator: " "), ends = words[0].split(separator: "-").compactMap { Int($0, radix: 16) }
            return words[1] == "---p" && words[4] == "0" && ends[1] - ends[0] == 4096
        }.count
    }

    deinit { if process.isRunning { process.terminate() } }

    /// Waits until the text appears after what was waited for before; gives what stands before it.
    func wait(_ wanted: String, seconds: Double = 20, line: UInt = #line) throws -> String {
        let end = Date().addingTimeInterval(seconds * HostProcess.patience)
        while Date() < end {
            let found = lock.withLock { () -> String? in
                let rest = text.dropFirst(position)
                guard let range = rest.range(of: wanted) else { return nil }
                position += rest.distance(from: rest.startIndex, to: range.upperBound)
                return String(rest[..<range.lowerBound])
            }
            if let found { return found }
            usleep(5000)
        }
        XCTFail("no '\(wanted)' in:\n\(lock.withLock { text })", line: line)
        throw CocoaError(.featureUnsupported)
    }

    /// The status, after a signal or by itself.
    func end(_ signal: Int32? = nil) -> Int32 {
        if let signal { kill(process.processIdentifier, signal) }
        process.waitUntilExit()
        return process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
    }
}

final class WatchTests: XCTestCase {
    private let plain = ["WANDB_MODE": "offline", "HOST_PROGRESS": "0"]
    private let script = """
        local m, wandb, fs = require "m", require "wandb", require "fs"
        local run = wandb.init{project = "p", dir = "."}
        run:log{loss = m.loss, fixed = 1}
        print("step " .. m.loss)
        while m.endless do pcall(function() while true do end end) end
        """

    func testModulesAreWatchedAndMetricsCompared() throws {
        let scratch = try Scratch()
        try scratch.write("s.lua", script)
        try scratch.write("lib/m.lua", "local n = 1\nreturn {loss = 0.5}\n")
        let live = try LiveProcess(["--watch", "s.lua"], folder: scratch.url, environment: plain)
        _ = try live.wait("step 0.5\n")
        _ = try live.wait("watching 2 files")
        // As editors do: a new file takes the old one's name.
        let fresh = try scratch.write("lib/.m.swp", "local n = 1\nreturn {loss = 0.25}\n")
        XCTAssertEqual(rename(fresh, scratch.url.path + "/lib/m.lua"), 0)
        let diff = try live.wait("starting again")
        XCTAssertTrue(diff.hasSuffix("lib/m.lua:2\n- return {loss = 0.5}\n+ return {loss = 0.25}\nhost: "), diff)
        _ = try live.wait("step 0.25\n")
        let table = try live.wait("watching 2 files")
        let lines = table.split(separator: "\n").map { $0.split(separator: " ").map(String.init) }
        XCTAssertTrue(lines.contains(["loss", "0.5", "0.25", "-0.25"]), table)
        XCTAssertTrue(lines.contains(["fixed", "1", "1"]), table)
        XCTAssertFalse(table.contains("_runtime"), table)
        XCTAssertFalse(table.contains("\u{1B}"), "no colours in a pipe")
        XCTAssertEqual(live.end(SIGINT), 130)
    }

    func testRunningScriptIsStoppedAndMistakesAreSurvived() throws {
        let scratch = try Scratch()
        try scratch.write("s.lua", script)
        try scratch.write("m.lua", "return {loss = 1, endless = true}")
        let live = try LiveProcess(["--watch", "s.lua"], folder: scratch.url, environment: plain)
        _ = try live.wait("step 1\n")
        try scratch.write("m.lua", "return {loss = ")
        _ = try live.wait("the run was stopped\n")
        _ = try live.wait("m.lua:1: unexpected symbol near <eof>")
        _ = try live.wait("ended with status 1")
        _ = try live.wait("watching 2 files")
        // The same contents again are no change; the next ones are.
        try scratch.write("m.lua", "return {loss = ")
        try scratch.write("m.lua", "return {loss = 3, endless = true}")
        let between = try live.wait("step 3\n")
        XCTAssertEqual(between.components(separatedBy: "starting again").count, 2, between)
        XCTAssertEqual(live.end(SIGINT), 130)
        // The run that was stopped is whole: it says how it ended, and that another took its place.
        let runs = try FileManager.default.contentsOfDirectory(atPath: scratch.url.path + "/wandb").filter { $0.hasPrefix("offline-run") }
        XCTAssertEqual(runs.count, 2)
        var superseded = 0
        for run in runs {
            let files = scratch.url.path + "/wandb/\(run)/files"
            XCTAssertTrue(FileManager.default.fileExists(atPath: files + "/wandb-summary.json"))
            let log = try Data(contentsOf: scratch.url.appendingPathComponent("wandb/\(run)/run-\(run.suffix(8)).wandb"))
            if log.range(of: Data("superseded by a later run".utf8)) != nil { superseded += 1 }
        }
        XCTAssertEqual(superseded, 1, "the last one was ended by a person")
    }

    /// Of a run that was stopped for a newer version nothing is left, however often.
    func testRunsThatWereStoppedLeaveNoThreads() throws {
        #if os(Linux)
        let scratch = try Scratch()
        try scratch.write("s.lua", script)
        try scratch.write("m.lua", "return {loss = 0, endless = true}")
        let live = try LiveProcess(["--watch", "s.lua"], folder: scratch.url, environment: plain)
        _ = try live.wait("step 0\n")
        var stacks: [Int] = []
        for save in 1...12 {
            try scratch.write("m.lua", "return {loss = \(save), endless = true}")
            _ = try live.wait("step \(save)\n")
            stacks.append(try live.stacks())
        }
        XCTAssertEqual(live.end(SIGINT), 130)
        // ThreadSanitizer looks for such threads itself, and lays stacks out in its own way.
        if HostProcess.sanitizer.isEmpty { XCTAssertGreaterThan(stacks[0], 0) }
        XCTAssertLessThan(stacks[11], stacks[3] + 3, "\(stacks)")
        #endif
    }

    func testLeavingAScriptDoesNotLeaveWatching() throws {
        let scratch = try Scratch()
        try scratch.write("s.lua", "local c = coroutine.wrap(function() pcall(os.exit, 4) print('no') end) c() print('no')")
        let live = try LiveProcess(["--watch", "s.lua"], folder: scratch.url)
        XCTAssertEqual(try live.wait("host: ended with status 4"), "")
        _ = try live.wait("watching 1 file")
        try FileManager.default.removeItem(atPath: scratch.url.path + "/s.lua")
        usleep(50_000)
        try scratch.write("s.lua", "print('back', require('tensor').rand(1):item() == require('tensor').rand(1):item())")
        _ = try live.wait("back\tfalse\n")
        XCTAssertEqual(live.end(SIGTERM), 143)
    }

    /// A signal that comes when the script is just over ends the watch too, and in order.
    func testASignalBetweenTwoRunsIsNotLost() throws {
        let scratch = try Scratch()
        try scratch.write("late.lua", "kept = setmetatable({}, {__gc = function() os.execute('kill -TERM $PPID') end})")
        XCTAssertEqual(try LiveProcess(["--watch", "late.lua"], folder: scratch.url).end(), 143)
        try scratch.write("s.lua", "print('over')")
        for attempt in 0..<12 {
            let live = try LiveProcess(["--watch", "s.lua"], folder: scratch.url)
            _ = try live.wait("over\n")
            usleep(UInt32(attempt) * 100)
            XCTAssertEqual(live.end(SIGTERM), 143)
        }
    }

    /// Every run begins with the same random numbers, as a fresh process does.
    func testEachRunBeginsAnew() throws {
        let scratch = try Scratch()
        try scratch.write("s.lua", "print(require('tensor').rand(1):item(), x) x = 1 -- 1")
        let live = try LiveProcess(["--watch", "s.lua"], folder: scratch.url)
        let first = try live.wait("host: done")
        _ = try live.wait("watching")
        try scratch.write("s.lua", "print(require('tensor').rand(1):item(), x) x = 1 -- 2")
        _ = try live.wait("starting again\n")
        XCTAssertEqual(try live.wait("host: done"), first)
        XCTAssertTrue(first.hasSuffix("\tnil\n"), first)
        XCTAssertEqual(live.end(SIGINT), 130)
    }

    /// A script that is no Lua when watching begins is waited for.
    func testAScriptThatIsNoLuaYet() throws {
        let scratch = try Scratch()
        try scratch.write("s.lua", "print('never'\n")
        let live = try LiveProcess(["--watch", "s.lua"], folder: scratch.url)
        _ = try live.wait("s.lua:2: ')' expected (to close '(' at line 1) near <eof>")
        _ = try live.wait("watching 1 file")
        try scratch.write("s.lua", "print('now')\n")
        _ = try live.wait("starting again\n")
        XCTAssertEqual(try live.wait("host: done"), "now\n")
        XCTAssertEqual(live.end(SIGINT), 130)
    }

    /// Decoded data is used again while its file is the same by name, size and time of change; what the run wrote stays.
    func testDataAndCheckpointsStay() throws {
        let scratch = try Scratch()
        func data(_ value: UInt8, _ time: TimeInterval) throws {
            let path = scratch.url.path + "/d.idx"
            try Data([0, 0, 8, 1, 0, 0, 0, 3, value, value, value]).write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.modificationDate: Date(timeIntervalSince1970: time)], ofItemAtPath: path)
        }
        func script(_ mark: Int) throws {
            try scratch.write(
                "s.lua",
                """
                local nn, fs = require "nn", require "fs"
                local before = fs.exists "c.ckpt" and nn.load_checkpoint("c.ckpt", {}).mark or "none"
                print("sum " .. require("data").idx("d.idx"):sum():item() .. " before " .. before)
                nn.save_checkpoint("c.ckpt", {mark = \(mark)})
                print "waiting"
                while true do end
                """)
        }
        try data(1, 1_700_000_000)
        try script(1)
        let live = try LiveProcess(["--watch", "s.lua"], folder: scratch.url)
        _ = try live.wait("sum 3 before none\nwaiting\n")
        try data(2, 1_700_000_000)
        try script(2)
        _ = try live.wait("sum 3 before 1\nwaiting\n")
        try data(2, 1_700_000_100)
        try script(3)
        _ = try live.wait("sum 6 before 2\nwaiting\n")
        XCTAssertEqual(live.end(SIGINT), 130)
    }

    func testUsage() throws {
        XCTAssertEqual(try HostProcess.run(["--watch"]).status, 2)
        XCTAssertEqual(try HostProcess.run(["--watch", "-i", "s.lua"]).status, 2)
    }

    func testDataStaysUntilFilesOrMemoryChange() throws {
        let scratch = try Scratch()
        let path = try scratch.write("a", "1")
        let cache = DataCache()
        var loads = 0
        func load() throws -> Tensor {
            try cache.value("k", files: [path]) {
                loads += 1
                return try Tensor.zeros(Shape([3]), .uint8)
            } tensors: { [$0] }
        }
        _ = (try load(), try load())
        XCTAssertEqual(loads, 2, "only a watched script keeps data")
        cache.isEnabled = true
        cache.beginRun()
        _ = (try load(), try load())
        XCTAssertEqual(loads, 3)
        cache.beginRun()
        let seen = try load().detached()
        try seen.assign(try Tensor.ones(Shape([3]), .uint8), "fill_")
        XCTAssertEqual(try load().sum().item(), .int(0), "a script wrote into it: it is read again")
        XCTAssertEqual(loads, 4)
        try scratch.write("a", "22")
        _ = try load()
        XCTAssertEqual(loads, 5, "another file of the same name")
        for _ in 0..<3 { cache.beginRun() }
        _ = try load()
        XCTAssertEqual(loads, 6, "what two runs did not use is let go")
    }
}
