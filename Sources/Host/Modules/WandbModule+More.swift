import LuaBridge
import NN
import Wandb

/// A version of an artifact on the server, for Lua.
final class WandbRemoteArtifactBox {
    let artifact: RemoteArtifact
    init(_ artifact: RemoteArtifact) { self.artifact = artifact }
}

/// A file of such a version.
final class WandbEntryBox {
    let entry: Artifact.Entry
    let artifactID: String
    init(_ entry: Artifact.Entry, _ artifactID: String) { (self.entry, self.artifactID) = (entry, artifactID) }
}

final class WandbAgentBox {
    let agent: SweepAgent
    var assignment: SweepAgent.Assignment?
    init(_ agent: SweepAgent) { self.agent = agent }
}

final class WandbAPIBox {
    let api: PublicAPI
    init(_ api: PublicAPI) { self.api = api }
}

/// Media, files, artifacts, sweeps and queries.
extension WandbModule {
    static func more(_ lua: Lua, _ run: UserdataType<Run>, _ values: WandbValues) throws -> [Declaration] {
        let media = UserdataType<WandbMediaBox>(lua, "wandb.Media", kind: "wandb_media")
        try media.build { _ in }
        return try mediaFunctions(media, WandbMediaReader(values: values)) + fileFunctions(run)
            + artifactFunctions(lua, run, values, media) + sweepFunctions(lua, values) + apiFunctions(lua, values)
    }

    private static func mediaFunctions(_ type: UserdataType<WandbMediaBox>, _ reader: WandbMediaReader) -> [Declaration] {
        func give(_ call: Call, _ make: () throws -> Media) throws {
            try reporting { try call.push(WandbMediaBox(try make()), type) }
        }
        return [
            Declaration("wandb.Image(source: any, options: any = nil)\nA picture.", field: "native_image") { call in
                try give(call) { .image(try reader.image(try call.value(0), try call.value(1))) }
            },
            Declaration("wandb.Histogram(values: any, bins: int = 64)\nA histogram.", field: "native_histogram") { call in
                try give(call) { .histogram(try reader.histogram(try call.value(0), bins: try call.int(1))) }
            },
            Declaration("wandb.Table(columns: list, data: list)\nA table.", field: "native_table") { call in
                try give(call) { .table(try reader.table(columns: try call.value(0), data: try call.value(1))) }
            },
            Declaration("wandb.Html(text: string)\nA page.", field: "native_html") { call in
                try give(call) { .html(try call.string(0)) }
            },
        ] + WandbMediaReader.charts.map { kind in
            Declaration("wandb.plot.\(kind)(arguments: options)\nA chart.", field: "native_chart_\(kind)") { call in
                try give(call) { .chart(try reader.chart(kind, try call.value(0))) }
            }
        }
    }

    private static func fileFunctions(_ type: UserdataType<Run>) -> [Declaration] {
        [
            Declaration(
                "run:save(run: native_run, glob: string, base: string = nil, policy: \"live\"|\"now\"|\"end\" = \"live\") -> any\nKeeps files.", field: "native_save"
            ) { call in
                try reporting {
                    let policy = Run.SavePolicy(rawValue: try call.string(3)) ?? .live
                    let names = try call.object(0, type).save(try call.string(1), base: call.stringIfPresent(2), policy: policy)
                    try call.push(.list(names.map { .string($0) }))
                }
            },
            Declaration("native_save_code(run: native_run, files: list)\nKeeps code.") { call in
                try reporting { try call.object(0, type).saveCode(try call.list(1).compactMap(\.asString)) }
            },
            Declaration("native_saves_code(run: native_run) -> bool\nWhether code is to be kept.") { call in
                call.push(try call.object(0, type).savesCode)
            },
            Declaration("native_console(run: native_run, text: string, is_error: bool = false)\nTerminal output.") { call in
                try call.object(0, type).console(try call.string(1), try call.bool(2) ? .error : .output)
            },
            Declaration("native_remove_summary(run: native_run, name: string)\nTakes a value out of the summary.") { call in
                try call.object(0, type).removeSummary([try call.string(1)])
            },
            Declaration("native_stopped(run: native_run) -> bool\nWhether somebody has stopped the run.") { call in
                call.push(try call.object(0, type).isStopRequested)
            },
            Declaration("native_resumed(run: native_run) -> bool\nWhether the run goes on from an earlier one.") { call in
                call.push(try call.object(0, type).isResumed)
            },
        ]
    }

