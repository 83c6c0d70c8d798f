import CLuaShim

/// One documented thing: a function, a method, a field, a class or a module.
public final class DocEntry {
    /// `tensor.exp`, `Tensor:size`, `Tensor.shape`, `nn.Linear`.
    public let name: String
    public let module: String
    public let text: String
    public private(set) lazy var sections = DocSections(parsing: text)
    /// nil for fields and modules, which have none.
    public private(set) lazy var signature: Signature? = try? Signature(parsing: sections.head)

    private weak var registry: DocRegistry?

    init(name: String, module: String, text: String, registry: DocRegistry) {
        self.name = name
        self.module = module
        self.text = text
        self.registry = registry
    }

    /// `name.shape: list` documents a field.
    public var isField: Bool { signature == nil && sections.head.contains(": ") }
    /// A module that can be called gets itself as the first argument, which no caller writes.
    private var isCallableModule: Bool { name == module && signature?.parameters.first?.name == "module" }
    /// The first line as callers write it.
    public var head: String {
        isCallableModule ? sections.head.replacing("(module: any, ", with: "(", maxReplacements: 1) : sections.head
    }
    public var parameters: [Signature.Parameter] {
        Array((signature?.parameters ?? []).dropFirst(isCallableModule ? 1 : 0))
    }

    /// What an argument means: in the function's own words, else in those that its module has for all its functions.
    public func meaning(of parameter: String) -> String {
        sections.text(of: parameter) ?? registry?.meaning(of: parameter, beside: self) ?? ""
    }
}

/// The documentation of everything registered, by name and by Lua value.
public final class DocRegistry {
    public private(set) var entries: [DocEntry] = []
    private var byName: [String: Int] = [:]
    /// Texts of shared arguments, and those that somebody asked for taken apart: no script needs that to start.
    private var sharedTexts: [String: String] = [:]
    private var shared: [String: DocSections] = [:]
    /// A table with weak keys in Lua: documented value -> place in `entries`.
    var values: LuaReference?

    public func entry(named name: String) -> DocEntry? {
        if let index = byName[name] { return entries[index] }
        let matches = entries.filter { $0.name.hasSuffix("." + name) || $0.name.hasSuffix(":" + name) }
        return matches.first
    }

    /// Says what arguments mean in all functions of a module, or a table inside one, that do not say it themselves:
    /// lines of `name: text`.
    public func shareArguments(_ place: String, _ text: String) {
        sharedTexts[place] = text
        shared[place] = nil
    }

    private func shared(in place: String) -> DocSections? {
        if let known = shared[place] { return known }
        guard let text = sharedTexts[place] else { return nil }
        let sections = DocSections(parsing: "\(place)\nArgs:\n" + text)
        shared[place] = sections
        return sections
    }

    func meaning(of parameter: String, beside entry: DocEntry) -> String {
        var place = entry.name[...]
        while let end = place.lastIndex(where: { $0 == "." || $0 == ":" }) {
            place = place[..<end]
            if let text = shared(in: String(place))?.text(of: parameter) { return text }
        }
        return shared(in: entry.module)?.text(of: parameter) ?? ""
    }

    public func add(_ name: String, text: String, module: String) {
        // What preludes call under such names is no business of scripts.
        if name.contains("native_") { return }
        byName[name] = entries.count
        entries.append(DocEntry(name: name, module: module, text: text, registry: self))
    }

    /// Documents a module, or a table of functions inside one.
    public func addModule(_ name: String, text: String) {
        add(name, text: text, module: name)
    }

    /// Documents a field of the objects of a class: `loader.epoch`.
    public func addField(_ name: String, kind: String, _ text: String, module: String) {
        let short = name.split(separator: ".").last.map(String.init) ?? name
        add(name, text: "\(short): \(kind)\n\(text)", module: module)
    }

    /// Documents the Lua value at a stack index as well.
    func add(_ name: String, text: String, module: String, value index: Int32, _ lua: Lua) throws {
        let thread = lua.thread
        add(name, text: text, module: module)
        guard let values else { return }
        let at = lua_absindex(thread, index)
        guard let place = byName[name] else { return }
        lua_rawgeti(thread, chost_registry(), Int64(values.index))
        defer { chost_drop(thread, 1) }
        lua_pushvalue(thread, at)
        lua_pushinteger(thread, Int64(place))
        try lua.check(chost_set_raw(lua.state, thread, -3), on: thread)
    }

    /// The entry of the Lua value at a stack index; for userdata its type's, for objects their class's.
    func entry(of index: Int32, _ lua: Lua, on thread: OpaquePointer) -> DocEntry? {
        if let box = chost_box_at(thread, index) { return entry(named: String(cString: box.pointee.type.pointee.name)) }
        guard let values, lua_type(thread, index) > LUA_TNIL, lua_checkstack(thread, 6) != 0 else { return nil }
        let at = lua_absindex(thread, index)
        lua_rawgeti(thread, chost_registry(), Int64(values.index))
        defer { chost_drop(thread, 1) }
        lua_pushvalue(thread, at)
        lua_rawget(thread, -2)
        var found = lua_isinteger(thread, -1) != 0 ? Int(lua_tointegerx(thread, -1, nil)) : -1
        chost_drop(thread, 1)
        if found < 0, lua_type(thread, at) == LUA_TTABLE, lua_getmetatable(thread, at) != 0 {
            lua_rawget(thread, -2)
            found = lua_isinteger(thread, -1) != 0 ? Int(lua_tointegerx(thread, -1, nil)) : -1
            chost_drop(thread, 1)
        }
        return entries.indices.contains(found) ? entries[found] : nil
    }
}

extension Call {
    /// What is documented of argument `index`: a function, a class, an object's class.
    public func documentation(of index: Int) -> DocEntry? { lua.docs.entry(of: slot(index), lua, on: thread) }
}

extension Lua {
    func installDocs() throws {
        let thread = self.thread
        try check(chost_weak_table(state, thread))
        docs.values = try popReference(on: thread)
    }
}

extension Lua {
    /// What is wrong with the signatures registered so far: an unknown kind, a default that is no value. For tests.
    package func checkSignatures() -> [String] {
        docs.entries.compactMap { entry in
            guard entry.sections.head.contains("(") else { return nil }
            do {
                _ = try kinds.compile(Signature(parsing: entry.sections.head))
                return nil
            } catch { return "\(entry.name): \(error)" }
        }
    }
}
