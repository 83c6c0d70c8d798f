/// Rows on their way into the file stream.
extension RunSender {
    func applyHistory(_ record: WBHistoryRecord) {
        stepsAreNamed = record.isStepNamed
        if isRepeated(record) { return }
        var line: [UInt8] = []
        var step: Int64?
        var nested: WandbMap?
        line.append(UInt8(ascii: "{"))
        func append(_ key: String, _ json: String) {
            if line.count > 1 { line.append(UInt8(ascii: ",")) }
            JSONWriter.append(key, to: &line)
            line.append(UInt8(ascii: ":"))
            line.append(contentsOf: json.utf8)
        }
        for item in record.item {
            let json = item.valueText
            if item.nestedKey.count <= 1 {
                let key = item.nestedKey.first ?? item.key
                if key == "_step" {
                    step = Int64(json)
                    continue
                }
                if key == "_runtime", runtimeBase > 0, let runtime = Double(json) {
                    append(key, JSONWriter.text(.double(runtime + runtimeBase)))
                } else {
                    append(key, json)
                }
                note([key], json)
            } else {
                let value = (try? JSONReader.value(json)) ?? .null
                if nested == nil { nested = WandbMap() }
                nested?[item.nestedKey] = value
                note(item.nestedKey, json)
            }
        }
        for entry in nested?.entries ?? [] { append(entry.key, JSONWriter.text(entry.value)) }
        // Steps must increase: what does not is given the next number.
        var shifted = (step ?? lastStep + 1 - stepBase) + (record.isStepNamed ? 0 : stepBase)
        if shifted <= lastStep { shifted = lastStep + 1 }
        lastStep = shifted
        append("_step", "\(shifted)")
        line.append(UInt8(ascii: "}"))
        note(["_step"], "\(shifted)")
        guard line.count <= stream.longestLine else {
            notices.warnOnce(
                "line", "a row of \(line.count) bytes is more than the server takes (\(stream.longestLine)); it stays in the log only")
            return
        }
        // Only rows that the server can have are counted: those that it has are skipped by their number.
        rowsRead += 1
        if rowsRead > rowsToSkip { stream.add(line, to: .history) }
    }

    /// Keeps what a summary would need if the process had ended here.
    func note(_ path: [String], _ json: String) {
        if sinceSummary.count > 4096 { sinceSummary.removeFirst(2048) }
        sinceSummary.append((path, json))
    }
}

extension WBHistoryItem {
    /// The value's JSON text; newer logs may hold the value itself.
    var valueText: String {
        switch value {
        case .none?: "null"
        case .boolean(let value)?: value ? "true" : "false"
        case .integer(let value)?: "\(value)"
        case .number(let value)?: JSONWriter.text(.double(value))
        case .text(let value)?: JSONWriter.text(.string(value))
        case .json(let value)?: value
        case nil: valueJson
        }
    }
}
