import CCrypto
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// SHA-256 (or another digest) by OpenSSL.
package enum SHA256 {
    package static func hex(_ bytes: [UInt8], by algorithm: OpaquePointer? = EVP_sha256()) -> String {
        bytes.withUnsafeBytes { all in
            digest(algorithm) { update in update(all) }
        }
    }

    package static func hex(file path: String, by algorithm: OpaquePointer? = EVP_sha256()) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LuaError("\(path): cannot open: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var failure: LuaError?
        let text = buffer.withUnsafeMutableBytes { buffer in
            digest(algorithm) { update in
                while true {
                    let n = read(descriptor, buffer.baseAddress, buffer.count)
                    if n < 0 && errno == EINTR { continue }
                    if n < 0 { failure = LuaError("\(path): cannot read: \(String(cString: strerror(errno)))") }
                    guard n > 0 else { return }
                    update(UnsafeRawBufferPointer(rebasing: buffer.prefix(n)))
                }
            }
        }
        if let failure { throw failure }
        return text
    }

    private static func digest(_ algorithm: OpaquePointer?, _ feed: ((UnsafeRawBufferPointer) -> Void) -> Void) -> String {
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        EVP_DigestInit_ex(context, algorithm, nil)
        feed { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        var sum = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        EVP_DigestFinal_ex(context, &sum, &length)
        return Hex.text(Array(sum.prefix(Int(length))))
    }
}

package enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    package static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// 32 random digits, as Pachyderm's ids are.
    package static func randomID() -> String {
        text((0..<16).map { _ in UInt8.random(in: 0...255) })
    }
}

/// BLAKE2b with 256 bits (RFC 7693), which OpenSSL 3.0 offers with 512 bits only. Datum ids are made with it.
package enum BLAKE2b256 {
    private static let start: [UInt64] = [
        0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1,
        0x510e_527f_ade6_82d1, 0x9b05_688c_2b3e_6c1f, 0x1f83_d9ab_fb41_bd6b, 0x5be0_cd19_137e_2179,
    ]
    private static let order: [[Int]] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4], [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13], [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11], [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5], [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
    ]
    private static let columns = [
        [0, 4, 8, 12], [1, 5, 9, 13], [2, 6, 10, 14], [3, 7, 11, 15], [0, 5, 10, 15], [1, 6, 11, 12], [2, 7, 8, 13], [3, 4, 9, 14],
    ]

    package static func hex(_ message: [UInt8]) -> String {
        var h = start
        // Parameter block: 32 bytes of digest, no key, one leaf.
        h[0] ^= 0x0101_0020
        let blocks = max(1, (message.count + 127) / 128)
        for block in 0..<blocks {
            let end = min(message.count, (block + 1) * 128)
            compress(&h, Array(message[block * 128..<end]), UInt64(end), last: block == blocks - 1)
        }
        return Hex.text((0..<32).map { UInt8(truncatingIfNeeded: h[$0 / 8] >> UInt64(8 * ($0 % 8))) })
    }

    private static func compress(_ h: inout [UInt64], _ bytes: [UInt8], _ total: UInt64, last: Bool) {
        var m = [UInt64](repeating: 0, count: 16)
        for (i, byte) in bytes.enumerated() { m[i / 8] |= UInt64(byte) << UInt64(8 * (i % 8)) }
        var v = h + start
        v[12] ^= total
        if last { v[14] = ~v[14] }
        func turn(_ x: UInt64, _ n: UInt64) -> UInt64 { x >> n | x << (64 - n) }
        for round in 0..<12 {
            let s = order[round % 10]
            for (i, c) in columns.enumerated() {
                let (a, b, x, d) = (c[0], c[1], c[2], c[3])
                v[a] = v[a] &+ v[b] &+ m[s[2 * i]]
                v[d] = turn(v[d] ^ v[a], 32)
                v[x] = v[x] &+ v[d]
                v[b] = turn(v[b] ^ v[x], 24)
                v[a] = v[a] &+ v[b] &+ m[s[2 * i + 1]]
                v[d] = turn(v[d] ^ v[a], 16)
                v[x] = v[x] &+ v[d]
                v[b] = turn(v[b] ^ v[x], 63)
            }
        }
        for i in 0..<8 { h[i] ^= v[i] ^ v[i + 8] }
    }
}
