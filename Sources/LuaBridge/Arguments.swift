import CLuaShim

/// From what a caller wrote (by position, by keyword, with defaults left out) to one slot for each parameter, checked.
extension Call {
    /// Checks the arguments of a fast function after all, so that a wrong one gets the same message as everywhere;
    /// the returned call has every argument in its slot.
    public func checked() throws -> Call {
        var copy = self
        try copy.arrange()
        // What lies on the stack now are arguments; results come after them.
        native.cell.pointee.arranged = lua_gettop(thread)
        return copy
    }

    mutating func arrange() throws {
        try function._withUnsafeGuaranteedRef { try $0.signature() }._withUnsafeGuaranteedRef { try arrange($0) }
    }

    private mutating func arrange(_ signature: CompiledSignature) throws {
        var positional = Int(given)
        let keywords = positional > 0 && isKeywordTable(slot(positional - 1), at: positional - 1, signature)
        if keywords { positional -= 1 }
        if !keywords, signature.isPlain, positional <= signature.positional {
            try verify(signature)
            return
        }
        let total = signature.parameters.count
        guard lua_checkstack(thread, Int32(total) + CHOST_STACK_ROOM) != 0 else { throw LuaError("stack overflow") }
        let fresh = lua_gettop(thread)
        for _ in 0..<total { lua_pushnil(thread) }
        try place(positional, in: fresh, signature, more: keywords)
        if keywords { try placeKeywords(Int(given) - 1, in: fresh, signature) }
        base = fresh
        try verify(signature)
    }

    /// Whether the last argument is a keyword table: string keys where the parameter itself takes no such table.
    private func isKeywordTable(_ slot: Int32, at position: Int, _ signature: CompiledSignature) -> Bool {
        guard lua_type(thread, slot) == LUA_TTABLE else { return false }
        if lua_getmetatable(thread, slot) != 0 {
            chost_drop(thread, 1)
            return false
        }
        let length = lua_rawlen(thread, slot)
        // Skips the list part: a string key can only come after it.
        if length > 0 { lua_pushinteger(thread, Int64(length)) } else { lua_pushnil(thread) }
        var named = false, known = true, first = false
        let own = parameter(at: position, signature)
        while lua_next(thread, slot) != 0 {
            chost_drop(thread, 1)
            guard lua_type(thread, -1) == LUA_TSTRING else {
                known = false
                continue
            }
            named = true
            let index = self.index(ofKey: -1, in: signature)
            known = known && index != nil
            first = first || (index != nil && index == own)
        }
        guard let own else { return named || length == 0 }
        let parameter = signature.parameters[own]
        if parameter.rest { return false }
        if parameter.kinds.contains(.table) || !parameter.marks.isEmpty && !named { return false }
        if !parameter.kinds.isDisjoint(with: .lists) {
            // An empty table for numbers that may be left out states no options rather than no numbers.
            return named || length == 0 && !parameter.isRequired && parameter.kinds.isDisjoint(with: [.list, .shape])
        }
        if parameter.kinds.contains(.any) { return named && known && first && length == 0 }
        return named || length == 0
    }

    /// The parameter that positional argument `position` would go to; nil beyond the last.
    private func parameter(at position: Int, _ signature: CompiledSignature) -> Int? {
        if signature.shape >= 0, position > signature.shape {
            // Numbers before it belong to the shape; a list in its place leaves the numbering as it is.
            if lua_type(thread, slot(signature.shape)) == LUA_TNUMBER {
                var last = signature.shape
                while last < position, lua_type(thread, slot(last)) == LUA_TNUMBER { last += 1 }
                let index = signature.shape + 1 + position - last
                return index < signature.positional ? index : nil
            }
        }
        if signature.rest >= 0, position >= signature.positional {
            return signature.parameters.contains { $0.keywordOnly } ? nil : signature.rest
        }
        return position < signature.positional ? position : nil
    }

