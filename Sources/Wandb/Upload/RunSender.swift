import SwiftProtobuf
import Synchronization

/// Reads a run's transaction log and brings it to the server. A live run and `sync` use the same reader: what is
/// not sent yet waits in the file, not in memory.
final class RunSender {
    enum Source: Sendable {
        /// The log of a run of this process.
        case live(LogEnd)
        /// A log that nobody writes any more.
        case file
    }

    let settings: Settings
    let directory: RunDirectory
    let source: Source
    let status: Signal<UploadStatus>
    let notices: Notices
    let client: ServerClient
    let clientID: String?
    /// Called once when somebody stops the run on its page.
    var onStop: @Sendable () -> Void = {}
    /// What `init` has already learnt of a run that is resumed.
    var resume: ResumeStatus?

    var run = WBRunRecord()
    var documents = RunDocuments()
    var summary = WandbMap()
    private var summaryIsDirty = false
    private var stream: FileStream
    var registration: Registration?
    private var uploader: BackgroundThread?
    private var outputFile: OpenFile?

    var stepBase: Int64 = 0
    var runtimeBase = 0.0
    private(set) var lastStep: Int64 = -1
    private var stepsAreNamed = false
    /// Rows of the file that the server has already.
    var rowsToSkip = 0
    private(set) var rowsRead = 0
    private var sinceSummary: [(path: [String], json: String)] = []

    var configIsDirty = false
    private var configSentAt = 0.0
    private var streamIsDead = false
    private var firstPostDone = false
    private var postedAt = 0.0
    private var postInterval: Double
    /// What the server's rate limit allows.
    private var earliestPost = 0.0
    private var exitCode: Int32?
    private var marksFinished = true

    init(
        settings: Settings, directory: RunDirectory, source: Source, status: Signal<UploadStatus>, notices: Notices,
        resume: ResumeStatus? = nil
    ) {
        self.settings = settings
        self.directory = directory
        self.source = source
        self.status = status
        self.notices = notices
        self.resume = resume
        clientID = settings.mode == .shared ? RunDirectory.randomID(32) : nil
        client = ServerClient(
            settings: settings, clientID: clientID, stop: { status.read(\.stop) },
            pause: { seconds in status.wait(seconds) { $0.stop } })
        stream = FileStream(settings: settings)
        stream.label = settings.label
        postInterval = settings.fileStreamInterval
    }

    enum Outcome: Sendable {
        case complete
        case stopped
        /// Everything before the place was sent.
        case damaged(offset: Int64, reason: String)
    }

    // MARK: The loop

    /// Returns when the whole run is on the server, or when it is told to stop. Throws when the server refuses the run.
    func send() throws(WandbError) -> Outcome {
        var reader = try TransactionLogReader(path: directory.log)
        var outcome = Outcome.complete
        var atEnd = false
        while !status.read(\.stop) {
            while !stream.isFull, !hasTooManyFiles, !atEnd {
                let next = reader.next(upTo: limit())
                switch rest(after: next) ?? next {
                case .record(let bytes, let offset):
                    guard let record = try? WBRecord(serializedBytes: bytes), let type = record.recordType else {
                        outcome = .damaged(offset: offset, reason: "a record of unknown type")
                        atEnd = true
                        continue
                    }
                    try apply(type)
                    if exitCode != nil { atEnd = true }
                case .end:
                    if case .file = source { atEnd = true } else { break }
                    continue
                case .incomplete(let offset):
                    // A live file's limit lies between records; only a dead one ends inside.
                    outcome = .damaged(offset: offset, reason: "the file ends inside a record")
                    atEnd = true
                    continue
                case .damaged(let offset, let reason):
                    outcome = .damaged(offset: offset, reason: reason)
                    atEnd = true
                    continue
                }
                if status.read(\.stop) { return .stopped }
                if isAtLimit(reader.offset) { break }
            }
            if atEnd, !stream.isFull {
                guard registration != nil else {
                    throw .format("wandb: '\(directory.log)' holds no run")
                }
                if exitCode == nil { recoverTail() }
                return finish() ? outcome : .stopped
            }
            let wasFull = stream.isFull
            if registration != nil { step(Clock.monotonic()) }
            // There is more in the log than one request takes.
            if wasFull { continue }
            let wait = registration == nil ? 0.2 : max(0.01, nextDue() - Clock.monotonic())
            let waitsForFiles = hasTooManyFiles
            status.wait(min(wait, 5)) { $0.stop || $0.wake || waitsForFiles && $0.files.count < Self.mostFilesWaiting / 2 }
            status.update { $0.wake = false }
        }
        return .stopped
    }

