import LuaBridge

/// What arguments mean in all functions of a module that do not say it themselves. Text that is the same for a family of
/// functions stands here once; `help`, the reference and the editor stubs show it with each of them.
enum SharedArguments {
    static func register(_ lua: Lua) {
        for (place, text) in tensor + nn + training { lua.docs.shareArguments(place, text) }
    }
}
