/// One input's part of a datum.
struct DatumInput {
    let name: String
    let repo: String
    let branch: String
    let commit: String
    /// What the glob matched, from '/'.
    let path: String
    let files: [LocalRepo.File]
    var joinOn: String?
    var groupBy: String?
    var emptyFiles = false
    /// A change of a reference input alone does not make the datum a new one.
    var reference = false
}

/// The unit of work: what one start of the program sees.
struct Datum {
    var inputs: [DatumInput]

    /// Pachyderm's id: over names, repos, branches and paths, not over commits or contents.
    var id: String {
        var message: [UInt8] = []
        for input in inputs {
            for text in [input.name, input.repo, input.branch, input.path] {
                message += Array(text.utf8)
                withUnsafeBytes(of: UInt64(text.utf8.count).bigEndian) { message += $0 }
            }
        }
        return BLAKE2b256.hex(message)
    }

    /// Changes with the content: equal hashes make a datum that need not run again.
    var hash: String {
        var text = id + "\n"
        for input in inputs where !input.reference {
            for file in input.files { text += "\(input.name)\(file.path) \(file.hash)\n" }
        }
        return SHA256.hex(Array(text.utf8))
    }

    var label: String { inputs.map { "\($0.name)@\($0.path)" }.joined(separator: " ") }
}

/// Splits the input of a spec into datums.
struct DatumSplitter {
    /// A repo by name and branch.
    let repo: (String, String) throws -> LocalRepo

    func datums(_ input: JSONNode) throws -> [Datum] {
        if let pfs = input["pfs"] { return try self.pfs(pfs).map { Datum(inputs: [$0]) } }
        if let cross = input["cross"]?.list {
            return try cross.reduce([Datum(inputs: [])]) { datums, inner in
                let others = try self.datums(inner)
                return datums.flatMap { datum in others.map { Datum(inputs: datum.inputs + $0.inputs) } }
            }
        }
        if let union = input["union"]?.list { return try union.flatMap(datums) }
        if let join = input["join"]?.list { return try self.join(join) }
        if let group = input["group"]?.list { return try self.group(group) }
        if let cron = input["cron"] {
            let name = cron["name"]?.string ?? "cron"
            let repo = try repo(cron["repo"]?.string ?? name, "master")
            return repo.files.map { file in
                Datum(inputs: [
                    DatumInput(name: name, repo: repo.name, branch: "master", commit: repo.commit, path: file.path, files: [file])
                ])
            }
        }
        throw PipelineFailure("input: no kind that can be split into datums")
    }

    private func pfs(_ node: JSONNode) throws -> [DatumInput] {
        if node["s3"]?.bool == true { throw PipelineFailure("an s3 input needs Pachyderm's gateway; it cannot run here") }
        let repoName = node["repo"]?.string ?? ""
        let branch = node["branch"]?.string ?? "master"
        let repo = try repo(repoName, branch)
        let glob: Glob
        do { glob = try Glob(node["glob"]?.string ?? "/") } catch { throw PipelineFailure("glob: \(error.message)") }
        return repo.matches(glob).map { path, captures in
            var input = DatumInput(
                name: node["name"]?.string ?? repoName, repo: repoName, branch: branch, commit: repo.commit, path: path,
                files: repo.files(under: path))
            input.joinOn = node["join_on"]?.string.map { Glob.expand($0, captures) }
            input.groupBy = node["group_by"]?.string.map { Glob.expand($0, captures) }
            input.emptyFiles = node["empty_files"]?.bool ?? false
            input.reference = node["reference"]?.bool ?? false
            return input
        }
    }

    private func join(_ nodes: [JSONNode]) throws -> [Datum] {
        let sides = try nodes.map { try pfs(member($0, "join")) }
        let outer = nodes.map { $0["pfs"]?["outer_join"]?.bool ?? false }
        let keys = Set(sides.joined().map { $0.joinOn ?? "" }).sorted()
        return keys.flatMap { key -> [Datum] in
            let matching = sides.map { side in side.filter { $0.joinOn == key } }
            let complete = matching.allSatisfy { !$0.isEmpty }
            let taken = matching.enumerated().filter { complete || (outer[$0.offset] && !$0.element.isEmpty) }.map(\.element)
            guard !taken.isEmpty else { return [] }
            return taken.reduce([Datum(inputs: [])]) { datums, side in
                datums.flatMap { datum in side.map { Datum(inputs: datum.inputs + [$0]) } }
            }
        }
    }

    private func group(_ nodes: [JSONNode]) throws -> [Datum] {
        let all = try nodes.flatMap { try pfs(member($0, "group")) }
        let keys = Set(all.map { $0.groupBy ?? "" }).sorted()
        return keys.map { key in Datum(inputs: all.filter { $0.groupBy == key }) }
    }

    private func member(_ node: JSONNode, _ kind: String) throws -> JSONNode {
        guard let pfs = node["pfs"] else { throw PipelineFailure("a \(kind) of anything but pfs inputs cannot run here") }
        return pfs
    }
}
