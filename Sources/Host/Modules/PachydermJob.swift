import LuaBridge

/// What Pachyderm tells a program about the job it runs in, read from environment variables.
///
/// `/pfs` and `/tmp` can be moved with `PFS_ROOT` and `TMPDIR`.
package struct PachydermJob: Sendable {
    package let environment: [String: String]
    /// Folder of inputs and output: `/pfs`, or PFS_ROOT.
    package let root: String

    package init(environment: [String: String]) {
        self.environment = environment
        let moved = environment["PFS_ROOT"] ?? ""
        root = moved.isEmpty ? "/pfs" : Self.withoutTrailingSlash(moved)
    }

    package var jobID: String? { value("PACH_JOB_ID") }
    package var datumID: String? { value("PACH_DATUM_ID") }
    package var outputCommit: String? { value("PACH_OUTPUT_COMMIT_ID") ?? jobID }
    package var pipeline: String? { value("PPS_PIPELINE_NAME") }
    package var project: String? { value("PPS_PROJECT_NAME") }
    package var specCommit: String? { value("PPS_SPEC_COMMIT") }

    /// Whether this process was started by a Pachyderm worker.
    package var isInside: Bool { jobID != nil || pipeline != nil || environment["PACH_IN_WORKER"] == "true" }

    /// The pipeline's version, which no variable holds: it stands in the pod's name, `<project>-<pipeline>-v<N>-<5 characters>`.
    /// Kubernetes shortens long names, so it can be missing.
    package var version: Int? {
        guard let pod = value("PPS_POD_NAME") else { return nil }
        let parts = pod.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 2, let suffix = parts.last, suffix.utf8.count == 5,
            suffix.utf8.allSatisfy({ ($0 >= 0x61 && $0 <= 0x7A) || ($0 >= 0x30 && $0 <= 0x39) })
        else { return nil }
        let version = parts[parts.count - 2]
        guard version.first == "v" else { return nil }
        let digits = version.dropFirst()
        guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int(digits)
    }

    /// A W&B run id: equal for every try, restart and duplicate execution of this datum, different for every job, datum and
    /// pipeline. Job and datum id alone are shared by two pipelines that read the same input.
    package var runID: String? {
        guard let jobID else { return nil }
        var text: [UInt8] = []
        for field in [project ?? "", pipeline ?? "", jobID, datumID ?? ""] {
            text.append(contentsOf: "\(field.utf8.count):\(field)".utf8)
        }
        return String(SHA256.hex(text).prefix(16))
    }

    /// The inputs' names: what has both a path below the root and a commit.
    package var inputs: [String] {
        environment.keys.compactMap { key in
            guard key.hasSuffix("_COMMIT"), isCommit(environment[key] ?? "") else { return nil }
            let name = String(key.dropLast(7))
            return name.isEmpty || value(name) == nil ? nil : name
        }.sorted()
    }

    /// Where this datum's part of an input lies: what the variable of its name says, else the folder of its name.
    package func input(_ name: String) -> String? {
        if let path = value(name), path == "/pfs/\(name)" || path.hasPrefix("/pfs/\(name)/") {
            return root + path.dropFirst(4)
        }
        if let path = value(name), path == "\(root)/\(name)" || path.hasPrefix("\(root)/\(name)/") { return path }
        return FileKind.exists("\(root)/\(name)") ? "\(root)/\(name)" : nil
    }

    package func commit(_ name: String) -> String? { value(name + "_COMMIT") }

    /// Where results go: uploaded by Pachyderm after the program has ended well.
    package var outputFolder: String { isInside ? root + "/out" : "./out" }

    /// A folder that the next try of this datum finds again, as long as it runs on the same pod.
    package var scratchFolder: String {
        guard isInside else { return "./out/scratch" }
        let temporary = value("TMPDIR").map(Self.withoutTrailingSlash) ?? "/tmp"
        return "\(temporary)/host-\(runID ?? "job")"
    }

    /// The values that lead from a run to its data and back. An allow-list: the environment also holds passwords and tokens.
    package var provenance: [(name: String, value: String)] {
        guard isInside else { return [] }
        var known = Self.recorded.compactMap { name in value(name).map { (name, $0) } }
        for input in inputs {
            if let commit = commit(input) { known.append((input + "_COMMIT", commit)) }
            for suffix in ["JOIN_ON", "GROUP_BY"] {
                let name = "PACH_DATUM_\(input)_\(suffix)"
                if let value = value(name) { known.append((name, value)) }
            }
        }
        return known
    }

    private static let recorded = [
        "PACH_JOB_ID", "PACH_DATUM_ID", "PACH_OUTPUT_COMMIT_ID", "PPS_PIPELINE_NAME", "PPS_PROJECT_NAME", "PPS_SPEC_COMMIT",
        "PPS_POD_NAME", "PACH_NAMESPACE",
    ]

    private func value(_ name: String) -> String? {
        guard let value = environment[name], !value.isEmpty else { return nil }
        return value
    }

    private func isCommit(_ text: String) -> Bool {
        text.utf8.count == 32
            && text.utf8.allSatisfy { ($0 >= 0x30 && $0 <= 0x39) || ($0 >= 0x61 && $0 <= 0x66) }
    }

    private static func withoutTrailingSlash(_ path: String) -> String {
        var path = path[...]
        while path.count > 1, path.last == "/" { path.removeLast() }
        return String(path)
    }
}

/// SHA-256 by OpenSSL.
