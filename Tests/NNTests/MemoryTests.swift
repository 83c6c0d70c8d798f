import XCTest

import NN

final class MemoryTests: XCTestCase {
    func testMemoryIsReusedAndCounted() throws {
        let before = Allocator.shared.statistics.live
        var t: Tensor? = try Tensor.zeros(try Shape([1000, 1000]))
        XCTAssertGreaterThanOrEqual(Allocator.shared.statistics.live - before, 4_000_000)
        let address = t?.pointer
        t = nil
        XCTAssertEqual(Allocator.shared.statistics.live, before)
        t = try Tensor.zeros(try Shape([1000, 1000]))
        XCTAssertEqual(t?.pointer, address)
    }

    func testMemoryIsAligned() throws {
        for n in [1, 3, 17, 1000, 5000] {
            let t = try Tensor.zeros(try Shape([n]), .uint8)
            XCTAssertEqual(Int(bitPattern: t.pointer) % 64, 0)
        }
    }

    func testTooMuchIsAnErrorThatNamesIt() throws {
        XCTAssertThrowsError(try Tensor.zeros(try Shape([1 << 40]))) {
            XCTAssertTrue("\($0)".contains("4.0 TiB") && "\($0)".contains("HOST_MEMORY_LIMIT"), "\($0)")
        }
        XCTAssertThrowsError(try Tensor.zeros(try Shape([1 << 40, 1 << 40])))
        XCTAssertThrowsError(try Tensor.zeros(try Shape([-1])))
        XCTAssertThrowsError(try Shape([1, 1, 1, 1, 1, 1, 1, 1, 1]))
        XCTAssertEqual(try Tensor.zeros(try Shape([0, 1 << 50])).count, 0)
    }

    func testViewsKeepTheStorage() throws {
        var base: Tensor? = try Tensor.from([1, 2, 3, 4] as [Float], try Shape([2, 2]))
        let row = try XCTUnwrap(base).select(0, 1)
        base = nil
        XCTAssertEqual(try row.doubles(), [3, 4])
    }
}
