#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Runs the program of a pipeline on datums, as Pachyderm's worker does: a fresh layout for each try, an environment of
/// its own, SIGKILL on timeout, up to `datum_tries` tries.
struct DatumWorker {
    enum Outcome {
        case success(files: [String])
        case recovered
        case failed
    }

    let spec: JSONNode
    let pipeline: String
    let job: String
    let version: Int
    let specCommit: String
    let options: LocalOptions
    let state: LocalState
    private let project: String
    private let pod: String

    init(spec: JSONNode, pipeline: String, job: String, version: Int, specCommit: String, options: LocalOptions, state: LocalState) {
        (self.spec, self.pipeline, self.job, self.version) = (spec, pipeline, job, version)
        (self.specCommit, self.options, self.state) = (specCommit, options, state)
        project = spec["pipeline"]?["project"]?["name"]?.string ?? "default"
        pod = Self.podName(project, pipeline, version)
        for secret in spec["transform"]?["secrets"]?.list ?? [] where secret["mount_path"] != nil {
            say("secret '\(secret["name"]?.string ?? "")': mount_path is not laid out here; only env_var is")
        }
    }

    func process(_ datum: Datum) throws -> Outcome {
        let id = datum.id
        let tries = spec["datum_tries"]?.integer.flatMap { $0 > 0 ? $0 : nil } ?? 3
        var recovered = false
        for number in 1...tries {
            let layout = try Layout(datum, state: state, usesRoot: options.usesRoot)
            defer { layout.remove() }
            let environment = try environment(datum, layout)
            let end = try start("cmd", "stdin", layout, environment)
            if isSuccess(end) {
                do {
                    let target = state.datumFolder(pipeline, datum.hash)
                    try Folder.remove(target)
                    let files = try JobOutput.collect(layout.outputFolder, into: target)
                    say("datum \(id.prefix(12)) (\(datum.label)): success on try \(number), \(files.count) files")
                    return .success(files: files)
                } catch let poison as JobOutput.Poison {
                    say("datum \(id.prefix(12)): \(poison); Pachyderm would restart this job for ever")
                    return .failed
                }
            }
            say("datum \(id.prefix(12)) (\(datum.label)): try \(number) of \(tries) failed: \(end.text)")
            if spec["transform"]?["err_cmd"]?.list?.isEmpty == false, end != .timedOut {
                recovered = isSuccess(try start("err_cmd", "err_stdin", layout, environment))
            }
        }
        if recovered { say("datum \(id.prefix(12)): recovered by err_cmd; it has no output") }
        return recovered ? .recovered : .failed
    }

    private func isSuccess(_ end: ChildProcess.End) -> Bool {
        guard case .exited(let status) = end else { return false }
        let accepted = spec["transform"]?["accept_return_code"]?.list?.compactMap(\.integer) ?? []
        return status == 0 || accepted.contains(Int(status))
    }

    private func start(
        _ command: String, _ input: String, _ layout: Layout, _ environment: [String: String]
    ) throws -> ChildProcess.End {
        let transform = spec["transform"]
        let words = (transform?[command]?.list ?? []).compactMap(\.string)
        guard !words.isEmpty else { return .notFound }
        let lines = (transform?[input]?.list ?? []).compactMap(\.string)
        return try ChildProcess.run(
            ChildProcess.Start(
                words: words.map(layout.localPath), environment: environment, folder: options.workingFolder,
                input: lines.isEmpty ? "" : layout.localText(lines.joined(separator: "\n") + "\n"),
                timeout: spec["datum_timeout"]?.string.flatMap(Duration.seconds)))
    }

    /// The variables of a datum; nothing of this process's own environment gets through.
    private func environment(_ datum: Datum, _ layout: Layout) throws -> [String: String] {
        var variables: [String: String] = [:]
        for member in spec["transform"]?["env"]?.members ?? [] { variables[member.key] = member.value.string }
        secrets(into: &variables)
        let home = state.pipelineFolder(pipeline) + "/home", temporary = state.temporaryFolder(pipeline)
        try Folder.makeOrThrow(home)
        try Folder.makeOrThrow(temporary)
        variables.merge(
            [
                "PPS_PIPELINE_NAME": pipeline, "PPS_PROJECT_NAME": project, "PPS_SPEC_COMMIT": specCommit, "PPS_POD_NAME": pod,
                "PACH_IN_WORKER": "true", "PACH_ROOT": "/pach", "PACH_NAMESPACE": "default", "PPS_WORKER_GRPC_PORT": "1080",
                "HOSTNAME": pod, "HOME": try absolute(home), "TMPDIR": try absolute(temporary),
                "PATH": "\(try programFolder()):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                "PACH_JOB_ID": job, "PACH_OUTPUT_COMMIT_ID": job, "PACH_DATUM_ID": datum.id,
            ], uniquingKeysWith: { _, worker in worker })
        if layout.isMoved { variables["PFS_ROOT"] = layout.root }
        for input in datum.inputs {
            variables[input.name] = layout.root + "/" + input.name + (input.path == "/" ? "" : input.path)
            variables[input.name + "_COMMIT"] = input.commit
            if let value = input.joinOn { variables["PACH_DATUM_\(input.name)_JOIN_ON"] = value }
            if let value = input.groupBy { variables["PACH_DATUM_\(input.name)_GROUP_BY"] = value }
        }
        variables.merge(options.environment, uniquingKeysWith: { _, given in given })
        return variables
    }

    /// Secrets come from the files given; one that still holds the template's place holder is left out.
    private func secrets(into variables: inout [String: String]) {
        for secret in spec["transform"]?["secrets"]?.list ?? [] {
            guard let name = secret["name"]?.string, let key = secret["key"]?.string, let variable = secret["env_var"]?.string else { continue }
            guard let value = options.secrets.first(where: { $0.name == name })?.values[key] else { continue }
            if !SecretFile.isPlaceholder(value) { variables[variable] = value }
        }
    }

    private static func podName(_ project: String, _ pipeline: String, _ version: Int) -> String {
        let stem = "\(project)-\(pipeline)-v\(version)-".lowercased().replacing("_", with: "-")
        // Kubernetes keeps the first 58 characters and adds five of its own.
        return String(stem.prefix(58)) + String((0..<5).map { _ in "bcdfghjklmnpqrstvwxz2456789".randomElement() ?? "x" })
    }

    private func programFolder() throws -> String {
        #if os(Linux)
        var buffer = [CChar](repeating: 0, count: 4096)
        if readlink("/proc/self/exe", &buffer, buffer.count - 1) > 0 {
            let path = buffer.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
            if let slash = path.lastIndex(of: "/") { return String(path[..<slash]) }
        }
        #endif
        let path = try absolute(CommandLine.arguments[0])
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }
}

/// A path from '/', with links resolved.
func absolute(_ path: String) throws -> String {
    guard let real = realpath(path, nil) else { throw FileError("cannot find", path) }
    defer { free(real) }
    return String(cString: real)
}
