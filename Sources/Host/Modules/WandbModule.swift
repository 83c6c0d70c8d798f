import LuaBridge
import NN
import Wandb

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The module `wandb`: native functions on a run; Prelude/wandb.lua gives them their shape.
enum WandbModule {
    static func register(_ lua: Lua, _ tensor: UserdataType<Tensor>) throws {
        let type = UserdataType<Run>(lua, "wandb.Run", kind: "native_run")
        try lua.module("wandb", "wandb\nWeights & Biases: runs, rows, summaries, configuration.") { module in
            try type.build { _ in }
            module.lua.docs.addModule("wandb.plot", text: "wandb.plot\nCharts of tables, drawn by the server.")
            let values = WandbValues(tensor)
            for declaration in functions(module.lua, type, values) + (try more(module.lua, type, values)) { try module.add(declaration) }
        }
    }

    private static func functions(_ lua: Lua, _ type: UserdataType<Run>, _ values: WandbValues) -> [Declaration] {
        let flag = lua.interruptFlag
        return [
            Declaration("wandb.init(settings: table, config: table, program: string = nil, in_agent: bool = false, at_end: function = nil) -> any\nStarts a run.", field: "native_start") { call in
                try reporting {
                    var options = RunOptions()
                    options.program = call.stringIfPresent(2)
                    options.isInterrupted = { flag.isSet }
                    WandbTerminal.prepare(&options)
                    options.arguments = scriptArguments(try call.lua.global("arg"))
                    options.packages = [("host", HostCommand.number), ("lua", "5.4")]
                    // An agent's run ends alone, at its next row; any other takes the script with it, as Ctrl-C would.
                    if try !call.bool(3) {
                        options.onStop = {
                            Notices.standardError("wandb: the run was stopped on its page")
                            kill(getpid(), SIGINT)
                        }
                    }
                    let settings = try Settings.load(arguments: try arguments(try call.value(0)))
                    options.config = try sweepConfig(settings, over: try values.map(try call.value(1), "config"), values)
                    let run = try Run.start(options, settings: settings)
                    ConsoleCapture.install()
                    // A run that a script does not finish ends with the program and its exit status.
                    let atEnd = call.isNil(4) ? nil : try call.function(4)
                    call.lua.atExit(while: { [weak run] in run.map { !$0.isFinished } ?? false }) { [weak run, unowned lua = call.lua] status in
                        guard let run, !run.isFinished else { return }
                        if let atEnd { _ = try? lua.call(atEnd, []) }
                        SupersededRuns.end(run, status: exitCode(of: status))
                    }
                    RunRecord.current?.started(run)
                    try call.push(run, type)
                }
            },
            Declaration("run:log(run: native_run, row: table, step: int = nil, commit: bool = nil)\nLogs a row.", field: "native_log", fast: true) { call in
                if let run = call.objectIfPresent(0, type), try logScalars(call, run) { return }
                let call = try call.checked()
                let run = try call.object(0, type)
                try reporting {
                    try run.log(
                        try values.map(try call.value(1), ""), step: call.intIfPresent(2).map(Int64.init), commit: call.boolIfPresent(3))
                }
                if run.isStopRequested { throw LuaError("the run was stopped on its page") }
            },
            Declaration("native_field(run: native_run, name: string) -> any\nA fact about the run.") { call in
                let run = try call.object(0, type)
                let text: String? =
                    switch try call.string(1) {
                    case "id": run.id
                    case "name": run.name
                    case "project": run.project
                    case "entity": run.entity
                    case "url": run.url
                    case "dir": run.filesPath
                    case "mode": run.mode.rawValue
                    case "notes": run.notes
                    default: nil
                    }
                if let text { try call.push(text) } else { call.pushNil() }
            },
            Declaration("native_step(run: native_run) -> int\nThe step of the next row.") { call in
                call.push(Int(try call.object(0, type).step))
            },
            Declaration("native_config(run: native_run) -> table\nThe configuration.") { call in
                try call.push(WandbValues.lua(.map(try call.object(0, type).config)))
            },
            Declaration("run.config(run: native_run, values: table)\nSets configuration values.", field: "native_configure") { call in
                try reporting { try call.object(0, type).updateConfig(try values.map(try call.value(1), "")) }
            },
            Declaration("native_summary(run: native_run) -> table\nThe summary.") { call in
                try call.push(WandbValues.lua(.map(try call.object(0, type).summary)))
            },
            Declaration("run.summary(run: native_run, name: string, value: any)\nSets a summary value.", field: "native_summarize") { call in
                try reporting {
                    let name = try call.string(1)
                    try call.object(0, type).setSummary([name], to: try values.value(try call.value(2), name))
                }
            },
            Declaration(
                "run:define_metric(run: native_run, name: string, step_metric: string = nil, step_sync: bool = nil, hidden: bool = false, goal: \"minimize\"|\"maximize\" = nil, summary: string = nil)\nDefines a metric.", field: "native_define"
            ) { call in
                try reporting {
                    let metric = try MetricDefinition(
                        try call.string(1), stepMetric: call.stringIfPresent(2), stepSync: call.boolIfPresent(3),
                        hidden: try call.bool(4), goal: call.stringIfPresent(5).flatMap { MetricDefinition.Goal(rawValue: $0) },
                        summary: try call.stringIfPresent(6).map { try MetricDefinition.Summary($0) } ?? [])
                    try call.object(0, type).define(metric)
                }
            },
            Declaration(
                "run:alert(run: native_run, title: string, text: string = \"\", level: \"INFO\"|\"WARN\"|\"ERROR\" = \"INFO\")\nSends an alert.", field: "native_alert"
            ) { call in
                try reporting {
                    try call.object(0, type).alert(
                        title: try call.string(1), text: try call.string(2),
                        level: Run.AlertLevel(rawValue: try call.string(3)) ?? .info)
                }
            },
            Declaration("run(run: native_run, name: string = nil, tags: list = nil, notes: string = nil)\nRenames.", field: "native_relabel") { call in
                try reporting {
                    let tags = call.isNil(2) ? nil : try call.list(2).map { tag -> String in
                        guard let text = tag.asString else { throw WandbFailure(description: "run.tags: expected strings, got \(tag.kindName)") }
                        return text
                    }
                    try call.object(0, type).relabel(name: call.stringIfPresent(1), tags: tags, notes: call.stringIfPresent(3))
                }
            },
            Declaration("native_tags(run: native_run) -> any\nThe tags.") { call in
                try call.push(.list(try call.object(0, type).tags.map { .string($0) }))
            },
            Declaration("run:supersede(run: native_run, successor: string = nil)\nEnds the run for a newer one.", field: "native_supersede") { call in
                try call.object(0, type).supersede(by: call.stringIfPresent(1))
            },
            Declaration("run:finish(run: native_run, exit_code: int = 0)\nEnds the run.", field: "native_finish") { call in
                try call.object(0, type).finish(exitCode: Int32(truncatingIfNeeded: try call.int(1)))
            },
        ]
    }