    /// Names of files wait in memory: the log is read no further while there are many.
    private static let mostFilesWaiting = 2000
    private var hasTooManyFiles: Bool { status.read { $0.files.count >= Self.mostFilesWaiting } }

    private func limit() -> Int64 {
        switch source {
        case .live(let end): end.offset.load(ordering: .acquiring)
        case .file: .max
        }
    }

    private func isAtLimit(_ offset: Int64) -> Bool {
        if case .live(let end) = source { return offset >= limit() && !end.hasRest }
        return false
    }

    /// What the disk did not take comes after all that it did.
    private func rest(after next: TransactionLogReader.Next) -> TransactionLogReader.Next? {
        guard case .end = next, case .live(let end) = source, let bytes = end.takeRest() else { return nil }
        return .record(bytes, offset: limit())
    }

    /// What is due while the run goes on.
    private func step(_ now: Double) {
        if configIsDirty, now - configSentAt >= 5 { sendConfig() }
        takeUploaded()
        guard !streamIsDead else { return }
        if stream.isPreempting || stream.isFull || !firstPostDone && stream.hasData
            || stream.hasData && now - postedAt >= postInterval || now - postedAt >= max(30, postInterval)
        {
            post()
        }
    }

    private func nextDue() -> Double {
        if streamIsDead { return Clock.monotonic() + 5 }
        if !firstPostDone { return Clock.monotonic() + (stream.hasData ? 0 : 0.2) }
        return postedAt + postInterval
    }

    private func takeUploaded() {
        stream.uploaded += status.update { value -> [String] in
            defer { value.uploaded = [] }
            return value.uploaded
        }
    }

    // MARK: Records

