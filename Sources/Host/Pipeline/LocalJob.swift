#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// One job of one pipeline on this machine: splits the input into datums, skips what is done, runs and retries the rest,
/// merges the outputs.
struct LocalJob {
    let spec: PipelineFiles.Spec
    let options: LocalOptions
    let state: LocalState
    let id = Hex.randomID()

    init(_ spec: PipelineFiles.Spec, _ options: LocalOptions) {
        self.spec = spec
        self.options = options
        state = LocalState(folder: options.state)
    }

    /// - Returns: whether the job succeeded.
    func run() throws -> Bool {
        for field in ["service", "spout"] where spec.node[field] != nil {
            throw PipelineFailure("pipeline '\(spec.name)': a \(field) runs for ever; it cannot run here")
        }
        guard let input = spec.node["input"] else { throw PipelineFailure("pipeline '\(spec.name)' has no input") }
        let splitter = DatumSplitter { name, _ in try repo(name) }
        let datums = try splitter.datums(input)
        let last = state.lastJob(spec.name)
        let always = options.reprocess || spec.node["reprocess_spec"]?.string == "every_job"
        let (version, specCommit) = try state.version(spec.name, spec: "\(spec.node)")
        let worker = DatumWorker(
            spec: spec.node, pipeline: spec.name, job: id, version: version, specCommit: specCommit, options: options, state: state)
        say("job \(id) of pipeline '\(spec.name)' (version \(version)): \(datums.count) datum\(datums.count == 1 ? "" : "s")")
        if datums.isEmpty { say("no datum: an input is empty, or its glob matches nothing; the job succeeds without running anything") }

        var done: [LocalState.Done] = []
        var counts = (processed: 0, skipped: 0, failed: 0, recovered: 0)
        for datum in datums {
            let id = datum.id, hash = datum.hash
            if !always, let old = last?.datums.first(where: { $0.hash == hash }) {
                counts.skipped += 1
                done.append(old)
                say("datum \(id.prefix(12)) (\(datum.label)): skipped, unchanged since job \(last?.id ?? "")")
                continue
            }
            switch try worker.process(datum) {
            case .success(let files):
                counts.processed += 1
                done.append(LocalState.Done(id: id, hash: hash, files: files))
            case .recovered: counts.recovered += 1
            case .failed: counts.failed += 1
            }
        }
        return try finish(done, counts)
    }

    private func finish(
        _ done: [LocalState.Done], _ counts: (processed: Int, skipped: Int, failed: Int, recovered: Int)
    ) throws -> Bool {
        let numbers = "\(counts.processed) processed, \(counts.skipped) skipped, \(counts.failed) failed, \(counts.recovered) recovered"
        guard counts.failed == 0 else {
            say("job \(id): JOB_FAILURE; \(numbers)")
            return false
        }
        let fresh = state.outputFolder(spec.name) + ".new"
        try Folder.remove(fresh)
        try Folder.makeOrThrow(fresh)
        do {
            try JobOutput.merge(done.map { ($0.id, state.datumFolder(spec.name, $0.hash), $0.files) }, into: fresh)
        } catch let failure as PipelineFailure {
            say("job \(id): JOB_FAILURE; \(failure)")
            return false
        }
        try Folder.remove(state.outputFolder(spec.name))
        guard rename(fresh, state.outputFolder(spec.name)) == 0 else { throw FileError("cannot replace", state.outputFolder(spec.name)) }
        try state.save(LocalState.Job(id: id, datums: done), spec.name)
        // Outputs of datums that are gone or changed.
        let kept = Set(done.map(\.hash)), folder = state.pipelineFolder(spec.name) + "/datums"
        for name in Folder.names(folder) ?? [] where !kept.contains(name) { try Folder.remove("\(folder)/\(name)") }
        _ = try state.commit(of: spec.name, try LocalRepo.files(in: state.outputFolder(spec.name)), fresh: id)
        say("job \(id): JOB_SUCCESS; \(numbers); output: \(state.outputFolder(spec.name))")
        return true
    }

    private func repo(_ name: String) throws -> LocalRepo {
        let output = state.outputFolder(name)
        let folder: String
        if let given = options.repos[name] {
            folder = given
        } else if FileKind.at(output) == .folder {
            folder = output
        } else {
            throw PipelineFailure("no repo '\(name)': give its content as --repo \(name)=DIR, or run the pipeline '\(name)' first")
        }
        guard FileKind.at(folder) == .folder else { throw PipelineFailure("--repo \(name)=\(folder): no such folder") }
        let files = try LocalRepo.files(in: folder)
        return LocalRepo(name: name, commit: try state.commit(of: name, files, fresh: id), files: files)
    }
}

/// A line about the job, on standard error: standard output belongs to the program.
func say(_ line: String) { complain(line, prefix: "host pipeline: ") }
