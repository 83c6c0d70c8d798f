/// Asks the server for runs of a sweep, and tells it every five seconds which are alive.
public final class SweepAgent: Sendable {
    public struct Assignment: Sendable, Equatable {
        public let runID: String
        /// Parameter names and values, as the run's config has them.
        public let config: WandbMap
        public let isResumed: Bool
    }

    private struct State {
        var agentID = ""
        var running: Set<String> = []
        var waiting: [Assignment] = []
        var stopped: Set<String> = []
        var ends = false
        var failure: WandbError?
        var wantsWork = false
    }

    public let sweepID: String
    public let entity: String?
    public let project: String?
    private let settings: Settings
    private let state = Signal(State())
    private let thread: BackgroundThread

    /// `sweep` is `[entity/[project/]]id`.
    public init(_ sweep: String, settings: Settings, isInterrupted: @escaping @Sendable () -> Bool = { false })
        throws(WandbError)
    {
        let parts = sweep.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), !parts.contains("") else {
            throw .usage("wandb.agent: '\(sweep)'; expected [entity/[project/]]sweep")
        }
        guard settings.apiKey != nil else {
            throw .usage("wandb.agent: there is no API key for \(settings.baseURL); put one into WANDB_API_KEY")
        }
        let sweepID = parts[parts.count - 1]
        let entity = parts.count == 3 ? parts[0] : settings.entity
        let project = parts.count == 3 ? parts[1] : parts.count == 2 ? parts[0] : settings.project
        self.sweepID = sweepID
        self.entity = entity
        self.project = project
        self.settings = settings
        let client = ServerClient(settings: settings, stop: isInterrupted)
        let query = """
            mutation CreateAgent($host: String!, $projectName: String, $entityName: String, $sweep: String!) { \
            createAgent(input: {host: $host, projectName: $projectName, entityName: $entityName, sweep: $sweep}) { \
            agent { id } } }
            """
        let data = try client.graphQL(
            query,
            [
                "host": .string(settings.host ?? MachineFacts.host()),
                "projectName": project.map { .string($0) } ?? .null, "entityName": entity.map { .string($0) } ?? .null,
                "sweep": .string(sweepID),
            ])
        guard let id = data["createAgent"]?["agent"]?["id"]?.stringValue else {
            throw .format("wandb.agent: the server's answer names no agent")
        }
        let state = state
        state.update { $0.agentID = id }
        thread = BackgroundThread { Self.beat(settings, state) }
    }

    /// Seconds between heartbeats.
    private static let interval = 5.0

    private static func beat(_ settings: Settings, _ state: Signal<State>) {
        let client = ServerClient(
            settings: settings, stop: { state.read(\.ends) }, pause: { seconds in state.wait(seconds) { $0.ends } })
        let query = """
            mutation Heartbeat($id: ID!, $metrics: JSONString, $runState: JSONString) { agentHeartbeat(input: {id: $id, \
            metrics: $metrics, runState: $runState}) { agent { id } commands } }
            """
        while !state.read(\.ends) {
            let running = state.read { $0.running.union($0.waiting.map(\.runID)) }
            let runState = WandbMap(running.sorted().map { ($0, .bool(true)) })
            do {
                let data = try client.graphQL(
                    query,
                    [
                        "id": .string(state.read(\.agentID)), "metrics": "{}",
                        "runState": .string(JSONWriter.text(.map(runState))),
                    ])
                let commands = data["agentHeartbeat"]?["commands"]?.stringValue.flatMap { try? JSONReader.value($0) }
                for command in commands?.listValue ?? [] { take(command, state) }
            } catch {
                if state.read(\.ends) { return }
                // The sweep is gone, or we may not ask: what runs may finish, nothing new begins.
                if case .refused = error.kind {
                    state.update {
                        $0.failure = error
                        $0.ends = $0.running.isEmpty
                    }
                    if state.read(\.failure) != nil { return }
                }
            }
            // A run that has ended makes room for the next at once.
            state.wait(interval * settings.retryScale) { $0.ends || $0.wantsWork }
            state.update { $0.wantsWork = false }
        }
    }

    private static func take(_ command: WandbValue, _ state: Signal<State>) {
        let runID = command["run_id"]?.stringValue ?? ""
        switch command["type"]?.stringValue {
        case "run", "resume":
            let config = WandbMap(
                (command["args"]?.mapValue?.entries ?? []).map { ($0.key, $0.value["value"] ?? $0.value) })
            let assignment = Assignment(runID: runID, config: config, isResumed: command["type"] == "resume")
            state.update { if !runID.isEmpty, !$0.running.contains(runID) { $0.waiting.append(assignment) } }
        case "stop": state.update { $0.stopped.insert(runID) }
        case "exit": state.update { $0.ends = true }
        default: break
        }
    }

    /// Waits for the next run. Nil when the sweep has ended. Throws what the server says against it.
    public func next(isInterrupted: () -> Bool = { false }) throws(WandbError) -> Assignment? {
        while true {
            state.wait(0.2) { !$0.waiting.isEmpty || $0.ends || $0.failure != nil }
            if isInterrupted() { return nil }
            let found = state.update { value -> Assignment? in
                guard !value.waiting.isEmpty else { return nil }
                let first = value.waiting.removeFirst()
                value.running.insert(first.runID)
                return first
            }
            if let found { return found }
            if let failure = state.read(\.failure) {
                if case .refused(status: 404) = failure.kind { return nil }
                throw failure
            }
            if state.read(\.ends) { return nil }
        }
    }

    /// The settings with which a run of the sweep starts.
    public func settings(for assignment: Assignment) -> Settings {
        var changed = settings
        changed.runID = assignment.runID
        changed.sweepID = sweepID
        changed.entity = entity ?? settings.entity
        changed.project = project ?? settings.project
        return changed
    }

    public func finished(_ assignment: Assignment) {
        state.update {
            $0.running.remove(assignment.runID)
            $0.wantsWork = true
        }
    }

    /// True when the server wants the run to end.
    public func isStopped(_ runID: String) -> Bool { state.read { $0.stopped.contains(runID) } }

    public func close() {
        state.update { $0.ends = true }
        thread.join()
    }
}
