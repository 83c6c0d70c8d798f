import Foundation
import XCTest

/// The pipelines of this repository with its scripts and MNIST, run by the local runner.
final class PachydermTrainingTests: XCTestCase {
    private let root = PachydermSandbox.repository

    /// Writes a spec of the repository with a short command in the place of its own.
    private func spec(_ sandbox: PachydermSandbox, _ name: String, _ command: [String]? = nil) throws {
        let text = try String(contentsOfFile: "\(root)/pipelines/\(name).json", encoding: .utf8)
        var spec = try XCTUnwrap(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        if let command {
            var transform = try XCTUnwrap(spec["transform"] as? [String: Any])
            transform["cmd"] = command
            spec["transform"] = transform
        }
        try sandbox.write(try JSONSerialization.data(withJSONObject: spec), "\(name).json")
    }

    private func run(_ sandbox: PachydermSandbox, _ file: String, _ options: [String] = []) throws -> PachydermSandbox.Result {
        try sandbox.host(["pipeline", "run", "--state", "state", "--workdir", root] + options + [file])
    }

    private func copyData(_ sandbox: PachydermSandbox) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: root + "/data/mnist") where name.hasSuffix(".gz") {
            try sandbox.write(try Data(contentsOf: URL(fileURLWithPath: "\(root)/data/mnist/\(name)")), "mnist/\(name)")
        }
    }

    private let quick = ["host", "scripts/train.lua", "--model", "linear", "--epochs", "1"]

    func testACommitTrainsTheNextOneSkipsAndAChangedFileTrainsAgain() throws {
        let sandbox = try PachydermSandbox()
        try copyData(sandbox)
        try spec(sandbox, "train-mnist", quick)
        let out = "state/pipelines/train-mnist/out"

        let first = try run(sandbox, "train-mnist.json", ["--repo", "mnist=mnist"])
        XCTAssertEqual(first.status, 0, first.errors)
        XCTAssertTrue(first.output.contains("this run is logged offline, into the output"), first.output)
        let record = try sandbox.json("\(out)/run.json")
        let id = try XCTUnwrap(record["id"] as? String)
        XCTAssertEqual(
            sandbox.files(out),
            ["metrics.json", "model.safetensors", "offline/\(id).wandb", "predictions.csv", "report.html", "run.json"])
        let facts = try XCTUnwrap(record["pachyderm"] as? [String: Any])
        XCTAssertEqual(facts["mnist_COMMIT"] as? String, facts["PACH_JOB_ID"] as? String)
        XCTAssertEqual(record["name"] as? String, facts["PACH_JOB_ID"] as? String)
        XCTAssertEqual(record["group"] as? String, "train-mnist-v1")
        let accuracy = try XCTUnwrap(try sandbox.json("\(out)/metrics.json")["test_accuracy"] as? Double)
        XCTAssertGreaterThan(accuracy, 0.85)
        let lines = try sandbox.read("\(out)/predictions.csv").split(separator: "\n")
        XCTAssertEqual(lines.count, 10_001)
        let right = lines.dropFirst().filter { line in
            let fields = line.split(separator: ",")
            return fields[1] == fields[2]
        }.count
        XCTAssertEqual(Double(right) / 10_000, accuracy, accuracy: 1e-9)
        let model = try sandbox.data("\(out)/model.safetensors")

        let second = try run(sandbox, "train-mnist.json", ["--repo", "mnist=mnist"])
        XCTAssertTrue(second.errors.contains("0 processed, 1 skipped"), second.errors)

        // The same labels, packed anew: another file, the same data, so the model keeps its bytes.
        let labels = "train-labels-idx1-ubyte"
        let packed = try sandbox.run("/bin/sh", ["-c", "gunzip mnist/\(labels).gz && gzip -1 mnist/\(labels)"])
        XCTAssertEqual(packed.status, 0, packed.errors)
        let third = try run(sandbox, "train-mnist.json", ["--repo", "mnist=mnist"])
        XCTAssertTrue(third.errors.contains("1 processed, 0 skipped"), third.errors)
        XCTAssertEqual(try sandbox.data("\(out)/model.safetensors"), model)
        XCTAssertNotEqual(try sandbox.json("\(out)/run.json")["id"] as? String, id)
    }

    func testTheScriptCanComeFromARepo() throws {
        let sandbox = try PachydermSandbox()
        try spec(sandbox, "train-mnist-from-repo", ["host", "/pfs/scripts/train.lua", "--model", "linear", "--epochs", "1"])
        let result = try sandbox.host([
            "pipeline", "run", "--state", "state", "--repo", "mnist=\(root)/data/mnist", "--repo", "scripts=\(root)/scripts",
            "train-mnist-from-repo.json",
        ])
        XCTAssertEqual(result.status, 0, result.errors)
        let facts = try XCTUnwrap(try sandbox.json("state/pipelines/train-mnist-from-repo/out/run.json")["pachyderm"] as? [String: Any])
        XCTAssertNotNil(facts["scripts_COMMIT"])
    }

    func testAKilledTryGoesOnFromItsCheckpointToTheSameModel() throws {
        let sandbox = try PachydermSandbox()
        let command = ["--model", "linear", "--epochs", "2", "--batch_size", "256"]
        try spec(sandbox, "train-mnist", ["host", "scripts/train.lua"] + command)
        let repo = ["--repo", "mnist=\(root)/data/mnist"]
        XCTAssertEqual(try run(sandbox, "train-mnist.json", repo).status, 0)
        let model = try sandbox.data("state/pipelines/train-mnist/out/model.safetensors")

        // The same training; the first try kills itself, as Pachyderm would, right after the first checkpoint.
        try sandbox.write(
            """
            local fs, nn = require "fs", require "nn"
            local pachyderm = require "pachyderm"
            local save, marker = nn.save_checkpoint, pachyderm.scratch "killed-once"
            nn.save_checkpoint = function(...)
              save(...)
              if not fs.exists(marker) then
                fs.write(marker, "")
                os.execute "kill -9 $PPID"
              end
            end
            package.path = "\(root)/scripts/lib/?.lua;" .. package.path
            assert(loadfile "\(root)/scripts/train.lua")(table.unpack(arg))
            """, "killed.lua")
        try spec(sandbox, "train-mnist", ["host", sandbox.path + "/killed.lua"] + command)
        let result = try run(sandbox, "train-mnist.json", repo + ["--reprocess"])
        XCTAssertEqual(result.status, 0, result.errors)
        XCTAssertTrue(result.errors.contains("try 1 of 2 failed: signal: killed"), result.errors)
        XCTAssertTrue(result.output.contains("at epoch 2"), result.output)
        XCTAssertEqual(try sandbox.data("state/pipelines/train-mnist/out/model.safetensors"), model)
    }

    func testASweepOfSixTrialsAndTheBestOfThem() throws {
        try XCTSkipUnless(PachydermSandbox.hasJsonnet, "the spec is jsonnet, and jsonnet is not installed")
        let sandbox = try PachydermSandbox()
        let grid = try sandbox.host([
            root + "/scripts/make_grid.lua", "--model", "linear", "--lr", "0.0001,0.002,0.02", "--batch_size", "128,512", "--epochs", "1",
            "--out", "params",
        ])
        XCTAssertEqual(grid.status, 0, grid.errors)
        XCTAssertEqual(sandbox.files("params").count, 6)
        let repos = ["--repo", "mnist=\(root)/data/mnist", "--repo", "params=params"]
        let sweep = try run(sandbox, root + "/pipelines/sweep.jsonnet", repos)
        XCTAssertEqual(sweep.status, 0, sweep.errors)
        let trials = try FileManager.default.contentsOfDirectory(atPath: sandbox.path + "/state/pipelines/sweep/out").sorted()
        XCTAssertEqual(trials.count, 6)
        var ids: Set<String> = [], groups: Set<String> = [], best: (name: String, accuracy: Double)?
        for trial in trials {
            let folder = "state/pipelines/sweep/out/\(trial)"
            let record = try sandbox.json(folder + "/run.json")
            XCTAssertEqual(record["name"] as? String, trial)
            ids.insert(record["id"] as? String ?? "")
            groups.insert(record["group"] as? String ?? "")
            let accuracy = try XCTUnwrap(try sandbox.json(folder + "/metrics.json")["val_accuracy"] as? Double)
            if accuracy > best?.accuracy ?? 0 { best = (trial, accuracy) }
        }
        XCTAssertEqual(ids.count, 6)
        XCTAssertEqual(groups, ["sweep-v1"])

        // One more file: one more trial, the others are not run again.
        try FileManager.default.copyItem(
            atPath: "\(sandbox.path)/params/lr=0.02,batch_size=512.json", toPath: "\(sandbox.path)/params/more.json")
        let again = try run(sandbox, root + "/pipelines/sweep.jsonnet", repos)
        XCTAssertTrue(again.errors.contains("1 processed, 6 skipped"), again.errors)

        let select = try run(sandbox, root + "/pipelines/select-best.json")
        XCTAssertEqual(select.status, 0, select.errors)
        let selection = try sandbox.json("state/pipelines/select-best/out/selection.json")
        let chosen = try XCTUnwrap(selection["best"] as? String)
        XCTAssertEqual(
            try sandbox.json("state/pipelines/sweep/out/\(chosen)/metrics.json")["val_accuracy"] as? Double, best?.accuracy)
        XCTAssertEqual(
            try sandbox.data("state/pipelines/select-best/out/model.safetensors"),
            try sandbox.data("state/pipelines/sweep/out/\(chosen)/model.safetensors"))
    }

    func testInferenceOverTwentyShardsAndPromotion() throws {
        let sandbox = try PachydermSandbox()
        try spec(sandbox, "train-mnist", quick)
        let mnist = ["--repo", "mnist=\(root)/data/mnist"]
        XCTAssertEqual(try run(sandbox, "train-mnist.json", mnist).status, 0)

        // The first 1,000 test images in 20 shards, IDX and NPY in turn.
        let split = try sandbox.host([
            "-e",
            """
            local data, fs, tensor = require "data", require "fs", require "tensor"
            local all = data.idx("\(root)/data/mnist/t10k-images-idx3-ubyte.gz")
            fs.mkdir "inbox"
            for i = 0, 19 do
              local part = all:narrow(0, 50 * i, 50)
              if i % 2 == 0 then data.write_idx(("inbox/%02d-idx3-ubyte"):format(i), part)
              else part:save(("inbox/%02d.npy"):format(i)) end
            end
            """,
        ])
        XCTAssertEqual(split.status, 0, split.errors)
        let inbox = ["--repo", "inbox=inbox"]
        let predict = try run(sandbox, root + "/pipelines/predict.json", inbox)
        XCTAssertEqual(predict.status, 0, predict.errors)
        XCTAssertTrue(predict.errors.contains("20 processed"), predict.errors)
        let out = "state/pipelines/predict/out"
        let shards = sandbox.files(out)
        XCTAssertEqual(shards.count, 20)
        // Sharded, the predictions are those that training made of the whole test set.
        let together = try shards.flatMap { try sandbox.read("\(out)/\($0)").split(separator: "\n").dropFirst() }.map {
            $0.split(separator: ",")[2]
        }
        let whole = try sandbox.read("state/pipelines/train-mnist/out/predictions.csv").split(separator: "\n").dropFirst().prefix(1000)
        XCTAssertEqual(together, whole.map { $0.split(separator: ",")[2] })

        try FileManager.default.copyItem(atPath: sandbox.path + "/inbox/01.npy", toPath: sandbox.path + "/inbox/20.npy")
        XCTAssertTrue(try run(sandbox, root + "/pipelines/predict.json", inbox).errors.contains("1 processed, 20 skipped"))

        // Nothing in production: the candidate wins. The same model in production: it stays.
        try FileManager.default.createDirectory(atPath: sandbox.path + "/production", withIntermediateDirectories: true)
        let options = mnist + ["--repo", "production=production"]
        let evaluate = try run(sandbox, root + "/pipelines/evaluate.json", options)
        XCTAssertEqual(evaluate.status, 0, evaluate.errors)
        XCTAssertEqual(try sandbox.json("state/pipelines/evaluate/out/evaluation.json")["winner"] as? String, "candidate")
        let model = try sandbox.data("state/pipelines/evaluate/out/model.safetensors")
        XCTAssertEqual(model, try sandbox.data("state/pipelines/train-mnist/out/model.safetensors"))
        try sandbox.write(model, "production/model.safetensors")
        XCTAssertEqual(try run(sandbox, root + "/pipelines/evaluate.json", options).status, 0)
        let evaluation = try sandbox.json("state/pipelines/evaluate/out/evaluation.json")
        XCTAssertEqual(evaluation["winner"] as? String, "production")
        XCTAssertEqual(
            (evaluation["candidate"] as? [String: Any])?["accuracy"] as? Double,
            (evaluation["production"] as? [String: Any])?["accuracy"] as? Double)
    }

    func testBadInputFailsAtOnceAndItsNameIsTheLastLine() throws {
        let images = "train-images-idx3-ubyte"
        for (change, expected) in [
            ("rm mnist/\(images).gz", images), ("printf '\\0\\0\\10\\3' | gzip > mnist/\(images).gz", images), ("mv mnist/t10k-labels* .", "t10k-labels"),
        ] {
            let sandbox = try PachydermSandbox()
            try copyData(sandbox)
            XCTAssertEqual(try sandbox.run("/bin/sh", ["-c", change]).status, 0)
            try sandbox.write(
                """
                {"pipeline": {"name": "train-mnist"}, "input": {"pfs": {"repo": "mnist", "glob": "/"}}, "datum_tries": 1,
                 "transform": {"image": "host:0.1.0", "cmd": ["/bin/sh"],
                  "stdin": ["host scripts/train.lua --model linear 2> ${TMPDIR}/errors", "status=$?", "ls /pfs/out", "exit $status"]}}
                """, "train-mnist.json")
            let result = try run(sandbox, "train-mnist.json", ["--repo", "mnist=mnist"])
            XCTAssertEqual(result.status, 1)
            XCTAssertTrue(result.errors.contains("failed: exit status 1"), result.errors)
            XCTAssertFalse(result.output.contains("."), "left in /pfs/out: \(result.output)")
            let last = try sandbox.read("state/pipelines/train-mnist/tmp/errors").split(separator: "\n").last ?? ""
            XCTAssertTrue(last.contains(expected), "last line: \(last)")
        }
    }
}
