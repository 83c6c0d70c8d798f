import KernelABI
import XCTest

/// The generator against its published definition; elements do not depend on how a stream is cut.
final class RandomTests: XCTestCase {
    /// Philox4x32-10 as in the paper, one block.
    private func philoxReference(_ seed: UInt64, _ block: UInt64) -> [UInt32] {
        var c: [UInt32] = [UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32), 0, 0]
        var k = (UInt32(truncatingIfNeeded: seed), UInt32(truncatingIfNeeded: seed >> 32))
        for _ in 0..<10 {
            let p = UInt64(c[0]) * 0xd251_1f53
            let q = UInt64(c[2]) * 0xcd9e_8d57
            c = [
                UInt32(truncatingIfNeeded: q >> 32) ^ c[1] ^ k.0, UInt32(truncatingIfNeeded: q),
                UInt32(truncatingIfNeeded: p >> 32) ^ c[3] ^ k.1, UInt32(truncatingIfNeeded: p),
            ]
            k = (k.0 &+ 0x9e37_79b9, k.1 &+ 0xbb67_ae85)
        }
        return c
    }

    func testPublishedVector() {
        // Random123's known answer for counter 0 and key 0.
        XCTAssertEqual(philoxReference(0, 0), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8])
        for level in levels {
            var y: [UInt64] = [0, 0]
            level.random_bits(2, 0, 0, &y)
            XCTAssertEqual(y, [0xe169_c58d_6627_e8d5, 0x9b00_dbd8_bc57_ac4c], level.title)
        }
    }

    func testStreams() {
        let seed: UInt64 = 0x0123_4567_89ab_cdef
        for level in levels {
            for (offset, n) in [(0, 200), (5, 70), (63, 2), (1 << 33 + 7, 100)] as [(UInt64, Int)] {
                let words = (0..<n).map { i in
                    philoxReference(seed, (offset + UInt64(i)) / 4)[Int((offset + UInt64(i)) % 4)]
                }
                let pairs = (0..<n).map { i in
                    let c = philoxReference(seed, (offset + UInt64(i)) / 2)
                    let at = 2 * Int((offset + UInt64(i)) % 2)
                    return UInt64(c[at + 1]) << 32 | UInt64(c[at])
                }
                var f = [Float](repeating: 0, count: n)
                level.uniform(Float.dtype, n, seed, offset, 0, 1, &f)
                XCTAssertEqual(f, words.map { Float($0 >> 8) * 0x1p-24 })
                var d = [Double](repeating: 0, count: n)
                level.uniform(Double.dtype, n, seed, offset, 0, 1, &d)
                XCTAssertEqual(d, pairs.map { Double($0 >> 11) * 0x1p-53 })
                var mask = [UInt8](repeating: 7, count: n)
                let x = [Float](repeating: 3, count: n)
                level.dropout(Float.dtype, n, seed, offset, 0.25, 4.0 / 3, x, &f, &mask)
                XCTAssertEqual(mask, words.map { $0 >= 1 << 30 ? 1 : 0 })
                XCTAssertEqual(f, mask.map { $0 == 1 ? 3 * Float(4.0 / 3) : 0 })
            }
        }
    }

    /// Uniform and normal numbers: same bits on every level, whole or in two parts, and the moments they should have.
    func testNormal() {
        let n = 100_000
        var first: [Float] = []
        var firstDouble: [Double] = []
        for level in levels {
            var f = [Float](repeating: 0, count: n)
            level.normal(Float.dtype, n, 42, 3, 1, 2, &f)
            var d = [Double](repeating: 0, count: n)
            level.normal(Double.dtype, n, 42, 3, 1, 2, &d)
            if first.isEmpty { (first, firstDouble) = (f, d) }
            XCTAssertNil(difference(first, f), level.title)
            XCTAssertNil(difference(firstDouble, d), level.title)
            var part = [Float](repeating: 0, count: 300)
            level.normal(Float.dtype, 300, 42, 3 + 777, 1, 2, &part)
            XCTAssertNil(difference(part, Array(f[777..<1077])))
        }
        for values in [first.map { Double($0) }, firstDouble] {
            // Standard errors: 0.0063 of the mean, 0.018 of the variance (4), 4 sqrt(24 / n) = 0.06 of the kurtosis (3).
            let mean = values.reduce(0, +) / Double(n)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(n)
            let fourth = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) * ($1 - mean) * ($1 - mean) } / Double(n)
            XCTAssertEqual(mean, 1, accuracy: 0.025)
            XCTAssertEqual(variance, 4, accuracy: 0.07)
            XCTAssertEqual(fourth / (variance * variance), 3, accuracy: 0.1)
        }
    }

    func testRangeAndExtremeDropout() {
        for level in levels {
            var f = [Float](repeating: 0, count: 5000)
            level.uniform(Float.dtype, f.count, 1, 0, -3, -1, &f)
            XCTAssertTrue(f.allSatisfy { $0 >= -3 && $0 < -1 })
            var mask = [UInt8](repeating: 7, count: 100)
            let x = [Float](repeating: .nan, count: 100)
            level.dropout(Float.dtype, 100, 1, 0, 1, 0, x, &f, &mask)
            XCTAssertEqual(mask, [UInt8](repeating: 0, count: 100))
            XCTAssertTrue(f[..<100].allSatisfy { $0 == 0 })
            level.dropout(Float.dtype, 100, 1, 0, 0, 1, [Float](repeating: 2, count: 100), &f, &mask)
            XCTAssertEqual(mask, [UInt8](repeating: 1, count: 100))
        }
    }
}
