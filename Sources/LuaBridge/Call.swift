import CLuaShim

/// One call of a native function: its arguments by parameter number (from 0, however they were passed), and its results.
///
/// A result is whatever `push` adds, in order. A `Call` is only valid until the function returns.
public struct Call {
    let thread: OpaquePointer
    let function: Unmanaged<NativeFunction>
    /// Parameter i lies in stack slot base + 1 + i.
    var base: Int32
    /// How many arguments came, by position and as keyword table.
    var given: Int32
    /// The first of the result blocks made beforehand.
    let boxes: Int32
    /// Where the numbers of a `shape` lie, when they came one by one.
    var shapeStart: Int32 = 0
    var shapeCount: Int32 = 0
    /// Where the values of `...` lie.
    var restStart: Int32 = 0
    var restCount: Int32 = 0

    @inline(__always) func slot(_ index: Int) -> Int32 { base + 1 + Int32(truncatingIfNeeded: index) }
    var native: NativeFunction { function._withUnsafeGuaranteedRef { $0 } }
    public var lua: Lua { function._withUnsafeGuaranteedRef { $0.lua } }
    var state: UnsafeMutablePointer<chost_state> { function._withUnsafeGuaranteedRef { $0.state } }
    var reader: ValueReader { ValueReader(state: state, thread: thread, releases: lua.releases) }

    /// The Lua-visible name of the function, for messages.
    public var name: String { native.name }
    /// How many arguments were passed (of a fast function: all lie in their slots as they came).
    public var count: Int { Int(given) }

    @inline(__always) func check(_ index: Int) -> ParameterCheck? {
        function._withUnsafeGuaranteedRef { $0.check(index) }
    }

    // MARK: What kind of value came

    public enum Kind {
        case `nil`, bool, int, number, string, table, function, object, other
    }

    public func kind(_ index: Int) -> Kind {
        switch lua_type(thread, slot(index)) {
        case LUA_TNIL, LUA_TNONE: .nil
        case LUA_TBOOLEAN: .bool
        case LUA_TNUMBER: lua_isinteger(thread, slot(index)) != 0 ? .int : .number
        case LUA_TSTRING: .string
        case LUA_TTABLE: .table
        case LUA_TFUNCTION: .function
        case LUA_TUSERDATA: chost_box_at(thread, slot(index)) != nil ? .object : .other
        default: .other
        }
    }

    public func isNil(_ index: Int) -> Bool {
        // Numbers in a row that make a shape lie elsewhere.
        lua_type(thread, slot(index)) <= LUA_TNIL && (shapeCount == 0 || !native.isShape(index))
    }

    // MARK: Reading

    public func bool(_ index: Int) throws -> Bool {
        if lua_type(thread, slot(index)) == LUA_TBOOLEAN { return lua_toboolean(thread, slot(index)) != 0 }
        if isNil(index), let check = check(index), check.kinds.contains(.bool), !check.isRequired { return check.fallbackBool }
        throw mismatch(index)
    }

    public func int(_ index: Int) throws -> Int {
        if let value = intIfPresent(index) { return value }
        if isNil(index), let value = check(index)?.fallbackInt { return value }
        throw mismatch(index)
    }

    public func number(_ index: Int) throws -> Double {
        if lua_type(thread, slot(index)) == LUA_TNUMBER { return lua_tonumberx(thread, slot(index), nil) }
        if isNil(index), let value = check(index)?.fallbackNumber { return value }
        throw mismatch(index)
    }

    public func string(_ index: Int) throws -> String {
        if let value = stringIfPresent(index) { return value }
        if isNil(index), case .string(let value) = native.parameter(index)?.fallback { return value }
        throw mismatch(index)
    }

    /// The bytes of a string argument, whatever they are.
    public func bytes(_ index: Int) throws -> [UInt8] {
        try withBytes(index) { Array($0) }
    }

