import Foundation
import Wandb
import XCTest

/// Training as a retried job, killed at random instants: the model comes out with the same bits, no file is half written,
/// and the logs of all tries hold each row of the run once.
///
/// HOST_KILLS says how many runs are killed (`make test-kill`: 200), HOST_KILL_SEED draws the instants.
final class TrainingKillTests: XCTestCase {
    private static let options = ["--model", "mlp", "--epochs", "2", "--batch_size", "500", "--data", PachydermSandbox.repository + "/data/mnist"]

    func testAKilledRunEndsAsIfNothingHadHappened() throws {
        let environment = ProcessInfo.processInfo.environment
        let kills = environment["HOST_KILLS"].flatMap { Int($0) } ?? 5
        let seed = environment["HOST_KILL_SEED"].flatMap { UInt64($0) } ?? 1
        var random = Dice(seed)

        let whole = try Job()
        let began = Date()
        XCTAssertEqual(try whole.attempt(signal: nil, after: 0), 0, whole.errors)
        let duration = Date().timeIntervalSince(began)
        let model = try whole.model(), rows = try whole.rows()
        XCTAssertEqual(rows.count, 220)

        var counts = (kill: 0, term: 0, int: 0, late: 0)
        for number in 0..<kills {
            let job = try Job()
            // Most are killed as Pachyderm does it; the others are asked to stop.
            let signal = number % 5 == 3 ? SIGTERM : number % 5 == 4 ? SIGINT : SIGKILL
            var instants = [random.next() * duration * 1.05]
            if random.next() < 0.3 { instants.append(random.next() * duration) }
            for instant in instants {
                let status = try job.attempt(signal: signal, after: instant)
                let what = "seed \(seed), run \(number), signal \(signal) after \(instant) s: \(job.errors)"
                switch (signal, status) {
                case (_, 0): counts.late += 1
                case (SIGKILL, -SIGKILL): counts.kill += 1
                case (SIGTERM, 143): counts.term += 1
                case (SIGINT, 130): counts.int += 1
                // Before the program listens, and when its script is over and the run told, a signal ends it as any program.
                case (SIGTERM, -SIGTERM), (SIGINT, -SIGINT):
                    XCTAssert(instant < 1 || job.errors.contains("is offline; upload it with"), what)
                default: XCTFail("status \(status): \(what)")
                }
                // On a busy machine the time is not measured; the limit that counts is checked where nothing else runs.
                if signal == SIGTERM, environment["HOST_KILLS"] != nil { XCTAssertLessThan(job.lastReaction, 5, what) }
                try job.checkFiles(what)
                if status == 0 { break }
            }
            XCTAssertEqual(try job.attempt(signal: nil, after: 0), 0, job.errors)
            XCTAssertEqual(try job.model(), model, "run \(number), seed \(seed): signal \(signal) after \(instants)")
            let merged = try job.rows()
            XCTAssertEqual(merged, rows, "run \(number), seed \(seed): signal \(signal) after \(instants)")
        }
        print("kill anywhere, seed \(seed): \(kills) runs, \(counts.kill) SIGKILL, \(counts.term) SIGTERM, \(counts.int) SIGINT, \(counts.late) were over before")
    }

    /// SIGTERM in the middle of an epoch keeps the very step: no row is computed twice.
    func testSIGTERMKeepsTheStep() throws {
        let job = try Job()
        XCTAssertEqual(try job.attempt(signal: SIGTERM, whenPrinted: "Sequential"), 143, job.errors)
        XCTAssertTrue(job.output.contains("stopped after step "), job.output + job.errors)
        let first = try job.rowsOfLogs()
        XCTAssertEqual(try job.attempt(signal: nil, after: 0), 0, job.errors)
        XCTAssertTrue(job.output.contains("resuming from "), job.output)
        let logs = try job.rowsOfLogs()
        XCTAssertEqual(logs.count, 2)
        XCTAssertEqual(first.count, 1)
        XCTAssertTrue(Set(logs[0].keys).isDisjoint(with: logs[1].keys))
        XCTAssertEqual(logs[0].count + logs[1].count, 220)
    }
}

/// Small random numbers that are the same everywhere.
private struct Dice {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 1 }
    mutating func next() -> Double {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Double(state >> 11) * 0x1p-53
    }
}

/// A job's tries: a fresh output for each, a scratch folder that stays.
private final class Job {
    let sandbox: PachydermSandbox
    private(set) var output = "", errors = ""
    /// Seconds from the signal to the end.
    private(set) var lastReaction = 0.0

    init() throws { sandbox = try PachydermSandbox() }

