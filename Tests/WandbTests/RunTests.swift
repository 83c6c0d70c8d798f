import Foundation
import Wandb
import XCTest

final class RunTests: XCTestCase {
    private func start(_ directory: Temporary, config: WandbMap = [:], _ change: (inout Settings) -> Void = { _ in })
        throws -> Run
    {
        var settings = Settings.offline(in: directory.path)
        change(&settings)
        var options = RunOptions()
        options.config = config
        return try Run.start(options, settings: settings)
    }

    private func log(of run: Run) throws -> String { try XCTUnwrap(run.path) + "/run-\(run.id).wandb" }

    /// Calls and rows as the official client 0.31.0 has them for the same calls.
    func testStepsAndCommit() throws {
        let directory = try Temporary()
        let run = try start(directory)
        try run.log([:])
        try run.log(["a": 1])
        try run.log(["a": 2], step: 5)
        try run.log(["b": 2], step: 5)
        try run.log(["a": 3])
        try run.log(["c": 1], commit: false)
        try run.log(["d": 1])
        try run.log(["a": 9], step: 2)
        try run.log(["a": 10], step: 20, commit: true)
        try run.log(["a": 11], step: 20)
        try run.log(["x.y": 1, "x": ["z": 2], "l": [1, 2, ["q": 1]], "e": [:], "n": nil, "t": true])
        run.finish()
        let found = try rows(log(of: run)).map { row in
            var row = row
            XCTAssertNotNil(row["_timestamp"]?.doubleValue)
            XCTAssertGreaterThanOrEqual(try XCTUnwrap(row["_runtime"]?.doubleValue), 0)
            row["_timestamp"] = nil
            row["_runtime"] = nil
            return row
        }
        XCTAssertEqual(
            found,
            [
                ["_step": 0], ["_step": 1, "a": 1], ["_step": 5, "a": 3, "b": 2], ["_step": 6, "c": 1, "d": 1],
                ["_step": 20, "a": 10],
                ["_step": 21, "x.y": 1, "x": ["z": 2], "l": [1, 2, ["q": 1]], "n": nil, "t": true],
            ])
        XCTAssertEqual(run.droppedRows, 2)
        let final = try summary(log(of: run))
        XCTAssertEqual(final["a"], 10)
        XCTAssertEqual(final["x"], ["z": 2])
        XCTAssertEqual(final["_step"], 21)
        XCTAssertNil(final["n"])
        XCTAssertEqual(final["_wandb"], ["runtime": 0])
    }

    func testNaNAndInfinityStayWhatTheyAre() throws {
        let directory = try Temporary()
        let run = try start(directory)
        try run.log(["nan": .double(.nan), "inf": .double(.infinity), "neg": .double(-.infinity), "tiny": 1e-300])
        run.finish()
        let history = try XCTUnwrap(try records(log(of: run)).first { !$0.history.item.isEmpty })
        let texts = Dictionary(uniqueKeysWithValues: history.history.item.map { ($0.nestedKey[0], $0.valueJson) })
        XCTAssertEqual(texts["nan"], "NaN")
        XCTAssertEqual(texts["inf"], "Infinity")
        XCTAssertEqual(texts["neg"], "-Infinity")
        XCTAssertEqual(texts["tiny"], "1e-300")
    }

    func testMetricSummaries() throws {
        let directory = try Temporary()
        let run = try start(directory)
        run.define(try MetricDefinition("loss", summary: [.min, .first]))
        run.define(try MetricDefinition("acc", goal: .maximize, summary: [.max, .mean, .last, .best]))
        run.define(try MetricDefinition("quiet", summary: .none))
        run.define(try MetricDefinition("val/*", stepMetric: "epoch"))
        run.define(try MetricDefinition("deep.x", summary: .max))
        run.define(try MetricDefinition("a\\.b", summary: .max))
        try run.log(["loss": 3, "acc": 0.5, "quiet": 1, "epoch": 7, "deep": ["x": 5], "a.b": 4])
        try run.log(["loss": 1, "acc": 0.25, "quiet": 2, "val/f1": 0.5, "deep": ["x": 1], "a.b": 2])
        try run.log(["loss": 2, "acc": .double(.nan), "_own": 1])
        run.finish()
        let final = try summary(log(of: run))
        XCTAssertEqual(final["loss"], ["min": 1, "first": 3])
        XCTAssertEqual(final["deep"], ["x": ["max": 5]])
        XCTAssertEqual(final["a.b"], ["max": 4])
        XCTAssertNil(final["quiet"])
        XCTAssertEqual(final["val/f1"], 0.5)
        let acc = try XCTUnwrap(final["acc"]?.mapValue)
        XCTAssertEqual(acc["max"], 0.5)
        XCTAssertEqual(acc["best"], 0.5)
        XCTAssertEqual(acc["mean"]?.doubleValue?.isNaN, true)
        // step_sync: the row with val/f1 has no epoch of its own and gets the latest.
        XCTAssertEqual(try rows(log(of: run))[1]["epoch"], 7)
        XCTAssertNil(try rows(log(of: run))[2]["epoch"])
    }

