import CLuaShim

/// Leaving the process from a script.
extension Lua {
    /// Replaces `os.exit`: the exit hooks run and the state is closed (open files, running uploads), then the process ends.
    public func installExit() throws {
        let declaration = Declaration(
            """
            os.exit(code: bool|int = true, close: bool = true)
            Ends the program with an exit status: true is 0, false is 1.
            Example:
              -- ends the program
              os.exit(3)
            Source: Lua 5.4's os.exit
            """
        ) { [unowned self] call in
            let status = try call.intIfPresent(0) ?? (call.bool(0) ? 0 : 1)
            try leave(status: Int32(truncatingIfNeeded: status) & 0xff)
        }
        let thread = self.thread
        lua_rawgeti(thread, chost_registry(), Int64(LUA_RIDX_GLOBALS))
        defer { chost_drop(thread, 1) }
        try check(chost_get_field(state, thread, -1, "os", 2))
        let os = try popReference(on: thread)
        try LuaTableWriter(lua: self, table: os).define(declaration)
    }

    /// Closes Lua at the end of the program, whoever else still holds this object: finalisers and `<close>` run now.
    /// Nothing may be called afterwards.
    public func close() {
        chost_shut(state)
        letGo()
    }

    /// For native functions that end the program: throw what this throws.
    public func leave(status: Int32) throws -> Never {
        if leavesByStopping {
            // As an interrupt: no pcall on the way out goes on.
            exitStatus = status
            interrupt(Lua.stopSignal)
            throw LuaError("exit")
        }
        runExitHooks(status: status)
        throw ExitRequest(status: status)
    }
}
