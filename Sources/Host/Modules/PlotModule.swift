import LuaBridge
import NN

/// Where `figure:show()` puts a figure: the terminal, unless a front end says otherwise. Used by the script's thread only.
enum FigureOutlet {
    nonisolated(unsafe) static var show: (Figure) throws -> Void = { figure in
        ProgressTerminal.standardError?.leaveLine()
        Console.write(try figure.text(on: .current()))
    }
}

/// The module `plot`: figures as values. See docs/plot.md.
enum PlotModule {
    static func register(_ lua: Lua, _ tensor: UserdataType<Tensor>) throws {
        let type = UserdataType<Figure>(lua, "Figure", kind: "figure")
        let values = PlotValues(tensor: tensor)
        try lua.module("plot", "plot\nFigures: curves, points, histograms, pictures and confusion matrices, shown in the terminal or saved as PNG and SVG.") { module in
            // What is drawn are tensors, more often than not.
            _ = try module.lua.require("tensor")
            try buildFigure(type)
            try module.add(PlotCharts.declarations(type, values) + PlotPictures.declarations(type, values))
            try module.add(PlotShow.declarations(type, values))
        }
    }

    private static func buildFigure(_ type: UserdataType<Figure>) throws {
        try type.build { figure in
            figure.document("plot.Figure\nA picture as a value: what the functions of `plot` give.\nSource: matplotlib.figure.Figure")
            figure.field("title", "string", "The title.") { figure, call in try call.push(figure.title) }
            figure.field("width", "int", "Pixels across.") { figure, call in call.push(figure.width) }
            figure.field("height", "int", "Pixels from top to bottom.") { figure, call in call.push(figure.height) }
            figure.method(
                Declaration(
                    """
                    Figure:show(self: figure)
                    Shows the figure in the terminal: as a picture where the terminal says that it has kitty, iTerm2 or sixel graphics, in characters elsewhere.
                    Example: plot.line{1, 4, 9}:show()
                    Source: matplotlib.pyplot.show
                    """
                ) { call in try FigureOutlet.show(try call.object(0, type)) })
            figure.method(
                Declaration(
                    """
                    Figure:save(self: figure, path: string)
                    Writes the figure to a file.
                    Args:
                      path: its ending says which format, .png or .svg
                    Errors: another ending; a file that cannot be written; PNG of a figure with text without libcairo
                    Example: plot.line{1, 4, 9}:save(os.tmpname() .. ".svg")
                    Source: matplotlib.figure.Figure.savefig
                    """
                ) { call in
                    try TensorModule.reporting("Figure:save") { try call.object(0, type).save(to: try call.string(1)) }
                })
            figure.method(
                Declaration(
                    """
                    Figure:svg(self: figure) -> string
                    Gives the figure as SVG text.
                    Example: print(plot.line{1, 4, 9}:svg():sub(1, 4)) --> <svg
                    Source: W3C, Scalable Vector Graphics (SVG) 1.1
                    """
                ) { call in try call.push(try call.object(0, type).svg()) })
            figure.method(
                Declaration(
                    """
                    Figure:png(self: figure) -> string
                    Gives the bytes of the figure as a PNG file.
                    Errors: a figure with text without libcairo
                    Example: print(#plot.image(tensor.zeros(8, 8)):png() > 0) --> true
                    Source: W3C, Portable Network Graphics (PNG)
                    """
                ) { call in try call.push(bytes: try call.object(0, type).png()) })
            figure.metamethod("__tostring", Declaration("tostring(a: any)", fast: true) { call in try call.push(try call.object(0, type).description) })
        }
    }

    /// The size of a figure; what is beyond is a mistake.
    /// - Parameter standard: what it is where the declaration leaves it open.
    static func size(_ call: Call, _ index: Int, _ standard: Int? = nil) throws -> Int {
        let size = if call.isNil(index), let standard { standard } else { try call.int(index) }
        guard Figure.sizes.contains(size) else {
            throw call.error(index, "expected \(Figure.sizes.lowerBound) to \(Figure.sizes.upperBound) pixels, got \(size)")
        }
        return size
    }

    /// Two numbers, the smaller first.
    static func range(_ call: Call, _ index: Int) throws -> (Double, Double)? {
        guard !call.isNil(index) else { return nil }
        let ends = try call.numbers(index)
        guard ends.count == 2, ends[0].isFinite, ends[1].isFinite, ends[0] < ends[1] else { throw call.error(index, "expected {low, high}") }
        return (ends[0], ends[1])
    }
}
