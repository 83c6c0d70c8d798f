import Foundation
import XCTest

import host

final class PachydermSpecTests: XCTestCase {
    private let spec = """
        {
          "pipeline": {"name": "t"},
          "input": {"pfs": {"repo": "mnist", "glob": "/"}},
          "transform": {"image": "host:1", "cmd": ["host", "t.lua"]}
        }
        """

    /// The findings for a spec in which one text was replaced by another, without the file name.
    private func findings(_ old: String, _ new: String, secrets: String? = nil) throws -> [String] {
        XCTAssertTrue(spec.contains(old), "the test replaces nothing")
        return try findings(spec.replacingOccurrences(of: old, with: new), secrets: secrets)
    }

    private func findings(_ text: String, secrets: String? = nil) throws -> [String] {
        let sandbox = try PachydermSandbox()
        try sandbox.write(text, "s.json")
        if let secrets { try sandbox.write(secrets, "secrets.json") }
        let result = try sandbox.host(["pipeline", "check", "s.json"] + (secrets == nil ? [] : ["secrets.json"]))
        let lines = result.errors.split(separator: "\n").map(String.init)
        XCTAssertEqual(result.status, lines.contains { $0.contains(": error: ") } ? 1 : 0)
        return lines
    }

    func testTheSpecsOfThisRepositoryAreFine() throws {
        let sandbox = try PachydermSandbox()
        let folder = PachydermSandbox.repository + "/pipelines"
        var files = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        XCTAssertEqual(files.count, 6)
        if !PachydermSandbox.hasJsonnet { files.removeAll { $0.hasSuffix(".jsonnet") } }
        let result = try sandbox.host(
            ["pipeline", "check"] + files.map { "\(folder)/\($0)" } + [PachydermSandbox.repository + "/secrets.json"])
        XCTAssertEqual(result.errors, "")
        XCTAssertEqual(result.status, 0)
    }

    func testUnknownFieldsAndWrongTypesHavePlaces() throws {
        XCTAssertEqual(try findings(spec), [])
        XCTAssertEqual(
            try findings("\"transform\": {", "\"transfrm\": {}, \"transform\": {"),
            ["s.json:4:3: error: transfrm: unknown field; did you mean 'transform'?"])
        XCTAssertEqual(
            try findings("\"repo\": \"mnist\"", "\"repo\": \"mnist\", \"lazzy\": true"),
            ["s.json:3:38: error: input.pfs.lazzy: unknown field; did you mean 'lazy'?"])
        XCTAssertEqual(
            try findings("[\"host\", \"t.lua\"]", "\"host t.lua\""),
            ["s.json:4:43: error: transform.cmd: expected a list (each entry a string), got the string \"host t.lua\"; write [\"host\", \"t.lua\"]"])
        XCTAssertEqual(
            try findings("\"image\"", "\"env\": {\"N\": 8}, \"image\""),
            ["s.json:4:30: error: transform.env.N: expected a string, got the number 8; write \"8\""])
        XCTAssertEqual(
            try findings("\"pipeline\": ", "\"datum_timeout\": \"1h\", \"pipeline\": "),
            ["s.json:2:20: error: datum_timeout: expected a duration in seconds such as \"3600s\", got the string \"1h\"; write \"3600s\" (only versions up to 2.6 take other units)"])
        XCTAssertEqual(
            try findings("\"pipeline\": ", "\"standby\": true, \"pipeline\": "),
            ["s.json:2:3: error: standby: Pachyderm 2 has no such field; use autoscaling"])
    }

    func testCamelCaseAndNumbersInQuotesAreTaken() throws {
        let camel = spec.replacingOccurrences(of: "\"transform\"", with: "\"datumTries\": \"2\", \"parallelismSpec\": {\"constant\": 2}, \"transform\"")
        XCTAssertEqual(try findings(camel), [])
        XCTAssertEqual(
            try findings("\"pipeline\": ", "\"datumTries\": 2, \"datum_tries\": 3, \"pipeline\": "),
            ["s.json:2:20: error: datum_tries: the same field as datumTries above"])
    }

    func testGlobs() throws {
        XCTAssertEqual(
            try findings("\"glob\": \"/\"", "\"glob\": \"*\""),
            ["s.json:3:47: error: input.pfs.glob: a glob starts with '/', because it is matched against whole paths: \"/*\""])
        XCTAssertEqual(
            try findings("\"glob\": \"/\"", "\"glob\": \"/a{b,c\""), ["s.json:3:49: error: input.pfs.glob: '{' is never closed"])
        XCTAssertEqual(
            try findings("\"glob\": \"/\"", "\"glob\": \"/a/\""),
            ["s.json:3:46: error: input.pfs.glob: '/a/' ends in '/', which no path does; write '/a'"])
        XCTAssertEqual(
            try findings(
                "{\"pfs\": {\"repo\": \"mnist\", \"glob\": \"/\"}}",
                "{\"join\": [{\"pfs\": {\"repo\": \"a\", \"glob\": \"/(*).x\", \"join_on\": \"$2\"}}, {\"pfs\": {\"repo\": \"b\", \"glob\": \"/*\"}}]}"),
            [
                "s.json:3:73: error: input.join[0].pfs.join_on: $2 is not in the glob, which has 1 captures; put what to match in brackets: \"/(*).csv\"",
                "s.json:3:89: error: input.join[1].pfs.join_on: missing; inputs of a join need it, such as \"$1\"",
            ])
    }