    /// The bytes of a string argument in place; `body` must not call Lua.
    public func withBytes<R>(_ index: Int, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        var length = 0
        if let text = chost_string(thread, slot(index), &length) {
            return try body(UnsafeRawBufferPointer(start: text, count: length))
        }
        if isNil(index), case .string(var value) = native.parameter(index)?.fallback {
            return try value.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
        }
        throw mismatch(index)
    }

    /// The integer, when the argument is one (2.0 is); nil when it is anything else. For optional and mixed parameters.
    public func intIfPresent(_ index: Int) -> Int? {
        guard lua_type(thread, slot(index)) == LUA_TNUMBER else { return nil }
        var exact: Int32 = 0
        let value = lua_tointegerx(thread, slot(index), &exact)
        return exact != 0 ? Int(value) : nil
    }

    public func numberIfPresent(_ index: Int) -> Double? {
        lua_type(thread, slot(index)) == LUA_TNUMBER ? lua_tonumberx(thread, slot(index), nil) : nil
    }

    public func boolIfPresent(_ index: Int) -> Bool? {
        lua_type(thread, slot(index)) == LUA_TBOOLEAN ? lua_toboolean(thread, slot(index)) != 0 : nil
    }

    public func stringIfPresent(_ index: Int) -> String? {
        var length = 0
        guard let text = chost_string(thread, slot(index), &length) else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
    }

    /// Whether the argument is this string; copies nothing.
    public func isString(_ index: Int, _ text: StaticString) -> Bool {
        var length = 0
        guard let mine = chost_string(thread, slot(index), &length), length == text.utf8CodeUnitCount else { return false }
        return memcmp(mine, text.utf8Start, length) == 0
    }

    /// Any value, tables as trees.
    public func value(_ index: Int) throws -> LuaValue {
        if isNil(index), let fallback = native.parameter(index)?.fallback { return LuaValue(fallback) }
        return try explained(index) { try reader.value(slot(index)) }
    }

    /// The elements of a list argument.
    public func list(_ index: Int) throws -> [LuaValue] {
        switch try value(index) {
        case .list(let list): return list
        default: throw mismatch(index)
        }
    }

    public func function(_ index: Int) throws -> LuaFunction {
        guard !isNil(index) else { throw mismatch(index) }
        return try reader.reference(slot(index))
    }

    /// Whatever it is, as a reference: for values that are stored and given back.
    public func reference(_ index: Int) throws -> LuaReference { try reader.reference(slot(index)) }

    /// Every parameter's value in order, defaults filled in; a `shape` and the values of `...` as lists.
    public func allArguments() throws -> [LuaValue] {
        var values: [LuaValue] = []
        while let parameter = native.parameter(values.count) {
            if parameter.rest {
                values.append(.list(try (0..<restTotal).map { try rest($0) }))
            } else if shapeCount > 0, native.isShape(values.count) {
                values.append(.list(try ints(values.count).map { .int($0) }))
            } else {
                values.append(try value(values.count))
            }
        }
        return values
    }

    // MARK: Rest

    /// How many values `...` took.
    public var restTotal: Int { Int(restCount) }
    /// Value k of `...`, from 0.
    public func rest(_ k: Int) throws -> LuaValue {
        k < Int(restCount) ? try reader.value(restStart + Int32(k)) : .nil
    }

    /// The same as a reference: a plain table is then not copied.
    public func restReference(_ k: Int) throws -> LuaReference { try reader.reference(restStart + Int32(k)) }

    // MARK: Calling Lua

    /// Calls a Lua function; its error is thrown as `LuaError`, and passes through unchanged when thrown on.
    public func call(_ function: LuaFunction, _ arguments: [LuaValue] = []) throws -> [LuaValue] {
        try lua.call(function, arguments, on: thread)
    }
}

extension LuaValue {
    init(_ fallback: CompiledParameter.Default) {
        switch fallback {
        case .required, .nil: self = .nil
        case .bool(let value): self = .bool(value)
        case .int(let value): self = .int(value)
        case .number(let value): self = .number(value)
        case .string(let value): self = .string(value)
        case .list(let value): self = .list(value)
        }
    }
}
