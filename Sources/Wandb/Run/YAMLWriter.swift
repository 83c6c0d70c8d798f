/// `config.yaml`: keys sorted, four spaces to a level.
package enum YAMLWriter {
    package static func text(_ map: WandbMap) -> String {
        var text = ""
        append(map, indent: 0, to: &text)
        return text
    }

    private static func append(_ map: WandbMap, indent: Int, to text: inout String) {
        let pad = String(repeating: " ", count: indent)
        for entry in map.entries.sorted(by: { inOrder($0.key, $1.key) }) {
            text += "\(pad)\(scalar(entry.key)):"
            append(entry.value, indent: indent + 4, to: &text)
        }
    }

    /// Numbers by value, then text by bytes.
    private static func inOrder(_ left: String, _ right: String) -> Bool {
        switch (Int(left), Int(right)) {
        case (let left?, let right?): left < right
        case (.some, nil): true
        case (nil, .some): false
        default: left.utf8.lexicographicallyPrecedes(right.utf8)
        }
    }

    /// What follows `key:` or `-`, line ends included.
    private static func append(_ value: WandbValue, indent: Int, to text: inout String) {
        switch value {
        case .map(let map) where map.isEmpty: text += " {}\n"
        case .map(let map):
            text += "\n"
            append(map, indent: indent, to: &text)
        case .list(let values) where values.isEmpty: text += " []\n"
        case .list(let values):
            text += "\n"
            let pad = String(repeating: " ", count: indent)
            for value in values {
                text += "\(pad)-"
                // Flow style holds nested collections: JSON is YAML.
                switch value {
                case .map, .list: text += " \(JSONWriter.text(value))\n"
                default: append(value, indent: indent + 4, to: &text)
                }
            }
        case .string(let string): text += " \(scalar(string))\n"
        case .double(let number) where !number.isFinite:
            text += number.isNaN ? " .nan\n" : number < 0 ? " -.inf\n" : " .inf\n"
        default: text += " \(JSONWriter.text(value))\n"
        }
    }

    /// Plain where YAML reads the same text back, else quoted.
    package static func scalar(_ text: String) -> String {
        let plain = text.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "/"):
                true
            default: false
            }
        }
        let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", ".nan", ".inf", "-.inf", "~"]
        let startsPlain = text.first.map { $0 != "-" && $0 != "." } ?? false
        let characters = Array(text.prefix(5))
        let isDateLike = characters.count == 5 && characters[..<4].allSatisfy(\.isNumber) && characters[4] == "-"
        let isNumberLike = Double(text) != nil || isDateLike || text.hasPrefix("0x") || text.hasPrefix("0o")
        if plain, startsPlain, !isNumberLike, !words.contains(text.lowercased()) { return text }
        return JSONWriter.text(.string(text))
    }
}
