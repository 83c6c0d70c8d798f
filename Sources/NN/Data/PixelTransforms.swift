/// (x - mean) / std, for all channels alike or one pair for each.
/// Source: torchvision.transforms.Normalize
public struct Normalize: Transform {
    public let mean: [Float]
    public let std: [Float]

    public init(mean: [Double], std: [Double]) throws {
        guard !mean.isEmpty, mean.count == std.count else {
            throw TensorError("normalize: expected as many means as deviations, got \(mean.count) and \(std.count)")
        }
        guard mean.allSatisfy(\.isFinite), std.allSatisfy({ $0 > 0 && $0.isFinite }) else {
            throw TensorError("normalize: expected finite means and deviations above 0, got \(mean) and \(std)")
        }
        self.mean = mean.map { Float($0) }
        self.std = std.map { Float($0) }
    }

    public var description: String { "normalize(\(mean), \(std))" }

    public func apply(_ picture: inout Picture, _ random: inout SampleRandom) {
        let plane = picture.height * picture.width
        for k in 0..<picture.channels {
            let (m, s) = (mean[k % mean.count], std[k % std.count])
            let pixels = picture.pixels + k * plane
            for i in 0..<plane { pixels[i] = (pixels[i] - m) / s }
        }
        picture.background = (picture.background - mean[0]) / std[0]
    }
}

/// Adds normally distributed noise to every pixel.
/// Source: torchvision.transforms.v2.GaussianNoise
public struct GaussianNoise: Transform {
    public let mean: Double
    public let std: Double

    public init(mean: Double, std: Double) throws {
        guard mean.isFinite, std >= 0, std.isFinite else {
            throw TensorError("gaussian_noise: expected a finite mean and a deviation from 0, got \(mean) and \(std)")
        }
        self.mean = mean
        self.std = std
    }

    public var description: String { "gaussian_noise(\(std))" }

    public func apply(_ picture: inout Picture, _ random: inout SampleRandom) {
        kernels.normal(DType.float32.code, picture.count, random.bits(), 0, mean, std, picture.spare)
        for i in 0..<picture.count { picture.pixels[i] += picture.spare[i] }
    }
}

/// Fills a random rectangle, with a probability.
/// Source: Zhong et al., Random Erasing Data Augmentation, 2017; torchvision.transforms.RandomErasing
public struct RandomErasing: Transform {
    public let p: Double
    /// Range of the rectangle's part of the area, and of its height to its width.
    public let scale: (Double, Double)
    public let ratio: (Double, Double)
    /// nil: the background.
    public let value: Float?

    public init(p: Double, scale: (Double, Double), ratio: (Double, Double), value: Float?) throws {
        guard p >= 0, p <= 1 else { throw TensorError("random_erasing: expected a probability in 0..1, got \(p)") }
        guard scale.0 >= 0, scale.0 <= scale.1, scale.1 <= 1 else {
            throw TensorError("random_erasing: expected scale as ascending fractions in 0..1, got \(scale.0) and \(scale.1)")
        }
        guard ratio.0 > 0, ratio.0 <= ratio.1, ratio.1.isFinite else {
            throw TensorError("random_erasing: expected ratio as ascending numbers above 0, got \(ratio.0) and \(ratio.1)")
        }
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
    }

    public var description: String { "random_erasing(\(p))" }

    public func apply(_ picture: inout Picture, _ random: inout SampleRandom) {
        guard random.uniform() < p else { return }
        let (h, w) = (picture.height, picture.width)
        let ratios = (ExactMath.log(ratio.0), ExactMath.log(ratio.1))
        for _ in 0..<10 {
            let area = Double(h * w) * random.uniform(scale.0, scale.1)
            let aspect = ExactMath.exp(random.uniform(ratios.0, ratios.1))
            let tall = (area * aspect).squareRoot().rounded(.toNearestOrEven)
            let wide = (area / aspect).squareRoot().rounded(.toNearestOrEven)
            guard tall < Double(h), wide < Double(w) else { continue }
            let (rows, columns) = (Int(tall), Int(wide))
            let top = random.below(h - rows + 1), left = random.below(w - columns + 1)
            let empty = value ?? picture.background
            for k in 0..<picture.channels {
                for i in top..<(top + rows) {
                    let line = picture.pixels + (k * h + i) * w
                    for j in left..<(left + columns) { line[j] = empty }
                }
            }
            return
        }
    }
}
