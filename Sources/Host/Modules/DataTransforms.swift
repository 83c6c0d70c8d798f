import LuaBridge
import NN

/// `data.transforms`.
enum DataTransforms {
    static func declarations(_ types: DataTypes) -> [Declaration] {
        func declare(_ doc: String, _ make: @escaping (Call) throws -> any Transform) -> Declaration {
            Declaration(doc) { call in
                try TensorModule.reporting(call.name) { try call.push(TransformObject(try make(call)), types.transform) }
            }
        }
        return [
            declare(
                """
                data.transforms.normalize(mean: numbers, std: numbers) -> transform
                Computes (x - mean) / std, with one pair for all channels or one for each.
                Example: data.transforms.normalize(0.5, 0.5)(tensor.ones(1, 2, 2)):sum():item() --> 4.0
                Source: torchvision.transforms.Normalize
                """
            ) { try Normalize(mean: try $0.numbers(0), std: try $0.numbers(1)) },
            declare(
                """
                data.transforms.random_affine(degrees: numbers = 0, translate: numbers = nil, scale: numbers = nil, shear: numbers = nil, interpolation: "nearest"|"bilinear" = "nearest", fill: number = nil) -> transform
                Turns, moves, scales and shears each image about its centre, at random.
                Args:
                  degrees: a number n for -n..n, or {low, high}
                  translate: {x, y}, the largest move as fractions of width and height
                  scale: {low, high}
                  shear: degrees, a number or {low, high} along x, or {xlow, xhigh, ylow, yhigh}
                  interpolation: how values between pixels are found
                  fill: what comes in from outside; nil takes the value of an empty pixel (a normalised 0)
                Errors: ranges that do not ascend, a scale that is not above 0
                Example: data.transforms.random_affine(10, {translate = {0.1, 0.1}})(tensor.rand(1, 8, 8)).shape --> {1, 8, 8}
                Source: torchvision.transforms.RandomAffine
                """
            ) { call in
                let translate = call.isNil(1) ? [0, 0] : try call.numbers(1)
                let scale = call.isNil(2) ? [1, 1] : try call.numbers(2)
                let shear = call.isNil(3) ? [0, 0] : try call.numbers(3)
                guard translate.count == 2 else { throw LuaError("expected translate as {x, y}, got \(translate.count) numbers") }
                guard scale.count == 2 else { throw LuaError("expected scale as {low, high}, got \(scale.count) numbers") }
                guard [1, 2, 4].contains(shear.count) else { throw LuaError("expected shear as 1, 2 or 4 numbers, got \(shear.count)") }
                let x = try range("shear", Array(shear.prefix(2)))
                return try RandomAffine(
                    degrees: try range("degrees", try call.numbers(0)), translate: (translate[0], translate[1]),
                    scale: (scale[0], scale[1]), shearX: x, shearY: shear.count == 4 ? (shear[2], shear[3]) : (0, 0),
                    interpolation: try interpolation(call, 4), fill: call.numberIfPresent(5).map { Float($0) })
            },
            declare(
                """
                data.transforms.random_rotation(degrees: numbers, interpolation: "nearest"|"bilinear" = "nearest", fill: number = nil) -> transform
                Turns each image about its centre by a random angle.
                Args:
                  degrees: a number n for -n..n, or {low, high}
                  interpolation: how values between pixels are found
                  fill: what comes in from outside; nil takes the value of an empty pixel
                Example: data.transforms.random_rotation(10)(tensor.rand(1, 8, 8)).shape --> {1, 8, 8}
                Source: torchvision.transforms.RandomRotation
                """
            ) { call in
                let (low, high) = try range("degrees", try call.numbers(0))
                // Counter-clockwise here, clockwise there.
                return try RandomAffine(
                    degrees: (-high, -low), interpolation: try interpolation(call, 1), fill: call.numberIfPresent(2).map { Float($0) },
                    name: "random_rotation")
            },
            declare(
                """
                data.transforms.random_shift(pixels: ints, fill: number = nil) -> transform
                Moves each image by a random whole number of pixels in each direction.
                Args:
                  pixels: the most, one number or {x, y}
                  fill: what comes in from outside; nil takes the value of an empty pixel
                Example: data.transforms.random_shift(2)(tensor.rand(1, 8, 8)).shape --> {1, 8, 8}
                Source: torchvision.transforms.RandomAffine with translate alone
                """
            ) { call in
                let most = try call.ints(0)
                guard most.count == 1 || most.count == 2 else { throw LuaError("expected one number of pixels or {x, y}, got \(most.count) numbers") }
                return try RandomShift(x: most[0], y: most.count == 2 ? most[1] : most[0], fill: call.numberIfPresent(1).map { Float($0) })
            },
            declare(
                """
                data.transforms.random_horizontal_flip(p: number = 0.5) -> transform
                Mirrors each image left and right with probability p.
                Example: data.transforms.random_horizontal_flip(1)(tensor{{{1.0, 2.0}}}) --> tensor([[[2., 1.]]])
                Source: torchvision.transforms.RandomHorizontalFlip
                """
            ) { try RandomHorizontalFlip(p: try $0.number(0)) },
            declare(
                """
                data.transforms.random_erasing(p: number = 0.5, scale: numbers = {0.02, 0.33}, ratio: numbers = {0.3, 3.3}, value: number = nil) -> transform
                Fills a random rectangle of each image with probability p.
                Args:
                  p: probability
                  scale: {low, high}, the rectangle's part of the area
                  ratio: {low, high}, its height to its width
                  value: what it is filled with; nil takes the value of an empty pixel
                Example: data.transforms.random_erasing(1)(tensor.ones(1, 8, 8)):sum():item() < 64 --> true
                Source: Zhong et al., Random Erasing Data Augmentation, 2017; torchvision.transforms.RandomErasing
                """
            ) { call in
                let scale = try call.numbers(1), ratio = try call.numbers(2)
                guard scale.count == 2, ratio.count == 2 else { throw LuaError("expected scale and ratio as {low, high}") }
                return try RandomErasing(
                    p: try call.number(0), scale: (scale[0], scale[1]), ratio: (ratio[0], ratio[1]), value: call.numberIfPresent(3).map { Float($0) })
            },
            declare(
                """
                data.transforms.gaussian_noise(std: number = 0.1, mean: number = 0) -> transform
                Adds normally distributed noise to every pixel.
                Example: data.transforms.gaussian_noise(0)(tensor.ones(1, 1, 2)) --> tensor([[[1., 1.]]])
                Source: torchvision.transforms.v2.GaussianNoise
                """
            ) { try GaussianNoise(mean: try $0.number(1), std: try $0.number(0)) },
        ]
    }

    private static func range(_ name: String, _ numbers: [Double]) throws -> (Double, Double) {
        if numbers.count == 1 {
            guard numbers[0] >= 0 else { throw LuaError("expected \(name) as a number from 0, or {low, high}, got \(numbers[0])") }
            return (-numbers[0], numbers[0])
        }
        guard numbers.count == 2 else { throw LuaError("expected \(name) as one number or {low, high}, got \(numbers.count) numbers") }
        return (numbers[0], numbers[1])
    }

    private static func interpolation(_ call: Call, _ i: Int) throws -> Interpolation {
        Interpolation(rawValue: try call.string(i)) ?? .nearest
    }
}
