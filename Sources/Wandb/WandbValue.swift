/// A value that can be logged, stored in a config or a summary, or read back from the server.
public enum WandbValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case int(Int64)
    case double(Double)
    case string(String)
    indirect case list([WandbValue])
    case map(WandbMap)
    /// Written to a file, or expanded into W&B's form of it, when it is logged.
    case media(Media)

    /// The name of the kind, for messages.
    public var kind: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .int, .double: "number"
        case .string: "string"
        case .list: "list"
        case .map: "table"
        case .media(let media): media.kind
        }
    }

    public var doubleValue: Double? {
        switch self {
        case .int(let value): Double(value)
        case .double(let value): value
        default: nil
        }
    }

    public var intValue: Int64? {
        switch self {
        case .int(let value): value
        case .double(let value): Int64(exactly: value)
        default: nil
        }
    }

    public var boolValue: Bool? { if case .bool(let value) = self { value } else { nil } }
    public var stringValue: String? { if case .string(let value) = self { value } else { nil } }
    public var listValue: [WandbValue]? { if case .list(let value) = self { value } else { nil } }
    public var mapValue: WandbMap? { if case .map(let value) = self { value } else { nil } }

    /// The member of a map; nil for everything else.
    public subscript(key: String) -> WandbValue? { mapValue?[key] }
    /// The element of a list; nil for everything else.
    public subscript(index: Int) -> WandbValue? {
        guard case .list(let values) = self, values.indices.contains(index) else { return nil }
        return values[index]
    }
}

extension WandbValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByNilLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int64) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(arrayLiteral elements: WandbValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, WandbValue)...) { self = .map(WandbMap(elements)) }
}

/// Keys and values in the order of insertion. Small maps, which rows are, are searched from the front;
/// an index by key is kept only beyond 16 entries.
public struct WandbMap: Sendable, ExpressibleByDictionaryLiteral {
    public private(set) var entries: [(key: String, value: WandbValue)] = []
    private var positions: [String: Int] = [:]
    private static let indexedFrom = 16

    public init() {}

    /// Later values win over earlier ones of the same key.
    public init(_ pairs: some Sequence<(String, WandbValue)>) {
        for (key, value) in pairs { self[key] = value }
    }

    public init(dictionaryLiteral elements: (String, WandbValue)...) { self.init(elements) }

    public var isEmpty: Bool { entries.isEmpty }
    public var count: Int { entries.count }
    public var keys: [String] { entries.map(\.key) }

    public mutating func reserveCapacity(_ count: Int) { entries.reserveCapacity(count) }

    private func position(of key: String) -> Int? {
        if entries.count >= Self.indexedFrom { return positions[key] }
        return entries.firstIndex { $0.key == key }
    }

    public subscript(key: String) -> WandbValue? {
        get { position(of: key).map { entries[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let position?, let value?): entries[position].value = value
            case (nil, let value?):
                entries.append((key, value))
                if entries.count == Self.indexedFrom {
                    reindex()
                } else if entries.count > Self.indexedFrom {
                    positions[key] = entries.count - 1
                }
            case (let position?, nil):
                entries.remove(at: position)
                if entries.count >= Self.indexedFrom { reindex() } else { positions = [:] }
            case (nil, nil): break
            }
        }
    }

    /// The value at a path of keys; nil where the path leaves the maps.
    public subscript(path: [String]) -> WandbValue? {
        get {
            guard let first = path.first else { return .map(self) }
            let value = self[first]
            return path.count == 1 ? value : value?.mapValue?[Array(path.dropFirst())]
        }
        set {
            guard let first = path.first else { return }
            guard path.count > 1 else {
                self[first] = newValue
                return
            }
            var inner = self[first]?.mapValue ?? WandbMap()
            if newValue == nil, self[first]?.mapValue == nil { return }
            inner[Array(path.dropFirst())] = newValue
            self[first] = .map(inner)
        }
    }

    private mutating func reindex() {
        positions = Dictionary(uniqueKeysWithValues: entries.enumerated().map { ($1.key, $0) })
    }
}

extension WandbMap: Equatable {
    /// Order does not matter.
    public static func == (left: WandbMap, right: WandbMap) -> Bool {
        left.count == right.count && left.entries.allSatisfy { right[$0.key] == $0.value }
    }
}
