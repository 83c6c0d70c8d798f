import NN
import SwiftProtobuf

/// Makes an ONNX model of what a network did to its input. What depends on the batch size is found by letting the
/// network run twice, on a batch and on one that is larger by one: numbers that differ depend on it.
public enum ONNXExport {
    /// One run: what was recorded, what went in, what came out.
    public struct Run {
        let trace: OperationTrace
        let inputs: [Tensor]
        let outputs: [Tensor]

        public init(trace: OperationTrace, inputs: [Tensor], outputs: [Tensor]) {
            (self.trace, self.inputs, self.outputs) = (trace, inputs, outputs)
        }
    }

    public struct Names {
        let graph: String
        let inputs: [String]
        let outputs: [String]?
        /// Parameters and buffers by their names in the state dict.
        let state: [(name: String, tensor: Tensor)]

        public init(graph: String, inputs: [String], outputs: [String]?, state: [(name: String, tensor: Tensor)]) {
            (self.graph, self.inputs, self.outputs, self.state) = (graph, inputs, outputs, state)
        }
    }

    /// The bytes of the model.
    /// - Parameters:
    ///   - large: the run on the larger batch; nil: the batch size is fixed.
    ///   - batchDim: the dimension of the inputs that counts the batch.
    public static func model(_ small: Run, large: Run?, batchDim: Int, names: Names, version: String) throws -> [UInt8] {
        let reader = try GraphReader(small, large: large, batchDim: batchDim, names: names)
        let graph = try reader.read()
        var model = ONNXModel()
        model.irVersion = 8
        model.producerName = "host"
        model.producerVersion = version
        model.opsetImport = [.with { $0.version = Int64(Graph.opset) }]
        model.graph = graph.proto
        // The format itself ends at 2 GB.
        let bytes = model.graph.initializer.reduce(0) { $0 + $1.rawData.count }
        guard bytes < Int(Int32.max) - (1 << 24) else {
            throw ExportError("the weights take \(bytes) bytes, and an ONNX file holds less than 2 GB")
        }
        return try model.serializedBytes()
    }
}

/// Goes through two recordings side by side and writes the graph.
final class GraphReader {
    enum Known {
        case value(Value, dependsOnInput: Bool)
        /// A result that the graph does not have, and why.
        case missing(String)
    }

    let graph: Graph
    private let small: ONNXExport.Run, large: ONNXExport.Run?
    private let batch: Int
    private let names: ONNXExport.Names
    private var known: [ObjectIdentifier: Known] = [:]
    /// For each tensor of the larger run its twin in the smaller one.
    private var twins: [ObjectIdentifier: ObjectIdentifier] = [:]
    private var inputs: [Value] = []

    init(_ small: ONNXExport.Run, large: ONNXExport.Run?, batchDim: Int, names: ONNXExport.Names) throws {
        (self.small, self.large, self.names) = (small, large, names)
        batch = small.inputs.first.map { batchDim >= 0 && batchDim < $0.rank ? $0.shape[batchDim] : 0 } ?? 0
        graph = Graph(name: names.graph, batchSource: large == nil ? nil : (names.inputs[0], batchDim))
        for (name, tensor) in names.state { known[ObjectIdentifier(tensor)] = .value(
            Value(name: name, dtype: tensor.dtype, shape: tensor.shape.array.map { Dim($0) }), dependsOnInput: false) }
        for (i, name) in names.inputs.enumerated() {
            let value = Value(name: name, dtype: small.inputs[i].dtype, shape: try shape(small.inputs[i], large?.inputs[i]))
            inputs.append(value)
            learn(small.inputs[i], large?.inputs[i], .value(value, dependsOnInput: true))
        }
    }

    func read() throws -> Graph {
        for (_, tensor) in names.state {
            guard small.trace.isUnchanged(tensor) else {
                throw ExportError("the network changes its own state while it runs; switch it to evaluation")
            }
        }
        for (name, tensor) in names.state { try graph.initializer(tensor, name: name) }
        if let large, large.trace.steps.count != small.trace.steps.count { throw Self.differs }
        for (i, step) in small.trace.steps.enumerated() {
            let twin = large?.trace.steps[i]
            if let twin, twin.operation != step.operation || twin.results.count != step.results.count { throw Self.differs }
            try read(step, twin)
        }
        guard !small.outputs.isEmpty else { throw ExportError("the network gave no tensor") }
        if let large, large.outputs.count != small.outputs.count { throw Self.differs }
        let outputs = try small.outputs.enumerated().map { i, tensor in try value(tensor, large?.outputs[i]) }
        let outputNames = names.outputs ?? (outputs.count == 1 ? ["output"] : outputs.indices.map { "output_\($0)" })
        guard outputNames.count == outputs.count else {
            throw ExportError("output_names has \(outputNames.count) names, and the network gives \(outputs.count) tensors")
        }
        graph.finish(inputs: inputs, outputs: outputs, names: outputNames)
        return graph
    }

    static let differs = ExportError(
        "the network does something else for another batch size; {batch_dim = -1} exports it for the example's alone")

    // MARK: Steps

