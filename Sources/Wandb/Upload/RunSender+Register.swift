#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

extension RunSender {
    var outputFlags: Int32 { O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC }

    /// Creates the run on the server, or finds it there. A server that does not answer is asked again and again: the
    /// run goes on meanwhile.
    func register() throws(WandbError) -> Registration {
        var former = SyncState.read(directory.syncState)
        var state = former ?? SyncState()
        var earlier = resume
        if run.resume, former == nil, earlier == nil {
            // Resumed while the server could not be asked: steps in the file start at 0.
            earlier = try persist { (client) throws(WandbError) in
                try ResumeStatus.fetch(
                    client, runID: self.directory.runID, project: self.run.project,
                    entity: self.run.entity.isEmpty ? nil : self.run.entity, deadline: .infinity)
            }
            state.startingStep = earlier?.startingStep ?? 0
            state.startingRuntime = earlier?.runtime ?? 0
        }
        if let earlier {
            documents.keepFormer(earlier.config)
            if former == nil {
                state.history = earlier.history
                state.events = earlier.events
                state.console = earlier.console
            }
        }
        let variables = upsertVariables(earlier)
        let answer = try persist { (client) throws(WandbError) in
            try client.graphQL(Queries.upsertBucket, variables, policy: RetryPolicy(.upsertBucket))
        }
        let registration = try Registration(answer, project: run.project, entity: run.entity)
        if former != nil {
            if registration.historyLineCount < state.history {
                // The run was deleted there: everything is new again.
                state.history = 0
                state.events = 0
                state.console = 0
                former = nil
            }
            rowsToSkip = max(0, registration.historyLineCount - state.history)
        } else if earlier == nil {
            state.history = registration.historyLineCount
        }
        try state.write(directory.syncState)
        startStream(state, summary: earlier?.summary ?? WandbMap())
        return registration
    }

    /// Tries until the server answers; throws when it refuses or when there is no more time.
    private func persist<Answer>(_ attempt: (ServerClient) throws(WandbError) -> Answer) throws(WandbError) -> Answer {
        client.onRetry = { [status] response, _ in
            status.update { if case .connecting = $0.phase { $0.phase = .waiting(response.message) } }
        }
        while true {
            do throws(WandbError) {
                return try attempt(client)
            } catch {
                if status.read(\.stop) { throw error }
                guard Self.isWorthWaiting(error), case .live = source else { throw error }
                status.update { if case .connecting = $0.phase { $0.phase = .waiting("\(error)") } }
                status.wait(RetryPolicy.longestWait * settings.retryScale) { $0.stop }
            }
        }
    }

    private static func isWorthWaiting(_ error: WandbError) -> Bool {
        switch error.kind {
        case .unreachable, .format: true
        case .refused(let status): status == 429 || status >= 500
        case .usage, .file: false
        }
    }

    private func upsertVariables(_ earlier: ResumeStatus?) -> WandbMap {
        func text(_ value: String) -> WandbValue { value.isEmpty ? .null : .string(value) }
        let tags = run.tags.isEmpty ? earlier?.tags ?? [] : run.tags
        let notes = run.notes.isEmpty ? earlier?.notes ?? "" : run.notes
        return [
            "id": text(earlier?.storageID ?? ""), "name": .string(directory.runID), "project": .string(run.project),
            "entity": text(run.entity), "groupName": text(run.runGroup), "description": .null,
            "displayName": text(run.displayName), "notes": text(notes), "commit": text(run.git.commit),
            "config": .string(JSONWriter.text(.map(documents.wrappedConfig))), "host": text(run.host), "debug": .null,
            "program": text(settings.program ?? ""), "repo": text(run.git.remoteURL), "jobType": text(run.jobType),
            "state": .null, "sweep": text(run.sweepID),
            "tags": tags.isEmpty ? .null : .list(tags.map { .string($0) }), "summaryMetrics": .null,
        ]
    }

    /// A later run record: what it names has changed.
    func update(_ record: WBRunRecord) throws(WandbError) {
        guard let registration else { return }
        func text(_ value: String) -> WandbValue { value.isEmpty ? .null : .string(value) }
        documents.apply(record.config)
        _ = try? client.graphQL(
            Queries.upsertBucket,
            [
                "name": .string(directory.runID), "project": .string(registration.project),
                "entity": .string(registration.entity), "displayName": text(record.displayName),
                "notes": text(record.notes), "groupName": text(record.runGroup), "jobType": text(record.jobType),
                "tags": record.tags.isEmpty ? .null : .list(record.tags.map { .string($0) }),
                "config": .string(JSONWriter.text(.map(documents.wrappedConfig))),
            ], policy: RetryPolicy(.upsertBucket))
    }
}
