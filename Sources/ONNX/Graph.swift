#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif
import NN

/// A value of the graph that is being made: a name, and what is known of it.
struct Value {
    var name: String
    var dtype: DType
    var shape: [Dim]

    var rank: Int { shape.count }
}

enum AttributeValue {
    case int(Int), ints([Int]), float(Double), string(String), strings([String])
}

/// The graph that is being made: nodes, constants, names.
final class Graph {
    /// The operator set that the nodes are of.
    static let opset = 18

    private(set) var proto = ONNXGraph()
    /// The number of elements in the batch: a one-element vector computed from the first input.
    private let batchSource: (input: String, dim: Int)?
    private var batchSize: String?
    private var counts: [String: Int] = [:]
    private var constants: [Data: String] = [:]

    init(name: String, batchSource: (input: String, dim: Int)?) {
        proto.name = name
        self.batchSource = batchSource
    }

    private func fresh(_ stem: String) -> String {
        counts[stem, default: 0] += 1
        return "\(stem)_\(counts[stem] ?? 0)"
    }

    // MARK: Nodes

    /// Adds a node; gives the names of its results. An empty input name stands for one left out.
    func nodes(_ op: String, _ inputs: [String], _ attributes: KeyValuePairs<String, AttributeValue> = [:], results: Int) -> [String] {
        var node = ONNXNode()
        node.opType = op
        node.name = fresh(op)
        node.input = inputs
        while node.input.last == "" { node.input.removeLast() }
        node.output = (0..<results).map { results == 1 ? "\(node.name)_out" : "\(node.name)_out\($0)" }
        node.attribute = attributes.map { name, value in
            var attribute = ONNXAttribute()
            attribute.name = name
            switch value {
            case .int(let n): (attribute.i, attribute.kind) = (Int64(n), .int)
            case .ints(let list): (attribute.ints, attribute.kind) = (list.map(Int64.init), .ints)
            case .float(let x): (attribute.f, attribute.kind) = (Float(x), .float)
            case .string(let text): (attribute.s, attribute.kind) = (Data(text.utf8), .string)
            case .strings(let list): (attribute.strings, attribute.kind) = (list.map { Data($0.utf8) }, .strings)
            }
            return attribute
        }
        proto.node.append(node)
        return node.output
    }

    func node(_ op: String, _ inputs: [String], _ attributes: KeyValuePairs<String, AttributeValue> = [:]) -> String {
        nodes(op, inputs, attributes, results: 1)[0]
    }

    // MARK: Constants

    func initializer(_ tensor: Tensor, name: String) throws {
        var data = ONNXTensorData()
        data.name = name
        data.dataType = tensor.dtype.onnx
        data.dims = tensor.shape.array.map(Int64.init)
        let packed = tensor.isContiguous ? tensor : try tensor.copied()
        data.rawData = withExtendedLifetime(packed) { Data(bytes: packed.pointer, count: packed.count * packed.dtype.size) }
        proto.initializer.append(data)
    }

    private func constant(_ bytes: Data, _ dtype: DType, _ dims: [Int], _ stem: String) -> String {
        // The same contents are stored once.
        var key = bytes
        key.append(contentsOf: Data("\(dtype.name)\(dims)".utf8))
        if let known = constants[key] { return known }
        var data = ONNXTensorData()
        data.name = fresh(stem)
        data.dataType = dtype.onnx
        data.dims = dims.map(Int64.init)
        data.rawData = bytes
        proto.initializer.append(data)
        constants[key] = data.name
        return data.name
    }

    func freshConstant() -> String { fresh("constant") }

    func vector(_ values: [Int]) -> String {
        constant(values.map(Int64.init).withUnsafeBytes { Data($0) }, .int64, [values.count], "ints")
    }

    func scalar(_ value: Double, _ dtype: DType, shape: [Int] = []) -> String {
        func data<T>(_ value: T) -> Data { withUnsafeBytes(of: value) { Data($0) } }
        let bytes: Data =
            switch dtype {
            case .float32: data(Float(value))
            case .float64: data(value)
            case .int64: data(Int64(exactly: value.rounded(.towardZero)) ?? 0)
            case .int32: data(Int32(exactly: value.rounded(.towardZero)) ?? 0)
            case .uint8: data(UInt8(exactly: value.rounded(.towardZero)) ?? 0)
            case .bool: data(value != 0)
            }
        return constant(bytes, dtype, shape, "number")
    }

