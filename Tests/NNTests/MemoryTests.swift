import Foundation
import NN
import XCTest

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

    /// What the collector goes by stays right while loaders' threads take and give back as well.
    func testCountsHoldWhileOtherThreadsAllocate() throws {
        let rounds = 5_000, bytes = 8192 + 64
        @Sendable func takeAndGive() throws {
            for _ in 0..<rounds {
                _ = try Tensor.zeros(try Shape([2048]))
                _ = try Tensor.zeros(try Shape([16]))
            }
        }
        let before = Allocator.shared.statistics, allocated = Allocator.shared.allocatedBytes.pointee
        let others = DispatchGroup()
        for _ in 0..<2 {
            others.enter()
            Thread.detachNewThread {
                do { try takeAndGive() } catch { XCTFail("\(error)") }
                others.leave()
            }
        }
        try takeAndGive()
        others.wait()
        let after = Allocator.shared.statistics
        XCTAssertEqual(after.live, before.live)
        XCTAssertGreaterThanOrEqual(after.peak, before.live + 8192)
        XCTAssertEqual(Allocator.shared.liveBytes.pointee, before.live)
        XCTAssertEqual(Allocator.shared.allocatedBytes.pointee - allocated, 3 * rounds * bytes)
    }

    /// The limit holds for what all threads have together.
    func testTheLimitCountsAllThreads() throws {
        let limit = Allocator.shared.limit
        defer { Allocator.shared.limit = limit }
        Allocator.shared.limit = Allocator.shared.statistics.live + (3 << 20)
        nonisolated(unsafe) var foreign: Tensor?
        let done = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            foreign = try? Tensor.zeros(try Shape([1 << 19]))
            done.signal()
        }
        done.wait()
        XCTAssertNotNil(foreign)
        XCTAssertThrowsError(try Tensor.zeros(try Shape([1 << 19])))
        foreign = nil
        XCTAssertNoThrow(try Tensor.zeros(try Shape([1 << 19])))
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
