import Foundation
import Wandb
import XCTest

final class MediaTests: XCTestCase {
    private func start(_ directory: Temporary) throws -> Run {
        try Run.start(RunOptions(), settings: .offline(in: directory.path))
    }

    private func log(_ run: Run) throws -> String { try XCTUnwrap(run.path) + "/run-\(run.id).wandb" }

    func testPNGIsReadByOthers() throws {
        // 2 x 2 grey 0, 85, 170, 255, as Pillow reads it back; the header's bytes are fixed by the format.
        let png = try XCTUnwrap(PNG.encode([0, 85, 170, 255], width: 2, height: 2, channels: 1))
        XCTAssertEqual(Array(png[..<8]), [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A])
        let facts = try XCTUnwrap(ImageFile.format(png))
        XCTAssertEqual(facts.name, "png")
        XCTAssertEqual([facts.width, facts.height], [2, 2])
        // IEND with its checksum ends every PNG.
        XCTAssertEqual(Array(png.suffix(12)), [0, 0, 0, 0, 0x49, 0x45, 0x4E, 0x44, 0xAE, 0x42, 0x60, 0x82])
    }

    /// Names, directories and records as the official client 0.31.0 leaves them for the same calls.
    func testAnImageWithMasksAndBoxes() throws {
        let directory = try Temporary()
        let run = try start(directory)
        var image = try Image(pixels: [UInt8](repeating: 7, count: 48), width: 4, height: 4, channels: 3)
        image.caption = "c"
        image.masks = [
            try .init(name: "pred", classes: [UInt8](repeating: 1, count: 16), width: 4, height: 4, labels: [(0, "a"), (1, "b")])
        ]
        image.boxes = [
            try .init(
                name: "bx",
                data: [["position": ["minX": 0.1, "maxX": 0.5, "minY": 0.1, "maxY": 0.6], "class_id": 1, "box_caption": "cap"]],
                labels: [(1, "one")])
        ]
        try run.log(["deep/im": .media(.image(image))])
        run.finish()
        let row = try XCTUnwrap(try rows(log(run)).first)
        let value = try XCTUnwrap(row["deep/im"])
        XCTAssertEqual(value["_type"], "image-file")
        XCTAssertEqual(value["format"], "png")
        XCTAssertEqual(value["width"], 4)
        XCTAssertEqual(value["caption"], "c")
        let path = try XCTUnwrap(value["path"]?.stringValue)
        let sha = try XCTUnwrap(value["sha256"]?.stringValue)
        XCTAssertEqual(path, "media/images/deep/im_0_\(sha.prefix(20)).png")
        let file = "\(try XCTUnwrap(run.filesPath))/\(path)"
        XCTAssertEqual(Digest.hex(try Digest.ofFile(file, .sha256)), sha)
        XCTAssertEqual(value["size"]?.intValue, Int64(try Data(contentsOf: URL(fileURLWithPath: file)).count))
        XCTAssertEqual(value["masks"]?["pred"]?["_type"], "mask")
        XCTAssertEqual(value["masks"]?["pred"]?["path"]?.stringValue?.hasSuffix(".mask.png"), true)
        XCTAssertEqual(value["boxes"]?["bx"]?["_type"], "boxes2D")
        let boxes = try String(
            contentsOfFile: "\(try XCTUnwrap(run.filesPath))/\(try XCTUnwrap(value["boxes"]?["bx"]?["path"]?.stringValue))",
            encoding: .utf8)
        XCTAssertEqual(
            try JSONReader.value(boxes),
            [
                "box_data": [
                    ["position": ["minX": 0.1, "maxX": 0.5, "minY": 0.1, "maxY": 0.6], "class_id": 1, "box_caption": "cap"]
                ], "class_labels": ["1": "one"],
            ])
        let all = try records(log(run))
        let config = all.flatMap(\.config.update).map(\.nestedKey)
        XCTAssertTrue(config.contains(["_wandb", "mask/class_labels", "deep/im_wandb_delimeter_pred"]), "\(config)")
        XCTAssertTrue(config.contains(["_wandb", "bounding_box/class_labels", "deep/im_wandb_delimeter_bx"]))
        // The file is announced before the row that names it.
        let announced = try XCTUnwrap(all.firstIndex { $0.files.files.first?.path == path })
        let logged = try XCTUnwrap(all.firstIndex { !$0.history.item.isEmpty })
        XCTAssertLessThan(announced, logged)
    }

