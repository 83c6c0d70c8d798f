/// Up to eight sizes (or strides), held in place: making and copying one never allocates.
public struct Shape: Equatable, Sendable {
    public static let maxRank = 8

    /// Not a SIMD vector: that would ask for 64-byte alignment, and objects so aligned take the slow way through malloc.
    private var values: (Int, Int, Int, Int, Int, Int, Int, Int)
    public private(set) var rank: Int

    public init() {
        values = (0, 0, 0, 0, 0, 0, 0, 0)
        rank = 0
    }

    /// - Throws: `TensorError` when there are more than eight.
    public init(_ sizes: [Int]) throws {
        guard sizes.count <= Shape.maxRank else {
            throw TensorError("a tensor has at most \(Shape.maxRank) dimensions, got \(sizes.count)")
        }
        self.init()
        for size in sizes { append(size) }
    }

    init(repeating value: Int, rank: Int) {
        values = (value, value, value, value, value, value, value, value)
        self.rank = rank
    }

    init(_ a: Int) {
        values = (a, 0, 0, 0, 0, 0, 0, 0)
        rank = 1
    }

    init(_ a: Int, _ b: Int) {
        values = (a, b, 0, 0, 0, 0, 0, 0)
        rank = 2
    }

    init(_ a: Int, _ b: Int, _ c: Int) {
        values = (a, b, c, 0, 0, 0, 0, 0)
        rank = 3
    }

    init(_ a: Int, _ b: Int, _ c: Int, _ d: Int) {
        values = (a, b, c, d, 0, 0, 0, 0)
        rank = 4
    }

    public subscript(_ i: Int) -> Int {
        get { withUnsafePointer(to: values) { UnsafeRawPointer($0).assumingMemoryBound(to: Int.self)[Shape.checked(i)] } }
        set { withUnsafeMutablePointer(to: &values) { UnsafeMutableRawPointer($0).assumingMemoryBound(to: Int.self)[Shape.checked(i)] = newValue } }
    }

    private static func checked(_ i: Int) -> Int {
        precondition(i >= 0 && i < maxRank)
        return i
    }

    public static func == (a: Shape, b: Shape) -> Bool {
        guard a.rank == b.rank else { return false }
        for i in 0..<a.rank where a[i] != b[i] { return false }
        return true
    }

    /// The caller has checked that there is room (see `checkRoom`).
    mutating func append(_ value: Int) {
        self[rank] = value
        rank += 1
    }

    mutating func insert(_ value: Int, at index: Int) {
        var i = rank
        while i > index {
            self[i] = self[i - 1]
            i -= 1
        }
        self[index] = value
        rank += 1
    }

    mutating func remove(at index: Int) {
        for i in index..<(rank - 1) { self[i] = self[i + 1] }
        rank -= 1
    }

    func checkRoom(for more: Int = 1) throws {
        guard rank + more <= Shape.maxRank else {
            throw TensorError("a tensor has at most \(Shape.maxRank) dimensions, this would have \(rank + more)")
        }
    }

    public var array: [Int] { (0..<rank).map { self[$0] } }

    /// Number of elements; sizes were checked when the tensor was made.
    public var count: Int {
        var n = 1
        for i in 0..<rank { n &*= self[i] }
        return n
    }

    /// Number of elements of a shape that came from outside.
    /// - Throws: `TensorError` for a negative size or a product beyond what memory can address.
    public func checkedCount() throws -> Int {
        var n = 1
        var empty = false
        for i in 0..<rank {
            let size = self[i]
            guard size >= 0 else { throw TensorError("sizes must not be negative, got \(self)") }
            if size == 0 { empty = true; continue }
            let (product, overflow) = n.multipliedReportingOverflow(by: size)
            guard !overflow, product < 1 << 56 else {
                throw TensorError("shape \(self) has more elements than memory can address")
            }
            n = product
        }
        return empty ? 0 : n
    }

    /// Row-major strides, in elements.
    var contiguousStrides: Shape {
        var strides = self
        var step = 1
        var i = rank - 1
        while i >= 0 {
            strides[i] = step
            step &*= max(self[i], 1)
            i -= 1
        }
        return strides
    }

    /// Whether these strides show `count` elements of this shape in row-major order without gaps.
    func isRowMajor(_ strides: Shape, _ count: Int) -> Bool {
        var expected = 1
        var i = rank - 1
        while i >= 0 {
            let size = self[i]
            if size != 1 {
                if strides[i] != expected && count != 0 { return false }
                expected &*= size
            }
            i -= 1
        }
        return true
    }

    /// `dim` counted from the end when negative. A 0-d tensor accepts 0 and -1, as PyTorch does.
    func dim(_ dim: Int, extra: Int = 0) throws -> Int {
        let n = max(rank + extra, 1)
        guard dim >= -n, dim < n else {
            throw TensorError("dim \(dim) is out of range for shape \(self); valid: 0..\(n - 1) or \(-n)..-1")
        }
        return dim < 0 ? dim + n : dim
    }

    func dropping(_ dim: Int) -> Shape {
        var s = self
        if s.rank > 0 { s.remove(at: dim) }
        return s
    }

    func replacing(_ dim: Int, with value: Int) -> Shape {
        var s = self
        if s.rank > 0 { s[dim] = value }
        return s
    }

    /// Calls `body` with pointers that kernels take as `long *`.
    func withPointer<R>(_ body: (UnsafePointer<Int>) throws -> R) rethrows -> R {
        try withUnsafeBytes(of: values) { try body($0.baseAddress!.assumingMemoryBound(to: Int.self)) }
    }

    /// The common shape of two operands under broadcasting rules.
    static func broadcast(_ a: Shape, _ b: Shape) throws -> Shape {
        if a == b { return a }
        let rank = max(a.rank, b.rank)
        var out = Shape(repeating: 1, rank: rank)
        for i in 0..<rank {
            let x = i < rank - a.rank ? 1 : a[i - (rank - a.rank)]
            let y = i < rank - b.rank ? 1 : b[i - (rank - b.rank)]
            guard x == y || x == 1 || y == 1 else {
                throw TensorError(
                    "shapes \(a) and \(b) do not broadcast: sizes \(x) and \(y) differ in dimension \(i) and neither is 1")
            }
            out[i] = x == 1 ? y : x
        }
        return out
    }
}

extension Shape: CustomStringConvertible {
    public var description: String {
        "[" + array.map(String.init).joined(separator: ", ") + "]"
    }
}
