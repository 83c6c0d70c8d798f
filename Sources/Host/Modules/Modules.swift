import LuaBridge

/// Everything that `require` finds in the program itself: one line for each module, one file for each line.
func registerModules(_ lua: Lua) throws {
    _ = try TensorModule.register(lua)
    try registerTime(lua)
    try registerJSON(lua)
    try registerFS(lua)
}
