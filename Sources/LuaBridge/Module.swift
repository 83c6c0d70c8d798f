import CLuaShim

/// Fills a Lua table with functions and values, and notes their documentation.
struct LuaTableWriter {
    let lua: Lua
    let table: LuaReference

    /// Defines a function under its own name and aliases, or under the one given.
    func define(_ declaration: Declaration, qualifiedBy prefix: String = "", as name: String? = nil) throws {
        let thread = lua.thread
        let function = NativeFunction(declaration, lua: lua, place: name == nil ? prefix : "")
        try lua.check(chost_make_function(lua.state, thread, lua.keep(function)), on: thread)
        defer { chost_drop(thread, 1) }
        if let field = declaration.field { return try setTop(field) }
        if name == nil {
            let qualified = declaration.name == declaration.shortName ? prefix + declaration.name : declaration.name
            try lua.docs.add(qualified, text: declaration.doc, module: lua.loading.last ?? "", value: -1, lua)
        }
        for name in name.map({ [$0] }) ?? [declaration.shortName] + declaration.aliases { try setTop(name) }
    }

    /// Sets a field to the value on top of the stack, which stays there.
    func setTop(_ name: String) throws {
        let thread = lua.thread
        lua_pushvalue(thread, -1)
        lua_rawgeti(thread, chost_registry(), Int64(table.index))
        lua_rotate(thread, -2, 1)
        defer { chost_drop(thread, 1) }
        try lua.check(chost_set_field(lua.state, thread, -2, name, name.utf8.count), on: thread)
    }

    func set(_ name: String, _ value: LuaValue) throws {
        try lua.push(value, on: lua.thread)
        defer { chost_drop(lua.thread, 1) }
        try setTop(name)
    }

    /// A computed field: the address of the function that reads it.
    func set(_ name: String, address: UnsafeMutablePointer<chost_function>) throws {
        lua_pushlightuserdata(lua.thread, address)
        defer { chost_drop(lua.thread, 1) }
        try setTop(name)
    }
}

/// A module being put together: what `require` will give.
public final class Module {
    public let lua: Lua
    public let name: String
    let writer: LuaTableWriter
    public var table: LuaReference { writer.table }

    init(_ lua: Lua, _ name: String) throws {
        self.lua = lua
        self.name = name
        try lua.check(chost_push_table(lua.state, lua.thread, 0, 16))
        writer = LuaTableWriter(lua: lua, table: try lua.popReference(on: lua.thread))
    }

    public func add(_ declarations: [Declaration]) throws {
        for declaration in declarations { try writer.define(declaration, qualifiedBy: name + ".") }
    }

    public func add(_ declarations: Declaration...) throws { try add(declarations) }

    /// Functions of the module that are methods of a type as well: `tensor.exp(x)` is `x:exp()`.
    public func add<T>(_ declarations: [Declaration], alsoMethodsOf type: UserdataType<T>) throws {
        guard let methods = type.methods else { throw LuaError("bridge: \(type.name) is not built yet") }
        let other = LuaTableWriter(lua: lua, table: methods)
        for declaration in declarations {
            try writer.define(declaration, qualifiedBy: name + ".")
            for alias in [declaration.shortName] + declaration.aliases {
                lua_rawgeti(lua.thread, chost_registry(), Int64(table.index))
                defer { chost_drop(lua.thread, 1) }
                try lua.check(chost_get_field(lua.state, lua.thread, -1, alias, alias.utf8.count))
                defer { chost_drop(lua.thread, 1) }
                try other.setTop(alias)
                type.memberNames.append(alias)
            }
        }
    }

    public func set(_ name: String, _ value: LuaValue) throws { try writer.set(name, value) }

    /// A table inside the module, as `nn.functional`.
    public func submodule(_ name: String, _ doc: String) throws -> Module {
        lua.docs.addModule(self.name + "." + name, text: doc)
        let inner = try Module(lua, self.name + "." + name)
        try set(name, .reference(inner.table))
        return inner
    }

    /// Makes the module itself callable: `tensor{1, 2}`. The first argument of the call is the module.
    public func makeCallable(_ declaration: Declaration) throws {
        let thread = lua.thread
        try lua.check(chost_push_table(lua.state, thread, 0, 1))
        let meta = LuaTableWriter(lua: lua, table: try lua.popReference(on: thread))
        try meta.define(declaration, as: "__call")
        lua_rawgeti(thread, chost_registry(), Int64(table.index))
        lua_rawgeti(thread, chost_registry(), Int64(meta.table.index))
        lua_setmetatable(thread, -2)
        defer { chost_drop(thread, 1) }
        try lua.docs.add(name, text: declaration.doc, module: name, value: -1, lua)
    }
}

extension Lua {
    /// Registers a module. It is put together when it is first required; a prelude of the same name then runs with the
    /// native table and the `host` table as its arguments, and what it returns, if anything, is the module.
    public func module(_ name: String, _ doc: String = "", _ build: @escaping (Module) throws -> Void = { _ in }) throws {
        if !doc.isEmpty { docs.addModule(name, text: doc) }
        // What the program's own tests ask for (`host.…`) is no business of help and completion.
        if !name.hasPrefix("host.") { moduleNames.append(name) }
        let loader = NativeFunction(
            Declaration("require(name: any)", fast: true) { [unowned self] call in
                loading.append(name)
                defer { loading.removeLast() }
                let module = try Module(self, name)
                try build(module)
                var result = module.table
                if let source = preludeSource(name) {
                    let made = try runPrelude(name, source, [.reference(result), .reference(try host())])
                    if let first = made.first { result = first }
                }
                call.push(result)
            }, lua: self)
        let thread = self.thread
        lua_rawgeti(thread, chost_registry(), Int64(LUA_RIDX_GLOBALS))
        defer { chost_drop(thread, 1) }
        try check(chost_get_field(state, thread, -1, "package", 7), on: thread)
        defer { chost_drop(thread, 1) }
        try check(chost_get_field(state, thread, -1, "preload", 7), on: thread)
        defer { chost_drop(thread, 1) }
        try check(chost_make_function(state, thread, keep(loader)), on: thread)
        try check(chost_set_field(state, thread, -2, name, name.utf8.count), on: thread)
    }

    /// A module that is written in Lua alone.
    public func preludeModule(_ name: String, _ doc: String = "") throws { try module(name, doc) }

    /// Runs a file of the prelude that belongs to no module, with `host` as its argument, and gives what it returns.
    public func prelude(_ name: String) throws -> LuaReference? {
        guard let source = preludeSource(name) else { return nil }
        return try runPrelude(name, source, [.reference(try host())]).first
    }

    func runPrelude(_ name: String, _ source: UnsafeBufferPointer<UInt8>, _ arguments: [LuaValue]) throws -> [LuaReference] {
        try callForReferences(load(source, name: "=[host \(name)]"), arguments)
    }
}
