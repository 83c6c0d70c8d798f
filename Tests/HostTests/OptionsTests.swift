import Foundation
import XCTest

/// The modules `cli` and `progress`.
final class OptionsTests: XCTestCase {
    private static let script = """
        local opt = require "cli".parse{
          epochs = {5, "passes"}, lr = {1e-3, "rate"}, model = {"cnn", "net", choices = {"mlp", "cnn"}}, batch_size = 128,
          resume = {false, "go on"}, augment = true, layers = {{64, 32}, "sizes"}, name = {"", "text"},
        }
        local json = require "json"
        local rest = {}
        for i, v in ipairs(opt) do rest[i] = v; opt[i] = nil end
        print(json.encode(opt), json.encode(rest))
        """

    private func run(_ arguments: [String], _ script: String = OptionsTests.script, files: [String: String] = [:]) throws -> HostProcess.Outcome {
        let scratch = try Scratch()
        for (name, text) in files { try scratch.write(name, text) }
        try scratch.write("s.lua", script)
        return try HostProcess.run(["s.lua"] + arguments, folder: scratch.url)
    }

    private func values(_ arguments: [String], files: [String: String] = [:], line: UInt = #line) throws -> (options: [String: Any], rest: [String]) {
        let outcome = try run(arguments, files: files)
        XCTAssertEqual(outcome.status, 0, outcome.error, line: line)
        let parts = try outcome.out.split(separator: "\t").map { try JSONSerialization.jsonObject(with: Data($0.utf8)) }
        return (try XCTUnwrap(parts.first as? [String: Any]), try XCTUnwrap(parts.last as? [String]))
    }

    func testOptions() throws {
        let plain = try values([]).options
        XCTAssertEqual(plain["epochs"] as? Int, 5)
        XCTAssertEqual(plain["layers"] as? [Int], [64, 32])
        let given = try values(
            ["--epochs", "3", "--lr=-2.5e-1", "a", "--model", "mlp", "--batch_size=7", "--resume", "--no-augment", "--layers", "1,2,3", "--name=x=y", "--", "--b"])
        XCTAssertEqual(given.options["epochs"] as? Int, 3)
        XCTAssertEqual(given.options["lr"] as? Double, -0.25)
        XCTAssertEqual(given.options["model"] as? String, "mlp")
        XCTAssertEqual(given.options["batch_size"] as? Int, 7)
        XCTAssertEqual(given.options["resume"] as? Bool, true)
        XCTAssertEqual(given.options["augment"] as? Bool, false)
        XCTAssertEqual(given.options["layers"] as? [Int], [1, 2, 3])
        XCTAssertEqual(given.options["name"] as? String, "x=y")
        XCTAssertEqual(given.rest, ["a", "--b"])
    }

    func testWrongUsage() throws {
        for (arguments, message) in [
            (["--epoch", "3"], "s.lua: unknown option '--epoch'; did you mean '--epochs'?\nusage: s.lua [options]\n"),
            (["--epochs", "x"], "option --epochs: expected an integer, got 'x'"), (["--epochs", "1.5"], "expected an integer"),
            (["--epochs"], "option --epochs needs a value"), (["--epochs", "--lr"], "needs a value"),
            (["--model", "cmn"], "expected mlp or cnn, got 'cmn'; did you mean 'cnn'?"), (["--resume=maybe"], "expected true or false, got 'maybe'"),
            (["--no-epochs"], "unknown option '--no-epochs'"), (["--config", "none.json"], "none.json"), (["--config", "x.ini"], "expected a file that ends in"),
        ] {
            let outcome = try run(arguments)
            XCTAssertEqual(outcome.status, 2, "\(arguments)")
            XCTAssertTrue(outcome.error.contains(message), outcome.error)
            XCTAssertEqual(outcome.out, "")
        }
        // pcall does not keep the script going.
        XCTAssertEqual(try run(["--x"], "pcall(require 'cli'.parse, {}) print 'on'").out, "")
    }

    func testHelp() throws {
        let outcome = try run(["--epochs", "3", "--help"])
        XCTAssertEqual(outcome.status, 0)
        for part in ["usage: s.lua [options]", "  --batch-size N    (default: 128)", "  --model NAME      net (mlp or cnn; default: cnn)", "--no-augment", "--config FILE"] {
            XCTAssertTrue(outcome.out.contains(part), outcome.out)
        }
    }

    func testConfigFiles() throws {
        let files = [
            "a.json": #"{"epochs": 9, "lr": 1, "resume": true, "batch-size": 16, "layers": []}"#,
            "a.yaml": "# a comment\nepochs: 9\nlr: 1e-2\nresume: true\nbatch_size: 0x10\nlayers: [3, 4]\nname: \"9\"\n",
            "a.toml": "epochs = 9\nlr = 0.01\nresume = true\nbatch-size = 0x10\nlayers = [\n  3, # three\n  4,\n]\nname = '9'\n",
            "bad.json": #"{"epochs": 1.5}"#, "typo.toml": "epocks = 1", "choice.yaml": "model: rnn", "broken.yaml": "a: [1", "broken.toml": "epochs = ",
        ]
        for name in ["a.json", "a.yaml", "a.toml"] {
            let (options, _) = try values(["--resume=false", "--config", name], files: files)
            XCTAssertEqual(options["epochs"] as? Int, 9, name)
            XCTAssertEqual(options["lr"] as? Double, name == "a.json" ? 1 : 0.01, name)
            XCTAssertEqual(options["batch_size"] as? Int, 16, name)
            XCTAssertEqual(options["resume"] as? Bool, false, "the command line wins")
            XCTAssertEqual(options["name"] as? String, name == "a.json" ? "" : "9")
        }
        for (name, message) in [
            ("bad.json", "bad.json: epochs: expected an integer, got '1.5'"), ("typo.toml", "typo.toml: unknown option 'epocks'; did you mean 'epochs'?"),
            ("choice.yaml", "choice.yaml: model: expected mlp or cnn, got 'rnn'"), ("broken.yaml", "broken.yaml: line"),
            ("broken.toml", "broken.toml: line 1, column 10: expected a value"),
        ] {
            let outcome = try run(["--config", name], files: files)
            XCTAssertEqual(outcome.status, 2)
            XCTAssertTrue(outcome.error.contains(message), outcome.error)
        }
    }

    func testProgress() throws {
        let script = """
            local progress = require "progress"
            local bar = progress({"a", "b", "c"}, {desc = "work"})
            local seen = ""
            for i, v in bar do seen = seen .. i .. v; bar:set{loss = 0.125, n = i} end
            for i in progress(2, {desc = "again"}) do seen = seen .. i end
            for i in progress(2, {desc = "left"}) do break end
            print(seen, #bar)
            """
        let outcome = try run([], script)
        XCTAssertEqual(outcome.out, "1a2b3c12\t3\n")
        let lines = outcome.error.split(separator: "\n")
        XCTAssertEqual(lines.count, 2, outcome.error)
        XCTAssertTrue(lines[0].hasPrefix("work: 3/3, 00:00, ") && lines[0].hasSuffix(" it/s, loss=0.125 n=3"), outcome.error)
        XCTAssertFalse(outcome.error.contains("\u{1b}"))
        XCTAssertEqual(try run(["--quiet"], script).error, "")
        let scratch = try Scratch()
        try scratch.write("s.lua", script)
        let silent = try HostProcess.run(["s.lua"], folder: scratch.url, environment: ["HOST_PROGRESS": "0"])
        XCTAssertEqual(silent.error, "")
        XCTAssertEqual(silent.out, outcome.out)
    }
}