    private func index(ofKey slot: Int32, in signature: CompiledSignature) -> Int? {
        var length = 0
        guard let text = chost_string(thread, slot, &length) else { return nil }
        let key = UnsafeRawBufferPointer(start: text, count: length)
        return signature.parameters.firstIndex { parameter in
            parameter.name.utf8.count == length && !parameter.rest && parameter.name.utf8.elementsEqual(key)
        }
    }

    private mutating func place(_ count: Int, in fresh: Int32, _ signature: CompiledSignature, more: Bool) throws {
        var parameter = 0, position = 0
        while position < count {
            if parameter == signature.shape {
                let start = position
                while position < count, lua_type(thread, slot(position)) == LUA_TNUMBER { position += 1 }
                if position > start {
                    (shapeStart, shapeCount) = (slot(start), Int32(position - start))
                    parameter += 1
                    continue
                }
            }
            if parameter == signature.rest {
                (restStart, restCount) = (slot(position), Int32(count - position))
                return
            }
            guard parameter < signature.positional else {
                let most = signature.positional
                throw LuaError(
                    most == 0
                        ? "takes no arguments by position, got \(count)"
                        : "takes at most \(most) argument\(most == 1 ? "" : "s")\(more ? " before the keyword table" : ""), got \(count)")
            }
            lua_copy(thread, slot(position), fresh + 1 + Int32(parameter))
            position += 1
            parameter += 1
        }
    }

    private func placeKeywords(_ position: Int, in fresh: Int32, _ signature: CompiledSignature) throws {
        let table = slot(position)
        let length = lua_rawlen(thread, table)
        if length > 0 {
            // {2, 3, dtype = "int64"}: the list part is the argument at this position.
            guard let own = parameter(at: position, signature),
                !signature.parameters[own].kinds.isDisjoint(with: .lists)
            else { throw LuaError("the keyword table also holds \(length) value\(length == 1 ? "" : "s") without a name") }
            lua_copy(thread, table, fresh + 1 + Int32(own))
            lua_pushinteger(thread, Int64(length))
        } else {
            lua_pushnil(thread)
        }
        while lua_next(thread, table) != 0 {
            guard let index = index(ofKey: -2, in: signature) else {
                let error = unknownKeyword(-2, signature)
                chost_drop(thread, 2)
                throw error
            }
            let target = fresh + 1 + Int32(index)
            if lua_type(thread, target) != LUA_TNIL || (index == signature.shape && shapeCount > 0) {
                chost_drop(thread, 2)
                throw LuaError("argument '\(signature.parameters[index].name)' is given twice, by position and by name")
            }
            lua_copy(thread, -1, target)
            chost_drop(thread, 1)
        }
    }

    private func verify(_ signature: CompiledSignature) throws {
        for index in signature.checks.indices {
            let check = signature.checks[index]
            let slot = slot(index)
            let type = lua_type(thread, slot)
            if type <= LUA_TNIL {
                if check.isRequired, !(index == signature.shape && shapeCount > 0) { throw mismatch(index) }
            } else if !accepts(slot, type, check), !accepts(slot, type, signature.parameters[index]) {
                throw mismatch(index)
            }
        }
    }

    /// The usual cases; what this refuses may still be right.
    @inline(__always)
    private func accepts(_ slot: Int32, _ type: Int32, _ check: ParameterCheck) -> Bool {
        switch type {
        case LUA_TUSERDATA:
            guard let kind = check.type else { return check.kinds.contains(.any) }
            return chost_object(thread, slot, kind) != nil
        case LUA_TNUMBER: return !check.kinds.isDisjoint(with: [.any, .number, .numbers])
        case LUA_TBOOLEAN: return !check.kinds.isDisjoint(with: [.any, .bool])
        case LUA_TSTRING: return !check.kinds.isDisjoint(with: [.any, .string])
        default: return check.kinds.contains(.any)
        }
    }

