import LuaBridge
import NN

/// The functions of `plot` that show pictures and matrices.
enum PlotPictures {
    static func declarations(_ type: UserdataType<Figure>, _ values: PlotValues) -> [Declaration] {
        [
            Declaration(
                """
                image(image: tensor, *, title: string = "", width: int = nil, height: int = nil) -> figure
                Shows a picture. uint8 is taken as it is, numbers in 0..1 as parts of white, others are stretched from the least to the greatest.
                Args:
                  image: [H, W], [C, H, W] or [H, W, C] with 1 or 3 channels
                Example: print(plot.image(tensor.zeros(28, 28))) --> Figure(1 image, 296x302)
                Source: matplotlib.pyplot.imshow
                """, returns: type
            ) { call in
                let grid = ImageGrid([try values.image(try call.value(0))])
                try call.push(try figure(grid, call, title: 1), type)
            },
            Declaration(
                """
                images(batch: tensor|list, titles: tensor|list = nil, *, columns: int = nil, title: string = "", width: int = nil, height: int = nil) -> figure
                Shows pictures in rows, each under its caption. All pictures of a tensor share one scale from black to white.
                Args:
                  batch: [N, H, W], [N, C, H, W] with 1 or 3 channels, or a list of pictures
                  titles: captions: one string or number for each picture
                  columns: how many stand in a row
                Example: print(plot.images(tensor.zeros(6, 1, 28, 28), {titles = {0, 1, 2, 3, 4, 5}})) --> Figure(6 images, 280x228)
                Source: torchvision.utils.make_grid
                """, returns: type
            ) { call in
                let images = try values.images(try call.value(0))
                guard !images.isEmpty else { throw LuaError("images: the batch is empty") }
                let titles = try values.names(try call.value(1), "titles")
                guard titles.isEmpty || titles.count == images.count else {
                    throw LuaError("images: expected \(images.count) titles, one for each picture, got \(titles.count)")
                }
                if let columns = call.intIfPresent(2), columns < 1 { throw call.error(2, "expected 1 or more, got \(columns)") }
                try call.push(try figure(ImageGrid(images, titles: titles, columns: call.intIfPresent(2)), call, title: 3), type)
            },
            Declaration(
                """
                confusion(matrix: tensor|list, classes: list = nil, *, title: string = "", width: int = nil, height: int = nil) -> figure
                Shows how often each true class (row) was taken for each class (column).
                Args:
                  matrix: counts, square
                  classes: names of the classes; without them their numbers from 0
                Example: print(plot.confusion({{8, 2}, {1, 9}}, {"cat", "dog"})) --> Figure(confusion matrix of 2 classes, 240x240)
                Source: sklearn.metrics.ConfusionMatrixDisplay
                """, returns: type
            ) { call in
                let counts = try values.matrix(try call.value(0))
                let classes = try values.names(try call.value(1), "classes")
                guard classes.isEmpty || classes.count == counts.count else {
                    throw LuaError("confusion: expected \(counts.count) classes, as many as the matrix has rows, got \(classes.count)")
                }
                let chart = ConfusionChart(counts: counts, classes: classes.isEmpty ? counts.indices.map(String.init) : classes)
                let side = min(max(150 + 42 * counts.count, 240), 1400)
                let title = try call.string(2)
                try call.push(
                    Figure(
                        .confusion(chart), title: title, width: try PlotModule.size(call, 3, side),
                        height: try PlotModule.size(call, 4, side + (title.isEmpty ? 0 : 25))), type)
            },
        ]
    }

    /// A figure of pictures; `width` and `height` are the parameters after `title`.
    private static func figure(_ grid: ImageGrid, _ call: Call, title index: Int) throws -> Figure {
        let title = try call.string(index)
        let size = grid.size(title: !title.isEmpty)
        return Figure(
            .images(grid), title: title, width: try PlotModule.size(call, index + 1, size.width), height: try PlotModule.size(call, index + 2, size.height))
    }
}
