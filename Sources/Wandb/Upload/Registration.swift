/// What the server says of a run once it exists there.
package struct Registration: Sendable {
    package var entity: String
    package var project: String
    package var displayName: String
    package var sweepName: String?
    package var historyLineCount: Int
    package var inserted: Bool

    package init(_ answer: WandbValue, project: String, entity: String) throws(WandbError) {
        guard let bucket = answer["upsertBucket"]?["bucket"], bucket.mapValue != nil else {
            throw .format("wandb: the server's answer to UpsertBucket has no bucket")
        }
        self.project = bucket["project"]?["name"]?.stringValue ?? project
        self.entity = bucket["project"]?["entity"]?["name"]?.stringValue ?? entity
        displayName = bucket["displayName"]?.stringValue ?? ""
        sweepName = bucket["sweepName"]?.stringValue
        historyLineCount = Int(bucket["historyLineCount"]?.intValue ?? 0)
        inserted = answer["upsertBucket"]?["inserted"]?.boolValue ?? true
    }
}

/// A run as the server last saw it.
package struct ResumeStatus: Sendable {
    package let storageID: String
    package let history: Int
    package let events: Int
    package let console: Int
    package let startingStep: Int64
    package let runtime: Double
    package let config: WandbMap
    package let summary: WandbMap
    package let tags: [String]
    package let notes: String?
    package let displayName: String?

    /// Nil when the server knows no such run, or only one that a sweep has prepared and nobody has started.
    package static func fetch(_ client: ServerClient, runID: String, project: String, entity: String?, deadline: Double)
        throws(WandbError) -> ResumeStatus?
    {
        let data = try client.graphQL(
            Queries.resumeStatus,
            ["project": .string(project), "entity": entity.map { .string($0) } ?? .null, "name": .string(runID)],
            deadline: deadline)
        guard let bucket = data["model"]?["bucket"], bucket.mapValue != nil,
            parse(bucket["wandbConfig"])?["t"] != nil
        else { return nil }
        return ResumeStatus(bucket)
    }

    /// JSON inside a JSON string, or the value itself.
    private static func parse(_ value: WandbValue?) -> WandbValue? {
        guard let text = value?.stringValue else { return value }
        return try? JSONReader.value(text)
    }

    private static func lastRow(_ tail: WandbValue?) -> WandbValue? {
        guard let rows = parse(tail)?.listValue else { return nil }
        return parse(rows.last)
    }

    /// A run that the server has taken back to an earlier step.
    init(rewound bucket: WandbValue, step: Int64) {
        storageID = bucket["id"]?.stringValue ?? ""
        history = Int(bucket["historyLineCount"]?.intValue ?? step + 1)
        (events, console) = (0, 0)
        startingStep = step + 1
        runtime = 0
        config = Self.parse(bucket["config"])?.mapValue ?? WandbMap()
        summary = WandbMap()
        (tags, notes) = ([], nil)
        displayName = bucket["displayName"]?.stringValue
    }

    private init(_ bucket: WandbValue) {
        func count(_ key: String) -> Int { Int(bucket[key]?.intValue ?? 0) }
        storageID = bucket["id"]?.stringValue ?? ""
        history = count("historyLineCount")
        events = count("eventsLineCount")
        console = count("logLineCount")
        let summary = Self.parse(bucket["summaryMetrics"])?.mapValue ?? WandbMap()
        let historyRow = Self.lastRow(bucket["historyTail"])
        let eventsRow = Self.lastRow(bucket["eventsTail"])
        let steps = [summary["_step"]?.intValue, historyRow?["_step"]?.intValue, Int64(count("historyLineCount")) - 1]
        startingStep = max(0, (steps.compactMap { $0 }.max() ?? -1) + 1)
        let runtimes = [
            historyRow?["_runtime"]?.doubleValue, eventsRow?["_runtime"]?.doubleValue,
            summary["_wandb"]?["runtime"]?.doubleValue,
        ]
        runtime = runtimes.compactMap { $0 }.max() ?? 0
        config = Self.parse(bucket["config"])?.mapValue ?? WandbMap()
        self.summary = summary
        tags = (bucket["tags"]?.listValue ?? []).compactMap(\.stringValue)
        notes = bucket["notes"]?.stringValue
        displayName = bucket["displayName"]?.stringValue
    }
}
