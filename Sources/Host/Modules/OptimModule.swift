import LuaBridge
import NN

/// The module `optim`: state and steps are native, groups and options are Lua tables (Prelude/optim*.lua).
enum OptimModule {
    static func register(_ lua: Lua, _ tensor: UserdataType<Tensor>) throws {
        let type = UserdataType<OptimizerState>(lua, "OptimizerState", kind: "optimizer_state")
        try type.build { _ in }
        try lua.addHostFunctions(stateFunctions(type, tensor) + stepFunctions(type))
        try lua.module("optim", "optim\nOptimisers and learning-rate schedules.") { module in
            module.lua.docs.addModule("optim.lr_scheduler", text: "optim.lr_scheduler\nLearning-rate schedules: rates that change from epoch to epoch.")
        }
    }

    private static func stateFunctions(_ type: UserdataType<OptimizerState>, _ tensor: UserdataType<Tensor>) -> [Declaration] {
        [
            Declaration("optimizer_state(parameters: list) -> optimizer_state\nFresh state for a group.", returns: type) { call in
                let parameters = try call.objects(0, tensor)
                do { try call.push(try OptimizerState(parameters), type) } catch let error as TensorError {
                    throw LuaError(error.message)
                }
            },
            Declaration("optimizer_zero_grad(state: optimizer_state, set_to_none: bool)\nForgets or zeroes gradients.", fast: true) { call in
                guard let state = call.objectIfPresent(0, type), let none = call.boolIfPresent(1) else { throw try call.checked().mismatch(0) }
                try TensorModule.reporting("zero_grad") { try state.zeroGrad(setToNone: none) }
            },
            Declaration("optimizer_export(state: optimizer_state) -> list\nFor each parameter its steps and state tensors by name.") { call in
                let state = try call.object(0, type)
                try call.push(
                    .list(
                        state.parameters.indices.map { i in
                            LuaValue.fields(
                                [("step", .int(state.steps[i]))]
                                    + state.slots[i].sorted { $0.key < $1.key }.map { ($0.key, tensor.value($0.value)) })
                        }))
            },
            Declaration("optimizer_import(state: optimizer_state, index: int, name: string, value: tensor|int)\nPuts a state tensor or a step count back.") { call in
                let state = try call.object(0, type)
                let name = try call.string(2), index = try call.int(1)
                try TensorModule.reporting("load_state_dict") {
                    if let value = call.objectIfPresent(3, tensor) {
                        try state.restore(index, name, value)
                    } else {
                        try state.restore(index, steps: try call.int(3))
                    }
                }
            },
            Declaration("optimizer_forget(state: optimizer_state)\nDrops all state.") { call in try call.object(0, type).forget() },
            Declaration("optimizer_prepare_adagrad(state: optimizer_state, initial: number)\nMakes the sums that Adagrad starts with.") { call in
                let state = try call.object(0, type), initial = try call.number(1)
                try TensorModule.reporting("Adagrad") { try state.prepareAdagrad(initial: initial) }
            },
        ]
    }

    /// A step of a whole group: the state, then numbers and booleans in order.
    private static func step(
        _ name: String, _ parameters: String, _ type: UserdataType<OptimizerState>,
        _ run: @escaping (OptimizerState, OptionReader) throws -> Void
    ) -> Declaration {
        Declaration("\(name)(state: optimizer_state, \(parameters))\nOne step of the whole group.", fast: true) { call in
            guard let state = call.objectIfPresent(0, type) else { throw try call.checked().mismatch(0) }
            try TensorModule.reporting("step") { try run(state, OptionReader(call: call)) }
        }
    }

    /// Reads options of a step; what a script put into a group may be anything.
    struct OptionReader {
        let call: Call
        func number(_ i: Int) throws -> Double {
            guard let value = call.numberIfPresent(i) else { throw try call.checked().mismatch(i) }
            return value
        }
        func flag(_ i: Int) -> Bool { call.boolIfPresent(i) ?? false }
    }

    private static func stepFunctions(_ type: UserdataType<OptimizerState>) -> [Declaration] {
        [
            step("sgd_step", "lr: number, momentum: number, dampening: number, weight_decay: number, nesterov: bool, maximize: bool", type) {
                try $0.sgd(
                    lr: $1.number(1), momentum: $1.number(2), dampening: $1.number(3), weightDecay: $1.number(4), nesterov: $1.flag(5),
                    maximize: $1.flag(6))
            },
            step(
                "adam_step",
                "lr: number, beta1: number, beta2: number, eps: number, weight_decay: number, decoupled: bool, amsgrad: bool, maximize: bool",
                type
            ) {
                try $0.adam(
                    lr: $1.number(1), beta1: $1.number(2), beta2: $1.number(3), eps: $1.number(4), weightDecay: $1.number(5),
                    decoupled: $1.flag(6), amsgrad: $1.flag(7), maximize: $1.flag(8))
            },
            step(
                "rmsprop_step",
                "lr: number, alpha: number, eps: number, weight_decay: number, momentum: number, centered: bool, maximize: bool", type
            ) {
                try $0.rmsprop(
                    OptimizerState.RMSprop(
                        lr: $1.number(1), alpha: $1.number(2), eps: $1.number(3), weightDecay: $1.number(4), momentum: $1.number(5),
                        centered: $1.flag(6), maximize: $1.flag(7)))
            },
            step("adagrad_step", "lr: number, lr_decay: number, weight_decay: number, initial: number, eps: number, maximize: bool", type) {
                try $0.adagrad(
                    lr: $1.number(1), lrDecay: $1.number(2), weightDecay: $1.number(3), initial: $1.number(4), eps: $1.number(5),
                    maximize: $1.flag(6))
            },
            step("adadelta_step", "lr: number, rho: number, eps: number, weight_decay: number, maximize: bool", type) {
                try $0.adadelta(
                    lr: $1.number(1), rho: $1.number(2), eps: $1.number(3), weightDecay: $1.number(4), maximize: $1.flag(5))
            },
        ]
    }
}
