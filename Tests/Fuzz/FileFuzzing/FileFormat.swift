import JSONText
import LuaBridge
import NN
import Wandb

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The formats of files that this program reads, for tests that feed it broken ones.
public enum FileFormat: String, CaseIterable, Sendable {
    case idx, npy, npz, safetensors, checkpoint, image, csv, json, toml, yaml, wandb, console

    /// Reads a whole file of the format as the program would.
    /// - Returns: what the reader said against the file; nil when it took it.
    public func refusal(_ bytes: [UInt8]) -> String? {
        do {
            try read(bytes)
            return nil
        } catch { return "\(error)" }
    }

    private func read(_ bytes: [UInt8]) throws {
        switch self {
        case .json:
            // Three sets of rules: for scripts, for model files, for the server's answers.
            var failure: (any Error)?
            do { _ = try JSON.decode(String(decoding: bytes, as: UTF8.self)) } catch { failure = error }
            do { _ = try Wandb.JSONReader.value(bytes) } catch { failure = error }
            _ = try JSONParser.parse(bytes, JSONParser.Rules(strings: .keepBytes))
            if let failure { throw failure }
        case .toml: _ = try TOMLReader.document(bytes)
        case .yaml: _ = try YAMLReader.document(bytes)
        case .console: show(String(decoding: bytes, as: UTF8.self))
        default:
            guard let file = MemoryFile(bytes) else { return }
            try read(file.path)
        }
    }

    private func read(_ path: String) throws {
        switch self {
        case .idx: _ = try IDXFile.read(path)
        case .npy: _ = try NPYFile.read(path)
        case .npz: _ = try NPZFile.read(path)
        case .safetensors: _ = try Safetensors.load(path)
        case .checkpoint: _ = try Checkpoint.load(path)
        case .image: try ImageFolder.examine(path)
        case .csv:
            var options = CSVFile.Options()
            _ = try CSVFile.read(path, options)
            options.hasHeader = false
            options.skipsBadRows = true
            options.separator = UInt8(ascii: ";")
            _ = try CSVFile.read(path, options)
        case .wandb: try readLog(path)
        default: break
        }
    }

    /// Terminal output, as the run's page shows it.
    private func show(_ text: String) {
        var console = ConsoleLog()
        console.write(text, isError: false, time: WBTime())
        console.write(text, isError: true, time: WBTime())
    }

    /// A run's log, record by record, and what `host sync` makes of the records.
    private func readLog(_ path: String) throws {
        var reader = try TransactionLogReader(path: path)
        var documents = RunDocuments()
        reading: while true {
            switch reader.next() {
            case .record(let payload, _):
                guard let record = try? WBRecord(serializedBytes: payload) else { continue }
                switch record.recordType {
                case .run(let run): documents.apply(run.config)
                case .config(let config): documents.apply(config)
                case .telemetry(let telemetry): documents.apply(telemetry)
                case .metric(let metric): documents.apply(metric)
                case .environment(let environment): documents.apply(environment)
                case .outputRaw(let output): show(output.line)
                case .history(let history):
                    for item in history.item { _ = try? Wandb.JSONReader.value(item.valueJson) }
                default: break
                }
            case .end: break reading
            case .incomplete(let offset): throw WandbError.format("\(path): incomplete at byte \(offset)")
            case .damaged(let offset, let reason): throw WandbError.format("\(path): byte \(offset): \(reason)")
            }
        }
        if let bytes = Files.read(path) { _ = LogFormat.openRow(in: bytes) }
    }
}

/// Bytes under a path for as long as it lives, in memory where the system has a place for that.
private final class MemoryFile {
    let path: String

    init?(_ bytes: [UInt8]) {
        var name = Array("\(access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp")/file-fuzzing.XXXXXX".utf8CString)
        let descriptor = mkstemp(&name)
        guard descriptor >= 0 else { return nil }
        path = String(decoding: name.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let isWritten = Files.writeAll(bytes, to: descriptor)
        close(descriptor)
        guard isWritten else {
            unlink(path)
            return nil
        }
    }

    deinit { unlink(path) }
}
