import CYAML
import LuaBridge

/// One YAML document as a Lua value: libyaml reads, the core schema of YAML 1.2 tells what plain words mean.
struct YAMLReader {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// libyaml remembers addresses within it.
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private var anchors: [String: LuaValue] = [:]
    private var sizes: [String: Int] = [:]
    /// Values so far, those that aliases repeat included.
    private var count = 0

    private static let countLimit = 100_000, depthLimit = 100

    static func document(_ bytes: [UInt8]) throws -> LuaValue {
        let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
        parser.initialize(to: yaml_parser_t())
        defer { parser.deallocate() }
        guard yaml_parser_initialize(parser) != 0 else { throw Failure(description: "no memory to read YAML") }
        defer { yaml_parser_delete(parser) }
        return try bytes.withUnsafeBufferPointer { bytes in
            var none: UInt8 = 0
            return try withUnsafePointer(to: &none) { empty in
                yaml_parser_set_input_string(parser, bytes.baseAddress ?? empty, bytes.count)
                var reader = YAMLReader(parser: parser)
                return try reader.document()
            }
        }
    }

    private init(parser: UnsafeMutablePointer<yaml_parser_t>) { self.parser = parser }

    private func failure(_ reason: String, _ mark: yaml_mark_t) -> Failure {
        Failure(description: "line \(mark.line + 1), column \(mark.column + 1): \(reason)")
    }

    /// Reads the next event and hands it to `body`.
    private mutating func next<R>(_ body: (inout YAMLReader, yaml_event_t) throws -> R) throws -> R {
        var event = yaml_event_t()
        guard yaml_parser_parse(parser, &event) != 0 else {
            let reason = parser.pointee.problem.map { String(cString: $0) } ?? "malformed"
            throw failure(reason, parser.pointee.problem_mark)
        }
        defer { yaml_event_delete(&event) }
        return try body(&self, event)
    }

    private mutating func document() throws -> LuaValue {
        try next { _, _ in }  // the stream begins
        let isEmpty = try next { $1.type == YAML_STREAM_END_EVENT }
        if isEmpty { return .nil }
        let value = try next { try $0.value($1, depth: 0) }
        try next { _, _ in }  // the document ends
        try next { reader, event in
            guard event.type == YAML_STREAM_END_EVENT else { throw reader.failure("expected one document, there are more", event.start_mark) }
        }
        return value
    }

    private static func text(_ bytes: UnsafeMutablePointer<UInt8>?) -> String? { bytes.map { String(cString: $0) } }

    private mutating func grow(_ by: Int, _ mark: yaml_mark_t) throws {
        count += by
        guard count <= YAMLReader.countLimit else { throw failure("more than \(YAMLReader.countLimit) values", mark) }
    }

    private mutating func value(_ event: yaml_event_t, depth: Int) throws -> LuaValue {
        guard depth < YAMLReader.depthLimit else { throw failure("nested deeper than \(YAMLReader.depthLimit) levels", event.start_mark) }
        let before = count
        try grow(1, event.start_mark)
        let anchor: String?
        let value: LuaValue
        switch event.type {
        case YAML_ALIAS_EVENT:
            let name = YAMLReader.text(event.data.alias.anchor) ?? ""
            guard let known = anchors[name] else { throw failure("unknown alias '\(name)'", event.start_mark) }
            try grow(sizes[name] ?? 1, event.start_mark)
            return known
        case YAML_SCALAR_EVENT:
            anchor = YAMLReader.text(event.data.scalar.anchor)
            value = try scalar(event)
        case YAML_SEQUENCE_START_EVENT:
            anchor = YAMLReader.text(event.data.sequence_start.anchor)
            var items: [LuaValue] = []
            while let item = try next({ reader, event in
                event.type == YAML_SEQUENCE_END_EVENT ? nil : try reader.value(event, depth: depth + 1)
            }) { items.append(item) }
            value = .list(items)
        case YAML_MAPPING_START_EVENT:
            anchor = YAMLReader.text(event.data.mapping_start.anchor)
            value = try mapping(depth)
        default: throw failure("expected a value", event.start_mark)
        }
        if let anchor {
            anchors[anchor] = value
            sizes[anchor] = count - before
        }
        return value
    }

    private mutating func mapping(_ depth: Int) throws -> LuaValue {
        var fields: [LuaField] = []
        var names = Set<String>()
        while let key = try next({ reader, event -> LuaValue? in
            if event.type == YAML_MAPPING_END_EVENT { return nil }
            let key = try reader.value(event, depth: depth + 1)
            let name: String
            switch key {
            case .string(let text): name = "s" + text
            case .int(let n): name = "i\(n)"
            case .number(let d) where !d.isNaN: name = "d\(d)"
            case .bool(let b): name = "b\(b)"
            default: throw reader.failure("expected a name", event.start_mark)
            }
            guard names.insert(name).inserted else { throw reader.failure("the name '\(name.dropFirst())' appears twice", event.start_mark) }
            return key
        }) {
            let value = try next { try $0.value($1, depth: depth + 1) }
            fields.append(LuaField(key: key, value: value))
        }
        return fields.isEmpty ? .list([]) : .map(fields)
    }

    private func scalar(_ event: yaml_event_t) throws -> LuaValue {
        let scalar = event.data.scalar
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        let text = String(decoding: bytes, as: UTF8.self)
        switch YAMLReader.text(scalar.tag) {
        case nil: return scalar.plain_implicit != 0 ? YAMLReader.resolve(text) : .string(text)
        case "!", "tag:yaml.org,2002:str": return .string(text)
        case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float", "tag:yaml.org,2002:bool", "tag:yaml.org,2002:null":
            return YAMLReader.resolve(text)
        case let tag?: throw failure("values of type \(tag) are not supported", event.start_mark)
        }
    }

    /// What a plain word means in the core schema.
    static func resolve(_ text: String) -> LuaValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF": return .number(.infinity)
        case "-.inf", "-.Inf", "-.INF": return .number(-.infinity)
        case ".nan", ".NaN", ".NAN": return .number(.nan)
        default: break
        }
        let bytes = Array(text.utf8)
        func isDigit(_ c: UInt8) -> Bool { c >= 48 && c <= 57 }
        if text.hasPrefix("0x"), let n = Int(text.dropFirst(2), radix: 16), !text.contains("-"), !text.contains("+") { return .int(n) }
        if text.hasPrefix("0o"), let n = Int(text.dropFirst(2), radix: 8), !text.contains("-"), !text.contains("+") { return .int(n) }
        let unsigned = bytes.first == UInt8(ascii: "-") || bytes.first == UInt8(ascii: "+") ? bytes.dropFirst() : bytes[...]
        guard let first = unsigned.first, isDigit(first) || first == UInt8(ascii: ".") && unsigned.count > 1 else { return .string(text) }
        if unsigned.allSatisfy(isDigit) { return Int(text).map { .int($0) } ?? Double(text).map { .number($0) } ?? .string(text) }
        // Digits, a point, an exponent; nothing that only Swift takes for a number.
        guard unsigned.allSatisfy({ isDigit($0) || ".eE+-".utf8.contains($0) }), let d = Double(text) else { return .string(text) }
        return .number(d)
    }
}
