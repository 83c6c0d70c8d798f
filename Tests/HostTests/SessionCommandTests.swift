import Foundation
import XCTest

/// The session's commands at a terminal, each with what it does.
final class SessionCommandTests: XCTestCase {
    private func open(_ environment: [String: String] = [:], columns: UInt16 = 80, scratch: Scratch? = nil) throws -> Terminal {
        try XCTSkipUnless(SessionTests.hasReadline, "libreadline is not installed")
        let terminal = try Terminal(columns: columns, scratch: scratch, environment: environment)
        terminal.expect("1> ")
        return terminal
    }

    func testReloadTakesChangedModulesAndKeepsTheirState() throws {
        let t = try open()
        try t.scratch.write("counter.lua", "return {total = 0, name = function() return 'first' end}")
        t.enter("counter = require 'counter'", "2> ")
        t.enter("counter.total = 41", "3> ")
        t.enter(":reload", "no module changed\n")
        try t.scratch.write("counter.lua", "return {total = 0, name = function() return 'second' end, more = 9}")
        t.enter(":reload", "counter: functions replaced, values kept\n")
        t.enter("print(counter.name(), counter.total, counter.more)", "second\t41\t9\n")
        try t.scratch.write("counter.lua", "return {total = ")
        t.enter(":reload", "unexpected symbol near <eof> (the module stays as it was)\n")
        t.enter("print(counter.name())", "second\n")
        XCTAssertEqual(t.leave(), 0)
    }

    func testLoadRunsAFileAndSaveWritesTheSession() throws {
        let t = try open()
        try t.scratch.write("setup.lua", "side = 3 print('set up')")
        try t.scratch.write("bad.lua", "x = = 1")
        t.enter(":load setup.lua", "set up\n")
        t.enter("x = tensor.ones(2, side)", "> ")
        t.enter("x:sum()", "tensor(6.)\n")
        t.enter("y = 2", "> ")
        t.enter("\u{1b}[200~y = y * 2\ny\u{1b}[201~", "4\n")
        t.enter("x:sum();", "> ")
        t.enter("nonsense(", ".. ")
        t.enter(")", "attempt to call a nil value (global 'nonsense')")
        // A file that fails takes nothing of the session along.
        try t.scratch.write("fails.lua", "error('on purpose')")
        t.enter(":load fails.lua", "fails.lua:1: on purpose")
        t.enter(":load bad.lua", "bad.lua:1: unexpected symbol near '='\n")
        t.enter(":load none.lua", "cannot open none.lua\n")
        t.enter(":save kept.lua", " inputs written to kept.lua\n")
        XCTAssertEqual(t.leave(), 0)
        let kept = try String(contentsOf: t.scratch.url.appendingPathComponent("kept.lua"), encoding: .utf8)
        XCTAssertFalse(kept.contains("nonsense"), "what failed is left out: \(kept)")
        let again = try HostProcess.run([t.scratch.url.path + "/kept.lua"], folder: t.scratch.url)
        XCTAssertEqual(again.status, 0, kept + again.error)
        XCTAssertEqual(again.out, "set up\ntensor(6.)\n4\n", kept)
    }

    /// Lines inside a block are indented as they are begun, and `end` goes back.
    func testBlocksAreIndented() throws {
        let t = try open()
        t.enter("for i = 1, 2 do", ".. ")
        t.enter("if i == 2 then", ".. ")
        t.enter("print('two')", ".. ")
        t.enter("else", ".. ")
        t.enter("print('one')", ".. ")
        t.enter("end", ".. ")
        t.enter("end", "one\ntwo\n")
        t.enter(":save block.lua", "1 inputs written")
        XCTAssertEqual(t.leave(), 0)
        XCTAssertEqual(
            try String(contentsOf: t.scratch.url.appendingPathComponent("block.lua"), encoding: .utf8),
            "for i = 1, 2 do\n  if i == 2 then\n    print('two')\n  else\n    print('one')\n  end\nend\n")
    }

    func testTimeMemoryAndVariables() throws {
        let t = try open()
        t.enter(":time tensor.ones(10)", "median of 1000 runs, middle half")
        t.enter(":time error('no')", "stdin:1: no\n")
        t.enter("big = tensor.zeros(1024, 1024)", "> ")
        t.enter(":mem", "tensors   4.")
        t.enter("collectgarbage() big = nil collectgarbage()", "> ")
        t.enter(":mem", "tensors   0 B live")
        t.enter("net = nn.Linear(2, 3) words = {'a', 'b'} steps = 12 label = 'seven' batch = tensor.zeros(4, 2, {dtype = 'int64'})", "> ")
        t.enter(
            ":who",
            """
            batch  tensor int64  [4, 2]        64 B
            label  string        "seven"
            net    Linear        9 parameters  36 B
            steps  integer       12
            words  table         2 entries

            """)
        XCTAssertEqual(t.leave(), 0)
    }

