/// Reads what is on the server: runs, their history, artifacts. Blocks the calling thread.
public struct PublicAPI: Sendable {
    public let settings: Settings
    private let isInterrupted: @Sendable () -> Bool

    public init(settings: Settings, isInterrupted: @escaping @Sendable () -> Bool = { false }) throws(WandbError) {
        guard settings.apiKey != nil else {
            throw .usage("wandb.Api: there is no API key for \(settings.baseURL); put one into WANDB_API_KEY")
        }
        self.settings = settings
        self.isInterrupted = isInterrupted
    }

    private var client: ServerClient { ServerClient(settings: settings, stop: isInterrupted) }

    /// A run as the server has it.
    public struct RunFacts: Sendable {
        public let id: String
        public let name: String
        public let entity: String
        public let project: String
        public let state: String
        public let config: WandbMap
        public let summary: WandbMap
        public let tags: [String]
        public let group: String?
        public let jobType: String?
        public let createdAt: String
        public let url: String
    }

    private static let fields = """
        fragment Facts on Run { id name displayName state config summaryMetrics tags group jobType createdAt }
        """

    private func facts(_ node: WandbValue, _ entity: String, _ project: String) -> RunFacts {
        func parsed(_ key: String) -> WandbMap {
            node[key]?.stringValue.flatMap { try? JSONReader.value($0) }?.mapValue ?? node[key]?.mapValue ?? [:]
        }
        let config = WandbMap(
            parsed("config").entries.filter { !$0.key.hasPrefix("_") }.map { ($0.key, $0.value["value"] ?? $0.value) })
        let id = node["name"]?.stringValue ?? ""
        let app = ServerURL(settings.baseURL).app(override: settings.appURLOverride)
        return RunFacts(
            id: id, name: node["displayName"]?.stringValue ?? id, entity: entity, project: project,
            state: node["state"]?.stringValue ?? "", config: config, summary: parsed("summaryMetrics"),
            tags: (node["tags"]?.listValue ?? []).compactMap(\.stringValue), group: node["group"]?.stringValue,
            jobType: node["jobType"]?.stringValue, createdAt: node["createdAt"]?.stringValue ?? "",
            url: "\(app)/\(ServerURL.encoded(entity))/\(ServerURL.encoded(project))/runs/\(ServerURL.encoded(id))")
    }

    /// `[entity/]project`, and for runs `[entity/]project/run`; the key's own entity fills the gap.
    private func parts(_ path: String, count: Int, what: String) throws(WandbError) -> [String] {
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.count == count - 1 { parts.insert(try defaultEntity(), at: 0) }
        guard parts.count == count, !parts.contains("") else {
            throw .usage("wandb.Api: '\(path)'; expected \(what)")
        }
        return parts
    }

    public func defaultEntity() throws(WandbError) -> String {
        if let entity = settings.entity { return entity }
        let data = try client.graphQL(Queries.viewer)
        guard let entity = data["viewer"]?["entity"]?.stringValue else {
            throw .usage("wandb.Api: the server knows no entity for this key; name it: entity/project")
        }
        return entity
    }

    /// The runs of a project. `filters` are W&B's, as `{"state": "finished"}`.
    public func runs(_ path: String, filters: WandbMap = [:], order: String = "+created_at", most: Int = .max)
        throws(WandbError) -> [RunFacts]
    {
        let parts = try parts(path, count: 2, what: "entity/project")
        let query = """
            query Runs($project: String!, $entity: String!, $cursor: String, $perPage: Int = 50, $order: String, \
            $filters: JSONString) { project(name: $project, entityName: $entity) { runCount(filters: $filters) \
            runs(filters: $filters, after: $cursor, first: $perPage, order: $order) { edges { node { ...Facts } cursor } \
            pageInfo { endCursor hasNextPage } } } } \(Self.fields)
            """
        var found: [RunFacts] = []
        var cursor = WandbValue.null
        let client = client
        while found.count < most {
            let data = try client.graphQL(
                query,
                [
                    "project": .string(parts[1]), "entity": .string(parts[0]), "cursor": cursor,
                    "perPage": .int(Int64(min(50, most - found.count))), "order": .string(order),
                    "filters": .string(JSONWriter.text(.map(filters))),
                ])
            guard let runs = data["project"]?["runs"], runs != .null else {
                throw .usage("wandb.Api: there is no project '\(parts[0])/\(parts[1])' on \(settings.baseURL)")
            }
            for edge in runs["edges"]?.listValue ?? [] {
                if let node = edge["node"] { found.append(facts(node, parts[0], parts[1])) }
            }
            guard runs["pageInfo"]?["hasNextPage"] == true, let next = runs["pageInfo"]?["endCursor"], next != cursor
            else { break }
            cursor = next
        }
        return Array(found.prefix(most))
    }

