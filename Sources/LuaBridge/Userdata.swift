import CLuaShim

/// A Swift class as Lua sees it, whatever the class.
public class AnyUserdataType {
    let key: UnsafeMutablePointer<chost_type>
    public let name: String
    unowned(unsafe) let lua: Lua
    var metatable: LuaReference?
    var methods: LuaReference?
    var memberNames: [String] = []

    init(_ lua: Lua, _ name: String, kind: String) {
        self.lua = lua
        self.name = name
        key = lua.makeTypeKey(name)
        lua.kinds.define(kind, type: key)
        lua.types.append(self)
    }

    func detach() {
        metatable = nil
        methods = nil
    }
}

/// A Swift class whose objects are full userdata: a block with one retained object, typed by the block itself.
public final class UserdataType<T: AnyObject>: AnyUserdataType {
    /// - Parameters:
    ///   - name: as messages and `tostring` say it.
    ///   - kind: as signatures say it.
    ///   - release: takes over the object of a block that Lua has freed, in place of a plain release. Calls no Lua.
    public init(
        _ lua: Lua, _ name: String, kind: String, _ type: T.Type = T.self,
        release: (@convention(c) (UnsafeMutableRawPointer) -> Void)? = nil
    ) {
        super.init(lua, name, kind: kind)
        key.pointee.release = release
    }

    @inline(__always)
    func object(_ thread: OpaquePointer, _ slot: Int32) -> T? {
        guard let pointer = chost_object(thread, slot, key) else { return nil }
        return Unmanaged<T>.fromOpaque(pointer).takeUnretainedValue()
    }

    /// The object as a value, for results inside lists and maps and for arguments of Lua functions.
    public func value(_ object: T) -> LuaValue { .object(LuaObject(object: object, type: key)) }

    /// The object in a value, or nil when it holds something else.
    public func object(_ value: LuaValue) -> T? {
        guard case .object(let object) = value, object.type == key else { return nil }
        return object.object as? T
    }

    /// Documents a field that only some objects have.
    public func documentField(_ field: String, _ kind: String, _ text: String) {
        let module = lua.loading.last ?? ""
        lua.docs.addField("\(module).\(name).\(field)", kind: kind, text, module: module)
    }

    /// What the type offers; called once, before the first object is pushed.
    public func build(_ describe: (Builder) throws -> Void) throws {
        let builder = Builder(type: self)
        try describe(builder)
        try builder.install()
    }

    /// Collects methods, fields and metamethods of a userdata type.
    public final class Builder {
        private let type: UserdataType
        private var methods: [Declaration] = []
        private var metamethods: [(String, Declaration)] = []
        private var getters: [(name: String, kind: String, doc: String, returns: AnyUserdataType?, get: (T, Call) throws -> Void)] = []
        private var setters: [String: (T, Call) throws -> Void] = [:]
        private var indexing: Declaration?
        private var assigning: ((T, Call) throws -> Void)?
        private var closing: ((T) throws -> Void)?
        private var doc = ""

        init(type: UserdataType) { self.type = type }

        /// What `help` says about the type.
        public func document(_ text: String) { doc = text }
        public func method(_ declaration: Declaration) { methods.append(declaration) }
        public func methods(_ declarations: [Declaration]) { methods += declarations }
        /// `__add`, `__call`, `__len`, `__tostring` ...; arguments as Lua passes them.
        public func metamethod(_ name: String, _ declaration: Declaration) { metamethods.append((name, declaration)) }

        /// A field that is computed when it is read.
        /// - Parameter set: makes it assignable; the value is argument 2 of the call.
        public func field(
            _ name: String, _ kind: String, _ doc: String, returns: AnyUserdataType? = nil,
            get: @escaping (T, Call) throws -> Void, set: ((T, Call) throws -> Void)? = nil
        ) {
            getters.append((name, kind, doc, returns, get))
            setters[name] = set
        }

        /// `object[key]` for keys that are no strings, and strings that name nothing; the key is argument 1.
        public func index(returns: AnyUserdataType? = nil, _ body: @escaping (T, Call) throws -> Void) {
            let type = type
            indexing = Declaration("index(self: any, key: any)", returns: returns, fast: true) { call in
                try body(type.own(call), call)
            }
        }

