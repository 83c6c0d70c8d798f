import CLuaShim

/// Lists of numbers and objects, read without boxing.
extension Call {
    /// The integers of an `ints` or `shape` argument: a list, one number, or several numbers in a row.
    public func ints(_ index: Int) throws -> [Int] {
        if shapeCount > 0, native.isShape(index) {
            return try (0..<shapeCount).map { k in
                guard let value = integer(at: shapeStart + k) else { throw mismatch(index, at: shapeStart + k) }
                return value
            }
        }
        if let single = intIfPresent(index) { return [single] }
        if isNil(index), case .list(let list) = native.parameter(index)?.fallback { return list.compactMap(\.asInt) }
        if isNil(index), case .int(let value) = native.parameter(index)?.fallback { return [value] }
        return try elements(index, of: "integer") {
            guard let value = integer(at: $0) else { return nil }
            return value
        }
    }

    /// nil when the argument is absent.
    public func intsIfPresent(_ index: Int) throws -> [Int]? {
        if shapeCount > 0, native.isShape(index) { return try ints(index) }
        return isNil(index) ? nil : try ints(index)
    }

    /// The numbers of a `numbers` argument: a list or one number.
    public func numbers(_ index: Int) throws -> [Double] {
        if let single = numberIfPresent(index) { return [single] }
        if isNil(index), case .list(let list) = native.parameter(index)?.fallback { return list.compactMap(\.asNumber) }
        return try elements(index, of: "number") {
            lua_type(thread, $0) == LUA_TNUMBER ? lua_tonumberx(thread, $0, nil) : nil
        }
    }

    public func strings(_ index: Int) throws -> [String] {
        try elements(index, of: "string") { slot in
            var length = 0
            guard let text = chost_string(thread, slot, &length) else { return nil }
            return String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
        }
    }

    /// The objects of a list argument, all of one userdata type.
    public func objects<T: AnyObject>(_ index: Int, _ type: UserdataType<T>) throws -> [T] {
        try elements(index, of: type.name) { type.object(thread, $0) }
    }

    private func integer(at slot: Int32) -> Int? {
        guard lua_type(thread, slot) == LUA_TNUMBER else { return nil }
        var exact: Int32 = 0
        let value = lua_tointegerx(thread, slot, &exact)
        return exact != 0 ? Int(value) : nil
    }

    private func elements<T>(_ index: Int, of kind: String, _ read: (Int32) -> T?) throws -> [T] {
        let table = slot(index)
        guard lua_type(thread, table) == LUA_TTABLE else { throw mismatch(index) }
        let count = Int(lua_rawlen(thread, table))
        var result: [T] = []
        result.reserveCapacity(count)
        for i in 0..<count {
            lua_rawgeti(thread, table, Int64(i + 1))
            guard let value = read(lua_gettop(thread)) else {
                let error = mismatch(index, at: lua_gettop(thread), element: i + 1, expecting: kind)
                chost_drop(thread, 1)
                throw error
            }
            chost_drop(thread, 1)
            result.append(value)
        }
        return result
    }

    // MARK: Objects

    /// The object of a userdata argument.
    @inline(__always)
    public func object<T: AnyObject>(_ index: Int, _ type: UserdataType<T>) throws -> T {
        guard let object = type.object(thread, slot(index)) else { throw mismatch(index) }
        return object
    }

    /// nil when the argument is anything else (or closed).
    @inline(__always)
    public func objectIfPresent<T: AnyObject>(_ index: Int, _ type: UserdataType<T>) -> T? {
        type.object(thread, slot(index))
    }
}
