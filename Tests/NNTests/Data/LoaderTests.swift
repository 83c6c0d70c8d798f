import Foundation
import NN
import XCTest

final class LoaderTests: XCTestCase {
    private func numbers(_ count: Int) throws -> TensorDataset {
        try TensorDataset([
            try Tensor.from((0..<count * 2).map { Float($0) }, try Shape([count, 2])), try Tensor.from(Array(0..<count), try Shape([count])),
        ])
    }

    private func options(_ change: (inout Loader.Options) -> Void) -> Loader.Options {
        var options = Loader.Options()
        change(&options)
        return options
    }

    /// The labels of each batch of a pass.
    private func labels(_ loader: Loader, _ number: Int, delay: UInt32 = 0) throws -> [[Int]] {
        let pass = try loader.pass(number)
        var out: [[Int]] = []
        while let batch = try pass.next() {
            out.append(try batch[1].integers())
            XCTAssertEqual(try batch[0].doubles(), out[out.count - 1].flatMap { [Double($0 * 2), Double($0 * 2 + 1)] })
            if delay > 0 { usleep(delay) }
        }
        return out
    }

    func testOrderAndBatches() throws {
        let data = try numbers(10)
        XCTAssertEqual(try labels(try Loader(data, options { $0.batchSize = 4 }), 0), [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]])
        let dropping = try Loader(data, options { $0.batchSize = 4; $0.dropLast = true })
        XCTAssertEqual(dropping.batchCount, 2)
        XCTAssertEqual(try labels(dropping, 0).count, 2)
        XCTAssertEqual(try labels(try Loader(try numbers(0), options { $0.batchSize = 4 }), 0), [])
        XCTAssert(Fixture.failure { _ = try Loader(data, options { $0.batchSize = 0 }) }.contains("at least 1, got 0"))
    }

    func testShuffleFollowsSeedAndPass() throws {
        let data = try numbers(100)
        func pass(_ seed: UInt64?, _ number: Int, prefetch: Int = 3, delay: UInt32 = 0) throws -> [Int] {
            try labels(try Loader(data, options { $0.batchSize = 7; $0.shuffle = true; $0.seed = seed; $0.prefetch = prefetch }), number, delay: delay)
                .flatMap { $0 }
        }
        let first = try pass(1, 0)
        XCTAssertEqual(first.sorted(), Array(0..<100))
        XCTAssertNotEqual(first, Array(0..<100))
        for (prefetch, delay) in [(0, 0), (1, 300), (50, 0), (3, 1000)] {
            XCTAssertEqual(try pass(1, 0, prefetch: prefetch, delay: UInt32(delay)), first)
        }
        XCTAssertNotEqual(try pass(1, 1), first)
        XCTAssertNotEqual(try pass(2, 0), first)
        // Without a seed the shared generator decides, and its state brings the order back.
        Generator.shared.seed(5)
        let state = Generator.shared.current
        let (a, b) = (try pass(nil, 0), try pass(nil, 0))
        XCTAssertNotEqual(a, b)
        Generator.shared.current = state
        XCTAssertEqual(try pass(nil, 7), a)
        XCTAssertEqual(try pass(nil, 0), b)
    }

    func testPixelsAreWhatPyTorchMakesOfThem() throws {
        let images = try Tensor(emptyOf: try Shape([1, 16, 16]), .uint8)
        for i in 0..<256 { images.pointer.storeBytes(of: UInt8(i), toByteOffset: i, as: UInt8.self) }
        let data = try TensorDataset.images(images, try Tensor.from([3], try Shape([1])), mean: [0.1307], std: [0.3081])
        let sample = try data.sample(-1)
        XCTAssertEqual(sample[0].shape.array, [1, 16, 16])
        // ToTensor and Normalize: each step rounded to float32.
        let expected = (0..<256).map { Double((Float($0) / 255 - Float(0.1307)) / Float(0.3081)) }
        XCTAssertEqual(try sample[0].doubles(), expected)
        XCTAssertEqual(try sample[1].item(), .int(3))
        XCTAssert(Fixture.failure { _ = try data.sample(1) }.contains("valid: 0..0 or -1..-1"))
    }

    func testAugmentationDoesNotDependOnThreadsOrTiming() throws {
        let count = 200
        let images = try Tensor(emptyOf: try Shape([count, 12, 12]), .uint8)
        for i in 0..<images.count { images.pointer.storeBytes(of: UInt8(truncatingIfNeeded: i &* 31 ^ i >> 3), toByteOffset: i, as: UInt8.self) }
        let data = try TensorDataset.images(images, try Tensor.from(Array(repeating: 0, count: count), try Shape([count])), mean: [0.5], std: [0.5])
        let pipeline = TransformPipeline([
            try RandomAffine(degrees: (-30, 30), translate: (0.2, 0.2), scale: (0.8, 1.2), shearX: (-10, 10), interpolation: .bilinear),
            try RandomShift(x: 2, y: 1), try RandomHorizontalFlip(p: 0.5), try RandomErasing(p: 0.7, scale: (0.02, 0.3), ratio: (0.3, 3.3), value: nil),
            try GaussianNoise(mean: 0, std: 0.1),
        ])
        func pass(_ number: Int, _ prefetch: Int, _ threads: Int, delay: UInt32 = 0) throws -> [Double] {
            let before = Parallel.threads
            defer { Parallel.threads = before }
            Parallel.threads = threads
            let loader = try Loader(
                data, options { $0.batchSize = 16; $0.shuffle = true; $0.seed = 9; $0.prefetch = prefetch; $0.transform = pipeline })
            let pass = try loader.pass(number)
            var all: [Double] = []
            while let batch = try pass.next() {
                all += try batch[0].doubles()
                if delay > 0 { usleep(delay) }
            }
            return all
        }
        let plain = try pass(0, 0, 1)
        XCTAssertEqual(plain.count, count * 144)
        XCTAssertEqual(try pass(0, 3, 1), plain)
        XCTAssertEqual(try pass(0, 8, 16, delay: 500), plain)
        XCTAssertNotEqual(try pass(1, 3, 1), plain)
    }

    func testPassesThatNobodyFinishes() throws {
        let data = try numbers(1000)
        let loader = try Loader(data, options { $0.batchSize = 2; $0.prefetch = 4 })
        for i in 0..<200 {
            let pass = try loader.pass(i)
            XCTAssertEqual(try XCTUnwrap(try pass.next())[1].integers(), [0, 1])
        }
        XCTAssertEqual(try labels(loader, 0).count, 500)
    }

    func testSubsetsAndSplits() throws {
        let data = try numbers(10)
        let part = try Subset(data, [3, -1, 3])
        XCTAssertEqual(try labels(try Loader(part, options { $0.batchSize = 9 }), 0), [[3, 9, 3]])
        XCTAssert(Fixture.failure { _ = try Subset(data, [10]) }.contains("index 10 is out of range for a dataset of 10; valid: 0..9 or -10..-1"))
        let both = try ConcatDataset([part, data, try Subset(data, []), part])
        XCTAssertEqual(try labels(try Loader(both, options { $0.batchSize = 99 }), 0), [[3, 9, 3] + Array(0..<10) + [3, 9, 3]])
        XCTAssert(Fixture.failure { _ = try ConcatDataset([data, try TensorDataset([try Tensor.from([1], try Shape([1]))])]) }.contains("samples of dataset 1"))
        XCTAssertEqual(try RandomSplit.lengths([0.8, 0.2], count: 10), [8, 2])
        XCTAssertEqual(try RandomSplit.lengths([1.0 / 3, 1.0 / 3, 1.0 / 3], count: 11), [4, 4, 3])
        XCTAssertEqual(try RandomSplit.lengths([7, 3], count: 10), [7, 3])
        XCTAssertEqual(try RandomSplit.lengths([0.5, 0.5 + 9e-7], count: 20_000_000), [10_000_000, 10_000_000])
        XCTAssert(Fixture.failure { _ = try RandomSplit.lengths([0.5, 0.5], count: .max) }.contains("more than memory"))
        XCTAssert(Fixture.failure { _ = try RandomSplit.lengths([7, 4], count: 10) }.contains("sum up to 10"))
        let parts = try RandomSplit.indices([7, 3], seed: 1)
        XCTAssertEqual(parts.flatMap { $0 }.sorted(), Array(0..<10))
        XCTAssertEqual(try RandomSplit.indices([7, 3], seed: 1), parts)
        XCTAssert(Fixture.failure { _ = try TensorDataset([try Tensor.from([1], try Shape([1])), try Tensor.from([1, 2], try Shape([2]))]) }.contains("[1] and [2]"))
    }
}
