import Foundation
import Wandb
import XCTest

final class ArtifactTests: XCTestCase {
    /// 64 bytes 0..63: digests as the official client recorded them (transcripts 01 and 07).
    private func model(_ directory: Temporary) throws -> String {
        let path = "\(directory.path)/model.bin"
        try Data((0..<64).map { UInt8($0) }).write(to: URL(fileURLWithPath: path))
        return path
    }

    func testDigests() throws {
        let directory = try Temporary()
        let artifact = try Artifact("weights", type: "model")
        try artifact.addFile(try model(directory))
        XCTAssertEqual(artifact.entries.map(\.digest), ["stP1a8GX/ZhdWWUHm15xSA=="])
        XCTAssertEqual(artifact.digest, "24a7bec37e4f767f893afa4017b7c1e7")
        XCTAssertEqual(artifact.clientID.count, 128)
    }

    func testNames() throws {
        for (name, type) in [("a/b", "model"), ("", "model"), ("ok", "run_table"), ("ok", "wandb-x"), ("ok", "a/b")] {
            XCTAssertThrowsError(try Artifact(name, type: type), "\(name) \(type)")
        }
        XCTAssertThrowsError(try Artifact("ok", type: "model", metadata: ["x": .double(.nan)]))
        let directory = try Temporary()
        let artifact = try Artifact("ok", type: "model")
        XCTAssertThrowsError(try artifact.addFile("\(directory.path)/missing"))
        for outside in ["../x", "a/../../x", "/x", "a//x", "..", ""] {
            XCTAssertThrowsError(try artifact.addFile(try model(directory), as: outside), outside)
        }
        XCTAssertThrowsError(try artifact.addDirectory(directory.path, as: "../x"))
        XCTAssertEqual(artifact.entries.count, 0)
        try artifact.addFile(try model(directory), as: "x")
        XCTAssertThrowsError(try artifact.addFile(try directory.write("other", to: "y"), as: "x"))
        XCTAssertEqual(Artifact.safeName("plain-1.x"), "plain-1.x")
        XCTAssertTrue(Artifact.safeName("run-1-a/b").hasPrefix("run-1-ab-"))
    }

    private func settings(_ server: RecordingServer, _ directory: Temporary) throws -> Settings {
        var settings = Settings()
        settings.baseURL = server.url
        settings.apiKey = try APIKey(String(repeating: "k", count: 40), source: "test")
        settings.rootDirectory = directory.path
        settings.project = "demo"
        settings.runID = "run1"
        settings.silent = true
        settings.retryScale = 0.01
        settings.fileStreamInterval = 0.05
        settings.cacheDirectory = "\(directory.path)/cache"
        settings.artifactDirectory = "\(directory.path)/artifacts"
        return settings
    }

