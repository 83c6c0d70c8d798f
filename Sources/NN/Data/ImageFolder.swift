/// A folder with one folder of images (PNG, JPEG) for each class.
public struct ImageFolder {
    /// uint8 [N, C, H, W].
    public let images: Tensor
    /// int64 [N].
    public let labels: Tensor
    /// Names of the folders, sorted; class c is `classes[c]`.
    public let classes: [String]
    public let paths: [String]
    /// Files that could not be read, and why.
    public let problems: [(path: String, reason: String)]

    /// Reads all images; those that cannot be read are reported in `problems` and left out.
    /// - Parameters:
    ///   - channels: 1 (grey) or 3.
    ///   - size: height and width that images are scaled to; nil: they must all have the same.
    /// - Throws: `TensorError` when there are no classes or no readable images, or sizes differ.
    public init(_ root: String, channels: Int, size: (height: Int, width: Int)?) throws {
        guard channels == 1 || channels == 3 else { throw TensorError("image_folder: channels must be 1 or 3, got \(channels)") }
        if let size {
            guard size.height > 0, size.width > 0, size.height <= 1 << 14, size.width <= 1 << 14 else {
                throw TensorError("image_folder: expected a size of 1 to 16384 pixels, got \(size.height) by \(size.width)")
            }
        }
        let classes = try subfolders(of: root)
        guard !classes.isEmpty else { throw TensorError("\(root): found no folders in it; expected one for each class") }
        var files: [(path: String, label: Int)] = []
        for (label, name) in classes.enumerated() {
            for path in try ImageFolder.images(in: "\(root)/\(name)", depth: 0) { files.append((path, label)) }
        }
        guard !files.isEmpty else { throw TensorError("\(root): found no .png, .jpg or .jpeg files in its \(classes.count) folders") }
        var problems: [(path: String, reason: String)] = []
        var paths: [String] = [], numbers: [Int] = []
        var target: Tensor?
        // Some at a time are decoded on all threads; what comes of each is put in place in order.
        let group = 64
        for start in stride(from: 0, to: files.count, by: group) {
            try Engine.checkInterrupt()
            let part = Array(files[start..<min(start + group, files.count)])
            for (file, result) in zip(part, ImageFolder.decode(part.map(\.path))) {
                switch result {
                case .failure(let error): problems.append((file.path, ImageFolder.reason(error.message, file.path)))
                case .success(let image):
                    let (h, w) = size.map { ($0.height, $0.width) } ?? target.map { ($0.shape[2], $0.shape[3]) } ?? (image.height, image.width)
                    let all = try target ?? Tensor(emptyOf: Shape(files.count, channels, h, w), .uint8)
                    target = all
                    let to = all.data(UInt8.self) + paths.count * channels * h * w
                    if image.height == h && image.width == w {
                        image.write(planes: channels, to: to)
                    } else {
                        guard size != nil else {
                            throw TensorError(
                                "\(file.path) is \(image.height) by \(image.width) pixels, \(paths[0]) is \(h) by \(w); pass size = {\(h), \(w)} to scale them")
                        }
                        var planes = [UInt8](repeating: 0, count: channels * image.width * image.height)
                        planes.withUnsafeMutableBufferPointer { buffer in
                            guard let base = buffer.baseAddress else { return }
                            image.write(planes: channels, to: base)
                            ImageScaling.scale(base, image.width, image.height, planes: channels, to: to, w, h)
                        }
                    }
                    paths.append(file.path)
                    numbers.append(file.label)
                }
            }
        }
        guard let target else {
            throw TensorError("\(root): none of its \(files.count) images can be read; the first: \(problems[0].path): \(problems[0].reason)")
        }
        images = paths.count == files.count ? target : try target.narrow(0, 0, paths.count).copied()
        labels = try Tensor.from(numbers, Shape(numbers.count))
        self.classes = classes
        self.paths = paths
        self.problems = problems
    }

    /// Decodes one image, for tests with broken files.
    package static func examine(_ path: String) throws { _ = try DecodedImage.read(path) }

    private static func reason(_ message: String, _ path: String) -> String {
        message.hasPrefix("\(path): ") ? String(message.dropFirst(path.count + 2)) : message
    }

    /// Image files in a folder and those below it, sorted.
    private static func images(in folder: String, depth: Int) throws -> [String] {
        guard depth < 32 else { return [] }
        let inner = Set(try subfolders(of: folder))
        return try entries(of: folder).flatMap { name -> [String] in
            let path = "\(folder)/\(name)"
            if inner.contains(name) { return try images(in: path, depth: depth + 1) }
            let lower = name.lowercased()
            return [".png", ".jpg", ".jpeg"].contains { lower.hasSuffix($0) } ? [path] : []
        }
    }

    private static func decode(_ paths: [String]) -> [Result<DecodedImage, TensorError>] {
        let results = ResultSlots(count: paths.count)
        Parallel.ranges(count: paths.count, grain: 1) { low, high in
            for i in low..<high {
                do throws(TensorError) { results.set(i, .success(try read(paths[i]))) } catch { results.set(i, .failure(error)) }
            }
        }
        return results.values
    }

    private static func read(_ path: String) throws(TensorError) -> DecodedImage {
        do { return try DecodedImage.read(path) } catch let error as TensorError { throw error } catch {
            throw TensorError("\(error)")
        }
    }
}

/// One slot for each item of a parallel loop; no two threads touch the same one.
private final class ResultSlots: @unchecked Sendable {
    private let slots: UnsafeMutablePointer<Result<DecodedImage, TensorError>>
    private let count: Int

    init(count: Int) {
        self.count = count
        slots = .allocate(capacity: max(count, 1))
        slots.initialize(repeating: .failure(TensorError("was not read")), count: count)
    }

    deinit {
        slots.deinitialize(count: count)
        slots.deallocate()
    }

    func set(_ i: Int, _ result: Result<DecodedImage, TensorError>) { slots[i] = result }
    var values: [Result<DecodedImage, TensorError>] { (0..<count).map { slots[$0] } }
}
