/// Creates an artifact on the server and sends what the server lacks of it.
struct ArtifactUploader {
    let client: ServerClient
    let registration: Registration
    let runID: String

    private static let filesPerRequest = 100
    private static let parallel = 16
    static let multipartFrom: Int64 = 2 << 30
    static let partSize: Int64 = 100 << 20
    private static let mostParts: Int64 = 10_000

    private struct Upload {
        let entry: Int
        let url: String
        let headers: [String]
        let storagePath: String
        let multipart: WandbValue?
    }

    func upload(_ record: WBArtifactRecord) throws(WandbError) {
        var record = record
        let created = try create(record)
        guard let id = created["id"]?.stringValue else {
            throw .format("the server's answer to CreateArtifact has no id")
        }
        if created["state"]?.stringValue == "COMMITTED" {
            if record.useAfterCommit { try use(id) }
            return
        }
        let base = created["artifactSequence"]?["latestArtifact"]?["id"] ?? .null
        let manifest = try createManifest(id, base: base, digest: "", includesUpload: false)
        guard let manifestID = manifest["id"]?.stringValue else {
            throw .format("the server's answer to CreateArtifactManifest has no id")
        }
        try sendFiles(&record, id: id, manifestID: manifestID)
        try sendManifest(record, id: id, base: base)
        _ = try client.graphQL(Queries.commitArtifact, ["artifactID": .string(id)])
        if record.useAfterCommit { try use(id) }
    }

    private func create(_ record: WBArtifactRecord) throws(WandbError) -> WandbValue {
        func text(_ value: String) -> WandbValue { value.isEmpty ? .null : .string(value) }
        let collection = WandbValue.string(record.name)
        var input: WandbMap = [
            "entityName": .string(registration.entity), "projectName": .string(registration.project),
            "artifactTypeName": .string(record.type), "artifactCollectionName": collection,
            "digest": .string(record.digest), "digestAlgorithm": "MANIFEST_MD5",
            "description": text(record.description_p), "metadata": text(record.metadata),
            "aliases": .list(record.aliases.map { ["artifactCollectionName": collection, "alias": .string($0)] }),
            "enableDigestDeduplication": true, "distributedID": text(record.distributedID),
            "clientID": text(record.clientID), "sequenceClientID": text(record.sequenceClientID),
        ]
        if !record.tags.isEmpty { input["tags"] = .list(record.tags.map { ["tagName": .string($0)] }) }
        if record.ttlDurationSeconds != 0 { input["ttlDurationSeconds"] = .int(record.ttlDurationSeconds) }
        if !record.userCreated { input["runName"] = .string(runID) }
        let data = try client.graphQL(Queries.createArtifact, ["input": .map(input)])
        return data["createArtifact"]?["artifact"] ?? .null
    }

    private func createManifest(_ id: String, base: WandbValue, digest: String, includesUpload: Bool)
        throws(WandbError) -> WandbValue
    {
        let data = try client.graphQL(
            Queries.createArtifactManifest,
            [
                "artifactID": .string(id), "baseArtifactID": base, "name": "wandb_manifest.json",
                "digest": .string(digest), "entityName": .string(registration.entity),
                "projectName": .string(registration.project), "runName": .string(runID), "manifestType": "FULL",
                "includeUpload": .bool(includesUpload),
            ])
        return data["createArtifactManifest"]?["artifactManifest"] ?? .null
    }

    // MARK: Files

    private func sendFiles(_ record: inout WBArtifactRecord, id: String, manifestID: String) throws(WandbError) {
        var pending = record.manifest.contents.indices.filter { record.manifest.contents[$0].ref.isEmpty }
        var round = 0
        while !pending.isEmpty {
            var failed: [Int] = []
            var reason = ""
            for start in stride(from: 0, to: pending.count, by: Self.filesPerRequest) {
                let part = Array(pending[start..<min(start + Self.filesPerRequest, pending.count)])
                failed += try sendPart(part, &record, id: id, manifestID: manifestID, &reason)
            }
            round += 1
            guard failed.isEmpty || (failed.count * 2 <= pending.count && round < 5) else {
                throw WandbError(.unreachable, "\(failed.count) of \(pending.count) files could not be sent: \(reason)")
            }
            pending = failed
        }
    }

    private func sendPart(
        _ part: [Int], _ record: inout WBArtifactRecord, id: String, manifestID: String, _ reason: inout String
    ) throws(WandbError) -> [Int] {
        var specifications: [WandbValue] = []
        for index in part {
            let entry = record.manifest.contents[index]
            specifications.append([
                "artifactID": .string(id), "name": .string(entry.path), "md5": .string(entry.digest),
                "artifactManifestID": .string(manifestID),
                "mimetype": entry.mimetype.isEmpty ? .null : .string(entry.mimetype),
                "uploadPartsInput": try parts(of: entry).map { .list($0) } ?? .null,
            ])
        }
        let input: WandbMap = ["artifactFiles": .list(specifications), "storageLayout": "V2"]
        let data = try client.graphQL(Queries.createArtifactFiles, ["input": .map(input)])
        let edges = data["createArtifactFiles"]?["files"]?["edges"]?.listValue ?? []
        guard edges.count == part.count else {
            throw .format("asked for \(part.count) upload addresses, the server gave \(edges.count)")
        }
        var requests: [HTTPRequest] = []
        var owners: [Int] = []
        var failed: [Int] = []
        for (index, edge) in zip(part, edges) {
            let node = edge["node"] ?? .null
            record.manifest.contents[index].birthArtifactID = node["artifact"]?["id"]?.stringValue ?? id
            let entry = record.manifest.contents[index]
            let headers = (node["uploadHeaders"]?.listValue ?? []).compactMap(\.stringValue)
            if let multipart = node["uploadMultipartUrls"], multipart.mapValue != nil {
                try sendMultipart(entry, multipart, storagePath: node["storagePath"] ?? .null, id: id)
            } else if let url = node["uploadUrl"]?.stringValue {
                guard Files.size(entry.localPath) == entry.size else {
                    throw .file("'\(entry.localPath)' has changed or is gone since the artifact was logged")
                }
                requests.append(client.uploadRequest(url, headers: headers, path: entry.localPath))
                owners.append(index)
            }
        }
        let responses = client.sendAll(requests, RetryPolicy(.signedURL), parallel: Self.parallel)
        for (index, response) in zip(owners, responses) where !response.isSuccess {
            reason = response.message
            failed.append(index)
        }
        return failed
    }

