/// One of W&B's own charts over a table.
public struct Chart: Sendable, Equatable {
    public let table: Table
    package let panel: String
    package let fields: WandbMap
    package let strings: WandbMap

    private init(_ panel: String, _ table: Table, fields: WandbMap, strings: WandbMap) throws(WandbError) {
        for entry in fields.entries {
            guard case .string(let column) = entry.value else { continue }
            guard table.columns.contains(column) else {
                throw .usage(
                    "wandb.plot: the table has no column '\(column)'; it has \(table.columns.joined(separator: ", "))")
            }
        }
        (self.panel, self.table, self.fields, self.strings) = (panel, table, fields, strings)
    }

    public static func line(_ table: Table, x: String, y: String, stroke: String? = nil, title: String = "")
        throws(WandbError) -> Chart
    {
        try Chart(
            "wandb/line/v0", table,
            fields: ["x": .string(x), "y": .string(y), "stroke": stroke.map { .string($0) } ?? .null],
            strings: ["title": .string(title)])
    }

    public static func scatter(_ table: Table, x: String, y: String, title: String = "") throws(WandbError) -> Chart {
        try Chart(
            "wandb/scatter/v0", table, fields: ["x": .string(x), "y": .string(y)], strings: ["title": .string(title)])
    }

    public static func bar(_ table: Table, label: String, value: String, title: String = "") throws(WandbError) -> Chart {
        try Chart(
            "wandb/bar/v0", table, fields: ["label": .string(label), "value": .string(value)],
            strings: ["title": .string(title)])
    }

    public static func histogram(_ table: Table, value: String, title: String = "") throws(WandbError) -> Chart {
        try Chart("wandb/histogram/v0", table, fields: ["value": .string(value)], strings: ["title": .string(title)])
    }

    /// Counts of predicted classes for each true class; one row for each pair.
    public static func confusionMatrix(truth: [Int], predictions: [Int], classes: [String]?, title: String = "")
        throws(WandbError) -> Chart
    {
        guard truth.count == predictions.count, !truth.isEmpty else {
            throw .usage(
                "wandb.plot.confusion_matrix: \(truth.count) true classes and \(predictions.count) predictions; "
                    + "expected as many of both, and at least one")
        }
        let most = max(truth.max() ?? 0, predictions.max() ?? 0)
        let names = classes ?? (0...max(0, min(most, 9999))).map { "Class_\($0 + 1)" }
        guard let least = (truth + predictions).min(), least >= 0, most < names.count else {
            throw .usage("wandb.plot.confusion_matrix: classes run up to \(most), expected 0..\(names.count - 1)")
        }
        var counts = [[Int]](repeating: [Int](repeating: 0, count: names.count), count: names.count)
        for (actual, predicted) in zip(truth, predictions) { counts[actual][predicted] += 1 }
        let rows = names.indices.flatMap { actual in
            names.indices.map { predicted -> [WandbValue] in
                [.string(names[actual]), .string(names[predicted]), .int(Int64(counts[actual][predicted]))]
            }
        }
        let table = try Table(columns: ["Actual", "Predicted", "nPredictions"], rows: rows)
        return try Chart(
            "wandb/confusion_matrix/v1", table,
            fields: ["Actual": "Actual", "Predicted": "Predicted", "nPredictions": "nPredictions"],
            strings: ["title": .string(title.isEmpty ? "Confusion Matrix Curve" : title)])
    }

    /// True and false positive rates of each class against the rest, at every threshold.
    public static func rocCurve(truth: [Int], scores: [[Double]], classes: [String]?, title: String = "")
        throws(WandbError) -> Chart
    {
        let names = try checkScores("roc_curve", truth, scores, classes)
        var rows: [[WandbValue]] = []
        for (label, name) in names.enumerated() {
            let positives = truth.count { $0 == label }
            guard positives > 0, positives < truth.count else { continue }
            for point in sweep(truth, scores, label) {
                rows.append([
                    .string(name), .double(point.falsePositives / Double(truth.count - positives)),
                    .double(point.truePositives / Double(positives)),
                ])
            }
        }
        let table = try Table(columns: ["class", "fpr", "tpr"], rows: thinned(rows))
        return try Chart(
            "wandb/area-under-curve/v0", table, fields: ["x": "fpr", "y": "tpr", "class": "class"],
            strings: [
                "title": .string(title.isEmpty ? "ROC Curve" : title), "x-axis-title": "False positive rate",
                "y-axis-title": "True positive rate",
            ])
    }

