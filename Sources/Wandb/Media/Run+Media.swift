#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Media becomes files of the run, and values that name them.
extension Run {
    /// Called with the run's lock held: the records it writes come before the row that names the files.
    func expand(_ values: WandbMap, step: Int64, state: inout RunState) throws(WandbError) -> WandbMap {
        var expanded = WandbMap()
        for entry in values.entries where !["_step", "_runtime"].contains(entry.key) {
            if case .media(.chart(let chart)) = entry.value {
                // A chart is its table, and a word in the config about how to draw it.
                let tableKey = "\(entry.key)_table"
                try describe(chart, key: entry.key, tableKey: tableKey, state: &state)
                expanded[tableKey] = try expandTable(chart.table, key: tableKey, step: step, state: &state)
            } else {
                expanded[entry.key] = try expand(entry.value, key: entry.key, step: step, depth: 0, state: &state)
            }
        }
        return expanded
    }

    private func expand(_ value: WandbValue, key: String, step: Int64, depth: Int, state: inout RunState)
        throws(WandbError) -> WandbValue
    {
        guard depth < 64 else { throw .usage("run:log: '\(key)' is nested deeper than 64 levels") }
        switch value {
        case .media(.histogram(let histogram)): return histogram.value
        case .media(.image(let image)): return try expandImage(image, key: key, step: step, state: &state)
        case .media(.table(let table)): return try expandTable(table, key: key, step: step, state: &state)
        case .media(.html(let text)):
            let file = try store(
                Array(text.utf8), kind: "html", key: key, step: step, ending: ".html", state: &state)
            return .map(file.described(as: "html-file"))
        case .media(.chart): throw .usage("run:log: the chart '\(key)' must be a value of the row itself")
        case .map(let map):
            var inner = WandbMap()
            for entry in map.entries {
                inner[entry.key] = try expand(
                    entry.value, key: "\(key).\(entry.key)", step: step, depth: depth + 1, state: &state)
            }
            return .map(inner)
        case .list(let values):
            let images = values.compactMap { if case .media(.image(let image)) = $0 { image } else { nil } }
            if !images.isEmpty {
                guard images.count == values.count else {
                    throw .usage("run:log: the list '\(key)' mixes images with other values")
                }
                return try expandImages(images, key: key, step: step, state: &state)
            }
            return .list(
                try values.map { (value) throws(WandbError) in
                    try expand(value, key: key, step: step, depth: depth + 1, state: &state)
                })
        default: return value
        }
    }

    // MARK: Files

    struct StoredFile {
        let path: String
        let sha256: String
        let size: Int

        func described(as type: String) -> WandbMap {
            ["_type": .string(type), "sha256": .string(sha256), "size": .int(Int64(size)), "path": .string(path)]
        }
    }

    /// Puts bytes under `files/media/<kind>/` and tells the log's reader of it.
    private func store(
        _ bytes: [UInt8], kind: String, key: String, step: Int64, ending: String, state: inout RunState
    ) throws(WandbError) -> StoredFile {
        guard let directory else { return StoredFile(path: "", sha256: "", size: bytes.count) }
        let sha = Digest.hex(Digest.of(bytes, .sha256))
        // Slashes in a key make directories; nothing in it may lead out of them.
        let safe = key.split(separator: "/").map { $0 == ".." || $0 == "." ? "_" : String($0) }.joined(separator: "/")
        let path = "media/\(kind)/\(safe)_\(step)_\(sha.prefix(20))\(ending)"
        let full = "\(directory.files)/\(path)"
        try Files.makeDirectories(Files.directory(of: full))
        try Files.write(bytes, to: full)
        var record = WBFilesRecord()
        var item = WBFilesItem()
        item.path = path
        item.type = .media
        record.files = [item]
        state.append(field: RecordField.files, record)
        return StoredFile(path: path, sha256: sha, size: bytes.count)
    }

    // MARK: Images

    private func expandImage(_ image: Image, key: String, step: Int64, state: inout RunState) throws(WandbError)
        -> WandbValue
    {
        let picture = try image.encoded()
        let file = try store(
            picture.bytes, kind: "images", key: key, step: step, ending: ".\(picture.format)", state: &state)
        var value = file.described(as: "image-file")
        value["format"] = .string(picture.format)
        value["width"] = .int(Int64(picture.width))
        value["height"] = .int(Int64(picture.height))
        if let caption = image.caption { value["caption"] = .string(redactor.redact(caption)) }
        try addOverlays(of: image, to: &value, key: key, step: step, state: &state)
        return .map(value)
    }

