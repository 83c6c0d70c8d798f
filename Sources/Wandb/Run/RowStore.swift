#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Rows, their steps, and the summary that follows from them. Rows mostly hold the same keys in the same order:
/// the slots of the last row are tried first, so that a steady loop neither hashes nor allocates.
struct RowStore {
    private(set) var slots: [MetricSlot] = []
    private var topLevel: [String: Int] = [:]
    private var nested: [[String]: Int] = [:]
    private var hint: [Int] = []
    private var position = 0
    private var definitions: [String: MetricDefinition] = [:]
    private var globs: [MetricDefinition] = []
    private var dirty: [Int] = []
    private var removed: [Int] = []

    /// The step of the open row.
    private(set) var step: Int64 = 0
    private struct Entry {
        let slot: Int
        var value: RowValue
    }
    private var row: [Entry] = []
    /// Values of the open row that are not plain.
    private var others: [WandbValue] = []
    private var hasStepMetrics = false
    private(set) var isOpen = false
    /// Whether the script gives its rows their steps, so that a retried run gives the same row the same step.
    var stepsAreNamed = false
    /// Of the open row, else of the last one.
    var timestamp = 0.0
    /// The last closed row's.
    private(set) var lastStep: Int64?
    private(set) var encoded = ProtoBuffer()
    private var summaryBody = ProtoBuffer()

    private static let stepPath = ProtoBuffer.path(["_step"])
    private static let timestampPath = ProtoBuffer.path(["_timestamp"])
    private static let runtimePath = ProtoBuffer.path(["_runtime"])
    private let openings = (
        step: ProtoBuffer.opening(["_step"]), timestamp: ProtoBuffer.opening(["_timestamp"]), runtime: ProtoBuffer.opening(["_runtime"])
    )
    private static let wandbRuntimePath = ProtoBuffer.path(["_wandb", "runtime"])

    mutating func start(at step: Int64) { self.step = step }

    // MARK: Slots

    mutating func slot(of path: [String]) -> Int {
        if path.count == 1 {
            if let known = topLevel[path[0]] { return known }
        } else if let known = nested[path] {
            return known
        }
        let index = slots.count
        slots.append(MetricSlot(path: path))
        if path.count == 1 { topLevel[path[0]] = index } else { nested[path] = index }
        apply(definition(for: slots[index].name), to: index)
        return index
    }

    private func definition(for name: String) -> MetricDefinition? {
        definitions[name] ?? globs.last { $0.matches(name) }
    }

    private mutating func apply(_ definition: MetricDefinition?, to index: Int) {
        guard let definition else { return }
        slots[index].skipsSummary = definition.summary.contains(.none)
        let aggregated: MetricDefinition.Summary = [.min, .max, .mean, .best, .last, .first]
        slots[index].aggregate = definition.summary.isDisjoint(with: aggregated) ? nil : Aggregate(definition)
        if let stepMetric = definition.stepMetric, definition.stepSync, stepMetric != "_step" {
            slots[index].stepSlot = slot(of: MetricDefinition.path(of: stepMetric))
            hasStepMetrics = true
        } else {
            slots[index].stepSlot = -1
        }
    }

    mutating func define(_ definition: MetricDefinition) {
        if definition.isGlob {
            globs.removeAll { $0.name == definition.name }
            globs.append(definition)
        } else {
            definitions[definition.name] = definition
        }
        for index in slots.indices where definition.matches(slots[index].name) {
            if !definition.isGlob || definitions[slots[index].name] == nil { apply(definition, to: index) }
        }
    }

    // MARK: Rows

    /// Whether a row for `step` would come too late.
    func isPast(_ step: Int64) -> Bool { step < self.step }

    mutating func add(_ values: WandbMap) {
        isOpen = true
        var position = 0
        for entry in values.entries {
            switch entry.value {
            case .map(let map): addLeaves(of: map, below: [entry.key])
            default:
                let index: Int
                if position < hint.count, slots[hint[position]].path.count == 1,
                    slots[hint[position]].path[0] == entry.key
                {
                    index = hint[position]
                } else {
                    index = slot(of: [entry.key])
                }
                put(entry.value, in: index)
            }
            position += 1
        }
    }

