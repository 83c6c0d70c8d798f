import Wandb

/// What a cell shows: text, and pictures of the same.
enum CellOutput {
    /// `data` and `metadata` of display_data and execute_result.
    static func content(text: String, pictures: WandbMap = [:]) -> WandbMap {
        var data: WandbMap = ["text/plain": .string(text)]
        for entry in pictures.entries { data[entry.key] = entry.value }
        return ["data": .map(data), "metadata": .map([:])]
    }

    /// A figure as PNG; without the library that draws text into one, as SVG.
    static func content(_ figure: Figure) -> WandbMap {
        var pictures: WandbMap = [:]
        if let png = try? figure.png() {
            pictures["image/png"] = .string(Wandb.Base64.encode(png))
        } else if let svg = try? figure.svg() {
            pictures["image/svg+xml"] = .string(svg)
        }
        return content(text: figure.description, pictures: pictures)
    }
}
