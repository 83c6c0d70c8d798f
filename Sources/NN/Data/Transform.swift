import KernelABI

/// One image while transforms change it: float32 planes in place, and room for a copy.
public struct Picture {
    let pixels: UnsafeMutablePointer<Float>
    /// As many floats as `pixels`, contents undefined.
    let spare: UnsafeMutablePointer<Float>
    let channels: Int
    let height: Int
    let width: Int
    /// The value of an empty pixel: what moves into the image from outside.
    var background: Float

    var count: Int { channels * height * width }
}

/// A change of one image, possibly a random one.
public protocol Transform: Sendable {
    /// As a script would write it.
    var description: String { get }
    /// Changes the picture in place; all randomness comes from `random`.
    func apply(_ picture: inout Picture, _ random: inout SampleRandom)
}

/// Transforms one after the other.
public struct TransformPipeline: Transform {
    public let steps: [any Transform]

    public init(_ steps: [any Transform]) { self.steps = steps }

    public var description: String { "compose{\(steps.map(\.description).joined(separator: ", "))}" }

    public func apply(_ picture: inout Picture, _ random: inout SampleRandom) {
        for step in steps { step.apply(&picture, &random) }
    }
}

extension Transform {
    /// - Throws: `TensorError` for what is no float32 image [C, H, W] or [H, W].
    static func check(_ shape: Shape, _ dtype: DType) throws {
        guard dtype == .float32, shape.rank == 2 || shape.rank == 3 else {
            throw TensorError("transforms need float32 images [C, H, W] or [H, W], got \(dtype.name) \(shape)")
        }
    }

    /// Applies the transform to a copy of an image, or of each image of a batch [N, C, H, W].
    public func applied(to image: Tensor, background: Float, passSeed: UInt64, sample: Int) throws -> Tensor {
        let isBatch = image.rank == 4
        let shape = isBatch ? image.shape.dropping(0) : image.shape
        try TransformPipeline.check(shape, image.dtype)
        let out = try image.copied()
        let spare = try Tensor(emptyOf: shape, .float32)
        for i in 0..<(isBatch ? image.shape[0] : 1) {
            var random = SampleRandom(passSeed: passSeed, sample: sample + i)
            apply(to: out.data(Float.self) + i * shape.count, spare: spare.data(), shape, background, &random)
        }
        return out
    }

    func apply(
        to pixels: UnsafeMutablePointer<Float>, spare: UnsafeMutablePointer<Float>, _ shape: Shape, _ background: Float,
        _ random: inout SampleRandom
    ) {
        let plane = shape.rank == 3 ? (shape[0], shape[1], shape[2]) : (1, shape[0], shape[1])
        var picture = Picture(
            pixels: pixels, spare: spare, channels: plane.0, height: plane.1, width: plane.2, background: background)
        guard picture.count > 0 else { return }
        apply(&picture, &random)
    }
}

/// Functions of one number, the same bits on every machine (the kernels', not the C library's).
enum ExactMath {
    static func call(_ op: Int, _ x: Double) -> Double {
        guard let kernel = kernels.unary(Int32(op), DType.float64.code) else { return .nan }
        var x = x, y = 0.0
        kernel(1, &x, &y, 0, 0)
        return y
    }

    static func sin(_ x: Double) -> Double { call(UNARY_SIN, x) }
    static func cos(_ x: Double) -> Double { call(UNARY_COS, x) }
    static func tan(_ x: Double) -> Double { call(UNARY_TAN, x) }
    static func log(_ x: Double) -> Double { call(UNARY_LOG, x) }
    static func exp(_ x: Double) -> Double { call(UNARY_EXP, x) }
}