    mutating func beginValues() {
        isOpen = true
        position = 0
    }

    /// Takes the next value of a row whose keys mostly are those of the last one, in the same order.
    mutating func add(_ key: UnsafeRawBufferPointer, _ value: WandbValue) {
        defer { position += 1 }
        if position < hint.count, Self.isSame(slots[hint[position]].key, key) {
            put(value, in: hint[position])
        } else {
            put(value, in: slot(of: [String(decoding: key, as: UTF8.self)]))
        }
    }

    private static func isSame(_ own: [UInt8], _ key: UnsafeRawBufferPointer) -> Bool {
        own.count == key.count && own.withUnsafeBytes { own in
            guard let left = own.baseAddress, let right = key.baseAddress else { return false }
            return memcmp(left, right, key.count) == 0
        }
    }

    private mutating func addLeaves(of map: WandbMap, below path: [String]) {
        for entry in map.entries {
            if case .map(let inner) = entry.value {
                addLeaves(of: inner, below: path + [entry.key])
            } else {
                put(entry.value, in: slot(of: path + [entry.key]))
            }
        }
    }

    private mutating func put(_ value: WandbValue, in index: Int) {
        if let plain = RowValue(value) { return put(plain, in: index) }
        others.append(value)
        put(RowValue(other: others.count - 1), in: index)
    }

    private mutating func put(_ value: RowValue, in index: Int) {
        let position = slots[index].rowPosition
        if position >= 0 {
            row[position].value = value
        } else {
            slots[index].rowPosition = row.count
            row.append(Entry(slot: index, value: value))
        }
    }

    /// Encodes the open row as the body of a history record.
    mutating func encodeRow(runtime: Double) {
        if hasStepMetrics {
            for position in row.indices {
                let stepSlot = slots[row[position].slot].stepSlot
                if stepSlot >= 0, slots[stepSlot].rowPosition < 0, let latest = slots[stepSlot].last.value {
                    put(latest, in: stepSlot)
                }
            }
        }
        encoded.clear()
        for entry in row {
            if entry.value.kind == .other {
                let value = others[Int(entry.value.bits)]
                encoded.item(slots[entry.slot].opening) { JSONWriter.append(value, to: &$0) }
            } else {
                encoded.item(slots[entry.slot].opening) { entry.value.append(to: &$0) }
            }
        }
        encoded.item(openings.timestamp) { JSONWriter.append(timestamp, to: &$0) }
        encoded.item(openings.runtime) { JSONWriter.append(runtime, to: &$0) }
        let step = step
        encoded.item(openings.step) { JSONWriter.append(step, to: &$0) }
        let mark = stepsAreNamed ? WBHistoryRecord.namedStepMark : []
        let stepSize = step == 0 ? 0 : 1 + ProtoBuffer.varintSize(UInt64(bitPattern: step))
        encoded.bytes.append(0x12)
        encoded.bytes.append(UInt8(stepSize + mark.count))
        if step != 0 { encoded.int64(field: 1, step) }
        encoded.bytes.append(contentsOf: mark)
    }

    /// Ends the open row: its values go into the summary, and the next row has the next step, or `next`.
    mutating func closeRow(next: Int64? = nil) {
        if hint.count != row.count { hint = row.map(\.slot) }
        for position in row.indices {
            let (slot, value) = (row[position].slot, row[position].value)
            hint[position] = slot
            slots[slot].rowPosition = -1
            if value.kind == .other {
                let value = others[Int(value.bits)]
                summarize(value, in: slot)
                slots[slot].last.set(value)
            } else {
                summarize(value, in: slot)
                slots[slot].last.set(value)
            }
        }
        row.removeAll(keepingCapacity: true)
        if !others.isEmpty { others.removeAll(keepingCapacity: true) }
        isOpen = false
        lastStep = step
        step = next ?? (step &+ 1)
    }

