import LuaBridge
import NN

/// The module `host.catalog`: what is declared, for the tests that follow from declarations. See docs/testing.md.
enum CatalogModule {
    static func register(_ lua: Lua, _ tensor: UserdataType<Tensor>) throws {
        try lua.module("host.catalog") { module in
            try module.add(
                Declaration(
                    """
                    operations() -> list
                    Gives each operation of the tensor library: `name`, `module` where scripts find it, `form`, `in_place`, `samples`.
                    """
                ) { call in try call.push(.list(operations)) },
                Declaration(
                    """
                    variables() -> list
                    Gives what sample expressions may use: `name`, `shape`, and the range `low` to `high` that values are drawn from.
                    """
                ) { call in try call.push(.list(variables)) },
                Declaration(
                    """
                    docs() -> list
                    Gives every documented thing of the modules loaded so far, in the order of their declaration: `name`, `module`, `text`
                    (the docstring), `kind` ("module", "function", "class", "method", "field", "type") and its parts: `head`, `summary`,
                    `parameters` (each `name`, `kinds`, `default`, `keyword_only`, `rest`, `text`), `result`, `returns`, `errors`,
                    `example`, `see`, `source`.
                    """
                ) { call in try call.push(.list(call.lua.docs.entries.map(entry))) },
                Declaration(
                    """
                    name_of(value: any) -> string|nil
                    Gives the name under which a function or class is documented.
                    """
                ) { call in
                    if let entry = call.documentation(of: 0) { try call.push(entry.name) } else { call.pushNil() }
                },
                Declaration(
                    """
                    modules() -> list
                    Gives the names of all modules that scripts can require.
                    """
                ) { call in try call.push(.list(call.lua.moduleNames.map { .string($0) })) },
                Declaration(
                    """
                    cpu_level() -> string
                    Gives the level of the kernels in use: `baseline`, `v3` or `v4`.
                    """
                ) { call in try call.push(CPULevel.current.rawValue) },
                Declaration(
                    """
                    digest(t: tensor) -> int
                    A number that follows from dtype, shape and the bits of all elements; two NaN count as the same.
                    """
                ) { call in call.push(try digest(try call.object(0, tensor))) })
        }
    }

    private static func entry(_ entry: DocEntry) -> LuaValue {
        let sections = entry.sections
        let parameters = entry.parameters.map { parameter in
            LuaValue.fields([
                ("name", .string(parameter.name)), ("kinds", .list(parameter.kinds.map { .string($0) })),
                ("default", parameter.rest ? .nil : parameter.defaultText.map { .string($0) } ?? .nil),
                ("keyword_only", .bool(parameter.keywordOnly)), ("rest", .bool(parameter.rest)),
                ("text", .string(entry.meaning(of: parameter.name))),
            ])
        }
        return .fields([
            ("name", .string(entry.name)), ("module", .string(entry.module)), ("text", .string(entry.text)),
            ("is_function", .bool(entry.signature != nil)), ("kind", .string(kind(entry))), ("head", .string(entry.head)), ("summary", .string(sections.summary)),
            ("parameters", .list(parameters)), ("result", .string(entry.signature?.returns ?? "")),
            ("returns", .string(sections.returns)), ("errors", .string(sections.errors)), ("example", .string(sections.example)),
            ("see", .list(sections.see.map { .string($0) })), ("source", .string(sections.source)),
        ])
    }

    /// A capitalised function that states no result makes an object of the class of its name.
    private static func kind(_ entry: DocEntry) -> String {
        let short = entry.signature?.shortName ?? entry.name.split(separator: ".").last.map(String.init) ?? entry.name
        if entry.isField { return "field" }
        guard let signature = entry.signature else { return short.first?.isUppercase == true ? "type" : "module" }
        if entry.name.contains(":") { return "method" }
        return short.first?.isUppercase == true && signature.returns.isEmpty ? "class" : "function"
    }

    /// FNV-1a over 64-bit words.
    private static func digest(_ tensor: Tensor) throws -> Int {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func take(_ word: UInt64) { hash = (hash ^ word) &* 0x100_0000_01b3 }
        take(UInt64(tensor.dtype.name.utf8.reduce(0) { $0 &* 31 &+ UInt64($1) }))
        for size in tensor.shape.array { take(UInt64(bitPattern: Int64(size))) }
        for value in try tensor.scalars() {
            switch value {
            case .int(let int): take(UInt64(bitPattern: Int64(int)))
            case .double(let double): take(double.isNaN ? 1 : double.bitPattern)
            case .bool(let flag): take(flag ? 1 : 0)
            }
        }
        return Int(bitPattern: UInt(hash))
    }

    private static var operations: [LuaValue] {
        let catalogs = [("tensor", OpCatalog.tensor), ("tensor.linalg", OpCatalog.linalg), ("nn.functional", OpCatalog.functional)]
        return catalogs.flatMap { module, ops in
            ops.map { op in
                .fields([
                    ("name", .string(op.name)), ("module", .string(module)), ("form", .string("\(op.form)")),
                    ("in_place", .bool(op.hasInPlaceTwin)), ("samples", .list(op.samples.map { .string($0) })),
                ])
            }
        }
    }

    private static var variables: [LuaValue] {
        Op.sampleVariables.map { variable in
            .fields([
                ("name", .string(variable.name)), ("shape", .list(variable.shape.map { .int($0) })),
                ("low", .number(variable.low)), ("high", .number(variable.high)),
            ])
        }
    }
}
