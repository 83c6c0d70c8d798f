import LuaBridge
import NN

/// The module `host.catalog`: what is declared, for the tests that follow from declarations. See docs/testing.md.
enum CatalogModule {
    static func register(_ lua: Lua) throws {
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
                    Gives every documented thing of the modules loaded so far: `name`, `module`, `text`, and whether it is a function.
                    """
                ) { call in
                    try call.push(
                        .list(
                            call.lua.docs.entries.map { entry in
                                .fields([
                                    ("name", .string(entry.name)), ("module", .string(entry.module)), ("text", .string(entry.text)),
                                    ("is_function", .bool(entry.signature != nil)),
                                ])
                            }))
                })
        }
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
