import Foundation
import NN
import XCTest

/// Committed files that other libraries wrote (see Tests/Golden/make_data_files.py), and places to write.
enum Fixture {
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    static func golden(_ name: String) -> String { repository.appendingPathComponent("Tests/Golden/data/\(name)").path }
    static func mnist(_ name: String) -> String { repository.appendingPathComponent("data/mnist/\(name)").path }

    static func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }

    static func write(_ bytes: [UInt8], _ path: String) throws {
        // Not by Foundation, which waits for the disk each time; so does ext4 when a file is written over.
        unlink(path)
        guard let file = fopen(path, "w") else { throw CocoaError(.fileWriteUnknown) }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw CocoaError(.fileWriteUnknown) }
    }

    /// An empty folder that goes away with the test.
    static func folder(_ test: XCTestCase) throws -> String {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("nn-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        test.addTeardownBlock { try? FileManager.default.removeItem(at: url) }
        return url.path
    }

    /// The message of the library's error that `body` throws.
    static func failure(_ body: () throws -> Void, file: StaticString = #filePath, line: UInt = #line) -> String {
        do {
            try body()
            XCTFail("expected an error", file: file, line: line)
            return ""
        } catch let error as TensorError { return error.message } catch {
            XCTFail("expected a TensorError, got \(error)", file: file, line: line)
            return ""
        }
    }

    /// Each beginning of a sound file must give an error that names the file, never anything else.
    static func checkPrefixes(
        of path: String, in folder: String, named name: String = "cut", file: StaticString = #filePath, line: UInt = #line,
        _ read: (String) throws -> Void
    ) throws {
        let whole = try bytes(path)
        let cut = "\(folder)/\(name)"
        for n in 0..<whole.count {
            try write(Array(whole.prefix(n)), cut)
            let message = failure({ try read(cut) }, file: file, line: line)
            XCTAssert(message.contains(cut), "\(n) bytes: \(message)", file: file, line: line)
        }
    }

    /// Files with one byte changed: whatever comes of it, it is a result or an error, and bounded.
    static func checkMutations(
        of path: String, in folder: String, upTo limit: Int = 400, _ read: (String) throws -> Void
    ) throws {
        let whole = try bytes(path)
        let changed = "\(folder)/changed"
        for i in 0..<min(whole.count, limit) {
            for value: UInt8 in [0, 0xff, 0x7f, whole[i] &+ 1] where value != whole[i] {
                var copy = whole
                copy[i] = value
                try write(copy, changed)
                do { try read(changed) } catch is TensorError {}
            }
        }
    }
}
