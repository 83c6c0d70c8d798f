import LuaBridge

/// Everything that `require` finds in the program itself: one line for each module, one file for each line.
func registerModules(_ lua: Lua) throws {
    SharedArguments.register(lua)
    let tensor = try TensorModule.register(lua)
    try NNModule.register(lua, tensor)
    try OptimModule.register(lua, tensor)
    try DataModule.register(lua, tensor)
    try registerPachyderm(lua)
    try WandbModule.register(lua, tensor)
    try registerTime(lua)
    try registerJSON(lua)
    try registerFS(lua)
    try registerHTTP(lua)
    try registerCLI(lua)
    try registerProgress(lua)
    try PlotModule.register(lua, tensor)
    try CatalogModule.register(lua, tensor)
    for name in ["host.surface", "host.types", "host.reference"] { try lua.preludeModule(name) }
}
