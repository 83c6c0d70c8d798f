/// What `define_metric` says of a metric, or of all metrics that a trailing `*` matches.
public struct MetricDefinition: Sendable, Equatable {
    public struct Summary: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }
        public static let min = Summary(rawValue: 1 << 1)
        public static let max = Summary(rawValue: 1 << 2)
        public static let mean = Summary(rawValue: 1 << 3)
        public static let best = Summary(rawValue: 1 << 4)
        public static let last = Summary(rawValue: 1 << 5)
        public static let none = Summary(rawValue: 1 << 6)
        public static let copy = Summary(rawValue: 1 << 7)
        public static let first = Summary(rawValue: 1 << 8)

        package static let names: [(String, Summary)] = [
            ("min", .min), ("max", .max), ("mean", .mean), ("best", .best), ("last", .last), ("none", .none),
            ("copy", .copy), ("first", .first),
        ]

        /// From `"min,max"`.
        public init(_ text: String) throws(WandbError) {
            self = []
            for part in text.split(separator: ",") {
                let name = part.trimmed.lowercased()
                guard let known = Self.names.first(where: { $0.0 == name }) else {
                    throw .usage(
                        "define_metric: summary is '\(name)'; expected one or more of "
                            + Self.names.map(\.0).joined(separator: ", "))
                }
                insert(known.1)
            }
        }
    }

    public enum Goal: String, Sendable { case minimize, maximize }

    public let name: String
    public let stepMetric: String?
    public let stepSync: Bool
    public let hidden: Bool
    public let goal: Goal?
    public let summary: Summary

    public init(
        _ name: String, stepMetric: String? = nil, stepSync: Bool? = nil, hidden: Bool = false, goal: Goal? = nil,
        summary: Summary = []
    ) throws(WandbError) {
        guard !name.isEmpty else { throw .usage("define_metric: the name is empty") }
        guard !name.dropLast().contains("*") else {
            throw .usage("define_metric: '\(name)': only one '*' at the end is allowed")
        }
        if let stepMetric, stepMetric.contains("*") {
            throw .usage("define_metric: step_metric is '\(stepMetric)'; a pattern cannot be a step metric")
        }
        if summary.contains(.best), goal == nil {
            throw .usage("define_metric: '\(name)': summary 'best' needs a goal: minimize or maximize")
        }
        self.name = name
        self.stepMetric = stepMetric
        self.stepSync = stepSync ?? (stepMetric != nil)
        self.hidden = hidden
        self.goal = goal
        self.summary = summary
    }

    package var isGlob: Bool { name.hasSuffix("*") }

    /// Keys that start with `_` are W&B's own: no pattern matches them.
    package func matches(_ other: String) -> Bool {
        isGlob ? !other.hasPrefix("_") && other.hasPrefix(name.dropLast()) : name == other
    }

    package var record: WBMetricRecord {
        var record = WBMetricRecord()
        if isGlob { record.globName = name } else { record.name = name }
        record.stepMetric = stepMetric ?? ""
        if stepSync { record.options.stepSync = true }
        if hidden { record.options.hidden = true }
        record.options.defined = !isGlob
        if !summary.isEmpty {
            record.summary.min = summary.contains(.min)
            record.summary.max = summary.contains(.max)
            record.summary.mean = summary.contains(.mean)
            record.summary.best = summary.contains(.best)
            record.summary.last = summary.contains(.last)
            record.summary.none = summary.contains(.none)
            record.summary.copy = summary.contains(.copy)
            record.summary.first = summary.contains(.first)
        }
        record.goal = goal.map { $0 == .minimize ? .goalMinimize : .goalMaximize } ?? .goalUnset
        return record
    }

    /// A metric's name as `define_metric` writes it: levels separated by dots, dots inside a key escaped.
    package static func name(of path: [String]) -> String {
        path.map { $0.contains(".") ? $0.split(separator: ".", omittingEmptySubsequences: false).joined(separator: "\\.") : $0 }
            .joined(separator: ".")
    }

    /// The reverse of `name(of:)`.
    package static func path(of name: String) -> [String] {
        var path = [""]
        var escaped = false
        for character in name {
            if escaped {
                if character != "." { path[path.count - 1].append("\\") }
                path[path.count - 1].append(character)
                escaped = false
            } else if character == "\\" {
                escaped = true
            } else if character == "." {
                path.append("")
            } else {
                path[path.count - 1].append(character)
            }
        }
        if escaped { path[path.count - 1].append("\\") }
        return path
    }
}

/// The running values that a metric's summary is made of.
package struct Aggregate: Sendable {
    package let wanted: MetricDefinition.Summary
    package let goal: MetricDefinition.Goal?
    private var low = Double.nan
    private var high = Double.nan
    private var sum = 0.0
    private var count = 0.0
    private var first: WandbValue?
    private var last: WandbValue?
    private var seen = false

    package init(_ definition: MetricDefinition) {
        wanted = definition.summary
        goal = definition.goal
    }

    package mutating func add(_ value: WandbValue) {
        last = value
        if first == nil { first = value }
        guard let number = value.doubleValue else { return }
        // As comparison has it: a NaN replaces nothing, and nothing but a first value replaces a NaN.
        if !seen {
            (low, high, seen) = (number, number, true)
        } else {
            if number < low { low = number }
            if number > high { high = number }
        }
        sum += number
        count += 1
    }

    /// Only what was asked for.
    package var value: WandbValue? {
        if wanted.contains(.none) { return nil }
        if wanted.contains(.copy) { return last }
        var map = WandbMap()
        if seen {
            if wanted.contains(.min) { map["min"] = .double(low) }
            if wanted.contains(.max) { map["max"] = .double(high) }
            if wanted.contains(.mean) { map["mean"] = .double(sum / count) }
            if wanted.contains(.best) { map["best"] = .double(goal == .maximize ? high : low) }
        }
        if wanted.contains(.last) { map["last"] = last }
        if wanted.contains(.first) { map["first"] = first }
        return .map(map)
    }
}
