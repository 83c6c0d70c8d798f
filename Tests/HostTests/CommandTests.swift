import Foundation
import XCTest

final class CommandTests: XCTestCase {
    private func assertRun(
        _ arguments: [String], input: String? = nil, status: Int32 = 0, out: String = "", error: String = "",
        line: UInt = #line
    ) throws {
        let outcome = try HostProcess.run(arguments, input: input)
        XCTAssertEqual(outcome.status, status, outcome.error, line: line)
        XCTAssertEqual(outcome.out, out, line: line)
        if error.isEmpty { XCTAssertEqual(outcome.error, "", line: line) } else {
            XCTAssertTrue(outcome.error.contains(error), outcome.error, line: line)
        }
    }

    func testCodeAndModulesInOrder() throws {
        try assertRun(["-e", "x = 1", "-e", "print(x + 1)"], out: "2\n")
        try assertRun(["-l", "time", "-e", "print(time.now() > 1e9)"], out: "true\n")
        try assertRun(["-e", "print(time)", "-ltime", "-eprint(time ~= nil)"], out: "nil\ntrue\n")
        try assertRun(["-l", "t=time", "-e", "print(t.now() > 1e9, time)"], out: "true\tnil\n")
        try assertRun(["-e", ""])
    }

    func testScriptAndItsArguments() throws {
        let scratch = try Scratch()
        let script = try scratch.write("s.lua", "#!/usr/bin/env host\nprint(arg[0] == '\(scratch.url.path)/s.lua', #arg, arg[1], arg[-1], ...)")
        try assertRun([script, "-e", "b"], out: "true\t2\t-e\t\(HostProcess.binary.path)\t-e\tb\n")
        try assertRun(["--", script, "1"], out: "true\t1\t1\t--\t1\n")
    }

    func testStandardInput() throws {
        try assertRun([], input: "print('in', ...)", out: "in\n")
        try assertRun(["-", "a", "b"], input: "print(arg[0], ...)", out: "-\ta\tb\n")
        try assertRun([], input: "error('x')", status: 1, error: "host: stdin:1: x\nstack traceback:")
    }

    func testErrors() throws {
        let scratch = try Scratch()
        try assertRun(["scripts/nothing.lua"], status: 1, error: "host: cannot open scripts/nothing.lua\n")
        try assertRun([scratch.url.path], status: 1, error: "host: cannot open")
        try assertRun(["--thread"], status: 2, error: "host: unknown option '--thread'; did you mean '--threads'?")
        try assertRun(["-e"], status: 2, error: "option -e needs a value")
        try assertRun(["--threads", "many"], status: 2, error: "--threads takes a number")
        let wrong = try scratch.write("wrong.lua", "local x =\n\nreturn")
        try assertRun([wrong], status: 1, error: "wrong.lua:3: unexpected symbol near 'return'")
        try scratch.write("failing.lua", "local function f()\n  local t = nil\n  return t.x\nend\nf()")
        let outcome = try HostProcess.run(["failing.lua"], folder: scratch.url)
        XCTAssertEqual(outcome.status, 1)
        XCTAssertTrue(outcome.error.hasPrefix("host: failing.lua:3: attempt to index a nil value"), outcome.error)
        XCTAssertTrue(outcome.error.contains("failing.lua:5: in main chunk"), outcome.error)
        try assertRun(["-e", "error({})"], status: 1, error: "host: table: 0x")
        try assertRun(["-e", "error(setmetatable({}, {__tostring = function() return 'E!' end}))"], status: 1, error: "host: E!")
        try assertRun(["-e", "error()"], status: 1, error: "host: nil")
    }

    func testVersionAndHelp() throws {
        let version = try HostProcess.run(["--version"])
        XCTAssertEqual(version.status, 0)
        XCTAssertTrue(version.out.hasPrefix("host "), version.out)
        XCTAssertTrue(version.out.contains("Lua 5.4"))
        XCTAssertEqual(try HostProcess.run(["-v", "-e", "print(1)"]).out, version.out + "1\n")
        XCTAssertTrue(try HostProcess.run(["-h"]).out.hasPrefix("usage: host"))
    }

