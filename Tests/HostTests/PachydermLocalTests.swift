import Foundation
import XCTest

/// The local runner with programs in shell: datums, tries, skipping, merging.
final class PachydermLocalTests: XCTestCase {
    private func spec(_ input: String, _ lines: [String], _ more: String = "") throws -> String {
        let stdin = String(decoding: try JSONEncoder().encode(["set -e"] + lines), as: UTF8.self)
        return """
            {"pipeline": {"name": "p"}, "input": \(input),
             "transform": {"image": "x:1", "cmd": ["/bin/sh"], "stdin": \(stdin)}\(more)}
            """
    }

    private let each = "{\"pfs\": {\"repo\": \"data\", \"glob\": \"/*\"}}"

    private func run(_ sandbox: PachydermSandbox, _ options: [String] = []) throws -> PachydermSandbox.Result {
        try sandbox.host(["pipeline", "run", "--repo", "data=data", "--state", "state"] + options + ["s.json"])
    }

    func testUnchangedDatumsAreSkippedAndVanishedOnesDisappear() throws {
        let sandbox = try PachydermSandbox()
        for name in ["a", "b", "c"] { try sandbox.write(name, "data/\(name)") }
        try sandbox.write(try spec(each, ["cp $data /pfs/out/", "echo ran $data"]), "s.json")
        XCTAssertEqual(try run(sandbox).output, "ran /pfs/data/a\nran /pfs/data/b\nran /pfs/data/c\n")
        try sandbox.write("B", "data/b")
        try FileManager.default.removeItem(atPath: sandbox.path + "/data/c")
        let second = try run(sandbox)
        XCTAssertEqual(second.output, "ran /pfs/data/b\n")
        XCTAssertTrue(second.errors.contains("1 processed, 1 skipped, 0 failed, 0 recovered"), second.errors)
        XCTAssertEqual(sandbox.files("state/pipelines/p/out"), ["a", "b"])
        XCTAssertEqual(try sandbox.read("state/pipelines/p/out/b"), "B")
        XCTAssertEqual(try run(sandbox, ["--reprocess"]).output, "ran /pfs/data/a\nran /pfs/data/b\n")
    }

    func testTheEnvironmentIsTheWorkersAndNothingElse() throws {
        for options in [[], ["--pfs-root"]] {
            let sandbox = try PachydermSandbox()
            try sandbox.write("1", "data/x")
            try sandbox.write(try spec(each, ["env", "test -z \"$LEAK\"", "ls -a ${PFS_ROOT:-/pfs}"]), "s.json")
            let result = try sandbox.host(
                ["pipeline", "run", "--repo", "data=data", "--state", "state"] + options + ["s.json"], environment: ["LEAK": "1"])
            XCTAssertEqual(result.status, 0, result.errors)
            for name in ["PACH_JOB_ID=", "PACH_DATUM_ID=", "PPS_PIPELINE_NAME=p\n", "data_COMMIT="] {
                XCTAssertTrue(result.output.contains(name), name)
            }
            // The datum's id, recomputed by Python's hashlib from ("data", "data", "master", "/x").
            XCTAssertTrue(result.output.contains("PACH_DATUM_ID=b3d17841b7193fe0f9479cfe6cff941992df2cfe4d11ebf77ae872bc719a9088"), result.output)
            XCTAssertTrue(result.output.contains("/data/x"))
        }
    }

    func testAFailedTryLeavesNothingBehindAndIsRepeated() throws {
        let sandbox = try PachydermSandbox()
        try sandbox.write("1", "data/x")
        let lines = [
            "ls /pfs/out", "echo half > /pfs/out/half", "if [ ! -e $TMPDIR/once ]; then touch $TMPDIR/once; kill -9 $$; fi",
            "rm /pfs/out/half", "echo whole > /pfs/out/whole",
        ]
        try sandbox.write(try spec(each, lines), "s.json")
        let result = try run(sandbox)
        XCTAssertEqual(result.output, "")
        XCTAssertTrue(result.errors.contains("try 1 of 3 failed: signal: killed"), result.errors)
        XCTAssertEqual(sandbox.files("state/pipelines/p/out"), ["whole"])
    }

    func testAfterTheLastTryTheJobFailsAndKeepsItsFormerOutput() throws {
        let sandbox = try PachydermSandbox()
        try sandbox.write("1", "data/x")
        try sandbox.write(try spec(each, ["test $(cat $data) = 1", "cp $data /pfs/out/"], ", \"datum_tries\": 2"), "s.json")
        XCTAssertEqual(try run(sandbox).status, 0)
        try sandbox.write("2", "data/x")
        let failed = try run(sandbox)
        XCTAssertEqual(failed.status, 1)
        XCTAssertTrue(failed.errors.contains("try 2 of 2 failed: exit status 1"), failed.errors)
        XCTAssertTrue(failed.errors.contains("JOB_FAILURE; 0 processed, 0 skipped, 1 failed"), failed.errors)
        XCTAssertEqual(try sandbox.read("state/pipelines/p/out/x"), "1")
    }

