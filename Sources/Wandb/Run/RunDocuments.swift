/// What the records say about a run as a whole: its config, telemetry, metric definitions, environment. From it
/// come the config as the server wants it, `config.yaml` and `wandb-metadata.json`.
package struct RunDocuments: Sendable {
    package private(set) var config = WandbMap()
    private var wandbBlock = WandbMap()
    private var telemetry = WBTelemetryRecord()
    private var metrics: [WBMetricRecord] = []
    private var environments: [(id: String, record: WBEnvironmentRecord)] = []

    package init() {}

    // MARK: Records

    package mutating func apply(_ record: WBRunRecord) {
        apply(record.config)
        guard record.hasBranchPoint, let step = Int64(exactly: record.branchPoint.value) else { return }
        wandbBlock["branch_point"] = ["run_id": .string(record.branchPoint.run), "step": .int(step)]
    }

    package mutating func apply(_ record: WBConfigRecord) {
        for item in record.update {
            let path = item.nestedKey.isEmpty ? [item.key] : item.nestedKey
            guard let value = try? JSONReader.value(item.valueJson) else { continue }
            if path[0] == "_wandb" {
                if path.count == 1 {
                    for entry in value.mapValue?.entries ?? [] { wandbBlock[entry.key] = entry.value }
                } else {
                    wandbBlock[Array(path.dropFirst())] = value
                }
            } else {
                config[path] = value
            }
        }
        for item in record.remove {
            let path = item.nestedKey.isEmpty ? [item.key] : item.nestedKey
            if path[0] != "_wandb" { config[path] = nil }
        }
    }

    package mutating func apply(_ record: WBTelemetryRecord) {
        try? telemetry.merge(serializedBytes: (try? record.serializedBytes() as [UInt8]) ?? [])
    }

    package mutating func apply(_ record: WBMetricRecord) {
        guard !record.expandedFromGlob else { return }
        if let known = metrics.firstIndex(where: { $0.name == record.name && $0.globName == record.globName }) {
            metrics[known] = record
        } else {
            metrics.append(record)
        }
        if !record.stepMetric.isEmpty, !metrics.contains(where: { $0.name == record.stepMetric }) {
            var step = WBMetricRecord()
            step.name = record.stepMetric
            metrics.append(step)
        }
    }

    /// Parts of one writer's record arrive one after the other.
    package mutating func apply(_ record: WBEnvironmentRecord) {
        let parts = (try? record.serializedBytes() as [UInt8]) ?? []
        if let known = environments.firstIndex(where: { $0.id == record.writerID }) {
            try? environments[known].record.merge(serializedBytes: parts)
        } else {
            environments.append((record.writerID, record))
        }
    }

    /// What a resumed run keeps of its former config: keys that the new one lacks, and the charts.
    package mutating func keepFormer(_ former: WandbMap) {
        for entry in former.entries {
            guard let value = entry.value["value"] else { continue }
            if entry.key == "_wandb" {
                for name in ["viz", "visualize", "mask/class_labels"] where wandbBlock[name] == nil {
                    wandbBlock[name] = value[name]
                }
            } else if config[entry.key] == nil {
                config[entry.key] = value
            }
        }
    }

    // MARK: Documents

    /// `{"lr": {"value": 0.1}, "_wandb": {"value": {…}}}`
    package var wrappedConfig: WandbMap {
        var map = WandbMap(config.entries.map { ($0.key, ["value": $0.value]) })
        map["_wandb"] = ["value": .map(block)]
        return map
    }

    private var block: WandbMap {
        var block = wandbBlock
        let t = telemetryMap
        block["cli_version"] = .string(telemetry.cliVersion)
        if !telemetry.pythonVersion.isEmpty { block["python_version"] = .string(telemetry.pythonVersion) }
        block["t"] = .map(t)
        block["m"] = .list(metrics.map(metricValue))
        if !environments.isEmpty {
            block["e"] = .map(WandbMap(environments.map { ($0.id, .map(Self.metadata(of: $0.record))) }))
        }
        return block
    }

    /// Telemetry with field numbers as keys. The server takes a run without it for one that was never started.
    private var telemetryMap: WandbMap {
        var map = WandbMap()
        let flags = [
            ("1", telemetry.importsInit.unknownFields.data), ("2", telemetry.importsFinish.unknownFields.data),
            ("3", telemetry.feature.unknownFields.data), ("8", telemetry.env.unknownFields.data),
        ]
        for (key, data) in flags {
            let numbers = Self.setFlags(Array(data))
            if !numbers.isEmpty { map[key] = .list(numbers.map { .int($0) }) }
        }
        let texts = [
            ("4", telemetry.pythonVersion), ("5", telemetry.cliVersion), ("6", telemetry.huggingfaceVersion),
            ("12", telemetry.coreVersion.isEmpty ? telemetry.cliVersion : telemetry.coreVersion),
            ("13", telemetry.platform),
        ]
        for (key, text) in texts where !text.isEmpty { map[key] = .string(text) }
        return map
    }

    /// The numbers of the booleans that are true in a message of booleans.
    package static func setFlags(_ data: [UInt8]) -> [Int64] {
        var found: Set<Int64> = []
        var position = 0
        func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: 0 as UInt64, to: 64, by: 7) {
                guard position < data.count else { return nil }
                let byte = data[position]
                position += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
            }
            return nil
        }
        while let tag = varint() {
            switch tag & 7 {
            case 0:
                guard let value = varint() else { return found.sorted() }
                if value != 0 { found.insert(Int64(tag >> 3)) } else { found.remove(Int64(tag >> 3)) }
            case 1: position += 8
            case 2:
                guard let count = varint(), count <= UInt64(data.count) else { return found.sorted() }
                position += Int(count)
            case 5: position += 4
            default: return found.sorted()
            }
        }
        return found.sorted()
    }

    private func metricValue(_ record: WBMetricRecord) -> WandbValue {
        var map = WandbMap()
        if !record.name.isEmpty { map["1"] = .string(record.name) }
        if !record.globName.isEmpty { map["2"] = .string(record.globName) }
        if !record.stepMetric.isEmpty, let index = metrics.firstIndex(where: { $0.name == record.stepMetric }) {
            map["5"] = .int(Int64(index + 1))
        }
        // A pattern is never called defined.
        let isDefined = record.options.defined && record.globName.isEmpty
        let options = [record.options.stepSync, record.options.hidden, isDefined]
        map["6"] = .list(options.indices.filter { options[$0] }.map { .int(Int64($0 + 1)) })
        let summary = record.summary
        let kinds = [
            summary.min, summary.max, summary.mean, summary.best, summary.last, summary.none, summary.copy,
            summary.first,
        ]
        map["7"] = .list(kinds.indices.filter { kinds[$0] }.map { .int(Int64($0 + 1)) })
        if record.goal != .goalUnset { map["8"] = .int(Int64(record.goal.rawValue)) }
        return .map(map)
    }

    package var metadata: WandbMap? { environments.first.map { Self.metadata(of: $0.record) } }

    /// An environment record as `wandb-metadata.json` has it; 64-bit integers are strings there.
    package static func metadata(of record: WBEnvironmentRecord) -> WandbMap {
        var map = WandbMap()
        func add(_ key: String, _ text: String) { if !text.isEmpty { map[key] = .string(text) } }
        add("os", record.os)
        add("python", record.python)
        if record.hasStartedAt { add("startedAt", TimeText.utc(record.startedAt, suffix: "Z")) }
        add("docker", record.docker)
        if !record.args.isEmpty { map["args"] = .list(record.args.map { .string($0) }) }
        add("program", record.program)
        add("codePath", record.codePath)
        add("codePathLocal", record.codePathLocal)
        if record.hasGit { map["git"] = ["remote": .string(record.git.remoteURL), "commit": .string(record.git.commit)] }
        add("email", record.email)
        add("root", record.root)
        add("host", record.host)
        add("username", record.username)
        add("executable", record.executable)
        if record.cpuCount > 0 { map["cpu_count"] = .int(Int64(record.cpuCount)) }
        if record.cpuCountLogical > 0 { map["cpu_count_logical"] = .int(Int64(record.cpuCountLogical)) }
        add("gpu", record.gpuType)
        if record.gpuCount > 0 { map["gpu_count"] = .int(Int64(record.gpuCount)) }
        if !record.disk.isEmpty {
            map["disk"] = .map(
                WandbMap(
                    record.disk.sorted { $0.key < $1.key }.map {
                        ($0.key, ["total": .string("\($0.value.total)"), "used": .string("\($0.value.used)")])
                    }))
        }
        if record.hasMemory { map["memory"] = ["total": .string("\(record.memory.total)")] }
        if record.hasCpu {
            var cpu = WandbMap()
            if record.cpu.count > 0 { cpu["count"] = .int(Int64(record.cpu.count)) }
            if record.cpu.countLogical > 0 { cpu["countLogical"] = .int(Int64(record.cpu.countLogical)) }
            if !record.cpu.model.isEmpty { cpu["model"] = .string(record.cpu.model) }
            map["cpu"] = .map(cpu)
        }
        if !record.gpuNvidia.isEmpty {
            map["gpu_nvidia"] = .list(
                record.gpuNvidia.map {
                    [
                        "name": .string($0.name), "memoryTotal": .string("\($0.memoryTotal)"),
                        "cudaCores": .int(Int64($0.cudaCores)), "architecture": .string($0.architecture),
                        "uuid": .string($0.uuid),
                    ]
                })
        }
        add("cudaVersion", record.cudaVersion)
        if !record.slurm.isEmpty {
            map["slurm"] = .map(WandbMap(record.slurm.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))
        }
        add("writerId", record.writerID)
        return map
    }
}
