import LuaBridge
import NN

/// What scripts see of tensors that is no operation of the catalogue: it involves Lua tables or functions.
enum TensorExtras {
    static func constructor(_ type: UserdataType<Tensor>) -> Declaration {
        Declaration(
            """
            tensor(module: any, data: any, *, dtype: dtype = nil, requires_grad: bool = false) -> tensor
            Makes a tensor of a number, a nested table or another tensor (a copy); all integers give int64, any float float32, booleans bool.
            Example: tensor{{1, 2}, {3, 4}} --> tensor([[1, 2],
                    [3, 4]])
            Errors: a table that is not rectangular
            Source: torch.tensor
            """, returns: type
        ) { call in
            try TensorModule.reporting("tensor") {
                let dtype = call.stringIfPresent(2).flatMap { DType(name: $0) }
                let tensor = try TensorLiteral.tensor(try call.value(1), dtype)
                if TensorTrace.isOn, let source = call.objectIfPresent(1, type) { TensorTrace.note("clone", [.tensor(source)], [tensor]) }
                if try call.bool(3) { try tensor.setRequiresGrad(true) }
                try call.push(tensor, type)
            }
        }
    }

    static func methods(_ type: UserdataType<Tensor>) -> [Declaration] {
        [
            Declaration(
                """
                Tensor:tolist(self: tensor) -> list|number
                Gives the elements as nested Lua tables, or a number for a 0-d tensor.
                Example: tensor{{1, 2}, {3, 4}}:tolist() --> {{1, 2}, {3, 4}}
                Source: torch.Tensor.tolist
                """
            ) { call in
                let tensor = try call.object(0, type)
                if TensorTrace.isOn { TensorTrace.note("tolist", [.tensor(tensor)], []) }
                try call.push(try TensorLiteral.list(tensor))
            },
            Declaration(
                """
                Tensor:backward(self: tensor, gradient: tensor = nil, retain_graph: bool = false, create_graph: bool = false)
                Adds the derivatives of this tensor (weighted by `gradient`; 1 for a single element) to the `grad` of all leaves it depends on.
                Errors: a tensor without history, a gradient of another shape, a graph that was freed by an earlier call
                Example:
                  local x = tensor({1.0, 2.0}, {requires_grad = true})
                  x:square():sum():backward()
                  x.grad --> tensor([2., 4.])
                Source: torch.Tensor.backward
                """
            ) { call in
                try TensorModule.reporting("backward") {
                    try Engine.backward(
                        [try call.object(0, type)], gradients: [call.objectIfPresent(1, type)], retainGraph: try call.bool(2),
                        createGraph: try call.bool(3))
                }
            },
            Declaration(
                """
                Tensor:retain_grad(self: tensor)
                Keeps the gradient of a result in its `grad`, as leaves do.
                Example:
                  local x = tensor({1.0}, {requires_grad = true})
                  local y = x * 2
                  y:retain_grad()
                  y:square():backward()
                  y.grad --> tensor([4.])
                Source: torch.Tensor.retain_grad
                """
            ) { call in try TensorModule.reporting("retain_grad") { try call.object(0, type).retainGrad() } },
            Declaration(
                """
                Tensor:data_ptr(self: tensor) -> int
                Gives the address of the first element; tensors that share memory have the same.
                Example:
                  local x = tensor.zeros(4)
                  x:view(2, 2):data_ptr() == x:data_ptr() --> true
                Source: torch.Tensor.data_ptr
                """
            ) { call in call.push(Int(bitPattern: try call.object(0, type).pointer)) },
        ]
    }