    public func run(_ path: String) throws(WandbError) -> RunFacts {
        let parts = try parts(path, count: 3, what: "entity/project/run")
        let query = """
            query Run($project: String!, $entity: String!, $name: String!) { project(name: $project, \
            entityName: $entity) { run(name: $name) { ...Facts } } } \(Self.fields)
            """
        let data = try client.graphQL(
            query, ["project": .string(parts[1]), "entity": .string(parts[0]), "name": .string(parts[2])])
        guard let node = data["project"]?["run"], node != .null else {
            throw .usage("wandb.Api: there is no run '\(parts.joined(separator: "/"))' on \(settings.baseURL)")
        }
        return facts(node, parts[0], parts[1])
    }

    /// Every row of a run, or those with all of `keys`, which are then all that the rows hold.
    public func history(of run: RunFacts, keys: [String] = [], pageSize: Int = 1000) throws(WandbError) -> [WandbMap] {
        let query = """
            query HistoryPage($entity: String!, $project: String!, $run: String!, $minStep: Int64!, $maxStep: Int64!, \
            $pageSize: Int!) { project(name: $project, entityName: $entity) { run(name: $run) { historyLineCount \
            historyKeys history(minStep: $minStep, maxStep: $maxStep, samples: $pageSize) } } }
            """
        var rows: [WandbMap] = []
        var step: Int64 = 0
        let client = client
        while true {
            let data = try client.graphQL(
                query,
                [
                    "entity": .string(run.entity), "project": .string(run.project), "run": .string(run.id),
                    "minStep": .int(step), "maxStep": .int(step + Int64(pageSize)), "pageSize": .int(Int64(pageSize)),
                ])
            let facts = data["project"]?["run"]
            for line in facts?["history"]?.listValue ?? [] {
                guard let row = line.stringValue.flatMap({ try? JSONReader.value($0) })?.mapValue else { continue }
                if keys.isEmpty {
                    rows.append(row)
                } else if keys.allSatisfy({ row[$0] != nil }) {
                    rows.append(WandbMap(keys.map { ($0, row[$0] ?? .null) }))
                }
            }
            step += Int64(pageSize)
            let last = facts?["historyKeys"]?["lastStep"]?.intValue ?? run.summary["_step"]?.intValue
                ?? (facts?["historyLineCount"]?.intValue ?? 0) - 1
            if step > last { return rows }
        }
    }

    /// `[entity/[project/]]name:alias`
    public func artifact(_ reference: String) throws(WandbError) -> RemoteArtifact {
        let client = ArtifactClient(settings: settings, isInterrupted: isInterrupted)
        let isFull = reference.split(separator: "/").count == 3
        return try client.find(
            reference, entity: isFull ? nil : try defaultEntity(),
            project: settings.project ?? Run.defaultProject(program: nil))
    }

    /// The versions of an artifact, newest first.
    public func artifacts(type: String, _ path: String) throws(WandbError) -> [RemoteArtifact] {
        let parts = try parts(path, count: 3, what: "entity/project/name")
        let query = """
            query ProjectArtifacts($project: String!, $entity: String!, $type: String!, $collection: String!, \
            $cursor: String, $perPage: Int) { project(name: $project, entityName: $entity) { artifactType(name: $type) { \
            artifactCollection(name: $collection) { name artifacts(after: $cursor, first: $perPage) { edges { node { \
            ...Version } } pageInfo { endCursor hasNextPage } } } } } } \(ArtifactClient.fragment)
            """
        let reader = ArtifactClient(settings: settings, isInterrupted: isInterrupted)
        var found: [RemoteArtifact] = []
        var cursor = WandbValue.null
        let client = client
        while true {
            let data = try client.graphQL(
                query,
                [
                    "project": .string(parts[1]), "entity": .string(parts[0]), "type": .string(type),
                    "collection": .string(parts[2]), "cursor": cursor, "perPage": 50,
                ])
            let page = data["project"]?["artifactType"]?["artifactCollection"]?["artifacts"]
            for edge in page?["edges"]?.listValue ?? [] {
                guard let node = edge["node"] else { continue }
                found.append(reader.remote(node, collection: parts[2], entity: parts[0], project: parts[1], version: nil))
            }
            guard page?["pageInfo"]?["hasNextPage"] == true, let next = page?["pageInfo"]?["endCursor"], next != cursor
            else { return found }
            cursor = next
        }
    }
}
