import CLuaShim

/// Results. Numbers, booleans and objects whose blocks were made beforehand cost one call; the rest runs protected.
extension Call {
    public func pushNil() { lua_pushnil(thread) }
    public func push(_ value: Bool) { lua_pushboolean(thread, value ? 1 : 0) }
    public func push(_ value: Int) { lua_pushinteger(thread, Int64(value)) }
    public func push(_ value: Double) { lua_pushnumber(thread, value) }

    public func push(_ value: String) throws { try lua.push(value, on: thread) }
    public func push(bytes: UnsafeRawBufferPointer) throws {
        try lua.check(chost_push_string(state, thread, bytes.baseAddress ?? UnsafeRawPointer(state), bytes.count))
    }
    public func push(bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try push(bytes: $0) } }
    public func push(_ value: LuaValue) throws { try lua.push(value, on: thread) }
    public func push(_ reference: LuaReference) { lua_rawgeti(thread, chost_registry(), Int64(reference.index)) }

    public func push(_ values: [Int]) throws {
        let words = values.map(Int64.init)
        try words.withUnsafeBufferPointer { words in
            var none: Int64 = 0
            try withUnsafePointer(to: &none) {
                try lua.check(chost_push_integers(state, thread, words.baseAddress ?? $0, words.count))
            }
        }
    }

    public func push(_ values: [Double]) throws {
        try values.withUnsafeBufferPointer { values in
            var none = 0.0
            try withUnsafePointer(to: &none) {
                try lua.check(chost_push_numbers(state, thread, values.baseAddress ?? $0, values.count))
            }
        }
    }

    /// A fresh userdata for the object.
    @inline(__always)
    public func push<T: AnyObject>(_ object: T, _ type: UserdataType<T>) throws {
        let pointer = Unmanaged.passRetained(object).toOpaque()
        for k in 0..<function._withUnsafeGuaranteedRef({ $0.cell.pointee.boxes }) {
            if chost_fill(thread, boxes + k, type.key, pointer) { return }
        }
        Unmanaged<T>.fromOpaque(pointer).release()
        try lua.check(chost_push_object(state, thread, type.key, Unmanaged.passUnretained(object).toOpaque()))
    }

    /// A Lua list of fresh userdata.
    public func push<T: AnyObject>(list: [T], _ type: UserdataType<T>) throws {
        try push(.list(list.map { .object(LuaObject(object: $0, type: type.key)) }))
    }

    /// The very value that came as this argument: what in-place methods return.
    public func returnArgument(_ index: Int) { lua_pushvalue(thread, slot(index)) }
}
