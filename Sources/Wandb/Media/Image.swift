/// A picture, with what is drawn over it.
public struct Image: Sendable, Equatable {
    public enum Source: Sendable, Equatable {
        /// Rows from the top, `channels` bytes to a pixel: 1 grey, 3 RGB, 4 RGBA.
        case pixels([UInt8], width: Int, height: Int, channels: Int)
        /// A PNG, JPEG, GIF or WebP file, logged as it is.
        case file(String)
    }

    /// One class number for each pixel.
    public struct Mask: Sendable, Equatable {
        public let name: String
        public let classes: [UInt8]
        public let width: Int
        public let height: Int
        public let labels: [(Int64, String)]

        public init(name: String, classes: [UInt8], width: Int, height: Int, labels: [(Int64, String)]) throws(WandbError) {
            guard width > 0, height > 0, classes.count == width.multipliedReportingOverflow(by: height).partialValue else {
                throw .usage("wandb.Image: mask '\(name)' has \(classes.count) values, expected \(width) x \(height)")
            }
            (self.name, self.classes, self.width, self.height, self.labels) = (name, classes, width, height, labels)
        }

        public static func == (left: Mask, right: Mask) -> Bool {
            left.name == right.name && left.classes == right.classes
                && left.labels.elementsEqual(right.labels) { $0 == $1 }
        }
    }

    /// Boxes in W&B's own form: `position`, `class_id`, `box_caption`, `scores`, `domain`.
    public struct Boxes: Sendable, Equatable {
        public let name: String
        public let data: [WandbValue]
        public let labels: [(Int64, String)]

        public init(name: String, data: [WandbValue], labels: [(Int64, String)]) throws(WandbError) {
            for (index, box) in data.enumerated() {
                guard let position = box["position"]?.mapValue else {
                    throw .usage("wandb.Image: box \(index + 1) of '\(name)' has no position")
                }
                let corners = ["minX", "maxX", "minY", "maxY"]
                guard corners.allSatisfy({ position[$0]?.doubleValue != nil })
                    || (position["middle"]?.listValue?.count == 2 && position["width"]?.doubleValue != nil
                        && position["height"]?.doubleValue != nil)
                else {
                    throw .usage(
                        "wandb.Image: box \(index + 1) of '\(name)': position needs minX, maxX, minY, maxY, or middle, "
                            + "width, height")
                }
                guard box["class_id"] == nil || box["class_id"]?.intValue != nil else {
                    throw .usage("wandb.Image: box \(index + 1) of '\(name)': class_id must be a whole number")
                }
            }
            (self.name, self.data, self.labels) = (name, data, labels)
        }

        public static func == (left: Boxes, right: Boxes) -> Bool {
            left.name == right.name && left.data == right.data && left.labels.elementsEqual(right.labels) { $0 == $1 }
        }
    }

    public let source: Source
    public var caption: String?
    public var masks: [Mask] = []
    public var boxes: [Boxes] = []

    public init(pixels: [UInt8], width: Int, height: Int, channels: Int) throws(WandbError) {
        let (area, tooLarge) = width.multipliedReportingOverflow(by: height)
        guard width > 0, height > 0, [1, 3, 4].contains(channels), !tooLarge,
            pixels.count == area.multipliedReportingOverflow(by: channels).partialValue
        else {
            throw .usage(
                "wandb.Image: \(pixels.count) bytes for \(height) x \(width) with \(channels) channels; expected 1, 3 "
                    + "or 4 channels and as many bytes")
        }
        source = .pixels(pixels, width: width, height: height, channels: channels)
    }

    public init(path: String) throws(WandbError) {
        guard ImageFile.format(of: path) != nil else {
            throw .usage("wandb.Image: '\(path)' is no PNG, JPEG or GIF file that can be read")
        }
        source = .file(path)
    }
}

extension Image {
    /// The picture as a file.
    package func encoded() throws(WandbError) -> (bytes: [UInt8], format: String, width: Int, height: Int) {
        switch source {
        case .pixels(let pixels, let width, let height, let channels):
            guard let bytes = PNG.encode(pixels, width: width, height: height, channels: channels) else {
                throw .usage("wandb.Image: a picture of \(height) x \(width) cannot be written as PNG")
            }
            return (bytes, "png", width, height)
        case .file(let path):
            guard let bytes = Files.read(path), let facts = ImageFile.format(bytes) else {
                throw .file("wandb.Image: '\(path)' can no longer be read as a picture")
            }
            return (bytes, facts.name, facts.width, facts.height)
        }
    }
}

/// Format and size of a picture file, from its first bytes.
package enum ImageFile {
    package static func format(of path: String) -> (name: String, width: Int, height: Int)? {
        Files.read(path).flatMap(format)
    }

    package static func format(_ bytes: [UInt8]) -> (name: String, width: Int, height: Int)? {
        func big(_ at: Int, _ count: Int) -> Int { (0..<count).reduce(0) { $0 << 8 | Int(bytes[at + $1]) } }
        if bytes.count >= 24, bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return ("png", big(16, 4), big(20, 4)) }
        if bytes.count >= 10, bytes.starts(with: Array("GIF8".utf8)) {
            return ("gif", Int(bytes[6]) | Int(bytes[7]) << 8, Int(bytes[8]) | Int(bytes[9]) << 8)
        }
        guard bytes.starts(with: [0xFF, 0xD8]) else { return nil }
        var position = 2
        while position + 9 < bytes.count, bytes[position] == 0xFF {
            let marker = bytes[position + 1]
            let isFrame = (0xC0...0xCF).contains(marker) && ![0xC4, 0xC8, 0xCC].contains(marker)
            if isFrame { return ("jpg", big(position + 7, 2), big(position + 5, 2)) }
            position += 2 + big(position + 2, 2)
        }
        return nil
    }
}
