import LuaBridge
import NN

/// Lua values as figures need them: numbers, series, pictures, counts.
struct PlotValues {
    let tensor: UserdataType<Tensor>

    /// The numbers of a list or of a tensor, in order.
    func numbers(_ value: LuaValue, _ place: String) throws -> [Double] {
        if let tensor = tensor.object(value) { return try tensor.doubles() }
        guard let items = Self.items(value) else { throw LuaError("\(place): expected a list of numbers or a tensor, got \(value.kindName)") }
        return try items.enumerated().map { index, item in
            if let number = item.asNumber { return number }
            if let flag = item.asBool { return flag ? 1 : 0 }
            if case .null = item { return .nan }
            if let tensor = tensor.object(item), tensor.count == 1 { return try tensor.doubles()[0] }
            throw LuaError("\(place): element \(index + 1) is a \(item.kindName), expected a number")
        }
    }

    /// The list part of a table: `{1, 4, 9, title = "squares"}` is numbers and options at once.
    private static func items(_ value: LuaValue) -> [LuaValue]? {
        switch value {
        case .list(let items): return items
        case .map(let fields):
            let items = fields.enumerated().prefix { $0.element.key.asInt == $0.offset + 1 }.map(\.element.value)
            return items.isEmpty ? nil : items
        default: return nil
        }
    }

    /// One list for each series: several come as a list of lists or as the rows of a tensor [series, points].
    func rows(_ value: LuaValue, _ place: String) throws -> [[Double]] {
        if let tensor = tensor.object(value) {
            guard tensor.rank <= 2 else { throw LuaError("\(place): expected a tensor [points] or [series, points], got shape \(tensor.shape)") }
            let numbers = try tensor.doubles()
            guard tensor.rank == 2, tensor.shape[1] > 0 else { return [numbers] }
            return stride(from: 0, to: numbers.count, by: tensor.shape[1]).map { Array(numbers[$0..<($0 + tensor.shape[1])]) }
        }
        if let items = Self.items(value), let first = items.first, first.asList != nil || (self.tensor.object(first)?.count ?? 1) != 1 {
            return try items.enumerated().map { try numbers($1, "\(place)[\($0 + 1)]") }
        }
        return [try numbers(value, place)]
    }

    /// Series from `x`, `y` and `labels`; x alone is y, counted from 0.
    func series(x: LuaValue, y: LuaValue, labels: [String], style: AxesChart.Style) throws -> [AxesChart.Series] {
        if x.isNil, y.isNil { return [] }
        let ys = try y.isNil ? rows(x, "x") : rows(y, "y")
        let xs = y.isNil || x.isNil ? [] : try rows(x, "x")
        guard xs.count <= 1 || xs.count == ys.count else { throw LuaError("x has \(xs.count) series and y has \(ys.count)") }
        guard labels.isEmpty || labels.count == ys.count else { throw LuaError("labels: expected \(ys.count), one for each series, got \(labels.count)") }
        return try ys.enumerated().map { index, y in
            let x = xs.isEmpty ? y.indices.map(Double.init) : xs[min(index, xs.count - 1)]
            return try series(x, y, labels.isEmpty ? "" : labels[index], style)
        }
    }

    /// The option `series`: names with lists, or with tables of `x` and `y`; or a list of tables of `x`, `y` and `label`.
    func series(_ value: LuaValue, style: AxesChart.Style) throws -> [AxesChart.Series] {
        func one(_ value: LuaValue, _ name: String) throws -> AxesChart.Series {
            if value["y"] == nil, value["x"] == nil {
                let y = try numbers(value, "series.\(name)")
                return try series(y.indices.map(Double.init), y, name, style)
            }
            guard let given = value["y"] else { throw LuaError("series.\(name): y is missing") }
            let y = try numbers(given, "series.\(name).y")
            let x = try value["x"].map { try numbers($0, "series.\(name).x") } ?? y.indices.map(Double.init)
            return try series(x, y, value["label"]?.asString ?? name, style)
        }
        switch value {
        case .nil: return []
        case .map(let fields): return try fields.map { try one($0.value, $0.key.asString ?? $0.key.asInt.map(String.init) ?? "") }
        case .list(let items):
            return try items.enumerated().map { index, item in
                var series = try one(item, "\(index + 1)")
                if item["label"] == nil { series.label = "" }
                return series
            }
        default: throw LuaError("series: expected a table, got \(value.kindName)")
        }
    }

