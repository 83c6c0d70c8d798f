#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension Run {
    /// Logs a version of an artifact: it is sent in the background, or by `host sync`. The files are kept as they
    /// are now, whatever happens to them later.
    public func log(_ artifact: Artifact, aliases: [String] = []) throws(WandbError) {
        for alias in aliases { try Artifact.check(alias: alias) }
        guard mode != .disabled else { return }
        var all = aliases
        if !all.contains("latest") { all.append("latest") }
        try state.withLock { (state) throws(WandbError) in
            guard !state.finished else { throw .usage("run:log_artifact: run \(id) has finished") }
            try write(artifact, aliases: all, userCreated: false, state: &state)
        }
        upload?.wake()
    }

    /// Files up to this many bytes are copied; larger ones are linked, which protects against replacing them but not
    /// against writing into them.
    private static let mostCopied: Int64 = 256 << 20

    func write(_ artifact: Artifact, aliases: [String], userCreated: Bool, state: inout RunState) throws(WandbError) {
        guard let directory else { return }
        var record = WBArtifactRecord()
        record.runID = id
        record.project = project
        record.entity = settings.entity ?? ""
        record.type = artifact.type
        record.name = artifact.name
        record.digest = artifact.digest
        record.description_p = redactor.redact(artifact.description)
        if !artifact.metadata.isEmpty { record.metadata = JSONWriter.text(.map(redactor.redact(artifact.metadata))) }
        record.userCreated = userCreated
        record.aliases = aliases
        record.finalize = true
        record.clientID = artifact.clientID
        record.sequenceClientID = artifact.sequenceClientID
        record.digestAlgorithm = "MANIFEST_MD5"
        record.manifest.version = 1
        record.manifest.storagePolicy = "wandb-storage-policy-v1"
        var layout = WBStoragePolicyConfigItem()
        layout.key = "storageLayout"
        layout.valueJson = "\"V2\""
        record.manifest.storagePolicyConfig = [layout]
        for entry in artifact.entries {
            var item = WBArtifactManifestEntry()
            item.path = entry.path
            item.digest = entry.digest
            item.size = entry.size
            item.ref = entry.reference ?? ""
            if let source = entry.source { item.localPath = try keep(source, entry, in: directory) }
            record.manifest.contents.append(item)
        }
        state.append(field: RecordField.artifact, record)
    }

    private func keep(_ source: Artifact.Entry.Source, _ entry: Artifact.Entry, in directory: RunDirectory)
        throws(WandbError) -> String
    {
        let staging = "\(directory.path)/artifacts"
        try Files.makeDirectories(staging)
        let name = Base64.decode(entry.digest).map { Digest.hex($0) } ?? RunDirectory.randomID(32)
        let kept = "\(staging)/\(name)"
        if Files.size(kept) == entry.size { return kept }
        switch source {
        case .bytes(let bytes): try Files.write(bytes, to: kept)
        case .file(let path):
            if entry.size > Self.mostCopied, link(path, kept) == 0 { return kept }
            try Files.copy(path, to: kept)
        }
        return kept
    }

    /// Waits until an artifact of this run is on the server. Throws when its upload failed.
    public func wait(for artifact: Artifact, seconds: Double) throws(WandbError) {
        guard let upload else { return }
        func outcome(_ value: UploadStatus) -> ArtifactOutcome? {
            value.artifactsSent.first { $0.clientID == artifact.clientID }
        }
        upload.wake()
        guard upload.status.wait(seconds, until: { outcome($0) != nil || $0.finished }),
            let result = upload.status.read(outcome)
        else { throw WandbError(.unreachable, "artifact '\(artifact.name)' is not on the server after \(seconds) s") }
        if let error = result.error { throw WandbError(.unreachable, "artifact '\(artifact.name)': \(error)") }
    }

    // MARK: Files

    public enum SavePolicy: String, Sendable { case now, end, live }

    /// Makes files part of the run, under their paths below `base` (by default the folder of the pattern). The
    /// names that they have got.
    public func save(_ pattern: String, base: String? = nil, policy: SavePolicy = .live) throws(WandbError) -> [String] {
        guard let directory, mode != .disabled else { return [] }
        var matches = glob_t()
        defer { globfree(&matches) }
        guard glob(pattern, 0, nil, &matches) == 0 else { return [] }
        let root = Files.absolute(base ?? Files.directory(of: pattern))
        var names: [String] = []
        for index in 0..<Int(matches.gl_pathc) {
            guard let pointer = matches.gl_pathv[index] else { continue }
            let path = String(cString: pointer)
            guard Files.size(path) != nil else { continue }
            let absolute = Files.absolute(path)
            let prefix = root.hasSuffix("/.") ? String(root.dropLast(1)) : root + "/"
            let name = absolute.hasPrefix(prefix) ? String(absolute.dropFirst(prefix.count)) : Files.name(of: path)
            guard !name.split(separator: "/").contains("..") else {
                throw .usage("run:save: '\(path)' does not lie below '\(root)'")
            }
            let target = "\(directory.files)/\(name)"
            try Files.makeDirectories(Files.directory(of: target))
            // A file already in the run's directory is itself.
            if absolute != target {
                unlink(target)
                if policy == .now || symlink(absolute, target) != 0 { try Files.copy(path, to: target) }
            }
            names.append(name)
        }
        guard !names.isEmpty else { return [] }
        var record = WBFilesRecord()
        record.files = names.map { name in
            var item = WBFilesItem()
            item.path = name
            item.policy = policy == .now ? .now : policy == .end ? .end : .live
            return item
        }
        state.withLock { if !$0.finished { $0.append(field: RecordField.files, record) } }
        upload?.wake()
        return names
    }
}
