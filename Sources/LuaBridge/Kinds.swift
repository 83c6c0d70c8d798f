import CLuaShim

/// The Lua types that a parameter takes.
struct KindSet: OptionSet {
    let rawValue: UInt32
    static let any = KindSet(rawValue: 1), bool = KindSet(rawValue: 2), int = KindSet(rawValue: 4)
    static let number = KindSet(rawValue: 8), string = KindSet(rawValue: 16), table = KindSet(rawValue: 32)
    static let list = KindSet(rawValue: 64), function = KindSet(rawValue: 128), ints = KindSet(rawValue: 256)
    static let numbers = KindSet(rawValue: 512), shape = KindSet(rawValue: 1024), `nil` = KindSet(rawValue: 2048)
    /// Kinds for which a table is the argument itself.
    static let lists: KindSet = [.list, .ints, .numbers, .shape]
}

/// A parameter as the argument checks use it.
struct CompiledParameter {
    enum Default {
        case required, `nil`, bool(Bool), int(Int), number(Double), string(String), list([LuaValue])
    }
    let name: String
    /// Kind names joined for messages: `number or tensor`.
    let expected: String
    var kinds: KindSet = []
    var types: [UnsafeMutablePointer<chost_type>] = []
    var choices: [String] = []
    /// Metatable fields that mark a Lua object of the kind: addresses under which the key strings are interned.
    var marks: [UnsafeRawPointer] = []
    var fallback: Default
    let keywordOnly: Bool
    let rest: Bool

    var isRequired: Bool { if case .required = fallback { true } else { false } }
}

/// What is needed of a parameter in an ordinary call: plain memory, so that reading it costs no reference counting.
struct ParameterCheck {
    let kinds: KindSet
    let isRequired: Bool
    /// The only userdata type, when there is one.
    let type: UnsafeMutablePointer<chost_type>?
    let fallbackBool: Bool
    let fallbackInt: Int?
    let fallbackNumber: Double?

    init(_ parameter: CompiledParameter) {
        kinds = parameter.kinds
        isRequired = parameter.isRequired
        type = parameter.types.first
        if case .bool(true) = parameter.fallback { fallbackBool = true } else { fallbackBool = false }
        if case .int(let value) = parameter.fallback { fallbackInt = value } else { fallbackInt = nil }
        switch parameter.fallback {
        case .int(let value): fallbackNumber = Double(value)
        case .number(let value): fallbackNumber = value
        default: fallbackNumber = nil
        }
    }
}

final class CompiledSignature {
    let parameters: [CompiledParameter]
    let checks: UnsafeMutableBufferPointer<ParameterCheck>
    /// How many may be given by position, not counting `...`.
    let positional: Int
    /// The `shape` parameter, which may take several positional numbers; -1: none.
    let shape: Int
    /// The `...` parameter; -1: none.
    let rest: Int
    /// Whether a plain call (no keywords) finds every argument in its own slot already.
    var isPlain: Bool { shape < 0 && rest < 0 }

    init(_ parameters: [CompiledParameter]) {
        self.parameters = parameters
        checks = .allocate(capacity: parameters.count)
        _ = checks.initialize(from: parameters.map(ParameterCheck.init))
        positional = parameters.count { !$0.keywordOnly && !$0.rest }
        shape = parameters.firstIndex { $0.kinds.contains(.shape) && !$0.keywordOnly } ?? -1
        rest = parameters.firstIndex { $0.rest } ?? -1
    }

    deinit { checks.deallocate() }
}

/// The kinds that the host adds to the built-in ones: userdata types, sets of strings, classes made in Lua.
public final class KindRegistry {
    enum Kind {
        case type(UnsafeMutablePointer<chost_type>)
        case choices([String])
        case mark(UnsafeRawPointer)
        case union([String])
    }
    private var kinds: [String: Kind] = [:]
    private static let builtin: [String: KindSet] = [
        "any": .any, "bool": .bool, "boolean": .bool, "int": .int, "integer": .int, "number": .number,
        "string": .string, "table": .table, "options": .table, "list": .list, "function": .function,
        "ints": .ints, "numbers": .numbers, "shape": .shape, "nil": .nil,
    ]
    private static let words: [String: String] = [
        "int": "integer", "bool": "boolean", "ints": "integer or list of integers", "options": "table",
        "numbers": "number or list of numbers", "shape": "integers or one list of integers", "any": "a value",
    ]

    /// A kind that is one of these strings, as `dtype`.
    public func define(_ name: String, choices: [String]) { kinds[name] = .choices(choices) }
    /// A kind that is any of other kinds.
    public func define(_ name: String, union: [String]) { kinds[name] = .union(union) }
    func define(_ name: String, type: UnsafeMutablePointer<chost_type>) { kinds[name] = .type(type) }
    func define(_ name: String, mark: UnsafeRawPointer) { kinds[name] = .mark(mark) }

    func kind(_ name: String) -> Kind? { kinds[name] }

    public var names: [String] { Array(Self.builtin.keys) + Array(kinds.keys) }

    func compile(_ signature: Signature) throws -> CompiledSignature {
        CompiledSignature(try signature.parameters.map { try compile($0, in: signature.name) })
    }

    private func compile(_ parameter: Signature.Parameter, in function: String) throws -> CompiledParameter {
        let expected = parameter.kinds.map { Self.words[$0] ?? $0 }.joined(separator: " or ")
        var result = CompiledParameter(
            name: parameter.name, expected: expected, fallback: .required, keywordOnly: parameter.keywordOnly,
            rest: parameter.rest)
        for kind in parameter.kinds { try add(kind, to: &result, in: function) }
        if let text = parameter.defaultText { result.fallback = try literal(text, of: result, in: function) }
        if case .required = result.fallback, result.kinds.contains(.nil) { result.fallback = .nil }
        return result
    }

    private func add(_ kind: String, to result: inout CompiledParameter, in function: String) throws {
        if kind.hasPrefix("\"") {
            result.choices.append(String(kind.dropFirst().dropLast()))
        } else if let builtin = Self.builtin[kind] {
            result.kinds.formUnion(builtin)
        } else {
            switch kinds[kind] {
            case .type(let type): result.types.append(type)
            case .choices(let choices): result.choices += choices
            case .mark(let mark): result.marks.append(mark)
            case .union(let names): for name in names { try add(name, to: &result, in: function) }
            case nil: throw LuaError("the signature of \(function) names an unknown kind '\(kind)'")
            }
        }
    }

    private func literal(
        _ text: String, of parameter: CompiledParameter, in function: String
    ) throws -> CompiledParameter.Default {
        switch text {
        case "nil": return .nil
        case "true": return .bool(true)
        case "false": return .bool(false)
        case "inf": return .number(.infinity)
        case "-inf": return .number(-.infinity)
        default: break
        }
        if text.hasPrefix("\"") { return .string(String(text.dropFirst().dropLast())) }
        if let int = Int(text) {
            return parameter.kinds.contains(.int) || !parameter.kinds.contains(.number) ? .int(int) : .number(Double(int))
        }
        if let number = Double(text) { return .number(number) }
        if text.hasPrefix("{"), text.hasSuffix("}") {
            let items = text.dropFirst().dropLast().split(separator: ",").map { $0.drop { $0 == " " } }
            let list = items.compactMap { item -> LuaValue? in
                Int(item).map { .int($0) } ?? Double(item).map { .number($0) }
            }
            if list.count == items.count { return .list(list) }
        }
        throw LuaError("the signature of \(function) has a default that is no value: \(text)")
    }
}
