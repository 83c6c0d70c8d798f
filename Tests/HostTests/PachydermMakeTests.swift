import Foundation
import XCTest

/// What the Makefile's targets call, recorded by a stand-in for pachctl that refuses what the real one refuses.
final class PachydermMakeTests: XCTestCase {
    private let key = "0123456789abcdef0123456789abcdef01234567"

    /// A copy of the files that the targets need, so that nothing of the repository is touched.
    private func sandbox(pachctl: Bool = true) throws -> PachydermSandbox {
        let sandbox = try PachydermSandbox()
        let root = PachydermSandbox.repository
        for name in ["Makefile", "scripts", "pipelines", "secrets.json"] {
            try FileManager.default.copyItem(atPath: "\(root)/\(name)", toPath: "\(sandbox.path)/\(name)")
        }
        for name in ["train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"] { try sandbox.write("x", "data/mnist/\(name)") }
        if pachctl {
            try FileManager.default.createDirectory(atPath: sandbox.path + "/bin", withIntermediateDirectories: true)
            try FileManager.default.copyItem(
                atPath: root + "/Tests/StandIns/pachctl", toPath: sandbox.path + "/bin/pachctl")
        }
        return sandbox
    }

    private func make(
        _ sandbox: PachydermSandbox, _ words: String..., environment: [String: String] = [:]
    ) throws -> PachydermSandbox.Result {
        try sandbox.run(
            "/usr/bin/env", ["make", "--no-print-directory"] + words,
            environment: [
                "PATH": "\(sandbox.path)/bin:/usr/bin:/bin", "PACHCTL_LOG": sandbox.path + "/calls", "PACHCTL_STATE": sandbox.path + "/state",
            ].merging(environment) { $1 })
    }

    /// What was called since the last look, without the questions that change nothing.
    private func changes(_ sandbox: PachydermSandbox) throws -> [String] {
        defer { try? FileManager.default.removeItem(atPath: sandbox.path + "/calls") }
        guard sandbox.exists("calls") else { return [] }
        return try sandbox.read("calls").split(separator: "\n").map(String.init).filter {
            !$0.hasPrefix("inspect") && !$0.hasPrefix("version")
        }
    }

    func testAllMakesEverythingOnceAndCleanRemovesIt() throws {
        let sandbox = try sandbox()
        let first = try make(sandbox, "all", "PACHD=grpc://localhost:80", environment: ["WANDB_API_KEY": key])
        XCTAssertEqual(first.status, 0, first.errors)
        XCTAssertEqual(
            try changes(sandbox),
            [
                "connect grpc://localhost:80", "create repo mnist", "put file -r mnist@master:/ -f ./",
                "create secret -f secrets.local.json", "create pipeline -f pipelines/train-mnist.json",
            ])
        XCTAssertTrue(try sandbox.read("state/secret/wandb").contains("\"key\": \"\(key)\""))
        XCTAssertFalse((first.output + first.errors).contains(key))
        let mode = try FileManager.default.attributesOfItem(atPath: sandbox.path + "/secrets.local.json")[.posixPermissions] as? Int
        XCTAssertEqual(mode, 0o600)

        XCTAssertEqual(try make(sandbox, "all").status, 0)
        XCTAssertEqual(try changes(sandbox), [])

        XCTAssertEqual(try make(sandbox, "clean").status, 0)
        XCTAssertEqual(try changes(sandbox), ["delete pipeline train-mnist", "delete repo mnist"])
        XCTAssertEqual(try make(sandbox, "clean").status, 0)
        XCTAssertEqual(try changes(sandbox), [])
        XCTAssertTrue(sandbox.exists("data/mnist/train-labels-idx1-ubyte.gz"))
    }

    func testWithoutAKeyTheSecretIsEmptyAndTheTextSaysSo() throws {
        let sandbox = try sandbox()
        let result = try make(sandbox, "all")
        XCTAssertEqual(result.status, 0, result.errors)
        XCTAssertTrue(result.output.contains("no W&B key (WANDB_API_KEY): runs will be logged offline"), result.output)
        XCTAssertTrue(try sandbox.read("state/secret/wandb").contains("\"key\": \"\""))
    }

    func testSecretIsReplaced() throws {
        let sandbox = try sandbox()
        for _ in 0..<2 { XCTAssertEqual(try make(sandbox, "secret", environment: ["WANDB_API_KEY": key]).status, 0) }
        XCTAssertEqual(
            try changes(sandbox),
            ["create secret -f secrets.local.json", "delete secret wandb", "create secret -f secrets.local.json"])
        XCTAssertEqual(try make(sandbox, "secret", environment: ["WANDB_API_KEY": "a\"b"]).status, 2)
        XCTAssertTrue(try sandbox.read("secrets.json").contains("<API KEY>"))
    }

    func testUpdateTakesAnImageAndReprocesses() throws {
        let sandbox = try sandbox()
        XCTAssertEqual(try make(sandbox, "all").status, 0)
        _ = try changes(sandbox)
        XCTAssertEqual(try make(sandbox, "update", "IMAGE=registry.local:5000/host:7").status, 0)
        XCTAssertEqual(try changes(sandbox), ["update pipeline --reprocess -f -"])
        let spec = try XCTUnwrap(
            try JSONSerialization.jsonObject(with: try sandbox.data("state/pipeline/train-mnist")) as? [String: Any])
        XCTAssertEqual((spec["transform"] as? [String: Any])?["image"] as? String, "registry.local:5000/host:7")
    }

    func testSeeingAndFetching() throws {
        let sandbox = try sandbox()
        XCTAssertEqual(try make(sandbox, "status").status, 0)
        XCTAssertEqual(try changes(sandbox), ["list pipeline", "list job -p train-mnist"])
        XCTAssertEqual(try make(sandbox, "logs", "ARGS=-f").status, 0)
        XCTAssertEqual(try changes(sandbox), ["logs -p train-mnist -f"])
        XCTAssertEqual(try make(sandbox, "model").status, 0)
        XCTAssertEqual(
            try sandbox.read("out/train-mnist/model.safetensors"),
            "train-mnist@0123456789abcdef0123456789abcdef:/model.safetensors\n")
        XCTAssertEqual(try changes(sandbox).first, "list job -p train-mnist --state success")
    }

    func testScriptsGoIntoOneCommit() throws {
        let sandbox = try sandbox()
        XCTAssertEqual(try make(sandbox, "push-script").status, 0)
        XCTAssertEqual(
            try changes(sandbox),
            [
                "create repo scripts", "start commit scripts@master", "put file scripts@master:/train.lua -f scripts/train.lua",
                "put file -r scripts@master:/lib -f scripts/lib", "finish commit scripts@master",
            ])
    }

    func testWithoutPachctlOrClusterThereIsAdvice() throws {
        let without = try sandbox(pachctl: false)
        let missing = try make(without, "all")
        XCTAssertEqual(missing.status, 2)
        XCTAssertTrue(missing.errors.contains("pachctl is not installed. Install it"), missing.errors)
        XCTAssertEqual(try make(without, "clean").status, 0)

        let alone = try sandbox()
        let result = try make(alone, "all", environment: ["PACHCTL_NO_CLUSTER": "1"])
        XCTAssertEqual(result.status, 2)
        XCTAssertTrue(result.errors.contains("no Pachyderm cluster answers. Connect to one: make all PACHD="), result.errors)
        XCTAssertEqual(try changes(alone), [])
    }
}
