import LuaBridge
import NN
import Wandb

/// The module `wandb`: native functions on a run; Prelude/wandb.lua gives them their shape.
enum WandbModule {
    static func register(_ lua: Lua, _ tensor: UserdataType<Tensor>) throws {
        let type = UserdataType<Run>(lua, "wandb.Run", kind: "native_run")
        try lua.module("wandb", "wandb\nWeights & Biases: runs, rows, summaries, configuration.") { module in
            try type.build { _ in }
            let values = WandbValues(tensor)
            for declaration in functions(module.lua, type, values) + (try more(module.lua, type, values)) { try module.add(declaration) }
        }
    }

    private static func functions(_ lua: Lua, _ type: UserdataType<Run>, _ values: WandbValues) -> [Declaration] {
        let flag = InterruptFlag(lua.interruptFlag)
        return [
            Declaration("native_start(settings: table, config: table, program: string = nil) -> any\nStarts a run.") { call in
                try reporting {
                    var options = RunOptions()
                    options.config = try values.map(try call.value(1), "config")
                    options.program = call.stringIfPresent(2)
                    options.isInterrupted = { flag.isSet }
                    let settings = try Settings.load(arguments: try arguments(try call.value(0)))
                    let run = try Run.start(options, settings: settings)
                    // A run that a script does not finish ends with the program and its exit status.
                    call.lua.atExit { [weak run] status in run.map { SupersededRuns.end($0, status: status) } }
                    RunRecord.current?.started(run)
                    try call.push(run, type)
                }
            },
            Declaration("native_log(run: native_run, row: table, step: int = nil, commit: bool = nil)\nLogs a row.") { call in
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
            Declaration("native_configure(run: native_run, values: table)\nSets configuration values.") { call in
                try reporting { try call.object(0, type).updateConfig(try values.map(try call.value(1), "config")) }
            },
            Declaration("native_summary(run: native_run) -> table\nThe summary.") { call in
                try call.push(WandbValues.lua(.map(try call.object(0, type).summary)))
            },
            Declaration("native_summarize(run: native_run, name: string, value: any)\nSets a summary value.") { call in
                try reporting {
                    let name = try call.string(1)
                    try call.object(0, type).setSummary([name], to: try values.value(try call.value(2), "summary.\(name)"))
                }
            },
            Declaration(
                "native_define(run: native_run, name: string, step_metric: string = nil, step_sync: bool = nil, hidden: bool = false, goal: \"minimize\"|\"maximize\" = nil, summary: string = nil)\nDefines a metric."
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
                "native_alert(run: native_run, title: string, text: string = \"\", level: \"INFO\"|\"WARN\"|\"ERROR\" = \"INFO\")\nSends an alert."
            ) { call in
                try reporting {
                    try call.object(0, type).alert(
                        title: try call.string(1), text: try call.string(2),
                        level: Run.AlertLevel(rawValue: try call.string(3)) ?? .info)
                }
            },
            Declaration("native_finish(run: native_run, exit_code: int = 0)\nEnds the run.") { call in
                try call.object(0, type).finish(exitCode: Int32(truncatingIfNeeded: try call.int(1)))
            },
        ]
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

/// The script engine's interrupt flag, which threads of the logger may read.
struct InterruptFlag: @unchecked Sendable {
    private let flag: UnsafePointer<Int32>
    init(_ flag: UnsafePointer<Int32>) { self.flag = flag }
    var isSet: Bool { flag.pointee != 0 }
}
