import CLuaShim

/// Reading values from a Lua stack without anything that could raise.
struct ValueReader {
    let state: UnsafeMutablePointer<chost_state>
    let thread: OpaquePointer
    let releases: PendingReleases
    /// Deeper than this, a table is taken to contain itself.
    static let depthLimit = 128

    func value(_ index: Int32, depth: Int = 0) throws -> LuaValue {
        switch lua_type(thread, index) {
        case LUA_TNIL, LUA_TNONE: return .nil
        case LUA_TBOOLEAN: return .bool(lua_toboolean(thread, index) != 0)
        case LUA_TNUMBER:
            return lua_isinteger(thread, index) != 0
                ? .int(Int(lua_tointegerx(thread, index, nil))) : .number(lua_tonumberx(thread, index, nil))
        case LUA_TSTRING: return string(index)
        case LUA_TLIGHTUSERDATA where lua_touserdata(thread, index) == nil: return .null
        case LUA_TUSERDATA:
            guard let box = chost_box_at(thread, index) else { return .reference(try reference(index)) }
            guard let object = box.pointee.object else {
                throw LuaError("this \(String(cString: box.pointee.type.pointee.name)) is closed")
            }
            return .object(
                LuaObject(
                    object: Unmanaged<AnyObject>.fromOpaque(object).takeUnretainedValue(), type: box.pointee.type))
        case LUA_TTABLE:
            if lua_getmetatable(thread, index) != 0 {
                chost_drop(thread, 1)
                return .reference(try reference(index))
            }
            return try table(index, depth: depth)
        default: return .reference(try reference(index))
        }
    }

    func string(_ index: Int32) -> LuaValue {
        var length = 0
        guard let text = chost_string(thread, index, &length) else { return .nil }
        let bytes = UnsafeRawBufferPointer(start: text, count: length)
        if let string = String(validating: bytes, as: UTF8.self) { return .string(string) }
        return .bytes(Array(bytes))
    }

    func reference(_ index: Int32) throws -> LuaReference {
        var number: Int32 = 0
        guard chost_reference(state, thread, index, &number) == LUA_OK else {
            chost_drop_error(state, thread, state.pointee.errors)
            throw LuaError(chost_interrupted(state) == 0 ? "not enough memory" : "interrupted")
        }
        return LuaReference(index: number, releases: releases)
    }

    private func table(_ index: Int32, depth: Int) throws -> LuaValue {
        guard depth < Self.depthLimit, lua_checkstack(thread, 8) != 0 else {
            throw LuaError("table is nested deeper than \(Self.depthLimit) levels, or contains itself")
        }
        let at = lua_absindex(thread, index)
        let count = Int(lua_rawlen(thread, at))
        var list: [LuaValue] = []
        list.reserveCapacity(count)
        for i in 0..<count {
            lua_rawgeti(thread, at, Int64(i + 1))
            defer { chost_drop(thread, 1) }
            list.append(try value(-1, depth: depth + 1))
        }
        var fields: [LuaField] = []
        // What follows the list part: starting after its last key skips the elements read above.
        if count > 0 { lua_pushinteger(thread, Int64(count)) } else { lua_pushnil(thread) }
        while lua_next(thread, at) != 0 {
            if let key = integerKey(-2), key >= 1, key <= count {
                chost_drop(thread, 1)
                continue
            }
            do {
                fields.append(
                    LuaField(key: try value(-2, depth: depth + 1), value: try value(-1, depth: depth + 1)))
            } catch {
                chost_drop(thread, 2)
                throw error
            }
            chost_drop(thread, 1)
        }
        if fields.isEmpty { return .list(list) }
        let head = list.enumerated().map { LuaField(key: .int($0.offset + 1), value: $0.element) }
        return .map(head + fields.sorted { $0.key.sortsBefore($1.key) })
    }

    private func integerKey(_ index: Int32) -> Int? {
        lua_isinteger(thread, index) != 0 ? Int(lua_tointegerx(thread, index, nil)) : nil
    }
}

extension LuaValue {
    /// An order of keys that does not depend on Lua's hashing, which differs from run to run.
    fileprivate func sortsBefore(_ other: LuaValue) -> Bool {
        switch (self, other) {
        case (.string(let a), .string(let b)): a < b
        default:
            if let a = asNumber, let b = other.asNumber { a < b } else { rank < other.rank }
        }
    }

    private var rank: Int {
        switch self {
        case .int, .number: 0
        case .string: 1
        case .bytes: 2
        case .bool(let flag): flag ? 4 : 3
        default: 5
        }
    }
}
