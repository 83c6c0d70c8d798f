import Foundation
import NN
import XCTest

final class ImageFolderTests: XCTestCase {
    private let names = ["cats/a.png", "cats/b.png", "cats/c.PNG", "dogs/d.jpg", "dogs/deeper/e.jpeg"]

    func testReadsWhatPillowReadsAndReportsTheRest() throws {
        let root = Fixture.golden("images")
        let golden = Dictionary(uniqueKeysWithValues: try Safetensors.load(Fixture.golden("images.safetensors")).tensors.map { ($0.name, $0.tensor) })
        for (channels, kind) in [(3, "rgb"), (1, "grey")] {
            let folder = try ImageFolder(root, channels: channels, size: nil)
            XCTAssertEqual(folder.classes, ["cats", "dogs", "empty"])
            XCTAssertEqual(folder.paths.map { String($0.dropFirst(root.count + 1)) }, names)
            XCTAssertEqual(try folder.labels.integers(), [0, 0, 0, 1, 1])
            XCTAssertEqual(folder.images.shape.array, [5, channels, 5, 6])
            XCTAssertEqual(folder.problems.map { String($0.path.dropFirst(root.count + 1)) }, ["cats/cut.png", "dogs/cut.jpg", "dogs/text.png"])
            XCTAssertEqual(folder.problems[2].reason, "byte 0: is neither PNG nor JPEG")
            XCTAssertNotNil(folder.problems[0].reason.range(of: "^byte [0-9]+: is no sound PNG: .", options: .regularExpression), folder.problems[0].reason)
            XCTAssertNotNil(folder.problems[1].reason.range(of: "^byte [0-9]+: is no sound JPEG: .", options: .regularExpression), folder.problems[1].reason)
            for (i, name) in names.enumerated() {
                let ours = try folder.images.select(0, i).integers(), theirs = try XCTUnwrap(golden["\(name).\(kind)"]).integers()
                // JPEG's arithmetic may differ by a step between versions of the library.
                for (a, b) in zip(ours, theirs) { XCTAssertLessThanOrEqual(abs(a - b), name.contains("jp") ? 3 : 0, name) }
            }
        }
        XCTAssertEqual(try ImageFolder(root, channels: 1, size: (8, 3)).images.shape.array, [5, 1, 8, 3])
    }

    func testErrors() throws {
        let folder = try Fixture.folder(self)
        XCTAssertEqual(Fixture.failure { _ = try ImageFolder("\(folder)/none", channels: 3, size: nil) }, "\(folder)/none: cannot open the folder: No such file or directory")
        XCTAssert(Fixture.failure { _ = try ImageFolder(folder, channels: 3, size: nil) }.contains("found no folders in it"))
        try FileManager.default.createDirectory(atPath: "\(folder)/a", withIntermediateDirectories: true)
        XCTAssert(Fixture.failure { _ = try ImageFolder(folder, channels: 3, size: nil) }.contains("found no .png, .jpg or .jpeg"))
        try Fixture.write([1, 2, 3], "\(folder)/a/x.png")
        XCTAssert(Fixture.failure { _ = try ImageFolder(folder, channels: 3, size: nil) }.contains("none of its 1 images can be read"))
        XCTAssert(Fixture.failure { _ = try ImageFolder(folder, channels: 2, size: nil) }.contains("channels must be 1 or 3, got 2"))
    }

    /// The byte that an error names is where the first broken part begins.
    func testErrorsNameThePlace() throws {
        let folder = try Fixture.folder(self)
        try FileManager.default.createDirectory(atPath: "\(folder)/a", withIntermediateDirectories: true)
        func reason(_ bytes: [UInt8]) throws -> String {
            try Fixture.write(bytes, "\(folder)/a/x.png")
            return Fixture.failure { _ = try ImageFolder(folder, channels: 3, size: nil) }
        }
        let png = try Fixture.bytes(Fixture.golden("images/cats/a.png"))
        // Signature, then IHDR (25 bytes), then what follows it at byte 33.
        var wrong = png
        wrong[33 + 8] ^= 0x55
        XCTAssert(try reason(wrong).contains("byte 33: is no sound PNG"))
        wrong = png
        wrong[8 + 8] ^= 0x55
        XCTAssert(try reason(wrong).contains("byte 8: is no sound PNG"))
        XCTAssert(try reason(Array(png.prefix(40))).contains("byte 33: is no sound PNG"))
        XCTAssert(try reason(Array(png.prefix(6))).contains("byte 0: is no sound PNG"))
        let jpeg = try Fixture.bytes(Fixture.golden("images/dogs/d.jpg"))
        // The first segment begins at byte 2 and holds as many bytes as it says.
        XCTAssert(try reason(Array(jpeg.prefix(10))).contains("byte 2: is no sound JPEG"))
        XCTAssert(try reason(Array(jpeg.prefix(jpeg.count - 20))).contains("byte \(jpeg.count - 20): is no sound JPEG"))
    }

    func testCutAndChangedImages() throws {
        let folder = try Fixture.folder(self)
        try FileManager.default.createDirectory(atPath: "\(folder)/a", withIntermediateDirectories: true)
        for name in ["cats/a.png", "dogs/d.jpg"] {
            let whole = try Fixture.bytes(Fixture.golden("images/\(name)"))
            for n in stride(from: 0, to: whole.count, by: 5) {
                try Fixture.write(Array(whole.prefix(n)), "\(folder)/a/x.png")
                _ = try? ImageFolder(folder, channels: 3, size: nil)
                var changed = whole
                changed[n] ^= 0x55
                try Fixture.write(changed, "\(folder)/a/x.png")
                _ = try? ImageFolder(folder, channels: 3, size: (5, 6))
            }
        }
    }
}
