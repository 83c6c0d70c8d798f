import LuaBridge
import NN
import Wandb

/// Media, for Lua: what `wandb.Image` and its kin give.
final class WandbMediaBox {
    let media: Media
    init(_ media: Media) { self.media = media }
}

/// Pictures, tables, histograms, pages and charts from Lua values.
struct WandbMediaReader {
    let values: WandbValues

    /// A picture from a tensor `[H, W]`, `[C, H, W]` or `[H, W, C]`, or from a file.
    func image(_ value: LuaValue, _ options: LuaValue) throws -> Image {
        var image: Image
        if let path = value.asString {
            image = try Image(path: path)
        } else if let tensor = Self.tensor(value) {
            let (pixels, width, height, channels) = try Self.pixels(tensor, "wandb.Image")
            image = try Image(pixels: pixels, width: width, height: height, channels: channels)
        } else {
            throw LuaError("expected a tensor or a path, got \(value.kindName)")
        }
        image.caption = options["caption"]?.asString
        for (name, mask) in fields(options["masks"]) {
            guard let data = mask["mask_data"], let tensor = Self.tensor(data), tensor.rank == 2 else {
                throw LuaError("masks.\(name).mask_data: expected a tensor [H, W]")
            }
            let classes = try tensor.doubles().map { number -> UInt8 in
                guard let value = UInt8(exactly: number) else {
                    throw LuaError("masks.\(name).mask_data: expected classes 0 to 255, got \(number)")
                }
                return value
            }
            image.masks.append(
                try .init(
                    name: name, classes: classes, width: tensor.shape.array[1], height: tensor.shape.array[0],
                    labels: labels(mask["class_labels"])))
        }
        for (name, set) in fields(options["boxes"]) {
            guard case .list(let boxes)? = set["box_data"] else { throw LuaError("boxes.\(name).box_data: expected a list") }
            image.boxes.append(
                try .init(
                    name: name, data: try boxes.map { try values.value($0, "boxes.\(name).box_data") },
                    labels: labels(set["class_labels"])))
        }
        return image
    }

    static func tensor(_ value: LuaValue) -> Tensor? {
        if case .object(let object) = value { object.object as? Tensor } else { nil }
    }

    /// Bytes of a picture. Numbers in 0..1 are scaled to 0..255, those within 0..255 taken as they are, and others
    /// stretched from their least to their greatest.
    private static func pixels(_ tensor: Tensor, _ name: String) throws -> ([UInt8], width: Int, height: Int, channels: Int) {
        let shape = tensor.shape.array
        let numbers = try tensor.doubles()
        let isChannelsFirst = shape.count == 3 && [1, 3, 4].contains(shape[0])
        let isChannelsLast = shape.count == 3 && !isChannelsFirst && [1, 3, 4].contains(shape[2])
        guard shape.count == 2 || isChannelsFirst || isChannelsLast, !numbers.isEmpty else {
            throw LuaError("\(name): expected a tensor [H, W], [C, H, W] or [H, W, C] with 1, 3 or 4 channels, got \(shape)")
        }
        let least = numbers.min() ?? 0
        let most = numbers.max() ?? 0
        guard least.isFinite, most.isFinite, !numbers.contains(where: \.isNaN) else {
            throw LuaError("\(name): the tensor holds NaN or infinity")
        }
        let isFloat = tensor.dtype == .float32 || tensor.dtype == .float64
        var (shift, scale) = (0.0, 1.0)
        if isFloat, least >= 0, most <= 1 { scale = 255 }
        if tensor.dtype == .bool { scale = 255 }
        if least < 0 || most > 255 { (shift, scale) = (least, most > least ? 255 / (most - least) : 1) }
        let bytes = numbers.map { UInt8(max(0, min(255, (($0 - shift) * scale).rounded()))) }
        guard isChannelsFirst, shape[0] > 1 else {
            let (height, width) = isChannelsFirst ? (shape[1], shape[2]) : (shape[0], shape[1])
            return (bytes, width, height, isChannelsLast ? shape[2] : 1)
        }
        let (channels, height, width) = (shape[0], shape[1], shape[2])
        var interleaved = [UInt8](repeating: 0, count: bytes.count)
        for channel in 0..<channels {
            for position in 0..<(height * width) {
                interleaved[position * channels + channel] = bytes[channel * height * width + position]
            }
        }
        return (interleaved, width, height, channels)
    }

    private func fields(_ value: LuaValue?) -> [(String, LuaValue)] {
        guard case .map(let fields)? = value else { return [] }
        return fields.compactMap { field in field.key.asString.map { ($0, field.value) } }
    }

