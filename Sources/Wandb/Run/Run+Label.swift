import Synchronization

/// What people know a run by. It may change while the run goes on.
struct RunLabel {
    var name: String?
    var tags: [String] = []
    var notes: String?
    /// A name given after the run had begun.
    var changedName: String?

    init(name: String? = nil, tags: [String] = [], notes: String? = nil) {
        (self.name, self.tags, self.notes) = (name, tags, notes)
    }
}

extension Run {
    public var tags: [String] { state.withLock { $0.label.tags } }
    public var notes: String? { state.withLock { $0.label.notes } }

    /// Changes what is given and leaves the rest; also on the server.
    public func relabel(name: String? = nil, tags: [String]? = nil, notes: String? = nil) throws(WandbError) {
        for tag in tags ?? [] { _ = try Settings.checkedTag(tag, source: "run.tags") }
        state.withLock { state in
            if let name {
                state.label.name = redactor.redact(name)
                state.label.changedName = state.label.name
            }
            if let tags { state.label.tags = tags }
            if let notes { state.label.notes = redactor.redact(notes) }
            guard state.writer != nil, !state.finished else { return }
            var record = WBRunRecord()
            record.runID = id
            record.entity = settings.entity ?? ""
            record.project = project
            record.startTime = WBTime(secondsSince1970: startTime)
            record.displayName = name == nil ? "" : state.label.name ?? ""
            if tags != nil { record.tags = state.label.tags }
            record.notes = notes == nil ? "" : state.label.notes ?? ""
            state.append(field: RecordField.run, record)
        }
        upload?.wake()
    }

    public static let supersededTag = "superseded"

    /// Ends a run whose place a newer one takes: it is complete, but nobody should compare with it. The tag
    /// `superseded` and a line in the notes say so.
    public func supersede(by successor: String? = nil) {
        guard !isFinished else { return }
        let line = "superseded by \(successor ?? "a later run")"
        let notes = notes.map { $0.isEmpty ? line : "\($0)\n\(line)" } ?? line
        var tags = tags
        if !tags.contains(Self.supersededTag) { tags.append(Self.supersededTag) }
        // Neither the tag nor a note can be refused.
        try? relabel(tags: tags, notes: notes)
        finish(exitCode: 0)
    }

    private struct Weak { weak var run: Run? }
    private static let started = Mutex<[Weak]>([])

    func remember() { Self.started.withLock { $0 = $0.filter { $0.run != nil } + [Weak(run: self)] } }

    /// The runs of this process that have not ended, oldest first.
    public static var unfinished: [Run] {
        started.withLock { $0.compactMap(\.run) }.filter { !$0.isFinished }
    }
}
