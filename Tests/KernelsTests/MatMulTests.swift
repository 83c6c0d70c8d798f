import KernelABI
import XCTest

/// Matrix products against the plain sum, and the same bits on every level and at any number of threads.
final class MatMulTests: XCTestCase {
    struct Case {
        var m: Int, n: Int, k: Int
        var aT = false, bT = false
        var batch = 1
        var alpha = 1.0
        var beta: Int32 = 0
        var bias: Int32 = -1  // or the side it lies along
        var relu = false
    }

    static let sizes = [
        (1, 1, 1), (1, 10, 784), (32, 10, 784), (10, 784, 32), (3, 5, 7), (12, 32, 8), (13, 33, 385), (1, 50, 400), (50, 1, 400), (7, 7, 0),
        (70, 130, 513), (25, 8, 17), (241, 70, 40), (5, 1030, 9), (64, 96, 800),
        // Many rows that meet panel after panel: where B is, and packed, since rows 512 bytes apart crowd the cache.
        (61, 200, 400), (61, 256, 400),
    ]

    static let cases: [Case] = {
        var list: [Case] = []
        for (m, n, k) in sizes {
            for t in 0..<4 {
                let aT = t & 1 == 1, bT = t & 2 == 2
                list.append(Case(m: m, n: n, k: k, aT: aT, bT: bT))
                list.append(Case(m: m, n: n, k: k, aT: aT, bT: bT, alpha: -0.75, beta: 1, bias: 0, relu: true))
                list.append(Case(m: m, n: n, k: k, aT: aT, bT: bT, bias: 1))
            }
        }
        list.append(Case(m: 9, n: 33, k: 20, batch: 5))
        // B larger than the second-level cache holds, in all its positions; then written by columns.
        for t in 0..<4 { list.append(Case(m: 100, n: 300, k: 900, aT: t & 1 == 1, bT: t & 2 == 2, beta: 1, bias: 0)) }
        // Long chains, whose blocks threads share out.
        for t in 0..<4 {
            let aT = t & 1 == 1, bT = t & 2 == 2
            list.append(Case(m: 20, n: 70, k: 4100, aT: aT, bT: bT, alpha: -0.75, beta: 1, bias: 0, relu: true))
            list.append(Case(m: 70, n: 20, k: 1543, aT: aT, bT: bT, bias: 1))
        }
        // Rows so far apart that a panel of them does not stay in the cache.
        list.append(Case(m: 30, n: 4096, k: 390, bias: 0))
        list.append(Case(m: 33, n: 40, k: 9000, bT: true, alpha: 0.5, beta: 1, bias: 1, relu: true))
        list.append(Case(m: 40, n: 6, k: 30, bT: true, batch: 3, beta: 1, relu: true))
        return list
    }()

    private func operands<T: Element>(_ c: Case, _: T.Type) -> (a: [T], b: [T], c: [T], bias: [T]) {
        var g = Generator(state: UInt64(c.m * 31 + c.n * 7 + c.k))
        return (
            g.smallArray(c.batch * max(c.m * c.k, 1), T.self), g.smallArray(c.batch * max(c.n * c.k, 1), T.self),
            g.smallArray(c.batch * c.m * c.n, T.self), g.smallArray(max(c.m, c.n), T.self)
        )
    }

    private func product<T: Element>(_ level: kernel_table, _ c: Case, _ threads: Int, _: T.Type) -> [T] {
        let o = operands(c, T.self)
        var result = o.c
        var exec = executor(threads)
        result.withUnsafeMutableBufferPointer { out in
            o.a.withUnsafeBufferPointer { a in
                o.b.withUnsafeBufferPointer { b in
                    o.bias.withUnsafeBufferPointer { bias in
                        guard let a = a.baseAddress, let b = b.baseAddress, let out = out.baseAddress else { return }
                        var g = kernel_gemm(
                            m: c.m, n: c.n, k: c.k, batch: c.batch, a: a, lda: c.aT ? c.m : max(c.k, 1), a_batch: c.m * c.k, a_transposed: c.aT,
                            b: b, ldb: c.bT ? max(c.k, 1) : c.n, b_batch: c.n * c.k, b_transposed: c.bT, c: out, ldc: c.n, c_batch: c.m * c.n,
                            alpha: c.alpha, beta: c.beta, bias: c.bias < 0 ? nil : UnsafeRawPointer(bias.baseAddress), bias_along: max(c.bias, 0),
                            activation: c.relu ? 1 : 0)
                        level.gemm(T.dtype, &g, &exec)
                    }
                }
            }
        }
        return result
    }

