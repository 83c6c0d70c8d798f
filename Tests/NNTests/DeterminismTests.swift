import XCTest

import NN

/// The same bits at any number of threads.
final class DeterminismTests: XCTestCase {
    private func atThreads(_ body: () throws -> Tensor) throws {
        let before = Parallel.threads
        defer { Parallel.threads = before }
        var expected: [Scalar]?
        for threads in [1, 2, 3, 7] {
            Parallel.threads = threads
            Generator.shared.seed(5)
            let values = try body().scalars()
            if let expected { XCTAssertTrue(values == expected, "differs at \(threads) threads") } else { expected = values }
        }
    }

    func testRandomNumbers() throws {
        try atThreads {
            let t = try Tensor.zeros(try Shape([300_001]))
            return try t.dropout(0.5, training: true) + Tensor.normal(try Shape([300_001]), mean: 0, std: 1)
        }
    }

    func testReductions() throws {
        try atThreads { try Tensor.normal(try Shape([1_000_003]), mean: 0, std: 1).sum() }
        try atThreads { try Tensor.normal(try Shape([1_000_000]), mean: 0, std: 1).reshape(try Shape([1000, 1000])).sum([0]) }
    }

    /// Long sums are cut into pieces: the pieces' ends, whole and partial, count once.
    func testSumsOfPieces() throws {
        for n in [131_071, 131_072, 131_073, 196_608, 200_001, 655_359] {
            let ones = try Tensor.full(try Shape([n]), .double(1), .float32)
            XCTAssertEqual(try ones.sum().element(0).double, Double(n))
            let marks = try Tensor.arange(.int(0), .int(n), .int(1), .int64)
            XCTAssertEqual(try marks.sum().element(0).double, Double(n * (n - 1) / 2))
        }
        let table = try Tensor.arange(.int(0), .int(5000 * 70), .int(1), .int64).reshape(try Shape([5000, 70]))
        let columns = try table.sum([0]).scalars()
        for (j, got) in columns.enumerated() {
            let expected: Int = 5000 * j + 70 * 2500 * 4999
            XCTAssertEqual(got.double, Double(expected))
        }
    }

    func testProducts() throws {
        try atThreads {
            let a = try Tensor.normal(try Shape([300 * 257]), mean: 0, std: 1).reshape(try Shape([300, 257]))
            let b = try Tensor.normal(try Shape([257 * 190]), mean: 0, std: 1).reshape(try Shape([257, 190]))
            return try Tensor.matmul(a, b)
        }
    }
}

