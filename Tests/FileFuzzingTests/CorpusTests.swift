import FileFuzzing
import Foundation
import XCTest

/// The files of Tests/Fuzz/corpus as they are, and broken in thousands of ways: a reader refuses or accepts, and goes on.
/// `make fuzz-files` looks further, with libFuzzer; what it finds becomes a file of the corpus.
final class CorpusTests: XCTestCase {
    private static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Fuzz/corpus")

    private func files(_ format: FileFormat) throws -> [(name: String, bytes: [UInt8])] {
        let folder = Self.corpus.appendingPathComponent(format.rawValue)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, Array(try Data(contentsOf: folder.appendingPathComponent(name))))
        }
    }

    func testEveryFormatHasFilesThatItsReaderTakes() throws {
        for format in FileFormat.allCases {
            let taken = try files(format).filter { format.refusal($0.bytes) == nil }
            XCTAssertFalse(taken.isEmpty, format.rawValue)
        }
    }

    /// Formats of numbers say where they are broken; the libraries for images do not.
    func testACutFileIsRefusedWithItsPlace() throws {
        for format in [FileFormat.idx, .npy, .npz, .safetensors, .checkpoint, .wandb] {
            for (name, bytes) in try files(format) where format.refusal(bytes) == nil && bytes.count < 5000 {
                for cut in Set([0, 1, 6, 8, 9, bytes.count / 2, bytes.count - 1]) where cut < bytes.count {
                    guard let refusal = format.refusal(Array(bytes.prefix(cut))) else {
                        XCTFail("\(format.rawValue)/\(name): the first \(cut) bytes were taken")
                        continue
                    }
                    XCTAssertTrue(refusal.contains("byte"), "\(format.rawValue)/\(name) cut at \(cut): \(refusal)")
                }
            }
        }
    }

    /// What led a reader everywhere that fuzzing has led it so far.
    func testWhatFuzzingExploredIsReadOrRefused() throws {
        let folder = Self.corpus.deletingLastPathComponent().appendingPathComponent("explored")
        var tried = 0
        for file in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            let format = try XCTUnwrap(FileFormat(rawValue: String(file.prefix { $0 != "." })), file)
            for line in try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8).split(separator: "\n") {
                _ = format.refusal(Array(try XCTUnwrap(Data(base64Encoded: String(line)), file)))
                tried += 1
            }
        }
        print("explored by fuzzing: \(tried) inputs")
        XCTAssertGreaterThan(tried, 0)
    }

    func testBrokenFilesDoNotStopTheProcess() throws {
        // FUZZ_ROUNDS and FUZZ_SEED go further than the fixed seed of `make test`.
        let environment = ProcessInfo.processInfo.environment
        let rounds = environment["FUZZ_ROUNDS"].flatMap { Int($0) } ?? 1, seed = environment["FUZZ_SEED"].flatMap { UInt64($0) } ?? 7
        var tried = 0, refused = 0
        for format in FileFormat.allCases {
            let seeds = try files(format)
            var mutator = Mutator(seed: seed, dictionary: seeds.map(\.bytes))
            for (_, bytes) in seeds {
                for _ in 0..<(bytes.count > 4000 ? 60 : 300) * rounds {
                    tried += 1
                    if format.refusal(mutator.mutate(bytes)) != nil { refused += 1 }
                }
            }
        }
        print("broken files, seed \(seed): \(tried) tried, \(refused) refused")
        XCTAssertGreaterThan(refused, tried / 3)
    }
}

/// Breaks files: flips, cuts, splices, and numbers that are likely to be sizes made extreme. The same seed, the same files.
private struct Mutator {
    private var state: UInt64
    private let dictionary: [[UInt8]]

    init(seed: UInt64, dictionary: [[UInt8]]) {
        state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
        self.dictionary = dictionary
    }

    private mutating func below(_ bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 33) % max(bound, 1)
    }

    mutating func mutate(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(3) {
            guard !bytes.isEmpty else { return bytes }
            // The beginning is where sizes stand.
            let at = below(2) == 0 ? below(min(bytes.count, 64)) : below(bytes.count)
            switch below(8) {
            case 0: bytes[at] ^= 1 << UInt8(below(8))
            case 1: bytes[at] = [0, 1, 0x7f, 0x80, 0xff, 0x22, 0x2d, 0x39, 0x7b, 0x5b][below(10)]
            case 2: bytes.removeSubrange(at...)
            case 3: bytes.removeSubrange(at..<min(bytes.count, at + 1 + below(16)))
            case 4: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 1 + below(32))], at: at)
            case 5:
                let value = [UInt64.max, 1 << 63, 1 << 62, 1 << 32, 1 << 31, 0xffff, 0][below(7)], width = [2, 4, 8][below(3)]
                for i in 0..<width where at + i < bytes.count { bytes[at + i] = UInt8(truncatingIfNeeded: value >> UInt64(8 * i)) }
            case 6:
                let other = dictionary[below(dictionary.count)]
                if !other.isEmpty { bytes.replaceSubrange(at..., with: other[below(other.count)...]) }
            default:
                let digits = bytes.indices.filter { 0x30...0x39 ~= bytes[$0] }
                if !digits.isEmpty {
                    let words = ["9223372036854775807", "4611686018427387904", "-1", "1e400", "4294967296", "0"]
                    bytes.replaceSubrange(digits[below(digits.count)]..., with: Array(words[below(6)].utf8) + bytes[digits[below(digits.count)]...])
                }
            }
        }
        return bytes
    }
}