    func testModulesAreFoundBesideTheScript() throws {
        let scratch = try Scratch()
        for (file, text) in [("a.lua", "beside"), ("lib/b.lua", "lib"), ("lib/a.lua", "wrong"), ("other/c.lua", "path"), ("other/a.lua", "wrong")] {
            try scratch.write(file, "return '\(text)'")
        }
        let script = try scratch.write("s.lua", "print(require 'a', require 'b', require 'c')")
        let outcome = try HostProcess.run(
            [script], environment: ["LUA_PATH": scratch.url.path + "/other/?.lua"])
        XCTAssertEqual(outcome.out.split(separator: "\t").map { $0.split(separator: " ")[0] }.prefix(3), ["beside", "lib", "path"], outcome.error)
        let here = try HostProcess.run(["s.lua"], folder: scratch.url, environment: ["LUA_PATH": "other/?.lua"])
        XCTAssertEqual(here.status, 0, here.error)
    }

    func testBinaryChunksAreRefused() throws {
        let scratch = try Scratch()
        let path = scratch.url.path + "/b.lua"
        let made = try HostProcess.run(["-e", "io.open('\(path)', 'wb'):write(string.dump(function() print('ran') end)):close()"])
        XCTAssertEqual(made.status, 0, made.error)
        try assertRun([path], status: 1, error: "attempt to load a binary chunk")
        try assertRun(["-e", "package.path = '\(path)' require 'x'"], status: 1, error: "binary chunk")
        try assertRun(["-e", "assert(load(string.dump(print and function() end)))"], status: 1, error: "binary chunk")
    }

    func testExit() throws {
        try assertRun(["-e", "os.exit(7)"], status: 7)
        try assertRun(["-e", "io.write('kept') os.exit(false)"], status: 1, out: "kept")
        try assertRun(["-e", "os.exit(true)", "-e", "print('not reached')"])
        try assertRun(["-e", "setmetatable({}, {__gc = function() print('closed') end}) os.exit(0)"], out: "closed\n")
        try assertRun(["-e", "coroutine.wrap(function() pcall(os.exit, 3) end)()"], status: 3)
        try assertRun(["-e", "setmetatable({}, {__gc = function() print('closed') end})"], out: "closed\n")
    }

    func testOutputKeepsItsOrder() throws {
        try assertRun(["-e", "io.write('a ') help('nothing at all') io.write('b') print()"],
            out: "a no help for 'nothing at all'; help() lists the modules\nb\n")
    }

    func testSignals() throws {
        for (code, number, status) in [
            ("while true do end", SIGINT, Int32(130)), ("while true do pcall(function() while true do end end) end", SIGINT, 130),
            ("coroutine.wrap(function() while true do end end)()", SIGTERM, 143),
            ("local t = require 'time' while true do pcall(t.sleep, 10) end", SIGTERM, 143),
        ] {
            let outcome = try HostProcess.run(["-e", code], signal: (number, 0.3))
            XCTAssertEqual(outcome.status, status, "\(code): \(outcome.error)")
            XCTAssertTrue(outcome.error.contains(number == SIGINT ? "interrupted" : "terminated"), outcome.error)
        }
    }

    /// A script that asks for it is not stopped at once: it ends at a place that suits it, or when its time is over.
    func testSIGTERMWithGrace() throws {
        let polite = try HostProcess.run(
            ["-e", "local cli = require 'cli' repeat until cli.stop_requested() print('saved') os.exit(143)"], signal: (SIGTERM, 0.3))
        XCTAssertEqual(polite.status, 143, polite.error)
        XCTAssertEqual(polite.out, "saved\n")
        let deaf = try HostProcess.run(
            ["-e", "local cli = require 'cli' cli.stop_requested(0.2) while true do pcall(function() while true do end end) end"], signal: (SIGTERM, 0.3))
        XCTAssertEqual(deaf.status, 143, deaf.error)
        XCTAssertTrue(deaf.error.contains("terminated"), deaf.error)
        let finisher = try HostProcess.run(
            ["-e", "local cli = require 'cli' repeat until cli.stop_requested(0.1) setmetatable({}, {__gc = function() require('time').sleep(0.3) print('closed') end}) os.exit(143)"],
            signal: (SIGTERM, 0.3))
        XCTAssertEqual(finisher.status, 143, finisher.error)
    }

    func testSession() throws {
        let outcome = try HostProcess.run(["-i"], input: "1 + 1\nx = 5\nfor i = 1, 2 do\nprint(i)\nend\nx, nil\nerror('e')\njson.encode{1}\n")
        XCTAssertEqual(outcome.status, 0)
        for text in ["2\n", "1\n2\n", "5\nnil\n", "\"[1]\"\n"] { XCTAssertTrue(outcome.out.contains(text), outcome.out) }
        XCTAssertTrue(outcome.error.contains("stdin:1: e"), outcome.error)
    }
}
