#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What a run and its server have to settle before the first row.
extension Run {
    /// Seconds that `init` waits for a server which neither answers nor fails.
    private static let registrationPatience = 10.0

    /// On a terminal a person may give the key that is missing; it goes where `wandb login` puts it.
    static func askingForKey(_ settings: Settings, _ options: RunOptions) throws(WandbError) -> Settings {
        guard settings.mode == .online || settings.mode == .shared, settings.apiKey == nil, let ask = options.askKey,
            !settings.silent
        else { return settings }
        let url = ServerURL(settings.baseURL)
        guard let text = ask(url.base, "\(url.app(override: settings.appURLOverride))/authorize") else { return settings }
        var settings = settings
        settings.apiKey = try APIKey(text.trimmed, source: "the terminal")
        try Netrc.store(text.trimmed, for: url.authority, environment: Settings.processEnvironment())
        return settings
    }

    /// Without a key a run goes offline, unless somebody asked for the server.
    static func reachableMode(_ settings: Settings, _ notices: Notices) throws(WandbError) -> RunMode {
        guard settings.mode != .offline, settings.apiKey == nil else { return settings.mode }
        let authorize = "\(ServerURL(settings.baseURL).app(override: settings.appURLOverride))/authorize"
        guard !settings.modeWasAsked else {
            throw .usage(
                "wandb.init: mode is '\(settings.mode.rawValue)' but there is no API key for \(settings.baseURL); put "
                    + "one into WANDB_API_KEY (get it at \(authorize)), or use mode 'offline'")
        }
        notices.warn("no API key for \(settings.baseURL): the run is logged offline (get a key at \(authorize))")
        return .offline
    }

    /// Asks for the run that is to be resumed, and checks that `must` and `never` are met.
    static func resumeStatus(_ opening: inout RunOpening, mode: RunMode, notices: Notices) throws(WandbError)
        -> ResumeStatus?
    {
        let settings = opening.settings
        guard let resume = settings.resume else { return nil }
        guard mode != .offline else {
            opening.resumesLater = resume != .never
            return nil
        }
        let client = ServerClient(settings: settings, stop: opening.options.isInterrupted)
        let status: ResumeStatus?
        do {
            status = try ResumeStatus.fetch(
                client, runID: opening.id, project: opening.project, entity: settings.entity,
                deadline: Clock.monotonic() + settings.initTimeout)
        } catch {
            guard error.kind == .unreachable, resume == .allow || resume == .auto else { throw error }
            notices.warn("\(error); run \(opening.id) is resumed as soon as the server answers")
            opening.resumesLater = true
            return nil
        }
        let place = "\(settings.entity.map { $0 + "/" } ?? "")\(opening.project)/\(opening.id)"
        switch (resume, status) {
        case (.must, nil):
            throw .usage("wandb.init: resume is 'must' but there is no run \(place); use 'allow' to start it")
        case (.never, .some):
            throw .usage("wandb.init: resume is 'never' but run \(place) exists; choose another id, or use 'allow'")
        default: break
        }
        opening.startingStep = status?.startingStep ?? 0
        opening.isResumed = status != nil
        return status
    }

    /// Lets the server refuse the run before the script goes on.
    func awaitServer() throws(WandbError) {
        guard let upload else { return }
        switch upload.awaitRegistration(min(settings.initTimeout, Self.registrationPatience)) {
        case .registered:
            if let url { notices.info("run \(name ?? id) is at \(url)") }
        case .failed(let error):
            finish(exitCode: 1)
            throw error
        case .waiting(let reason):
            notices.warn("the server cannot be used yet (\(reason)); run \(id) goes on and is uploaded when it does")
        case .connecting:
            notices.warn("the server does not answer yet; run \(id) goes on and is uploaded when it does")
        }
    }

    /// The name that people see; the server invents one where none was given. Nil while it is unknown.
    public var name: String? {
        if let changed = state.withLock({ $0.label.changedName }) { return changed }
        if let registered = upload?.registration?.displayName, !registered.isEmpty { return registered }
        return state.withLock { $0.label.name }
    }

    public var entity: String? { upload?.registration?.entity ?? settings.entity }

    /// The run's page; nil while the server has not answered.
    public var url: String? {
        guard let registration = upload?.registration else { return nil }
        let app = ServerURL(settings.baseURL).app(override: settings.appURLOverride)
        let parts = [registration.entity, registration.project].map(ServerURL.encoded).joined(separator: "/")
        return "\(app)/\(parts)/runs/\(ServerURL.encoded(id))"
    }

    /// True once somebody has stopped the run on its page.
    public var isStopRequested: Bool { upload?.status.read(\.stopRequested) ?? false }

    public var isFinished: Bool { state.withLock { $0.finished } }

    /// True when the run goes on from an earlier one that the server knows.
    public var isResumed: Bool { state.withLock { $0.isResumed } }
}

extension RunState {
    mutating func resume(_ earlier: ResumeStatus?) {
        guard let earlier else { return }
        isResumed = true
        if label.tags.isEmpty { label.tags = earlier.tags }
        if label.notes == nil { label.notes = earlier.notes }
        rows.start(at: earlier.startingStep)
        runtimeBase = earlier.runtime
        for entry in earlier.config.entries where entry.key != "_wandb" && config[entry.key] == nil {
            config[entry.key] = entry.value["value"]
        }
        documents.keepFormer(earlier.config)
        rows.adoptSummary(earlier.summary)
    }
}

/// `wandb-resume.json`: with `resume = "auto"` the run that did not end well is taken up again.
enum AutoResume {
    private static func path(_ root: String) -> String { "\(RunDirectory.parent(of: root))/wandb-resume.json" }

    static func runID(_ settings: Settings, root: String) -> String {
        if let id = settings.runID { return id }
        if settings.resume == .auto, let text = Files.readText(path(root)),
            let id = (try? JSONReader.value(text))?["run_id"]?.stringValue,
            (try? Settings.checkedRunID(id, source: path(root))) != nil
        {
            return id
        }
        return RunDirectory.randomID()
    }

    static func remember(_ settings: Settings, id: String, root: String) {
        guard settings.resume == .auto else { return }
        try? Files.write(JSONWriter.text(["run_id": .string(id)]), to: path(root))
    }

    static func forget(_ settings: Settings) {
        if settings.resume == .auto { unlink(path(Files.absolute(settings.rootDirectory ?? "."))) }
    }
}
