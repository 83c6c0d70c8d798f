import CLuaShim

/// Loading and calling Lua code.
extension Lua {
    /// Calls a Lua function. Its error is thrown with the traceback; thrown on, it arrives as the same Lua value.
    public func call(_ function: LuaFunction, _ arguments: [LuaValue] = []) throws -> [LuaValue] {
        try call(function, arguments, on: thread)
    }

    /// As `call`, but the results stay what they are in Lua: plain tables are not copied.
    public func callForReferences(_ function: LuaFunction, _ arguments: [LuaValue] = []) throws -> [LuaReference] {
        try call(function, arguments, on: thread) { try $0.reference($1) }
    }

    func call(_ function: LuaFunction, _ arguments: [LuaValue], on thread: OpaquePointer) throws -> [LuaValue] {
        try call(function, arguments, on: thread) { try $0.value($1) }
    }

    private func call<Result>(
        _ function: LuaFunction, _ arguments: [LuaValue], on thread: OpaquePointer,
        read: (ValueReader, Int32) throws -> Result
    ) throws -> [Result] {
        let base = lua_gettop(thread)
        guard lua_checkstack(thread, Int32(clamping: arguments.count + 16)) != 0 else { throw LuaError("stack overflow") }
        do {
            lua_rawgeti(thread, chost_registry(), Int64(function.index))
            for argument in arguments { try push(argument, on: thread) }
            try check(chost_call(state, thread, Int32(arguments.count), -1), on: thread)
            let reader = ValueReader(state: state, thread: thread, releases: releases)
            var results: [Result] = []
            for slot in stride(from: base + 1, through: lua_gettop(thread), by: 1) { results.append(try read(reader, slot)) }
            chost_drop(thread, lua_gettop(thread) - base)
            return results
        } catch {
            chost_drop(thread, lua_gettop(thread) - base)
            throw error
        }
    }

    /// Compiles text; `name` is the chunk's name in messages, as Lua takes it (`=stdin`, `@file`).
    public func load(_ source: String, name: String) throws -> LuaFunction {
        var text = source
        return try text.withUTF8 { try load($0, name: name) }
    }

    public func load(_ source: UnsafeBufferPointer<UInt8>, name: String) throws -> LuaFunction {
        let thread = self.thread
        let status = name.withCString { name in
            source.withMemoryRebound(to: CChar.self) { chost_load(state, thread, $0.baseAddress ?? name, $0.count, name) }
        }
        try check(status, on: thread)
        return try popReference(on: thread)
    }

    /// Compiles a file; nil: standard input. A first line that starts with `#` is skipped.
    public func load(file path: String?) throws -> LuaFunction {
        let thread = self.thread
        try check(chost_load_file(state, thread, path), on: thread)
        return try popReference(on: thread)
    }

    /// Runs text and gives its results.
    @discardableResult
    public func run(_ source: String, name: String = "=chunk", _ arguments: [LuaValue] = []) throws -> [LuaValue] {
        try call(load(source, name: name), arguments)
    }

    /// Loads a module as `require` does.
    public func require(_ name: String) throws -> LuaReference {
        let thread = self.thread
        try check(chost_require(state, thread, name), on: thread)
        return try popReference(on: thread)
    }

    func popReference(on thread: OpaquePointer) throws -> LuaReference {
        defer { chost_drop(thread, 1) }
        return try ValueReader(state: state, thread: thread, releases: releases).reference(-1)
    }

    public func global(_ name: String) throws -> LuaValue {
        let thread = self.thread
        lua_rawgeti(thread, chost_registry(), Int64(LUA_RIDX_GLOBALS))
        defer { chost_drop(thread, 1) }
        try check(chost_get_field(state, thread, -1, name, name.utf8.count), on: thread)
        defer { chost_drop(thread, 1) }
        return try ValueReader(state: state, thread: thread, releases: releases).value(-1)
    }

    public func setGlobal(_ name: String, _ value: LuaValue) throws {
        let thread = self.thread
        lua_rawgeti(thread, chost_registry(), Int64(LUA_RIDX_GLOBALS))
        defer { chost_drop(thread, 1) }
        try push(value, on: thread)
        try check(chost_set_field(state, thread, -2, name, name.utf8.count), on: thread)
    }

    /// A field of a Lua value, metamethods included.
    public func field(_ name: String, of reference: LuaReference) throws -> LuaValue {
        let thread = self.thread
        lua_rawgeti(thread, chost_registry(), Int64(reference.index))
        defer { chost_drop(thread, 1) }
        try check(chost_get_field(state, thread, -1, name, name.utf8.count), on: thread)
        defer { chost_drop(thread, 1) }
        return try ValueReader(state: state, thread: thread, releases: releases).value(-1)
    }

    /// Element `index` of a Lua value, metamethods included: how datasets written in Lua are read.
    public func element(_ index: Int, of reference: LuaReference) throws -> LuaValue {
        let thread = self.thread
        lua_rawgeti(thread, chost_registry(), Int64(reference.index))
        defer { chost_drop(thread, 1) }
        try check(chost_get_index(state, thread, -1, Int64(index)), on: thread)
        defer { chost_drop(thread, 1) }
        return try ValueReader(state: state, thread: thread, releases: releases).value(-1)
    }

    /// `#value`, metamethods included.
    public func length(of reference: LuaReference) throws -> Int {
        let thread = self.thread
        lua_rawgeti(thread, chost_registry(), Int64(reference.index))
        defer { chost_drop(thread, 1) }
        var length: Int64 = 0
        try check(chost_length(state, thread, -1, &length), on: thread)
        return Int(length)
    }

    /// What `tostring` gives.
    public func text(of value: LuaValue) throws -> String {
        let thread = self.thread
        try push(value, on: thread)
        defer { chost_drop(thread, 1) }
        try check(chost_to_string(state, thread, -1), on: thread)
        defer { chost_drop(thread, 1) }
        return ValueReader(state: state, thread: thread, releases: releases).string(-1).asString ?? ""
    }
}
