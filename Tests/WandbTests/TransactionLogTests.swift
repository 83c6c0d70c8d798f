import Foundation
import Wandb
import XCTest

final class TransactionLogTests: XCTestCase {
    /// A log written by W&B's own client, against its records as W&B's own decoder printed them.
    func testReadsALogOfTheOfficialClient() throws {
        let found = try records(fixture("run-offline1.wandb"))
        let text = try String(contentsOfFile: fixture("records.jsonl"), encoding: .utf8)
        let expected = try text.split(separator: "\n").map { try JSONReader.value(String($0)) }
        XCTAssertEqual(found.count, 36)
        XCTAssertEqual(expected.count, 36)
        for (record, line) in zip(found, expected) {
            XCTAssertEqual(record.num, line["num"]?.intValue)
            // The client's own service leaves it out of the records that it makes itself.
            XCTAssertTrue(["", "offline1"].contains(record.info.streamID))
        }
        let run = found[1].run
        XCTAssertEqual(run.runID, "offline1")
        XCTAssertEqual(run.displayName, "tiny")
        XCTAssertEqual(run.tags, ["a"])
        XCTAssertEqual(run.telemetry.platform, "linux-x86_64")
        XCTAssertEqual(TimeText.utc(run.startTime, suffix: "Z"), "2026-11-23T14:53:03.715006Z")
        XCTAssertEqual(found[3].environment.disk["/"]?.total, 270_553_174_016)
        XCTAssertEqual(found[9].metric.summary.min, true)
        XCTAssertEqual(found[22].outputRaw.outputType, .stdout)
        XCTAssertEqual(found[24].outputRaw.outputType, .stderr)
        XCTAssertEqual(found[29].artifact.manifest.contents[0].digest, "stP1a8GX/ZhdWWUHm15xSA==")
        XCTAssertEqual(found[30].alert.waitDuration, 60000)
        for (record, line) in zip(found, expected) where line["history"] != nil {
            for (item, wanted) in zip(record.history.item, line["history"]?["item"]?.listValue ?? []) {
                let value = try JSONReader.value(item.valueJson)
                XCTAssertEqual(item.nestedKey.map { .string($0) }, wanted["nested_key"]?.listValue)
                if item.valueJson == "NaN" {
                    XCTAssertEqual(wanted["value"], "NaN")
                } else {
                    XCTAssertEqual(value.doubleValue, wanted["value"]?.doubleValue)
                }
            }
        }
        // Telemetry flags, by their numbers in telemetry.proto: offline 4, set_init_* 13..16.
        XCTAssertEqual(RunDocuments.setFlags(Array(run.telemetry.feature.unknownFields.data)), [4, 13, 14, 15, 16])
    }

    /// Reference framing from the format's description, chunk by chunk, around every way a block can end.
    func testRecordsOfAllSizesSurviveBlockEnds() throws {
        let directory = try Temporary()
        for tail in [0, 1, 6, 7, 8, 15, 100] {
            let path = "\(directory.path)/\(tail).wandb"
            var writer = try TransactionLogWriter(path: path, runID: "r")
            // The envelope of the first record is 4 + 6 bytes and the file header 7: leave `tail` bytes in block 0.
            var filler = 32768 - 7 - 7 - tail
            filler -= 2 + 4 + 6
            writer.append(field: RecordFieldForTests.outputRaw, body: [UInt8](repeating: 1, count: filler))
            writer.append(field: RecordFieldForTests.outputRaw, body: [UInt8](repeating: 2, count: 70000))
            writer.append(field: RecordFieldForTests.outputRaw, body: [3])
            XCTAssertEqual(Int64(try Data(contentsOf: URL(fileURLWithPath: path)).count), writer.offset)
            var reader = try TransactionLogReader(path: path)
            var sizes: [Int] = []
            while case .record(let bytes, _) = reader.next() { sizes.append(bytes.count) }
            XCTAssertEqual(sizes.count, 3, "\(tail) bytes left")
            XCTAssertEqual(sizes.dropFirst().first, 70000 + 2 + 4 + 6)
        }
    }

    func testChecksumsArePlainCRC32() {
        // CRC-32 of the bytes 01 and "123456789" after it, by zlib.crc32 in Python.
        let sum = Array("123456789".utf8).withUnsafeBytes { LogFormat.checksum(type: 1, $0) }
        XCTAssertEqual(sum, 0x21B5_2EC0)
        // An empty FULL record has the checksum 1B DF 05 A5, least significant byte first.
        XCTAssertEqual([UInt8]().withUnsafeBytes { LogFormat.checksum(type: 1, $0) }, 0xA505_DF1B)
    }

    func testDamageIsToldWithItsOffset() throws {
        let directory = try Temporary()
        let path = "\(directory.path)/run.wandb"
        var writer = try TransactionLogWriter(path: path, runID: "r")
        var offsets: [Int64] = []
        for _ in 0..<5 {
            offsets.append(writer.offset)
            writer.append(field: RecordFieldForTests.outputRaw, body: [1, 2, 3])
        }
        var bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        bytes[Int(offsets[3]) + 8] ^= 0x10
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        var reader = try TransactionLogReader(path: path)
        for _ in 0..<3 { guard case .record = reader.next() else { return XCTFail("expected a record") } }
        guard case .damaged(let offset, _) = reader.next() else { return XCTFail("expected damage") }
        XCTAssertEqual(offset, offsets[3])

        try Data(bytes[..<(Int(offsets[3]) - 2)]).write(to: URL(fileURLWithPath: path))
        var cut = try TransactionLogReader(path: path)
        for _ in 0..<2 { guard case .record = cut.next() else { return XCTFail("expected a record") } }
        guard case .incomplete(let end) = cut.next() else { return XCTFail("expected an incomplete record") }
        XCTAssertEqual(end, offsets[2])
    }

    func testRefusesOtherFilesAndExistingOnes() throws {
        let directory = try Temporary()
        let other = try directory.write("not a log at all", to: "x.wandb")
        XCTAssertThrowsError(try TransactionLogReader(path: other)) {
            XCTAssertTrue("\($0)".contains("not a W&B log"), "\($0)")
        }
        XCTAssertThrowsError(try TransactionLogWriter(path: other, runID: "r"))
        XCTAssertThrowsError(try TransactionLogReader(path: try directory.write(":W", to: "y.wandb")))
    }

    func testTheWritersLockTellsThatTheRunLives() throws {
        let directory = try Temporary()
        let path = "\(directory.path)/run.wandb"
        do {
            let writer = try TransactionLogWriter(path: path, runID: "r")
            XCTAssertTrue(try TransactionLogReader(path: path).isLocked())
            XCTAssertEqual(writer.offset, 7)
        }
        XCTAssertFalse(try TransactionLogReader(path: path).isLocked())
    }
}

private enum RecordFieldForTests { static let outputRaw: UInt64 = 13 }
