/// Rows and columns of plain values.
public struct Table: Sendable, Equatable {
    public let columns: [String]
    public let rows: [[WandbValue]]
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
                if case .media(let media) = value {
                    throw .usage(
                        "wandb.Table: row \(number + 1), column '\(column)' holds \(media.kind); expected numbers, "
                            + "strings, booleans or nil")
                }
            }
        }
        self.columns = columns
        self.rows = rows
    }

    /// The run's copy.
    package var runFile: [UInt8] {
        JSONWriter.bytes([
            "columns": .list(columns.map { .string($0) }),
            "data": .list(rows.prefix(Self.mostRowsInRun).map { .list($0) }),
        ])
    }

    /// The artifact's copy, with the columns' types.
    package var artifactFile: [UInt8] {
        let kept = rows.prefix(Self.mostRowsInArtifact)
        return JSONWriter.bytes([
            "_type": "table",
            "column_types": ["wb_type": "typedDict", "params": ["type_map": .map(typeMap)]],
            "columns": .list(columns.map { .string($0) }), "data": .list(kept.map { .list($0) }),
            "ncols": .int(Int64(columns.count)), "nrows": .int(Int64(kept.count)), "log_mode": "IMMUTABLE",
        ])
    }

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
                case .map, .media: names.insert("any")
                }
            }
            let types = names.sorted().map { WandbValue.map(["wb_type": .string($0)]) }
            map[column] = ["wb_type": "union", "params": ["allowed_types": .list(types)]]
        }
        return map
    }
}
