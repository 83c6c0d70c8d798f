import LuaBridge

/// A TOML 1.0 document as a Lua value. Dates and times are given as the text that was written.
/// Source: https://toml.io/en/v1.0.0
struct TOMLReader {
    private var scanner: TOMLScanner
    private let root = TOMLTable(.header)

    static func document(_ bytes: [UInt8]) throws -> LuaValue {
        var reader = TOMLReader(scanner: try TOMLScanner(bytes))
        try reader.read()
        return reader.root.value
    }

    private mutating func read() throws {
        var table = root
        while true {
            try scanner.skipBlankLines()
            guard !scanner.isAtEnd else { return }
            if scanner.take("[") {
                table = try header()
            } else {
                try pair(into: table)
            }
            scanner.skipSpace()
            try scanner.endOfLine()
        }
    }

    /// `[a.b]` or `[[a.b]]`; the first bracket has been read.
    private mutating func header() throws -> TOMLTable {
        let isArray = scanner.take("[")
        scanner.skipSpace()
        let keys = try scanner.keys()
        guard scanner.take("]"), !isArray || scanner.take("]") else { throw scanner.failure("expected ']'") }
        var table = root
        for key in keys.dropLast() {
            switch table.entries[key] {
            case nil:
                let inner = TOMLTable(.implicit)
                table.set(key, .table(inner))
                table = inner
            case .table(let inner) where inner.kind != .inline: table = inner
            case .tables(let list): table = list.last
            default: throw scanner.failure("'\(key)' is no table")
            }
        }
        guard let last = keys.last else { return table }
        let fresh = TOMLTable(.header)
        switch (table.entries[last], isArray) {
        case (nil, true): table.set(last, .tables(TOMLTables(fresh)))
        case (nil, false): table.set(last, .table(fresh))
        case (.tables(let list), true): list.append(fresh)
        case (.table(let inner), false) where inner.kind == .implicit:
            inner.kind = .header
            return inner
        default: throw scanner.failure("'\(keys.joined(separator: "."))' is defined twice")
        }
        return fresh
    }

    /// `a.b = value`.
    private mutating func pair(into start: TOMLTable) throws {
        let keys = try scanner.keys()
        guard scanner.take("=") else { throw scanner.failure("expected '='") }
        scanner.skipSpace()
        var table = start
        for key in keys.dropLast() {
            switch table.entries[key] {
            case nil:
                let inner = TOMLTable(.dotted)
                table.set(key, .table(inner))
                table = inner
            case .table(let inner) where inner.kind == .dotted: table = inner
            default: throw scanner.failure("'\(key)' is defined already")
            }
        }
        guard let last = keys.last else { return }
        guard table.entries[last] == nil else { throw scanner.failure("'\(keys.joined(separator: "."))' is defined twice") }
        table.set(last, try value(depth: 0))
    }

    private mutating func value(depth: Int) throws -> TOMLNode {
        guard depth < 100 else { throw scanner.failure("nested deeper than 100 levels") }
        if scanner.take("[") { return .value(.list(try array(depth))) }
        if scanner.take("{") { return .table(try inlineTable(depth)) }
        return .value(try scanner.scalar())
    }

    private mutating func array(_ depth: Int) throws -> [LuaValue] {
        var items: [LuaValue] = []
        while true {
            try scanner.skipBlankLines()
            if scanner.take("]") { return items }
            items.append(try value(depth: depth + 1).value)
            try scanner.skipBlankLines()
            if scanner.take("]") { return items }
            guard scanner.take(",") else { throw scanner.failure("expected ',' or ']'") }
        }
    }

    private mutating func inlineTable(_ depth: Int) throws -> TOMLTable {
        let table = TOMLTable(.inline)
        scanner.skipSpace()
        if scanner.take("}") { return table }
        while true {
            scanner.skipSpace()
            let keys = try scanner.keys()
            guard scanner.take("=") else { throw scanner.failure("expected '='") }
            scanner.skipSpace()
            var inner = table
            for key in keys.dropLast() {
                switch inner.entries[key] {
                case nil:
                    let next = TOMLTable(.dotted)
                    inner.set(key, .table(next))
                    inner = next
                case .table(let next) where next.kind == .dotted: inner = next
                default: throw scanner.failure("'\(key)' is defined already")
                }
            }
            guard let last = keys.last, inner.entries[last] == nil else { throw scanner.failure("'\(keys.joined(separator: "."))' is defined twice") }
            inner.set(last, try value(depth: depth + 1))
            scanner.skipSpace()
            if scanner.take("}") {
                table.close()
                return table
            }
            guard scanner.take(",") else { throw scanner.failure("expected ',' or '}'") }
        }
    }
}

/// What stands under a name.
enum TOMLNode {
    case value(LuaValue)
    case table(TOMLTable)
    case tables(TOMLTables)

    var value: LuaValue {
        switch self {
        case .value(let value): value
        case .table(let table): table.value
        case .tables(let list): .list(list.all.map(\.value))
        }
    }
}

final class TOMLTable {
    /// How it came to be, which decides who may add to it.
    enum Kind { case implicit, header, dotted, inline }

    var kind: Kind
    private(set) var entries: [String: TOMLNode] = [:]
    private var names: [String] = []

    init(_ kind: Kind) { self.kind = kind }

    func set(_ name: String, _ node: TOMLNode) {
        entries[name] = node
        names.append(name)
    }

    /// Nobody may add to an inline table, nor to what its dotted names made.
    func close() {
        kind = .inline
        for case .table(let inner) in entries.values { inner.close() }
    }

    var value: LuaValue {
        names.isEmpty ? .list([]) : .fields(names.compactMap { name in entries[name].map { (name, $0.value) } })
    }
}

/// An array of tables; never empty.
final class TOMLTables {
    private(set) var all: [TOMLTable]
    private(set) var last: TOMLTable

    init(_ first: TOMLTable) {
        all = [first]
        last = first
    }

    func append(_ table: TOMLTable) {
        all.append(table)
        last = table
    }
}