    private func read(_ step: OperationTrace.Step, _ twin: OperationTrace.Step?) throws {
        let call = TracedCall(step, twin, self, batch: batch)
        let isTraced = call.tensors.contains { tensor in
            if case .value(_, let depends) = known[ObjectIdentifier(tensor)] { return depends }
            return known[ObjectIdentifier(tensor)] != nil && !isState(tensor)
        }
        if Rules.silent.contains(step.operation) || Rules.shapeAlone.contains(step.operation) { return }
        guard isTraced else { return readConstant(call) }
        guard let rule = Rules.all[step.operation] else {
            throw ExportError(Rules.refused[step.operation].map { "\(step.operation): \($0)" } ?? "\(step.operation) cannot be written as ONNX")
        }
        let results: [String?]
        do { results = try rule(call) } catch let error as ExportError {
            throw error.description.hasPrefix(step.operation + ":") ? error : ExportError("\(step.operation): \(error.description)")
        }
        finish(call, results, dependsOnInput: true)
    }

    /// What is computed of weights alone stays a computation when it can, so that the file has the weights under
    /// their names; else its result is stored.
    private func readConstant(_ call: TracedCall) {
        guard call.tensors.contains(where: { known[ObjectIdentifier($0)] != nil }), let rule = Rules.all[call.small.operation],
            let results = try? rule(call)
        else { return }
        finish(call, results, dependsOnInput: false)
    }

    private func isState(_ tensor: Tensor) -> Bool {
        if case .value(_, false) = known[ObjectIdentifier(tensor)] { return true }
        return false
    }

    private func finish(_ call: TracedCall, _ results: [String?], dependsOnInput: Bool) {
        let step = call.small
        for (i, tensor) in step.results.enumerated() {
            let twin = call.large?.results[i]
            if let name = i < results.count ? results[i] : nil, let shape = try? shape(tensor, twin) {
                learn(tensor, twin, .value(Value(name: name, dtype: tensor.dtype, shape: shape), dependsOnInput: dependsOnInput))
            } else {
                learn(tensor, twin, .missing("result \(i + 1) of \(step.operation) cannot be written as ONNX"))
            }
            guard step.isInPlace else { continue }
            // Views of the memory hold something else now, and the graph does not know what.
            for other in seen where other !== tensor && other.sharesMemory(with: tensor) {
                known[ObjectIdentifier(other)] = .missing("\(step.operation)_ changed memory that another tensor shares")
            }
        }
        seen += step.results
    }
    private var seen: [Tensor] = []

    private func learn(_ tensor: Tensor, _ twin: Tensor?, _ what: Known) {
        known[ObjectIdentifier(tensor)] = what
        if let twin { twins[ObjectIdentifier(twin)] = ObjectIdentifier(tensor) }
    }

    // MARK: Values

    func shape(_ tensor: Tensor, _ twin: Tensor?) throws -> [Dim] {
        guard let twin else { return tensor.shape.array.map { Dim($0) } }
        guard twin.rank == tensor.rank, twin.dtype == tensor.dtype else { throw Self.differs }
        return zip(tensor.shape.array, twin.shape.array).map { Dim($0, $1, batch: batch) }
    }

    /// The value of the graph that a tensor is; one that nothing recorded made is a constant.
    func value(_ tensor: Tensor, _ twin: Tensor?) throws -> Value {
        switch known[ObjectIdentifier(tensor)] {
        case .value(let value, let depends):
            if let twin, twin !== tensor || depends, twins[ObjectIdentifier(twin)] != ObjectIdentifier(tensor) { throw Self.differs }
            return value
        case .missing(let reason): throw ExportError(reason)
        case nil: break
        }
        let shape = try shape(tensor, twin)
        guard small.trace.isUnchanged(tensor) else {
            throw ExportError("a tensor that the graph would store as a constant is changed in place while the network runs")
        }
        let value: Value
        if shape.fixed != nil {
            guard try twin.map({ try $0 === tensor || Self.same($0, tensor) }) ?? true else {
                throw ExportError("a constant of shape \(tensor.shape) has other values for another batch size")
            }
            let name = graph.freshConstant()
            try graph.initializer(tensor, name: name)
            value = Value(name: name, dtype: tensor.dtype, shape: shape)
        } else {
            // Zeros for a first state and the like: one number, as often as the batch asks for.
            guard let twin, let number = try Self.only(tensor), try Self.only(twin) == number else {
                throw ExportError("a constant's shape \(tensor.shape) depends on the batch size")
            }
            let name = graph.node("Expand", [graph.scalar(number, tensor.dtype), try graph.sizes(shape)])
            value = Value(name: name, dtype: tensor.dtype, shape: shape)
        }
        learn(tensor, twin, .value(value, dependsOnInput: false))
        return value
    }

    private static func bytes(_ tensor: Tensor) throws -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: tensor.pointer, count: tensor.count * tensor.dtype.size)
    }

    private static func same(_ a: Tensor, _ b: Tensor) throws -> Bool {
        let (a, b) = (try a.copied(), try b.copied())
        return try withExtendedLifetime((a, b)) { try bytes(a).elementsEqual(try bytes(b)) }
    }

    /// The number that all elements are.
    private static func only(_ tensor: Tensor) throws -> Double? {
        guard tensor.count > 0 else { return nil }
        let packed = try tensor.copied()
        let first = packed.element(0).double, size = tensor.dtype.size
        return try withExtendedLifetime(packed) {
            let all = try bytes(packed)
            return (1..<packed.count).allSatisfy { i in (0..<size).allSatisfy { all[i * size + $0] == all[$0] } } ? first : nil
        }
    }
}