    private func series(_ x: [Double], _ y: [Double], _ label: String, _ style: AxesChart.Style) throws -> AxesChart.Series {
        guard x.count == y.count else { throw LuaError("x has \(x.count) points and y has \(y.count)\(label.isEmpty ? "" : " in series '\(label)'")") }
        return AxesChart.Series(x: x, y: y, label: label, style: style)
    }

    // MARK: Pictures

    /// Pictures of a tensor [N, H, W] or [N, C, H, W], or of a list of tensors. All share one scale.
    func images(_ value: LuaValue) throws -> [Pixels] {
        if let tensor = tensor.object(value) {
            let shape = tensor.shape.array
            let isBatch = shape.count == 3 || (shape.count == 4 && [1, 3].contains(shape[1]))
            guard isBatch else { throw LuaError("expected a batch [N, H, W] or [N, C, H, W] with 1 or 3 channels, got shape \(tensor.shape)") }
            return try pictures(tensor, count: shape[0], channels: shape.count == 4 ? shape[1] : 1, height: shape[shape.count - 2], width: shape[shape.count - 1])
        }
        guard case .list(let items) = value else { throw LuaError("expected a tensor or a list of tensors, got \(value.kindName)") }
        return try items.map(image)
    }

    /// The picture of a tensor [H, W], [C, H, W] or [H, W, C].
    func image(_ value: LuaValue) throws -> Pixels {
        guard let tensor = tensor.object(value) else { throw LuaError("expected a tensor, got \(value.kindName)") }
        let shape = tensor.shape.array
        switch shape.count {
        case 2: return try pictures(tensor, count: 1, channels: 1, height: shape[0], width: shape[1])[0]
        case 3 where [1, 3].contains(shape[0]): return try pictures(tensor, count: 1, channels: shape[0], height: shape[1], width: shape[2])[0]
        case 3 where [1, 3].contains(shape[2]):
            return try pictures(tensor.detached().permute([2, 0, 1]), count: 1, channels: shape[2], height: shape[0], width: shape[1])[0]
        case 4 where shape[0] == 1 && [1, 3].contains(shape[1]): return try images(value)[0]
        default: throw LuaError("expected a picture [H, W], [C, H, W] or [H, W, C] with 1 or 3 channels, got shape \(tensor.shape)")
        }
    }

    /// Bytes are taken as they are, numbers in 0..1 as parts of 255, others stretched from their least to their greatest.
    private func pictures(_ tensor: Tensor, count: Int, channels: Int, height: Int, width: Int) throws -> [Pixels] {
        guard tensor.count > 0 else { throw LuaError("the tensor of shape \(tensor.shape) holds no pixels") }
        guard tensor.count <= 1 << 26 else { throw LuaError("shape \(tensor.shape) is too much for one figure; take a part of it") }
        return Self.pictures(try tensor.doubles(), tensor.dtype, count: count, channels: channels, height: height, width: width)
    }

    /// Pictures of equal shape [H, W] or [C, H, W].
    static func pictures(stack tensors: [Tensor]) throws -> [Pixels] {
        guard let first = tensors.first else { return [] }
        let shape = first.shape.array
        guard shape.count >= 2, tensors.allSatisfy({ $0.shape == first.shape }), shape.count == 2 || [1, 3].contains(shape[0]) else {
            throw LuaError("expected pictures [H, W] or [C, H, W] of 1 or 3 channels, got shape \(first.shape)")
        }
        let numbers = try tensors.flatMap { try $0.doubles() }
        return pictures(
            numbers, first.dtype, count: tensors.count, channels: shape.count == 3 ? shape[0] : 1, height: shape[shape.count - 2],
            width: shape[shape.count - 1])
    }

