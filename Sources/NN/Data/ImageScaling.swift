/// Scales planes of bytes by triangle weights that widen when shrinking, as torchvision's Resize with
/// antialias does.
package enum ImageScaling {
    /// uint8 [C, H, W] scaled to another height and width.
    package static func scaled(_ image: Tensor, _ height: Int, _ width: Int) throws -> Tensor {
        let out = try Tensor(emptyOf: Shape(image.shape[0], height, width), .uint8)
        scale(image.data(), image.shape[2], image.shape[1], planes: image.shape[0], to: out.data(), width, height)
        return out
    }

    /// For each output position: the first input it takes from, and the weights.
    private static func weights(_ from: Int, _ to: Int) -> [(start: Int, weights: [Float])] {
        let scale = Double(from) / Double(to), reach = max(scale, 1)
        return (0..<to).map { i in
            let centre = (Double(i) + 0.5) * scale
            let start = max(Int(centre - reach + 0.5), 0), end = min(Int(centre + reach + 0.5), from)
            var w = (start..<max(end, start + 1)).map { Swift.max(1 - abs((Double($0) + 0.5 - centre) / reach), 0) }
            let sum = w.reduce(0, +)
            w = w.map { sum > 0 ? $0 / sum : 1 / Double(w.count) }
            return (start, w.map { Float($0) })
        }
    }

    static func scale(
        _ source: UnsafePointer<UInt8>, _ width: Int, _ height: Int, planes: Int, to target: UnsafeMutablePointer<UInt8>,
        _ newWidth: Int, _ newHeight: Int
    ) {
        let across = weights(width, newWidth), down = weights(height, newHeight)
        var lines = [Float](repeating: 0, count: newWidth * height)
        for p in 0..<planes {
            let plane = source + p * width * height
            for y in 0..<height {
                for (x, entry) in across.enumerated() {
                    var sum: Float = 0
                    for (k, w) in entry.weights.enumerated() { sum += w * Float(plane[y * width + entry.start + k]) }
                    lines[y * newWidth + x] = sum
                }
            }
            let out = target + p * newWidth * newHeight
            for (y, entry) in down.enumerated() {
                for x in 0..<newWidth {
                    var sum: Float = 0
                    for (k, w) in entry.weights.enumerated() { sum += w * lines[(entry.start + k) * newWidth + x] }
                    out[y * newWidth + x] = UInt8(min(max(sum.rounded(.toNearestOrEven), 0), 255))
                }
            }
        }
    }
}
