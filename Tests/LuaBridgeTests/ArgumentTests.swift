import LuaBridge
import XCTest

final class ArgumentTests: XCTestCase {
    private func text(_ fixture: Fixture, _ expression: String) throws -> String? {
        try fixture.run(
            """
            local function show(...)
              local t = table.pack(...)
              for i = 1, t.n do
                t[i] = type(t[i]) == "table" and "{" .. table.concat(t[i], ",") .. "}" or tostring(t[i])
              end
              return table.concat(t, " ")
            end
            return show(\(expression))
            """
        ).asString
    }

    /// A fast function that puts its arguments in order after all returns its results alone.
    func testFastFunctionWithCheckedArguments() throws {
        let f = try Fixture()
        try f.run(
            """
            local b = box.new(3)
            for _, got in ipairs{
              table.pack(b:scaled(4)), table.pack(b:scaled{factor = 4}), table.pack(b:scaled(4.0)),
            } do assert(got.n == 1 and got[1].value == 12) end
            local got = table.pack(b:scaled())
            assert(got.n == 1 and got[1].value == 6)
            """)
        XCTAssertTrue(f.error("box.new(1):scaled('x')").contains("argument 2 'factor'"), f.error("box.new(1):scaled('x')"))
        XCTAssertTrue(f.error("box.new(1):scaled(1, 2)").contains("takes at most 2 arguments"), f.error("box.new(1):scaled(1, 2)"))
    }

    func testPositionsKeywordsAndDefaults() throws {
        let f = try Fixture()
        let expected = [
            "box.new(3)": "Box(3.0)", "box.new()": "Box(0.0)", "box.new{value = 4}": "Box(4.0)",
            "box.sum(box.new(1))": "nil false", "box.sum(box.new(1), 2, true)": "{2} true",
            "box.sum(box.new(1), {0, 1})": "{0,1} false", "box.sum(box.new(1), {dim = 1, keepdim = true})": "{1} true",
            "box.sum(box.new(1), {dim = {1, 2}})": "{1,2} false", "box.sum(box.new(1), 3.0)": "{3} false",
            "box.sum(box.new(1), nil, true)": "nil true", "box.sum(box.new(1), {1}, {keepdim = true})": "{1} true",
            "box.zeros(2, 3)": "{2,3,red} nil", "box.zeros{2, 3}": "{2,3,red} nil", "box.zeros{}": "{red} nil",
            "box.zeros(2, 3, {color = \"blue\"})": "{2,3,blue} nil", "box.zeros({4}, {fill = 1.5})": "{4,red} 1.5",
            "box.zeros{2, 3, color = \"green\"}": "{2,3,green} nil", "box.zeros{size = {7}}": "{7,red} nil",
            "box.view(box.new(), 2, -1)": "{2,-1}", "box.view(box.new(), {2, 2})": "{2,2}",
            "box.options({lr = 1}).lr": "1", "box.options({strict = 1}, {strict = false})": "table",
            "box.cat{box.new(1), box.new(2)}": "3.0", "box.cat({box.new(1)}, {dim = 1})": "1.0",
            "box.minmax(box.new(2), box.new(1))": "Box(1.0) Box(2.0)", "box.lr{lr = 2}": "2.0", "box.lr()": "0.1",
            "#box.range(5)": "5", "box.range(3)[3].value": "2.0",
        ]
        for (expression, result) in expected where result != "table" {
            XCTAssertEqual(try text(f, expression), result, expression)
        }
        XCTAssertEqual(
            try f.run("local t, s = box.options({strict = 1}, {strict = false}) return t.strict == 1 and not s").asBool, true)
    }

