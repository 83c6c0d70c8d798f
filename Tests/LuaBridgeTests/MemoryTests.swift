import LuaBridge
import XCTest

/// A native type that reports what it holds.
private final class Block {
    let bytes: Int
    let counters: UnsafeMutablePointer<Int>  // allocated, live
    init(_ bytes: Int, _ counters: UnsafeMutablePointer<Int>) {
        self.bytes = bytes
        self.counters = counters
        counters[0] += bytes
        counters[1] += bytes
    }
    deinit { counters[1] -= bytes }
}

final class MemoryTests: XCTestCase {
    /// What a function or a hook holds may be the Lua state itself: closing lets go of both.
    func testAClosedStateIsNoCycle() throws {
        weak var left: Lua?
        do {
            let lua = try Lua()
            left = lua
            try lua.module("cycle", "cycle\nHolds what it belongs to.") { m in try m.add(Declaration("f()\nDoes nothing.") { _ in _ = lua }) }
            lua.atExit { _ in _ = lua }
            lua.onOpeningFile { _ in _ = lua }
            lua.preludeSource = { _ in _ = lua; return nil }
            try lua.run("f = require 'cycle'.f; f(); setmetatable({}, {__gc = function() f() end})")
            lua.close()
        }
        XCTAssertNil(left)
    }

    /// Runs every kind of operation with each allocation of Lua's failing in turn.
    func testEveryAllocationMayFail() throws {
        let script = """
            local b = box.new(1)
            local t = {box.echo({1, {2, "x"}, k = "v"}), box.range(3), box.view(b, 1, 2), b + 1, b:plus(b), box.minmax(b, b)}
            local ok, e = pcall(box.fail, "message that is made anew " .. #t)
            local ok2, e2 = pcall(box.call, error, {1})
            local co = coroutine.wrap(function(x) local y = coroutine.yield(box.text(100) .. x) box.fail(y) end)
            co("a")
            local ok3, e3 = pcall(co, "b")
            box.sum(b, {keepdim = true})
            pcall(box.sum, b, {keepdims = true})
            local s = tostring(b) .. b.twin.value
            return box.call(function(...) return select("#", ...) end, 1, "two", {3})
            """
        let alive = Box.alive
        var completed = 0, failed = 0
        for n in 0..<2000 {
            let f = try Fixture()
            let chunk = try f.lua.load(script, name: "@test.lua")
            let height = f.lua.stackHeight
            f.lua.failAllocation(after: n)
            do {
                let results = try f.lua.call(chunk)
                f.lua.failAllocation(after: nil)
                XCTAssertEqual(results.first?.asInt, 3)
                completed += 1
            } catch {
                f.lua.failAllocation(after: nil)
                failed += 1
                XCTAssertTrue("\(error)".contains("memory"), "\(n): \(error)")
            }
            XCTAssertEqual(f.lua.stackHeight, height, "after failure \(n)")
            // The state still works.
            XCTAssertEqual(try f.run("return box.new(2).value").asNumber, 2, "after failure \(n)")
            if completed > 20 { break }
        }
        XCTAssertGreaterThan(failed, 50)
        XCTAssertGreaterThan(completed, 0)
        XCTAssertEqual(Box.alive, alive)
    }

    func testStateThatDoesNotFitIsAnError() {
        XCTAssertThrowsError(try Lua(heapLimit: 1000))
        XCTAssertThrowsError(try Lua(heapLimit: 20_000))
    }

    func testHeapLimit() throws {
        let f = try Fixture(heapLimit: 4 << 20)
        XCTAssertTrue(f.error("local t = {} for i = 1, 1e7 do t[i] = {} end").contains("not enough memory"))
        XCTAssertEqual(try f.run("return 1 + 1").asInt, 2)
    }

    /// A loop that makes big objects stays small without a word to the collector.
    func testNativeMemoryIsBounded() throws {
        let counters = UnsafeMutablePointer<Int>.allocate(capacity: 2)
        counters.initialize(repeating: 0, count: 2)
        defer { counters.deallocate() }
        do {
            let lua = try Lua()
            let type = UserdataType(lua, "Block", kind: "block", Block.self)
            var peak = 0
            try type.build { _ in }
            try lua.module("block") { [unowned type] m in
                try m.add(
                    Declaration("new(bytes: int) -> block", returns: type) { call in
                        try call.push(Block(call.int(0), counters), type)
                        peak = max(peak, counters[1])
                    })
            }
            lua.countNativeMemory(allocated: counters, live: counters + 1, budget: 1 << 30)
            for (bytes, count) in [(400_000, 20_000), (4_000, 200_000), (20_000_000, 300), (100, 300_000)] {
                peak = 0
                try lua.run("local new = require('block').new for i = 1, \(count) do local t = new(\(bytes)) end")
                XCTAssertLessThan(peak, 100 << 20, "\(count) blocks of \(bytes) bytes")
            }
            // What the script holds on to stays, and the budget does not make it collect for ever.
            try lua.run("kept = {} for i = 1, 400 do kept[i] = require('block').new(4000000) end")
            XCTAssertGreaterThanOrEqual(counters[1], 1_600_000_000)
            // With the collector stopped by the script, the budget still holds.
            try lua.run("kept = nil collectgarbage() collectgarbage('stop')")
            peak = 0
            try lua.run("for i = 1, 4000 do local t = require('block').new(4000000) end")
            XCTAssertLessThan(peak, 3 << 30)
        }
        XCTAssertEqual(counters[1], 0)
    }

    func testClosingTheStateReleasesEverything() throws {
        let alive = Box.alive
        do {
            let f = try Fixture()
            try f.run("held = box.range(100) held.co = coroutine.wrap(function() local b = box.new(1) coroutine.yield(b) end) held.co()")
            let function = try f.run("return function() return held end").asReference
            let value = try f.run("return box.new(7)")
            XCTAssertEqual(f.type.object(value)?.value, 7)
            _ = function
        }
        XCTAssertEqual(Box.alive, alive)
    }

    func testReferencesAreReleased() throws {
        let f = try Fixture()
        let before = Box.alive
        for _ in 0..<100 { _ = try f.run("local b = box.new(1) return function() return b end") }
        try f.run("return 1 + box.lr()")  // a native call lets go of what is pending
        f.lua.collect()
        f.lua.collect()
        XCTAssertEqual(Box.alive, before)
    }

    func testReferencesMayDieOnOtherThreads() throws {
        let f = try Fixture()
        var references: [LuaReference] = []
        for _ in 0..<100 { references.append(try XCTUnwrap(f.run("local b = box.new(1) return function() return b end").asReference)) }
        let taken = references
        references = []
        let done = expectation(description: "released")
        Thread.detachNewThread { [taken] in
            withExtendedLifetime(taken) {}
            done.fulfill()
        }
        wait(for: [done], timeout: 10)
    }
}
