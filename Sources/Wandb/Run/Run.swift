#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import Synchronization

/// A run: rows, config, summary, console. Every record goes into the transaction log before a call returns;
/// nothing here waits for a server. Safe to use from any thread.
public final class Run: Sendable {
    public let settings: Settings
    public let id: String
    public let project: String
    /// The mode it really runs in: `online` without a key has become `offline`.
    public let mode: RunMode
    /// Nil for a disabled run.
    package let directory: RunDirectory?
    let startTime: Double
    let redactor: Redactor
    let notices: Notices
    let state: Mutex<RunState>

    /// The run's directory; nil for a disabled run.
    public var path: String? { directory?.path }
    /// Where run files lie; nil for a disabled run.
    public var filesPath: String? { directory?.files }

    let upload: RunUpload?
    let options: RunOptions
    private let monitor = Mutex<SystemMonitor?>(nil)

    private init(
        options: RunOptions, settings: Settings, id: String, project: String, mode: RunMode, directory: RunDirectory?,
        redactor: Redactor, notices: Notices, upload: RunUpload?, state: consuming sending RunState
    ) {
        self.options = options
        self.settings = settings
        self.id = id
        self.project = project
        self.mode = mode
        self.directory = directory
        self.redactor = redactor
        self.notices = notices
        self.upload = upload
        startTime = state.startTime
        self.state = Mutex(state)
    }

    /// Starts a run. Throws what the server says against it; a server that does not answer is no reason to fail: the
    /// run goes on, and what it logs is sent when the server is there.
    public static func start(_ options: RunOptions, settings: Settings) throws(WandbError) -> Run {
        let environment = Settings.processEnvironment()
        var settings = try askingForKey(settings, options)
        let redactor = Redactor(key: settings.apiKey, environment: environment)
        let notices = Notices(settings: settings, redactor: redactor, sink: options.notice, bar: options.progress)
        for warning in settings.warnings { notices.warn(warning) }
        if settings.program == nil { settings.program = options.program.map(Files.absolute) }
        if settings.arguments.isEmpty { settings.arguments = options.arguments }
        var state = RunState(startTime: Clock.now())
        state.config = redactor.redact(options.config)
        state.label = RunLabel(name: settings.runName, tags: settings.tags, notes: settings.notes)
        let project = settings.project ?? defaultProject(program: options.program)
        guard settings.mode != .disabled else {
            return Run(
                options: options, settings: settings, id: settings.runID ?? RunDirectory.randomID(), project: project,
                mode: .disabled, directory: nil, redactor: redactor, notices: notices, upload: nil, state: state)
        }
        let mode = try reachableMode(settings, notices)
        let root = Files.absolute(settings.rootDirectory ?? ".")
        if let text = settings.resumeFrom, settings.runID == nil {
            settings.runID = try RunMoment(text, source: "resume_from").runID
        }
        let id = AutoResume.runID(settings, root: root)
        var opening = RunOpening(
            options: options, settings: settings, id: id, project: project, environment: environment, redactor: redactor)
        var earlier = try opening.branch(mode: mode, state: &state)
        if earlier == nil { earlier = try resumeStatus(&opening, mode: mode, notices: notices) }
        state.resume(earlier)
        let directory = try RunDirectory.make(root: root, runID: id, isOffline: mode == .offline)
        AutoResume.remember(settings, id: id, root: root)
        state.writer = try TransactionLogWriter(path: directory.log, runID: id)
        try opening.write(to: &state, directory: directory)
        guard mode != .offline else {
            notices.info("run \(id) is offline; upload it with: host sync \(directory.path)")
            let run = Run(
                options: options, settings: settings, id: id, project: project, mode: mode, directory: directory,
                redactor: redactor, notices: notices, upload: nil, state: state)
            run.begin(writerID: opening.writerID)
            return run
        }
        let end = state.end
        let upload = RunUpload(
            settings: settings, directory: directory, source: .live(end),
            notices: notices, resume: earlier, onStop: options.onStop)
        let run = Run(
            options: options, settings: settings, id: id, project: project, mode: mode, directory: directory,
            redactor: redactor, notices: notices, upload: upload, state: state)
        try run.awaitServer()
        run.begin(writerID: opening.writerID)
        return run
    }

