import Foundation
import Synchronization
import Wandb

extension RecordingServer {
    func handle(_ request: Received) -> (Int, [UInt8]) {
        if request.path == "/graphql" {
            guard request.headers["authorization"]?.hasPrefix("Basic ") == true else {
                return (401, Array(#"{"errors":[{"message":"user is not logged in"}],"data":{"viewer":null}}"#.utf8))
            }
            let data = state.withLock { answer(request.operation ?? "", request.variables, &$0) }
            return (200, JSONWriter.bytes(["data": data]))
        }
        if request.isStream { return (200, state.withLock { stream(request, &$0) }) }
        if request.path.hasPrefix("/storage/") {
            let name = String(request.path.dropFirst(9)).removingPercentEncoding ?? ""
            if request.method == "PUT" {
                if request.headers["authorization"] != nil { return (400, []) }
                state.withLock { $0.uploads[name] = request.body }
                return (200, [])
            }
            guard let bytes = state.withLock({ $0.uploads[name] }) else { return (404, []) }
            return (200, bytes)
        }
        return (404, [])
    }

    private func stream(_ request: Received, _ state: inout State) -> [UInt8] {
        let parts = request.path.split(separator: "/")
        let name = String(parts[3]).removingPercentEncoding ?? ""
        for (file, chunk) in request.json?["files"]?.mapValue?.entries.map({ ($0.key, $0.value) }) ?? [] {
            let offset = Int(chunk["offset"]?.intValue ?? 0)
            for (index, line) in (chunk["content"]?.listValue ?? []).enumerated() {
                state.runs[name]?.files[file, default: [:]][offset + index] = line.stringValue
            }
        }
        state.runs[name]?.uploaded += (request.json?["uploaded"]?.listValue ?? []).compactMap(\.stringValue)
        if request.json?["complete"] == true {
            state.runs[name]?.complete = true
            state.runs[name]?.exitCode = request.json?["exitcode"]?.intValue
        }
        return JSONWriter.bytes(["exitcode": nil, "stopped": .bool(state.stopsRuns)])
    }

    private func address(_ name: String) -> WandbValue {
        .string("\(url)/storage/\(name.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")")
    }

    private func answer(_ operation: String, _ variables: WandbValue, _ state: inout State) -> WandbValue {
        func text(_ key: String) -> String { variables[key]?.stringValue ?? "" }
        switch operation {
        case "Viewer": return ["viewer": ["entity": "testuser", "username": "testuser", "flags": "{}"]]
        case "ServerFeaturesQuery":
            return [
                "serverInfo": ["features": .list(state.features.map { ["name": .string($0), "isEnabled": true] })]
            ]
        case "UpsertBucket":
            let name = text("name")
            var bucket = state.runs[name] ?? Bucket(name: name, displayName: "gentle-ember-1", project: text("project"))
            let inserted = state.runs[name] == nil
            bucket.upserts += 1
            if let shown = variables["displayName"]?.stringValue { bucket.displayName = shown }
            if let config = variables["config"]?.stringValue { bucket.config = (try? JSONReader.value(config)) ?? .null }
            if let tags = variables["tags"], tags != .null { bucket.tags = tags }
            if let notes = variables["notes"], notes != .null { bucket.notes = notes }
            state.runs[name] = bucket
            return [
                "upsertBucket": [
                    "bucket": [
                        "id": .string("id-\(name)"), "name": .string(name), "displayName": .string(bucket.displayName),
                        "sweepName": nil,
                        "project": [
                            "id": "p", "name": .string(bucket.project), "entity": ["id": "e", "name": "testuser"],
                        ],
                        "historyLineCount": .int(Int64(bucket.lines("wandb-history.jsonl").count)),
                    ], "inserted": .bool(inserted),
                ]
            ]
        case "RewindRun":
            let keep = variables["metricValue"]?.intValue ?? 0
            guard var bucket = state.runs[text("runName")] else { return ["rewindRun": nil] }
            let rows = (bucket.files["wandb-history.jsonl"] ?? [:]).filter {
                ((try? JSONReader.value($0.value))?["_step"]?.intValue ?? .max) <= keep
            }
            bucket.files["wandb-history.jsonl"] = rows
            state.runs[bucket.name] = bucket
            return [
                "rewindRun": [
                    "rewoundRun": [
                        "id": .string("id-\(bucket.name)"), "name": .string(bucket.name),
                        "config": .string(JSONWriter.text(bucket.config)), "historyLineCount": .int(Int64(rows.count)),
                        "project": ["id": "p", "name": .string(bucket.project), "entity": ["id": "e", "name": "testuser"]],
                    ]
                ]
            ]
        case "RunResumeStatus":
            guard let bucket = state.runs[text("name")] else { return ["model": ["bucket": nil]] }
            let history = bucket.lines("wandb-history.jsonl")
            let events = bucket.lines("wandb-events.jsonl")
            func tail(_ lines: [String]) -> WandbValue {
                .string(JSONWriter.text(.list(lines.suffix(1).map { .string($0) })))
            }
            return [
                "model": [
                    "id": "m", "name": .string(bucket.project),
                    "bucket": [
                        "id": .string("id-\(bucket.name)"), "name": .string(bucket.name),
                        "summaryMetrics": .string(JSONWriter.text(bucket.summary)),
                        "logLineCount": .int(Int64(bucket.lines("output.log").count)),
                        "historyLineCount": .int(Int64(history.count)), "eventsLineCount": .int(Int64(events.count)),
                        "historyTail": tail(history), "eventsTail": tail(events),
                        "config": .string(JSONWriter.text(bucket.config)), "tags": bucket.tags, "notes": bucket.notes,
                        "wandbConfig": .string(
                            JSONWriter.text(["t": bucket.config["_wandb"]?["value"]?["t"] ?? .null])),
                    ],
                ]
            ]
        case "CreateRunFiles":
            return [
                "createRunFiles": [
                    "runID": "r", "uploadHeaders": ["X-Signed:1"],
                    "files": .list(
                        (variables["files"]?.listValue ?? []).map { ["name": $0, "uploadUrl": address($0.stringValue ?? "")] }),
                ]
            ]
        case "NotifyScriptableRunAlert": return ["notifyScriptableRunAlert": ["success": true]]
        default: return artifactAnswer(operation, variables, &state)
        }
    }

    private func artifactAnswer(_ operation: String, _ variables: WandbValue, _ state: inout State) -> WandbValue {
        switch operation {
        case "CreateArtifact":
            let input = variables["input"] ?? .null
            let digest = input["digest"]?.stringValue ?? ""
            let name = input["artifactCollectionName"]?.stringValue ?? ""
            let versions = state.artifacts.values.filter { $0.name == name }
            let aliases = (input["aliases"]?.listValue ?? []).compactMap { $0["alias"]?.stringValue }
            let latest = versions.max { $0.version < $1.version }
            let known = versions.first { $0.digest == digest }
            let id: String
            if let known {
                id = known.id
            } else {
                state.next += 1
                id = "A\(state.next)"
                state.artifacts[id] = Artifact(
                    id: id, name: name, type: input["artifactTypeName"]?.stringValue ?? "", digest: digest,
                    aliases: aliases, metadata: input["metadata"]?.stringValue, version: versions.count)
            }
            return [
                "createArtifact": [
                    "artifact": [
                        "id": .string(id), "state": known?.committed == true ? "COMMITTED" : "PENDING",
                        "artifactSequence": ["latestArtifact": latest.map { ["id": .string($0.id)] } ?? .null],
                    ]
                ]
            ]
        case "CreateArtifactManifest":
            let id = variables["artifactID"]?.stringValue ?? ""
            state.artifacts[id]?.manifest = "manifest-\(id)"
            return [
                "createArtifactManifest": [
                    "artifactManifest": [
                        "id": .string("M\(id)"),
                        "file": ["id": "f", "uploadUrl": address("manifest-\(id)"), "uploadHeaders": ["Content-Type:application/json"]],
                    ]
                ]
            ]
        case "CreateArtifactFiles":
            var edges: [WandbValue] = []
            for file in variables["input"]?["artifactFiles"]?.listValue ?? [] {
                let id = file["artifactID"]?.stringValue ?? ""
                let name = file["name"]?.stringValue ?? ""
                let stored = "\(id)/\(name)"
                state.artifacts[id]?.files[name] = stored
                edges.append([
                    "node": [
                        "storagePath": .string(stored), "uploadUrl": address(stored),
                        "uploadHeaders": [.string("Content-MD5:\(file["md5"]?.stringValue ?? "")")],
                        "uploadMultipartUrls": nil, "artifact": ["id": .string(id)],
                    ]
                ])
            }
            return ["createArtifactFiles": ["files": ["edges": .list(edges)]]]
        case "CommitArtifact":
            let id = variables["artifactID"]?.stringValue ?? ""
            state.artifacts[id]?.committed = true
            return ["commitArtifact": ["artifact": ["id": .string(id), "digest": .string(state.artifacts[id]?.digest ?? "")]]]
        case "UseArtifact":
            state.usedArtifacts.append(variables["artifactID"]?.stringValue ?? "")
            return ["useArtifact": ["artifact": ["id": variables["artifactID"] ?? .null]]]
        case "ArtifactMembershipByName":
            let parts = (variables["name"]?.stringValue ?? "").split(separator: ":").map(String.init)
            let found = state.artifacts.values.first {
                $0.name == parts.first && ($0.aliases.contains(parts.last ?? "") || "v\($0.version)" == parts.last)
            }
            guard let found else { return ["project": ["artifactCollectionMembership": nil]] }
            return [
                "project": [
                    "artifactCollectionMembership": [
                        "versionIndex": .int(Int64(found.version)), "artifactCollection": ["name": .string(found.name)],
                        "artifact": [
                            "id": .string(found.id), "artifactType": ["name": .string(found.type)],
                            "metadata": found.metadata.map { .string($0) } ?? .null, "digest": .string(found.digest),
                        ],
                    ]
                ]
            ]
        case "FetchArtifactManifest":
            let id = variables["id"]?.stringValue ?? ""
            return ["artifact": ["currentManifest": ["file": ["directUrl": address("manifest-\(id)")]]]]
        case "GetArtifactMembershipFileUrls":
            let name = variables["collection"]?.stringValue
            let found = state.artifacts.values.first { $0.name == name && .string("v\($0.version)") == variables["alias"] }
            let edges = (found?.files ?? [:]).map { name, stored -> WandbValue in
                ["node": ["name": .string(name), "directUrl": address(stored)]]
            }
            return [
                "project": [
                    "artifactCollection": [
                        "artifactMembership": [
                            "files": ["pageInfo": ["hasNextPage": false], "edges": .list(edges)]
                        ]
                    ]
                ]
            ]
        case "UpsertSweep":
            return ["upsertSweep": ["sweep": ["name": "sweep1", "project": ["name": "demo", "entity": ["name": "testuser"]]]]]
        case "CreateAgent": return ["createAgent": ["agent": ["id": "agent1"]]]
        case "Heartbeat":
            state.heartbeats += 1
            let busy = (variables["runState"]?.stringValue ?? "{}") != "{}"
            if busy, let run = state.stopsAgentRun, (variables["runState"]?.stringValue ?? "").contains(run) {
                state.stopsAgentRun = nil
                return ["agentHeartbeat": ["agent": ["id": "agent1"], "commands": .string(#"[{"type":"stop","run_id":"\#(run)"}]"#)]]
            }
            let command = busy || state.agentCommands.isEmpty ? "[]" : state.agentCommands.removeFirst()
            return ["agentHeartbeat": ["agent": ["id": "agent1"], "commands": .string(command)]]
        case "Run", "Runs":
            let all = state.runs.values.sorted { $0.name < $1.name }.map { bucket -> WandbValue in
                [
                    "name": .string(bucket.name), "displayName": .string(bucket.displayName),
                    "state": bucket.complete ? "finished" : "running",
                    "config": .string(JSONWriter.text(bucket.config)),
                    "summaryMetrics": .string(JSONWriter.text(bucket.summary)), "tags": bucket.tags,
                ]
            }
            if operation == "Run" {
                return ["project": ["run": all.first { $0["name"] == variables["name"] } ?? .null]]
            }
            // One run to a page.
            let start = Int(variables["cursor"]?.stringValue ?? "0") ?? 0
            let edges: [WandbValue] = start < all.count ? [["node": all[start]]] : []
            return [
                "project": [
                    "runs": [
                        "edges": .list(edges),
                        "pageInfo": ["hasNextPage": .bool(start + 1 < all.count), "endCursor": .string("\(start + 1)")],
                    ]
                ]
            ]
        case "HistoryPage":
            let lines = state.runs[variables["run"]?.stringValue ?? ""]?.lines("wandb-history.jsonl") ?? []
            let low = variables["minStep"]?.intValue ?? 0
            let high = variables["maxStep"]?.intValue ?? 0
            let page = lines.filter {
                let step = (try? JSONReader.value($0))?["_step"]?.intValue ?? -1
                return step >= low && step < high
            }
            return [
                "project": [
                    "run": [
                        "historyLineCount": .int(Int64(lines.count)),
                        "historyKeys": ["lastStep": .int(Int64(lines.count - 1))],
                        "history": .list(page.map { .string($0) }),
                    ]
                ]
            ]
        default: return .null
        }
    }
}
