import Foundation
import XCTest

/// The session at a terminal, typed at by the test.
final class SessionTests: XCTestCase {
    static let hasReadline = dlopen("libreadline.so.8", RTLD_LAZY) != nil || dlopen("libreadline.8.dylib", RTLD_LAZY) != nil

    private func open(_ arguments: [String] = [], columns: UInt16 = 80, scratch: Scratch? = nil, environment: [String: String] = [:]) throws -> Terminal {
        try XCTSkipUnless(Self.hasReadline, "libreadline is not installed")
        let terminal = try Terminal(arguments, columns: columns, scratch: scratch, environment: environment)
        terminal.expect("1> ")
        return terminal
    }

    func testCompletion() throws {
        let t = try open()
        t.enter("x = tensor.ones(2, 3)", "2> ")
        t.send("x:log_so\t")
        t.expect("x:log_softmax")
        t.enter("(1)", "[2, 3] float32")
        // A result is known by its declaration: nothing is computed.
        t.send("x:exp():log_si\t\u{8}")
        t.expect("x:exp():log_si")
        t.send("\u{15}nn.Conv2d(1, 2, 3, {str\t")
        t.expect("stride = ")
        t.send("\u{15}")
        try t.scratch.write("weights.bin", "")
        t.send("io.open(\"weig\t")
        t.expect("io.open(\"weights.bin")
        t.send("\u{15}x:sin\t\t")
        t.expect("sinh_")
        t.send("\u{15}")
        XCTAssertEqual(t.leave(), 0)
    }

    func testHistoryLastsAndKeepsLines() throws {
        let scratch = try Scratch()
        let first = try open(scratch: scratch)
        first.enter("for i = 7, 8 do", ".. ")
        first.send("print(i * 11)\rend\r")
        first.expect("77\n88\n")
        first.enter("answer = 6 * 7", "3> ")
        XCTAssertEqual(first.leave(), 0)
        let file = try String(contentsOf: scratch.url.appendingPathComponent("host/history"), encoding: .utf8)
        XCTAssertEqual(file.split(separator: "\n").count, 2, file)
        XCTAssertTrue(file.hasPrefix("for i = 7, 8 do\\n"), file)

        let second = try open(scratch: scratch)
        second.send("\u{1b}[A")
        second.expect("answer = 6 * 7")
        second.send("\u{15}\u{12}print")
        second.expect("(reverse-i-search)`print'")
        second.send("\r")
        second.expect("77\n88\n")
        XCTAssertEqual(second.leave(), 0)
    }

    func testPasteOfManyLines() throws {
        let t = try open()
        XCTAssertTrue(t.raw.contains("\u{1b}[?2004h"), "bracketed paste is off")
        t.send("\u{1b}[200~a = 20\nb = 3\nprint(a + b)\u{1b}[201~")
        t.expect("print(a + b)")
        t.enter("", "23\n")
        XCTAssertEqual(t.leave(), 0)
    }

    func testInterrupt() throws {
        let t = try open()
        t.send("half a line")
        t.expect("half a line")
        t.send("\u{3}")
        t.expect("^C")
        t.send("while true do end\r")
        Thread.sleep(forTimeInterval: 0.5)
        t.send("\u{3}")
        t.expect("interrupted")
        t.enter("20 + 3", "23\n")
        XCTAssertEqual(t.leave(), 0)
    }

    func testErrors() throws {
        let t = try open()
        t.enter("x = = 3", "unexpected symbol near '='\n  x = = 3\n      ^\n")
        t.send("\u{1b}[A")
        t.expect("x = = 3")
        t.send("\u{15}")
        t.enter("function f(a) local b = a + 1; return b.x.y end f(3)", "attempt to index a number value (local 'b')")
        t.enter(":debug", "#1  stdin:1  f  (a, b)")
        t.enter(":debug 1", "local b = 4")
        t.enter("frame.a", "3\n")
        t.enter(":tmie 1", ":tmie is no command; did you mean 'time'?")
        XCTAssertEqual(t.leave(), 0)
    }

