import LuaBridge
import XCTest

final class ErrorTests: XCTestCase {
    func testErrorStormLeavesNothing() throws {
        let f = try Fixture()
        let before = Box.alive
        let height = f.lua.stackHeight
        try f.run(
            """
            for i = 1, 1000 do
              assert(not pcall(box.fail, "m" .. i))
              assert(not pcall(box.call, error, {i}))
              assert(not pcall(box.call, box.fail, "inner"))
              assert(not pcall(box.sum, "x"))
              assert(not pcall(box.new, {}, {nope = 1}))
              assert(not pcall(function() return box.new(1).nope end))
              assert(not pcall(function() box.new(1).twin = 1 end))
            end
            """)
        f.lua.collect()
        f.lua.collect()
        XCTAssertEqual(Box.alive, before)
        XCTAssertEqual(f.lua.stackHeight, height)
    }

    func testFailingCallsFromSwiftLeaveTheStackAlone() throws {
        let f = try Fixture()
        let height = f.lua.stackHeight
        for _ in 0..<1000 {
            XCTAssertThrowsError(try f.run("error('x')"))
            XCTAssertThrowsError(try f.run("return }"))
            XCTAssertThrowsError(try f.lua.require("nothing"))
            XCTAssertThrowsError(try f.run("local t = {} t.t = t return t"))
        }
        XCTAssertEqual(f.lua.stackHeight, height)
    }

    func testErrorValuesPassUnchanged() throws {
        let f = try Fixture()
        try f.run(
            """
            local values = {{code = 7}, box.new(3), 42, true, print, coroutine.create(print), setmetatable({}, {__tostring = error})}
            for _, v in ipairs(values) do
              local ok, e = pcall(box.call, error, v)
              assert(not ok and rawequal(e, v))
              ok, e = pcall(box.call, box.call, error, v)
              assert(not ok and rawequal(e, v))
            end
            local ok, e = pcall(box.call, error, nil)
            assert(not ok and e == nil)
            local function nest(n) if n == 0 then error(values[1]) end return box.call(nest, n - 1) end
            ok, e = pcall(nest, 8)
            assert(not ok and rawequal(e, values[1]))
            """)
        XCTAssertEqual(f.error("error(setmetatable({}, {__tostring = function() return 'mine' end}))"), "mine")
    }

    func testTracebackReachesTheFailingLine() throws {
        let f = try Fixture()
        do {
            try f.run("local function deep()\n  error('here')\nend\nbox.call(function()\n  deep()\nend)")
            XCTFail("no error")
        } catch let error as LuaError {
            XCTAssertEqual(error.message, "test.lua:2: here")
            let traceback = try XCTUnwrap(error.traceback)
            for place in ["test.lua:2: in", "test.lua:5: in", "test.lua:4: in main chunk"] {
                XCTAssertTrue(traceback.contains(place), "\(place) in \(traceback)")
            }
        }
    }

    func testCoroutineErrorKeepsItsPlace() throws {
        let f = try Fixture()
        do {
            try f.run("local function deep()\n  box.fail('c')\nend\nlocal co = coroutine.wrap(function() deep() end)\nco()")
            XCTFail("no error")
        } catch let error as LuaError {
            XCTAssertEqual(error.message, "test.lua:2: box.fail: c")
            XCTAssertTrue(try XCTUnwrap(error.traceback).contains("test.lua:2: in"), error.traceback ?? "")
        }
    }

