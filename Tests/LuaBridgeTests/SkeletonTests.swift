import XCTest

final class LuaBridgeSkeletonTests: XCTestCase {
    func testBuilds() { XCTAssertEqual(1 + 1, 2) }
}