    private func addOverlays(of image: Image, to value: inout WandbMap, key: String, step: Int64, state: inout RunState)
        throws(WandbError)
    {
        var masks = WandbMap()
        for mask in image.masks {
            guard let png = PNG.encode(mask.classes, width: mask.width, height: mask.height, channels: 1) else { continue }
            let file = try store(
                png, kind: "images/mask", key: "\(key)_\(mask.name)", step: step, ending: ".mask.png", state: &state)
            masks[mask.name] = .map(file.described(as: "mask"))
            try describeClasses(mask.labels, "mask/class_labels", key: key, name: mask.name, state: &state)
        }
        if !masks.isEmpty { value["masks"] = .map(masks) }
        var boxes = WandbMap()
        for set in image.boxes {
            let labels = WandbMap(set.labels.map { ("\($0.0)", .string($0.1)) })
            let json = JSONWriter.bytes(["box_data": .list(set.data), "class_labels": .map(labels)])
            let file = try store(
                json, kind: "metadata/boxes2D", key: "\(key)_\(set.name)", step: step, ending: ".boxes2D.json",
                state: &state)
            boxes[set.name] = .map(file.described(as: "boxes2D"))
            try describeClasses(set.labels, "bounding_box/class_labels", key: key, name: set.name, state: &state)
        }
        if !boxes.isEmpty { value["boxes"] = .map(boxes) }
    }

    private func expandImages(_ images: [Image], key: String, step: Int64, state: inout RunState) throws(WandbError)
        -> WandbValue
    {
        let most = 108
        if images.count > most {
            notices.warnOnce("images", "run:log: '\(key)' has \(images.count) images; the first \(most) are logged")
        }
        var names: [WandbValue] = []
        var first = WandbMap()
        var masks: [WandbValue] = []
        var boxes: [WandbValue] = []
        let shown = images.prefix(most)
        for (index, image) in shown.enumerated() {
            let value = try expandImage(image, key: key, step: step, state: &state)
            names.append(value["path"] ?? .null)
            masks.append(value["masks"] ?? [:])
            boxes.append(value["boxes"] ?? [:])
            if index == 0 { first = value.mapValue ?? [:] }
        }
        var value: WandbMap = [
            "_type": "images/separated", "width": first["width"] ?? .null, "height": first["height"] ?? .null,
            "format": first["format"] ?? .null, "count": .int(Int64(shown.count)), "filenames": .list(names),
        ]
        if shown.contains(where: { $0.caption != nil }) {
            value["captions"] = .list(shown.map { .string(redactor.redact($0.caption ?? "")) })
        }
        if masks.contains(where: { $0 != [:] }) { value["all_masks"] = .list(masks) }
        if boxes.contains(where: { $0 != [:] }) { value["all_boxes"] = .list(boxes) }
        return .map(value)
    }

    /// The names of classes belong into the run's config, where its pages look for them.
    private func describeClasses(
        _ labels: [(Int64, String)], _ kind: String, key: String, name: String, state: inout RunState
    ) throws(WandbError) {
        guard !labels.isEmpty else { return }
        let id = "\(key)_wandb_delimeter_\(name)"
        setWandbConfig(
            [kind, id],
            [
                "type": .string(kind), "key": .string(id),
                "value": .map(WandbMap(labels.map { ("\($0.0)", .string($0.1)) })),
            ], state: &state)
    }

    private func setWandbConfig(_ path: [String], _ value: WandbValue, state: inout RunState) {
        var record = WBConfigRecord()
        var item = WBConfigItem()
        item.nestedKey = ["_wandb"] + path
        item.valueJson = JSONWriter.text(value)
        record.update = [item]
        state.append(field: RecordField.config, record)
        state.documents.apply(record)
    }

    // MARK: Tables and charts

    private func describe(_ chart: Chart, key: String, tableKey: String, state: inout RunState) throws(WandbError) {
        setWandbConfig(["visualize", key], chart.visualization(tableKey: tableKey), state: &state)
    }

    private func expandTable(_ table: Table, key: String, step: Int64, state: inout RunState) throws(WandbError)
        -> WandbValue
    {
        guard directory != nil else { return .null }
        let entry = "\(key).table.json"
        let artifact = try Artifact(name: Artifact.safeName("run-\(id)-\(key)"), type: "run_table", isOwn: true)
        try artifact.add(table.redacted(by: redactor), as: entry)
        try write(artifact, aliases: ["latest"], userCreated: false, state: &state)
        if table.rows.count > Table.mostRowsInRun {
            notices.warnOnce(
                "table",
                "run:log: the table '\(key)' has \(table.rows.count) rows; the run shows \(Table.mostRowsInRun), its "
                    + "artifact holds up to \(Table.mostRowsInArtifact)")
        }
        let file = try store(
            table.redacted(by: redactor).runFile, kind: "table", key: key, step: step, ending: ".table.json", state: &state)
        var value = file.described(as: "table-file")
        value["ncols"] = .int(Int64(table.columns.count))
        value["nrows"] = .int(Int64(table.rows.count))
        value["log_mode"] = "IMMUTABLE"
        value["artifact_path"] = .string("wandb-client-artifact://\(artifact.clientID)/\(entry)")
        value["_latest_artifact_path"] = .string(
            "wandb-client-artifact://\(artifact.sequenceClientID):latest/\(entry)")
        return .map(value)
    }
}
