import LuaBridge
import NN

/// The userdata type behind tensors: fields, operators, indexing.
enum TensorType {
    static func build(_ type: UserdataType<Tensor>, methods: [Declaration]) throws {
        try type.build { builder in
            builder.document(
                """
                Tensor
                An n-dimensional array of one dtype; dimensions and elements count from 0.
                Source: torch.Tensor
                """)
            builder.methods(methods)
            fields(builder, type)
            builder.index(returns: type) { tensor, call in
                guard let parts = try TensorIndex.parts(call, 1, type) else { throw type.noField(call) }
                try TensorModule.reporting("index") {
                    let picked = try tensor[parts]
                    if TensorTrace.isOn { TensorTrace.note("index", [.tensor(tensor)] + TensorTrace.arguments(parts), [picked]) }
                    try call.push(picked, type)
                }
            }
            builder.assign { tensor, call in
                guard let parts = try TensorIndex.parts(call, 1, type) else { throw type.noField(call) }
                try TensorModule.reporting("index assignment") {
                    let value = try TensorIndex.value(call, 2, tensor, type)
                    try tensor.setIndex(parts, value)
                    if TensorTrace.isOn {
                        TensorTrace.note(
                            "index assignment", [.tensor(tensor), .tensor(value)] + TensorTrace.arguments(parts), [tensor], inPlace: true)
                    }
                }
            }
            for (event, name) in operators {
                guard let op = OpCatalog.tensor.first(where: { $0.name == name }) else { continue }
                builder.metamethod(event, TensorModule.declaration(op, "tensor.", type))
            }
            builder.metamethod("__unm", unaryMinus(type))
            builder.metamethod(
                "__eq",
                Declaration("eq(a: any, b: any)", fast: true) { call in
                    let (a, b) = (call.objectIfPresent(0, type), call.objectIfPresent(1, type))
                    call.push(a != nil && a === b)
                })
            builder.metamethod(
                "__len",
                Declaration("len(a: any)", fast: true) { call in
                    let tensor = try call.object(0, type)
                    guard tensor.rank > 0 else { throw LuaError("a 0-d tensor has no length") }
                    call.push(tensor.shape[0])
                })
            builder.metamethod(
                "__tostring",
                Declaration("tostring(a: any)", fast: true) { call in try call.push(try call.object(0, type).description) })
            builder.metamethod(
                "__concat",
                Declaration("concat(a: any, b: any)", fast: true) { call in
                    func text(_ i: Int) throws -> String {
                        if let tensor = call.objectIfPresent(i, type) { return tensor.description }
                        if let text = call.stringIfPresent(i) { return text }
                        throw LuaError("a tensor joins with strings only, got \(try call.value(i).kindName)")
                    }
                    try call.push(try text(0) + text(1))
                })
        }
    }

    private static let operators = [
        ("__add", "add"), ("__sub", "sub"), ("__mul", "mul"), ("__div", "div"), ("__mod", "remainder"),
        ("__idiv", "floor_divide"), ("__pow", "pow"),
    ]

    private static func unaryMinus(_ type: UserdataType<Tensor>) -> Declaration {
        Declaration("unm(a: any)", returns: type, fast: true) { call in
            let tensor = try call.object(0, type)
            try TensorModule.reporting("neg") {
                let result = try -tensor
                if TensorTrace.isOn { TensorTrace.note("neg", [.tensor(tensor)], [result]) }
                try call.push(result, type)
            }
        }
    }

    private static func fields(_ builder: UserdataType<Tensor>.Builder, _ type: UserdataType<Tensor>) {
        builder.field("shape", "int[]", "The sizes, a Lua table.") { tensor, call in try call.push(tensor.shape.array) }
        builder.field("dtype", "string", "The element type's name.") { tensor, call in try call.push(tensor.dtype.name) }
        builder.field("ndim", "int", "The number of dimensions.") { tensor, call in call.push(tensor.rank) }
        builder.field("is_leaf", "bool", "Whether no operation with history made it.") { tensor, call in call.push(tensor.isLeaf) }
        builder.field("T", "tensor", "The transpose of a matrix: all dimensions in reverse order. A view.", returns: type) { tensor, call in
            let order = Array((0..<tensor.rank).reversed())
            let result = try tensor.permute(order)
            if TensorTrace.isOn { TensorTrace.note("permute", [.tensor(tensor), .list(order.map { .int($0) })], [result]) }
            try call.push(result, type)
        }
        builder.field(
            "requires_grad", "bool", "Whether gradients are collected (leaves) or passed on (results)."
        ) { tensor, call in call.push(tensor.requiresGrad) } set: { tensor, call in
            guard let on = call.boolIfPresent(2) else { throw LuaError("requires_grad: expected a boolean") }
            try TensorModule.reporting("requires_grad") { try tensor.setRequiresGrad(on) }
        }
        builder.field("grad", "tensor|nil", "The gradient collected so far.", returns: type) { tensor, call in
            if let grad = tensor.grad { try call.push(grad, type) } else { call.pushNil() }
        } set: { tensor, call in
            if call.isNil(2) { return try tensor.setGrad(nil) }
            guard let grad = call.objectIfPresent(2, type) else { throw LuaError("grad: expected a tensor or nil") }
            try TensorModule.reporting("grad") { try tensor.setGrad(grad) }
        }
    }
}
