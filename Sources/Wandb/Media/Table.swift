/// Rows and columns of plain values.
public struct Table: Sendable, Equatable {
    public let columns: [String]
    public private(set) var rows: [[WandbValue]]
    /// The run's copy holds at most so many rows, the artifact so many.
    package static let mostRowsInRun = 10_000
    package static let mostRowsInArtifact = 200_000

    public init(columns: [String], rows: [[WandbValue]]) throws(WandbError) {
        guard !columns.isEmpty else { throw .usage("wandb.Table: there are no columns") }
        for (number, row) in rows.enumerated() {
            guard row.count == columns.count else {
                throw .usage(
                    "wandb.Table: row \(number + 1) has \(row.count) values, expected \(columns.count): "
                        + columns.joined(separator: ", "))
            }
            for (column, value) in zip(columns, row) {
                guard case .media(let media) = value else { continue }
                guard case .image(let image) = media else {
                    throw .usage(
                        "wandb.Table: row \(number + 1), column '\(column)' holds \(media.kind); expected numbers, "
                            + "strings, booleans, nil or images")
                }
                guard image.masks.isEmpty, image.boxes.isEmpty else {
                    throw .usage(
                        "wandb.Table: row \(number + 1), column '\(column)': an image in a table has no masks and no "
                            + "boxes; log it in a row of its own")
                }
            }
        }
        self.columns = columns
        self.rows = rows
    }

    func redacted(by redactor: Redactor) -> Table {
        var copy = self
        copy.rows = rows.map { $0.map(redactor.redact) }
        return copy
    }

    /// The run's copy: a picture is only named there.
    package var runFile: [UInt8] {
        let shown = rows.prefix(Self.mostRowsInRun).map { row in
            WandbValue.list(row.map { if case .media = $0 { "Image" } else { $0 } })
        }
        return JSONWriter.bytes(["columns": .list(columns.map { .string($0) }), "data": .list(shown)])
    }

    /// The artifact's copy, with the columns' types, and the files that its cells name.
    package func artifactFiles() throws(WandbError) -> (table: [UInt8], pictures: [String: [UInt8]]) {
        var pictures: [String: [UInt8]] = [:]
        var shown: [WandbValue] = []
        for row in rows.prefix(Self.mostRowsInArtifact) {
            var cells: [WandbValue] = []
            for cell in row {
                guard case .media(.image(let image)) = cell else {
                    cells.append(cell)
                    continue
                }
                let picture = try image.encoded()
                let sha = Digest.hex(Digest.of(picture.bytes, .sha256))
                // A picture that is a file keeps its name.
                let name = if case .file(let file) = image.source { "/\(Files.name(of: file))" } else { ".\(picture.format)" }
                let path = "media/images/\(sha.prefix(20))\(name)"
                pictures[path] = picture.bytes
                var value: WandbMap = [
                    "_type": "image-file", "path": .string(path), "sha256": .string(sha),
                    "format": .string(picture.format), "width": .int(Int64(picture.width)),
                    "height": .int(Int64(picture.height)),
                ]
                if let caption = image.caption { value["caption"] = .string(caption) }
                cells.append(.map(value))
            }
            shown.append(.list(cells))
        }
        let table = JSONWriter.bytes([
            "_type": "table",
            "column_types": ["wb_type": "typedDict", "params": ["type_map": .map(typeMap)]],
            "columns": .list(columns.map { .string($0) }), "data": .list(shown),
            "ncols": .int(Int64(columns.count)), "nrows": .int(Int64(shown.count)), "log_mode": "IMMUTABLE",
        ])
        return (table, pictures)
    }

    /// What the type of a picture says of its overlays: there are none.
    private static let imageType: WandbValue = {
        func constant(_ value: WandbValue, isSet: Bool) -> WandbValue {
            ["wb_type": "const", "params": ["val": value, "is_set": .bool(isSet)]]
        }
        var params: WandbMap = ["box_score_keys": constant([], isSet: true)]
        for name in ["box_class_maps", "box_layers", "class_map", "mask_class_maps", "mask_layers"] {
            params[name] = constant([:], isSet: false)
        }
        return ["wb_type": "image-file", "params": .map(params)]
    }()

    private var typeMap: WandbMap {
        var map = WandbMap()
        for (index, column) in columns.enumerated() {
            var names: Set<String> = ["none"]
            for row in rows {
                switch row[index] {
                case .null: break
                case .bool: names.insert("boolean")
                case .int, .double: names.insert("number")
                case .string: names.insert("string")
                case .list: names.insert("list")
                case .media: names.insert("image-file")
                case .map: names.insert("any")
                }
            }
            let types = names.sorted().map { name -> WandbValue in
                name == "image-file" ? Self.imageType : .map(["wb_type": .string(name)])
            }
            map[column] = ["wb_type": "union", "params": ["allowed_types": .list(types)]]
        }
        return map
    }
}