    /// Moves to a later step without a row.
    mutating func skip(to step: Int64) {
        self.step = step
        stepsAreNamed = true
    }

    private mutating func summarize(_ value: RowValue, in slot: Int) {
        if slots[slot].skipsSummary { return }
        if slots[slot].isAggregated {
            if let value = value.value { summarize(value, in: slot) }
            return
        }
        if value.kind == .null { return }
        slots[slot].kept.set(value)
        markDirty(slot)
    }

    private mutating func summarize(_ value: WandbValue, in slot: Int) {
        if slots[slot].skipsSummary { return }
        if slots[slot].isAggregated {
            slots[slot].aggregate?.add(value)
            slots[slot].summary = slots[slot].aggregate?.value
        } else {
            if value == .null { return }
            slots[slot].summary = value
        }
        markDirty(slot)
    }

    private mutating func markDirty(_ slot: Int) {
        guard !slots[slot].isDirty else { return }
        slots[slot].isDirty = true
        dirty.append(slot)
    }

    // MARK: Summary

    mutating func setSummary(_ path: [String], to value: WandbValue) {
        for index in slots.indices where slots[index].summary != nil && isBelow(slots[index].path, path) {
            removeSummary(at: index)
        }
        if case .map(let map) = value, !map.isEmpty {
            for entry in map.entries { setSummary(path + [entry.key], to: entry.value) }
            return
        }
        let index = slot(of: path)
        slots[index].summary = value
        markDirty(index)
    }

    /// The summary of the run that is gone on with: it is on the server already.
    mutating func adoptSummary(_ former: WandbMap, below path: [String] = []) {
        for entry in former.entries where !path.isEmpty || !entry.key.hasPrefix("_") {
            if case .map(let map) = entry.value, !map.isEmpty {
                adoptSummary(map, below: path + [entry.key])
            } else {
                slots[slot(of: path + [entry.key])].summary = entry.value
            }
        }
    }

    mutating func removeSummary(_ path: [String]) {
        for index in slots.indices where slots[index].summary != nil {
            if slots[index].path == path || isBelow(slots[index].path, path) { removeSummary(at: index) }
        }
    }

    private mutating func removeSummary(at index: Int) {
        slots[index].summary = nil
        removed.append(index)
    }

    private func isBelow(_ path: [String], _ parent: [String]) -> Bool {
        path.count > parent.count && path.starts(with: parent)
    }

    var summary: WandbMap {
        var map = WandbMap()
        for slot in slots { if let value = slot.summary { map[slot.path] = value } }
        return map
    }

    /// The body of a summary record with all that changed since the last; nil when nothing did.
    mutating func takeSummaryChanges(runtime: Double, isFinal: Bool) -> [UInt8]? {
        if dirty.isEmpty, removed.isEmpty, !isFinal { return nil }
        summaryBody.clear()
        for index in dirty {
            slots[index].isDirty = false
            guard let value = slots[index].summary else { continue }
            summaryBody.item(path: slots[index].encodedPath, json: JSONWriter.bytes(value))
        }
        dirty.removeAll(keepingCapacity: true)
        if let lastStep {
            summaryBody.item(path: Self.timestampPath, json: JSONWriter.bytes(.double(timestamp)))
            summaryBody.item(path: Self.stepPath, json: JSONWriter.bytes(.int(lastStep)))
        }
        let seconds = WandbValue.int(Int64(runtime))
        summaryBody.item(path: Self.runtimePath, json: JSONWriter.bytes(isFinal ? seconds : .double(runtime)))
        summaryBody.item(path: Self.wandbRuntimePath, json: JSONWriter.bytes(seconds))
        for index in removed where slots[index].summary == nil {
            var entry = ProtoBuffer()
            entry.bytes = slots[index].encodedPath
            summaryBody.message(field: 2, entry.bytes)
        }
        removed = []
        return summaryBody.bytes
    }
}
