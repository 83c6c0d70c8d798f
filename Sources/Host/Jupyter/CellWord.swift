import LuaBridge

/// The name under the cursor of a cell, and what it can become.
package struct CellWord {
    /// The value that the name begins with, as `net.weight` of `net.weight:si`; empty for a global.
    package let path: String
    package let separator: Character?
    /// What was typed of the last name.
    package let prefix: String
    /// Where the last name begins and the cursor is, in characters of the cell.
    package let start: Int
    package let end: Int

    /// - Parameter whole: goes on to the end of the name that the cursor is in.
    package init(_ code: String, cursor: Int, whole: Bool = false) {
        let scalars = Array(code.unicodeScalars)
        var end = min(max(cursor, 0), scalars.count)
        func isWord(_ s: Unicode.Scalar) -> Bool { s.isASCII && (s.properties.isAlphabetic || ("0"..."9").contains(s) || s == "_") }
        if whole { while end < scalars.count, isWord(scalars[end]) { end += 1 } }
        var start = end
        while start > 0, isWord(scalars[start - 1]) || scalars[start - 1] == "." || scalars[start - 1] == ":" { start -= 1 }
        let text = String(String.UnicodeScalarView(scalars[start..<end]))
        self.end = end
        if let mark = text.lastIndex(where: { $0 == "." || $0 == ":" }) {
            path = String(text[..<mark])
            separator = text[mark]
            prefix = String(text[text.index(after: mark)...])
        } else {
            (path, separator, prefix) = ("", nil, text)
        }
        self.start = end - prefix.unicodeScalars.count
    }

    package var full: String { path + (separator.map(String.init) ?? "") + prefix }

    private static let keywords = [
        "and", "break", "do", "else", "elseif", "end", "false", "for", "function", "goto", "if", "in", "local", "nil", "not", "or",
        "repeat", "return", "then", "true", "until", "while",
    ]

    /// Names that begin as typed, sorted. Fields are looked up without running anything of the script: no function is called.
    package func matches(_ lua: Lua) throws -> [String] {
        var names: Set<String> = []
        let found = try lua.run(Self.lookup, name: "=[host completion]", [.string(path)])
        for value in found.first?.asList ?? [] { if let name = value.asString { names.insert(name) } }
        // Methods of native objects are known by their documentation.
        if found.count > 1, let type = found[1].asString {
            if let methods = lua.methods(ofType: type) {
                let listed = try lua.run(Self.names, name: "=[host completion]", [.reference(methods)])
                for value in listed.first?.asList ?? [] { if let name = value.asString { names.insert(name) } }
            }
            for entry in lua.docs.entries where separator == "." && entry.name.hasPrefix(type + ".") {
                names.insert(String(entry.name.dropFirst(type.count + 1)))
            }
        }
        if path.isEmpty { names.formUnion(Self.keywords) }
        return names.filter { $0.hasPrefix(prefix) && !($0.hasPrefix("_") && prefix.isEmpty) }.sorted()
    }

    /// What help has to say of the name.
    package func help(_ lua: Lua) throws -> String? {
        guard !full.isEmpty else { return nil }
        // The module must be loaded for its documentation to be there.
        if lua.moduleNames.contains(full) { _ = try? lua.require(full) }
        if let entry = lua.docs.entries.first(where: { $0.name == full }) { return entry.helpText }
        guard !path.isEmpty else { return nil }
        let found = try lua.run(Self.lookup, name: "=[host completion]", [.string(path)])
        if found.count > 1, let type = found[1].asString {
            // Most methods of a type are functions of its module as well, and documented there.
            for owner in [type + ":", type + ".", type.prefix(1).lowercased() + type.dropFirst() + "."] {
                if let entry = lua.docs.entries.first(where: { $0.name == owner + prefix }) { return entry.helpText }
            }
        }
        return nil
    }

    private static let names = "local names = {} for name in next, (...) do names[#names + 1] = name end return names"

    /// The names in the value of a path and in what it inherits, and its type's name.
    private static let lookup = """
        local path = ...
        local value = _G
        for name in path:gmatch "[^.:]+" do
          local where, found = value, nil
          for _ = 1, 20 do
            if type(where) ~= "table" then break end
            found = rawget(where, name)
            if found ~= nil then break end
            local meta = debug.getmetatable(where)
            where = type(meta) == "table" and rawget(meta, "__index")
          end
          if found == nil then return {} end
          value = found
        end
        local names, where = {}, value
        if type(value) == "string" then where = string end
        for _ = 1, 20 do
          if type(where) ~= "table" then break end
          for name in next, where do
            if type(name) == "string" and name:match "^[%a_][%w_]*$" then names[#names + 1] = name end
          end
          local meta = debug.getmetatable(where)
          where = type(meta) == "table" and rawget(meta, "__index")
        end
        local meta = debug.getmetatable(value)
        local kind = type(meta) == "table" and rawget(meta, "__name")
        return names, type(kind) == "string" and kind or nil
        """
}
