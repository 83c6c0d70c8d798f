import CLuaShim

extension Call {
    public enum PlainValue {
        case bool(Bool), int(Int), number(Double)
    }

    /// Walks a plain table of texts and numbers or booleans, in Lua's order, and makes nothing of it. False where it holds
    /// anything else, or where `body` says so; what precedes that has then been given. `body` must not call Lua.
    public func scalars(_ index: Int, _ body: (_ key: UnsafeRawBufferPointer, _ value: PlainValue) -> Bool) -> Bool {
        let at = slot(index)
        guard lua_type(thread, at) == LUA_TTABLE, lua_checkstack(thread, 4) != 0 else { return false }
        if lua_getmetatable(thread, at) != 0 {
            chost_drop(thread, 1)
            return false
        }
        lua_pushnil(thread)
        while lua_next(thread, at) != 0 {
            var length = 0
            // Asking a number for its text would change the key under `lua_next`.
            guard lua_type(thread, -2) == LUA_TSTRING, let text = chost_string(thread, -2, &length),
                let value = scalar(-1), body(UnsafeRawBufferPointer(start: text, count: length), value)
            else {
                chost_drop(thread, 2)
                return false
            }
            chost_drop(thread, 1)
        }
        return true
    }

    private func scalar(_ index: Int32) -> PlainValue? {
        switch lua_type(thread, index) {
        case LUA_TBOOLEAN: .bool(lua_toboolean(thread, index) != 0)
        case LUA_TNUMBER:
            lua_isinteger(thread, index) != 0
                ? .int(Int(lua_tointegerx(thread, index, nil))) : .number(lua_tonumberx(thread, index, nil))
        default: nil
        }
    }
}
