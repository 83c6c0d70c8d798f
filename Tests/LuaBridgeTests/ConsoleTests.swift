import LuaBridge
import Synchronization
import XCTest

final class ConsoleTests: XCTestCase {
    private final class Depths: Sendable {
        let seen = Mutex<[UInt]>([])

        func note() {
            var here: UInt8 = 0
            let address = withUnsafeMutablePointer(to: &here) { UInt(bitPattern: $0) }
            seen.withLock { $0.append(address) }
        }
    }

    /// A listener that were wrapped once more with each text would be called from ever deeper in the stack, until that ends.
    func testAListenerIsCalledFromTheSameDepthAfterAnyNumberOfTexts() {
        let depths = Depths()
        Console.listen { text, isError in
            if text.isEmpty, !isError { depths.note() }
        }
        defer { Console.listen(nil) }
        for _ in 0..<1000 { Console.write("") }
        let seen = depths.seen.withLock { $0 }
        XCTAssertGreaterThanOrEqual(seen.count, 1000)
        XCTAssertEqual(seen[seen.count - 1], seen[0])
    }
}
