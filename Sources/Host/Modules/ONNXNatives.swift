import LuaBridge
import NN
import ONNX

/// `nn.export_onnx`'s native part: a host function, which scripts do not see.
enum ONNXNatives {
    static func functions(_ type: UserdataType<Tensor>) -> [Declaration] {
        [
            Declaration(
                """
                export_onnx(path: string, run: function, inputs: list, larger: list, batch_dim: int, graph: string, input_names: list, output_names: list|nil, state_names: list, state: list)
                Lets `run` take the inputs, and the larger ones unless there are none, and writes what it did. `run` gives a list of tensors.
                """
            ) { call in
                let path = try call.string(0)
                let run = try call.function(1)
                let larger = try call.objects(3, type)
                let names = ONNXExport.Names(
                    graph: try call.string(5), inputs: try call.strings(6), outputs: call.isNil(7) ? nil : try call.strings(7),
                    state: Array(zip(try call.strings(8), try call.objects(9, type))).map { (name: $0, tensor: $1) })
                func trace(_ inputs: [Tensor]) throws -> ONNXExport.Run {
                    let trace = OperationTrace()
                    let results = try trace.record { try call.call(run, [.list(inputs.map { type.value($0) })]) }
                    return ONNXExport.Run(
                        trace: trace, inputs: inputs, outputs: (results.first?.asList ?? []).compactMap { type.object($0) })
                }
                let small = try trace(try call.objects(2, type))
                let large = larger.isEmpty ? nil : try trace(larger)
                let bytes: [UInt8]
                do {
                    bytes = try ONNXExport.model(
                        small, large: large, batchDim: try call.int(4), names: names, version: HostCommand.number)
                } catch let error as ExportError { throw OperationError(description: "nn.export_onnx: \(error.description)", isMemory: false) }
                try bytes.withUnsafeBytes { try Files.replace(path, with: $0) }
            },
        ]
    }
}
