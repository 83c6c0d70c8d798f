import LuaBridge
import XCTest

/// Scripts that try to break in with what Lua gives them.
final class TamperTests: XCTestCase {
    func testWrongTypesNeverPass() throws {
        let f = try Fixture()
        try f.run(
            """
            local b = box.new(1)
            local file = io.tmpfile()
            local mt = debug.getmetatable(b)
            assert(getmetatable(b) == false and not pcall(setmetatable, {}, setmetatable({}, {__metatable = 1}) and nil or nil, 1) or true)
            -- native objects keep their metatable; others may take ours and are still told apart
            assert(not pcall(debug.setmetatable, b, {}))
            debug.setmetatable(file, mt)
            assert(not pcall(box.sum, file))
            assert(not pcall(function() return file.value end))
            assert(not pcall(function() return file + 1 end))
            assert(not pcall(mt.__index, file, "value"))
            assert(not pcall(mt.__index, nil, "value"))
            assert(not pcall(mt.__index, 1, 2))
            assert(not pcall(mt.__newindex, file, "value", 1))
            assert(not pcall(mt.__add, {}, {}))
            for _, v in ipairs{file, {}, 1, "x", print, coroutine.create(print)} do
              pcall(mt.__close, v) pcall(mt.__tostring, v)
            end
            local plus = b.plus
            for _, v in ipairs{file, {}, 1, "x", print, false} do assert(not pcall(plus, v, v)) end
            assert(not pcall(plus))
            -- closing by hand empties the object
            mt.__close(b) mt.__close(b)
            assert(not pcall(function() return b.value end))
            -- a finaliser of the script's own changes nothing: objects are let go when their block is freed
            local c, seen = box.new(2)
            mt.__gc = function(v) seen = v.value end
            c = box.new(3) c = nil collectgarbage() collectgarbage()
            assert(seen == 3)
            mt.__gc = nil
            """)
    }

    func testResurrectedUserdata() throws {
        let f = try Fixture()
        try f.run(
            """
            local saved = {}
            do
              local b = box.new(1)
              -- the table is finalised with the box: its __gc brings the box back, already emptied or not
              setmetatable({b = b}, {__gc = function(t) saved[1] = t.b end})
            end
            collectgarbage() collectgarbage()
            if saved[1] then
              pcall(function() return saved[1].value end)
              pcall(box.sum, saved[1])
              pcall(tostring, saved[1])
            end
            """)
    }

    func testDebugLibraryCannotReachIn() throws {
        let f = try Fixture()
        try f.run(
            """
            assert(debug.getregistry == nil)
            assert(not pcall(debug.setupvalue, box.new, 1, io.stdout))
            assert(debug.getupvalue(box.new, 1) == nil)
            local mt = debug.getmetatable(box.new(1))
            assert(not pcall(debug.setupvalue, mt.__index, 1, {}))
            local ok, e = pcall(box.call, function() debug.setlocal(2, 1, "x") end)
            assert(not ok and e:find("native function"), e)
            local x = 1
            assert(debug.setlocal(1, 1, nil) == "mt" or true)
            debug.sethook(function() pcall(debug.setlocal, 2, 1, io.stdout) end, "c")
            for i = 1, 100 do pcall(box.new, i) pcall(box.sum, box.new(1), {keepdim = true}) end
            debug.sethook()
            """)
    }

    func testOnlyText() throws {
        let f = try Fixture()
        let path = NSTemporaryDirectory() + "host-tamper-\(ProcessInfo.processInfo.processIdentifier).lua"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try f.lua.setGlobal("path", .string(path))
        try f.run(
            """
            local code = string.dump(function() return 1 end)
            assert(load(code) == nil and load(code, "c", "b") == nil and load(code, "c", "bt") == nil)
            assert(load(function() local c = code code = nil return c end) == nil)
            code = string.dump(function() return 1 end)
            local file = io.open(path, "wb") file:write(code) file:close()
            assert(loadfile(path) == nil and loadfile(path, "b") == nil)
            assert(not pcall(dofile, path))
            package.path = path
            local ok, e = pcall(require, "any")
            assert(not ok and e:find("binary chunk"), e)
            assert(package.loadlib == nil and #package.searchers == 2)
            -- text still loads, environments and modes included
            assert(load("return 1")() == 1 and load("return x", "n", "t", {x = 2})() == 2)
            file = io.open(path, "w") file:write("#!shebang\\nreturn ...") file:close()
            assert(loadfile(path)(3) == 3 and loadfile(path, "t", {})(4) == 4 and dofile(path) == nil)
            package.loaded.any = nil
            assert(require("any") == "any")
            local ok, e = pcall(require, "nowhere.at.all")
            """)
    }

    /// Numbers that would trap in Swift when converted carelessly.
    func testOddNumbers() throws {
        let f = try Fixture()
        try f.run(
            """
            local b = box.new(1)
            for _, n in ipairs{0/0, 1/0, -1/0, 2^63, -2^63 - 2^12, 1e308, 1.5, "1", "0x10"} do
              for _, call in ipairs{
                function() box.sum(b, n) end, function() box.sum(b, {n}) end, function() box.view(b, n) end,
                function() box.text(n) end, function() box.cat({b}, n) end} do
                assert(not pcall(call), n)
              end
            end
            for _, n in ipairs{math.maxinteger, math.mininteger, -0.0, 2^53, 1e15} do box.sum(b, n) box.new(n) end
            """)
    }
}
