import Synchronization
import Wandb

/// What a script did that is of interest after its end: kept while it is watched.
final class RunRecord: Sendable {
    private struct State {
        var runs: [Run] = []
        var metricsFile: String?
    }

    private let state = Mutex(State())
    private static let holder = Mutex<RunRecord?>(nil)

    /// The record of the script that runs now; nil: nobody wants one.
    static var current: RunRecord? {
        get { holder.withLock { $0 } }
        set { holder.withLock { $0 = newValue } }
    }

    func started(_ run: Run) { state.withLock { $0.runs.append(run) } }

    /// A file was written. What is called metrics.json holds numbers to compare.
    func wrote(_ path: String) {
        if Files.split(path).name == "metrics.json" { state.withLock { $0.metricsFile = path } }
    }

    /// The numbers that the script left: the summaries of its W&B runs; without a run its metrics.json.
    var metrics: [String: Double] {
        let (runs, file) = state.withLock { ($0.runs, $0.metricsFile) }
        var metrics: [String: Double] = [:]
        for run in runs { Self.collect(.map(run.summary), "", into: &metrics) }
        if metrics.isEmpty, let file, let bytes = try? Files.read(file), let values = try? Wandb.JSONReader.value(bytes) {
            Self.collect(values, "", into: &metrics)
        }
        return metrics
    }

    private static func collect(_ value: WandbValue, _ name: String, into metrics: inout [String: Double]) {
        if let map = value.mapValue {
            // `_step`, `_runtime` and the like say nothing of the model.
            for (key, value) in map.entries where !key.hasPrefix("_") {
                collect(value, name.isEmpty ? key : "\(name).\(key)", into: &metrics)
            }
        } else if let number = value.doubleValue {
            metrics[name] = number
        }
    }
}