    func testSummaryCanBeSetAndRemoved() throws {
        let directory = try Temporary()
        let run = try start(directory)
        try run.log(["loss": 1, "gone": 2])
        try run.setSummary(["best"], to: 0.99)
        try run.setSummary(["deep", "k"], to: 1)
        try run.setSummary(["loss"], to: ["min": 0])
        run.removeSummary(["gone"])
        XCTAssertEqual(run.summary, ["loss": ["min": 0], "best": 0.99, "deep": ["k": 1]])
        run.finish()
        var final = try summary(log(of: run))
        for key in ["_step", "_timestamp", "_runtime", "_wandb"] { final[key] = nil }
        XCTAssertEqual(final, ["loss": ["min": 0], "best": 0.99, "deep": ["k": 1]])
    }

    func testTheLogHoldsWhatARunIs() throws {
        let directory = try Temporary()
        let run = try start(directory, config: ["lr": 0.1, "opt": ["name": "adam"]]) {
            $0.runName = "first"
            $0.tags = ["a", "b"]
            $0.runGroup = "g"
        }
        try run.updateConfig(["late": 1])
        run.console("hello\n")
        run.console("oops", .error)
        try run.alert(title: "t", text: "x", level: .warn, wait: 5)
        run.finish(exitCode: 3)
        run.finish(exitCode: 0)
        let all = try records(log(of: run))
        XCTAssertEqual(all.map(\.num), Array(1...Int64(all.count)))
        XCTAssertEqual(all[0].header.versionInfo.producer, Client.version)
        XCTAssertEqual(all[1].run.runID, "testrun1")
        XCTAssertEqual(all[1].run.displayName, "first")
        XCTAssertEqual(all[1].run.tags, ["a", "b"])
        XCTAssertEqual(all[1].run.config.update.map(\.key), ["lr", "opt"])
        XCTAssertEqual(all[1].run.config.update[1].valueJson, #"{"name":"adam"}"#)
        XCTAssertGreaterThan(all[2].environment.cpuCountLogical, 0)
        XCTAssertEqual(all.filter { $0.config.update.first?.key == "late" }.count, 1)
        XCTAssertEqual(all.filter { !$0.outputRaw.line.isEmpty }.map(\.outputRaw.line), ["hello\n", "oops"])
        XCTAssertEqual(all.first { !$0.alert.title.isEmpty }?.alert.waitDuration, 5000)
        XCTAssertEqual(all.last?.exit.exitCode, 3)
        XCTAssertEqual(run.config, ["lr": 0.1, "opt": ["name": "adam"], "late": 1])
        let yaml = try String(contentsOfFile: XCTUnwrap(run.filesPath) + "/config.yaml", encoding: .utf8)
        XCTAssertTrue(yaml.contains("lr:\n    value: 0.1\n"), yaml)
        XCTAssertTrue(yaml.contains("        cli_version: 0.31.0\n"), yaml)
        XCTAssertTrue(yaml.contains("            \"5\": 0.31.0\n"), yaml)
        XCTAssertEqual(
            try FileManager.default.destinationOfSymbolicLink(atPath: "\(directory.path)/wandb/latest-run"),
            (try XCTUnwrap(run.path) as NSString).lastPathComponent)
    }

    /// A row with an explicit step stays open: until it is closed it lies in a file of its own.
    func testAnOpenRowIsOnDiskToo() throws {
        let directory = try Temporary()
        let run = try start(directory)
        try run.log(["a": 1], step: 4)
        let path = try log(of: run) + ".row"
        let body = try XCTUnwrap(LogFormat.openRow(in: [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))))
        let row = try WBHistoryRecord(serializedBytes: body)
        XCTAssertEqual(row.step.num, 4)
        XCTAssertEqual(row.item.first?.nestedKey, ["a"])
        XCTAssertEqual(try rows(log(of: run)).count, 0)
        run.finish()
        XCTAssertEqual(try rows(log(of: run)).count, 1)
        XCTAssertFalse(FileManager.default.fileExists(atPath: path))
    }

    func testSecretsAreNowhereInTheFiles() throws {
        let directory = try Temporary()
        let secret = String(repeating: "s3cr3tKey0", count: 4)
        setenv("UNIT_TEST_TOKEN", "tok-123456789", 1)
        defer { unsetenv("UNIT_TEST_TOKEN") }
        let run = try start(directory, config: ["command": .string("--key=\(secret)")]) {
            $0.apiKey = try? APIKey(secret, source: "test")
            $0.arguments = ["--key", secret, "tok-123456789"]
        }
        run.console("using \(secret) and tok-123456789\n")
        try run.updateConfig(["again": .string(secret)])
        run.finish()
        let files = FileManager.default.enumerator(atPath: directory.path)?.compactMap { $0 as? String } ?? []
        XCTAssertGreaterThan(files.count, 3)
        for file in files {
            guard let data = FileManager.default.contents(atPath: "\(directory.path)/\(file)") else { continue }
            XCTAssertNil(data.range(of: Data(secret.utf8)), file)
            XCTAssertNil(data.range(of: Data("tok-123456789".utf8)), file)
        }
        XCTAssertEqual(try APIKey(secret, source: "x").description, "…Key0 (from x)")
        XCTAssertFalse(String(reflecting: try APIKey(secret, source: "x")).contains(secret))
    }

