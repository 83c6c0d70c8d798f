/// How a run ends, and what is told beside the stream.
extension RunSender {
    /// A run whose process ended without a word: its open row, and a summary that its last rows are part of.
    func recoverTail() {
        if let bytes = Files.read(directory.openRow), let body = LogFormat.openRow(in: bytes),
            let row = try? WBHistoryRecord(serializedBytes: body), isMissing(row)
        {
            applyHistory(row)
        }
        for (path, json) in sinceSummary {
            guard let value = try? JSONReader.value(json), value != .null else { continue }
            // Aggregates are maps: the last value alone would be wrong there.
            if summary[path]?.mapValue == nil { summary[path] = value }
        }
        summaryIsDirty = summaryIsDirty || !sinceSummary.isEmpty
    }

    func finish() -> Bool {
        fileConsole(isFinal: true)
        try? Files.write(JSONWriter.text(.map(summary)), to: "\(directory.files)/wandb-summary.json")
        try? writeMetadata()
        if configIsDirty { sendConfig() }
        try? Files.write(YAMLWriter.text(documents.wrappedConfig), to: "\(directory.files)/config.yaml")
        status.update { value in
            value.files += value.filesAtEnd + value.liveFiles
            if settings.isPrimary { value.files += ["wandb-metadata.json", "wandb-summary.json", "config.yaml"] }
            value.files.append("output.log")
            value.drains = true
        }
        while !status.read(\.stop) {
            takeUploaded()
            let isDrained = status.read(\.drained)
            if isDrained { takeUploaded() }
            let isLast = isDrained && !stream.isFull && !stream.console.hasChanges
            if streamIsDead {
                if isDrained { return false }
            } else if isLast {
                // One request carries what is left; long consoles with gaps need more than one.
                let ends = marksFinished && settings.updatesFinishState
                while stream.console.hasChanges || stream.waitingBytes > 0, !streamIsDead, !status.read(\.stop) { post() }
                if !streamIsDead { post(exitCode: ends ? exitCode ?? 1 : nil) }
                return !streamIsDead && !status.read(\.stop)
            } else if stream.hasData && (stream.isFull || stream.console.hasChanges || Clock.monotonic() - postedAt > postInterval) {
                post()
                continue
            } else if Clock.monotonic() - postedAt >= 30 {
                post()
            }
            status.wait(1) { $0.stop || $0.drained || !$0.uploaded.isEmpty }
        }
        return false
    }

    func joinUploader() { uploader?.join() }

    func writeMetadata() throws(WandbError) {
        guard let metadata = documents.metadata else { return }
        try Files.write(JSONWriter.text(.map(metadata)), to: "\(directory.files)/wandb-metadata.json")
    }

    func sendConfig() {
        configSentAt = Clock.monotonic()
        guard let registration, settings.isPrimary else { return }
        do {
            _ = try client.graphQL(
                Queries.upsertBucket,
                [
                    "name": .string(directory.runID), "project": .string(registration.project),
                    "entity": .string(registration.entity), "config": .string(JSONWriter.text(.map(documents.wrappedConfig))),
                ], policy: RetryPolicy(.upsertBucket))
            configIsDirty = false
            status.update { $0.progress += 1 }
        } catch {
            if !status.read(\.stop) { notices.warnOnce("config", "cannot update the run's config: \(error)") }
        }
    }

    func sendAlert(_ record: WBAlertRecord) {
        guard let registration else { return }
        do {
            _ = try client.graphQL(
                Queries.alert,
                [
                    "entityName": .string(registration.entity), "projectName": .string(registration.project),
                    "runName": .string(directory.runID), "title": .string(record.title), "text": .string(record.text),
                    "severity": .string(record.level.isEmpty ? "INFO" : record.level),
                    "waitDuration": .int(record.waitDuration),
                ])
        } catch {
            if !status.read(\.stop) { notices.warn("cannot send the alert '\(record.title)': \(error)") }
        }
    }
}
