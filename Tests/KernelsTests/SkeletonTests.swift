import XCTest

final class KernelsSkeletonTests: XCTestCase {
    func testBuilds() { XCTAssertEqual(1 + 1, 2) }
}
