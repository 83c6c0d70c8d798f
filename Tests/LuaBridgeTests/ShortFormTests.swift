import LuaBridge
import XCTest

/// Functions whose operands go from their blocks to native code, and types with their own way to let go of objects.
final class ShortFormTests: XCTestCase {
    nonisolated(unsafe) private static var short = 0
    nonisolated(unsafe) private static var usual = 0
    nonisolated(unsafe) private static var released = 0

    private func state() throws -> Lua {
        (Self.short, Self.usual, Self.released) = (0, 0, 0)
        let lua = try Lua()
        let type = UserdataType(
            lua, "Num", kind: "num", Box.self,
            release: {
                ShortFormTests.released += 1
                Unmanaged<Box>.fromOpaque($0).release()
            })
        try type.build { t in
            t.field("value", "number", "The number.") { box, call in call.push(box.value) }
            // Adds; a sum above 100 is more than it wants to do.
            t.metamethod(
                "__add",
                Declaration("add(a: num|number, b: num|number) -> num", returns: type, fast: true, short: Self.adding(type)) { call in
                    Self.usual += 1
                    let call = try call.checked()
                    func value(_ i: Int) throws -> Double { try call.numberIfPresent(i) ?? call.object(i, type).value }
                    try call.push(Box(value(0) + value(1)), type)
                })
        }
        try lua.module("num") { m in
            try m.add(
                Declaration("new(value: number) -> num", returns: type) { call in try call.push(Box(call.number(0)), type) },
                Declaration("add_(a: num, b: num|number) -> num", fast: true, short: Self.addingInPlace(type)) { call in
                    Self.usual += 1
                    let call = try call.checked()
                    try call.object(0, type).value += call.numberIfPresent(1) ?? call.object(1, type).value
                    call.returnArgument(0)
                },
                Declaration("neg(a: num, scale: number = 1) -> num", returns: type, fast: true, short: Self.negating(type)) { call in
                    Self.usual += 1
                    let call = try call.checked()
                    try call.push(Box(-call.object(0, type).value * call.number(1)), type)
                })
        }
        try lua.setGlobal("num", .reference(lua.require("num")))
        return lua
    }

    nonisolated(unsafe) private static let context = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)

    private static func value(_ raw: UnsafeMutableRawPointer?, _ number: Double) -> Double {
        raw.map { Unmanaged<Box>.fromOpaque($0).takeUnretainedValue().value } ?? number
    }

    private static func adding(_ type: AnyUserdataType) -> ShortForm {
        ShortForm(operands: 2, of: type, context: context) { _, a, b, number in
            let sum = ShortFormTests.value(a, number) + ShortFormTests.value(b, number)
            guard sum <= 100 else { return nil }
            ShortFormTests.short += 1
            return Unmanaged.passRetained(Box(sum)).toOpaque()
        }
    }

    private static func addingInPlace(_ type: AnyUserdataType) -> ShortForm {
        ShortForm(operands: 2, of: type, context: context) { _, a, b, number in
            guard let a else { return nil }
            ShortFormTests.short += 1
            Unmanaged<Box>.fromOpaque(a).takeUnretainedValue().value += ShortFormTests.value(b, number)
            return a
        }
    }

    private static func negating(_ type: AnyUserdataType) -> ShortForm {
        ShortForm(operands: 1, of: type, context: context) { _, a, _, _ in
            ShortFormTests.short += 1
            return Unmanaged.passRetained(Box(-ShortFormTests.value(a, 0))).toOpaque()
        }
    }

    private func number(_ lua: Lua, _ source: String) throws -> Double? {
        try lua.run("local a, b = num.new(1), num.new(2) " + source, name: "@test.lua").first?.asNumber
    }

    func testOperandsGoTheShortWay() throws {
        let lua = try state()
        XCTAssertEqual(try number(lua, "return (a + b).value"), 3)
        XCTAssertEqual(try number(lua, "return (a + 2.5).value"), 3.5)
        XCTAssertEqual(try number(lua, "return (4 + b).value"), 6)
        XCTAssertEqual(try number(lua, "return num.neg(b).value"), -2)
        XCTAssertEqual(try number(lua, "local c = num.add_(a, b) assert(rawequal(c, a)) return a.value"), 3)
        XCTAssertEqual(try number(lua, "num.add_(a, 10) return a.value"), 11)
        XCTAssertEqual(Self.short, 6)
        XCTAssertEqual(Self.usual, 0)
    }

    func testEverythingElseGoesTheUsualWay() throws {
        let lua = try state()
        XCTAssertEqual(try number(lua, "return (a + 100).value"), 101)
        XCTAssertEqual(try number(lua, "return num.neg(b, 3).value"), -6)
        XCTAssertEqual(try number(lua, "return num.neg{a = b, scale = 2}.value"), -4)
        // No double holds it exactly.
        XCTAssertEqual(try number(lua, "return (a + 9007199254740995).value"), 9007199254740996 + 1)
        XCTAssertEqual(Self.short, 0)
        XCTAssertEqual(Self.usual, 4)
        for (code, message) in [
            ("return a + {}", "test.lua:1: add: "), ("return num.add_(a, 'x')", "test.lua:1: num.add_: "),
            ("return num.neg(io.stdout)", "test.lua:1: num.neg: "),
        ] {
            XCTAssertThrowsError(try number(lua, code)) { error in
                XCTAssertTrue("\(error)".hasPrefix(message) && "\(error)".contains("expected num"), "\(error)")
            }
        }
    }

    func testTypesLetGoInTheirOwnWay() throws {
        let before = Box.alive
        let lua = try state()
        _ = try number(lua, "for i = 1, 1000 do local c = a + b end return 1")
        lua.collect()
        XCTAssertGreaterThan(Self.released, 990)
        XCTAssertLessThan(Box.alive - before, 10)
    }
}
