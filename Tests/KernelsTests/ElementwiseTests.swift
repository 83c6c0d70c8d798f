import KernelABI
import XCTest

/// Every element-wise entry of the table: the same bits on every level, at sizes around a vector's, whole
/// and one element at a time; the exact ones against plain loops.
final class ElementwiseTests: XCTestCase {
    static let sizes = [1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 100]

    private func checkUnary<T: Element>(_: T.Type) {
        var g = Generator(state: 11)
        for op in 0..<Int32(UNARY_COUNT) {
            guard let base = levels[0].unary(op, T.dtype) else { continue }
            for n in Self.sizes {
                let x = g.array(n, T.self)
                // One at a time on the lowest level: what every other way must give.
                var expected = x
                for i in 0..<n {
                    var v = x[i]
                    var r = v
                    base(1, &v, &r, 0.5, 2)
                    expected[i] = r
                }
                for level in levels {
                    var y = g.array(n, T.self)
                    level.unary(op, T.dtype)?(n, x, &y, 0.5, 2)
                    XCTAssertNil(difference(expected, y), "\(level.title) unary \(op) \(T.self) \(n)")
                    // In place.
                    y = x
                    y.withUnsafeMutableBytes { p in
                        guard let p = p.baseAddress else { return }
                        level.unary(op, T.dtype)?(n, p, p, 0.5, 2)
                    }
                    XCTAssertNil(difference(expected, y), "\(level.title) unary \(op) \(T.self) \(n) in place")
                }
            }
        }
    }

    func testUnary() {
        checkUnary(Float.self)
        checkUnary(Double.self)
        checkUnary(Int64.self)
        checkUnary(Int32.self)
        checkUnary(UInt8.self)
    }

    private func checkBinary<T: Element>(_: T.Type, zero: T, one: T) {
        var g = Generator(state: 12)
        for op in 0..<Int32(BINARY_COUNT) {
            guard let base = levels[0].binary(op, T.dtype) else { continue }
            let divides = Int(op) == BINARY_REMAINDER || Int(op) == BINARY_FLOOR_DIVIDE
            for n in Self.sizes {
                for (xs, zs) in [(1, 1), (0, 1), (1, 0), (0, 0)] {
                    let x = g.array(n, T.self)
                    let z = g.array(n, T.self).map { divides && T.dtype > 1 && $0 == zero ? one : $0 }
                    var expected = x
                    for i in 0..<n {
                        var (a, b, r) = (x[i * xs], z[i * zs], zero)
                        base(1, &a, 1, &b, 1, &r)
                        expected[i] = r
                    }
                    for level in levels {
                        var y = x
                        level.binary(op, T.dtype)?(n, x, xs, z, zs, &y)
                        XCTAssertNil(difference(expected, y), "\(level.title) binary \(op) \(T.self) \(n) strides \(xs) \(zs)")
                    }
                }
            }
        }
        for op in 0..<Int32(COMPARE_COUNT) {
            for n in Self.sizes {
                for (xs, zs) in [(1, 1), (0, 1), (1, 0)] {
                    let x = g.smallArray(n, T.self)
                    let z = g.smallArray(n, T.self)
                    let expected: [UInt8] = (0..<n).map { i in
                        let (a, b) = (x[i * xs], z[i * zs])
                        let r =
                            switch Int(op) {
                            case COMPARE_EQ: a == b
                            case COMPARE_NE: a != b
                            case COMPARE_LT: a < b
                            case COMPARE_LE: a <= b
                            case COMPARE_GT: a > b
                            case COMPARE_GE: a >= b
                            case COMPARE_AND: a != zero && b != zero
                            case COMPARE_OR: a != zero || b != zero
                            default: (a != zero) != (b != zero)
                            }
                        return r ? 1 : 0
                    }
                    for level in levels {
                        var y = [UInt8](repeating: 9, count: n)
                        level.compare(op, T.dtype)?(n, x, xs, z, zs, &y)
                        XCTAssertEqual(y, expected, "\(level.title) compare \(op) \(T.self) strides \(xs) \(zs)")
                    }
                }
            }
        }
    }