    func testLogUseAndDownload() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        server.inject(.status(503), times: 1) { $0.path.hasPrefix("/storage/") && $0.method == "PUT" }
        let run = try Run.start(RunOptions(), settings: try settings(server, directory))
        let artifact = try Artifact("weights", type: "model", description: "words", metadata: ["acc": 0.95])
        let path = try model(directory)
        try artifact.addFile(path)
        _ = try directory.write("two", to: "more/b/two.txt")
        try artifact.addDirectory("\(directory.path)/more", as: "sub")
        try run.log(artifact, aliases: ["best"])
        // What is logged is what the files were: later changes do not matter.
        try Data([1]).write(to: URL(fileURLWithPath: path))
        try run.wait(for: artifact, seconds: 20)
        let stored = try XCTUnwrap(server.state.withLock { $0.artifacts.values.first { $0.name == "weights" } })
        XCTAssertTrue(stored.committed)
        XCTAssertEqual(stored.aliases, ["best", "latest"])
        XCTAssertEqual(stored.metadata, #"{"acc":0.95}"#)
        XCTAssertEqual(stored.digest, artifact.digest)
        XCTAssertEqual(server.files()["\(stored.id)/model.bin"]?.count, 64)
        let manifest = try JSONReader.value(try XCTUnwrap(server.files()["manifest-\(stored.id)"]))
        XCTAssertEqual(
            manifest["contents"]?["model.bin"],
            ["digest": "stP1a8GX/ZhdWWUHm15xSA==", "size": 64, "birthArtifactID": .string(stored.id)])
        XCTAssertNotNil(manifest["contents"]?["sub/b/two.txt"])
        XCTAssertNil(String(decoding: server.files()["manifest-\(stored.id)"] ?? [], as: UTF8.self).range(of: directory.path))

        // The same content again sends nothing (the run's own files come when they come).
        let before = server.requests.filter { $0.method == "PUT" && !$0.path.hasPrefix("/storage/wandb") }.map(\.path)
        let same = try Artifact("weights", type: "model")
        for entry in artifact.entries {
            if entry.path == "model.bin" {
                try same.addFile("\(directory.path)/m2", as: entry.path) { try Data((0..<64).map { UInt8($0) }).write(to: URL(fileURLWithPath: $0)) }
            } else {
                try same.addFile("\(directory.path)/more/b/two.txt", as: entry.path)
            }
        }
        try run.log(same)
        try run.wait(for: same, seconds: 20)
        XCTAssertEqual(server.requests.filter { $0.method == "PUT" && !$0.path.hasPrefix("/storage/wandb") }.map(\.path), before)

        let used = try run.use("weights:best")
        XCTAssertEqual(used.name, "weights:v0")
        XCTAssertEqual(used.metadata, ["acc": 0.95])
        let target = try used.download()
        XCTAssertEqual(target, "\(directory.path)/artifacts/weights:v0")
        XCTAssertEqual(try Data(contentsOf: URL(fileURLWithPath: "\(target)/model.bin")).count, 64)
        XCTAssertEqual(try String(contentsOfFile: "\(target)/sub/b/two.txt", encoding: .utf8), "two")
        // A second download takes the files from the cache.
        let gets = server.requests.filter { $0.method == "GET" }.count
        _ = try used.download(to: "\(directory.path)/again")
        XCTAssertEqual(server.requests.filter { $0.method == "GET" }.count, gets + 1, "only the manifest")
        // A file that is not what its digest says is refused.
        try FileManager.default.removeItem(atPath: "\(directory.path)/cache")
        server.state.withLock { $0.uploads["\(stored.id)/model.bin"] = [1, 2, 3] }
        XCTAssertThrowsError(try used.download(to: "\(directory.path)/third")) {
            XCTAssertTrue("\($0)".contains("digest"), "\($0)")
        }
        XCTAssertThrowsError(try run.use("nothing:latest"))
        run.finish()
        XCTAssertEqual(server.state.withLock { $0.usedArtifacts }, [stored.id])
        XCTAssertFalse(FileManager.default.fileExists(atPath: try XCTUnwrap(run.path) + "/artifacts"))
    }

    /// A server that names files outside of the artifact's folder gets nothing written, not even what is sound beside them.
    func testPathsThatLeadOutAreRefused() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let run = try Run.start(RunOptions(), settings: try settings(server, directory))
        let artifact = try Artifact("weights", type: "model")
        try artifact.addFile(try model(directory))
        try run.log(artifact)
        try run.wait(for: artifact, seconds: 20)
        let id = try XCTUnwrap(server.state.withLock { $0.artifacts.values.first { $0.name == "weights" }?.id })
        let used = try run.use("weights:latest")
        let digest = try XCTUnwrap(artifact.entries.first?.digest)
        let absolute = "\(directory.path)/absolute.bin"
        for hostile in ["../outside.bin", "sub/../../outside.bin", "..", "", "sub//x", absolute] {
            let text = #"{"version":1,"contents":{"model.bin":{"digest":"\#(digest)","size":64},"\#(hostile)":{"digest":"\#(digest)","size":64}}}"#
            server.state.withLock {
                $0.uploads["manifest-\(id)"] = Array(text.utf8)
                $0.uploads["\(id)/\(hostile)"] = (0..<64).map { UInt8($0) }
            }
            XCTAssertThrowsError(try used.download(to: "\(directory.path)/inner/target"), hostile) {
                XCTAssertTrue("\($0)".contains("holds the path '\(hostile)', which leads out of it"), "\($0)")
            }
        }
        for path in ["inner", "outside.bin", "absolute.bin"] {
            XCTAssertFalse(FileManager.default.fileExists(atPath: "\(directory.path)/\(path)"), path)
        }
        run.finish()
    }

    func testSavedFilesAndCodeArrive() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let run = try Run.start(RunOptions(), settings: try settings(server, directory))
        let note = try directory.write("hello", to: "out/a/note.txt")
        XCTAssertEqual(try run.save("\(directory.path)/out/a/*.txt", base: "\(directory.path)/out"), ["a/note.txt"])
        try run.saveCode([try directory.write("print(1)", to: "train.lua")])
        Thread.sleep(forTimeInterval: 0.05)
        try "changed".write(toFile: note, atomically: false, encoding: .utf8)
        run.finish()
        XCTAssertEqual(server.files()["a/note.txt"].map { String(decoding: $0, as: UTF8.self) }, "changed")
        XCTAssertEqual(server.files().filter { $0.key.hasPrefix("code/") && $0.key.hasSuffix("train.lua") }.count, 1)
    }
}

extension Artifact {
    /// Makes the file first.
    fileprivate func addFile(_ path: String, as name: String, _ make: (String) throws -> Void) throws {
        try make(path)
        try addFile(path, as: name)
    }
}