    /// Elements of lists are checked when they are read.
    private func accepts(_ slot: Int32, _ type: Int32, _ parameter: CompiledParameter) -> Bool {
        let kinds = parameter.kinds
        if kinds.contains(.any) { return true }
        switch type {
        case LUA_TBOOLEAN: return kinds.contains(.bool)
        case LUA_TNUMBER:
            if !kinds.isDisjoint(with: [.number, .numbers]) { return true }
            guard !kinds.isDisjoint(with: [.int, .ints, .shape]) else { return false }
            var exact: Int32 = 0
            lua_tointegerx(thread, slot, &exact)
            return exact != 0
        case LUA_TSTRING:
            if kinds.contains(.string) { return true }
            var length = 0
            guard let text = chost_string(thread, slot, &length) else { return false }
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            return parameter.choices.contains { $0.utf8.count == length && $0.utf8.elementsEqual(bytes) }
        case LUA_TFUNCTION: return kinds.contains(.function)
        case LUA_TTABLE:
            if kinds.contains(.table) { return true }
            if hasMark(slot, parameter) { return true }
            return !kinds.isDisjoint(with: .lists) && !hasMetatable(slot)
        case LUA_TUSERDATA:
            if let box = chost_box_at(thread, slot), box.pointee.object != nil,
                parameter.types.contains(where: { $0 == box.pointee.type })
            {
                return true
            }
            return hasMark(slot, parameter)
        default: return false
        }
    }

    private func hasMetatable(_ slot: Int32) -> Bool {
        guard lua_getmetatable(thread, slot) != 0 else { return false }
        chost_drop(thread, 1)
        return true
    }

    /// Whether the metatable has one of the fields that mark an object of the kind (`__call` for functions).
    private func hasMark(_ slot: Int32, _ parameter: CompiledParameter) -> Bool {
        let callable = parameter.kinds.contains(.function)
        guard callable || !parameter.marks.isEmpty, lua_getmetatable(thread, slot) != 0 else { return false }
        defer { chost_drop(thread, 1) }
        func has(_ mark: UnsafeRawPointer) -> Bool {
            lua_rawgetp(thread, chost_registry(), mark)
            lua_rawget(thread, -2)
            defer { chost_drop(thread, 1) }
            return lua_toboolean(thread, -1) != 0
        }
        return callable && has(lua.callMark) || parameter.marks.contains(where: has)
    }

    /// For a function written in Lua: one value for each parameter on top of the stack, defaults filled in.
    func spread() throws -> Int32 {
        let signature = try native.signature().takeUnretainedValue()
        guard lua_checkstack(thread, Int32(signature.parameters.count) + restCount + CHOST_STACK_ROOM) != 0 else {
            throw LuaError("stack overflow")
        }
        let before = lua_gettop(thread)
        for (index, parameter) in signature.parameters.enumerated() {
            if parameter.rest {
                for k in 0..<restCount { lua_pushvalue(thread, restStart + k) }
            } else if index == signature.shape {
                if shapeCount > 0 || intIfPresent(index) != nil { try push(try ints(index)) } else { pushOrDefault(index) }
            } else if isNil(index), case .string(let text) = parameter.fallback {
                try push(text)
            } else if isNil(index), case .list(let list) = parameter.fallback {
                try push(.list(list))
            } else {
                pushOrDefault(index)
            }
        }
        return lua_gettop(thread) - before
    }

    private func pushOrDefault(_ index: Int) {
        if isNil(index) {
            switch native.parameter(index)?.fallback {
            case .bool(let value): return push(value)
            case .int(let value): return push(value)
            case .number(let value): return push(value)
            default: break
            }
        }
        lua_pushvalue(thread, slot(index))
    }
}

let CHOST_STACK_ROOM = Int32(CHOST_STACK)

extension NativeFunction {
    func isShape(_ index: Int) -> Bool { (try? signature().takeUnretainedValue().shape) == index }
}