    /// Precision over recall of each class against the rest.
    public static func prCurve(truth: [Int], scores: [[Double]], classes: [String]?, title: String = "")
        throws(WandbError) -> Chart
    {
        let names = try checkScores("pr_curve", truth, scores, classes)
        var rows: [[WandbValue]] = []
        for (label, name) in names.enumerated() {
            let positives = truth.count { $0 == label }
            guard positives > 0 else { continue }
            for point in sweep(truth, scores, label).reversed() {
                let claimed = point.truePositives + point.falsePositives
                rows.append([
                    .string(name), .double(claimed == 0 ? 1 : point.truePositives / claimed),
                    .double(point.truePositives / Double(positives)),
                ])
            }
        }
        let table = try Table(columns: ["class", "precision", "recall"], rows: thinned(rows))
        return try Chart(
            "wandb/area-under-curve/v0", table, fields: ["x": "recall", "y": "precision", "class": "class"],
            strings: [
                "title": .string(title.isEmpty ? "Precision-Recall Curve" : title), "x-axis-title": "Recall",
                "y-axis-title": "Precision",
            ])
    }

    private static func checkScores(_ name: String, _ truth: [Int], _ scores: [[Double]], _ classes: [String]?)
        throws(WandbError) -> [String]
    {
        guard truth.count == scores.count, let width = scores.first?.count, width > 0,
            scores.allSatisfy({ $0.count == width })
        else {
            throw .usage("wandb.plot.\(name): expected one row of class scores for each of the \(truth.count) labels")
        }
        if let classes, classes.count != width {
            throw .usage("wandb.plot.\(name): \(classes.count) names for \(width) classes")
        }
        guard truth.allSatisfy({ (0..<width).contains($0) }) else {
            throw .usage("wandb.plot.\(name): labels must be 0..\(width - 1)")
        }
        return classes ?? (0..<width).map { "\($0)" }
    }

    /// Counts at falling thresholds, from "nothing is positive" on.
    private static func sweep(_ truth: [Int], _ scores: [[Double]], _ label: Int)
        -> [(truePositives: Double, falsePositives: Double)]
    {
        let order = truth.indices.sorted { scores[$0][label] > scores[$1][label] }
        var points = [(truePositives: 0.0, falsePositives: 0.0)]
        var (right, wrong) = (0.0, 0.0)
        for (position, index) in order.enumerated() {
            if truth[index] == label { right += 1 } else { wrong += 1 }
            let isLastOfTie = position + 1 == order.count || scores[order[position + 1]][label] != scores[index][label]
            if isLastOfTie { points.append((right, wrong)) }
        }
        return points
    }

    /// A chart shows no more points than this.
    private static func thinned(_ rows: [[WandbValue]]) -> [[WandbValue]] {
        guard rows.count > Table.mostRowsInRun else { return rows }
        return (0..<Table.mostRowsInRun).map { rows[$0 * (rows.count - 1) / (Table.mostRowsInRun - 1)] }
    }

    /// What the run's config says of the chart under a key.
    package func visualization(tableKey: String) -> WandbValue {
        let fields: [WandbValue] = [
            ["name": "id", "fields": []], ["name": "name", "fields": []], ["name": "_defaultColorIndex", "fields": []],
            [
                "name": "summaryTable", "args": [["name": "tableKey", "value": .string(tableKey)]], "fields": [],
            ],
        ]
        return [
            "panel_type": "Vega2",
            "panel_config": [
                "panelDefId": .string(panel), "fieldSettings": .map(self.fields), "stringSettings": .map(strings),
                "transform": ["name": "tableWithLeafColNames"],
                "userQuery": [
                    "queryFields": [
                        [
                            "name": "runSets", "args": [["name": "runSets", "value": "${runSets}"]],
                            "fields": .list(fields),
                        ]
                    ]
                ],
            ],
        ]
    }
}
