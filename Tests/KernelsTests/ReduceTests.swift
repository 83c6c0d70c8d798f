import Foundation
import KernelABI
import XCTest

/// Reductions, scans and softmax against plain loops, and the same bits on every level.
final class ReduceTests: XCTestCase {
    static let shapes = [
        (1, 1, 1), (1, 10, 1), (3, 100, 1), (2, 7, 20), (1, 5000, 1), (1, 3000, 3), (4, 1, 5), (2, 300, 17), (1, 70001, 1), (5, 16, 16), (2, 33, 40),
    ]

    private func column<T>(_ x: [T], _ s: (Int, Int, Int), _ o: Int, _ j: Int) -> [T] { (0..<s.1).map { x[(o * s.1 + $0) * s.2 + j] } }

    private func reduce<X: Element, Y: Element>(_ level: kernel_table, _ op: Int, _ s: (Int, Int, Int), _ x: [X], _ start: Y) -> [Y]? {
        guard let f = level.reduce(Int32(op), X.dtype) else { return nil }
        var y = [Y](repeating: start, count: s.0 * s.2)
        f(s.0, s.1, s.2, x, &y)
        return y
    }

    private func checkFloats<T: Element & BinaryFloatingPoint>(_: T.Type, _ tolerance: Double) {
        let plain: [(Int, ([Double]) -> Double)] = [
            (REDUCE_SUM, { $0.reduce(0, +) }), (REDUCE_SUM_SQUARES, { $0.reduce(0) { $0 + $1 * $1 } }),
            (REDUCE_SUM_ABS, { $0.reduce(0) { $0 + abs($1) } }), (REDUCE_MAX, { $0.max() ?? 0 }), (REDUCE_MIN, { $0.min() ?? 0 }),
            (
                REDUCE_M2,
                { v in
                    let mean = v.reduce(0, +) / Double(v.count)
                    return v.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
                }
            ),
            (REDUCE_LOGSUMEXP, { v in log(v.reduce(0) { $0 + exp($1) }) }),
            (REDUCE_PROD, { $0.reduce(1, *) }),
        ]
        var g = Generator(state: 5)
        for s in Self.shapes {
            let x = g.smallArray(s.0 * s.1 * s.2, T.self)
            for (op, f) in plain {
                guard let first = reduce(levels[0], op, s, x, T.nan) else { return XCTFail("op \(op) is missing") }
                for o in 0..<s.0 {
                    for j in 0..<s.2 {
                        let e = f(column(x, s, o, j).map { Double($0) })
                        let got = Double(first[o * s.2 + j])
                        XCTAssertEqual(got, e, accuracy: tolerance * (1 + Double(s.1).squareRoot()), "op \(op) \(s)")
                    }
                }
                for level in levels {
                    XCTAssertNil(reduce(level, op, s, x, T.nan).flatMap { difference(first, $0) }, "\(level.title) op \(op) \(s)")
                }
            }
            for level in levels {
                let high = reduce(level, REDUCE_ARGMAX, s, x, Int64(-1))
                let low = reduce(level, REDUCE_ARGMIN, s, x, Int64(-1))
                for o in 0..<s.0 {
                    for j in 0..<s.2 {
                        let v = column(x, s, o, j)
                        XCTAssertEqual(high?[o * s.2 + j], v.firstIndex(of: v.max() ?? 0).map(Int64.init))
                        XCTAssertEqual(low?[o * s.2 + j], v.firstIndex(of: v.min() ?? 0).map(Int64.init))
                    }
                }
            }
        }
    }

    func testFloat() { checkFloats(Float.self, 3e-5) }
    func testDouble() { checkFloats(Double.self, 1e-12) }

    /// NaN wins wherever it stands; equal elements give the first; an empty sum is 0.
    func testSpecialElements() {
        for level in levels {
            for n in [1, 5, 16, 40, 5000] {
                for at in Set([0, n / 2, n - 1]) {
                    var x = [Float](repeating: 1, count: n)
                    x[at] = .nan
                    for op in [REDUCE_MAX, REDUCE_MIN, REDUCE_SUM, REDUCE_LOGSUMEXP] {
                        XCTAssertEqual(reduce(level, op, (1, n, 1), x, Float(0))?[0].isNaN, true, "op \(op), \(n), \(at)")
                    }
                    XCTAssertEqual(reduce(level, REDUCE_ARGMAX, (1, n, 1), x, Int64(-1)), [Int64(at)])
                    XCTAssertEqual(reduce(level, REDUCE_ARGMIN, (1, n, 1), x, Int64(-1)), [Int64(at)])
                }
            }
            XCTAssertEqual(reduce(level, REDUCE_ARGMAX, (1, 4, 1), [1, 3, 3, 2] as [Float], Int64(-1)), [1])
            XCTAssertEqual(reduce(level, REDUCE_SUM, (2, 0, 1), [Float](), Float(7)), [0, 0])
            XCTAssertEqual(reduce(level, REDUCE_LOGSUMEXP, (1, 3, 1), [Float](repeating: -.infinity, count: 3), Float(7)), [-.infinity])
            XCTAssertEqual(reduce(level, REDUCE_ANY, (1, 3, 1), [0, 0, 2] as [Float], UInt8(9)), [1])
            XCTAssertEqual(reduce(level, REDUCE_ALL, (1, 3, 1), [1, 0, 2] as [Float], UInt8(9)), [0])
            XCTAssertEqual(reduce(level, REDUCE_COUNT_NONZERO, (1, 3, 1), [1, 0, 2] as [UInt8], Int64(9)), [2])
        }
    }

