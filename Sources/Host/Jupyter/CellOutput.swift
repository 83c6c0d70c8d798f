import LuaBridge
import Wandb

/// A value as a front end shows it: text, and a picture where it is one.
struct CellOutput {
    let text: String
    private let picture: [UInt8]?

    /// Where figures that a cell shows go. The script's thread.
    nonisolated(unsafe) static var display: (CellOutput) -> Void = { _ in }

    init(_ results: [LuaValue], _ lua: Lua) throws {
        text = try results.map { try lua.text(of: $0) }.joined(separator: "\t")
        picture = nil
    }

    init(text: String, picture: [UInt8]?) {
        self.text = text
        self.picture = picture
    }

    /// `data` and `metadata` of display_data and execute_result.
    var content: WandbMap {
        var data: WandbMap = ["text/plain": .string(text)]
        if let picture { data["image/png"] = .string(Wandb.Base64.encode(picture)) }
        return ["data": .map(data), "metadata": .map([:])]
    }
}