    func testErrCmdRecovers() throws {
        let sandbox = try PachydermSandbox()
        for name in ["good", "bad"] { try sandbox.write(name, "data/\(name)") }
        try sandbox.write(try spec(each, ["test $data = /pfs/data/good", "cp $data /pfs/out/"]), "s.json")
        let text = try sandbox.read("s.json").replacingOccurrences(of: "\"cmd\"", with: "\"err_cmd\": [\"true\"], \"cmd\"")
        try sandbox.write(text, "s.json")
        let result = try run(sandbox)
        XCTAssertEqual(result.status, 0, result.errors)
        XCTAssertTrue(result.errors.contains("1 processed, 0 skipped, 0 failed, 1 recovered"), result.errors)
        XCTAssertEqual(sandbox.files("state/pipelines/p/out"), ["good"])
    }

    func testTimeoutKills() throws {
        let sandbox = try PachydermSandbox()
        try sandbox.write("1", "data/x")
        try sandbox.write(try spec(each, ["sleep 60"], ", \"datum_timeout\": \"0.2s\", \"datum_tries\": 1"), "s.json")
        let result = try run(sandbox)
        XCTAssertEqual(result.status, 1)
        XCTAssertTrue(result.errors.contains("datum_timeout reached: signal: killed"), result.errors)
    }

    func testOutputThatPachydermCannotStore() throws {
        for (line, reason) in [
            ("touch '/pfs/out/loss[1].png'", "/pfs/out/loss[1].png: it holds '['"),
            ("ln -s /nowhere /pfs/out/latest-run", "/pfs/out/latest-run: a link that points to nothing"),
        ] {
            let sandbox = try PachydermSandbox()
            try sandbox.write("1", "data/x")
            try sandbox.write(try spec(each, [line]), "s.json")
            let result = try run(sandbox)
            XCTAssertEqual(result.status, 1)
            XCTAssertTrue(result.errors.contains(reason), result.errors)
        }
    }

    func testTwoDatumsMustNotWriteOnePath() throws {
        let sandbox = try PachydermSandbox()
        for name in ["a", "b"] { try sandbox.write(name, "data/\(name)") }
        try sandbox.write(try spec(each, ["cp $data /pfs/out/same"]), "s.json")
        let result = try run(sandbox)
        XCTAssertEqual(result.status, 1)
        XCTAssertTrue(result.errors.contains("duplicate path output by different datums: /same"), result.errors)
    }

    func testCrossJoinUnionGroup() throws {
        let cases = [
            (
                "{\"cross\": [{\"pfs\": {\"repo\": \"data\", \"glob\": \"/*\"}}, {\"pfs\": {\"name\": \"m\", \"repo\": \"more\", \"glob\": \"/*\"}}]}",
                "echo $data $m",
                "/pfs/data/1.x /pfs/m/1.y\n/pfs/data/1.x /pfs/m/3.y\n/pfs/data/2.x /pfs/m/1.y\n/pfs/data/2.x /pfs/m/3.y\n"
            ),
            (
                "{\"join\": [{\"pfs\": {\"repo\": \"data\", \"glob\": \"/(*).x\", \"join_on\": \"$1\", \"outer_join\": true}}, {\"pfs\": {\"repo\": \"more\", \"glob\": \"/(*).y\", \"join_on\": \"$1\"}}]}",
                "echo $data $more $PACH_DATUM_data_JOIN_ON", "/pfs/data/1.x /pfs/more/1.y 1\n/pfs/data/2.x 2\n"
            ),
            (
                "{\"union\": [{\"pfs\": {\"repo\": \"data\", \"glob\": \"/1*\"}}, {\"pfs\": {\"repo\": \"more\", \"glob\": \"/\"}}]}",
                "echo $data $more", "/pfs/data/1.x\n/pfs/more\n"
            ),
            (
                "{\"group\": [{\"pfs\": {\"repo\": \"data\", \"glob\": \"/*.(*)\", \"group_by\": \"$1\"}}]}",
                "echo $PACH_DATUM_data_GROUP_BY $(ls /pfs/data)", "x 1.x 2.x\n"
            ),
        ]
        for (input, line, expected) in cases {
            let sandbox = try PachydermSandbox()
            for name in ["data/1.x", "data/2.x", "more/1.y", "more/3.y"] { try sandbox.write(name, name) }
            try sandbox.write(try spec(input, [line]), "s.json")
            let result = try run(sandbox, ["--repo", "more=more"])
            XCTAssertEqual(result.output, expected, result.errors)
        }
    }

    func testAMissingRepoIsNamed() throws {
        let sandbox = try PachydermSandbox()
        try sandbox.write(try spec(each, ["true"]), "s.json")
        let result = try sandbox.host(["pipeline", "run", "--state", "state", "s.json"])
        XCTAssertEqual(result.status, 1)
        XCTAssertTrue(result.errors.contains("no repo 'data': give its content as --repo data=DIR, or run the pipeline 'data' first"))
    }
}