    func testValuesAndPictures() throws {
        let t = try open(environment: ["COLORTERM": "truecolor"])
        t.enter("1 + 1", "2\n")
        t.enter("_ * 10", "20\n")
        t.enter("_ + __, _1", "22\n2\n")
        t.enter("s = {a = {1, 2}}  s.s = s  return s", "{a = {1, 2}, s = <cycle>}")
        t.enter("show(tensor.eye(4))", "▀▀▀▀\n▀▀▀▀\n")
        XCTAssertTrue(t.raw.contains("\u{1b}[38;2;255;255;255m\u{1b}[48;2;0;0;0m▀"), t.raw)
        t.enter("w = tensor.ones(3, 5)", "> ")
        t.enter(":who", "w  tensor float32  [3, 5]")
        t.enter("for i = 1, 1500 do print(i) end", "... 500 more lines (:all shows them)")
        t.enter(":all", "1500\n")
        t.enter("x?", "no help for")
        t.enter("tensor.exp?", "exp(")
        XCTAssertEqual(t.leave(), 0)
        let kitty = try open(environment: ["HOST_GRAPHICS": "kitty"])
        kitty.enter("show(tensor.eye(4))", "_Gf=100,a=T,q=2,m=0;iVBORw0KGgo")
        XCTAssertEqual(kitty.leave(), 0)
        let sixel = try open(environment: ["HOST_GRAPHICS": "sixel"])
        sixel.enter("show(tensor.eye(4))", "P0;1;0q\"1;1;")
        XCTAssertEqual(sixel.leave(), 0)
    }

    func testPlainTerminals() throws {
        for (environment, columns) in [(["TERM": "dumb"], 80), (["NO_COLOR": "1", "LC_ALL": "C", "LANG": "C"], 20)] as [([String: String], UInt16)] {
            let t = try open(columns: columns, environment: environment)
            t.enter("s = {'a', 'b'} return s", "{\"a\", \"b\"}")
            t.enter("plot.line{1, 4, 9}", "+--")
            t.enter("error('e')", "stdin:1: e")
            XCTAssertEqual(t.leave(), 0)
            XCTAssertNil(t.raw.firstMatch(of: /\u{1b}\[[0-9;]*m/), "colours in \(environment)")
            if environment["TERM"] == "dumb" { XCTAssertFalse(t.raw.contains("\u{1b}"), "control sequences in \(environment): \(t.raw.debugDescription)") }
        }
    }

    func testAfterAScriptThatFailed() throws {
        let scratch = try Scratch()
        let script = try scratch.write("fails.lua", "answer = 42\nlocal function f(t) return t.x.y end\nf({})\n")
        let t = try open(["-i", script], scratch: scratch)
        XCTAssertTrue(t.raw.contains("fails.lua:2: attempt to index a nil value (field 'x')"), t.raw)
        t.enter("answer", "42\n")
        t.enter(":debug 1", "local t = {}")
        XCTAssertEqual(t.leave(), 0)
    }

    func testOverAPipe() throws {
        let outcome = try HostProcess.run(["-i"], input: "x = = 1\nfoo.bar\n:time 1\n:save \(NSTemporaryDirectory())/host-saved.lua\nz = tensor.ones(2)\nz\n")
        XCTAssertEqual(outcome.status, 0)
        XCTAssertFalse(outcome.out.contains("\u{1b}") || outcome.error.contains("\u{1b}"), outcome.out + outcome.error)
        XCTAssertTrue(outcome.error.contains("  x = = 1\n      ^"), outcome.error)
        XCTAssertTrue(outcome.out.contains("median of"), outcome.out)
        XCTAssertTrue(outcome.out.contains("tensor([1., 1.])\n[2] float32"), outcome.out)
    }
}