    /// The row of a training loop: numbers under plain names. False when it is another.
    private static func logScalars(_ call: Call, _ run: Run) throws -> Bool {
        let step = call.intIfPresent(2)
        guard step != nil || call.isNil(2), call.isNil(3) || call.kind(3) == .bool,
            call.scalars(1, { key, _ in key.first != UInt8(ascii: "_") })
        else { return false }
        try reporting {
            try run.logScalars(step: step.map(Int64.init), commit: call.boolIfPresent(3)) { put in
                _ = call.scalars(1) { key, value in
                    switch value {
                    case .bool(let flag): put(key, .bool(flag))
                    case .int(let number): put(key, .int(Int64(number)))
                    case .number(let number): put(key, .double(number))
                    }
                    return true
                }
            }
        }
        if run.isStopRequested { throw LuaError("the run was stopped on its page") }
        return true
    }

    /// `arg` holds the program's own words at 0 and below.
    private static func scriptArguments(_ value: LuaValue) -> [String] {
        guard case .map(let fields) = value else { return [] }
        let words = fields.compactMap { field -> (Int, String)? in
            guard let number = field.key.asInt, number > 0, let word = field.value.asString else { return nil }
            return (number, word)
        }
        return words.sorted { $0.0 < $1.0 }.map(\.1)
    }

    /// W&B's own client says 255 after Ctrl-C.
    private static func exitCode(of status: Int32) -> Int32 { status == ExitCode.signal(SIGINT) ? 255 : status }

    /// An agent that starts scripts writes what they shall try into a file.
    private static func sweepConfig(_ settings: Settings, over config: WandbMap, _ values: WandbValues) throws -> WandbMap {
        guard let path = settings.sweepParamPath else { return config }
        let bytes = try Files.read(path)
        var merged = config
        for entry in try values.map(try YAMLReader.document(bytes), path).entries where entry.key != "wandb_version" {
            merged[entry.key] = entry.value["value"] ?? entry.value
        }
        return merged
    }

    /// Setting names and their texts.
    static func arguments(_ value: LuaValue) throws -> [(name: String, value: String)] {
        guard case .map(let fields) = value else { return [] }
        return try fields.map { field in
            guard let name = field.key.asString else { throw LuaError("settings: expected names, got \(field.key.kindName)") }
            let text: String
            switch field.value {
            case .string(let value): text = value
            case .bool(let value): text = value ? "true" : "false"
            case .int(let value): text = String(value)
            case .number(let value): text = String(value)
            case .list(let items): text = items.compactMap(\.asString).joined(separator: ",")
            default: throw LuaError("settings: \(name) must be a string, number, boolean or list of strings, got \(field.value.kindName)")
            }
            return (name, text)
        }
    }

    static func reporting<R>(_ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as WandbError { throw WandbFailure(description: error.description) }
    }
}

/// A failure whose text is complete.
private struct WandbFailure: Error, CustomStringConvertible {
    let description: String
}
