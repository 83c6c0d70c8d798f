/// A step of another run, as `fork_from` and `resume_from` name it: `<run id>?_step=<n>`.
struct RunMoment {
    let runID: String
    let step: Int64

    init(_ text: String, source: String) throws(WandbError) {
        let parts = text.split(separator: "?", maxSplits: 1).map(String.init)
        guard parts.count == 2, parts[1].hasPrefix("_step="), let step = Int64(parts[1].dropFirst(6)), step >= 0 else {
            throw .usage("wandb: \(source) is '\(text)'; expected <run id>?_step=<number>")
        }
        runID = try Settings.checkedRunID(parts[0], source: source)
        self.step = step
    }
}

extension RunOpening {
    /// Prepares a run that begins at a step of another one, or of its own past. For the latter the server cuts off what
    /// came after the step.
    mutating func branch(mode: RunMode, state: inout RunState) throws(WandbError) -> ResumeStatus? {
        guard settings.forkFrom != nil || settings.resumeFrom != nil else { return nil }
        guard (settings.forkFrom != nil ? 1 : 0) + (settings.resumeFrom != nil ? 1 : 0) + (settings.resume != nil ? 1 : 0) == 1 else {
            throw .usage("wandb.init: only one of resume, fork_from and resume_from may be given")
        }
        if let text = settings.forkFrom {
            let moment = try RunMoment(text, source: "fork_from")
            guard moment.runID != id else { throw .usage("wandb.init: fork_from names the run itself; use resume_from") }
            fork = moment
            startingStep = moment.step + 1
            state.rows.start(at: startingStep)
            return nil
        }
        let moment = try RunMoment(settings.resumeFrom ?? "", source: "resume_from")
        guard moment.runID == id else {
            throw .usage("wandb.init: resume_from names run \(moment.runID), but the run's id is \(id)")
        }
        guard mode != .offline else { throw .usage("wandb.init: resume_from needs the server, and the run is offline") }
        let client = ServerClient(settings: settings, stop: options.isInterrupted)
        let data = try client.graphQL(
            Queries.rewindRun,
            [
                "runName": .string(id), "project": .string(project),
                "entity": settings.entity.map { .string($0) } ?? .null, "metricName": "_step",
                "metricValue": .int(moment.step),
            ], deadline: Clock.monotonic() + settings.initTimeout)
        guard let bucket = data["rewindRun"]?["rewoundRun"], bucket.mapValue != nil else {
            throw .usage("wandb.init: the server cannot take run \(id) back to step \(moment.step)")
        }
        startingStep = moment.step + 1
        isResumed = true
        return ResumeStatus(rewound: bucket, step: moment.step)
    }
}