    func testMessages() throws {
        let f = try Fixture()
        let expected = [
            "box.sum(box.new(1), 'x')":
                "test.lua:1: box.sum: argument 2 'dim': expected integer or list of integers, got string \"x\"",
            "box.sum()": "test.lua:1: box.sum: argument 1 'input': missing; expected box",
            "box.sum(3)": "test.lua:1: box.sum: argument 1 'input': expected box, got integer 3",
            "box.sum(box.new(1), {keepdims = true})": "test.lua:1: box.sum: unknown option 'keepdims'; did you mean 'keepdim'?",
            "box.sum(box.new(1), {axis = 1})": "test.lua:1: box.sum: unknown option 'axis'; did you mean 'dim'?",
            "box.sum(box.new(1), {zzz = 1})": "test.lua:1: box.sum: unknown option 'zzz'; known: input, dim, keepdim",
            "box.lr{learning_rate = 1}": "test.lua:1: box.lr: unknown option 'learning_rate'; did you mean 'lr'?",
            "box.sum(box.new(1), 1, {dim = 2})": "test.lua:1: box.sum: argument 'dim' is given twice, by position and by name",
            "box.sum(1, 2, 3, 4)": "test.lua:1: box.sum: takes at most 3 arguments, got 4",
            "box.sum(box.new(1), 1.5)":
                "test.lua:1: box.sum: argument 2 'dim': expected integer or list of integers, got number 1.5",
            "box.sum(box.new(1), {1, 'a'})": "test.lua:1: box.sum: argument 2 'dim'[2]: expected integer, got string \"a\"",
            "box.sum(box.new(1), 0/0)":
                "test.lua:1: box.sum: argument 2 'dim': expected integer or list of integers, got number nan",
            "box.text(math.huge)": "test.lua:1: box.text: argument 1 'n': expected integer, got number inf",
            "box.text(2^63)": "test.lua:1: box.text: argument 1 'n': expected integer, got number 9.223372036854776e+18",
            "box.zeros(2, {color = 'grean'})":
                "test.lua:1: box.zeros: argument 2 'color': expected one of \"red\", \"green\", \"blue\", got string \"grean\"; did you mean 'green'?",
            "box.cat{box.new(1), 2}": "test.lua:1: box.cat: argument 1 'boxes'[2]: expected Box, got integer 2",
            "box.view(box.new(), 1, 'a')": "test.lua:1: box.view: takes at most 2 arguments, got 3",
            "local b = box.new() return b.valeu": "test.lua:1: Box has no field 'valeu'; did you mean 'value'?",
            "local b = box.new() b.twin = 1": "test.lua:1: Box: field 'twin' cannot be assigned",
            "local b = box.new() b.vlaue = 1": "test.lua:1: Box has no field 'vlaue'; did you mean 'value'?",
            "local b <close> = box.new() getmetatable('').x = 1 local c = b:plus('q')":
                "test.lua:1: Box:plus: argument 2 'other': expected number or box, got string \"q\"",
            "pcall(error) box.fail('told')": "test.lua:1: box.fail: told",
        ]
        for (code, message) in expected { XCTAssertEqual(f.error(code), message, code) }
    }

    func testPositionSkipsNativeFrames() throws {
        let f = try Fixture()
        XCTAssertEqual(try f.run("\n\nlocal ok, e = pcall(box.fail, 'm') return e").asString, "test.lua:3: box.fail: m")
    }

    func testSignatureParsing() throws {
        let s = try Signature(
            parsing: "nn.functional.clamp(input: tensor, min: number|\"a\" = nil, betas: numbers = {0.9, 0.999}, *, out: any = nil, ...) -> tensor")
        XCTAssertEqual(s.name, "nn.functional.clamp")
        XCTAssertEqual(s.shortName, "clamp")
        XCTAssertEqual(s.parameters.map(\.name), ["input", "min", "betas", "out", "..."])
        XCTAssertEqual(s.parameters[1].kinds, ["number", "\"a\""])
        XCTAssertEqual(s.parameters[2].defaultText, "{0.9, 0.999}")
        XCTAssertTrue(s.parameters[3].keywordOnly)
        XCTAssertEqual(s.returns, "tensor")
        for bad in ["", "f", "f(", "f(a b)", "f(a:)", "f(a=)", "f() x", "f(a: \"x)"] {
            XCTAssertThrowsError(try Signature(parsing: bad), bad)
        }
    }
}
