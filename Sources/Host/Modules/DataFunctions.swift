import LuaBridge
import NN

/// The functions of `data` that find and read files.
enum DataFunctions {
    static func sets(_ types: DataTypes) -> [Declaration] {
        [
            digits(
                """
                mnist(root: string = "data", split: "train"|"test" = "train", normalize: bool = true) -> dataset
                Reads MNIST: handwritten digits, 60,000 to train on and 10,000 to test with.
                Args:
                  root: a folder with the IDX files (plain or gzipped), or with MNIST/raw in it, or with them one folder down
                  split: which part
                  normalize: whether samples are (x - mean) / std of the training set, else 0..1
                Returns: a dataset; `ds[i]` is {image float32 [1, 28, 28], label}, `ds.images` uint8 [N, 28, 28], `ds.labels` int64 [N], `ds.classes` names, `ds.mean` and `ds.std` the constants, `ds.paths` the two files
                Errors: files that are not there, or not whole
                Example:
                  local ds = data.mnist{root = "data/mnist", split = "test"}
                  print(#ds, ds.labels[0]:item()) --> 10000	7
                Source: torchvision.datasets.MNIST
                """, .mnist, types),
            digits(
                """
                fashion_mnist(root: string = "data", split: "train"|"test" = "train", normalize: bool = true) -> dataset
                Reads Fashion-MNIST: clothes, in the form of MNIST.
                Args:
                  root: as for data.mnist; torchvision's folder is FashionMNIST/raw
                  split: which part
                  normalize: as for data.mnist
                Example:
                  -- needs the files, see scripts/download.lua
                  print(#data.fashion_mnist{root = "data/fashion_mnist"})
                See: data.mnist
                Source: torchvision.datasets.FashionMNIST
                """, .fashionMNIST, types),
            digits(
                """
                kmnist(root: string = "data", split: "train"|"test" = "train", normalize: bool = true) -> dataset
                Reads Kuzushiji-MNIST: cursive Japanese characters, in the form of MNIST.
                Args:
                  root: as for data.mnist; torchvision's folder is KMNIST/raw
                  split: which part
                  normalize: as for data.mnist
                Example:
                  -- needs the files, see scripts/download.lua
                  print(#data.kmnist{root = "data/kmnist"})
                See: data.mnist
                Source: torchvision.datasets.KMNIST
                """, .kmnist, types),
            Declaration(
                """
                emnist(root: string = "data", split: "train"|"test" = "train", normalize: bool = true, *, part: "byclass"|"bymerge"|"balanced"|"letters"|"digits"|"mnist" = "balanced") -> dataset
                Reads EMNIST: handwritten letters and digits, in the form of MNIST. Its images, which lie on their side in the files, are turned upright.
                Args:
                  root: as for data.mnist; torchvision's folder is EMNIST/raw
                  split: which part
                  normalize: as for data.mnist
                  part: how the characters are cut into classes; "letters" counts its classes from 1
                Example:
                  -- needs the files, see scripts/download.lua
                  print(#data.emnist{root = "data/emnist", part = "letters"})
                See: data.mnist
                Source: torchvision.datasets.EMNIST
                """
            ) { call in
                guard let set = DigitSet.emnist(try call.string(3)) else { throw call.mismatch(3) }
                try pushDigits(call, set, types)
            },
        ]
    }

    private static func digits(_ doc: String, _ set: DigitSet, _ types: DataTypes) -> Declaration {
        Declaration(doc) { call in try pushDigits(call, set, types) }
    }

