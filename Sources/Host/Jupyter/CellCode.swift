import LuaBridge

/// The text of a cell as something that can be called: statements whose last expression, if any, is the cell's value.
package enum CellCode {
    /// - Throws: the error of the text as it stands, when it is no Lua.
    package static func compile(_ text: String, name: String, _ lua: Lua) throws -> LuaFunction {
        if let chunk = try? lua.load("return " + text, name: name) { return chunk }
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while let last = lines.last, last.allSatisfy(\.isWhitespace) { lines.removeLast() }
        // `x = f(1)` and below it `x`: the value is what the last lines say. Line numbers stay.
        for start in lines.indices.reversed().prefix(12) {
            let line = lines[start].drop(while: \.isWhitespace)
            // A line that opens so may go on with the one before.
            guard let first = line.first, !"([{\"'-+*/%^#.:,=<>~&|".contains(first) else { continue }
            var changed = lines
            changed[start] = "return " + lines[start]
            if let chunk = try? lua.load(changed.joined(separator: "\n"), name: name) { return chunk }
        }
        return try lua.load(text, name: name)
    }

    package enum Completeness: String { case complete, incomplete, invalid }

    package static func completeness(_ text: String, _ lua: Lua) -> Completeness {
        do {
            _ = try compile(text, name: "=cell", lua)
            return .complete
        } catch {
            return "\(error)".hasSuffix("<eof>") ? .incomplete : .invalid
        }
    }
}
