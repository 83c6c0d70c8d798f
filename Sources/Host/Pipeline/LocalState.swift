#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import Wandb

/// What the local runner remembers between jobs, in one folder: commits of repos, the last good job of each pipeline and
/// its datums' outputs, each pipeline's `/tmp`.
struct LocalState {
    let folder: String

    /// A datum of the last good job, for skipping.
    struct Done {
        let id: String
        let hash: String
        let files: [String]
    }

    struct Job {
        var id: String
        var datums: [Done]
    }

    func pipelineFolder(_ name: String) -> String { "\(folder)/pipelines/\(name)" }
    func outputFolder(_ name: String) -> String { pipelineFolder(name) + "/out" }
    /// A datum's own output; the next job of the pipeline takes it over when nothing changed.
    func datumFolder(_ name: String, _ hash: String) -> String { pipelineFolder(name) + "/datums/" + hash }
    func temporaryFolder(_ name: String) -> String { pipelineFolder(name) + "/tmp" }
    var workFolder: String { folder + "/work" }

    /// The commit of a repo's present content: the one it had before if nothing changed, else `fresh`.
    func commit(of repo: String, _ files: [LocalRepo.File], fresh: String) throws -> String {
        let print = LocalRepo.fingerprint(files)
        let path = "\(folder)/repos/\(repo).json"
        if let known = read(path), known["content"]?.string == print, let commit = known["commit"]?.string { return commit }
        try write([("commit", .string(fresh)), ("content", .string(print))], path)
        return fresh
    }

    func lastJob(_ pipeline: String) -> Job? {
        guard let node = read(pipelineFolder(pipeline) + "/job.json"), let id = node["id"]?.string else { return nil }
        let datums = (node["datums"]?.list ?? []).compactMap { datum -> Done? in
            guard let id = datum["id"]?.string, let hash = datum["hash"]?.string else { return nil }
            return Done(id: id, hash: hash, files: (datum["files"]?.list ?? []).compactMap(\.string))
        }
        return Job(id: id, datums: datums)
    }

    func save(_ job: Job, _ pipeline: String) throws {
        let datums = job.datums.map { done -> WandbValue in
            .map(Self.map([
                ("id", .string(done.id)), ("hash", .string(done.hash)), ("files", .list(done.files.map { .string($0) })),
            ]))
        }
        try write([("id", .string(job.id)), ("datums", .list(datums))], pipelineFolder(pipeline) + "/job.json")
    }

    /// The pipeline's version and spec commit: both change with the spec.
    func version(_ pipeline: String, spec: String) throws -> (number: Int, commit: String) {
        let path = pipelineFolder(pipeline) + "/spec.json"
        let hash = SHA256.hex(Array(spec.utf8))
        let known = read(path)
        let number = known?["version"]?.integer ?? 0
        if let known, known["hash"]?.string == hash, let commit = known["commit"]?.string { return (number, commit) }
        let commit = Hex.randomID()
        try write(
            [("version", .int(Int64(number + 1))), ("hash", .string(hash)), ("commit", .string(commit))], path)
        return (number + 1, commit)
    }

    private func read(_ path: String) -> JSONNode? {
        guard let bytes = try? DiskFile.read(path) else { return nil }
        return try? JSONText.parse(String(decoding: bytes, as: UTF8.self))
    }

    private func write(_ pairs: [(String, WandbValue)], _ path: String) throws {
        if let slash = path.lastIndex(of: "/") { try Folder.makeOrThrow(String(path[..<slash])) }
        try DiskFile.write(Wandb.JSONWriter.bytes(.map(Self.map(pairs))), path)
    }

    private static func map(_ pairs: [(String, WandbValue)]) -> WandbMap {
        var map = WandbMap()
        for (key, value) in pairs { map[key] = value }
        return map
    }
}