    func attempt(signal: Int32?, after seconds: Double = 0, whenPrinted word: String? = nil) throws -> Int32 {
        for folder in ["pfs/out", "tmp"] {
            if folder == "pfs/out" { try? FileManager.default.removeItem(atPath: "\(sandbox.path)/\(folder)") }
            try FileManager.default.createDirectory(atPath: "\(sandbox.path)/\(folder)", withIntermediateDirectories: true)
        }
        let process = Process(), out = Pipe(), err = Pipe()
        process.executableURL = HostProcess.binary
        process.arguments = [PachydermSandbox.repository + "/scripts/train.lua"] + Array(TrainingKillTests.trainingOptions)
        process.environment = [
            "PATH": "/usr/bin:/bin", "HOME": sandbox.path, "TMPDIR": sandbox.path + "/tmp", "PFS_ROOT": sandbox.path + "/pfs",
            "PACH_JOB_ID": "0123456789abcdef0123456789abcdef", "PACH_DATUM_ID": "feed", "PPS_PIPELINE_NAME": "kill", "WANDB_MODE": "offline",
        ].merging(HostProcess.sanitizer) { $1 }
        process.standardOutput = out
        process.standardError = err
        process.standardInput = FileHandle.nullDevice
        try process.run()
        nonisolated(unsafe) var texts = [Data(), Data()]
        let group = DispatchGroup(), lock = NSLock()
        let printed = DispatchSemaphore(value: 0)
        for (index, pipe) in [out, err].enumerated() {
            DispatchQueue.global().async(group: group) {
                while true {
                    let piece = pipe.fileHandleForReading.availableData
                    if piece.isEmpty { break }
                    lock.withLock {
                        texts[index] += piece
                        if let word, index == 0, String(decoding: texts[0], as: UTF8.self).contains(word) { printed.signal() }
                    }
                }
                printed.signal()
            }
        }
        var sent = Date()
        if let signal {
            if word != nil { printed.wait() } else { Thread.sleep(forTimeInterval: seconds) }
            sent = Date()
            if process.isRunning { kill(process.processIdentifier, signal) }
        }
        process.waitUntilExit()
        lastReaction = Date().timeIntervalSince(sent)
        group.wait()
        (output, errors) = (String(decoding: texts[0], as: UTF8.self), String(decoding: texts[1], as: UTF8.self))
        return process.terminationReason == .uncaughtSignal ? -process.terminationStatus : process.terminationStatus
    }

    func model() throws -> Data { try sandbox.data("pfs/out/model.safetensors") }

    /// Whatever stands under its final name is whole.
    func checkFiles(_ what: String) throws {
        for name in sandbox.files("pfs/out").map({ "pfs/out/" + $0 }) + sandbox.files("tmp").map({ "tmp/" + $0 }) {
            if name.hasSuffix(".safetensors") {
                let bytes = try sandbox.data(name)
                let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
                let header = try XCTUnwrap(
                    try JSONSerialization.jsonObject(with: bytes.dropFirst(8).prefix(length)) as? [String: Any], "\(name): \(what)")
                let ends = header.values.compactMap { (($0 as? [String: Any])?["data_offsets"] as? [Int])?.last }
                XCTAssertEqual(8 + length + (ends.max() ?? 0), bytes.count, "\(name): \(what)")
            } else if name.hasSuffix(".json"), !name.contains("/wandb/") {
                XCTAssertNoThrow(try JSONSerialization.jsonObject(with: try sandbox.data(name)), "\(name): \(what)")
            }
        }
    }

    /// The rows of each try's log, by step; what differs from try to try (times) left out. A row that was open at the end
    /// lies in a file of its own.
    func rowsOfLogs() throws -> [[Int: [String: String]]] {
        let folder = sandbox.path + "/tmp"
        let logs = sandbox.files("tmp").filter { $0.hasSuffix(".wandb") }.sorted()
        return try logs.map { log in
            var rows: [Int: [String: String]] = [:]
            func take(_ record: WBHistoryRecord, isOpen: Bool = false) {
                var row: [String: String] = [:]
                for item in record.item { row[item.nestedKey.joined(separator: ".")] = item.valueJson }
                guard let step = row["_step"].flatMap({ Int($0) }) else { return XCTFail("a row without a step in \(log)") }
                row["_timestamp"] = nil
                row["_runtime"] = nil
                // The kill may fall between the row's way into the log and the end of the file that held it: sync takes it once.
                if isOpen, rows[step] == row { return }
                XCTAssertNil(rows[step], "step \(step) twice in \(log)")
                rows[step] = row
            }
            var reader = try TransactionLogReader(path: "\(folder)/\(log)")
            reading: while true {
                switch reader.next() {
                case .record(let bytes, _):
                    if case .history(let record)? = try WBRecord(serializedBytes: bytes).recordType { take(record) }
                case .end, .incomplete: break reading
                case .damaged(let offset, let reason):
                    XCTFail("\(log): byte \(offset): \(reason)")
                    break reading
                }
            }
            if let bytes = FileManager.default.contents(atPath: "\(folder)/\(log).row"), let body = LogFormat.openRow(in: Array(bytes)) {
                take(try WBHistoryRecord(serializedBytes: body), isOpen: true)
            }
            return rows
        }
    }

    /// The rows of all tries as one run; what was computed twice must have come out the same.
    func rows() throws -> [Int: [String: String]] {
        var merged: [Int: [String: String]] = [:]
        for rows in try rowsOfLogs() {
            for (step, row) in rows {
                for (key, value) in row {
                    XCTAssertEqual(merged[step]?[key] ?? value, value, "step \(step), \(key)")
                    merged[step, default: [:]][key] = value
                }
            }
        }
        return merged
    }
}

extension TrainingKillTests {
    fileprivate static var trainingOptions: [String] { options }
}
