import LuaBridge
import XCTest

/// A native class for the tests, which counts its living objects.
final class Box {
    nonisolated(unsafe) static var alive = 0
    var value: Double
    init(_ value: Double) {
        self.value = value
        Box.alive += 1
    }
    deinit { Box.alive -= 1 }
}

struct ShortOfMemory: Error, CustomStringConvertible {
    let description = "Box: cannot allocate"
}

/// A state with a module `box`: a type, functions of every argument kind, functions that fail.
final class Fixture {
    let lua: Lua
    let type: UserdataType<Box>
    /// How often `hungry` fails before it works.
    var shortages = 0

    init(heapLimit: Int = 0) throws {
        lua = try Lua(heapLimit: heapLimit)
        let type = UserdataType(lua, "Box", kind: "box", Box.self)
        self.type = type
        lua.kinds.define("color", choices: ["red", "green", "blue"])
        lua.isRetryable = { $0 is ShortOfMemory }
        try type.build { t in
            t.document("Box\nHolds a number.")
            t.method(
                Declaration("plus(self: box, other: number|box) -> box", returns: type, fast: true) { call in
                    if let a = call.objectIfPresent(0, type), let b = call.objectIfPresent(1, type) {
                        return try call.push(Box(a.value + b.value), type)
                    }
                    let call = try call.checked()
                    let a = try call.object(0, type)
                    try call.push(Box(a.value + (call.numberIfPresent(1) ?? call.object(1, type).value)), type)
                })
            t.method(
                Declaration("scaled(self: box, factor: number = 2) -> box", returns: type, fast: true) { call in
                    if call.count == 2, let box = call.objectIfPresent(0, type), let factor = call.numberIfPresent(1) {
                        return try call.push(Box(box.value * factor), type)
                    }
                    let call = try call.checked()
                    try call.push(Box(call.object(0, type).value * call.number(1)), type)
                })
            t.method(
                Declaration("add_(self: box, other: number) -> box") { call in
                    try call.object(0, type).value += call.number(1)
                    call.returnArgument(0)
                })
            t.metamethod(
                "__add",
                Declaration("__add(a: box|number, b: box|number) -> box", returns: type) { call in
                    func value(_ i: Int) throws -> Double { try call.numberIfPresent(i) ?? call.object(i, type).value }
                    try call.push(Box(value(0) + value(1)), type)
                })
            t.metamethod(
                "__tostring",
                Declaration("__tostring(self: box) -> string") { call in try call.push("Box(\(call.object(0, type).value))") })
            t.field("value", "number", "The number.") { box, call in
                call.push(box.value)
            } set: { box, call in
                box.value = try call.number(2)
            }
            t.field("twin", "box", "A copy.", returns: type) { box, call in try call.push(Box(box.value), type) }
            t.index(returns: type) { [unowned type] box, call in
                guard let i = call.intIfPresent(1) else { throw type.noField(call) }
                try call.push(Box(box.value * Double(i)), type)
            }
        }
        try lua.module("box", "box\nBoxes.") { [unowned self] m in
            try m.add(
                Declaration(
                    """
                    new(value: number = 0) -> box
                    Makes a box.
                    Args:
                      value: what it holds
                    Returns: a fresh box
                    Example:
                      print(box.new(2).value) --> 2.0
                    """, returns: type
                ) { call in try call.push(Box(call.number(0)), type) },
                Declaration("fail(message: string)") { call in
                    let witness = Box(1)
                    _ = try call.checked()
                    try withExtendedLifetime(witness) { throw LuaError(try call.string(0)) }
                },
                Declaration("call(f: function, ...) -> any") { call in
                    let witness = Box(1)
                    let arguments = try (0..<call.restTotal).map { LuaValue.reference(try call.restReference($0)) }
                    let function = try call.function(0)
                    let results = try withExtendedLifetime(witness) { try call.lua.callForReferences(function, arguments) }
                    for result in results { call.push(result) }
                },
                Declaration("echo(value: any) -> any") { call in try call.push(call.value(0)) },
                Declaration("text(n: int) -> string") { call in try call.push(String(repeating: "x", count: call.int(0))) },
                Declaration("view(self: box, shape: shape) -> list") { call in try call.push(call.ints(1)) },
                Declaration("zeros(size: shape, *, color: color = \"red\", fill: number = nil) -> list") { call in
                    try call.push(.list(call.ints(0).map { .int($0) } + [.string(call.string(1))]))
                    if let fill = call.numberIfPresent(2) { call.push(fill) } else { call.pushNil() }
                },
                Declaration("sum(input: box, dim: ints = nil, keepdim: bool = false) -> any") { call in
                    if let dims = try call.intsIfPresent(1) { try call.push(dims) } else { call.pushNil() }
                    call.push(try call.bool(2))
                },
                Declaration("cat(boxes: list, dim: int = 0) -> number") { call in
                    call.push(try call.objects(0, type).reduce(0) { $0 + $1.value })
                },
                Declaration("options(t: table, strict: bool = true) -> any") { call in
                    try call.push(call.value(0))
                    call.push(try call.bool(1))
                },
                Declaration("minmax(a: box, b: box) -> (box, box)", returns: type, count: 2) { call in
                    let (a, b) = (try call.object(0, type), try call.object(1, type))
                    try call.push(Box(min(a.value, b.value)), type)
                    try call.push(Box(max(a.value, b.value)), type)
                },
                Declaration("range(n: int) -> list") { call in
                    try call.push(list: (0..<call.int(0)).map { Box(Double($0)) }, type)
                },
                Declaration("hungry() -> box", returns: type) { call in
                    let box = Box(0)
                    if self.shortages > 0 {
                        self.shortages -= 1
                        throw ShortOfMemory()
                    }
                    try call.push(box, type)
                },
                Declaration("lr(lr: number = 0.1, weight_decay: number = 0) -> number") { call in call.push(try call.number(0)) })
        }
        try lua.setGlobal("box", .reference(lua.require("box")))
    }

    /// Runs Lua code as `test.lua` and gives its first result.
    @discardableResult
    func run(_ source: String) throws -> LuaValue {
        try lua.run(source, name: "@test.lua").first ?? .nil
    }

    /// The message of the error that the code raises.
    func error(_ source: String) -> String {
        do {
            let value = try run(source)
            return "no error: \(value)"
        } catch { return "\(error)" }
    }
}