    /// `{[0] = "zero", "one"}`: numbers and names.
    private func labels(_ value: LuaValue?) -> [(Int64, String)] {
        switch value {
        case .list(let names)?: names.enumerated().compactMap { index, name in name.asString.map { (Int64(index + 1), $0) } }
        case .map(let fields)?:
            fields.compactMap { field in
                guard let number = field.key.asInt, let name = field.value.asString else { return nil }
                return (Int64(number), name)
            }
        default: []
        }
    }

    func table(columns: LuaValue, data: LuaValue) throws -> Table {
        guard case .list(let names) = columns else { throw LuaError("columns: expected a list of names") }
        let columns = try names.map { name -> String in
            guard let text = name.asString else { throw LuaError("columns: expected names, got \(name.kindName)") }
            return text
        }
        guard case .list(let rows) = data else { throw LuaError("data: expected a list of rows") }
        return try Table(
            columns: columns,
            rows: try rows.enumerated().map { index, row in
                guard case .list(let cells) = row else {
                    throw LuaError("data[\(index + 1)]: expected a list of \(columns.count) values, got \(row.kindName)")
                }
                return try cells.enumerated().map { try values.value($1, "data[\(index + 1)][\($0 + 1)]") }
            })
    }

    func histogram(_ value: LuaValue, bins: Int) throws -> Histogram {
        if let tensor = Self.tensor(value) { return try Histogram(values: try tensor.doubles(), bins: bins) }
        return try Histogram(values: try numbers(value, "values"), bins: bins)
    }

    func numbers(_ value: LuaValue, _ place: String) throws -> [Double] {
        if let tensor = Self.tensor(value) { return try tensor.doubles() }
        guard case .list(let items) = value else { throw LuaError("\(place): expected a list of numbers or a tensor, got \(value.kindName)") }
        return try items.map { item in
            guard let number = item.asNumber else { throw LuaError("\(place): expected numbers, got \(item.kindName)") }
            return number
        }
    }

    func classes(_ value: LuaValue, _ place: String) throws -> [Int] {
        try numbers(value, place).map { number in
            guard let value = Int(exactly: number) else { throw LuaError("\(place): expected whole numbers, got \(number)") }
            return value
        }
    }

    /// Rows of class scores: a tensor `[N, C]` or a list of lists.
    func scores(_ value: LuaValue) throws -> [[Double]] {
        if let tensor = Self.tensor(value) {
            guard tensor.rank == 2 else { throw LuaError("y_probas: expected a tensor [N, C], got \(tensor.shape.array)") }
            let width = tensor.shape.array[1]
            let all = try tensor.doubles()
            return (0..<tensor.shape.array[0]).map { Array(all[($0 * width)..<(($0 + 1) * width)]) }
        }
        guard case .list(let rows) = value else { throw LuaError("y_probas: expected a tensor [N, C] or a list of lists") }
        return try rows.map { try numbers($0, "y_probas") }
    }

    static let charts = ["line", "scatter", "bar", "histogram", "confusion_matrix", "pr_curve", "roc_curve"]

    func chart(_ kind: String, _ arguments: LuaValue) throws -> Chart {
        func text(_ key: String) -> String { arguments[key]?.asString ?? "" }
        func table() throws -> Table {
            guard case .object(let object)? = arguments["table"], let box = object.object as? WandbMediaBox,
                case .table(let table) = box.media
            else { throw LuaError("table: expected a wandb.Table, got \((arguments["table"] ?? .nil).kindName)") }
            return table
        }
        let names: [String]?
        if case .list(let given)? = arguments["names"] { names = given.compactMap(\.asString) } else { names = nil }
        let truth = arguments["y_true"] ?? .nil
        switch kind {
        case "line":
            return try .line(try table(), x: text("x"), y: text("y"), stroke: arguments["stroke"]?.asString, title: text("title"))
        case "scatter": return try .scatter(try table(), x: text("x"), y: text("y"), title: text("title"))
        case "bar": return try .bar(try table(), label: text("label"), value: text("value"), title: text("title"))
        case "histogram": return try .histogram(try table(), value: text("value"), title: text("title"))
        case "confusion_matrix":
            return try .confusionMatrix(
                truth: try classes(truth, "y_true"), predictions: try classes(arguments["preds"] ?? .nil, "preds"),
                classes: names, title: text("title"))
        case "pr_curve":
            return try .prCurve(
                truth: try classes(truth, "y_true"), scores: try scores(arguments["y_probas"] ?? .nil), classes: names,
                title: text("title"))
        default:
            return try .rocCurve(
                truth: try classes(truth, "y_true"), scores: try scores(arguments["y_probas"] ?? .nil), classes: names,
                title: text("title"))
        }
    }
}