    private static func artifactFunctions(
        _ lua: Lua, _ run: UserdataType<Run>, _ values: WandbValues, _ media: UserdataType<WandbMediaBox>
    ) throws -> [Declaration] {
        let type = UserdataType<Artifact>(lua, "wandb.Artifact", kind: "native_artifact")
        let remote = UserdataType<WandbRemoteArtifactBox>(lua, "wandb.RemoteArtifact", kind: "native_remote_artifact")
        let entry = UserdataType<WandbEntryBox>(lua, "wandb.ArtifactEntry", kind: "native_artifact_entry")
        try type.build { _ in }
        try remote.build { _ in }
        try entry.build { _ in }
        func adding(_ method: String, _ body: @escaping (Call, Artifact, String?) throws -> Void) -> Declaration {
            Declaration(
                "Artifact:\(method)(artifact: native_artifact, what: any, name: string = nil)\nAdds to it.", field: "native_artifact_\(method)"
            ) { call in
                try reporting { try body(call, try call.object(0, type), call.stringIfPresent(2)) }
            }
        }
        return [
            adding("add_file") { call, artifact, name in try artifact.addFile(try call.string(1), as: name) },
            adding("add_dir") { call, artifact, name in try artifact.addDirectory(try call.string(1), as: name) },
            adding("add_reference") { call, artifact, name in
                if let entry = call.objectIfPresent(1, entry) {
                    try artifact.addReference(to: entry.entry, of: entry.artifactID, as: name)
                } else {
                    try artifact.addReference(try call.string(1), as: name)
                }
            },
            adding("add") { call, artifact, name in
                guard let box = call.objectIfPresent(1, media), case .table(let table) = box.media, let name else {
                    throw LuaError("expected a wandb.Table and a name")
                }
                try artifact.add(table, as: name)
            },
            Declaration(
                "wandb.Artifact(name: string, type: string, description: string = \"\", metadata: options = nil)\nAn artifact.", field: "native_artifact"
            ) { call in
                try reporting {
                    let metadata = call.isNil(3) ? WandbMap() : try values.map(try call.value(3), "metadata")
                    let artifact = try Artifact(
                        try call.string(0), type: try call.string(1), description: try call.string(2), metadata: metadata)
                    try call.push(artifact, type)
                }
            },
            Declaration("native_artifact_digest(artifact: native_artifact) -> string\nIts digest.") { call in
                try call.push(try call.object(0, type).digest)
            },
            Declaration("run:log_artifact(run: native_run, artifact: native_artifact, aliases: list = nil)\nLogs it.", field: "native_log_artifact") { call in
                try reporting {
                    let aliases = call.isNil(2) ? [] : try call.list(2).compactMap(\.asString)
                    try call.object(0, run).log(try call.object(1, type), aliases: aliases)
                }
            },
            Declaration("Artifact:wait(run: native_run, artifact: native_artifact, seconds: number)\nWaits for it.", field: "native_wait_artifact") { call in
                try reporting { try call.object(0, run).wait(for: try call.object(1, type), seconds: try call.number(2)) }
            },
            Declaration("run:use_artifact(run: native_run, name: string)\nFinds one.", field: "native_use_artifact") { call in
                try reporting {
                    try call.push(WandbRemoteArtifactBox(try call.object(0, run).use(try call.string(1))), remote)
                }
            },
            Declaration("Api:artifact(name: string)\nFinds one without a run.", field: "native_api_artifact") { call in
                try reporting {
                    let api = try PublicAPI(settings: try Settings.load())
                    try call.push(WandbRemoteArtifactBox(try api.artifact(try call.string(0))), remote)
                }
            },
            Declaration("Api:artifacts(type: string, path: string)\nAll versions.", field: "native_api_artifacts") { call in
                try reporting {
                    let api = try PublicAPI(settings: try Settings.load())
                    let found = try api.artifacts(type: try call.string(0), try call.string(1))
                    try call.push(list: found.map(WandbRemoteArtifactBox.init), remote)
                }
            },
            Declaration("native_remote_facts(artifact: native_remote_artifact) -> table\nWhat it is.") { call in
                let artifact = try call.object(0, remote).artifact
                try call.push(
                    .fields([
                        ("id", .string(artifact.id)), ("name", .string(artifact.name)), ("type", .string(artifact.type)),
                        ("version", .string("v\(artifact.version)")), ("digest", .string(artifact.digest)),
                        ("entity", .string(artifact.entity)), ("project", .string(artifact.project)),
                        ("description", .string(artifact.description)), ("size", .int(Int(artifact.size))),
                        ("aliases", .list(artifact.aliases.map { .string($0) })),
                        ("metadata", WandbValues.lua(.map(artifact.metadata))),
                    ]))
            },
            Declaration("Artifact:files(artifact: native_remote_artifact) -> any\nThe names of its files.", field: "native_remote_files") { call in
                try reporting { try call.push(.list(try call.object(0, remote).artifact.entries().map { .string($0.path) })) }
            },
            Declaration("Artifact:get_entry(artifact: native_remote_artifact, name: string)\nA file of it.", field: "native_remote_entry") { call in
                try reporting {
                    let artifact = try call.object(0, remote).artifact
                    let name = try call.string(1)
                    guard let found = try artifact.entries().first(where: { $0.path == name }) else {
                        throw LuaError("there is no file '\(name)' in \(artifact.name)")
                    }
                    try call.push(WandbEntryBox(found, artifact.id), entry)
                }
            },
            Declaration("Artifact:download(artifact: native_remote_artifact, root: string = nil) -> string\nFetches it.", field: "native_remote_download") { call in
                try reporting { try call.push(try call.object(0, remote).artifact.download(to: call.stringIfPresent(1))) }
            },
        ]
    }

