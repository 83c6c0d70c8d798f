/// How values between pixels are found.
public enum Interpolation: String, CaseIterable, Sendable {
    case nearest, bilinear
}

/// Moves, turns, scales and shears about the centre.
/// Source: torchvision.transforms.functional.affine
public struct Affine: Sendable {
    public var angle = 0.0  // degrees
    public var translate = (x: 0.0, y: 0.0)  // pixels
    public var scale = 1.0
    public var shear = (x: 0.0, y: 0.0)  // degrees

    public init(angle: Double = 0, translate: (x: Double, y: Double) = (0, 0), scale: Double = 1, shear: (x: Double, y: Double) = (0, 0)) {
        self.angle = angle
        self.translate = translate
        self.scale = scale
        self.shear = shear
    }

    /// Where the pixel that lands at (x, y) comes from: [a b c; d e f], relative to the centre.
    var inverse: (Double, Double, Double, Double, Double, Double) {
        let degree = Double.pi / 180
        let rotation = angle * degree, sx = shear.x * degree, sy = shear.y * degree
        let cosine = ExactMath.cos(rotation - sy) / ExactMath.cos(sy), sine = ExactMath.sin(rotation - sy) / ExactMath.cos(sy)
        let a = cosine
        let b = -cosine * ExactMath.tan(sx) - ExactMath.sin(rotation)
        let c = sine
        let d = -sine * ExactMath.tan(sx) + ExactMath.cos(rotation)
        let m = (d / scale, -b / scale, -c / scale, a / scale)
        return (m.0, m.1, -m.0 * translate.x - m.1 * translate.y, m.2, m.3, -m.2 * translate.x - m.3 * translate.y)
    }

    /// The map of a float32 image [C, H, W], a fresh tensor.
    package func applied(to image: Tensor, _ interpolation: Interpolation, fill: Float) throws -> Tensor {
        let out = try image.copied(), spare = try Tensor(emptyOf: image.shape, .float32)
        let (c, h, w) = (image.shape[0], image.shape[1], image.shape[2])
        apply(
            to: Picture(pixels: out.data(), spare: spare.data(), channels: c, height: h, width: w, background: 0), interpolation, fill: fill)
        return out
    }

    func apply(to picture: Picture, _ interpolation: Interpolation, fill: Float) {
        let (h, w) = (picture.height, picture.width)
        let (a, b, c, d, e, f) = inverse
        let plane = h * w
        picture.spare.update(from: picture.pixels, count: picture.count)
        let cx = Double(w) / 2 - 0.5, cy = Double(h) / 2 - 0.5
        for i in 0..<h {
            let y = Double(i) - cy
            for j in 0..<w {
                let x = Double(j) - cx
                let sx = a * x + b * y + c + cx, sy = d * x + e * y + f + cy
                let at = i * w + j
                // Far outside (also NaN and what no integer holds): nothing of the image is there.
                guard sx > -1, sy > -1, sx < Double(w), sy < Double(h) else {
                    for k in 0..<picture.channels { picture.pixels[k * plane + at] = fill }
                    continue
                }
                switch interpolation {
                case .nearest:
                    let u = Int(sx.rounded(.toNearestOrEven)), v = Int(sy.rounded(.toNearestOrEven))
                    let inside = u >= 0 && u < w && v >= 0 && v < h
                    for k in 0..<picture.channels {
                        picture.pixels[k * plane + at] = inside ? picture.spare[k * plane + v * w + u] : fill
                    }
                case .bilinear:
                    let u = Int(sx.rounded(.down)), v = Int(sy.rounded(.down))
                    let p = Float(sx - Double(u)), q = Float(sy - Double(v))
                    for k in 0..<picture.channels {
                        let from = picture.spare + k * plane
                        func pixel(_ v: Int, _ u: Int) -> Float { u >= 0 && u < w && v >= 0 && v < h ? from[v * w + u] : fill }
                        let top = pixel(v, u) * (1 - p) + pixel(v, u + 1) * p
                        let bottom = pixel(v + 1, u) * (1 - p) + pixel(v + 1, u + 1) * p
                        picture.pixels[k * plane + at] = top * (1 - q) + bottom * q
                    }
                }
            }
        }
    }
}

/// A random affine map for each image; `fill` nil takes the background.
/// Source: torchvision.transforms.RandomAffine
public struct RandomAffine: Transform {
    public let degrees: (Double, Double)
    /// Largest move as a fraction of width and height.
    public let translate: (Double, Double)
    public let scale: (Double, Double)
    public let shearX: (Double, Double)
    public let shearY: (Double, Double)
    public let interpolation: Interpolation
    public let fill: Float?
    public let description: String

