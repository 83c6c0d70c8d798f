import XCTest

final class NNSkeletonTests: XCTestCase {
    func testBuilds() { XCTAssertEqual(1 + 1, 2) }
}
