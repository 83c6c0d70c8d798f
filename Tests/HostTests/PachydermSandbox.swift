import Foundation
import XCTest

/// A folder that goes with the test, and `host` run inside it.
final class PachydermSandbox {
    let path: String
    static let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    struct Result {
        let status: Int32
        let output: String
        let errors: String
        var lastErrorLine: String { errors.split(separator: "\n").last.map(String.init) ?? "" }
    }

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("pachyderm-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The program under test lies beside the test bundle.
    static let host: String = {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
        for _ in 0..<6 {
            let file = folder.appendingPathComponent("host").path
            if FileManager.default.isExecutableFile(atPath: file), !isFolder(file) { return file }
            folder = folder.deletingLastPathComponent()
        }
        return repository + "/.build/release/host"
    }()

    /// Whether the program that renders jsonnet files is there; `make test` installs it where it can.
    static let hasJsonnet = ["/usr/bin", "/usr/local/bin", "/bin"].contains {
        FileManager.default.isExecutableFile(atPath: $0 + "/jsonnet")
    }

    private static func isFolder(_ path: String) -> Bool {
        var folder: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &folder) && folder.boolValue
    }

    @discardableResult
    func write(_ text: String, _ name: String) throws -> String {
        try write(Data(text.utf8), name)
    }

    @discardableResult
    func write(_ data: Data, _ name: String) throws -> String {
        let file = "\(path)/\(name)"
        try FileManager.default.createDirectory(
            atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
        try data.write(to: URL(fileURLWithPath: file))
        return file
    }

    func read(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
    func data(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")) }
    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: "\(path)/\(name)") }

    /// All files below a folder, by their paths in it.
    func files(_ folder: String) -> [String] {
        (FileManager.default.subpaths(atPath: "\(path)/\(folder)") ?? []).filter { !Self.isFolder("\(path)/\(folder)/\($0)") }.sorted()
    }

    func json(_ name: String) throws -> [String: Any] {
        try XCTUnwrap(try JSONSerialization.jsonObject(with: try data(name)) as? [String: Any])
    }

    func host(_ arguments: [String], environment: [String: String] = [:]) throws -> Result {
        try run(Self.host, arguments, environment: environment)
    }

    /// Runs a program in the sandbox with an environment of its own.
    func run(_ program: String, _ arguments: [String], environment: [String: String] = [:], folder: String? = nil) throws -> Result {
        let process = Process(), output = Pipe(), errors = Pipe()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder ?? path)
        process.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": path, "TMPDIR": path]
            .merging(HostProcess.sanitizer) { $1 }.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = errors
        process.standardInput = FileHandle.nullDevice
        try process.run()
        // Both pipes are read while the program runs, or a full one would stop it.
        let reader = DispatchQueue(label: "errors")
        nonisolated(unsafe) var errorData = Data()
        let group = DispatchGroup()
        reader.async(group: group) { errorData = errors.fileHandleForReading.readDataToEndOfFile() }
        let outputData = output.fileHandleForReading.readDataToEndOfFile()
        group.wait()
        process.waitUntilExit()
        return Result(
            status: process.terminationStatus, output: String(decoding: outputData, as: UTF8.self),
            errors: String(decoding: errorData, as: UTF8.self))
    }
}
