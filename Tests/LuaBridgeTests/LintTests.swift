import XCTest

/// The rules that the compiler does not hold.
final class LintTests: XCTestCase {
    private var sources: URL {
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources")
    }

    private func swiftFiles(_ folder: String) throws -> [(String, String)] {
        let root = sources.appendingPathComponent(folder)
        let names = try FileManager.default.subpathsOfDirectory(atPath: root.path).filter { $0.hasSuffix(".swift") }
        return try names.map { (folder + "/" + $0, try String(contentsOf: root.appendingPathComponent($0), encoding: .utf8)) }
    }

    /// Nothing that raises is named in Swift, and nobody but the bridge sees the Lua API.
    func testNoRaisingCallsInSwift() throws {
        let raising = [
            "lua_error", "lua_settop", "lua_pop", "lua_getglobal", "lua_gettable", "lua_getfield", "lua_geti(", "lua_setglobal",
            "lua_settable", "lua_setfield", "lua_seti(", "lua_rawset", "lua_createtable", "lua_newuserdatauv", "lua_pushstring",
            "lua_pushlstring", "lua_pushcclosure", "lua_pushfstring", "lua_callk", "lua_pcallk", "lua_yieldk", "lua_len",
            "lua_concat", "lua_arith", "lua_compare", "lua_toclose", "lua_closeslot", "lua_newthread", "lua_tolstring", "luaL_",
        ]
        for (name, text) in try swiftFiles("LuaBridge") {
            for call in raising { XCTAssertFalse(text.contains(call), "\(name) uses \(call)") }
        }
        for folder in ["Host", "NN", "Wandb"] {
            for (name, text) in try swiftFiles(folder) {
                XCTAssertFalse(text.contains("import CLua"), "\(name) imports the Lua API")
            }
        }
    }

    func testNoTrapsThatScriptsCouldReach() throws {
        for folder in ["LuaBridge", "Host"] {
            for (name, text) in try swiftFiles(folder) {
                for word in ["fatalError", "try!", "as!", "preconditionFailure"] {
                    XCTAssertFalse(text.contains(word), "\(name) uses \(word)")
                }
            }
        }
    }
}