    public init(
        degrees: (Double, Double) = (0, 0), translate: (Double, Double) = (0, 0), scale: (Double, Double) = (1, 1),
        shearX: (Double, Double) = (0, 0), shearY: (Double, Double) = (0, 0), interpolation: Interpolation = .nearest,
        fill: Float? = nil, name: String = "random_affine"
    ) throws {
        for range in [degrees, scale, shearX, shearY] where !(range.0 <= range.1 && range.0.isFinite && range.1.isFinite) {
            throw TensorError("\(name): expected a range of two ascending numbers, got \(range.0) and \(range.1)")
        }
        guard translate.0 >= 0, translate.0 <= 1, translate.1 >= 0, translate.1 <= 1 else {
            throw TensorError("\(name): expected translate as fractions in 0..1, got \(translate.0) and \(translate.1)")
        }
        guard scale.0 > 0 else { throw TensorError("\(name): expected a scale above 0, got \(scale.0)") }
        for range in [shearX, shearY] where !(range.0 > -90 && range.1 < 90) {
            throw TensorError("\(name): expected shear between -90 and 90 degrees, got \(range.0) and \(range.1)")
        }
        self.degrees = degrees
        self.translate = translate
        self.scale = scale
        self.shearX = shearX
        self.shearY = shearY
        self.interpolation = interpolation
        self.fill = fill
        description = "\(name){degrees = {\(degrees.0), \(degrees.1)}}"
    }

    public func apply(_ picture: inout Picture, _ random: inout SampleRandom) {
        var map = Affine()
        map.angle = random.uniform(degrees.0, degrees.1)
        // Whole pixels, as torchvision moves them.
        let x = translate.0 * Double(picture.width), y = translate.1 * Double(picture.height)
        map.translate = (
            random.uniform(-x, x).rounded(.toNearestOrEven), random.uniform(-y, y).rounded(.toNearestOrEven)
        )
        map.scale = random.uniform(scale.0, scale.1)
        map.shear = (random.uniform(shearX.0, shearX.1), random.uniform(shearY.0, shearY.1))
        map.apply(to: picture, interpolation, fill: fill ?? picture.background)
    }
}

/// Moves by whole pixels, up to a number of them in each direction.
public struct RandomShift: Transform {
    public let x: Int
    public let y: Int
    public let fill: Float?

    public init(x: Int, y: Int, fill: Float? = nil) throws {
        guard x >= 0, y >= 0, x < 1 << 24, y < 1 << 24 else {
            throw TensorError("random_shift: expected numbers of pixels from 0, got \(x) and \(y)")
        }
        self.x = x
        self.y = y
        self.fill = fill
    }

    public var description: String { "random_shift({\(x), \(y)})" }

    public func apply(_ picture: inout Picture, _ random: inout SampleRandom) {
        let dx = random.below(2 * x + 1) - x, dy = random.below(2 * y + 1) - y
        guard dx != 0 || dy != 0 else { return }
        let (h, w) = (picture.height, picture.width)
        let empty = fill ?? picture.background
        picture.spare.update(from: picture.pixels, count: picture.count)
        for k in 0..<picture.channels {
            for i in 0..<h {
                for j in 0..<w {
                    let (v, u) = (i - dy, j - dx)
                    picture.pixels[(k * h + i) * w + j] =
                        v >= 0 && v < h && u >= 0 && u < w ? picture.spare[(k * h + v) * w + u] : empty
                }
            }
        }
    }
}

/// Mirrors left and right with a probability.
/// Source: torchvision.transforms.RandomHorizontalFlip
public struct RandomHorizontalFlip: Transform {
    public let p: Double

    public init(p: Double) throws {
        guard p >= 0, p <= 1 else { throw TensorError("random_horizontal_flip: expected a probability in 0..1, got \(p)") }
        self.p = p
    }

    public var description: String { "random_horizontal_flip(\(p))" }

    public func apply(_ picture: inout Picture, _ random: inout SampleRandom) {
        guard random.uniform() < p else { return }
        for row in 0..<(picture.channels * picture.height) {
            let line = picture.pixels + row * picture.width
            var (i, j) = (0, picture.width - 1)
            while i < j {
                (line[i], line[j]) = (line[j], line[i])
                i += 1
                j -= 1
            }
        }
    }
}
