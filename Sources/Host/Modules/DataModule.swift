import LuaBridge
import NN

/// A dataset as scripts see it: samples for the loader, and fields for people.
final class DataSource {
    let dataset: any Dataset
    /// `ds.images`, `ds.classes`, ...: computed when read.
    let fields: [(name: String, value: () throws -> LuaValue)]
    let description: String

    init(_ dataset: any Dataset, _ description: String, fields: [(name: String, value: () throws -> LuaValue)] = []) {
        self.dataset = dataset
        self.description = description
        self.fields = fields
    }
}

/// A transform behind userdata.
final class TransformObject {
    let transform: any Transform
    init(_ transform: any Transform) { self.transform = transform }
}

/// The userdata types of the module `data`.
struct DataTypes {
    let tensor: UserdataType<Tensor>
    let dataset: UserdataType<DataSource>
    let transform: UserdataType<TransformObject>
    let pass: UserdataType<LoaderPass>
}

/// The module `data`: datasets and transforms are Swift, the loop around them is Prelude/data.lua.
enum DataModule {
    static func register(_ lua: Lua, _ tensor: UserdataType<Tensor>) throws {
        let types = DataTypes(
            tensor: tensor, dataset: UserdataType(lua, "Dataset", kind: "dataset"),
            transform: UserdataType(lua, "Transform", kind: "transform"), pass: UserdataType(lua, "LoaderPass", kind: "loader_pass"))
        try lua.addHostFunctions(FileNatives.functions(tensor))
        try lua.module("data", "data\nDatasets, loaders, transforms, and the files they come from.") { module in
            // Images and labels are tensors.
            _ = try module.lua.require("tensor")
            try buildDataset(types)
            try buildTransform(types)
            try types.pass.build { pass in
                pass.metamethod("__tostring", Declaration("tostring(a: any)", fast: true) { call in try call.push("LoaderPass") })
            }
            try module.lua.addHostFunctions(DataNatives.functions(types))
            try module.add(DataFunctions.sets(types) + DataFunctions.files(types))
            try module.submodule(
                "transforms", "data.transforms\nChanges of images, many of them random, for data.loader."
            ).add(DataTransforms.declarations(types))
        }
    }

    private static let fields = [
        ("images", "tensor|nil", "All images, uint8, of a set of images."), ("labels", "tensor|nil", "Their classes, int64."),
        ("classes", "list|nil", "The names of the classes: class c is `classes[c + 1]`."),
        ("mean", "number|nil", "What samples are normalised by, of a set of digits."), ("std", "number|nil", "See mean."),
        ("paths", "list|nil", "Where the images of a folder are."), ("errors", "list|nil", "What could not be read: {path =, reason =}."),
    ]

    private static func buildDataset(_ types: DataTypes) throws {
        let type = types.dataset, tensor = types.tensor
        try type.build { builder in
            builder.document("data.Dataset\nSamples that a loader gathers without a script's help; they count from 0.\nSource: torch.utils.data.Dataset")
            for (name, kind, text) in fields { type.documentField(name, kind, text) }
            builder.metamethod(
                "__len", Declaration("len(a: any)", fast: true) { call in call.push(try call.object(0, type).dataset.count) })
            builder.metamethod(
                "__tostring", Declaration("tostring(a: any)", fast: true) { call in try call.push(try call.object(0, type).description) })
            builder.index { source, call in
                if let name = call.stringIfPresent(1) {
                    guard let field = source.fields.first(where: { $0.name == name }) else {
                        throw LuaError("Dataset has no field '\(name)'\(Suggest.hint(name, in: source.fields.map(\.name)))")
                    }
                    try call.push(try field.value())
                    return
                }
                guard let index = call.intIfPresent(1) else { throw LuaError("dataset: expected an integer as index, got \(try call.value(1).kindName)") }
                try TensorModule.reporting("dataset") { try call.push(.list(sample(source.dataset, index, tensor))) }
            }
        }
    }

    /// Sample `index` as a list: tensors, and numbers where the column is one.
    static func sample(_ dataset: any Dataset, _ index: Int, _ type: UserdataType<Tensor>) throws -> [LuaValue] {
        try zip(try dataset.sample(index), dataset.columns).map { tensor, column in
            guard column.isNumber else { return type.value(tensor) }
            return switch try tensor.item() {
            case .int(let n): .int(n)
            case .double(let d): .number(d)
            case .bool(let b): .bool(b)
            }
        }
    }

    private static func buildTransform(_ types: DataTypes) throws {
        let type = types.transform, tensor = types.tensor
        try type.build { builder in
            builder.document("data.Transform\nA change of an image, possibly random: give it to a loader, or call it with an image.\nSource: torchvision.transforms.v2.Transform")
            builder.metamethod(
                "__tostring",
                Declaration("tostring(a: any)", fast: true) { call in try call.push(try call.object(0, type).transform.description) })
            builder.metamethod(
                "__call",
                Declaration("transform(self: transform, image: tensor, ...) -> tensor", returns: tensor) { call in
                    let image = try call.object(1, tensor)
                    let out = try TensorModule.reporting("transform") {
                        try call.object(0, type).transform.applied(to: image, background: 0, passSeed: LoaderSeed.draw(), sample: 0)
                    }
                    try call.push(out, tensor)
                    for k in 0..<call.restTotal { try call.push(try call.rest(k)) }
                })
        }
    }
}
