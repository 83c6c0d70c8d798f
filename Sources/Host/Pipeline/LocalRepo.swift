/// The content of a repo at one commit: a folder on this machine.
struct LocalRepo {
    struct File {
        /// From '/', as in the repo.
        let path: String
        let source: String
        let hash: String
    }

    let name: String
    let commit: String
    let files: [File]

    /// All files below a folder, sorted by path. Links are followed; names with a leading dot are left out.
    static func files(in folder: String) throws -> [File] {
        guard FileKind.at(folder) == .folder else { throw PipelineFailure("\(folder) is no folder") }
        var found: [File] = []
        func walk(_ path: String) throws {
            guard let names = Folder.names(folder + path) else { throw FileError("cannot read", folder + path) }
            for name in names where !name.hasPrefix(".") {
                let inner = "\(path)/\(name)"
                switch FileKind.at(folder + inner) {
                case .folder: try walk(inner)
                case .file:
                    let source = folder + inner
                    found.append(File(path: inner, source: source, hash: try DiskFile.sha256(source)))
                default: continue
                }
            }
        }
        try walk("")
        return found.sorted { $0.path < $1.path }
    }

    /// Changes when any path or content does.
    static func fingerprint(_ files: [File]) -> String {
        SHA256.hex(Array(files.map { "\($0.path)\n\($0.hash)\n" }.joined().utf8))
    }

    /// The files and folders that a glob matches, with what it captures.
    func matches(_ glob: Glob) -> [(path: String, captures: [String])] {
        if glob.text == "/" { return files.isEmpty ? [] : [("/", [])] }
        var paths = Set(files.map(\.path))
        for file in files {
            var folder = file.path[...]
            while let slash = folder.lastIndex(of: "/"), slash != folder.startIndex {
                folder = folder[..<slash]
                paths.insert(String(folder))
            }
        }
        return paths.sorted().compactMap { path in glob.match(path).map { (path, $0) } }
    }

    func files(under path: String) -> [File] {
        path == "/" ? files : files.filter { $0.path == path || $0.path.hasPrefix(path + "/") }
    }
}
