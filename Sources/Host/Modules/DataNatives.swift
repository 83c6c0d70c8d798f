import LuaBridge
import NN

/// What Prelude/data.lua needs of Swift and scripts do not see.
enum DataNatives {
    static func functions(_ types: DataTypes) -> [Declaration] {
        let dataset = types.dataset, tensor = types.tensor, pass = types.pass, transform = types.transform
        return [
            Declaration("data_native(value: any) -> bool\nWhether it is a dataset that Swift gathers.", fast: true) { call in
                call.push(call.objectIfPresent(0, dataset) != nil)
            },
            Declaration("data_transform_native(value: any) -> bool\nWhether it is a transform that Swift applies.", fast: true) { call in
                call.push(call.objectIfPresent(0, transform) != nil)
            },
            Declaration("data_tensors(tensors: list) -> dataset\nSee data.TensorDataset.") { call in
                let tensors = try call.objects(0, tensor)
                let set = try TensorModule.reporting("data.TensorDataset") { try TensorDataset(tensors) }
                let source = DataSource(
                    set, "TensorDataset(\(tensors.map(\.shape.description).joined(separator: ", ")))",
                    fields: [("tensors", { .list(tensors.map { tensor.value($0) }) })])
                try call.push(source, dataset)
            },
            Declaration("data_subset(dataset: dataset, indices: ints) -> dataset\nSee data.Subset.") { call in
                let parent = try call.object(0, dataset), indices = try call.ints(1)
                let set = try TensorModule.reporting("data.Subset") { try Subset(parent.dataset, indices) }
                let source = DataSource(
                    set, "Subset(\(set.count) of \(parent.description))",
                    fields: [("dataset", { dataset.value(parent) }), ("indices", { .list(indices.map { .int($0) }) })])
                try call.push(source, dataset)
            },
            Declaration("data_concat(datasets: list) -> dataset\nSee data.ConcatDataset.") { call in
                let parts = try call.objects(0, dataset)
                let set = try TensorModule.reporting("data.ConcatDataset") { try ConcatDataset(parts.map(\.dataset)) }
                let source = DataSource(
                    set, "ConcatDataset(\(parts.map(\.description).joined(separator: ", ")))",
                    fields: [("datasets", { .list(parts.map { dataset.value($0) }) })])
                try call.push(source, dataset)
            },
            Declaration("data_indices(indices: tensor) -> list\nThe numbers of an integer tensor.") { call in
                let t = try call.object(0, tensor)
                guard t.dtype == .int64 || t.dtype == .int32 || t.dtype == .uint8, t.rank == 1 else {
                    throw LuaError("expected an integer tensor of one dimension, got \(t.dtype.name) \(t.shape)")
                }
                try call.push(try t.integers())
            },
            Declaration("data_split_lengths(parts: numbers, count: int) -> list\nSee data.random_split.") { call in
                let lengths = try TensorModule.reporting("data.random_split") {
                    try RandomSplit.lengths(try call.numbers(0), count: try call.int(1))
                }
                try call.push(lengths)
            },
            Declaration("data_split(lengths: ints, seed: int = nil) -> list\nLists of positions for data.random_split.") { call in
                let lists = try TensorModule.reporting("data.random_split") {
                    let lengths = try call.ints(0)
                    try checkLuaList(lengths.reduce(0, &+))
                    return try RandomSplit.indices(lengths, seed: call.intIfPresent(1).map { UInt64(bitPattern: Int64($0)) })
                }
                try call.push(.list(lists.map { .list($0.map { .int($0) }) }))
            },
            Declaration("data_transform_compose(steps: list) -> transform\nSee data.transforms.compose.") { call in
                let steps = try call.objects(0, transform).map(\.transform)
                try call.push(TransformObject(TransformPipeline(steps)), transform)
            },
            Declaration(
                "data_transform_apply(transform: transform, image: tensor, background: number, pass_seed: int, sample: int) -> tensor\nOne image of a pass.",
                returns: tensor
            ) { call in
                let out = try TensorModule.reporting("transform") {
                    try call.object(0, transform).transform.applied(
                        to: try call.object(1, tensor), background: Float(try call.number(2)),
                        passSeed: UInt64(bitPattern: Int64(try call.int(3))), sample: try call.int(4))
                }
                try call.push(out, tensor)
            },
            Declaration("data_background(dataset: dataset) -> number\nThe value of an empty pixel.") { call in
                call.push(Double(try call.object(0, dataset).dataset.columns.first?.background ?? 0))
            },
            Declaration(
                """
                data_loader_check(dataset: dataset, batch_size: int, shuffle: bool, drop_last: bool, seed: int|nil, transform: transform|nil, prefetch: int)
                Raises the error that the loader's options give.
                """
            ) { call in _ = try loader(call, types) },
            Declaration(
                """
                data_pass(dataset: dataset, batch_size: int, shuffle: bool, drop_last: bool, seed: int|nil, transform: transform|nil, prefetch: int, number: int) -> loader_pass
                A fresh pass over a dataset that Swift gathers.
                """
            ) { call in
                let loader = try loader(call, types)
                try call.push(try TensorModule.reporting("data.loader") { try loader.pass(try call.int(7)) }, pass)
            },
            Declaration("data_next(pass: loader_pass) -> tensor\nThe next batch of a pass; nothing at its end.", returns: tensor, count: 2) { call in
                let pass = try call.object(0, pass)
                for part in try TensorModule.reporting("data.loader", { try pass.next() }) ?? [] { try call.push(part, tensor) }
            },
            Declaration("data_seed() -> int\nA seed from the shared generator.") { call in
                call.push(Int(truncatingIfNeeded: LoaderSeed.draw()))
            },
            Declaration("data_pass_seed(seed: int, number: int) -> int\nThe seed of one pass.") { call in
                let seed = LoaderSeed.pass(UInt64(bitPattern: Int64(try call.int(0))), try call.int(1))
                call.push(Int(truncatingIfNeeded: seed))
            },
            Declaration("data_order(count: int, pass_seed: int) -> list\nPositions 0..count-1, shuffled.") { call in
                let count = try call.int(0)
                guard count >= 0, count < 1 << 40 else { throw call.error(0, "expected a number of samples, got \(count)") }
                let seed = UInt64(bitPattern: Int64(try call.int(1)))
                try call.push(
                    try TensorModule.reporting("data.loader") {
                        try checkLuaList(count)
                        return try LoaderSeed.order(count, seed)
                    })
            },
        ]
    }

    /// Lists for Lua cost some times as much as the numbers in them.
    private static func checkLuaList(_ count: Int) throws {
        try Allocator.shared.checkRoom(for: count, of: 64, "a list of \(count) positions")
    }

    private static func loader(_ call: Call, _ types: DataTypes) throws -> Loader {
        var options = Loader.Options()
        options.batchSize = try call.int(1)
        options.shuffle = try call.bool(2)
        options.dropLast = try call.bool(3)
        options.seed = call.intIfPresent(4).map { UInt64(bitPattern: Int64($0)) }
        options.transform = call.objectIfPresent(5, types.transform)?.transform
        options.prefetch = try call.int(6)
        return try TensorModule.reporting("data.loader") { try Loader(try call.object(0, types.dataset).dataset, options) }
    }
}
