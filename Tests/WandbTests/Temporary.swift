import Foundation
import Wandb
import XCTest

/// A directory that goes with the test.
final class Temporary {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("wandb-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ text: String, to name: String) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        return file
    }
}

func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Fixtures/\(name)").path
}

/// Reads every record of a log.
func records(_ path: String) throws -> [WBRecord] {
    var reader = try TransactionLogReader(path: path)
    var found: [WBRecord] = []
    while true {
        switch reader.next() {
        case .record(let bytes, _): found.append(try WBRecord(serializedBytes: bytes))
        case .end: return found
        case .incomplete(let offset), .damaged(let offset, _):
            XCTFail("damage at \(offset)")
            return found
        }
    }
}

/// The rows of a log as nested values.
func rows(_ path: String) throws -> [WandbMap] {
    try records(path).filter { $0.history.item.count > 0 }.map { record in
        var row = WandbMap()
        for item in record.history.item { row[item.nestedKey] = try JSONReader.value(item.valueJson) }
        return row
    }
}

/// The summary as the records leave it.
func summary(_ path: String) throws -> WandbMap {
    var map = WandbMap()
    for record in try records(path) {
        for item in record.summary.update {
            map[item.nestedKey.isEmpty ? [item.key] : item.nestedKey] = try JSONReader.value(item.valueJson)
        }
        for item in record.summary.remove { map[item.nestedKey] = nil }
    }
    return map
}

extension Settings {
    static func offline(in directory: String, id: String = "testrun1") -> Settings {
        var settings = Settings()
        settings.mode = .offline
        settings.rootDirectory = directory
        settings.runID = id
        settings.project = "demo"
        settings.silent = true
        return settings
    }
}