    func testADisabledRunWritesNothing() throws {
        let directory = try Temporary()
        let run = try start(directory, config: ["lr": 1]) { $0.mode = .disabled }
        try run.log(["a": 1])
        try run.updateConfig(["b": 2])
        try run.setSummary(["best"], to: 3)
        XCTAssertEqual(run.config, ["lr": 1, "b": 2])
        XCTAssertEqual(run.summary["best"], 3)
        run.finish()
        XCTAssertNil(run.path)
        XCTAssertEqual(try FileManager.default.contentsOfDirectory(atPath: directory.path), [])
    }

    func testErrorsNameKeyAndKind() throws {
        let directory = try Temporary()
        let run = try start(directory)
        XCTAssertThrowsError(try run.log(["a": 1], step: -1))
        let histogram = WandbValue.media(.histogram(try Histogram(values: [1, 2])))
        XCTAssertThrowsError(try run.updateConfig(["h": ["x": histogram]])) {
            XCTAssertEqual("\($0)", "wandb: config.h.x: histogram cannot be stored here; log it in a row")
        }
        try run.log(["still": 1])
        run.finish()
        XCTAssertThrowsError(try run.log(["late": 1]))
        XCTAssertEqual(try rows(log(of: run)).count, 1)
    }

    /// Numbers that are named without a map arrive as those in a map do, also when names and their order change.
    func testRowsOfScalars() throws {
        let directory = try Temporary()
        let run = try start(directory)
        func put(_ values: [(String, WandbValue)], step: Int64? = nil, commit: Bool? = nil) throws {
            try run.logScalars(step: step, commit: commit) { put in
                for (key, value) in values { Array(key.utf8).withUnsafeBytes { put($0, value) } }
            }
        }
        try put([("a", 1), ("b", 0.5)])
        try put([("a", 2), ("b", true)])
        try put([("b", 3), ("a", 4)])
        try put([("b", 5)])
        try put([("c", 6), ("a", 7)], commit: false)
        try run.log(["d": ["x": 8]])
        try put([], step: 9)
        try put([("a", 9)], step: 9)
        try put([("a", 10)], step: 3)
        run.finish()
        XCTAssertThrowsError(try put([("a", 1)]))
        let found = try rows(log(of: run)).map { row in
            var row = row
            row["_timestamp"] = nil
            row["_runtime"] = nil
            return row
        }
        XCTAssertEqual(
            found,
            [
                ["_step": 0, "a": 1, "b": 0.5], ["_step": 1, "a": 2, "b": true], ["_step": 2, "a": 4, "b": 3],
                ["_step": 3, "b": 5], ["_step": 4, "c": 6, "a": 7, "d": ["x": 8]], ["_step": 9, "a": 9],
            ])
        XCTAssertEqual(try summary(log(of: run))["a"], 9)
        XCTAssertEqual(run.droppedRows, 1)
    }

    /// Names and texts around the lengths at which their sizes take another byte, mixed with plain values.
    func testRowsOfAnySize() throws {
        let directory = try Temporary()
        let run = try start(directory)
        var expected: [WandbMap] = []
        for length in [1, 100, 105, 106, 107, 108, 109, 110, 118, 120, 122, 123, 124, 125, 126, 127, 128, 129, 200, 16_400] {
            let name = String(repeating: "k", count: length), text = String(repeating: "v", count: length)
            let row: WandbMap = [name: 0.5, "text": .string(text), "n": 1, "none": .null, "list": [1, "x"]]
            try run.log(row)
            expected.append(row)
            let plain: WandbMap = [name: 1234567, "n": 2]
            try run.logScalars { put in
                for entry in plain.entries { Array(entry.key.utf8).withUnsafeBytes { put($0, entry.value) } }
            }
            expected.append(plain)
        }
        run.finish()
        let found = try rows(log(of: run)).map { row in
            var row = row
            for name in ["_step", "_timestamp", "_runtime"] { row[name] = nil }
            return row
        }
        XCTAssertEqual(found.count, expected.count)
        for (row, wanted) in zip(found, expected) { XCTAssertEqual(WandbValue.map(row), .map(wanted)) }
        let last = try summary(log(of: run))
        XCTAssertEqual(last["n"], 2)
        XCTAssertEqual(last["list"], [1, "x"])
        XCTAssertEqual(last["text"], .string(String(repeating: "v", count: 16_400)))
    }
}