        /// `object[key] = value` for keys that are no assignable fields; key and value are arguments 1 and 2.
        public func assign(_ body: @escaping (T, Call) throws -> Void) { assigning = body }

        /// What `<close>` does before the object is let go.
        public func close(_ body: @escaping (T) throws -> Void) { closing = body }

        func install() throws {
            let lua = type.lua, type = type, thread = lua.thread
            type.memberNames = methods.flatMap { [$0.shortName] + $0.aliases } + getters.map(\.name)
            let missing: Declaration
            if let indexing { missing = indexing } else {
                missing = Declaration("index(self: any, key: any)", fast: true) { call in throw type.noField(call) }
            }
            let field = lua.keep(NativeFunction(missing, lua: lua))
            let other = indexing == nil ? nil : field
            let close = closing.map { closing in
                lua.keep(
                    NativeFunction(
                        Declaration("close(self: any)", fast: true) { call in
                            guard let object = type.object(call.thread, call.slot(0)) else { return }
                            defer { type.empty(call) }
                            try closing(object)
                        }, lua: lua))
            }
            try lua.check(chost_make_type(lua.state, thread, type.key, field, other, lua.keep(assignment()), close))
            type.methods = try lua.popReference(on: thread)
            type.metatable = try lua.popReference(on: thread)
            let table = LuaTableWriter(lua: lua, table: type.methods!)
            for declaration in methods { try table.define(declaration, qualifiedBy: type.name + ":") }
            for getter in getters {
                let read = getter.get
                let function = NativeFunction(
                    Declaration("\(getter.name)(self: any)", returns: getter.returns, fast: true) { call in
                        try read(type.own(call), call)
                    }, lua: lua)
                try table.set(getter.name, address: lua.keep(function))
                lua.docs.add(
                    "\(type.name).\(getter.name)",
                    text: "\(getter.name): \(getter.kind)\n\(getter.doc)", module: lua.loading.last ?? "")
            }
            let meta = LuaTableWriter(lua: lua, table: type.metatable!)
            for (name, declaration) in metamethods { try meta.define(declaration, as: name) }
            if !doc.isEmpty {
                lua.docs.add(String(doc.prefix { $0 != "\n" }), text: doc, module: lua.loading.last ?? "")
            }
        }

        private func assignment() -> NativeFunction {
            let type = type, setters = setters, assigning = assigning
            return NativeFunction(
                Declaration("assign(self: any, key: any, value: any)", fast: true) { call in
                    let object = try type.own(call)
                    if let name = call.stringIfPresent(1) {
                        if let set = setters[name] { return try set(object, call) }
                        if assigning == nil || type.memberNames.contains(name) {
                            throw LuaError(
                                type.memberNames.contains(name)
                                    ? "\(type.name): field '\(name)' cannot be assigned"
                                    : "\(type.name) has no field '\(name)'\(Suggest.hint(name, in: Array(setters.keys)))")
                        }
                    }
                    guard let assigning else { throw LuaError("\(type.name): cannot assign to \(call.describe(call.slot(1)))") }
                    try assigning(object, call)
                }, lua: type.lua)
        }
    }

    /// The object itself, which Lua passes as argument 0.
    fileprivate func own(_ call: Call) throws -> T {
        if let object = object(call.thread, call.slot(0)) { return object }
        throw LuaError("expected \(name), got \(call.describe(call.slot(0)))")
    }

    /// The error for a name that the type does not have: `Tensor has no field 'shpe'; did you mean 'shape'?`
    public func noField(_ call: Call) -> LuaError {
        guard let name = call.stringIfPresent(1) else {
            return LuaError("\(self.name) cannot be indexed by \(call.describe(call.slot(1)))")
        }
        return LuaError("\(self.name) has no field '\(name)'\(Suggest.hint(name, in: memberNames))")
    }

    fileprivate func empty(_ call: Call) {
        guard let box = chost_box_at(call.thread, call.slot(0)), let object = box.pointee.object else { return }
        box.pointee.object = nil
        Unmanaged<AnyObject>.fromOpaque(object).release()
    }
}
