import LuaBridge
import XCTest

/// What one call through the bridge costs; printed, and bounded loosely, since machines differ.
final class CostTests: XCTestCase {
    func testCallCost() throws {
        let f = try Fixture()
        let expressions = [
            ("native method, new object (fast)", "local c = b:plus(b)"),
            ("native method, new object (operator)", "local c = b + b"),
            ("native method in place", "b:add_(1)"), ("computed field", "local v = b.value"),
            ("keywords", "local c = new{value = 1}"), ("positional", "local c = new(1)"),
            ("error", "pcall(fail, 'x')"),
        ]
        for (name, code) in expressions {
            let result = try f.run(
                """
                local b, new, fail = box.new(1), box.new, box.fail
                local n, clock, best = 100000, os.clock, math.huge
                for round = 1, 5 do
                  local start = clock()
                  for i = 1, n do end
                  local empty = clock() - start
                  start = clock()
                  for i = 1, n do \(code) end
                  best = math.min(best, clock() - start - empty)
                end
                return best / n * 1e9
                """)
            let nanoseconds = try XCTUnwrap(result.asNumber)
            print("\(name): \(Int(nanoseconds)) ns")
            XCTAssertLessThan(nanoseconds, 20_000, name)
        }
    }
}
