#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import Synchronization

/// Native memory for tensors: 64-byte-aligned blocks, kept in free lists by size class so that a
/// training step reuses the memory of the one before.
///
/// The cache is bounded; what does not fit in it goes back to the system.
public final class Allocator: Sendable {
    public static let shared = Allocator()

    public struct Statistics: Sendable {
        /// Bytes held by living tensors, bytes kept for reuse, and the largest `live` so far.
        public var live = 0, cached = 0, peak = 0
    }

    fileprivate struct State: @unchecked Sendable {
        /// Heads of intrusive lists: a free block's first word points to the next one.
        var free = [UnsafeMutableRawPointer?](repeating: nil, count: Allocator.classCount)
        var cached = 0
        /// What other threads took, and took less what they gave back, since the script's thread last came by.
        var takenElsewhere = 0, liveElsewhere = 0
        /// The largest sum that another thread saw.
        var peakElsewhere = 0
        var limit = Allocator.defaultLimit()
        var cacheLimit = 512 << 20
    }

    private let state = Mutex(State())

    /// Bytes ever allocated, and bytes in use, as far as the script's thread has heard: how a script engine's collector
    /// learns of memory it cannot see. Only that thread writes them and may read them. What other threads take and give
    /// back is counted under the lock, and comes in when the script's thread has the lock next.
    public var allocatedBytes: UnsafePointer<Int> {
        UnsafePointer(UnsafeRawPointer(own.pointee.counts).assumingMemoryBound(to: Int.self))
    }
    public var liveBytes: UnsafePointer<Int> {
        UnsafePointer(UnsafeRawPointer(own.pointee.live).assumingMemoryBound(to: Int.self))
    }

    /// Small blocks of the thread that scripts run on, which need no lock: an operation on a few numbers is mostly
    /// the allocation of its result.
    private nonisolated(unsafe) let own: UnsafeMutablePointer<OwnCache>
    /// The same for `TensorPool`: a plain variable, since every operation reads it.
    nonisolated(unsafe) static private(set) var ownCache: UnsafeMutablePointer<OwnCache>?
    /// Heads of its lists, by size class.
    private nonisolated(unsafe) let ownFree: UnsafeMutablePointer<UnsafeMutableRawPointer?>

    /// Of the script's thread. Other threads read `thread` and `live`, so what changes lies elsewhere: to change a field
    /// counts as to change the struct.
    struct OwnCache {
        let thread = pthread_self()
        /// Heads of the lists of `TensorPool`, by size class; their blocks count as cached.
        let tensors: UnsafeMutablePointer<Unmanaged<Tensor>?>
        let counts: UnsafeMutablePointer<OwnCounts>
        /// Bytes in use. Other threads read it, to keep to the limit.
        fileprivate let live: UnsafeMutablePointer<Atomic<Int>>
        static let limit = 4 << 20
    }

    struct OwnCounts {
        /// First, where the script engine reads it.
        var allocated = 0
        var cached = 0
        var peak = 0
    }

    private init() {
        let counts = UnsafeMutablePointer<OwnCounts>.allocate(capacity: 1)
        counts.initialize(to: OwnCounts())
        let live = UnsafeMutablePointer<Atomic<Int>>.allocate(capacity: 1)
        live.initialize(to: Atomic(0))
        let tensors = UnsafeMutablePointer<Unmanaged<Tensor>?>.allocate(capacity: Allocator.smallClasses)
        tensors.initialize(repeating: nil, count: Allocator.smallClasses)
        own = .allocate(capacity: 1)
        own.initialize(to: OwnCache(tensors: tensors, counts: counts, live: live))
        ownFree = .allocate(capacity: Allocator.smallClasses)
        ownFree.initialize(repeating: nil, count: Allocator.smallClasses)
        Allocator.ownCache = own
    }

    private var isOwn: Bool { pthread_equal(own.pointee.thread, pthread_self()) != 0 }

