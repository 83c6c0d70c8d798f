import LuaBridge
import XCTest

final class PreludeTests: XCTestCase {
    private func fixture(_ source: String) throws -> Fixture {
        let f = try Fixture()
        let bytes = Array(source.utf8)
        let buffer = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
        _ = buffer.initialize(from: bytes)  // for the life of the process, as embedded text is
        f.lua.preludeSource = { $0 == "toy" ? UnsafeBufferPointer(buffer) : nil }
        try f.lua.installHelp()
        try f.lua.module("toy", "toy\nToys.") { m in
            try m.add(Declaration("native(x: int) -> int") { call in call.push(try call.int(0) * 2) })
        }
        try f.lua.setGlobal("toy", .reference(f.lua.require("toy")))
        return f
    }

    private static let source = """
        local native, host = ...
        host.kind("thing", "__thing")
        local Thing = {__thing = true}
        Thing.__index = Thing
        host.document([[Thing(name: string)
        A thing.]], Thing)
        local M = {native = native.native, Thing = Thing}
        M.make = host.declare([[
          make(name: string, size: ints = 1, *, flag: bool = true, mode: "sum"|"mean" = "mean", betas: numbers = {0.5, 1}) -> thing
          Makes a thing.
          Args:
            name: what it is called
            size: one number
              or several
          Returns: the thing
          Errors: when the name is empty
          Example:
            print(toy.make("x").name) --> x
          See: toy.wait, box.new
          Source: imagination
        ]], function(name, size, flag, mode, betas, ...)
          if name == "" then host.fail("make: the name is empty") end
          return setmetatable({name = name, size = size, flag = flag, mode = mode, betas = betas, extra = select("#", ...)}, Thing)
        end)
        M.name = host.declare([[name(thing: thing) -> string]], function(t) return t.name end)
        M.shape = host.declare([[shape(shape: shape, ...) -> list]], function(s, ...) return s, ... end)
        M.wait = host.declare([[wait(x: any = nil) -> any]], function(x) return coroutine.yield(x) end)
        return M
        """

    func testDeclaredFunctions() throws {
        let f = try fixture(Self.source)
        try f.run(
            """
            local t = toy.make("a")
            assert(t.name == "a" and t.size == 1 and t.flag and t.mode == "mean" and t.betas[2] == 1 and t.extra == 0)
            t = toy.make("b", {1, 2}, {mode = "sum", flag = false})
            assert(t.size[2] == 2 and t.mode == "sum" and t.flag == false)
            t = toy.make{name = "c"}
            assert(t.name == "c" and toy.name(t) == "c" and toy.native(4) == 8)
            assert(#toy.shape(1, 2, 3) == 3 and #toy.shape({4}) == 1 and select("#", toy.shape({1}, "a", nil, 5)) == 4)
            -- a declared function may yield
            local co = coroutine.wrap(function() return "end " .. toy.wait(1) end)
            assert(co() == 1 and co("x") == "end x")
            """)
        let messages = [
            "toy.make('a', 'b')": "test.lua:1: toy.make: argument 2 'size': expected integer or list of integers, got string \"b\"",
            "toy.make('a', 1, {mod = 'sum'})": "test.lua:1: toy.make: unknown option 'mod'; did you mean 'mode'?",
            "toy.make('a', 1, {mode = 'men'})":
                "test.lua:1: toy.make: argument 4 'mode': expected one of \"sum\", \"mean\", got string \"men\"; did you mean 'mean'?",
            "toy.make('')": "test.lua:1: make: the name is empty",
            "toy.name({})": "test.lua:1: toy.name: argument 1 'thing': expected thing, got table",
        ]
        for (code, message) in messages { XCTAssertEqual(f.error(code), message) }
    }

    func testDocumentation() throws {
        let f = try fixture(Self.source)
        let entry = try XCTUnwrap(f.lua.docs.entry(named: "toy.make"))
        XCTAssertEqual(entry.module, "toy")
        XCTAssertEqual(entry.signature?.parameters.map(\.name), ["name", "size", "flag", "mode", "betas"])
        let text = entry.helpText
        XCTAssertEqual(
            text,
            """
            make(name: string, size: ints = 1, *, flag: bool = true, mode: "sum"|"mean" = "mean", betas: numbers = {0.5, 1}) -> thing

            Makes a thing.

            Arguments
              name (string): what it is called
              size (ints, default 1): one number or several
              flag (bool, default true)
              mode ("sum"|"mean", default "mean")
              betas (numbers, default {0.5, 1})

            Returns
              the thing

            Errors
              when the name is empty

            Example
              print(toy.make("x").name) --> x

            See also
              toy.wait, box.new

            Source
              imagination
            """)
        XCTAssertNotNil(f.lua.docs.entry(named: "toy.Thing"))
        XCTAssertEqual(f.lua.docs.entry(named: "Box:plus")?.signature?.name, "plus")
    }

    /// Every signature that was registered compiles: kinds exist, defaults are values.
    func testEverySignatureCompiles() throws {
        let f = try fixture(Self.source)
        XCTAssertEqual(f.lua.checkSignatures(), [])
    }
}