    func testDocSearchesAndHelpExplains() throws {
        let t = try open()
        t.enter(":doc cosine", "nn.functional.cosine_similarity")
        t.enter(":doc anneal", "CosineAnnealingLR")
        t.enter(":doc qqqq", "nothing is said of 'qqqq'\n")
        t.enter("help(nn.Linear)", "in_features")
        t.enter("nn.Linear?", "in_features")
        t.enter("describe(tensor{1, 2, 0 / 0})", "NaN")
        t.enter(":help", ":reload")
        XCTAssertEqual(t.leave(), 0)
    }

    func testDebugShowsFramesLocalsAndUpvalues() throws {
        let t = try open()
        t.enter(":debug", "no error yet\n")
        t.enter("do local rate = 0.5  function step(t) local half = t.n * rate  return half .. t.missing.name end end", "> ")
        t.enter("step{n = 8}", "attempt to index a nil value (field 'missing')")
        t.enter(":debug", "#1  stdin:1  step  (t, half)")
        t.enter(":debug 1", "upvalue rate = 0.5\n  local t = {n = 8}\n  local half = 4.0\n")
        t.enter("frame.half + frame.rate", "4.5\n")
        t.enter(":debug 9", "there is no frame 9")
        XCTAssertEqual(t.leave(), 0)
    }

    /// All of it on a screen of twenty columns, without UTF-8 and colours: no control sequence of ours, no byte beyond ASCII.
    func testANarrowPlainScreen() throws {
        for environment in [["TERM": "dumb", "LC_ALL": "C", "LANG": "C"], ["NO_COLOR": "1", "LC_ALL": "C", "LANG": "C"]] {
            let t = try open(environment.merging(["HOST_GRAPHICS": ""]) { $1 }, columns: 20)
            t.enter("net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())", "> ")
            t.enter("net", "Linear")
            t.enter(":who", "net")
            t.enter(":doc cosine", "cosine")
            t.enter("show(tensor.eye(4))", "@@")
            t.enter("plot.confusion(tensor{{5, 1}, {0, 4}}, {'a', 'b'})", "% right")
            t.enter("plot.hist{1, 2, 2, 3}", "+---")
            t.enter("describe(tensor.arange(9))", "mean")
            t.enter("x = = 1", "  x = = 1\n      ^\n")
            t.enter("help(tensor.exp)", "exp(")
            t.enter(":mem", "Lua")
            XCTAssertEqual(t.leave(), 0)
            XCTAssertNil(t.raw.firstMatch(of: /\u{1b}\[[0-9;]*m/), "colours: \(t.raw.debugDescription)")
            XCTAssertFalse(t.raw.contains("\u{1b}_G") || t.raw.contains("\u{1b}P"), "graphics: \(t.raw.debugDescription)")
            XCTAssertNil(t.raw.unicodeScalars.first { $0.value > 126 }, "\(t.raw.unicodeScalars.filter { $0.value > 126 })")
            if environment["TERM"] == "dumb" { XCTAssertFalse(t.raw.contains("\u{1b}"), t.raw.debugDescription) }
        }
    }

    func testOverAPipeEverythingIsPlain() throws {
        let input = """
            help(tensor.exp)
            show(tensor.eye(4))
            plot.line{1, 4, 9}
            plot.confusion(tensor{{5, 1}, {0, 4}}, {'a', 'b'})
            describe(tensor.arange(9))
            net = nn.Linear(2, 3)
            net
            :who
            :doc cosine
            :mem
            error("here")
            :debug
            """
        let outcome = try HostProcess.run(["-i"], input: input + "\n", environment: ["LC_ALL": "C", "TERM": "xterm-256color", "COLORTERM": "truecolor"])
        XCTAssertEqual(outcome.status, 0, outcome.error)
        for part in ["exp(", "@@", "+--", "% right", "mean", "Linear", "9 parameters", "cosine", "Lua "] {
            XCTAssertTrue(outcome.out.contains(part), "\(part): \(outcome.out)")
        }
        XCTAssertTrue(outcome.error.contains("stdin:1: here"), outcome.error)
        let odd = (outcome.out + outcome.error).unicodeScalars.first { $0.value > 126 || $0.value < 32 && $0 != "\n" && $0 != "\t" }
        XCTAssertNil(odd, outcome.out + outcome.error)
    }
}