    private func apply(_ record: WBRecord.OneOf_RecordType) throws(WandbError) {
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

    private func applyRun(_ record: WBRunRecord) throws(WandbError) {
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

    private func startUploader(_ registration: Registration) {
        nonisolated(unsafe) let uploader = RunFileUploader(
            settings: settings, registration: registration, runID: directory.runID, files: directory.files,
            status: status, notices: notices, clientID: clientID)
        self.uploader = BackgroundThread { uploader.run() }
    }

    private func fetchFeatures() {
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
    private var serverTakesGzip = false

    private func applyHistory(_ record: WBHistoryRecord) {
        stepsAreNamed = record.isStepNamed
        if isRepeated(record) { return }
        var line: [UInt8] = []
        var step: Int64?
        var nested: WandbMap?
        line.append(UInt8(ascii: "{"))
        func append(_ key: String, _ json: String) {
            if line.count > 1 { line.append(UInt8(ascii: ",")) }
            JSONWriter.append(key, to: &line)
            line.append(UInt8(ascii: ":"))
            line.append(contentsOf: json.utf8)
        }
        for item in record.item {
            let json = item.valueText
            if item.nestedKey.count <= 1 {
                let key = item.nestedKey.first ?? item.key
                if key == "_step" {
                    step = Int64(json)
                    continue
                }
                if key == "_runtime", runtimeBase > 0, let runtime = Double(json) {
                    append(key, JSONWriter.text(.double(runtime + runtimeBase)))
                } else {
                    append(key, json)
                }
                note([key], json)
            } else {
                let value = (try? JSONReader.value(json)) ?? .null
                if nested == nil { nested = WandbMap() }
                nested?[item.nestedKey] = value
                note(item.nestedKey, json)
            }
        }
        for entry in nested?.entries ?? [] { append(entry.key, JSONWriter.text(entry.value)) }
        // Steps must increase: what does not is given the next number.
        var shifted = (step ?? lastStep + 1 - stepBase) + (record.isStepNamed ? 0 : stepBase)
        if shifted <= lastStep { shifted = lastStep + 1 }
        lastStep = shifted
        append("_step", "\(shifted)")
        line.append(UInt8(ascii: "}"))
        note(["_step"], "\(shifted)")
        guard line.count <= stream.longestLine else {
            notices.warnOnce(
                "line", "a row of \(line.count) bytes is more than the server takes (\(stream.longestLine)); it stays in the log only")
            return
        }
        // Only rows that the server can have are counted: those that it has are skipped by their number.
        rowsRead += 1
        if rowsRead > rowsToSkip { stream.add(line, to: .history) }
    }

    /// Keeps what a summary would need if the process had ended here.
    private func note(_ path: [String], _ json: String) {
        if sinceSummary.count > 4096 { sinceSummary.removeFirst(2048) }
        sinceSummary.append((path, json))
    }

    private func applySummary(_ record: WBSummaryRecord) {
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

    private func applyStats(_ record: WBStatsRecord) {
        var row: WandbMap = ["_wandb": true, "_timestamp": .double(record.timestamp.secondsSince1970)]
        row["_runtime"] = .double(
            record.timestamp.secondsSince1970 - run.startTime.secondsSince1970 + runtimeBase)
        for item in record.item {
            row["system.\(item.key)"] = try? JSONReader.value(item.valueJson)
        }
        stream.add(JSONWriter.bytes(.map(row)), to: .events)
    }

    private func applyFiles(_ record: WBFilesRecord) {
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

    // MARK: The file stream

    private func post(exitCode: Int32? = nil) {
        guard let registration else { return }
        let pause = earliestPost - Clock.monotonic()
        if pause > 0, status.wait(pause, until: { $0.stop }) { return }
        if summaryIsDirty {
            stream.setSummary(JSONWriter.bytes(.map(summary)))
            summaryIsDirty = false
        }
        let piece = stream.takeRequest(exitCode: exitCode)
        let path = [registration.entity, registration.project, directory.runID].map(ServerURL.encoded).joined(separator: "/")
        var request = client.request(.post, "\(client.url.base)/files/\(path)/file_stream")
        request.headers.append(("Content-Type", "application/json"))
        if let clientID {
            request.headers.append(("X-WANDB-USE-ASYNC-FILESTREAM", "true"))
            request.headers.append(("X-WANDB-ASYNC-CLIENT-ID", clientID))
        }
        if serverTakesGzip, settings.compressesFileStream, let small = Gzip.compress(piece.body) {
            request.headers.append(("Content-Encoding", "gzip"))
            request.body = .bytes(small)
        } else {
            request.body = .bytes(piece.body)
        }
        request.timeout = settings.fileStreamTimeout
        status.update { $0.rowsWaiting = piece.rows }
        client.onRetry = { [notices] response, _ in
            notices.warnOnce("stream", "the server does not take the run's data (\(response.message)); trying again")
        }
        let policy = RetryPolicy(.fileStream, mostRetries: settings.fileStreamRetries)
        var response = client.send(request, policy)
        // Something between us and the server may have answered in its place and kept nothing. Lines at the same
        // offset are the same lines: sending them again is safe.
        var attempt = 0
        while response.isSuccess, !response.body.isEmpty, response.json?.mapValue == nil, attempt < 8,
            !status.read(\.stop)
        {
            status.wait(policy.wait(attempt: attempt, response: response) * settings.retryScale) { $0.stop }
            response = client.send(request, policy)
            attempt += 1
        }
        firstPostDone = true
        postedAt = Clock.monotonic()
        if response.isSuccess {
            status.update {
                $0.rowsSent += piece.rows
                $0.rowsWaiting = 0
                $0.progress += 1
            }
            if response.json?["stopped"] == true, !status.read(\.stopRequested) {
                status.update { $0.stopRequested = true }
                onStop()
            }
            respectRateLimit(response)
        } else if !status.read(\.stop) {
            streamIsDead = true
            stream.close()
            let error = client.error(for: response, doing: "the run's data")
            notices.warn("\(error); the run goes on offline, upload it with: host sync \(directory.path)")
        }
    }

    /// Spreads what the server still allows over the time until it allows more.
    private func respectRateLimit(_ response: HTTPResponse) {
        guard let remaining = response.header("ratelimit-remaining").flatMap({ Double($0) }),
            let reset = response.header("ratelimit-reset").flatMap({ Double($0) }), remaining.isFinite, reset.isFinite
        else { return }
        let spacing = min(300, max(0, reset) / max(1, remaining))
        earliestPost = Clock.monotonic() + spacing
        postInterval = max(settings.fileStreamInterval, spacing)
    }

    private func fileConsole(isFinal: Bool) {
        let lines = stream.console.takeForFile(isFinal: isFinal)
        guard !lines.isEmpty else { return }
        if outputFile == nil {
            outputFile = try? OpenFile("\(directory.files)/output.log", outputFlags, action: "write")
        }
        guard let outputFile else { return }
        _ = Files.writeAll(Array((lines.joined(separator: "\n") + "\n").utf8), to: outputFile.descriptor)
    }

    // MARK: The end

    /// A run whose process ended without a word: its open row, and a summary that its last rows are part of.
    private func recoverTail() {
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

    private func finish() -> Bool {
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

    private func writeMetadata() throws(WandbError) {
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

    private func sendAlert(_ record: WBAlertRecord) {
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

extension WBHistoryItem {
    /// The value's JSON text; newer logs may hold the value itself.
    var valueText: String {
        switch value {
        case .none?: "null"
        case .boolean(let value)?: value ? "true" : "false"
        case .integer(let value)?: "\(value)"
        case .number(let value)?: JSONWriter.text(.double(value))
        case .text(let value)?: JSONWriter.text(.string(value))
        case .json(let value)?: value
        case nil: valueJson
        }
    }
}