    func testCoroutines() throws {
        let f = try Fixture()
        try f.run(
            """
            local co = coroutine.wrap(function(a)
              local b = coroutine.yield(box.new(a).value)
              error("in coroutine " .. b)
            end)
            assert(co(5) == 5.0)
            local ok, e = pcall(co, 6)
            assert(not ok and e == "test.lua:3: in coroutine 6", e)
            -- a native function cannot be suspended: a clean error, and the state stays usable
            co = coroutine.create(function() return box.call(coroutine.yield, 1) end)
            ok, e = coroutine.resume(co)
            assert(not ok and e:find("yield across"), e)
            assert(coroutine.status(co) == "dead")
            -- errors, natives and callbacks inside nested coroutines
            local function level(n)
              if n == 0 then box.fail("bottom") end
              local ok, e = coroutine.resume(coroutine.create(function() return box.call(level, n - 1) end))
              error(e, 0)
            end
            ok, e = pcall(level, 5)
            assert(not ok and e == "test.lua:15: box.fail: bottom", e)
            -- closing variables of a coroutine that failed
            local closed = 0
            co = coroutine.wrap(function()
              local x <close> = setmetatable({}, {__close = function() closed = closed + 1 end})
              box.fail("x")
            end)
            assert(not pcall(co) and closed == 1)
            co = coroutine.wrap(function()
              local x <close> = setmetatable({}, {__close = function() error("from close", 0) end})
              error("first")
            end)
            ok, e = pcall(co)
            assert(not ok and e == "from close", e)
            ok, e = pcall(co)
            assert(not ok and e:find("dead coroutine"), e)
            assert(select("#", coroutine.resume(coroutine.create(function() end))) == 1)
            ok, e = coroutine.resume(coroutine.running())
            assert(not ok and e:find("non%-suspended"), e)
            co = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() error("c", 0) end}) coroutine.yield() end)
            coroutine.resume(co)
            ok, e = coroutine.close(co)
            assert(ok == false and e == "c" and coroutine.status(co) == "dead" and coroutine.close(co))
            assert(not pcall(coroutine.close, coroutine.running()))
            """)
    }

    func testErrorsInFinalisersIndexAndClose() throws {
        let f = try Fixture()
        try f.run(
            """
            for i = 1, 50 do setmetatable({}, {__gc = function() box.call(function() local x <close> = nil end) end}) end
            collectgarbage()
            local bad = setmetatable({}, {__index = function(_, k) box.fail("index " .. k) end, __len = function() error({}) end})
            local ok, e = pcall(function() return bad.key end)
            assert(not ok and e:find("fail: index key"), e)
            ok, e = pcall(function() return #bad end)
            assert(not ok and type(e) == "table")
            ok, e = pcall(function() local c <close> = setmetatable({}, {__close = function() box.fail("close") end}) end)
            assert(not ok and e:find("fail: close"), e)
            -- a box is closed early, and says so
            local kept
            do local b <close> = box.new(1) kept = b end
            ok, e = pcall(function() return kept.value end)
            assert(not ok and e:find("closed Box"), e)
            ok, e = pcall(function() return kept + 1 end)
            assert(not ok and e:find("closed Box"), e)
            """)
    }

    func testDeepRecursionIsAnError() throws {
        let f = try Fixture()
        let before = Box.alive
        try f.run(
            """
            local function deep(n) return box.call(deep, n + 1) end
            local ok, e = pcall(deep, 0)
            assert(not ok and tostring(e):find("overflow"), e)
            local function lua(n) return 1 + lua(n + 1) end
            ok, e = pcall(box.call, lua, 0)
            assert(not ok and tostring(e):find("overflow"), e)
            local t = {} for i = 1, 1000 do t = {t} end
            ok, e = pcall(box.echo, t)
            assert(not ok and e:find("deeper"), e)
            assert(select("#", box.call(function(...) return ... end, table.unpack({}, 1, 200))) == 200)
            local s = string.rep("x", 100) local f = load("return box.call(" .. string.rep("box.call, ", 150) .. "print)")
            pcall(f)
            """)
        f.lua.collect()
        XCTAssertEqual(Box.alive, before)
    }

    func testNativeShortageCollectsAndRetriesOnce() throws {
        let f = try Fixture()
        f.shortages = 1
        XCTAssertEqual(try f.run("return box.hungry().value").asNumber, 0)
        f.shortages = 2
        XCTAssertEqual(f.error("return box.hungry()"), "test.lua:1: Box: cannot allocate")
        XCTAssertEqual(f.shortages, 0)
    }
}