    func testBinaryAndCompare() {
        checkBinary(Float.self, zero: 0, one: 1)
        checkBinary(Double.self, zero: 0, one: 1)
        checkBinary(Int64.self, zero: 0, one: 1)
        checkBinary(Int32.self, zero: 0, one: 1)
        checkBinary(UInt8.self, zero: 0, one: 1)
    }

    func testIntegerArithmetic() {
        // Python's: -7 // 2 = -4, -7 % 2 = 1, 7 // -2 = -4, 7 % -2 = -1; the least integer by -1 wraps; (-3)^3 = -27.
        let cases: [(Int, Int64, Int64, Int64)] = [
            (BINARY_FLOOR_DIVIDE, -7, 2, -4), (BINARY_REMAINDER, -7, 2, 1), (BINARY_FLOOR_DIVIDE, 7, -2, -4), (BINARY_REMAINDER, 7, -2, -1),
            (BINARY_FLOOR_DIVIDE, .min, -1, .min), (BINARY_REMAINDER, .min, -1, 0), (BINARY_POW, -3, 3, -27), (BINARY_POW, 2, -1, 0),
            (BINARY_POW, -1, -3, -1), (BINARY_POW, 7, 0, 1), (BINARY_ADD, .max, 1, .min), (BINARY_MAXIMUM, -3, 2, 2),
        ]
        for level in levels {
            for (op, x, z, expected) in cases {
                var (a, b, y) = (x, z, Int64(42))
                level.binary(Int32(op), Int64.dtype)?(1, &a, 1, &b, 1, &y)
                XCTAssertEqual(y, expected, "\(level.title) op \(op)(\(x), \(z))")
            }
            var x: Int64 = -9
            var y: Int64 = 0
            level.unary(Int32(UNARY_CLAMP), Int64.dtype)?(1, &x, &y, -4, .infinity)
            XCTAssertEqual(y, -4)
        }
    }

    func testConvert() {
        let x: [Double] = [0, -0.5, 1.9, -1.9, 300, -300, 1e10, -1e10, 1e20, -1e20, .infinity, -.infinity, .nan, 255.5, 0.1]
        for level in levels {
            func from<Y: Element>(_ start: Y, _ to: Int) -> [Y] {
                var y = [Y](repeating: start, count: x.count)
                level.convert(Int32(KERNEL_F64), Int32(to))?(x.count, x, &y)
                return y
            }
            XCTAssertEqual(
                from(Int64(7), KERNEL_I64), [0, 0, 1, -1, 300, -300, 10_000_000_000, -10_000_000_000, .max, .min, .max, .min, 0, 255, 0])
            XCTAssertEqual(from(Int32(7), KERNEL_I32), [0, 0, 1, -1, 300, -300, .max, .min, .max, .min, .max, .min, 0, 255, 0])
            XCTAssertEqual(from(UInt8(7), KERNEL_U8), [0, 0, 1, 0, 255, 0, 255, 0, 255, 0, 255, 0, 0, 255, 0])
            XCTAssertEqual(from(UInt8(7), KERNEL_BOOL), [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
            XCTAssertNil(difference(from(Float(7), KERNEL_F32), x.map { Float($0) }))
        }
        // Integers to everything, at sizes around a vector's.
        var g = Generator(state: 13)
        for n in Self.sizes {
            let v = g.array(n, Int64.self)
            for level in levels {
                var f = [Float](repeating: 0, count: n)
                var d = [Double](repeating: 0, count: n)
                var i = [Int32](repeating: 0, count: n)
                level.convert(Int32(KERNEL_I64), Int32(KERNEL_F32))?(n, v, &f)
                level.convert(Int32(KERNEL_I64), Int32(KERNEL_F64))?(n, v, &d)
                level.convert(Int32(KERNEL_I64), Int32(KERNEL_I32))?(n, v, &i)
                XCTAssertEqual(f, v.map { Float($0) })
                XCTAssertEqual(d, v.map { Double($0) })
                XCTAssertEqual(i, v.map { Int32(truncatingIfNeeded: $0) })
            }
        }
    }
}
