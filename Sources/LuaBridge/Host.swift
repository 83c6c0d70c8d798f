import CLuaShim

/// What preludes get as their second argument: the table that only code of the program sees.
extension Lua {
    func host() throws -> LuaReference {
        if let hostTable { return hostTable }
        let thread = self.thread
        try check(chost_push_table(state, thread, 0, 8))
        let writer = LuaTableWriter(lua: self, table: try popReference(on: thread))
        for declaration in hostFunctions { try writer.define(declaration, as: declaration.name) }
        hostTable = writer.table
        return writer.table
    }

    /// Adds native functions that preludes find in `host` and scripts do not see.
    public func addHostFunctions(_ declarations: [Declaration]) throws {
        let writer = LuaTableWriter(lua: self, table: try host())
        for declaration in declarations { try writer.define(declaration, as: declaration.name) }
    }

    private var hostFunctions: [Declaration] {
        [
            Declaration(
                """
                declare(doc: string, body: function, documented: bool = true) -> function
                A function that takes its arguments as the signature in `doc` says, and calls `body` with one value each.
                Without `documented` no help comes of it: for the constructor of a class that is documented itself.
                """
            ) { [unowned self] call in try declare(call) },
            Declaration(
                """
                document(doc: string, value: any) -> any
                Attaches help to a table or function as it is; gives it back.
                """
            ) { [unowned self] call in
                let declaration = Declaration(try call.string(0)) { _ in }
                lua_pushvalue(call.thread, call.slot(1))
                let name = String(declaration.name.prefix { $0 != "\n" })
                try docs.add(qualified(name), text: declaration.doc, module: loading.last ?? "", value: -1, self)
            },
            Declaration(
                """
                doc_of(value: any) -> string|nil
                The docstring of a function or class.
                """
            ) { call in
                if let entry = call.documentation(of: 0) { try call.push(entry.text) } else { call.pushNil() }
            },
            Declaration(
                """
                document_field(doc: string)
                Attaches help to a field of a class's objects: `nn.Module.training: bool`, and below it what it holds.
                """
            ) { [unowned self] call in
                let sections = DocSections(parsing: try call.string(0))
                let parts = sections.head.split(separator: ":", maxSplits: 1).map(String.init)
                guard parts.count == 2 else { throw LuaError("a field is documented as `class.name: kind`") }
                docs.addField(parts[0], kind: parts[1].trimmed, sections.summary, module: loading.last ?? "")
            },
            Declaration(
                """
                kind(name: string, field: string)
                A kind for signatures: values whose metatable has a true `field`.
                """
            ) { [unowned self] call in try defineKind(call.string(0), markedBy: call.string(1)) },
            Declaration(
                """
                fail(message: string)
                Raises an error at the line of the script that called into the program.
                """
            ) { call in throw HostFailure(description: try call.string(0)) },
            Declaration(
                """
                methods(type: string) -> table
                The method table of a native type, to add methods written in Lua.
                """
            ) { [unowned self] call in
                let name = try call.string(0)
                guard let methods = types.first(where: { $0.name == name })?.methods else {
                    throw LuaError("there is no type '\(name)'")
                }
                call.push(methods)
            },
            Declaration(
                """
                prelude(name: string, ...) -> any
                Runs another file of the prelude with these arguments and gives what it returns.
                """
            ) { [unowned self] call in
                let name = try call.string(0)
                guard let source = preludeSource(name) else { throw LuaError("there is no prelude '\(name)'") }
                let arguments = try (0..<call.restTotal).map { LuaValue.reference(try call.restReference($0)) }
                for result in try runPrelude(name, source, arguments) { call.push(result) }
            },
            Declaration(
                """
                suggest(name: string, known: list) -> string
                "; did you mean 'x'?" for a misspelt name, or an empty string.
                """
            ) { call in try call.push(Suggest.hint(call.string(0), in: call.strings(1))) },
        ]
    }

    private func declare(_ call: Call) throws {
        let declaration = Declaration(try call.string(0)) { _ in }
        let function = NativeFunction(declaration, lua: self, place: String(qualified(declaration.name).dropLast(declaration.name.count)))
        let thread = call.thread
        lua_pushvalue(thread, call.slot(1))
        try check(chost_make_declared(state, thread, keep(function)), on: thread)
        guard try call.bool(2) else { return }
        try docs.add(qualified(function.name), text: function.doc, module: loading.last ?? "", value: -1, self)
    }

    /// Names without a dot belong to the module that is being loaded, which may be a function itself.
    private func qualified(_ name: String) -> String {
        guard let module = loading.last, name != module, !name.contains("."), !name.contains(":") else { return name }
        return module + "." + name
    }
}

/// An error whose text is complete: only the position is put before it.
struct HostFailure: Error, CustomStringConvertible {
    let description: String
}