    // Classes: multiples of 64 up to 4 KiB, then four steps per power of two up to 1 TiB.
    static let smallClasses = 64
    private static let classCount = smallClasses + 4 * 29

    static func sizeClass(_ bytes: Int) -> (index: Int, size: Int) {
        if bytes <= 4096 {
            let i = max(bytes + 63, 64) / 64
            return (i - 1, i * 64)
        }
        let power = Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount
        let quarter = 1 << (power - 2)
        let steps = (bytes - 1 - (1 << power)) / quarter
        return (smallClasses + (power - 12) * 4 + steps, (1 << power) + (steps + 1) * quarter)
    }

    /// - Returns: a block of at least `bytes` bytes and its real size; contents undefined.
    /// - Throws: `TensorError` of kind `.outOfMemory`, naming what was asked for and what there is.
    func allocate(_ bytes: Int, for what: @autoclosure () -> String) throws -> (UnsafeMutableRawPointer, Int) {
        let (index, size) = Allocator.sizeClass(bytes)
        let own = own, isOwn = isOwn
        if index < Allocator.smallClasses, isOwn, let block = ownFree[index] {
            ownFree[index] = block.load(as: UnsafeMutableRawPointer?.self)
            own.pointee.counts.pointee.cached -= size
            own.pointee.took(size)
            return (block, size)
        }
        guard index < Allocator.classCount else { throw outOfMemory(bytes, what()) }
        let block: UnsafeMutableRawPointer? = state.withLock { s in
            if isOwn { own.pointee.hear(&s) }
            let live = own.pointee.live.pointee.load(ordering: .relaxed) + s.liveElsewhere
            guard live <= s.limit - size else { return nil }
            var block: UnsafeMutableRawPointer?
            if let head = s.free[index] {
                s.free[index] = head.load(as: UnsafeMutableRawPointer?.self)
                s.cached -= size
                block = head
            } else {
                block = Allocator.system(size)
            }
            guard block != nil else { return nil }
            if isOwn {
                own.pointee.took(size)
            } else {
                s.takenElsewhere += size
                s.liveElsewhere += size
                s.peakElsewhere = max(s.peakElsewhere, live + size)
            }
            return block
        }
        guard let block else {
            releaseCache()
            throw outOfMemory(bytes, what())
        }
        return (block, size)
    }

    func release(_ block: UnsafeMutableRawPointer, size: Int) {
        let index = Allocator.sizeClass(size).index
        let own = own, isOwn = isOwn
        if index < Allocator.smallClasses, isOwn, own.pointee.counts.pointee.cached < OwnCache.limit {
            block.storeBytes(of: ownFree[index], as: UnsafeMutableRawPointer?.self)
            ownFree[index] = block
            own.pointee.counts.pointee.cached += size
            own.pointee.gaveBack(size)
            return
        }
        let keep = state.withLock { s in
            if isOwn {
                own.pointee.hear(&s)
                own.pointee.gaveBack(size)
            } else {
                s.liveElsewhere -= size
            }
            guard s.cached + size <= s.cacheLimit else { return false }
            block.storeBytes(of: s.free[index], as: UnsafeMutableRawPointer?.self)
            s.free[index] = block
            s.cached += size
            return true
        }
        if !keep { free(block) }
    }

    /// Gives all kept blocks back to the system.
    public func releaseCache() {
        TensorPool.drain()
        state.withLock { s in
            for i in s.free.indices {
                while let block = s.free[i] {
                    s.free[i] = block.load(as: UnsafeMutableRawPointer?.self)
                    free(block)
                }
            }
            s.cached = 0
        }
        guard isOwn else { return }
        for i in 0..<Allocator.smallClasses {
            while let block = ownFree[i] {
                ownFree[i] = block.load(as: UnsafeMutableRawPointer?.self)
                free(block)
            }
        }
        own.pointee.counts.pointee.cached = 0
    }

