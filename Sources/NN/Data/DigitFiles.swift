#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Where the four files of such a set lie, and their contents.
public struct DigitFiles {
    let images: String
    let labels: String

    /// The files that `read` reads.
    public var paths: [String] { [images, labels] }

    /// Looks in `root`, in the places where torchvision puts them, and one folder down.
    /// - Throws: `TensorError` naming what was looked for, or the folders between which it cannot choose.
    public init(_ set: DigitSet, root: String, train: Bool) throws {
        let part = train ? "train" : set.testName
        let images = ["-images-idx3-ubyte", "-images.idx3-ubyte"].map { set.prefix + part + $0 }
        let labels = ["-labels-idx1-ubyte", "-labels.idx1-ubyte"].map { set.prefix + part + $0 }
        func find(_ names: [String], in folder: String) -> String? {
            for name in names {
                for suffix in ["", ".gz"] where isReadableFile("\(folder)/\(name)\(suffix)") { return "\(folder)/\(name)\(suffix)" }
            }
            return nil
        }
        func both(in folder: String) -> DigitFiles? {
            guard let i = find(images, in: folder), let l = find(labels, in: folder) else { return nil }
            return DigitFiles(images: i, labels: l)
        }
        let root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
        for folder in [root] + set.folders.map({ "\(root)/\($0)" }) {
            if let found = both(in: folder) {
                self = found
                return
            }
        }
        let found = try subfolders(of: root).compactMap { folder in both(in: "\(root)/\(folder)").map { (folder, $0) } }
        if found.count > 1 {
            throw TensorError(
                "\(root): \(found.count) folders hold such files: \(found.map(\.0).joined(separator: ", ")); name one of them as root")
        }
        if let only = found.first {
            self = only.1
            return
        }
        for folder in [root] + set.folders.map({ "\(root)/\($0)" }) {
            if let i = find(images, in: folder) { throw TensorError("\(i) is there, but no \(labels[0])[.gz] beside it") }
            if let l = find(labels, in: folder) { throw TensorError("\(l) is there, but no \(images[0])[.gz] beside it") }
        }
        throw TensorError(
            "\(root): found no \(images[0])[.gz] with \(labels[0])[.gz], neither in it nor in \(set.folders[0]) nor one folder down")
    }

    private init(images: String, labels: String) {
        self.images = images
        self.labels = labels
    }

    /// Reads images uint8 [N, H, W] and labels int64 [N], the two files at the same time.
    public func read(_ set: DigitSet) throws -> (images: Tensor, labels: Tensor) {
        let images = try PendingIDX(self.images) { element, shape in
            guard element == .uint8, shape.rank == 3 else { throw wrongMagic(self.images, "images", 2051, element, shape.rank) }
        }
        let labels = try PendingIDX(self.labels) { element, shape in
            // Other integers are accepted where somebody wrote them; floats are no labels.
            guard element.dtype.isInteger, shape.rank == 1 else { throw wrongMagic(self.labels, "labels", 2049, element, shape.rank) }
        }
        let count = images.tensor.shape[0]
        guard labels.tensor.shape[0] == count else {
            throw TensorError.file(self.labels, at: 4, "\(labels.tensor.shape[0]) labels for the \(count) images in \(self.images)")
        }
        let numbers = try Tensor(emptyOf: labels.tensor.shape, .int64)
        let background = BackgroundTask { try images.fill() }
        do {
            try labels.fill()
            for i in 0..<count {
                let label = labels.tensor.element(i).int
                guard label >= 0, label < set.classes.count else {
                    throw TensorError.file(
                        self.labels, at: 8 + i * labels.element.size,
                        "label \(i) is \(label), expected a class 0..\(set.classes.count - 1)")
                }
                numbers.data(Int.self)[i] = label
            }
        } catch {
            // The thread still writes into the images; its own failure tells nothing more.
            try? background.wait()
            throw error
        }
        try background.wait()
        if set.isTransposed { try turnUpright(images.tensor) }
        return (images.tensor, numbers)
    }

    private func wrongMagic(_ path: String, _ what: String, _ magic: Int, _ got: IDXFile.Element, _ rank: Int) -> TensorError {
        let found = Int(got.rawValue) << 8 | rank
        let hint = found == 2049 ? "; this is a label file" : found == 2051 ? "; this is an image file" : ""
        return TensorError.file(path, at: 0, "expected magic \(magic) (\(what)), got \(found)\(hint)")
    }

    private func turnUpright(_ images: Tensor) throws {
        let (n, h, w) = (images.shape[0], images.shape[1], images.shape[2])
        guard h == w else { throw TensorError.file(self.images, at: 8, "expected square images, got \(h) by \(w)") }
        let pixels = images.data(UInt8.self)
        for i in 0..<n {
            let p = pixels + i * h * w
            for r in 0..<h {
                for c in 0..<r { (p[r * w + c], p[c * w + r]) = (p[c * w + r], p[r * w + c]) }
            }
        }
    }
}

func isReadableFile(_ path: String) -> Bool {
    var info = stat()
    guard !path.utf8.contains(0), stat(path, &info) == 0 else { return false }
    return info.st_mode & S_IFMT == S_IFREG || info.st_mode & S_IFMT == S_IFIFO
}

/// Names of the folders in a folder, sorted; hidden ones are left out.
/// - Throws: `TensorError` when it cannot be listed.
func subfolders(of path: String) throws -> [String] {
    try entries(of: path).filter { name in
        var info = stat()
        return stat("\(path)/\(name)", &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }
}

func entries(of path: String) throws -> [String] {
    guard !path.utf8.contains(0) else { throw TensorError.file(path, "a path cannot hold a zero byte") }
    guard let folder = opendir(path) else { throw TensorError.system(path, "open the folder") }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
}