    static func functions(_ type: UserdataType<Tensor>) -> [Declaration] {
        [
            Declaration(
                """
                tensor.manual_seed(seed: int)
                Starts the random generator anew: the same seed gives the same numbers, at any thread count.
                Example:
                  tensor.manual_seed(1)
                  local a = tensor.rand(3)
                  tensor.manual_seed(1)
                  tensor.rand(3):equal(a) --> true
                Source: torch.manual_seed
                """
            ) { call in Generator.shared.seed(UInt64(bitPattern: Int64(try call.int(0)))) },
            Declaration(
                """
                tensor.is_tensor(value: any = nil) -> bool
                Tells whether a value is a tensor.
                Example: tensor.is_tensor(tensor{1}), tensor.is_tensor({1}) --> true false
                Source: torch.is_tensor
                """
            ) { call in call.push(call.objectIfPresent(0, type) != nil) },
            Declaration(
                """
                tensor.is_grad_enabled() -> bool
                Tells whether operations record history.
                Example: tensor.no_grad(tensor.is_grad_enabled) --> false
                Source: torch.is_grad_enabled
                """
            ) { call in call.push(GradMode.isEnabled) },
            Declaration(
                """
                tensor.set_grad_enabled(mode: bool) -> bool
                Turns recording of history on or off; gives the former mode.
                Example:
                  local former = tensor.set_grad_enabled(false)
                  tensor.set_grad_enabled(former)
                  former --> true
                Source: torch.set_grad_enabled
                """
            ) { call in call.push(GradMode.set(try call.bool(0))) },
            Declaration(
                """
                tensor.memory() -> table
                Gives the bytes of native memory: `live` (held by tensors), `cached` (kept for reuse), `peak` (the most so far), `limit`.
                Example: tensor.memory().live <= tensor.memory().peak --> true
                Source: torch.cuda.memory_stats
                """
            ) { call in
                let now = Allocator.shared.statistics
                try call.push(
                    LuaValue.fields([
                        ("live", .int(now.live)), ("cached", .int(now.cached)), ("peak", .int(now.peak)),
                        ("limit", .int(Allocator.shared.limit)),
                    ]))
            },
            Declaration(
                """
                tensor.set_num_threads(n: int)
                Sets how many threads operations use; results do not depend on it.
                Errors: a number below 1
                Example:
                  tensor.set_num_threads(1)
                  tensor.get_num_threads() --> 1
                Source: torch.set_num_threads
                """
            ) { call in
                let n = try call.int(0)
                guard n >= 1 else { throw LuaError("expected at least 1 thread, got \(n)") }
                Parallel.threads = n
            },
            Declaration(
                """
                tensor.get_num_threads() -> int
                Gives how many threads operations use.
                Example: tensor.get_num_threads() >= 1 --> true
                Source: torch.get_num_threads
                """
            ) { call in call.push(Parallel.threads) },
            Declaration(
                """
                tensor.grad(outputs: tensor|list, inputs: tensor|list, grad_outputs: tensor|list = nil, retain_graph: bool = false, create_graph: bool = false, allow_unused: bool = false) -> tensor|list
                Gives the derivatives of outputs by inputs without touching any `grad`: a list for a list of inputs.
                Errors: an input that was not used (unless allowed), an input that does not require gradients
                Example:
                  local x = tensor({3.0}, {requires_grad = true})
                  tensor.grad(x:square(), x) --> tensor([6.])
                Source: torch.autograd.grad
                """
            ) { call in try TensorModule.reporting("grad") { try grad(call, type) } },
            Declaration(
                """
                tensor.custom_node(name: string, inputs: list, outputs: list, backward: function) -> list
                Gives `outputs` a history of one step: `backward` gets a list of their gradients and gives one gradient per input, or nil. `tensor.Function` is built on it.
                Example:
                  local x = tensor({3.0}, {requires_grad = true})
                  local y = tensor.custom_node("double", {x}, {tensor{6.0}}, function(g) return g[1] * 2 end)[1]
                  tensor.grad(y:sum(), x) --> tensor([2.])
                Source: torch.autograd.Function
                """
            ) { call in try TensorModule.reporting("Function") { try custom(call, type) } },
            Declaration(
                """
                tensor.add_hook(tensor: tensor, hook: function) -> int
                Has a function see (and replace, if it gives a tensor) the gradient of a tensor; gives the number to remove it by.
                Example:
                  local x = tensor({3.0}, {requires_grad = true})
                  tensor.add_hook(x, function(g) return g * 10 end)
                  x:square():backward()
                  x.grad --> tensor([60.])
                Source: torch.Tensor.register_hook
                """
            ) { call in
                let hook = try call.function(1)
                let lua = call.lua
                let id = try TensorModule.reporting("register_hook") {
                    try call.object(0, type).addHook { [unowned lua] g in
                        try lua.call(hook, [type.value(g)]).first.flatMap { type.object($0) }
                    }
                }
                call.push(id)
            },
            Declaration(
                """
                tensor.remove_hook(tensor: tensor, id: int)
                Removes what `add_hook` added.
                Example:
                  local x = tensor({3.0}, {requires_grad = true})
                  tensor.remove_hook(x, tensor.add_hook(x, function(g) return g * 10 end))
                  x:square():backward()
                  x.grad --> tensor([6.])
                Source: torch.utils.hooks.RemovableHandle.remove
                """
            ) { call in try call.object(0, type).removeHook(try call.int(1)) },
        ]
    }

    private static func tensors(_ call: Call, _ i: Int, _ type: UserdataType<Tensor>) throws -> [Tensor] {
        if let single = call.objectIfPresent(i, type) { return [single] }
        return try call.objects(i, type)
    }

    private static func grad(_ call: Call, _ type: UserdataType<Tensor>) throws {
        let outputs = try tensors(call, 0, type), inputs = try tensors(call, 1, type)
        let seeds = call.isNil(2) ? [] : try tensors(call, 2, type)
        let found = try Engine.gradients(
            of: outputs, for: inputs, gradients: seeds, retainGraph: try call.bool(3), createGraph: try call.bool(4))
        let allowUnused = try call.bool(5)
        var values: [LuaValue] = []
        for (i, g) in found.enumerated() {
            guard g != nil || allowUnused else {
                throw TensorError("input \(i) was not used to make the outputs; pass {allow_unused = true} to get nil for it")
            }
            // A list has no place for nil: an unused input gives false there.
            values.append(g.map { type.value($0) } ?? (inputs.count == 1 ? .nil : .bool(false)))
        }
        if call.objectIfPresent(1, type) != nil { try call.push(values.first ?? .nil) } else { try call.push(.list(values)) }
    }

    private static func custom(_ call: Call, _ type: UserdataType<Tensor>) throws {
        let backward = try call.function(3)
        let lua = call.lua
        let inputs = try call.objects(1, type)
        let name = try call.string(0)
        let outputs = try Tensor.custom(name, inputs: inputs, outputs: try call.objects(2, type)) { [unowned lua] grads in
            let results = try lua.call(backward, [.list(grads.map { type.value($0) })])
            guard results.count <= inputs.count else {
                throw TensorError("\(name): backward gave \(results.count) gradients for \(inputs.count) inputs")
            }
            return try results.enumerated().map { i, value in
                if value.isNil { return nil }
                guard let g = type.object(value) else {
                    throw TensorError("\(name): backward must give a tensor or nil for input \(i), got \(value.kindName)")
                }
                return g
            } + Array(repeating: nil, count: inputs.count - results.count)
        }
        // What it computes was recorded as it ran; its history is of no interest to a graph.
        if TensorTrace.isOn {
            for (made, given) in zip(outputs, try call.objects(2, type)) { TensorTrace.note("clone", [.tensor(given)], [made]) }
        }
        try call.push(list: outputs, type)
    }
}