    private func begin(writerID: String) {
        remember()
        guard !settings.disablesStats else { return }
        let started = SystemMonitor(settings: settings) { [weak self] values in
            self?.recordSystem(values)
        } describe: { [weak self] fill in
            var record = WBEnvironmentRecord()
            record.writerID = writerID
            fill(&record)
            self?.state.withLock { state in
                guard !state.finished else { return }
                state.append(field: RecordField.environment, record)
                state.documents.apply(record)
            }
        }
        monitor.withLock { $0 = started }
    }

    private func recordSystem(_ values: [(String, Double)]) {
        var record = WBStatsRecord()
        record.timestamp = WBTime(secondsSince1970: Clock.now())
        record.item = values.map { name, value in
            var item = WBStatsItem()
            item.key = name
            item.valueJson = JSONWriter.text(.double(value))
            return item
        }
        state.withLock { if !$0.finished { $0.append(field: RecordField.stats, record) } }
    }

    /// The name of the repository, with the script's folder in it, else `uncategorized`.
    static func defaultProject(program: String?) -> String {
        let place = program.map { Files.directory(of: Files.absolute($0)) } ?? Files.currentDirectory()
        guard let git = GitFacts(around: place) else { return "uncategorized" }
        let below = place.dropFirst(git.root.count).split(separator: "/")
        let name = ([Files.name(of: git.root)] + below.map(String.init)).joined(separator: "-")
        return String(name.map { "/\\#?%:".contains($0) ? "_" : $0 }.prefix(128))
    }

    // MARK: Config

    public var config: WandbMap { state.withLock { $0.config } }

    /// Sets config values; a nested table replaces the whole value of its key.
    public func updateConfig(_ values: WandbMap) throws(WandbError) {
        for entry in values.entries { try Self.checkPlain(entry.value, "config.\(entry.key)") }
        let values = redactor.redact(values)
        state.withLock { state in
            for entry in values.entries { state.config[entry.key] = entry.value }
            guard state.writer != nil, !state.finished else { return }
            var record = WBConfigRecord()
            record.update = values.entries.map { entry in
                var item = WBConfigItem()
                item.key = entry.key
                item.valueJson = JSONWriter.text(entry.value)
                return item
            }
            state.append(field: RecordField.config, record)
            state.documents.apply(record)
        }
        upload?.wake()
    }

    /// Throws for media, which only rows can hold.
    static func checkPlain(_ value: WandbValue, _ place: String) throws(WandbError) {
        switch value {
        case .media(let media): throw .usage("wandb: \(place): \(media.kind) cannot be stored here; log it in a row")
        case .list(let values):
            for (index, value) in values.enumerated() { try checkPlain(value, "\(place)[\(index)]") }
        case .map(let map):
            for entry in map.entries { try checkPlain(entry.value, "\(place).\(entry.key)") }
        default: break
        }
    }

    // MARK: Summary

    public var summary: WandbMap { state.withLock { $0.rows.summary } }

    public func setSummary(_ path: [String], to value: WandbValue) throws(WandbError) {
        try Self.checkPlain(value, "summary.\(path.joined(separator: "."))")
        let value = redactor.redact(value)
        state.withLock { state in
            state.rows.setSummary(path, to: value)
            if !state.finished { state.writeSummary(runtime: Clock.now() - startTime + state.runtimeBase, isFinal: false) }
        }
    }

    public func removeSummary(_ path: [String]) {
        state.withLock { state in
            state.rows.removeSummary(path)
            if !state.finished { state.writeSummary(runtime: Clock.now() - startTime + state.runtimeBase, isFinal: false) }
        }
    }

    // MARK: Metrics, console, alerts

    public func define(_ metric: MetricDefinition) {
        state.withLock { state in
            state.rows.define(metric)
            guard !state.finished else { return }
            let record = metric.record
            state.append(field: RecordField.metric, record)
            state.documents.apply(record)
        }
    }

