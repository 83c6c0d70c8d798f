import XCTest

/// Scripts of `Tests/Lua`, each a set of assertions.
final class LuaScriptTests: XCTestCase {
    func testJSON() throws { try HostProcess.check("json.lua") }
    func testFS() throws { try HostProcess.check("fs.lua") }
}
