#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// A version of an artifact on the server.
public struct RemoteArtifact: Sendable {
    public let id: String
    public let entity: String
    public let project: String
    public let collection: String
    public let version: Int64
    public let type: String
    public let description: String
    public let metadata: WandbMap
    public let aliases: [String]
    public let digest: String
    public let size: Int64
    let client: ArtifactClient

    /// `name:v3`
    public var name: String { "\(collection):v\(version)" }

    /// What is in it.
    public func entries() throws(WandbError) -> [Artifact.Entry] { try client.entries(of: self) }

    /// Fetches the files into `directory`, by default `artifacts/name:v3`. Files that are in the cache or in the
    /// directory already are not fetched again; each is checked against its digest. The directory.
    public func download(to directory: String? = nil) throws(WandbError) -> String {
        let target = directory ?? "\(client.settings.artifactDirectory)/\(name)"
        try client.download(self, to: target)
        return target
    }
}

/// Finds artifacts and fetches their files. Blocks the calling thread.
struct ArtifactClient: Sendable {
    let settings: Settings
    let isInterrupted: @Sendable () -> Bool

    private var client: ServerClient { ServerClient(settings: settings, stop: isInterrupted) }

    static let fragment = """
        fragment Version on Artifact { id versionIndex artifactType { name } description metadata state size digest \
        aliases { alias artifactCollection { name } } artifactSequence { name project { name entity { name } } } }
        """

    /// `[entity/[project/]]name[:alias]`
    func find(_ reference: String, entity: String?, project: String) throws(WandbError) -> RemoteArtifact {
        let parts = reference.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard (1...3).contains(parts.count), let last = parts.last, !last.isEmpty, !parts.contains("") else {
            throw .usage("use_artifact: '\(reference)'; expected [entity/[project/]]name:alias")
        }
        let name = last.contains(":") ? last : "\(last):latest"
        let owner = parts.count == 3 ? parts[0] : entity ?? ""
        let place = parts.count == 3 ? parts[1] : parts.count == 2 ? parts[0] : project
        let query = """
            query ArtifactMembershipByName($entity: String!, $project: String!, $name: String!) { \
            project(name: $project, entityName: $entity) { artifactCollectionMembership(name: $name) { id versionIndex \
            artifactCollection { name } artifact { ...Version } } } } \(Self.fragment)
            """
        let data = try client.graphQL(
            query, ["entity": .string(owner), "project": .string(place), "name": .string(name)])
        let membership = data["project"]?["artifactCollectionMembership"]
        guard let artifact = membership?["artifact"], artifact["id"]?.stringValue != nil else {
            throw .usage("use_artifact: there is no artifact '\(owner)/\(place)/\(name)' on \(settings.baseURL)")
        }
        return remote(
            artifact, collection: membership?["artifactCollection"]?["name"]?.stringValue, entity: owner, project: place,
            version: membership?["versionIndex"]?.intValue)
    }

    func remote(_ value: WandbValue, collection: String?, entity: String, project: String, version: Int64?) -> RemoteArtifact {
        let sequence = value["artifactSequence"]
        let metadata = value["metadata"]?.stringValue.flatMap { try? JSONReader.value($0) }?.mapValue
        return RemoteArtifact(
            id: value["id"]?.stringValue ?? "",
            entity: sequence?["project"]?["entity"]?["name"]?.stringValue ?? entity,
            project: sequence?["project"]?["name"]?.stringValue ?? project,
            collection: collection ?? sequence?["name"]?.stringValue ?? "",
            version: version ?? value["versionIndex"]?.intValue ?? 0, type: value["artifactType"]?["name"]?.stringValue ?? "",
            description: value["description"]?.stringValue ?? "", metadata: metadata ?? [:],
            aliases: (value["aliases"]?.listValue ?? []).compactMap { $0["alias"]?.stringValue },
            digest: value["digest"]?.stringValue ?? "", size: value["size"]?.intValue ?? 0, client: self)
    }

    func entries(of artifact: RemoteArtifact) throws(WandbError) -> [Artifact.Entry] {
        let query = """
            query FetchArtifactManifest($id: ID!) { artifact(id: $id) { currentManifest { file { directUrl } } } }
            """
        let client = client
        let data = try client.graphQL(query, ["id": .string(artifact.id)])
        guard let url = data["artifact"]?["currentManifest"]?["file"]?["directUrl"]?.stringValue else {
            throw .format("artifact '\(artifact.name)' has no manifest")
        }
        let response = client.send(fetch(client, url), RetryPolicy(.signedURL))
        guard response.isSuccess else { throw client.error(for: response, doing: "the manifest of '\(artifact.name)'") }
        var entries: [Artifact.Entry] = []
        for (path, value) in response.json?["contents"]?.mapValue?.entries.map({ ($0.key, $0.value) }) ?? [] {
            let parts = path.split(separator: "/", omittingEmptySubsequences: false)
            guard !path.isEmpty, !path.hasPrefix("/"), !parts.contains(".."), !parts.contains("") else {
                throw .format("artifact '\(artifact.name)' holds the path '\(path)', which leads out of it")
            }
            entries.append(
                Artifact.Entry(
                    path: path, digest: value["digest"]?.stringValue ?? "", size: value["size"]?.intValue ?? 0,
                    reference: value["ref"]?.stringValue, source: nil))
        }
        return entries
    }

    private func fetch(_ client: ServerClient, _ url: String) -> HTTPRequest {
        var request = HTTPRequest(.get, url.hasPrefix("/") ? client.url.base + url : url)
        request.headers = [("User-Agent", Client.userAgent)]
        request.timeout = settings.fileTransferTimeout
        return request
    }

