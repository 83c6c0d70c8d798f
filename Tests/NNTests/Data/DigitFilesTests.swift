import Foundation
import NN
import XCTest

final class DigitFilesTests: XCTestCase {
    func testTheRealThing() throws {
        let folder = Fixture.mnist("")
        let train = try DigitFiles(.mnist, root: folder, train: true).read(.mnist)
        XCTAssertEqual(train.images.shape.array, [60000, 28, 28])
        XCTAssertEqual(train.images.dtype, .uint8)
        XCTAssertEqual(train.labels.dtype, .int64)
        let labels = try train.labels.integers()
        XCTAssertEqual(Array(labels.prefix(5)), [5, 0, 4, 1, 9])
        XCTAssertEqual((0..<10).map { c in labels.count { $0 == c } }, [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949])
        let test = try DigitFiles(.mnist, root: folder, train: false).read(.mnist)
        XCTAssertEqual(test.images.shape.array, [10000, 28, 28])
        let testLabels = try test.labels.integers()
        XCTAssertEqual(Array(testLabels.prefix(5)), [7, 2, 1, 0, 4])
        XCTAssertEqual((0..<10).map { c in testLabels.count { $0 == c } }, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009])
        // The published constants are the mean and deviation of the training pixels.
        let pixels = UnsafeRawBufferPointer(start: train.images.pointer, count: train.images.count)
        var sum = 0, squares = 0
        for p in pixels {
            sum += Int(p)
            squares += Int(p) * Int(p)
        }
        let n = Double(pixels.count), mean = Double(sum) / n / 255
        XCTAssertEqual(mean, DigitSet.mnist.mean, accuracy: 5e-5)
        XCTAssertEqual((Double(squares) / n / 65025 - mean * mean).squareRoot(), DigitSet.mnist.std, accuracy: 5e-5)
    }

    /// Writes a tiny set: image i is filled with i + 1.
    private func write(_ count: Int, to folder: String, prefix: String = "", part: String = "train", labels: [Int]? = nil) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let pixels = try Tensor(emptyOf: try Shape([count, 28, 28]), .uint8)
        for i in 0..<pixels.count { pixels.pointer.storeBytes(of: UInt8(i / 784 + 1), toByteOffset: i, as: UInt8.self) }
        try IDXFile.write(pixels, to: "\(folder)/\(prefix)\(part)-images-idx3-ubyte.gz")
        let values = labels ?? (0..<count).map { $0 % 10 }
        let numbers = try Tensor(emptyOf: try Shape([values.count]), .uint8)
        for (i, v) in values.enumerated() { numbers.pointer.storeBytes(of: UInt8(v), toByteOffset: i, as: UInt8.self) }
        try IDXFile.write(numbers, to: "\(folder)/\(prefix)\(part)-labels-idx1-ubyte")
    }

    private func count(_ set: DigitSet, _ root: String, train: Bool = true) throws -> Int {
        try DigitFiles(set, root: root, train: train).read(set).images.shape[0]
    }

    func testLayouts() throws {
        let root = try Fixture.folder(self)
        try write(3, to: "\(root)/a")
        try write(4, to: "\(root)/b/MNIST/raw")
        try write(5, to: "\(root)/c/somewhere")
        try write(6, to: "\(root)/d/kmnist")
        try write(7, to: "\(root)/d/fashion_mnist")
        XCTAssertEqual(try count(.mnist, "\(root)/a"), 3)
        XCTAssertEqual(try count(.mnist, "\(root)/a/"), 3)
        XCTAssertEqual(try count(.mnist, "\(root)/b"), 4)
        XCTAssertEqual(try count(.mnist, "\(root)/c"), 5)
        XCTAssertEqual(try count(.kmnist, "\(root)/d"), 6)
        XCTAssertEqual(try count(.fashionMNIST, "\(root)/d"), 7)
        XCTAssertEqual(
            Fixture.failure { _ = try count(.mnist, "\(root)/d") },
            "\(root)/d: 2 folders hold such files: fashion_mnist, kmnist; name one of them as root")
        try FileManager.default.createDirectory(atPath: "\(root)/empty", withIntermediateDirectories: true)
        let nothing = Fixture.failure { _ = try count(.mnist, "\(root)/empty") }
        XCTAssert(nothing.contains("neither in it nor in MNIST/raw nor one folder down"), nothing)
        let noTest = Fixture.failure { _ = try count(.mnist, "\(root)/a", train: false) }
        XCTAssert(noTest.contains("t10k-images-idx3-ubyte"), noTest)
        XCTAssertEqual(Fixture.failure { _ = try count(.mnist, "\(root)/zzz") }, "\(root)/zzz: cannot open the folder: No such file or directory")
    }

    func testEMNIST() throws {
        let root = try Fixture.folder(self)
        let letters = try XCTUnwrap(DigitSet.emnist("letters"))
        try write(2, to: root, prefix: "emnist-letters-", labels: [1, 26])
        // Mark the pixel at row 1, column 20 of the second image in the file.
        let path = "\(root)/emnist-letters-train-images-idx3-ubyte.gz"
        let images = try IDXFile.read(path)
        images.pointer.storeBytes(of: 200, toByteOffset: 784 + 1 * 28 + 20, as: UInt8.self)
        try IDXFile.write(images, to: path)
        let read = try DigitFiles(letters, root: root, train: true).read(letters)
        XCTAssertEqual(read.images.pointer.load(fromByteOffset: 784 + 20 * 28 + 1, as: UInt8.self), 200)
        XCTAssertEqual(read.images.pointer.load(fromByteOffset: 784 + 1 * 28 + 20, as: UInt8.self), 2)
        XCTAssertEqual(letters.classes.count, 27)
        XCTAssertEqual(DigitSet.emnist("balanced")?.classes.count, 47)
        XCTAssertEqual(DigitSet.emnist("byclass")?.classes.count, 62)
        XCTAssertNil(DigitSet.emnist("capitals"))
    }

    func testMismatches() throws {
        let root = try Fixture.folder(self)
        try write(3, to: "\(root)/a", labels: [1, 2])
        let counts = Fixture.failure { _ = try count(.mnist, "\(root)/a") }
        XCTAssert(counts.contains("train-labels-idx1-ubyte: byte 4: 2 labels for the 3 images"), counts)
        try write(2, to: "\(root)/b", labels: [1, 12])
        let label = Fixture.failure { _ = try count(.mnist, "\(root)/b") }
        XCTAssert(label.contains("byte 9: label 1 is 12, expected a class 0..9"), label)
        try write(2, to: "\(root)/c")
        let images = "\(root)/c/train-images-idx3-ubyte.gz", labels = "\(root)/c/train-labels-idx1-ubyte"
        try FileManager.default.removeItem(atPath: images)
        try FileManager.default.copyItem(atPath: labels, toPath: images)
        let magic = Fixture.failure { _ = try count(.mnist, "\(root)/c") }
        XCTAssertEqual(magic, "\(images): byte 0: expected magic 2051 (images), got 2049; this is a label file")
        // The thread that inflates the images reports as well.
        try write(2, to: "\(root)/d")
        let path = "\(root)/d/train-images-idx3-ubyte.gz"
        var bytes = try Fixture.bytes(path)
        bytes.removeLast(6)
        try Fixture.write(bytes, path)
        let cut = Fixture.failure { _ = try count(.mnist, "\(root)/d") }
        XCTAssert(cut.hasPrefix("\(path): byte \(bytes.count): the compressed data is cut off"), cut)
    }
}