    func testListsOfImages() throws {
        let directory = try Temporary()
        let run = try start(directory)
        var first = try Image(pixels: [0, 1, 2, 3], width: 2, height: 2, channels: 1)
        first.caption = "c0"
        let second = try Image(pixels: [9, 9, 9, 9], width: 2, height: 2, channels: 1)
        try run.log(["imgs": [.media(.image(first)), .media(.image(second))]])
        XCTAssertThrowsError(try run.log(["mixed": [.media(.image(first)), 3]]))
        run.finish()
        let value = try XCTUnwrap(try rows(log(run)).first?["imgs"])
        XCTAssertEqual(value["_type"], "images/separated")
        XCTAssertEqual(value["count"], 2)
        XCTAssertEqual(value["captions"], ["c0", ""])
        XCTAssertEqual(value["filenames"]?.listValue?.count, 2)
        XCTAssertEqual(value["width"], 2)
    }

    /// Against numpy.histogram([0, 1, 2, 3, 4, 5], bins=5) and ([1, 1], …).
    func testHistograms() throws {
        let histogram = try Histogram(values: [0, 1, 2, 3, 4, 5, .nan, .infinity], bins: 5)
        XCTAssertEqual(histogram.counts, [1, 1, 1, 1, 2])
        XCTAssertEqual(histogram.bins, [0, 1, 2, 3, 4, 5])
        XCTAssertEqual(try Histogram(values: [1, 1]).counts, [2])
        XCTAssertThrowsError(try Histogram(values: [.nan]))
        XCTAssertThrowsError(try Histogram(values: [1, 2], bins: 513))
        XCTAssertThrowsError(try Histogram(counts: [1], bins: [0]))
        // As wide as numbers get: no overflow, all counted.
        XCTAssertEqual(try Histogram(values: [-1.7e308, 1.7e308, 0], bins: 2).counts.reduce(0, +), 3)
    }

    /// The artifact's bytes are what the official client sent for the same table (transcript 01), up to white space.
    func testTablesAndCharts() throws {
        let table = try Table(columns: ["id", "name", "score"], rows: [[1, "a", 0.5], [2, "b", nil]])
        let expected = """
            {"_type": "table", "column_types": {"params": {"type_map": {"id": {"params": {"allowed_types": \
            [{"wb_type": "none"}, {"wb_type": "number"}]}, "wb_type": "union"}, "name": {"params": {"allowed_types": \
            [{"wb_type": "none"}, {"wb_type": "string"}]}, "wb_type": "union"}, "score": {"params": {"allowed_types": \
            [{"wb_type": "none"}, {"wb_type": "number"}]}, "wb_type": "union"}}}, "wb_type": "typedDict"}, "columns": \
            ["id", "name", "score"], "data": [[1, "a", 0.5], [2, "b", null]], "log_mode": "IMMUTABLE", "ncols": 3, "nrows": 2}
            """
        XCTAssertEqual(try JSONReader.value(table.artifactFiles().table), try JSONReader.value(expected))
        let directory = try Temporary()
        let run = try start(directory)
        let line = try Table(columns: ["x", "y"], rows: [[0, 0], [1, 1]])
        try run.log(["table": .media(.table(table)), "curve": .media(.chart(try .line(line, x: "x", y: "y", title: "t")))])
        run.finish()
        let row = try XCTUnwrap(try rows(log(run)).first)
        XCTAssertNil(row["curve"])
        XCTAssertEqual(row["curve_table"]?["nrows"], 2)
        XCTAssertEqual(row["table"]?["ncols"], 3)
        let artifacts = try records(log(run)).map(\.artifact).filter { !$0.name.isEmpty }
        XCTAssertEqual(artifacts.map(\.name), ["run-testrun1-table", "run-testrun1-curve_table"])
        XCTAssertEqual(artifacts[0].type, "run_table")
        XCTAssertEqual(
            row["table"]?["artifact_path"]?.stringValue, "wandb-client-artifact://\(artifacts[0].clientID)/table.table.json")
        XCTAssertEqual(
            row["table"]?["_latest_artifact_path"]?.stringValue,
            "wandb-client-artifact://\(artifacts[0].sequenceClientID):latest/table.table.json")
        let item = try XCTUnwrap(
            try records(log(run)).flatMap(\.config.update).first { $0.nestedKey == ["_wandb", "visualize", "curve"] })
        // As in transcript 01.
        XCTAssertEqual(
            try JSONReader.value(item.valueJson),
            try JSONReader.value(
                """
                {"panel_type":"Vega2","panel_config":{"panelDefId":"wandb/line/v0","fieldSettings":{"x":"x","y":"y",
                "stroke":null},"stringSettings":{"title":"t"},"transform":{"name":"tableWithLeafColNames"},"userQuery":
                {"queryFields":[{"name":"runSets","args":[{"name":"runSets","value":"${runSets}"}],"fields":[{"name":"id",
                "fields":[]},{"name":"name","fields":[]},{"name":"_defaultColorIndex","fields":[]},{"name":"summaryTable",
                "args":[{"name":"tableKey","value":"curve_table"}],"fields":[]}]}]}}}
                """))
        XCTAssertThrowsError(try Chart.line(line, x: "x", y: "z")) { XCTAssertTrue("\($0)".contains("'z'")) }
        XCTAssertThrowsError(try Table(columns: ["a"], rows: [[1, 2]]))
    }