    private static func pushDigits(_ call: Call, _ set: DigitSet, _ types: DataTypes) throws {
        let train = try call.string(1) == "train", normalize = try call.bool(2)
        let (images, labels, dataset, paths) = try TensorModule.reporting("data.\(set.name)") {
            let files = try DigitFiles(set, root: try call.string(0), train: train)
            let key = "\(set.name) \(files.paths)"
            let decoded = try DataCache.shared.value(key, files: files.paths) { try files.read(set) } tensors: { [$0.images, $0.labels] }
            let (images, labels) = (decoded.images.detached(), decoded.labels.detached())
            let dataset = try TensorDataset.images(images, labels, mean: normalize ? [set.mean] : [], std: normalize ? [set.std] : [])
            return (images, labels, dataset, files.paths)
        }
        let tensor = types.tensor
        let source = DataSource(
            dataset, "Dataset(\(set.name), \(train ? "train" : "test"), \(dataset.count) samples)",
            fields: [
                ("images", { tensor.value(images) }), ("labels", { tensor.value(labels) }),
                ("classes", { .list(set.classes.map { .string($0) }) }), ("mean", { .number(set.mean) }), ("std", { .number(set.std) }),
                ("paths", { .list(paths.map { .string($0) }) }),
            ])
        try call.push(source, types.dataset)
    }

    static func files(_ types: DataTypes) -> [Declaration] {
        let tensor = types.tensor
        return [
            Declaration(
                """
                idx(path: string) -> tensor
                Reads an IDX file, plain or gzipped. Signed elements of 8 and 16 bits become int32.
                Errors: a file that is not there, of another format, cut off, too long or corrupt: with path, byte offset and reason
                Example:
                  print(data.idx("data/mnist/t10k-labels-idx1-ubyte.gz")[0]:item()) --> 7
                See: data.write_idx
                Source: LeCun, Cortes and Burges, the format of the MNIST files
                """, returns: tensor
            ) { call in
                try TensorModule.reporting("data.idx") { 
                    let path = try call.string(0)
                    let decoded = try DataCache.shared.value("idx \(path)", files: [path]) { try IDXFile.read(path) } tensors: { [$0] }
                    try call.push(decoded.detached(), tensor)
                }
            },
            Declaration(
                """
                write_idx(path: string, tensor: tensor)
                Writes an IDX file, gzipped when the name ends in ".gz". The format has no int64: such tensors are written as int32.
                Errors: an int64 beyond 32 bits; a file that cannot be written (one that was there stays as it is)
                Example:
                  data.write_idx("labels.idx", tensor({1, 2, 3}, {dtype = "uint8"}))
                  data.idx("labels.idx"):sum():item() --> 6
                See: data.idx
                Source: LeCun, Cortes and Burges, the format of the MNIST files
                """
            ) { call in
                try TensorModule.reporting("data.write_idx") { try IDXFile.write(try call.object(1, tensor), to: try call.string(0)) }
            },
            csv(types),
            imageFolder(types),
        ]
    }

    private static func csv(_ types: DataTypes) -> Declaration {
        Declaration(
            """
            csv(path: string, *, separator: string = ",", header: bool = true, dtype: "float32"|"float64" = "float32", types: table = nil, skip_bad: bool = false) -> table, list, list
            Reads a text file of rows and columns. A column whose first value is a number holds numbers: a tensor, int64 if all are integers, else `dtype`, with NaN where one is missing. A column of true and false is a bool tensor. Others are lists of strings.
            Args:
              path: the file; fields may be quoted, as in RFC 4180
              separator: one character
              header: whether the first row names the columns; without it they are numbered from 1
              dtype: of columns with fractions
              types: kinds that are not to be guessed, as {zip = "string", age = "number", member = "bool"}
              skip_bad: leaves bad rows out instead of failing
            Returns: columns by name (or number); the names in order; what was left out and why
            Errors: rows with a wrong number of fields or with text among numbers, named by their lines
            Example:
              require "fs".write("/tmp/points.csv", "x,name,on\\n1.5,a,true\\n2,b,false\\n")
              local t = data.csv("/tmp/points.csv")
              print(t.x, t.name[2], t.on) --> tensor([1.5000, 2.0000])	b	tensor([ true, false])
            Source: pandas.read_csv
            """
        ) { call in
            var options = CSVFile.Options()
            let separator = try call.bytes(1)
            guard separator.count == 1, ![0x22, 0x0a, 0x0d].contains(separator[0]) else {
                throw call.error(1, "expected one character other than a quote or line end")
            }
            options.separator = separator[0]
            options.hasHeader = try call.bool(2)
            options.floatType = try call.string(3) == "float64" ? .float64 : .float32
            options.skipsBadRows = try call.bool(5)
            if !call.isNil(4), case .map(let fields) = try call.value(4) {
                for field in fields {
                    guard let name = field.key.asString ?? field.key.asInt.map(String.init),
                        let kind = field.value.asString.flatMap({ CSVFile.Kind(rawValue: $0) })
                    else { throw call.error(4, "expected column = \"number\", \"string\" or \"bool\"") }
                    options.kinds[name] = kind
                }
            }
            let table = try TensorModule.reporting("data.csv") { try CSVFile.read(try call.string(0), options) }
            let keys = table.names.enumerated().map { i, name in options.hasHeader ? LuaValue.string(name) : .int(i + 1) }
            let columns = table.columns.map { column -> LuaValue in
                switch column {
                case .numbers(let tensor): types.tensor.value(tensor)
                case .texts(let texts): .list(texts.map { .string($0) })
                }
            }
            try call.push(.map(zip(keys, columns).map { LuaField(key: $0, value: $1) }))
            try call.push(.list(keys))
            try call.push(.list(table.problems.map { .string($0) }))
        }
    }

