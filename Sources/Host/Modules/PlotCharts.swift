import LuaBridge
import NN

/// The functions of `plot` that draw numbers over axes.
enum PlotCharts {
    static func declarations(_ type: UserdataType<Figure>, _ values: PlotValues) -> [Declaration] {
        [
            Declaration(
                """
                line(x: tensor|list = nil, y: tensor|list = nil, *, series: table = nil, labels: list = nil, title: string = "", xlabel: string = "", ylabel: string = "", xlim: numbers = nil, ylim: numbers = nil, xscale: "linear"|"log" = "linear", yscale: "linear"|"log" = "linear", markers: bool = false, width: int = 640, height: int = 400) -> figure
                Draws curves. Numbers that are NaN or infinite are gaps.
                Args:
                  x: where the points stand; given alone it is y, and the points stand at 0, 1, 2 ...
                  y: the numbers; several series as a list of lists, or as the rows of a tensor
                  series: the curves by name, `{train = {1, 2}, test = {x = {0, 5}, y = {1, 2}}}`, or in order, `{{x = ..., y = ..., label = "train"}, ...}`
                  labels: names of the series, for the legend
                  markers: whether points are marked with dots
                Example: print(plot.line{series = {train = {3, 2, 1}, test = {4, 3, 3}}, title = "loss"}) --> Figure("loss", curves, 2 series, 640x400)
                Source: matplotlib.pyplot.plot
                """, returns: type
            ) { call in try call.push(try chart(call, values, .line, markers: 11, size: (12, 13)), type) },
            Declaration(
                """
                scatter(x: tensor|list = nil, y: tensor|list = nil, *, series: table = nil, labels: list = nil, title: string = "", xlabel: string = "", ylabel: string = "", xlim: numbers = nil, ylim: numbers = nil, xscale: "linear"|"log" = "linear", yscale: "linear"|"log" = "linear", group: tensor|list = nil, width: int = 560, height: int = 480) -> figure
                Draws points.
                Args:
                  x: where the points stand from left to right
                  y: and from bottom to top
                  series: as for plot.line
                  group: the class of each point: each class gets a colour and a line in the legend
                  labels: names of the series, or of the groups in ascending order
                Example: print(plot.scatter({1, 2, 3}, {4, 5, 6}, {group = {0, 1, 0}})) --> Figure(points, 2 series, 560x480)
                Source: matplotlib.pyplot.scatter
                """, returns: type
            ) { call in try call.push(try chart(call, values, .points, group: 11, size: (12, 13)), type) },
            Declaration(
                """
                hist(values: tensor|list, *, bins: int = 30, range: numbers = nil, labels: list = nil, title: string = "", xlabel: string = "", ylabel: string = "count", yscale: "linear"|"log" = "linear", width: int = 560, height: int = 360) -> figure
                Draws how often numbers fall into each of some parts of equal width. NaN and infinite ones fall into none.
                Args:
                  values: a tensor of any shape, or a list; several as a list of tensors or lists
                  bins: how many parts
                  range: where the first part begins and the last one ends; without it at the least and the greatest number
                  labels: names of the series, for the legend
                Example: print(plot.hist(tensor.arange(100), {bins = 10})) --> Figure(histogram, 10 bars, 560x360)
                Source: matplotlib.pyplot.hist
                """, returns: type
            ) { call in try call.push(try histogram(call, values), type) },
        ]
    }

    private static func chart(
        _ call: Call, _ values: PlotValues, _ style: AxesChart.Style, markers: Int? = nil, group: Int? = nil, size: (Int, Int)
    ) throws -> Figure {
        let labels = try values.names(try call.value(3), "labels")
        var series: [AxesChart.Series]
        if let group, !call.isNil(group) {
            series = try grouped(call, values, try values.names(try call.value(group), "group"), labels)
        } else {
            series = try values.series(x: try call.value(0), y: try call.value(1), labels: labels, style: style)
        }
        series += try values.series(try call.value(2), style: style)
        guard !series.isEmpty else { throw LuaError("\(call.name): expected numbers: y, x and y, or series") }
        var chart = AxesChart(series: series)
        (chart.xLabel, chart.yLabel) = (try call.string(5), try call.string(6))
        (chart.xLimits, chart.yLimits) = (try PlotModule.range(call, 7), try PlotModule.range(call, 8))
        if try call.string(9) == "log" { chart.xScale = .log }
        if try call.string(10) == "log" { chart.yScale = .log }
        if let markers { chart.hasMarkers = try call.bool(markers) }
        return Figure(
            .axes(chart), title: try call.string(4), width: try PlotModule.size(call, size.0), height: try PlotModule.size(call, size.1))
    }

    /// One series for each class.
    private static func grouped(_ call: Call, _ values: PlotValues, _ groups: [String], _ labels: [String]) throws -> [AxesChart.Series] {
        let all = try values.series(x: try call.value(0), y: try call.value(1), labels: [], style: .points)
        guard all.count == 1, all[0].y.count == groups.count else {
            throw LuaError("group: expected one class for each of the \(all.first?.y.count ?? 0) points, got \(groups.count)")
        }
        let names = Set(groups).sorted { a, b in
            if let x = Double(a), let y = Double(b) { return x < y }
            return a < b
        }
        guard labels.isEmpty || labels.count >= names.count else { throw LuaError("labels: expected \(names.count), one for each group, got \(labels.count)") }
        return names.enumerated().map { index, name in
            let picked = groups.indices.filter { groups[$0] == name }
            // Classes are numbers from 0 as a rule: then labels are counted from there, whichever classes occur.
            let number = Int(name).flatMap { labels.indices.contains($0) ? $0 : nil } ?? index
            return AxesChart.Series(
                x: picked.map { all[0].x[$0] }, y: picked.map { all[0].y[$0] }, label: labels.isEmpty ? name : labels[number], style: .points)
        }
    }

    private static func histogram(_ call: Call, _ values: PlotValues) throws -> Figure {
        let given = try call.value(0)
        let bins = try call.int(1)
        guard (1...10_000).contains(bins) else { throw call.error(1, "expected 1 to 10000, got \(bins)") }
        let rows: [[Double]]
        if values.tensor.object(given) != nil { rows = [try values.numbers(given, "values")] } else { rows = try values.rows(given, "values") }
        let labels = try values.names(try call.value(3), "labels")
        guard labels.isEmpty || labels.count == rows.count else { throw LuaError("labels: expected \(rows.count), one for each series, got \(labels.count)") }
        var range = try PlotModule.range(call, 2)
        if range == nil {
            // Series are compared over one range.
            let finite = rows.joined().filter(\.isFinite)
            if let low = finite.min(), let high = finite.max(), low < high { range = (low, high) }
        }
        var chart = AxesChart(series: rows.map { PlotValues.histogram($0, bins: bins, range: range) })
        for index in labels.indices { chart.series[index].label = labels[index] }
        (chart.xLabel, chart.yLabel) = (try call.string(5), try call.string(6))
        if try call.string(7) == "log" { chart.yScale = .log }
        return Figure(.axes(chart), title: try call.string(4), width: try PlotModule.size(call, 8), height: try PlotModule.size(call, 9))
    }
}
