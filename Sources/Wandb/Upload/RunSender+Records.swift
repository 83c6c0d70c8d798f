/// What each record of the log means for the run on the server.
extension RunSender {
    func apply(_ record: WBRecord.OneOf_RecordType) throws(WandbError) {
        switch record {
        case .run(let record): try applyRun(record)
        case .history(let record): applyHistory(record)
        case .summary(let record): applySummary(record)
        case .config(let record):
            documents.apply(record)
            configIsDirty = true
        case .metric(let record):
            documents.apply(record)
            configIsDirty = true
        case .telemetry(let record):
            documents.apply(record)
            configIsDirty = true
        case .environment(let record):
            documents.apply(record)
            configIsDirty = true
            try? writeMetadata()
            status.update { $0.files.append("wandb-metadata.json") }
        case .outputRaw(let record):
            stream.addConsole(record.line, isError: record.outputType == .stderr, time: record.timestamp)
            fileConsole(isFinal: false)
        case .outputLogger(let record):
            stream.addConsole(record.line, isError: false, time: WBTime(secondsSince1970: Clock.now()))
            fileConsole(isFinal: false)
        case .stats(let record): applyStats(record)
        case .files(let record): applyFiles(record)
        case .artifact(let record): status.update { $0.artifacts.append(record) }
        case .useArtifact(let record): status.update { $0.usedArtifacts.append(record.id) }
        case .alert(let record): sendAlert(record)
        case .preempting: stream.isPreempting = true
        case .exit(let record):
            exitCode = record.exitCode
            marksFinished = !record.notComplete
        case .header, .footer, .final, .output, .tbrecord: break
        }
    }

    func applyRun(_ record: WBRunRecord) throws(WandbError) {
        guard registration == nil else {
            try update(record)
            return
        }
        run = record
        documents.apply(record)
        documents.apply(record.telemetry)
        let registration = try register()
        self.registration = registration
        configSentAt = Clock.monotonic()
        configIsDirty = false
        status.update {
            $0.phase = .registered(registration)
            $0.progress += 1
        }
        startUploader(registration)
        fetchFeatures()
    }

    /// Sets where the file's lines go on the server.
    func startStream(_ state: SyncState, summary former: WandbMap) {
        stream.start(history: state.history + rowsToSkip, events: state.events, console: state.console)
        stepBase = state.startingStep
        lastStep = stepBase - 1
        runtimeBase = state.startingRuntime
        if !former.isEmpty {
            summary = former
            summaryIsDirty = true
        }
    }

    func startUploader(_ registration: Registration) {
        nonisolated(unsafe) let uploader = RunFileUploader(
            settings: settings, registration: registration, runID: directory.runID, files: directory.files,
            status: status, notices: notices, clientID: clientID)
        self.uploader = BackgroundThread { uploader.run() }
    }

    func fetchFeatures() {
        // Any error means that the server has none of them.
        guard let data = try? client.graphQL(Queries.serverFeatures, policy: RetryPolicy(.graphQL, mostRetries: 2))
        else { return }
        for feature in data["serverInfo"]?["features"]?.listValue ?? [] where feature["isEnabled"] == true {
            switch feature["name"]?.stringValue {
            case "STRUCTURED_CONSOLE_LOGS": stream.usesStructuredConsole = true
            case "FILESTREAM_GZIP": serverTakesGzip = true
            default: break
            }
        }
    }

    func applySummary(_ record: WBSummaryRecord) {
        for item in record.update {
            let path = item.nestedKey.isEmpty ? [item.key] : item.nestedKey
            guard var value = try? JSONReader.value(item.valueJson) else { continue }
            if path == ["_step"], let step = value.intValue { value = .int(step + (stepsAreNamed ? 0 : stepBase)) }
            summary[path] = value
        }
        for item in record.remove { summary[item.nestedKey.isEmpty ? [item.key] : item.nestedKey] = nil }
        summaryIsDirty = true
        sinceSummary.removeAll(keepingCapacity: true)
    }

    func applyStats(_ record: WBStatsRecord) {
        var row: WandbMap = ["_wandb": true, "_timestamp": .double(record.timestamp.secondsSince1970)]
        row["_runtime"] = .double(
            record.timestamp.secondsSince1970 - run.startTime.secondsSince1970 + runtimeBase)
        for item in record.item {
            row["system.\(item.key)"] = try? JSONReader.value(item.valueJson)
        }
        stream.add(JSONWriter.bytes(.map(row)), to: .events)
    }

    func applyFiles(_ record: WBFilesRecord) {
        status.update { value in
            for item in record.files {
                switch item.policy {
                case .end: value.filesAtEnd.append(item.path)
                case .live:
                    value.liveFiles.append(item.path)
                    value.files.append(item.path)
                default: value.files.append(item.path)
                }
            }
        }
    }
}