    /// The cell, its type and its file are what the official client sent for a picture in a table.
    func testPicturesInTables() throws {
        let directory = try Temporary()
        let run = try start(directory)
        let image = try Image(pixels: [0, 1, 2, 3, 4, 5], width: 3, height: 2, channels: 1)
        let table = try Table(columns: ["name", "picture"], rows: [["x", .media(.image(image))], ["y", nil]])
        try run.log(["table": .media(.table(table))])
        run.finish()
        XCTAssertEqual(try JSONReader.value(table.runFile)["data"], [["x", "Image"], ["y", nil]])
        let record = try XCTUnwrap(try records(log(run)).map(\.artifact).first { !$0.name.isEmpty })
        let bytes = try image.encoded().bytes
        let sha = Digest.hex(Digest.of(bytes, .sha256))
        let path = "media/images/\(sha.prefix(20)).png"
        XCTAssertEqual(record.manifest.contents.map(\.path), [path, "table.table.json"])
        let file = try JSONReader.value([UInt8](Data(contentsOf: URL(fileURLWithPath: record.manifest.contents[1].localPath))))
        XCTAssertEqual(
            file["data"]?.listValue?[0],
            ["x", ["_type": "image-file", "path": .string(path), "sha256": .string(sha), "format": "png", "width": 3, "height": 2]])
        func unset(_ value: WandbValue = [:], _ isSet: Bool = false) -> WandbValue {
            ["wb_type": "const", "params": ["val": value, "is_set": .bool(isSet)]]
        }
        XCTAssertEqual(
            file["column_types"]?["params"]?["type_map"]?["picture"]?["params"]?["allowed_types"],
            [
                [
                    "wb_type": "image-file",
                    "params": [
                        "box_class_maps": unset(), "box_layers": unset(), "box_score_keys": unset([], true),
                        "class_map": unset(), "mask_class_maps": unset(), "mask_layers": unset(),
                    ],
                ], ["wb_type": "none"],
            ])
        var masked = image
        masked.masks = [try .init(name: "m", classes: [0, 0, 0, 0, 0, 0], width: 3, height: 2, labels: [])]
        XCTAssertThrowsError(try Table(columns: ["p"], rows: [[.media(.image(masked))]]))
    }

    /// Against sklearn.metrics.roc_curve / precision_recall_curve for y = [0, 1, 1, 0], p = [.1, .8, .7, .4].
    func testCurves() throws {
        let scores = [[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]]
        let roc = try Chart.rocCurve(truth: [0, 1, 1, 0], scores: scores, classes: ["a", "b"])
        let b = roc.table.rows.filter { $0[0] == "b" }
        XCTAssertEqual(b.map { $0[1].doubleValue }, [0, 0, 0, 0.5, 1])
        XCTAssertEqual(b.map { $0[2].doubleValue }, [0, 0.5, 1, 1, 1])
        let pr = try Chart.prCurve(truth: [0, 1, 1, 0], scores: scores, classes: ["a", "b"])
        let rows = pr.table.rows.filter { $0[0] == "b" }
        XCTAssertEqual(rows.map { $0[1].doubleValue }, [0.5, 2.0 / 3, 1, 1, 1])
        XCTAssertEqual(rows.map { $0[2].doubleValue }, [1, 1, 1, 0.5, 0])
        let matrix = try Chart.confusionMatrix(truth: [0, 1, 1], predictions: [0, 1, 0], classes: ["a", "b"])
        XCTAssertEqual(
            matrix.table.rows, [["a", "a", 1], ["a", "b", 0], ["b", "a", 1], ["b", "b", 1]])
        XCTAssertThrowsError(try Chart.confusionMatrix(truth: [2], predictions: [0], classes: ["a", "b"]))
    }

    func testHTML() throws {
        let directory = try Temporary()
        let run = try start(directory)
        try run.log(["../../h": .media(.html("<b>x</b>"))])
        run.finish()
        let value = try XCTUnwrap(try rows(log(run)).first?["../../h"])
        XCTAssertEqual(value["_type"], "html-file")
        XCTAssertEqual(value["path"]?.stringValue?.hasPrefix("media/html/_/_/h_0_"), true)
    }
}
