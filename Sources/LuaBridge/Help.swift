import CLuaShim

/// `help`: what the registry knows about a value or a name, as text.
extension Lua {
    /// Sets the global `help`.
    public func installHelp() throws {
        let thread = self.thread
        lua_rawgeti(thread, chost_registry(), Int64(LUA_RIDX_GLOBALS))
        let globals = try popReference(on: thread)
        try LuaTableWriter(lua: self, table: globals).define(
            Declaration(
                """
                help(x: any = nil)
                Prints what there is to know about a function, a class, an object or a name.
                Args:
                  x: the thing itself, or its name as a string; without it, the list of modules
                Example:
                  help("help")
                Source: Python's help
                """
            ) { [unowned self] call in Console.write(helpText(call) + "\n") })
    }

    /// What `help` says of the first argument of a call.
    public func helpText(_ call: Call) -> String {
        if call.isNil(0) { return overview }
        if let name = call.stringIfPresent(0) {
            if moduleNames.contains(name) { return moduleText(name) }
            if let entry = docs.entry(named: name) { return entry.helpText }
            let known = docs.entries.map(\.name) + moduleNames
            return "no help for '\(name)'" + Suggest.hint(name, in: known) + "; help() lists the modules"
        }
        for name in moduleNames where isLoaded(name, call) { return moduleText(name) }
        if let entry = docs.entry(of: call.slot(0), self, on: call.thread) { return entry.helpText }
        return "no help for this \(call.describe(call.slot(0))); help() lists the modules"
    }

    private var overview: String {
        var lines = ["help(x) explains a function, a class or an object; help(\"name\") a name. Modules:"]
        for name in moduleNames { lines.append("  \(name)" + (docs.entry(named: name).map { "  " + $0.sections.summary } ?? "")) }
        return lines.joined(separator: "\n")
    }

    /// Whether the argument is the table that `require(name)` gave.
    private func isLoaded(_ name: String, _ call: Call) -> Bool {
        let thread = call.thread
        guard lua_type(thread, call.slot(0)) == LUA_TTABLE else { return false }
        lua_rawgeti(thread, chost_registry(), Int64(LUA_RIDX_GLOBALS))
        defer { chost_drop(thread, 1) }
        guard chost_get_field(state, thread, -1, "package", 7) == LUA_OK else { return false }
        defer { chost_drop(thread, 1) }
        guard chost_get_field(state, thread, -1, "loaded", 6) == LUA_OK else { return false }
        defer { chost_drop(thread, 1) }
        guard chost_get_field(state, thread, -1, name, name.utf8.count) == LUA_OK else { return false }
        defer { chost_drop(thread, 1) }
        return lua_rawequal(thread, -1, call.slot(0)) != 0
    }

    private func moduleText(_ name: String) -> String {
        _ = try? require(name)  // its functions are documented once it is loaded
        var lines = [name + (docs.entry(named: name).map { ": " + $0.sections.summary } ?? "")]
        for entry in docs.entries where entry.module == name && entry.name != name {
            lines.append("  " + entry.sections.head)
        }
        return lines.joined(separator: "\n")
    }
}

extension DocEntry {
    /// The sections in their fixed order.
    public var helpText: String {
        var text = head
        if !sections.summary.isEmpty { text += "\n\n" + sections.summary }
        func add(_ title: String, _ body: String) {
            if !body.isEmpty { text += "\n\n\(title)\n" + body.split(separator: "\n", omittingEmptySubsequences: false).map { "  " + $0 }.joined(separator: "\n") }
        }
        add("Arguments", argumentLines.joined(separator: "\n"))
        add("Returns", sections.returns)
        add("Errors", sections.errors)
        add("Example", sections.example)
        add("See also", sections.see.joined(separator: ", "))
        add("Source", sections.source)
        return text
    }

    /// Name, kind, default and meaning of each argument.
    private var argumentLines: [String] {
        guard signature != nil else { return sections.arguments.map { "\($0.name): \($0.text)" } }
        return parameters.map { parameter in
            let kind = parameter.kinds.joined(separator: "|")
            let standard = parameter.defaultText.map { parameter.rest ? "" : ", default \($0)" } ?? ""
            let text = meaning(of: parameter.name)
            return "\(parameter.name) (\(kind)\(standard))" + (text.isEmpty ? "" : ": " + text)
        }
    }
}
