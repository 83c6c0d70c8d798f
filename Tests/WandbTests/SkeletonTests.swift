import XCTest

final class WandbSkeletonTests: XCTestCase {
    func testBuilds() { XCTAssertEqual(1 + 1, 2) }
}