    // MARK: Large files

    private static func partSize(for size: Int64) -> Int64 {
        let least = (size + mostParts - 1) / mostParts
        return least <= partSize ? partSize : (least + 4095) / 4096 * 4096
    }

    private func parts(of entry: WBArtifactManifestEntry) throws(WandbError) -> [WandbValue]? {
        guard entry.size >= Self.multipartFrom else { return nil }
        let size = Self.partSize(for: entry.size)
        var parts: [WandbValue] = []
        for (number, offset) in stride(from: 0 as Int64, to: entry.size, by: Int64.Stride(size)).enumerated() {
            let digest = try Digest.ofFile(entry.localPath, offset: offset, count: min(size, entry.size - offset), .md5)
            parts.append(["partNumber": .int(Int64(number + 1)), "hexMD5": .string(Digest.hex(digest))])
        }
        return parts
    }

    private func sendMultipart(_ entry: WBArtifactManifestEntry, _ multipart: WandbValue, storagePath: WandbValue, id: String)
        throws(WandbError)
    {
        let size = Self.partSize(for: entry.size)
        var done: [WandbValue] = []
        for part in multipart["uploadUrlParts"]?.listValue ?? [] {
            guard let number = part["partNumber"]?.intValue, let url = part["uploadUrl"]?.stringValue,
                number >= 1, (number - 1) * size < entry.size
            else { throw .format("the server's answer names a part of '\(entry.path)' that does not exist") }
            let offset = (number - 1) * size
            let count = min(size, entry.size - offset)
            let digest = try Digest.ofFile(entry.localPath, offset: offset, count: count, .md5)
            let request = client.uploadRequest(
                url, headers: ["Content-Md5:\(Base64.encode(digest))"], path: entry.localPath, offset: offset,
                count: count)
            let response = client.send(request, RetryPolicy(.signedURL))
            guard response.isSuccess else { throw client.error(for: response, doing: "the upload of '\(entry.path)'") }
            done.append(["partNumber": .int(number), "hexMD5": .string(response.header("etag") ?? "")])
        }
        let input: WandbMap = [
            "completeMultipartAction": "Complete", "completedParts": .list(done), "artifactID": .string(id),
            "storagePath": storagePath, "uploadID": multipart["uploadID"] ?? .null,
        ]
        _ = try client.graphQL(Queries.completeMultipart, ["input": .map(input)])
    }

    // MARK: Manifest

    private func sendManifest(_ record: WBArtifactRecord, id: String, base: WandbValue) throws(WandbError) {
        let bytes = Self.manifestFile(record.manifest)
        let manifest = try createManifest(
            id, base: base, digest: Base64.encode(Digest.of(bytes, .md5)), includesUpload: true)
        guard let file = manifest["file"], let url = file["uploadUrl"]?.stringValue else {
            throw .format("the server gave no address for the manifest")
        }
        var request = client.uploadRequest(
            url, headers: (file["uploadHeaders"]?.listValue ?? []).compactMap(\.stringValue), path: "")
        request.body = .bytes(bytes)
        let response = client.send(request, RetryPolicy(.signedURL))
        guard response.isSuccess else { throw client.error(for: response, doing: "the upload of the manifest") }
    }

    static func manifestFile(_ manifest: WBArtifactManifest) -> [UInt8] {
        var contents = WandbMap()
        for entry in manifest.contents {
            var value: WandbMap = ["digest": .string(entry.digest)]
            if !entry.birthArtifactID.isEmpty { value["birthArtifactID"] = .string(entry.birthArtifactID) }
            if !entry.ref.isEmpty { value["ref"] = .string(entry.ref) }
            if entry.size > 0 || entry.ref.isEmpty { value["size"] = .int(entry.size) }
            if !entry.extra.isEmpty {
                value["extra"] = .map(
                    WandbMap(entry.extra.map { ($0.key, (try? JSONReader.value($0.valueJson)) ?? .null) }))
            }
            contents[entry.path] = .map(value)
        }
        return JSONWriter.bytes([
            "version": 1, "storagePolicy": "wandb-storage-policy-v1", "storagePolicyConfig": ["storageLayout": "V2"],
            "contents": .map(contents),
        ])
    }

    private func use(_ id: String) throws(WandbError) {
        _ = try client.graphQL(
            Queries.useArtifact,
            [
                "entityName": .string(registration.entity), "projectName": .string(registration.project),
                "runName": .string(runID), "artifactID": .string(id),
            ])
    }
}
