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
        let type = UserdataType<Tensor>(lua, "Tensor", kind: "tensor", release: { TensorPool.release($0) })
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
        let name = op.name, run = op.run
        let returned = op.doc.returnsTensor ? type : nil
        guard let direct = op.direct else {
            return Declaration(prefix + op.doc, returns: returned) { call in
                try reporting(name) { try general(name, run, call, type) }
            }
        }
        let short = op.short.map { ShortForm(operands: $0.operands, of: type, context: $0.context, $0.run) }
        return Declaration(prefix + op.doc, returns: returned, fast: true, short: short) { call in
            do {
                if let result = try apply(direct, call, type) {
                    try call.push(result, type)
                } else {
                    try general(name, run, try call.checked(), type)
                }
            } catch let error as TensorError { throw named(error, name) }
        }
    }

    /// Computes with all arguments read, and notes the call where a trace is taken.
    private static func general(
        _ name: String, _ run: (any OpArguments) throws -> OpResult, _ call: Call, _ type: UserdataType<Tensor>
    ) throws {
        let result = try run(TensorArguments(call: call, type: type))
        if TensorTrace.isOn { try TensorTrace.note(name, call, type, result) }
        try call.push(result, type)
    }

    /// Computes the direct form when the arguments are just its operands; else nil.
    @inline(__always)
    private static func apply(
        _ direct: Op.Direct, _ call: Call, _ type: UserdataType<Tensor>, first: Tensor? = nil
    ) throws -> Tensor? {
        // A trace needs arguments in their order.
        if TensorTrace.isOn { return nil }
        let count = call.count
        switch direct {
        case .unary(let f):
            guard count == 1, let a = first ?? call.objectIfPresent(0, type) else { return nil }
            return try f(a)
        case .operands(let f):
            guard count == 2 else { return nil }
            if let a = first ?? call.objectIfPresent(0, type) {
                if let b = call.objectIfPresent(1, type) { return try f(a, b) }
                guard let number = call.scalarIfPresent(1) else { return nil }
                return try f(a, try Tensor.wrapped(number, beside: a))
            }
            guard let number = call.scalarIfPresent(0), let b = call.objectIfPresent(1, type) else { return nil }
            return try f(try Tensor.wrapped(number, beside: b), b)
        case .binary(let f):
            guard count == 2, let a = first ?? call.objectIfPresent(0, type), let b = call.objectIfPresent(1, type) else { return nil }
            return try f(a, b)
        case .ternary(let f):
            guard count == 2 || count == 3, let a = first ?? call.objectIfPresent(0, type),
                let b = call.objectIfPresent(1, type)
            else { return nil }
            let c = call.objectIfPresent(2, type)
            return c != nil || call.isNil(2) ? try f(a, b, c) : nil
        }
    }

    /// The twin that stores the result in the receiver.
    static func inPlaceTwin(_ op: Op, _ type: UserdataType<Tensor>) -> Declaration {
        let name = op.name + "_", run = op.run, direct = op.direct, storing = Arithmetic.storing[op.name]
        let short = op.short.flatMap { short in
            short.runInPlace.map { ShortForm(operands: short.operands, of: type, context: short.context, $0) }
        }
        return Declaration("Tensor:" + op.doc.asInPlaceTwin(op.name), fast: true, short: short) { call in
            do {
                var call = call
                if direct == nil || call.objectIfPresent(0, type) == nil { call = try call.checked() }
                let target = try call.object(0, type)
                try target.checkWritable(name)
                if let storing, !TensorTrace.isOn, call.count == 2, let other = call.objectIfPresent(1, type),
                    try Arithmetic.store(storing, other, into: target)
                {
                    call.returnArgument(0)
                    return
                }
                var original = try kept(target, call, type)
                var result = try direct.flatMap { try apply($0, call, type, first: original) }
                if result == nil {
                    if direct != nil {
                        call = try call.checked()
                        if original == nil { original = try kept(target, call, type) }
                    }
                    if case .tensor(let computed) = try run(TensorArguments(call: call, type: type, original: original)) { result = computed }
                }
                guard let result else { throw TensorError("has no in-place form for these arguments") }
                guard result.shape == target.shape else {
                    throw TensorError("the result has shape \(result.shape), which does not fit the tensor's shape \(target.shape)")
                }
                guard result.dtype.fits(target.dtype) else {
                    throw TensorError("a \(result.dtype.name) result cannot be stored in a \(target.dtype.name) tensor; convert it first")
                }
                try target.assign(result, name)
                if TensorTrace.isOn { try TensorTrace.note(op.name, call, type, .receiver) }
            } catch let error as TensorError { throw named(error, name) }
            call.returnArgument(0)
        }
    }

    /// What the target of a recorded change holds before it: backward may need that. Were the target itself saved for
    /// backward, its new history would also hold it, for ever.
    private static func kept(_ target: Tensor, _ call: Call, _ type: UserdataType<Tensor>) throws -> Tensor? {
        // No operation has more than eight parameters.
        func othersRequireGrad() -> Bool { (1..<8).contains { call.objectIfPresent($0, type)?.requiresGrad ?? false } }
        return GradMode.isEnabled && (target.requiresGrad || othersRequireGrad()) ? try target.clone() : nil
    }

    /// Lets failures of the library begin with the name of the operation.
    static func reporting<R>(_ name: String, _ body: () throws -> R) throws -> R {
        do { return try body() } catch let error as TensorError { throw named(error, name) }
    }

    private static func named(_ error: TensorError, _ name: String) -> OperationError {
        let message = error.message.hasPrefix(name + ":") ? error.message : "\(name): \(error.message)"
        return OperationError(description: message, isMemory: error.kind == .outOfMemory)
    }
}

extension String {
    fileprivate var firstLine: Substring { prefix { $0 != "\n" } }
    /// Whether the signature says that the first result is a fresh tensor.
    fileprivate var returnsTensor: Bool { firstLine.contains("-> tensor") }

    /// The docstring of `name_` from that of `name`: other results, its own errors, the example with the twin's name
    /// (or that behind `In place:`).
    fileprivate func asInPlaceTwin(_ name: String) -> String {
        var lines = split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let signature = "\(name)_" + lines.removeFirst().dropFirst(name.count)
        let summary = lines.isEmpty ? "" : lines.removeFirst()
        let own = lines.first { $0.hasPrefix("In place: ") }.map { "Example: " + $0.dropFirst("In place: ".count) }
        var kept: [String] = [], section = ""
        for line in lines {
            if let title = DocSections.titles.first(where: { line.hasPrefix($0) }) { section = title }
            switch section {
            case "Example:":
                if own == nil { kept.append(line.replacing(":\(name)(", with: ":\(name)_(")) }
            case "Args:", "Returns:", "See:": kept.append(line)
            default: break
            }
        }
        if let own { kept.append(own) }
        return ([signature, "Stores in the tensor itself: \(summary)"] + kept + [
            "Errors: a leaf that requires gradients; a result of another shape or a higher kind of dtype",
            "Source: torch.Tensor.\(name)_",
        ]).joined(separator: "\n")
    }
}
