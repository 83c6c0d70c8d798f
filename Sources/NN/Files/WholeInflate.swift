/// Decompresses a gzip file in one go by libdeflate, where the system has it: several times as fast as zlib, which
/// decompresses in pieces. What libdeflate refuses goes through zlib, whose errors say where and why.
struct WholeInflate: @unchecked Sendable {
    private typealias Make = @convention(c) () -> OpaquePointer?
    private typealias Free = @convention(c) (OpaquePointer?) -> Void
    private typealias Decompress = @convention(c) (
        OpaquePointer?, UnsafeRawPointer, Int, UnsafeMutableRawPointer, Int, UnsafeMutablePointer<Int>, UnsafeMutablePointer<Int>
    ) -> Int32

    private let make: Make
    private let free: Free
    private let run: Decompress

    /// nil where there is no libdeflate.
    static let shared: WholeInflate? = {
        guard let library = DynamicLibrary(["libdeflate.so.0", "libdeflate.0.dylib"]),
            let make = library.function("libdeflate_alloc_decompressor", Make.self),
            let free = library.function("libdeflate_free_decompressor", Free.self),
            let decompress = library.function("libdeflate_gzip_decompress_ex", Decompress.self)
        else { return nil }
        return WholeInflate(make: make, free: free, run: decompress)
    }()

    /// Writes the `count` bytes that one gzip member holds; false when it holds another number, is followed by anything or
    /// is corrupt.
    func decompress(_ input: UnsafeRawBufferPointer, into target: UnsafeMutableRawPointer, _ count: Int) -> Bool {
        guard let start = input.baseAddress, input.count >= 18 else { return false }
        // The last four bytes are the size of the data, as far as 32 bits hold it.
        let size = UnsafeRawPointer(start + input.count - 4).loadUnaligned(as: UInt32.self)
        guard UInt32(littleEndian: size) == UInt32(truncatingIfNeeded: count), let decompressor = make() else { return false }
        defer { free(decompressor) }
        var consumed = 0, produced = 0
        let code = run(decompressor, start, input.count, target, count, &consumed, &produced)
        return code == 0 && consumed == input.count && produced == count
    }
}
