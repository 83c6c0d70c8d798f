import KernelABI
import XCTest

/// Strided copies, selection and filling against plain loops.
final class CopyTests: XCTestCase {
    private func check<T: Element>(_: T.Type, _ g: inout Generator) {
        let rank = Int(g.next() % 6)
        let most: UInt64 = rank < 3 ? 40 : 9
        let shape = (0..<rank).map { _ in Int(1 + g.next() % most) }
        // Both sides: a permutation of the dimensions with gaps; the source may be reversed or repeated.
        func strides(_ g: inout Generator, source: Bool) -> (strides: [Int], start: Int, size: Int) {
            let order = Array(0..<rank).shuffled(using: &g)
            var s = [Int](repeating: 0, count: rank)
            var (start, size) = (0, 1)
            for d in order.reversed() {
                s[d] = size
                size *= shape[d] + Int(g.next() % 3 == 0 ? 1 : 0)
            }
            if source {
                for d in 0..<rank where g.next() % 5 == 0 {
                    if g.next() % 2 == 0 { s[d] = 0 } else {
                        start += s[d] * (shape[d] - 1)
                        s[d] = -s[d]
                    }
                }
            }
            return (s, start, size)
        }
        let from = strides(&g, source: true)
        let to = strides(&g, source: false)
        let x = g.array(from.size + 1, T.self)
        let before = g.array(to.size + 1, T.self)
        var expected = before
        var index = [Int](repeating: 0, count: rank)
        while true {
            let i = zip(index, from.strides).reduce(from.start) { $0 + $1.0 * $1.1 }
            expected[zip(index, to.strides).reduce(0) { $0 + $1.0 * $1.1 }] = x[i]
            var d = rank - 1
            while d >= 0 {
                index[d] += 1
                if index[d] < shape[d] { break }
                index[d] = 0
                d -= 1
            }
            if d < 0 { break }
        }
        for level in levels {
            var y = before
            x.withUnsafeBufferPointer { x in
                guard let x = x.baseAddress else { return }
                level.copy(Int32(MemoryLayout<T>.size), Int32(rank), shape + [0], x + from.start, from.strides + [0], &y, to.strides + [0])
            }
            XCTAssertNil(difference(expected, y), "\(level.title) \(shape) \(from.strides) -> \(to.strides)")
        }
    }

    func testStrided() {
        var g = Generator(state: 21)
        for _ in 0..<200 {
            check(Float.self, &g)
            check(Double.self, &g)
            check(UInt8.self, &g)
        }
    }

    func testNothingAndManyDimensions() {
        for level in levels {
            var y: [Float] = [5]
            level.copy(4, 2, [3, 0], [1] as [Float], [1, 1], &y, [1, 1])
            XCTAssertEqual(y, [5])
            // [2, 1, ..., 1, 3] of 20 dimensions.
            let shape = [2] + [Int](repeating: 1, count: 18) + [3]
            let strides = [1] + [Int](repeating: 7, count: 18) + [2]
            var out = [Float](repeating: 0, count: 6)
            level.copy(4, 20, shape, [1, 2, 3, 4, 5, 6] as [Float], strides, &out, [3] + [Int](repeating: 3, count: 18) + [1])
            XCTAssertEqual(out, [1, 3, 5, 2, 4, 6])
        }
    }

    func testWhereAndFill() {
        var g = Generator(state: 22)
        for n in ElementwiseTests.sizes {
            let c = g.array(n, UInt8.self).map { $0 & 1 }
            let x = g.array(n, Double.self)
            let z = g.array(n, Double.self)
            for level in levels {
                for (cs, xs, zs) in [(1, 1, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (0, 0, 1), (1, 0, 0)] {
                    var y = [Double](repeating: 9, count: n)
                    level.where_(8, n, c, cs, x, xs, z, zs, &y)
                    XCTAssertNil(difference(y, (0..<n).map { c[$0 * cs] != 0 ? x[$0 * xs] : z[$0 * zs] }), "\(level.title) \(cs) \(xs) \(zs)")
                }
                var y = [Int32](repeating: 9, count: n)
                level.fill(4, n, [Int32(-3)], &y)
                XCTAssertEqual(y, [Int32](repeating: -3, count: n))
            }
        }
    }
}