    private static func pictures(_ numbers: [Double], _ dtype: DType, count: Int, channels: Int, height: Int, width: Int) -> [Pixels] {
        var (shift, scale) = (0.0, 1.0)
        if dtype != .uint8 {
            let finite = numbers.lazy.filter(\.isFinite)
            let (least, most) = (finite.min() ?? 0, finite.max() ?? 0)
            if least >= 0, most <= 1 { scale = 255 } else if dtype.isFloat || least < 0 || most > 255 {
                (shift, scale) = (least, most > least ? 255 / (most - least) : 1)
            }
        }
        let area = height * width
        return (0..<count).map { n in
            var bytes = [UInt8](repeating: 0, count: area * channels)
            for channel in 0..<channels {
                let from = (n * channels + channel) * area
                for at in 0..<area {
                    let value = (numbers[from + at] - shift) * scale
                    bytes[at * channels + channel] = value.isNaN ? 0 : UInt8(min(max(value, 0), 255).rounded())
                }
            }
            return Pixels(width: width, height: height, channels: channels, bytes: bytes)
        }
    }

    // MARK: Counts

    /// A square matrix of counts.
    func matrix(_ value: LuaValue) throws -> [[Double]] {
        let rows = try rows(value, "matrix")
        guard !rows.isEmpty, rows.allSatisfy({ $0.count == rows.count }) else {
            let shape = self.tensor.object(value).map { "shape \($0.shape)" } ?? "\(rows.count) rows of \(rows.first?.count ?? 0)"
            throw LuaError("expected a square matrix (row: true class, column: predicted class), got \(shape)")
        }
        guard rows.count <= 1000 else { throw LuaError("a matrix of \(rows.count) classes is too large to draw") }
        guard rows.allSatisfy({ $0.allSatisfy { $0.isFinite && $0 >= 0 } }) else { throw LuaError("counts must be 0 or more") }
        return rows
    }

    /// Names of classes, captions: strings and numbers, also as a tensor.
    func names(_ value: LuaValue, _ place: String) throws -> [String] {
        if value.isNil { return [] }
        if let tensor = tensor.object(value) { return try tensor.doubles().map(Axis.short) }
        guard case .list(let items) = value else { throw LuaError("\(place): expected a list, got \(value.kindName)") }
        return try items.enumerated().map { index, item in
            if let text = item.asString { return text }
            if let number = item.asNumber { return Axis.short(number) }
            if let tensor = tensor.object(item), tensor.count == 1 { return Axis.short(try tensor.doubles()[0]) }
            throw LuaError("\(place): element \(index + 1) is a \(item.kindName), expected a string or a number")
        }
    }

    /// How often numbers fall into parts of equal width; what is not finite falls into none.
    static func histogram(_ numbers: [Double], bins: Int, range: (Double, Double)? = nil) -> AxesChart.Series {
        let finite = numbers.filter(\.isFinite)
        var (low, high) = range ?? (finite.min() ?? 0, finite.max() ?? 1)
        if low == high {
            // Where numbers are so large that halves are lost, by what they can tell apart.
            let margin = max(0.5, low.ulp * Double(bins))
            (low, high) = (max(low - margin, -.greatestFiniteMagnitude), min(high + margin, .greatestFiniteMagnitude))
        }
        var counts = [Double](repeating: 0, count: bins)
        for number in finite where number >= low && number <= high {
            // Halves, so that the width of any range is a number.
            let place = (number / 2 - low / 2) / (high / 2 - low / 2) * Double(bins)
            counts[place.isFinite ? min(max(Int(place), 0), bins - 1) : 0] += 1
        }
        let width = high / Double(bins) - low / Double(bins)
        return AxesChart.Series(x: (0..<bins).map { low + (Double($0) + 0.5) * width }, y: counts, style: .bars)
    }
}
