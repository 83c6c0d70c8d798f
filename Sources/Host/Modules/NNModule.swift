import LuaBridge
import NN

/// The module `nn`: its functions are operations, its modules are written in Lua (Prelude/nn*.lua).
enum NNModule {
    static func register(_ lua: Lua, _ type: UserdataType<Tensor>) throws {
        try lua.addHostFunctions(hostFunctions(type) + ONNXNatives.functions(type))
        try lua.addHostFunctions(OpCatalog.layers.map { TensorModule.declaration($0, "", type) })
        try lua.module("nn", "nn\nNeural networks: modules, layers, losses, initialisation, files.") { module in
            module.lua.docs.add(
                "nn.Class", text: "nn.Class\nA class of modules, as nn.class makes: calling it makes an object.\nSource: torch.nn.Module", module: "nn")
            let functional = try module.submodule(
                "functional", "nn.functional\nLayers and losses as functions: what they need is given with each call.")
            module.lua.docs.addModule("nn.init", text: "nn.init\nFirst values of parameters: fills tensors in place.")
            module.lua.docs.addModule("nn.utils", text: "nn.utils\nClipping gradients, parameters as one vector.")
            for op in OpCatalog.functional { try functional.add(TensorModule.declaration(op, "nn.functional.", type)) }
        }
    }

    private static func hostFunctions(_ type: UserdataType<Tensor>) -> [Declaration] {
        [
            Declaration("is_tensor(value: any) -> bool\nWhether it is a tensor.", fast: true) { call in
                call.push(call.objectIfPresent(0, type) != nil)
            },
            Declaration("is_parameter(value: any) -> bool\nWhether it is a tensor that modules register.", fast: true) { call in
                call.push(call.objectIfPresent(0, type)?.isParameter ?? false)
            },
            Declaration("identity(value: tensor) -> int\nThe same number for the same tensor, however it is reached.") { call in
                call.push(Int(bitPattern: ObjectIdentifier(try call.object(0, type))))
            },
            Declaration("parameter(data: tensor, requires_grad: bool) -> tensor\nThe same data as a leaf that modules register.", returns: type) { call in
                try TensorModule.reporting("nn.Parameter") {
                    try call.push(try call.object(0, type).parameter(requiresGrad: try call.bool(1)), type)
                }
            },
            Declaration("clip_grad_norm(parameters: list, max_norm: number, norm_type: number, error_if_nonfinite: bool) -> number\nSee nn.utils.") { call in
                let norm = try TensorModule.reporting("clip_grad_norm_") {
                    try GradientClipping.norm(
                        try call.objects(0, type), maxNorm: try call.number(1), type: try call.number(2), errorIfNonfinite: try call.bool(3))
                }
                call.push(norm)
            },
            Declaration("clip_grad_value(parameters: list, clip_value: number)\nSee nn.utils.") { call in
                try TensorModule.reporting("clip_grad_value_") {
                    try GradientClipping.value(try call.objects(0, type), limit: try call.number(1))
                }
            },
            Declaration("random_state() -> int, int\nSeed and position of the random generator.") { call in
                let state = Generator.shared.current
                call.push(Int(bitPattern: UInt(state.seed)))
                call.push(Int(bitPattern: UInt(state.offset)))
            },
            Declaration("set_random_state(seed: int, offset: int)\nPuts the random generator back.") { call in
                Generator.shared.current = Generator.State(
                    seed: UInt64(UInt(bitPattern: try call.int(0))), offset: UInt64(UInt(bitPattern: try call.int(1))))
            },
        ]
    }
}