    private func checkIntegers<T: Element & FixedWidthInteger>(_: T.Type) {
        var g = Generator(state: 8)
        for s in Self.shapes {
            let x = g.array(s.0 * s.1 * s.2, T.self)
            for level in levels {
                for o in 0..<s.0 {
                    for j in 0..<s.2 {
                        let v = column(x, s, o, j)
                        let at = o * s.2 + j
                        if T.bitWidth > 8 {
                            XCTAssertEqual(reduce(level, REDUCE_SUM, s, x, T(0))?[at], v.reduce(0, &+))
                            XCTAssertEqual(reduce(level, REDUCE_PROD, s, x, T(0))?[at], v.reduce(1, &*))
                        }
                        XCTAssertEqual(reduce(level, REDUCE_MAX, s, x, T(0))?[at], v.max())
                        XCTAssertEqual(reduce(level, REDUCE_MIN, s, x, T(0))?[at], v.min())
                        XCTAssertEqual(reduce(level, REDUCE_COUNT_NONZERO, s, x, Int64(0))?[at], Int64(v.filter { $0 != 0 }.count))
                        if at > 3 { break }
                    }
                }
            }
        }
    }

    func testIntegers() {
        checkIntegers(Int64.self)
        checkIntegers(Int32.self)
        checkIntegers(UInt8.self)
    }

    private func checkScans<T: Element & BinaryFloatingPoint>(_: T.Type, _ tolerance: Double) {
        var g = Generator(state: 6)
        for s in Self.shapes where s.1 < 6000 {
            let x = g.smallArray(s.0 * s.1 * s.2, T.self)
            let gy = g.smallArray(x.count, T.self)
            var results: [[T]] = []
            for level in levels {
                var all: [T] = []
                for op in [SCAN_CUMSUM, SCAN_CUMPROD, SCAN_SOFTMAX, SCAN_LOG_SOFTMAX] {
                    var y = [T](repeating: .nan, count: x.count)
                    level.scan(Int32(op), T.dtype)?(s.0, s.1, s.2, x, &y)
                    all += y
                    if op == SCAN_CUMSUM || op == SCAN_CUMPROD { continue }
                    var gx = y
                    level.softmax_backward(Int32(op), T.dtype)?(s.0, s.1, s.2, y, gy, &gx)
                    for o in 0..<s.0 {
                        for j in 0..<s.2 {
                            let v = column(x, s, o, j).map { Double($0) }
                            let d = column(gy, s, o, j).map { Double($0) }
                            let total = v.reduce(0) { $0 + exp($1) }
                            let p = v.map { exp($0) / total }
                            let dot = zip(p, d).reduce(0) { $0 + $1.0 * $1.1 }
                            let sum = d.reduce(0, +)
                            for i in 0..<s.1 {
                                let at = (o * s.1 + i) * s.2 + j
                                let e = op == SCAN_SOFTMAX ? p[i] : log(p[i])
                                let ge = op == SCAN_SOFTMAX ? p[i] * (d[i] - dot) : d[i] - p[i] * sum
                                XCTAssertEqual(Double(y[at]), e, accuracy: tolerance)
                                XCTAssertEqual(Double(gx[at]), ge, accuracy: tolerance)
                            }
                        }
                    }
                    all += gx
                }
                results.append(all)
                // Sums from the left, in sequence, in T.
                for o in 0..<s.0 {
                    var sum: T = 0
                    for i in 0..<s.1 {
                        sum = i == 0 ? x[o * s.1 * s.2] : sum + x[(o * s.1 + i) * s.2]
                        XCTAssertEqual(all[(o * s.1 + i) * s.2], sum)
                    }
                }
            }
            for (level, r) in zip(levels, results) { XCTAssertNil(difference(results[0], r), "\(level.title) \(s)") }
        }
    }

    func testScans() {
        checkScans(Float.self, 3e-5)
        checkScans(Double.self, 1e-12)
    }
}
