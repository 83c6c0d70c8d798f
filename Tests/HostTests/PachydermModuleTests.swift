import XCTest

import host

final class PachydermModuleTests: XCTestCase {
    private let job = String(repeating: "a", count: 32), datum = String(repeating: "d", count: 64)

    private func environment(_ more: [String: String] = [:]) -> [String: String] {
        [
            "PACH_JOB_ID": job, "PACH_DATUM_ID": datum, "PACH_OUTPUT_COMMIT_ID": job, "PPS_PIPELINE_NAME": "train-mnist",
            "PPS_PROJECT_NAME": "default", "PPS_SPEC_COMMIT": "0123", "PPS_POD_NAME": "default-train-mnist-v12-x7k2p",
            "mnist": "/pfs/mnist", "mnist_COMMIT": job,
        ].merging(more) { $1 }
    }

    func testRunIDIsAHashOverProjectPipelineJobAndDatum() {
        // sha256("7:default11:train-mnist32:aaa...64:ddd...") and sha256("0:1:p32:aaa...0:"), by Python's hashlib.
        XCTAssertEqual(PachydermJob(environment: environment()).runID, "f5558aa680d8a542")
        XCTAssertEqual(PachydermJob(environment: ["PACH_JOB_ID": job, "PPS_PIPELINE_NAME": "p"]).runID, "3abb42a45726921b")
        XCTAssertNil(PachydermJob(environment: [:]).runID)
    }

    func testRunIDDiffersForEveryPipelineProjectJobAndDatum() {
        let changes = [
            "PPS_PROJECT_NAME": "other", "PPS_PIPELINE_NAME": "other", "PACH_JOB_ID": String(repeating: "b", count: 32),
            "PACH_DATUM_ID": String(repeating: "e", count: 64),
        ]
        var seen: Set<String?> = [PachydermJob(environment: environment()).runID]
        for (name, value) in changes { seen.insert(PachydermJob(environment: environment([name: value])).runID) }
        XCTAssertEqual(seen.count, 5)
        // A pod is not part of it: a try on another pod goes on with the same run.
        XCTAssertEqual(
            PachydermJob(environment: environment(["PPS_POD_NAME": "x"])).runID, PachydermJob(environment: environment()).runID)
    }

    func testVersionStandsInThePodName() {
        let names = [
            "default-train-mnist-v12-x7k2p": 12, "pipeline-train-mnist-v1-abcde": 1, "default-my-v2-thing-v3-00000": 3,
        ]
        for (name, version) in names { XCTAssertEqual(PachydermJob(environment: ["PPS_POD_NAME": name]).version, version, name) }
        for name in ["default-train-with-a-name-that-was-cut-x7k2p", "default-p-v-x7k2p", "v3-abcde-toolong", "", "v3"] {
            XCTAssertNil(PachydermJob(environment: ["PPS_POD_NAME": name]).version, name)
        }
    }

    func testProvenanceIsAnAllowList() {
        let secrets = [
            "POSTGRES_PASSWORD": "s3cret", "PACH_TOKEN": "s3cret", "AWS_SECRET_ACCESS_KEY": "s3cret", "WANDB_API_KEY": "s3cret",
            // No commits of inputs: not 32 digits, or no input of that name.
            "GIT_COMMIT": job, "mnist_TOKEN_COMMIT": "s3cret",
        ]
        let found = PachydermJob(environment: environment(secrets)).provenance
        XCTAssertEqual(
            Set(found.map(\.name)),
            [
                "PACH_JOB_ID", "PACH_DATUM_ID", "PACH_OUTPUT_COMMIT_ID", "PPS_PIPELINE_NAME", "PPS_PROJECT_NAME",
                "PPS_SPEC_COMMIT", "PPS_POD_NAME", "mnist_COMMIT",
            ])
        XCTAssertFalse(found.contains { $0.value.contains("s3cret") })
        XCTAssertTrue(PachydermJob(environment: ["HOME": "/root"]).provenance.isEmpty)
    }

    func testModuleInsideAJob() throws {
        let sandbox = try PachydermSandbox()
        try sandbox.write("x", "pfs/mnist/shard/file")
        let script = """
            local p = require "pachyderm"
            print(p.inside, p.pipeline, p.project, p.version, p.job_id == p.output_commit, #p.datum_id, p.run_id())
            print(p.input("mnist", "elsewhere"), p.commit("mnist") == p.job_id, p.commit("other"))
            print(p.output("model.safetensors"), p.output("a", "b.json"))
            print(select(2, pcall(p.input, "mnits")))
            print(select(2, pcall(p.output, "loss[1].png")))
            print(select(2, pcall(p.output, "..", "x")))
            print(p.scratch("c"))
            """
        var variables = environment(["PFS_ROOT": sandbox.path + "/pfs", "TMPDIR": sandbox.path])
        variables["mnist"] = "/pfs/mnist/shard"
        let result = try sandbox.host(["-e", script], environment: variables)
        XCTAssertEqual(result.errors, "")
        let lines = result.output.split(separator: "\n").map(String.init)
        XCTAssertEqual(lines.count, 7, result.output)
        guard lines.count == 7 else { return }
        XCTAssertEqual(lines[0], "true\ttrain-mnist\tdefault\t12\ttrue\t64\tf5558aa680d8a542")
        XCTAssertEqual(lines[1], "\(sandbox.path)/pfs/mnist/shard\ttrue\tnil")
        XCTAssertEqual(lines[2], "\(sandbox.path)/pfs/out/model.safetensors\t\(sandbox.path)/pfs/out/a/b.json")
        XCTAssertTrue(lines[3].contains("the job has no input 'mnits'; it has: mnist; did you mean 'mnist'?"), lines[3])
        XCTAssertTrue(lines[4].contains("Pachyderm cannot store 'loss[1].png': it holds '['"), lines[4])
        XCTAssertTrue(lines[5].contains("expected a path below"), lines[5])
        XCTAssertEqual(lines[6], "\(sandbox.path)/host-f5558aa680d8a542/c")
        XCTAssertTrue(sandbox.exists("pfs/out/a"))
    }

    func testModuleOutsideAJob() throws {
        let sandbox = try PachydermSandbox()
        let script = """
            local p = require "pachyderm"
            print(p.inside, p.job_id, p.run_id(), p.commit("mnist"), next(p.provenance()))
            print(p.input("mnist", "data/mnist"), p.output("x", "y.csv"), p.output())
            print(pcall(p.input, "mnist"))
            """
        let lines = try sandbox.host(["-e", script]).output.split(separator: "\n").map(String.init)
        XCTAssertEqual(Array(lines.prefix(2)), ["false\tnil\tnil\tnil\tnil", "data/mnist\t./out/x/y.csv\t./out"])
        XCTAssertTrue(lines.last?.contains("this is no Pachyderm job, and there is no fallback for input 'mnist'") == true)
        XCTAssertTrue(sandbox.exists("out/x"))
    }

    func testBLAKE2bAgreesWithPythonsHashlib() {
        let cases: [([UInt8], String)] = [
            ([], "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"),
            (Array("abc".utf8), "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"),
            ([UInt8](repeating: 0x78, count: 128), "164ffb7089bae6f5a62fb0795e751dc9e88eac92e1a5b2fafe93a25abf2d9c3b"),
            (Array(0...255) + Array("tail".utf8), "2c005a852b9dc6446f4fe999f95af3537837442fd959e0b593f2c7dba9223f32"),
        ]
        for (message, expected) in cases { XCTAssertEqual(BLAKE2b256.hex(message), expected) }
    }
}
