import LuaBridge
import NN

/// A failure of the tensor library under the name that scripts know the operation by.
struct OperationError: Error, CustomStringConvertible {
    let description: String
    /// Native memory ran out: the bridge collects Lua's garbage and tries once more.
    let isMemory: Bool
}

/// The module `tensor`: loops over the catalogue of operations.
enum TensorModule {
    /// Registers the module; tensors exist for Lua once it has been required.
    static func register(_ lua: Lua) throws -> UserdataType<Tensor> {
        let type = UserdataType<Tensor>(lua, "Tensor", kind: "tensor")
        lua.kinds.define("dtype", choices: DType.allCases.map(\.name))
        lua.countNativeMemory(allocated: Allocator.shared.allocatedBytes, live: Allocator.shared.liveBytes)
        lua.isRetryable = { ($0 as? OperationError)?.isMemory ?? false }
        Engine.checkInterrupt = { [unowned lua] in try lua.checkInterrupt() }
        try lua.module("tensor", "tensor\nTensors: creating them, math on them, gradients.") { module in
            try TensorType.build(type, methods: methods(type) + TensorExtras.methods(type) + TensorFiles.methods(type))
            for op in OpCatalog.tensor where op.form != .method {
                let declaration = declaration(op, "tensor.", type)
                if op.form == .both { try module.add([declaration], alsoMethodsOf: type) } else { try module.add(declaration) }
            }
            let linalg = try module.submodule("linalg", "tensor.linalg\nLinear algebra: factorisations, solving, norms.")
            try linalg.add(OpCatalog.linalg.map { declaration($0, "tensor.linalg.", type) })
            try module.add(TensorExtras.functions(type) + TensorFiles.functions(type))
            try module.set("__version__", .string(HostCommand.number))
            try module.makeCallable(TensorExtras.constructor(type))
        }
        return type
    }

    /// What tensors have as methods only: some operations, and the in-place twins.
    private static func methods(_ type: UserdataType<Tensor>) -> [Declaration] {
        OpCatalog.tensor.filter { $0.form == .method }.map { declaration($0, "Tensor:", type) }
            + OpCatalog.tensor.filter(\.hasInPlaceTwin).map { inPlaceTwin($0, type) }
    }

    static func declaration(_ op: Op, _ prefix: String, _ type: UserdataType<Tensor>) -> Declaration {
        let name = op.name
        let run = op.run
        return Declaration(prefix + op.doc, returns: op.doc.returnsTensor ? type : nil) { call in
            try reporting(name) { try call.push(try run(TensorArguments(call: call, type: type)), type) }
        }
    }

    /// The twin that stores the result in the receiver.
    static func inPlaceTwin(_ op: Op, _ type: UserdataType<Tensor>) -> Declaration {
        let name = op.name + "_"
        let run = op.run
        return Declaration("Tensor:" + op.doc.asInPlaceTwin(op.name)) { call in
            try reporting(name) {
                var arguments = TensorArguments(call: call, type: type)
                let target = try arguments.tensor(0)
                try target.checkWritable(name)
                // Backward may need what the target held before.
                if GradMode.isEnabled, target.requiresGrad { arguments.original = try target.clone() }
                guard case .tensor(let result) = try run(arguments) else {
                    throw TensorError("has no in-place form for these arguments")
                }
                guard result.shape == target.shape else {
                    throw TensorError("the result has shape \(result.shape), which does not fit the tensor's shape \(target.shape)")
                }
                guard result.dtype.fits(target.dtype) else {
                    throw TensorError("a \(result.dtype.name) result cannot be stored in a \(target.dtype.name) tensor; convert it first")
                }
                try target.assign(result, name)
            }
            call.returnArgument(0)
        }
    }

    /// Lets failures of the library begin with the name of the operation.
    static func reporting<R>(_ name: String, _ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as TensorError {
            let message = error.message.hasPrefix(name + ":") ? error.message : "\(name): \(error.message)"
            throw OperationError(description: message, isMemory: error.kind == .outOfMemory)
        }
    }
}

extension String {
    fileprivate var firstLine: Substring { prefix { $0 != "\n" } }
    /// Whether the signature says that the first result is a fresh tensor.
    fileprivate var returnsTensor: Bool { firstLine.contains("-> tensor") }

    fileprivate func asInPlaceTwin(_ name: String) -> String {
        let rest = dropFirst(name.count)
        let signature = rest.prefix { $0 != "\n" }
        let summary = rest.dropFirst(signature.count + 1).prefix { $0 != "\n" }
        return """
            \(name)_\(signature)
            Stores in the tensor itself: \(summary)
            Errors: a leaf that requires gradients; a result of another shape or a higher kind of dtype
            Source: torch.Tensor.\(name)_
            """
    }
}
