import Foundation
import LuaBridge
import XCTest

final class InterruptTests: XCTestCase {
    /// Interrupts from within, after some calls, and expects the code to end.
    private func assertStops(_ code: String, line: UInt = #line) throws {
        let f = try Fixture()
        var calls = 0
        try f.lua.module("clock") { [unowned lua = f.lua] m in
            try m.add(
                Declaration("tick()") { _ in
                    calls += 1
                    if calls == 100 { lua.interrupt(SIGINT) }
                })
        }
        let message = f.error("tick = require('clock').tick\n" + code)
        XCTAssertTrue(message.contains("interrupted"), message, line: line)
        XCTAssertEqual(f.lua.interrupted, SIGINT, line: line)
        XCTAssertLessThan(calls, 200, "went on after the interrupt", line: line)
        f.lua.clearInterrupt()
        XCTAssertEqual(try f.run("local n = 0 for i = 1, 1000 do n = n + 1 end return n").asInt, 1000, line: line)
    }

    func testLoops() throws {
        try assertStops("while true do tick() end")
        try assertStops("while true do pcall(tick) end")
        try assertStops("while true do pcall(function() while true do tick() end end) end")
        try assertStops("while true do xpcall(tick, function(e) return e end) end")
        try assertStops("local function f() tick() return f() end f()")
        try assertStops("for i = 1, 99 do tick() end local ok = pcall(tick) while true do end")
    }

    func testCoroutines() throws {
        try assertStops("local co = coroutine.wrap(function() while true do tick() coroutine.yield() end end) while true do co() end")
        try assertStops("while true do coroutine.resume(coroutine.create(function() for i = 1, 10 do tick() end end)) end")
        try assertStops(
            "local co = coroutine.create(function() for i = 1, 99 do tick() end pcall(tick) while true do end end) while true do coroutine.resume(co) end")
        try assertStops("box.call(function() while true do pcall(box.call, tick) end end)")
        try assertStops("while true do local c <close> = setmetatable({}, {__close = function() pcall(tick) end}) end")
    }

    func testClosingCode() throws {
        let close = "local c <close> = setmetatable({}, {__close = function() for i = 1, 99 do tick() end pcall(tick) while true do end end})"
        try assertStops("local co = coroutine.create(function() \(close) coroutine.yield() end) coroutine.resume(co) coroutine.close(co)")
        try assertStops("local co = coroutine.wrap(function() \(close) error('x') end) pcall(co) while true do end")
    }

    func testExitHooksRunOnce() throws {
        let lua = try Lua()
        var order: [String] = []
        lua.atExit { order.append("first \($0)") }
        lua.atExit { order.append("second \($0)") }
        lua.runExitHooks(status: 130)
        lua.runExitHooks(status: 0)
        XCTAssertEqual(order, ["second 130", "first 130"])
    }

    /// From another thread by a real signal, in a loop that calls nothing.
    func testSignal() throws {
        let f = try Fixture()
        f.lua.handleSignals()
        let lua = pthread_self()
        for code in ["while true do end", "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()"] {
            // The handler forwards to Lua's thread from whichever thread the signal reaches.
            let target = Sent(thread: lua)
            Thread.detachNewThread {
                usleep(50_000)
                pthread_kill(target.thread, SIGTERM)
            }
            XCTAssertTrue(f.error(code).contains("terminated"))
            XCTAssertEqual(f.lua.interrupted, SIGTERM)
            f.lua.clearInterrupt()
        }
    }

    /// As threads of the W&B client do, which look at it while a transfer waits.
    func testOtherThreadsSeeAnInterrupt() throws {
        let f = try Fixture()
        let flag = f.lua.interruptFlag
        XCTAssertFalse(flag.isSet)
        let seen = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            while !flag.isSet {}
            seen.signal()
        }
        usleep(20_000)
        f.lua.interrupt(SIGINT)
        XCTAssertEqual(seen.wait(timeout: .now() + 30), .success)
        f.lua.clearInterrupt()
        XCTAssertFalse(flag.isSet)
    }

    /// As the thread that watches files does, at whatever moment of one run or the next.
    func testAnotherThreadStopsOneScriptAfterAnother() throws {
        let lasts = DispatchSemaphore(value: 0), ended = DispatchSemaphore(value: 0)
        let first = try Fixture()
        first.lua.handleSignals()
        Thread.detachNewThread {
            while lasts.wait(timeout: .now() + 0.0002) == .timedOut { Lua.stopRunningScript() }
            ended.signal()
        }
        var stopped = 0
        for _ in 0..<200 {
            let f = try Fixture()
            f.lua.handleSignals()
            let message = f.error("for i = 1, 100000 do box.new(i) end error('done')")
            XCTAssertTrue(message.contains("interrupted") || message.contains("done"), message)
            if f.lua.interrupted == Lua.stopSignal { stopped += 1 }
            f.lua.clearInterrupt()
        }
        lasts.signal()
        ended.wait()
        XCTAssertGreaterThan(stopped, 0)
    }

    private struct Sent: @unchecked Sendable {
        let thread: pthread_t
    }
}