    /// The definition, in double; what rounding loses of products and sums is added up beside them.
    private func productReference<T: Element & BinaryFloatingPoint>(_ c: Case, _: T.Type) -> [Double] {
        let o = operands(c, T.self)
        var r: [Double] = []
        for q in 0..<c.batch {
            for i in 0..<c.m {
                for j in 0..<c.n {
                    var s = 0.0, lost = 0.0
                    for k in 0..<c.k {
                        let a = o.a[q * c.m * c.k + (c.aT ? k * c.m + i : i * c.k + k)]
                        let b = o.b[q * c.n * c.k + (c.bT ? j * c.k + k : k * c.n + j)]
                        let p = Double(a) * Double(b)
                        lost += (-p).addingProduct(Double(a), Double(b))
                        let t = s + p
                        lost += abs(s) >= abs(p) ? (s - t) + p : (p - t) + s
                        s = t
                    }
                    s = (s + lost) * c.alpha
                    if c.beta != 0 { s += Double(o.c[(q * c.m + i) * c.n + j]) }
                    if c.bias >= 0 { s += Double(o.bias[c.bias == 0 ? j : i]) }
                    r.append(c.relu ? max(s, 0) : s)
                }
            }
        }
        return r
    }

    private func check<T: Element & BinaryFloatingPoint>(_: T.Type, _ tolerance: Double) {
        for c in Self.cases {
            let expected = productReference(c, T.self)
            let first = product(levels[0], c, 1, T.self)
            for (i, e) in expected.enumerated() {
                let close = abs(Double(first[i]) - e) <= tolerance * (1 + Double(c.k).squareRoot())
                if !close {
                    XCTFail("\(c): element \(i): expected \(e), got \(first[i])")
                    break
                }
            }
            for level in levels {
                for threads in [1, 2, 3, 7] {
                    let r = product(level, c, threads, T.self)
                    XCTAssertNil(difference(first, r), "\(level.title), \(threads) threads: \(c)")
                }
            }
        }
    }

    func testFloat() { check(Float.self, 2e-6) }
    func testDouble() { check(Double.self, 4e-15) }

    /// Integer products are exact: [[1, 2], [3, 4]] times itself plus ones.
    func testIntegers() {
        for level in levels {
            let a: [Int64] = [1, 2, 3, 4]
            var c: [Int64] = [1, 1, 1, 1]
            var exec = executor(1)
            a.withUnsafeBufferPointer { a in
                c.withUnsafeMutableBufferPointer { c in
                    guard let a = a.baseAddress, let c = c.baseAddress else { return }
                    var g = kernel_gemm(
                        m: 2, n: 2, k: 2, batch: 1, a: a, lda: 2, a_batch: 0, a_transposed: false, b: a, ldb: 2, b_batch: 0, b_transposed: false,
                        c: c, ldc: 2, c_batch: 0, alpha: 1, beta: 1, bias: nil, bias_along: 0, activation: 0)
                    level.gemm(Int64.dtype, &g, &exec)
                }
            }
            XCTAssertEqual(c, [8, 11, 16, 23])
        }
    }

    /// A NaN or infinity of A reaches its own row and nothing else; unread C may hold NaN.
    func testNotANumberStaysInItsRow() {
        for level in levels {
            let (m, n, k) = (14, 35, 9)
            var a = [Float](repeating: 1, count: m * k)
            a[3 * k + 2] = .nan
            a[7 * k] = .infinity
            let b = [Float](repeating: 2, count: k * n)
            var c = [Float](repeating: .nan, count: m * n)
            var exec = executor(1)
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    c.withUnsafeMutableBufferPointer { c in
                        guard let a = a.baseAddress, let b = b.baseAddress, let c = c.baseAddress else { return }
                        var g = kernel_gemm(
                            m: m, n: n, k: k, batch: 1, a: a, lda: k, a_batch: 0, a_transposed: false, b: b, ldb: n, b_batch: 0,
                            b_transposed: false, c: c, ldc: n, c_batch: 0, alpha: 1, beta: 0, bias: nil, bias_along: 0, activation: 0)
                        level.gemm(Float.dtype, &g, &exec)
                    }
                }
            }
            for i in 0..<m {
                for j in 0..<n {
                    let e: Float = i == 3 ? .nan : (i == 7 ? .infinity : 18)
                    XCTAssertTrue(c[i * n + j].same(as: e), "\(level.title) [\(i), \(j)]: \(c[i * n + j])")
                }
            }
        }
    }
}
