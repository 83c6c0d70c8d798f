import CLuaShim

/// What is said about an argument that does not fit.
extension Call {
    /// An error about an argument, for what a kind alone cannot say: `argument 2 'dim': out of range ...`.
    public func error(_ index: Int, _ what: String) -> LuaError {
        guard let parameter = native.parameter(index) else { return LuaError(what) }
        return LuaError("argument \(index + 1) '\(parameter.name)': \(what)")
    }

    /// The error for an argument of the wrong kind (or one element of it).
    public func mismatch(_ index: Int) -> LuaError { mismatch(index, at: slot(index)) }

    func mismatch(
        _ index: Int, at slot: Int32, element: Int? = nil, expecting: String = "integer"
    ) -> LuaError {
        guard (try? native.signature()) != nil, let parameter = native.parameter(index) else {
            return LuaError("argument \(index + 1): unexpected \(describe(slot))")
        }
        let place = "argument \(index + 1) '\(parameter.name)'" + (element.map { "[\($0)]" } ?? "")
        if lua_type(thread, slot) <= LUA_TNIL, element == nil {
            return LuaError("\(place): missing; expected \(expected(parameter))")
        }
        if element != nil {
            return LuaError("\(place): expected \(expecting), got \(describe(slot))")
        }
        var hint = ""
        if let text = string(at: slot) { hint = Suggest.hint(text, in: parameter.choices) }
        return LuaError("\(place): expected \(expected(parameter)), got \(describe(slot))\(hint)")
    }

    private func expected(_ parameter: CompiledParameter) -> String {
        let quoted = parameter.choices.map { "\"\($0)\"" }
        guard !quoted.isEmpty else { return parameter.expected }
        let others = parameter.expected.split(separator: " or ").filter { !$0.hasPrefix("\"") }.map(String.init)
        let named = others.filter { name in !isChoiceKind(name, parameter) }
        return "one of " + quoted.joined(separator: ", ") + named.map { " or \($0)" }.joined()
    }

    /// A kind name that stands for the choices themselves (`dtype`) need not be named beside them.
    private func isChoiceKind(_ name: String, _ parameter: CompiledParameter) -> Bool {
        lua.kinds.choices(of: name) != nil
    }

    private func string(at slot: Int32) -> String? {
        var length = 0
        guard let text = chost_string(thread, slot, &length) else { return nil }
        return String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
    }

    /// A value in a message: its kind, and the value itself where that is short.
    func describe(_ slot: Int32) -> String {
        switch lua_type(thread, slot) {
        case LUA_TNIL, LUA_TNONE: return "nil"
        case LUA_TBOOLEAN: return lua_toboolean(thread, slot) != 0 ? "true" : "false"
        case LUA_TNUMBER:
            return lua_isinteger(thread, slot) != 0
                ? "integer \(lua_tointegerx(thread, slot, nil))" : describe(lua_tonumberx(thread, slot, nil))
        case LUA_TSTRING:
            let text = string(at: slot) ?? ""
            return "string \"" + (text.count > 40 ? text.prefix(40) + "…" : text[...]) + "\""
        case LUA_TTABLE: return "table"
        case LUA_TFUNCTION: return "function"
        case LUA_TUSERDATA:
            guard let box = chost_box_at(thread, slot) else { return "userdata" }
            let name = String(cString: box.pointee.type.pointee.name)
            return box.pointee.object == nil ? "closed \(name)" : name
        case LUA_TLIGHTUSERDATA: return lua_touserdata(thread, slot) == nil ? "null" : "userdata"
        default: return "coroutine"
        }
    }

    /// x86 makes a negative NaN of 0/0, which is nobody's business.
    private func describe(_ number: Double) -> String { number.isNaN ? "number nan" : "number \(number)" }

    func unknownKeyword(_ slot: Int32, _ signature: CompiledSignature) -> LuaError {
        let known = signature.parameters.filter { !$0.rest }.map(\.name)
        guard let name = string(at: slot) else {
            return LuaError("the keyword table has a key that is no name: \(describe(slot))")
        }
        if let near = Suggest.nearest(name, in: known) {
            return LuaError("unknown option '\(name)'; did you mean '\(near)'?")
        }
        return LuaError("unknown option '\(name)'; known: \(known.joined(separator: ", "))")
    }

    /// Runs code that reads the argument, and says which argument it was when that fails.
    func explained<R>(_ index: Int, _ body: () throws -> R) throws -> R {
        do { return try body() } catch let failure as LuaError where !failure.isFromLua {
            throw error(index, failure.message)
        }
    }
}

extension KindRegistry {
    func choices(of name: String) -> [String]? {
        if case .choices(let choices) = kind(name) { choices } else { nil }
    }
}
