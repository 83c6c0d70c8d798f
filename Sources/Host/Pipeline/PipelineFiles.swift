/// The files named on the command line: specs, secrets, and what is wrong with them.
struct PipelineFiles {
    struct Spec {
        let file: String
        let name: String
        let node: JSONNode
    }

    private(set) var specs: [Spec] = []
    private(set) var secrets: [SecretFile] = []
    private(set) var problems: [SpecProblem] = []

    var hasErrors: Bool { problems.contains { $0.severity == .error } }

    /// In the order in which people read the files.
    var sortedProblems: [SpecProblem] {
        problems.sorted { ($0.file, $0.position) < ($1.file, $1.position) }
    }

    /// - Parameter arguments: values for the parameters of jsonnet files.
    init(_ paths: [String], arguments: [String] = []) {
        var parsed: [(path: String, node: JSONNode)] = []
        for path in paths {
            var findings = SpecFindings(file: path)
            do {
                parsed.append((path, try JSONText.parse(try Self.text(path, arguments))))
            } catch let problem as JSONProblem {
                findings.error(problem.position, problem.message)
            } catch {
                findings.error(TextPosition(line: 1, column: 1), "\(error)")
            }
            problems += findings.problems
        }
        for (path, node) in parsed where SecretFile.isSecret(node) {
            var findings = SpecFindings(file: path)
            if let secret = SecretFile.read(node, path: path, &findings) { secrets.append(secret) }
            problems += findings.problems
        }
        var names: [String: String] = [:]
        for (path, node) in parsed where !SecretFile.isSecret(node) {
            var findings = SpecFindings(file: path)
            // A file may hold one spec or a list of them.
            for spec in node.list ?? [node] {
                SpecCheck.check(spec, secrets: parsed.contains { SecretFile.isSecret($0.node) } ? secrets : nil, &findings)
                guard let name = spec["pipeline"]?["name"]?.string else { continue }
                if let other = names[name] {
                    findings.error(spec.position, "pipeline.name: '\(name)' is also the pipeline of \(other)")
                }
                names[name] = path
                specs.append(Spec(file: path, name: name, node: spec))
            }
            problems += findings.problems
        }
    }

    private static func text(_ path: String, _ arguments: [String]) throws -> String {
        if path.hasSuffix(".jsonnet") { return try Jsonnet.render(path, arguments) }
        guard FileKind.at(path) == .file else {
            throw PipelineFailure(FileKind.exists(path) ? "not a file" : "no such file")
        }
        let bytes = try DiskFile.read(path)
        guard let text = String(validating: bytes, as: UTF8.self) else { throw PipelineFailure("not UTF-8 text") }
        if path.hasSuffix(".yaml") || path.hasSuffix(".yml") {
            throw PipelineFailure("this is YAML; only JSON and jsonnet can be checked here")
        }
        return text
    }
}

/// A job or command that cannot go on; the text is for people.
struct PipelineFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// jsonnet files are rendered by the `jsonnet` program, as Pachyderm's server does it.
enum Jsonnet {
    static func render(_ path: String, _ arguments: [String]) throws -> String {
        var words = ["jsonnet"]
        for argument in arguments { words += ["--tla-str", argument] }
        let result = try ChildProcess.output(words + [path])
        guard result.status != 127 else {
            throw PipelineFailure("a jsonnet file needs the program `jsonnet` (Debian: apt-get install jsonnet)")
        }
        guard result.status == 0 else {
            throw PipelineFailure("jsonnet failed; parameters of the file are given as --arg name=value")
        }
        return result.output
    }
}