    private static func sweepFunctions(_ lua: Lua, _ values: WandbValues) throws -> [Declaration] {
        let type = UserdataType<WandbAgentBox>(lua, "wandb.Agent", kind: "native_agent")
        try type.build { _ in }
        let flag = lua.interruptFlag
        return [
            Declaration("wandb.sweep(config: options, settings: options) -> string\nCreates a sweep.", field: "native_sweep") { call in
                try reporting {
                    let settings = try Settings.load(arguments: try arguments(try call.value(1)))
                    let sweep = try Sweep.create(
                        try values.map(try call.value(0), "sweep"), settings: settings, isInterrupted: { flag.isSet })
                    for warning in sweep.warnings { Notices.standardError("wandb: WARNING \(warning)") }
                    try call.push(sweep.id)
                }
            },
            Declaration("wandb.agent(sweep: string, settings: options)\nAn agent of a sweep.", field: "native_agent") { call in
                try reporting {
                    let settings = try Settings.load(arguments: try arguments(try call.value(1)))
                    let agent = try SweepAgent(try call.string(0), settings: settings, isInterrupted: { flag.isSet })
                    try call.push(WandbAgentBox(agent), type)
                }
            },
            Declaration("wandb.agent(agent: native_agent) -> any\nThe next run: its settings and its config.", field: "native_agent_next") { call in
                let box = try call.object(0, type)
                try reporting {
                    if let done = box.assignment { box.agent.finished(done) }
                    box.assignment = try box.agent.next(isInterrupted: { flag.isSet })
                    guard let next = box.assignment else { return call.pushNil() }
                    let settings = box.agent.settings(for: next)
                    try call.push(
                        .fields([
                            ("run_id", .string(next.runID)), ("sweep_id", .string(box.agent.sweepID)),
                            ("project", settings.project.map { .string($0) } ?? .nil),
                            ("entity", settings.entity.map { .string($0) } ?? .nil),
                            ("config", WandbValues.lua(.map(next.config))),
                        ]))
                }
            },
            Declaration("native_agent_stopped(agent: native_agent, run_id: string) -> bool\nWhether the server wants the run to end.") { call in
                call.push(try call.object(0, type).agent.isStopped(try call.string(1)))
            },
            Declaration("native_agent_close(agent: native_agent)\nEnds it.") { call in try call.object(0, type).agent.close() },
        ]
    }

    private static func apiFunctions(_ lua: Lua, _ values: WandbValues) throws -> [Declaration] {
        let type = UserdataType<WandbAPIBox>(lua, "wandb.Api", kind: "native_api")
        try type.build { _ in }
        let flag = lua.interruptFlag
        func table(_ run: PublicAPI.RunFacts) -> LuaValue {
            .fields([
                ("id", .string(run.id)), ("name", .string(run.name)), ("entity", .string(run.entity)),
                ("project", .string(run.project)), ("state", .string(run.state)), ("url", .string(run.url)),
                ("config", WandbValues.lua(.map(run.config))), ("summary", WandbValues.lua(.map(run.summary))),
                ("tags", .list(run.tags.map { .string($0) })), ("created_at", .string(run.createdAt)),
                ("group", run.group.map { .string($0) } ?? .nil), ("job_type", run.jobType.map { .string($0) } ?? .nil),
            ])
        }
        return [
            Declaration("wandb.Api(settings: options)\nQueries.", field: "native_api") { call in
                try reporting {
                    let settings = try Settings.load(arguments: try arguments(try call.value(0)))
                    try call.push(WandbAPIBox(try PublicAPI(settings: settings, isInterrupted: { flag.isSet })), type)
                }
            },
            Declaration(
                "Api:runs(api: native_api, path: string, filters: options = nil, order: string = \"+created_at\", most: int = nil) -> any\nRuns.", field: "native_api_runs"
            ) { call in
                try reporting {
                    let filters = call.isNil(2) ? WandbMap() : try values.map(try call.value(2), "filters")
                    let runs = try call.object(0, type).api.runs(
                        try call.string(1), filters: filters, order: try call.string(3), most: call.intIfPresent(4) ?? .max)
                    try call.push(.list(runs.map(table)))
                }
            },
            Declaration("Api:run(api: native_api, path: string) -> any\nA run.", field: "native_api_run") { call in
                try reporting { try call.push(table(try call.object(0, type).api.run(try call.string(1)))) }
            },
            Declaration("ApiRun:history(api: native_api, path: string, keys: list = nil) -> any\nRows.", field: "native_api_history") { call in
                try reporting {
                    let api = try call.object(0, type).api
                    let keys = call.isNil(2) ? [] : try call.list(2).compactMap(\.asString)
                    let rows = try api.history(of: try api.run(try call.string(1)), keys: keys)
                    try call.push(.list(rows.map { WandbValues.lua(.map($0)) }))
                }
            },
        ]
    }
}