    func testInputNames() throws {
        let cross = "{\"cross\": [{\"pfs\": {\"repo\": \"a\", \"glob\": \"/\"}}, {\"pfs\": {\"repo\": \"%\", \"glob\": \"/\"}}]}"
        let old = "{\"pfs\": {\"repo\": \"mnist\", \"glob\": \"/\"}}"
        func with(_ name: String) throws -> [String] { try findings(old, cross.replacingOccurrences(of: "%", with: name)) }
        XCTAssertEqual(try with("a"), ["s.json:3:77: error: input.cross[1]: a second input called 'a'; give one of them another pfs.name"])
        XCTAssertEqual(try with("out"), ["s.json:3:77: error: input.cross[1].pfs.repo: 'out' is the output folder, no name for an input"])
        XCTAssertEqual(
            try with("PATH"),
            ["s.json:3:77: error: input.cross[1].pfs.repo: an input called 'PATH' replaces the variable PATH of the program; set pfs.name"])
        XCTAssertEqual(
            try with("t"), ["s.json:3:77: error: input.cross[1].pfs.repo: 't' is this pipeline's own output; pipelines must not form a circle"])
        XCTAssertEqual(
            try findings(old, cross.replacingOccurrences(of: "%", with: "a").replacingOccurrences(of: "cross", with: "union")), [])
    }

    func testSecretsMustMatch() throws {
        let secret = "{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"wandb\"}, \"stringData\": {\"key\": \"hush-hush\"}}"
        func with(_ mount: String) throws -> [String] {
            try findings("\"image\"", "\"secrets\": [\(mount)], \"image\"", secrets: secret)
        }
        XCTAssertEqual(try with("{\"name\": \"wandb\", \"key\": \"key\", \"env_var\": \"K\"}"), [])
        XCTAssertEqual(
            try with("{\"name\": \"wandbb\", \"key\": \"key\", \"env_var\": \"K\"}"),
            ["s.json:4:38: error: transform.secrets[0].name: no secret 'wandbb' in the files given, which hold: wandb"])
        XCTAssertEqual(
            try with("{\"name\": \"wandb\", \"key\": \"kex\", \"env_var\": \"K\"}"),
            ["s.json:4:54: error: transform.secrets[0].key: secret 'wandb' (secrets.json) has no key 'kex', only: key"])
        XCTAssertEqual(
            try with("{\"name\": \"wandb\", \"env_var\": \"K\"}"),
            ["s.json:4:58: error: transform.secrets[0]: env_var needs the key of the secret to take"])
    }

    func testBrokenJSONHasAPlace() throws {
        XCTAssertEqual(try findings("{\"a\": 1,\n \"b\": }"), ["s.json:2:7: error: expected a value, got '}'"])
        XCTAssertEqual(try findings("{\"a\": 1, // no\n}"), ["s.json:1:10: error: expected a key in quotes"])
        XCTAssertEqual(try findings("{\"a\": 1, \"a\": 2}"), ["s.json:1:10: error: the key \"a\" stands twice in this object"])
        XCTAssertEqual(try findings("{\"ä\": \"x"), ["s.json:1:7: error: this string has no closing quote on its line"])
        XCTAssertEqual(
            try findings(String(repeating: "[", count: 5000)), ["s.json:1:101: error: nested deeper than 100 levels"])
    }

    func testUsage() throws {
        let sandbox = try PachydermSandbox()
        XCTAssertEqual(try sandbox.host(["pipeline"]).status, 2)
        XCTAssertEqual(try sandbox.host(["pipeline", "check"]).status, 2)
        XCTAssertTrue(try sandbox.host(["pipeline", "chekc"]).errors.contains("did you mean 'check'?"))
        XCTAssertTrue(try sandbox.host(["pipeline", "check", "gone.json"]).errors.contains("gone.json:1:1: error: no such file"))
    }

    func testGlobMatching() throws {
        let cases: [(String, String, [String]?)] = [
            ("/*", "/a.gz", []), ("/*", "/a/b", nil), ("/**", "/a/b", []), ("/*/*", "/a/b", []), ("/a?", "/ab", []), ("/a?", "/a/", nil),
            ("/[a-c]x", "/bx", []), ("/[!a-c]x", "/bx", nil), ("/{aa,b}*", "/b1", []), ("/{aa,b}*", "/c1", nil),
            ("/(*)-(*).csv", "/left-right.csv", ["left", "right"]), ("/*.@(gz|idx)", "/a.idx", ["idx"]), ("/!(x)", "/x", nil),
            ("/!(x)", "/y", ["y"]), ("/+(ab)c", "/ababc", ["abab"]), ("/*(ab)c", "/c", [""]), ("/a\\*", "/a*", []), ("/a\\*", "/ab", nil),
            ("/shard-(*).gz", "/shard-07.gz", ["07"]),
        ]
        for (pattern, path, expected) in cases { XCTAssertEqual(try Glob(pattern).match(path), expected, "\(pattern) \(path)") }
        XCTAssertEqual(Glob.expand("$2-$1", ["a", "b"]), "b-a")
        for bad in ["a", "/(", "/[", "/[z-a]", "/a)", "/\\"] { XCTAssertThrowsError(try Glob(bad), bad) }
    }
}
