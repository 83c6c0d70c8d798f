/// Cuts 0..<count at random into parts, as PyTorch's random_split does.
public enum RandomSplit {
    /// - Parameter parts: lengths that sum up to `count`, or fractions that sum up to 1; what rounding
    ///   leaves over goes to the first parts, one each.
    /// - Throws: `TensorError` when they do not fit.
    public static func lengths(_ parts: [Double], count: Int) throws -> [Int] {
        guard !parts.isEmpty, parts.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw TensorError("expected lengths or fractions that are not negative, got \(parts)")
        }
        guard (0..<(1 << 48)).contains(count) else { throw TensorError("\(count) samples are more than memory can address") }
        let sum = parts.reduce(0, +)
        if (sum - 1).magnitude < 1e-6, parts.allSatisfy({ $0 <= 1 }), !(count == 1 && parts.allSatisfy({ $0 == $0.rounded() })) {
            // Fractions may sum up to a little more than 1.
            var rest = count
            var lengths = parts.map { part in
                let length = min(Int((Double(count) * part).rounded(.down)), rest)
                rest -= length
                return length
            }
            for i in 0..<rest { lengths[i % lengths.count] += 1 }
            return lengths
        }
        let lengths = parts.compactMap { Int(exactly: $0) }
        // Once it is too long it stays so: no sum of lengths overflows.
        guard lengths.count == parts.count, lengths.reduce(0, { $0 > count || $1 > count ? .max : $0 + $1 }) == count else {
            throw TensorError("expected lengths that sum up to \(count), or fractions that sum up to 1, got \(parts)")
        }
        return lengths
    }

    /// Without a seed the order comes from the shared generator.
    public static func indices(_ lengths: [Int], seed: UInt64?) throws -> [[Int]] {
        let count = lengths.reduce(0, +)
        var stream = RandomStream(seed: seed ?? LoaderSeed.draw())
        let order = try stream.permutation(count)
        var start = 0
        return lengths.map { length in
            defer { start += length }
            return Array(order[start..<(start + length)])
        }
    }
}

/// How the random streams of a loader follow from its seed.
public enum LoaderSeed {
    /// A seed out of the shared generator.
    public static func draw() -> UInt64 {
        var stream = RandomStream(taking: 1)
        return stream.bits()
    }

    /// The seed of one pass.
    public static func pass(_ seed: UInt64, _ pass: Int) -> UInt64 { mix(mix(seed) &+ UInt64(truncatingIfNeeded: pass)) }

    /// The order of one pass: 0..<count shuffled.
    public static func order(_ count: Int, _ passSeed: UInt64) throws -> [Int] {
        var stream = RandomStream(seed: passSeed)
        return try stream.permutation(count)
    }

    /// Spreads every bit of a number over all others (the finaliser of SplitMix64).
    static func mix(_ x: UInt64) -> UInt64 {
        var z = x &+ 0x9e37_79b9_7f4a_7c15
        z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
        return z ^ z >> 31
    }
}

/// The random numbers of one sample in one pass: number k depends on seed, sample and k alone, so it
/// does not matter which thread draws them, or when.
public struct SampleRandom {
    private var position: UInt64

    public init(passSeed: UInt64, sample: Int) {
        position = LoaderSeed.mix(passSeed ^ LoaderSeed.mix(UInt64(truncatingIfNeeded: sample) &+ 0x5851_f42d_4c95_7f2d))
    }

    mutating func bits() -> UInt64 {
        position &+= 0x9e37_79b9_7f4a_7c15
        return LoaderSeed.mix(position)
    }

    /// Uniform in [0, 1).
    mutating func uniform() -> Double { Double(bits() >> 11) * 0x1p-53 }

    mutating func uniform(_ low: Double, _ high: Double) -> Double { low + (high - low) * uniform() }

    /// Uniform in 0..<n.
    mutating func below(_ n: Int) -> Int { Int(truncatingIfNeeded: bits().multipliedFullWidth(by: UInt64(max(n, 1))).high) }
}
