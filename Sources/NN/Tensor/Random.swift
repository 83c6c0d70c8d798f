import Synchronization

/// The one generator that all randomness comes from: a counter-based stream (Philox4x32-10), so
/// element i of a call depends on the seed and the position alone, never on threads.
public final class Generator: Sendable {
    public static let shared = Generator()

    public struct State: Sendable, Equatable {
        public var seed: UInt64
        /// Position in the stream: how many 32-bit draws were used, rounded up per call.
        public var offset: UInt64

        public init(seed: UInt64, offset: UInt64) {
            self.seed = seed
            self.offset = offset
        }
    }

    private let state = Mutex(State(seed: 0, offset: 0))

    public var current: State {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }

    public func seed(_ seed: UInt64) { current = State(seed: seed, offset: 0) }

    /// Takes `n` positions; the caller draws element i at `offset + i`.
    func take(_ n: Int) -> State {
        state.withLock { s in
            let taken = s
            s.offset &+= UInt64(max(n, 0))
            return taken
        }
    }
}

/// Random integers in Swift code: positions of a stream of its own (shuffles, splits).
public struct RandomStream: Sendable {
    private var state: Generator.State
    private var buffer: [UInt64] = []
    private var next = 0

    public init(seed: UInt64, offset: UInt64 = 0) { state = Generator.State(seed: seed, offset: offset) }

    /// Starts at the shared generator's position and takes `n` draws from it.
    init(taking n: Int) { state = Generator.shared.take(n) }

    public mutating func bits() -> UInt64 {
        if next == buffer.count {
            if buffer.isEmpty { buffer = [UInt64](repeating: 0, count: 256) }
            let s = state
            buffer.withUnsafeMutableBufferPointer { b in
                if let p = b.baseAddress { kernels.random_bits(256, s.seed, s.offset, p) }
            }
            state.offset &+= 256
            next = 0
        }
        next += 1
        return buffer[next - 1]
    }

    /// Uniform in 0..<n without bias worth speaking of (64-bit multiply-high).
    public mutating func below(_ n: Int) -> Int {
        Int(truncatingIfNeeded: bits().multipliedFullWidth(by: UInt64(n)).high)
    }

    /// 0..<n in random order (Fisher and Yates).
    /// - Throws: `TensorError` when the memory cannot be had.
    public mutating func permutation(_ n: Int) throws -> [Int] {
        try Allocator.shared.checkRoom(for: n, "an order of \(n) numbers")
        var order = Array(0..<n)
        var i = n - 1
        while i > 0 {
            order.swapAt(i, below(i + 1))
            i -= 1
        }
        return order
    }
}

extension Tensor {
    /// Fills this tensor with draws from the shared generator: uniform in [low, high).
    func fillUniform(_ low: Double, _ high: Double) throws {
        try fillRandom { dtype, n, s, offset, p in kernels.uniform(dtype, n, s.seed, offset, low, high, p) }
    }

    func fillNormal(_ mean: Double, _ std: Double) throws {
        try fillRandom { dtype, n, s, offset, p in kernels.normal(dtype, n, s.seed, offset, mean, std, p) }
    }

    private func fillRandom(
        _ draw: @escaping @Sendable (Int32, Int, Generator.State, UInt64, UnsafeMutableRawPointer) -> Void
    ) throws {
        guard dtype.isFloat else { throw TensorError("expected a floating-point tensor, got \(dtype.name)") }
        let target = isContiguous ? self : try Tensor(emptyOf: shape, dtype)
        let state = Generator.shared.take(count)
        let code = dtype.code, size = dtype.size
        let to = SendablePointer(target.pointer)
        Parallel.ranges(count: count, grain: 1 << 14) { low, high in
            draw(code, high - low, state, state.offset &+ UInt64(low), to.raw + low * size)
        }
        if target !== self { copyElements(from: target) }
    }
}

extension Tensor {
    /// Draws from a normal distribution.
    public static func normal(_ shape: Shape, mean: Double, std: Double, _ dtype: DType = .float32) throws -> Tensor {
        let t = try Tensor(emptyOf: shape, dtype)
        try t.fillNormal(mean, std)
        return t
    }
}
