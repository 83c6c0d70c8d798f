/// Swift's arrays end the program where they find no memory: whoever makes one that a script or a file can make as long as it
/// likes asks first.
extension Allocator {
    /// Whether a Swift array of `count` elements would find room. It must be asked for one that a script can make as long as it
    /// likes: where an array finds none, the program ends.
    /// - Throws: `TensorError` as from an allocation.
    public func checkRoom(for count: Int, of stride: Int = MemoryLayout<Int>.stride, _ what: @autoclosure () -> String) throws {
        guard count > 1 << 20 else { return }
        let (bytes, overflow) = count.multipliedReportingOverflow(by: stride)
        guard !overflow else { throw outOfMemory(Int.max, what()) }
        let (block, size) = try allocate(bytes, for: what())
        release(block, size: size)
    }
}

extension Array where Element: BitwiseCopyable {
    /// `count` elements that `fill` writes, all of them.
    /// - Parameter what: what they are, for the error.
    /// - Throws: what `fill` throws; `TensorError` where memory has no room for them.
    init(count: Int, _ what: @autoclosure () -> String, filledBy fill: (UnsafeMutablePointer<Element>) throws -> Void) throws {
        self = []
        // Swift would write the length of an empty one where all threads' empty arrays are.
        guard count > 0 else { return }
        try Allocator.shared.checkRoom(for: count, of: MemoryLayout<Element>.stride, what())
        self = try Array(unsafeUninitializedCapacity: count) { buffer, filled in
            if let base = buffer.baseAddress { try fill(base) }
            filled = count
        }
    }
}
