import XCTest

/// Scripts of `Tests/Lua`, each a set of assertions.
final class LuaScriptTests: XCTestCase {
    func testJSON() throws { try HostProcess.check("json.lua") }
    func testErrorsAreNamed() throws { try HostProcess.check("errors.lua") }
    func testSizesBeyondMemory() throws { try HostProcess.check("huge.lua", environment: ["HOST_MEMORY_LIMIT": "1GiB"]) }
    func testThreadsShareWork() throws { try HostProcess.check("threads.lua") }
    func testFS() throws { try HostProcess.check("fs.lua") }
    func testEditorStubs() throws { try HostProcess.check("types.lua") }
    func testFigures() throws { try HostProcess.check("plot.lua") }
    func testDocumentationIsWhole() throws { try HostProcess.check("documentation.lua") }
    func testReferenceIsFresh() throws { try HostProcess.check("reference.lua") }
    func testModules() throws { try HostProcess.check("nn_module.lua") }
    func testContainersAndGradientsOfGradients() throws { try HostProcess.check("nn_more.lua") }
    func testONNX() throws { try HostProcess.check("onnx.lua") }
    func testModelFilesAndCheckpoints() throws { try HostProcess.check("nn_files.lua") }
    func testLayersAgainstPyTorch() throws { try HostProcess.check("nn_golden.lua") }
    func testOptimizersAgainstPyTorch() throws { try HostProcess.check("optim_golden.lua") }
}