    private static func imageFolder(_ types: DataTypes) -> Declaration {
        Declaration(
            """
            image_folder(root: string, *, channels: int = 3, size: ints = nil, mean: numbers = nil, std: numbers = nil) -> dataset
            Reads a folder that has one folder of images (PNG, JPEG) for each class. Files that cannot be read are reported on standard error and left out.
            Args:
              root: the folder of folders; their names, sorted, are the classes
              channels: 3 for colour, 1 for grey
              size: {height, width} that images are scaled to, or one number for both; nil: all must have the same size
              mean: with std: samples are (x - mean) / std, one number or one for each channel; without: 0..1
              std: see mean
            Returns: a dataset; `ds[i]` is {image float32 [C, H, W], label}, `ds.images` uint8 [N, C, H, W], `ds.labels`, `ds.classes`, `ds.paths`, `ds.errors` (a list of {path =, reason =})
            Errors: no classes, no readable images, images of different sizes
            Example:
              -- needs a folder with a folder of images for each class
              print(#data.image_folder("pictures", {size = 32}))
            Source: torchvision.datasets.ImageFolder
            """
        ) { call in
            let root = try call.string(0)
            var size: (height: Int, width: Int)?
            if let numbers = try call.intsIfPresent(2) {
                guard numbers.count == 1 || numbers.count == 2 else { throw call.error(2, "expected {height, width}, got \(numbers.count) numbers") }
                size = (numbers[0], numbers[numbers.count - 1])
            }
            let mean = call.isNil(3) ? [] : try call.numbers(3), std = call.isNil(4) ? [] : try call.numbers(4)
            guard mean.isEmpty == std.isEmpty else { throw LuaError("expected mean and std together") }
            let (folder, dataset) = try TensorModule.reporting("data.image_folder") {
                let folder = try ImageFolder(root, channels: try call.int(1), size: size)
                return (folder, try TensorDataset.images(folder.images, folder.labels, mean: mean, std: std))
            }
            for problem in folder.problems { Console.writeError("host: data.image_folder: \(problem.path): \(problem.reason)\n") }
            let tensor = types.tensor
            let source = DataSource(
                dataset, "Dataset(\(root), \(dataset.count) images)",
                fields: [
                    ("images", { tensor.value(folder.images) }), ("labels", { tensor.value(folder.labels) }),
                    ("classes", { .list(folder.classes.map { .string($0) }) }), ("paths", { .list(folder.paths.map { .string($0) }) }),
                    ("errors", { .list(folder.problems.map { .fields([("path", .string($0.path)), ("reason", .string($0.reason))]) }) }),
                ])
            try call.push(source, types.dataset)
        }
    }
}
