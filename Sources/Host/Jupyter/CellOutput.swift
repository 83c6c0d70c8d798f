import LuaBridge
import Wandb

/// A value as a front end shows it: text, and a picture where it is one.
struct CellOutput {
    let text: String
    /// Other forms of the same by their types.
    private let pictures: WandbMap

    init(_ results: [LuaValue], _ lua: Lua) throws {
        text = try results.map { try lua.text(of: $0) }.joined(separator: "\t")
        if results.count == 1, case .object(let object) = results[0], let figure = object.object as? Figure { pictures = Self.pictures(figure) } else { pictures = [:] }
    }

    /// A figure that a cell shows.
    init(_ figure: Figure) {
        text = figure.description
        pictures = Self.pictures(figure)
    }

    /// As PNG; without the library that draws text into one, as SVG.
    private static func pictures(_ figure: Figure) -> WandbMap {
        if let png = try? figure.png() { return ["image/png": .string(Wandb.Base64.encode(png))] }
        if let svg = try? figure.svg() { return ["image/svg+xml": .string(svg)] }
        return [:]
    }

    /// `data` and `metadata` of display_data and execute_result.
    var content: WandbMap {
        var data: WandbMap = ["text/plain": .string(text)]
        for entry in pictures.entries { data[entry.key] = entry.value }
        return ["data": .map(data), "metadata": .map([:])]
    }
}
