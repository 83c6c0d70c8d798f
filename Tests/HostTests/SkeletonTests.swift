import XCTest

final class HostSkeletonTests: XCTestCase {
    func testBuilds() { XCTAssertEqual(1 + 1, 2) }
}