    /// A matrix or vector computed by the exporter itself.
    func table(_ values: [Double], _ dims: [Int], _ dtype: DType) -> String {
        let bytes = dtype == .float64 ? values.withUnsafeBytes { Data($0) } : values.map(Float.init).withUnsafeBytes { Data($0) }
        return constant(bytes, dtype == .float64 ? .float64 : .float32, dims, "table")
    }

    // MARK: Shapes

    /// Sizes as a vector of the graph, computed where they depend on the batch size.
    func sizes(_ dims: [Dim]) throws -> String {
        if let fixed = dims.fixed { return vector(fixed) }
        return node("Concat", try dims.map { try size($0) }, ["axis": .int(0)])
    }

    private func size(_ dim: Dim) throws -> String {
        if dim.isFixed { return vector([dim.offset]) }
        guard let batchSource else { throw ExportError("a size depends on the batch size") }
        let batch = batchSize ?? node("Gather", [node("Shape", [batchSource.input]), vector([batchSource.dim])], ["axis": .int(0)])
        batchSize = batch
        let product = dim.factor == 1 ? batch : node("Mul", [batch, vector([dim.factor])])
        return dim.offset == 0 ? product : node("Add", [product, vector([dim.offset])])
    }

    /// The same elements under another shape.
    func reshape(_ name: String, to dims: [Dim]) throws -> String {
        // One unknown size is told by the others, as long as none of these is 0.
        if dims.count(where: { !$0.isFixed }) == 1, !dims.contains(Dim(0)) {
            return node("Reshape", [name, vector(dims.map { $0.isFixed ? $0.offset : -1 })])
        }
        return node("Reshape", [name, try sizes(dims)], ["allowzero": .int(1)])
    }

    func cast(_ name: String, to dtype: DType) -> String { node("Cast", [name], ["to": .int(Int(dtype.onnx))]) }

    func slice(_ name: String, axis: Int, start: Int, stop: Int, step: Int = 1) -> String {
        node("Slice", [name, vector([start]), vector([stop]), vector([axis]), vector([step])])
    }

    // MARK: The end

    func describe(_ value: Value) -> ONNXValueInfo {
        var info = ONNXValueInfo()
        info.name = value.name
        info.type.tensorType.elemType = value.dtype.onnx
        info.type.tensorType.shape.dim = value.shape.map { dim in
            var one = ONNXTensorShape.Dimension()
            if dim.isFixed { one.dimValue = Int64(dim.offset) } else { one.dimParam = dim.text }
            return one
        }
        return info
    }

    /// Names inputs and outputs, and drops what no output needs.
    func finish(inputs: [Value], outputs: [Value], names: [String]) {
        proto.input = inputs.map(describe)
        var made: [String: String] = [:]
        for (value, name) in zip(outputs, names) {
            // A node's result takes the output's name; anything else is passed through.
            if made[value.name] == nil, proto.node.contains(where: { $0.output.contains(value.name) }) {
                made[value.name] = name
            } else {
                made[name] = name
                proto.node.append(
                    .with {
                        ($0.opType, $0.name) = ("Identity", fresh("Identity"))
                        ($0.input, $0.output) = ([value.name], [name])
                    })
            }
        }
        for i in proto.node.indices {
            proto.node[i].input = proto.node[i].input.map { made[$0] ?? $0 }
            proto.node[i].output = proto.node[i].output.map { made[$0] ?? $0 }
        }
        proto.output = zip(outputs, names).map { value, name in
            var value = value
            value.name = name
            return describe(value)
        }
        var needed = Set(names)
        proto.node = proto.node.reversed().filter { node in
            guard node.output.contains(where: needed.contains) else { return false }
            needed.formUnion(node.input)
            return true
        }.reversed()
        proto.initializer.removeAll { !needed.contains($0.name) }
    }
}

extension DType {
    /// ONNX's number for the type.
    var onnx: Int32 {
        switch self {
        case .float32: 1
        case .uint8: 2
        case .int32: 6
        case .int64: 7
        case .bool: 9
        case .float64: 11
        }
    }
}