    private func urls(of artifact: RemoteArtifact, _ client: ServerClient) throws(WandbError) -> [String: String] {
        let query = """
            query GetArtifactMembershipFileUrls($entity: String!, $project: String!, $collection: String!, \
            $alias: String!, $cursor: String, $perPage: Int) { project(name: $project, entityName: $entity) { \
            artifactCollection(name: $collection) { __typename artifactMembership(aliasName: $alias) { \
            files(after: $cursor, first: $perPage) { pageInfo { endCursor hasNextPage } edges { node { name directUrl } } \
            } } } } }
            """
        var found: [String: String] = [:]
        var cursor = WandbValue.null
        for _ in 0..<1000 {
            let data = try client.graphQL(
                query,
                [
                    "entity": .string(artifact.entity), "project": .string(artifact.project),
                    "collection": .string(artifact.collection), "alias": .string("v\(artifact.version)"),
                    "cursor": cursor, "perPage": 5000,
                ])
            let files = data["project"]?["artifactCollection"]?["artifactMembership"]?["files"]
            for edge in files?["edges"]?.listValue ?? [] {
                if let name = edge["node"]?["name"]?.stringValue, let url = edge["node"]?["directUrl"]?.stringValue {
                    found[name] = url
                }
            }
            guard files?["pageInfo"]?["hasNextPage"] == true, let next = files?["pageInfo"]?["endCursor"], next != cursor
            else { break }
            cursor = next
        }
        return found
    }

    func download(_ artifact: RemoteArtifact, to directory: String) throws(WandbError) {
        let client = client
        let all = try entries(of: artifact)
        if let elsewhere = all.first(where: { $0.reference?.hasPrefix("wandb-artifact://") == false && $0.reference?.hasPrefix("file://") == false && $0.reference != nil }) {
            throw .usage(
                "download: '\(elsewhere.path)' of '\(artifact.name)' is a reference to \(elsewhere.reference ?? ""), which "
                    + "this client does not fetch")
        }
        try Files.makeDirectories(directory)
        var missing: [Artifact.Entry] = []
        for entry in all {
            let target = "\(directory)/\(entry.path)"
            try Files.makeDirectories(Files.directory(of: target))
            if try matches(target, entry) { continue }
            let cached = try cachePath(entry)
            if try matches(cached, entry) {
                try Files.copy(cached, to: target)
            } else if let reference = entry.reference, reference.hasPrefix("file://") {
                try Files.copy(String(reference.dropFirst(7)), to: target)
                guard try matches(target, entry) else { throw changed(entry, artifact, reference) }
            } else {
                missing.append(entry)
            }
        }
        guard !missing.isEmpty else { return }
        let urls = try urls(of: artifact, client)
        var requests: [HTTPRequest] = []
        for entry in missing {
            guard let url = urls[entry.path] else {
                throw .format("the server gave no address for '\(entry.path)' of '\(artifact.name)'")
            }
            var request = fetch(client, url)
            request.outputPath = try cachePath(entry) + ".\(getpid()).part"
            requests.append(request)
        }
        let responses = client.sendAll(requests, RetryPolicy(.signedURL), parallel: 8)
        for (index, response) in responses.enumerated() {
            let entry = missing[index]
            let part = requests[index].outputPath ?? ""
            defer { unlink(part) }
            guard response.isSuccess else { throw client.error(for: response, doing: "the download of '\(entry.path)'") }
            guard try matches(part, entry) else { throw changed(entry, artifact, client.url.base) }
            let cached = try cachePath(entry)
            rename(part, cached)
            try Files.copy(cached, to: "\(directory)/\(entry.path)")
        }
    }

    private func changed(_ entry: Artifact.Entry, _ artifact: RemoteArtifact, _ place: String) -> WandbError {
        .format("'\(entry.path)' of '\(artifact.name)' from \(place) does not match its digest \(entry.digest)")
    }

    private func matches(_ path: String, _ entry: Artifact.Entry) throws(WandbError) -> Bool {
        guard Files.size(path) != nil else { return false }
        return Base64.encode(try Digest.ofFile(path, .md5)) == entry.digest
    }

    /// Where W&B's own client keeps a file of that digest.
    private func cachePath(_ entry: Artifact.Entry) throws(WandbError) -> String {
        let environment = Settings.processEnvironment()
        let root = settings.cacheDirectory ?? "\(Settings.homeDirectory(environment))/.cache/wandb"
        let hex = Base64.decode(entry.digest).map { Digest.hex($0) } ?? ""
        guard hex.count == 32 else { throw .format("'\(entry.path)' has the digest '\(entry.digest)', which is no MD5") }
        let directory = "\(root)/artifacts/obj/md5/\(hex.prefix(2))"
        try Files.makeDirectories(directory)
        return "\(directory)/\(hex.dropFirst(2))"
    }
}

extension Run {
    /// Finds an artifact and notes that this run uses it.
    public func use(_ reference: String) throws(WandbError) -> RemoteArtifact {
        guard mode == .online || mode == .shared else {
            throw .usage("run:use_artifact: run \(id) is \(mode.rawValue); artifacts are read from the server")
        }
        let client = ArtifactClient(settings: settings, isInterrupted: options.isInterrupted)
        let found = try client.find(reference, entity: entity, project: upload?.registration?.project ?? project)
        var record = WBUseArtifactRecord()
        record.id = found.id
        record.type = found.type
        record.name = found.name
        state.withLock { if !$0.finished { $0.append(field: RecordField.useArtifact, record) } }
        upload?.wake()
        return found
    }
}