    /// For the script's thread.
    public var statistics: Statistics {
        let own = own
        return state.withLock { s in
            own.pointee.hear(&s)
            return Statistics(
                live: own.pointee.live.pointee.load(ordering: .relaxed), cached: s.cached + own.pointee.counts.pointee.cached,
                peak: max(s.peakElsewhere, own.pointee.counts.pointee.peak))
        }
    }

    /// Bytes that tensors may hold together: `HOST_MEMORY_LIMIT`, else 90% of what the container or
    /// the machine has.
    public var limit: Int {
        get { state.withLock { $0.limit } }
        set { state.withLock { $0.limit = newValue } }
    }

    private static func system(_ size: Int) -> UnsafeMutableRawPointer? { alignedMemory(size) }

    func outOfMemory(_ bytes: Int, _ what: String) -> TensorError {
        let own = own
        let (live, limit) = state.withLock { ($0.liveElsewhere + own.pointee.live.pointee.load(ordering: .relaxed), $0.limit) }
        return TensorError(
            "cannot allocate \(formatBytes(bytes)) for \(what); in use \(formatBytes(live)), "
                + "limit \(formatBytes(limit)) (HOST_MEMORY_LIMIT)", kind: .outOfMemory)
    }

    private static func defaultLimit() -> Int {
        if let text = getenv("HOST_MEMORY_LIMIT"), let bytes = parseBytes(String(cString: text)) { return bytes }
        return Machine.memoryLimit / 10 * 9
    }

    /// "2G", "512M", "1000000".
    static func parseBytes(_ text: String) -> Int? {
        let shifts: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
        var digits = Substring(text.uppercased())
        if digits.hasSuffix("B") { digits.removeLast() }
        if digits.hasSuffix("I") { digits.removeLast() }
        var shift = 0
        if let last = digits.last, let s = shifts[last] {
            shift = s
            digits.removeLast()
        }
        guard let value = Int(digits), value > 0, value < 1 << 20 || shift == 0 else { return nil }
        return value << shift
    }
}

extension Allocator.OwnCache {
    /// A block of the lists is in use again, or one from elsewhere is.
    @inline(__always)
    func took(_ size: Int) { count(taken: size, live: size) }

    @inline(__always)
    func gaveBack(_ size: Int) {
        live.pointee.store(live.pointee.load(ordering: .relaxed) &- size, ordering: .relaxed)
    }

    /// Takes over what others counted. Under the lock.
    fileprivate func hear(_ state: inout Allocator.State) {
        if state.takenElsewhere | state.liveElsewhere == 0 { return }
        count(taken: state.takenElsewhere, live: state.liveElsewhere)
        state.takenElsewhere = 0
        state.liveElsewhere = 0
    }

    @inline(__always)
    private func count(taken: Int, live change: Int) {
        counts.pointee.allocated &+= taken
        // There is one writer, so this is no atomic read-modify-write.
        let now = live.pointee.load(ordering: .relaxed) &+ change
        live.pointee.store(now, ordering: .relaxed)
        if now > counts.pointee.peak { counts.pointee.peak = now }
    }
}

/// Memory from the system, to be given back with `free`: on lines of the cache, and from 4 MiB on large pages where the system
/// has some to spare. Walking down the rows of a large matrix takes a page per row, more than the CPU keeps in mind.
func alignedMemory(_ size: Int, largeFrom: Int = 4 << 20) -> UnsafeMutableRawPointer? {
    let largePage = 2 << 20
    let large = size >= largeFrom
    var block: UnsafeMutableRawPointer?
    guard posix_memalign(&block, large ? largePage : 64, size) == 0, let block else { return nil }
    #if os(Linux)
    // A hint: where it is refused, small pages serve as well.
    if large { madvise(block, size / largePage * largePage, MADV_HUGEPAGE) }
    #endif
    return block
}

/// 1536 -> "1.5 KiB".
public func formatBytes(_ bytes: Int) -> String {
    var value = Double(bytes)
    var unit = 0
    let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    while value >= 1024, unit < units.count - 1 {
        value /= 1024
        unit += 1
    }
    if unit == 0 { return "\(bytes) B" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) \(units[unit])"
}
