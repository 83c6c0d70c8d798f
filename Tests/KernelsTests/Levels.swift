import Foundation
import KernelABI
import Kernels
#if arch(x86_64)
    import KernelsV3
    import KernelsV4
#endif

/// Every table this CPU can run, the lowest level first.
nonisolated(unsafe) let levels: [kernel_table] = {
    var tables = [Kernels.kernelTable()]
    #if arch(x86_64)
        if kernel_cpu_level() >= 3 { tables.append(KernelsV3.kernelTable()) }
        if kernel_cpu_level() >= 4 { tables.append(KernelsV4.kernelTable()) }
    #endif
    return tables
}()

extension kernel_table {
    var title: String { String(cString: name) }
}

/// An executor of `threads` threads: real ones, so that tasks run in any order and on any of them.
func executor(_ threads: Int) -> kernel_exec {
    kernel_exec(
        threads: threads,
        run: { count, task, context in
            nonisolated(unsafe) let context = context
            DispatchQueue.concurrentPerform(iterations: count) { task(context, $0) }
        },
        scratch: { slot, bytes in Scratch.ofThread.buffer(slot, bytes) })
}

/// Buffers of one thread by slot, filled with NaN bits so that nothing relies on zeros.
final class Scratch {
    private var buffers: [Int: UnsafeMutableRawBufferPointer] = [:]

    static var ofThread: Scratch {
        let store = Thread.current.threadDictionary
        if let scratch = store["scratch"] as? Scratch { return scratch }
        let scratch = Scratch()
        store["scratch"] = scratch
        return scratch
    }

    func buffer(_ slot: Int, _ bytes: Int) -> UnsafeMutableRawPointer {
        if let b = buffers[slot], b.count >= bytes, let p = b.baseAddress { return p }
        buffers[slot]?.deallocate()
        let b = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes + 64, alignment: 64)
        for i in 0..<b.count { b[i] = 0xff }
        buffers[slot] = b
        return b.baseAddress.unsafelyUnwrapped
    }

    deinit { for b in buffers.values { b.deallocate() } }
}

/// Elements a kernel can work on, with the tests' ways of making and comparing them.
protocol Element: Comparable, BitwiseCopyable {
    static var dtype: Int32 { get }
    static func random(_ g: inout Generator) -> Self
    /// Small enough for products not to overflow.
    static func small(_ g: inout Generator) -> Self
    var isNotANumber: Bool { get }
    var pattern: UInt64 { get }
}

extension Element {
    var isNotANumber: Bool { false }
    /// Same bits, or both NaN: which NaN comes out of two depends on the order of operands.
    func same(as other: Self) -> Bool { pattern == other.pattern || (isNotANumber && other.isNotANumber) }
}

extension Float: Element {
    static var dtype: Int32 { Int32(KERNEL_F32) }
    static func random(_ g: inout Generator) -> Float { Float(Double.random(&g)) }
    static func small(_ g: inout Generator) -> Float { Float(Double.small(&g)) }
    var isNotANumber: Bool { isNaN }
    var pattern: UInt64 { UInt64(bitPattern) }
}

extension Double: Element {
    static var dtype: Int32 { Int32(KERNEL_F64) }
    /// Of all sizes, now and then an awkward one.
    static func random(_ g: inout Generator) -> Double {
        switch g.next() % 24 {
        case 0: [0, -0.0, 1, -1, .infinity, -.infinity, .nan, 1e-42, 3e38, 1e30, .leastNonzeroMagnitude][Int(g.next() % 11)]
        case 1...4: small(&g) * 1e3
        case 5: small(&g) * 1e-30
        default: small(&g) * 3
        }
    }
    static func small(_ g: inout Generator) -> Double { Double(Int64(bitPattern: g.next()) >> 11) * 0x1p-52 }
    var isNotANumber: Bool { isNaN }
    var pattern: UInt64 { bitPattern }
}

extension Int64: Element {
    static var dtype: Int32 { Int32(KERNEL_I64) }
    static func random(_ g: inout Generator) -> Int64 { g.next() % 3 == 0 ? Int64(bitPattern: g.next()) : small(&g) }
    static func small(_ g: inout Generator) -> Int64 { Int64(g.next() % 41) - 20 }
    var pattern: UInt64 { UInt64(bitPattern: self) }
}

extension Int32: Element {
    static var dtype: Int32 { Int32(KERNEL_I32) }
    static func random(_ g: inout Generator) -> Int32 { Int32(truncatingIfNeeded: Int64.random(&g)) }
    static func small(_ g: inout Generator) -> Int32 { Int32(g.next() % 41) - 20 }
    var pattern: UInt64 { UInt64(UInt32(bitPattern: self)) }
}

extension UInt8: Element {
    static var dtype: Int32 { Int32(KERNEL_U8) }
    static func random(_ g: inout Generator) -> UInt8 { g.next() % 3 == 0 ? 0 : UInt8(g.next() & 255) }
    static func small(_ g: inout Generator) -> UInt8 { UInt8(g.next() % 8) }
    var pattern: UInt64 { UInt64(self) }
}

/// SplitMix64: the tests' data are the same in every run.
struct Generator: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
    mutating func array<T: Element>(_ n: Int, _: T.Type) -> [T] { (0..<n).map { _ in T.random(&self) } }
    mutating func smallArray<T: Element>(_ n: Int, _: T.Type) -> [T] { (0..<n).map { _ in T.small(&self) } }
}

/// First place where two results differ in their bits.
func difference<T: Element>(_ a: [T], _ b: [T]) -> Int? {
    if a.count != b.count { return -1 }
    return a.indices.first { !a[$0].same(as: b[$0]) }
}
