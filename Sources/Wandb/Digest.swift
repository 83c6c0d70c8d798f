import CCrypto

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// MD5 and SHA-256, of memory or of files read piece by piece.
package struct Digest {
    package enum Algorithm { case md5, sha256 }

    private let context: OpaquePointer?

    private init(_ algorithm: Algorithm) {
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, algorithm == .md5 ? EVP_md5() : EVP_sha256(), nil)
    }

    private func add(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }

    private func finish() -> [UInt8] {
        var output = [UInt8](repeating: 0, count: 64)
        var count: UInt32 = 0
        EVP_DigestFinal_ex(context, &output, &count)
        EVP_MD_CTX_free(context)
        return Array(output[..<Int(count)])
    }

    package static func of(_ bytes: [UInt8], _ algorithm: Algorithm) -> [UInt8] {
        let digest = Digest(algorithm)
        bytes.withUnsafeBytes { digest.add($0) }
        return digest.finish()
    }

    package static func ofFile(_ path: String, offset: Int64 = 0, count: Int64 = .max, _ algorithm: Algorithm)
        throws(WandbError) -> [UInt8]
    {
        let file = try OpenFile(path, O_RDONLY | O_CLOEXEC, action: "read")
        let digest = Digest(algorithm)
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var position: Int64 = 0
        while position < count {
            let got = pread(file.descriptor, &buffer, min(buffer.count, Int(min(count - position, 1 << 30))), off_t(offset + position))
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                _ = digest.finish()
                throw Files.failure("read", path)
            }
            if got == 0 { break }
            buffer.withUnsafeBytes { digest.add(UnsafeRawBufferPointer(rebasing: $0[..<got])) }
            position += Int64(got)
        }
        return digest.finish()
    }

    package static func hex(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [JSONWriter.hexDigit($0 >> 4), JSONWriter.hexDigit($0 & 15)] }, as: UTF8.self)
    }
}