    public enum Stream: Sendable { case output, error }

    /// A piece of terminal output, whole lines or not.
    public func console(_ text: String, _ stream: Stream = .output) {
        guard mode != .disabled, settings.capturesConsole, !text.isEmpty else { return }
        var record = WBOutputRawRecord()
        record.outputType = stream == .output ? .stdout : .stderr
        record.timestamp = WBTime(secondsSince1970: Clock.now())
        record.line = redactor.redact(text)
        state.withLock { state in
            if !state.finished { state.append(field: RecordField.outputRaw, record) }
        }
    }

    public enum AlertLevel: String, Sendable { case info = "INFO", warn = "WARN", error = "ERROR" }

    /// Sends a message to the people that follow the project. `wait` is the least number of seconds between two of
    /// the same title.
    public func alert(title: String, text: String, level: AlertLevel = .info, wait: Double = 60) throws(WandbError) {
        guard !title.isEmpty else { throw .usage("run:alert: the title is empty") }
        var record = WBAlertRecord()
        record.title = redactor.redact(title)
        record.text = redactor.redact(text)
        record.level = level.rawValue
        record.waitDuration = Int64(exactly: (wait * 1000).rounded()) ?? 60000
        state.withLock { state in
            if !state.finished { state.append(field: RecordField.alert, record) }
        }
        upload?.wake()
    }

    /// Tells the server that the machine is about to be taken away.
    public func markPreempting() {
        state.withLock { state in
            if !state.finished { state.append(field: RecordField.preempting, WBRunPreemptingRecord()) }
        }
        upload?.wake()
    }

    // MARK: End

    /// Ends the run. Later calls do nothing.
    ///
    /// An online run waits until the server has everything, as long as something moves; else it says how to upload
    /// the rest.
    public func finish(exitCode: Int32 = 0) {
        monitor.withLock { monitor in
            monitor?.stop()
            monitor = nil
        }
        let lost = state.withLock { state -> Int? in
            guard !state.finished else { return nil }
            if state.rows.isOpen { state.closeRow() }
            let runtime = Clock.now() - startTime + state.runtimeBase
            state.writeSummary(runtime: runtime, isFinal: true)
            var record = WBRunExitRecord()
            record.exitCode = exitCode
            record.runtime = Int32(exactly: runtime.rounded(.down)) ?? 0
            state.append(field: RecordField.exit, record)
            state.finished = true
            guard let directory else { return 0 }
            state.removeOpenRow(directory.openRow)
            if mode == .offline { writeDocuments(state.documents, summary: state.rows.summary, to: directory) }
            return state.closeLog()
        }
        guard let lost else { return }
        let left = state.withLock { $0.end.hasRest }
        if lost > 0 { notices.warn("the disk was full: \(lost) records of run \(id) are lost") }
        if exitCode == 0 { AutoResume.forget(settings) }
        let reason = upload?.finish(settings: settings, notices: notices, isInterrupted: options.isInterrupted)
        if left, upload == nil || reason != nil { notices.warn("the disk was full: the last records of run \(id) are lost") }
        guard upload != nil, let directory else { return }
        if let reason {
            notices.warn("run \(id) is not complete on the server: \(reason). Upload it with: host sync \(directory.path)")
        } else if let url {
            notices.info("run \(name ?? id) is at \(url)")
        }
    }

    /// The documents that an online run uploads, also for people who look into the directory of an offline one.
    private func writeDocuments(_ documents: RunDocuments, summary: WandbMap, to directory: RunDirectory) {
        try? Files.write(YAMLWriter.text(documents.wrappedConfig), to: "\(directory.files)/config.yaml")
        try? Files.write(JSONWriter.text(.map(summary)), to: "\(directory.files)/wandb-summary.json")
        if let metadata = documents.metadata {
            try? Files.write(JSONWriter.text(.map(metadata)), to: "\(directory.files)/wandb-metadata.json")
        }
    }
}
