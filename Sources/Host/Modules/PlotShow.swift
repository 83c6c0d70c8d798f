import LuaBridge
import NN

/// `show` and `describe`: a look at a value, chosen by what it is. The session offers both as globals.
enum PlotShow {
    static func declarations(_ type: UserdataType<Figure>, _ values: PlotValues) -> [Declaration] {
        [
            Declaration(
                """
                show(x: any, labels: tensor|list = nil, *, as: "image"|"images"|"line"|"hist"|"confusion" = nil, classes: list = nil, title: string = "")
                Shows a value as a picture: a picture, a batch as a labelled grid, numbers as a curve, parameters as a histogram, a square matrix of counts as a confusion matrix, a dataset by its first pictures.
                Args:
                  x: a tensor, a list of numbers, a table of lists by name, a dataset, a figure
                  labels: captions of a batch, for instance its classes
                  as: what to draw, where the value alone does not tell
                  classes: names of the classes that `labels` or a confusion matrix count
                Example: plot.show(tensor.linspace(0, 1, 20))
                Source: matplotlib.pyplot.show
                """
            ) { call in
                try FigureOutlet.show(try figure(call, type, values))
            },
            Declaration(
                """
                describe(x: any)
                Prints what is in a tensor: shape, dtype, range, mean, deviation, quantiles, zeros, NaNs and a small histogram.
                Args:
                  x: a tensor, or a list of numbers
                Example: plot.describe(tensor.arange(100))
                Source: pandas.DataFrame.describe
                """
            ) { call in
                let value = try call.value(0)
                if let tensor = values.tensor.object(value) {
                    Console.write(try Description(tensor).text(on: .current()))
                } else {
                    let numbers = try values.numbers(value, "describe")
                    Console.write(Description(numbers, head: "list of \(numbers.count) numbers").text(on: .current()))
                }
            },
        ]
    }

    private static func figure(_ call: Call, _ type: UserdataType<Figure>, _ values: PlotValues) throws -> Figure {
        if let figure = call.objectIfPresent(0, type) { return figure }
        let value = try call.value(0)
        let classes = try values.names(try call.value(3), "classes")
        var labels = try values.names(try call.value(1), "labels")
        // Labels that are numbers of classes are shown by name.
        if !classes.isEmpty { labels = labels.map { label in Int(label).flatMap { classes.indices.contains($0) ? classes[$0] : nil } ?? label } }
        let kind = try call.stringIfPresent(2) ?? kind(of: value, values)
        let title = try call.string(4)
        switch kind {
        case "image":
            let grid = ImageGrid([try values.image(value)], titles: labels)
            let size = grid.size(title: !title.isEmpty)
            return Figure(.images(grid), title: title, width: size.width, height: size.height)
        case "images": return try batch(try values.images(value), labels, title)
        case "dataset": return try dataset(value, title)
        case "hist":
            return Figure(.axes(AxesChart(series: [PlotValues.histogram(try values.numbers(value, "show"), bins: 40)])), title: title, width: 560, height: 360)
        case "confusion":
            let counts = try values.matrix(value)
            guard classes.isEmpty || classes.count == counts.count else { throw LuaError("show: expected \(counts.count) classes, got \(classes.count)") }
            let side = min(max(150 + 42 * counts.count, 240), 1400)
            let names = classes.isEmpty ? counts.indices.map(String.init) : classes
            return Figure(.confusion(ConfusionChart(counts: counts, classes: names)), title: title, width: side, height: side)
        case "series": return Figure(.axes(AxesChart(series: try values.series(value, style: .line))), title: title, width: 640, height: 400)
        default:
            let series = try values.series(x: value, y: .nil, labels: [], style: .line)
            return Figure(.axes(AxesChart(series: series)), title: title, width: 640, height: 400)
        }
    }

    /// What a value most likely is.
    private static func kind(of value: LuaValue, _ values: PlotValues) throws -> String {
        if case .object(let object) = value, object.object is DataSource { return "dataset" }
        if case .map = value { return "series" }
        if case .list(let items) = value {
            if let first = items.first, let tensor = values.tensor.object(first), tensor.rank > 1 { return "images" }
            if items.count > 1, items.allSatisfy({ row in row.asList?.count == items.count && row.asList?.allSatisfy { ($0.asInt ?? -1) >= 0 } == true }) { return "confusion" }
            return "line"
        }
        guard let tensor = values.tensor.object(value) else {
            throw LuaError("show: there is no picture of a \(value.kindName); expected a tensor, numbers, a dataset or a figure")
        }
        let shape = tensor.shape.array
        switch shape.count {
        case 0: throw LuaError("show: a single number is no picture: \(Axis.short(try tensor.doubles()[0]))")
        case 1: return tensor.isParameter ? "hist" : "line"
        case 2:
            if tensor.dtype == .int64 || tensor.dtype == .int32, shape[0] == shape[1], shape[0] <= 64, try tensor.doubles().allSatisfy({ $0 >= 0 }) { return "confusion" }
            return tensor.isParameter && min(shape[0], shape[1]) < 4 ? "hist" : shape[0] <= 8 && shape[1] > 4 * shape[0] ? "line" : "image"
        case 3: return [1, 3].contains(shape[0]) ? "image" : "images"
        case 4 where [1, 3].contains(shape[1]): return "images"
        default: return "hist"
        }
    }

    /// A batch that is longer is cut: nobody looks at thousands.
    private static let most = 64

    private static func batch(_ images: [Pixels], _ labels: [String], _ title: String) throws -> Figure {
        guard !images.isEmpty else { throw LuaError("show: the batch is empty") }
        guard labels.isEmpty || labels.count == images.count else { throw LuaError("show: expected \(images.count) labels, one for each picture, got \(labels.count)") }
        let grid = ImageGrid(Array(images.prefix(most)), titles: Array(labels.prefix(most)))
        let title = title.isEmpty && images.count > most ? "the first \(most) of \(images.count)" : title
        let size = grid.size(title: !title.isEmpty)
        return Figure(.images(grid), title: title, width: size.width, height: size.height)
    }

    private static func dataset(_ value: LuaValue, _ title: String) throws -> Figure {
        guard case .object(let object) = value, let source = object.object as? DataSource else { throw LuaError("show: this is no dataset") }
        let shown = min(source.dataset.count, 20)
        let columns = source.dataset.columns
        guard shown > 0, let first = columns.first, first.shape.rank == 2 || first.shape.rank == 3 else {
            throw LuaError("show: \(source.description) holds no pictures")
        }
        var classes: [String] = []
        if let names = try source.fields.first(where: { $0.name == "classes" })?.value().asList { classes = names.compactMap(\.asString) }
        var pictures: [Tensor] = [], titles: [String] = []
        for index in 0..<shown {
            let sample = try source.dataset.sample(index)
            pictures.append(sample[0])
            if columns.count > 1, columns[1].isNumber {
                let label = Int(try sample[1].doubles()[0])
                titles.append(classes.indices.contains(label) ? classes[label] : "\(label)")
            }
        }
        let images = try PlotValues.pictures(stack: pictures)
        let grid = ImageGrid(images, titles: titles, columns: 10)
        let size = grid.size(title: true)
        return Figure(.images(grid), title: title.isEmpty ? source.description : title, width: size.width, height: size.height)
    }
}
