import Foundation
import KernelABI
import Kernels
import XCTest
#if arch(x86_64)
import KernelsV3
import KernelsV4
#endif

/// The kernels of a level that this machine can run.
struct Level {
    let name: String
    let table: kernel_table

    static let all: [Level] = {
        var levels = [Level(name: "baseline", table: Kernels.kernelTable())]
        #if arch(x86_64)
        if kernel_cpu_level() >= 3 { levels.append(Level(name: "v3", table: KernelsV3.kernelTable())) }
        if kernel_cpu_level() >= 4 { levels.append(Level(name: "v4", table: KernelsV4.kernelTable())) }
        #endif
        return levels
    }()
}

extension Level: @unchecked Sendable {}

/// Items are shared out over `TestThreads.count` threads, each taking every count-th. A thread's buffers
/// are filled with NaN at every request, and are exactly as large as asked for: what lies behind them
/// cannot be touched.
enum TestThreads {
    nonisolated(unsafe) static var count = 1
    /// Items of the largest job.
    nonisolated(unsafe) static var most = 0
    /// How often work was shared out since `withExec` began.
    nonisolated(unsafe) static var runs = 0

    static func withExec<R>(threads: Int = 1, _ body: (UnsafePointer<kernel_exec>) -> R) -> R {
        count = threads
        runs = 0
        var exec = kernel_exec(
            threads: threads,
            run: { items, task, context in
                TestThreads.runs += 1
                TestThreads.most = max(TestThreads.most, items)
                let threads = min(TestThreads.count, items)
                if threads < 2 {
                    for i in 0..<max(items, 0) { task(context, i) }
                    return
                }
                nonisolated(unsafe) let context = context
                DispatchQueue.concurrentPerform(iterations: threads) { thread in
                    // Backwards: the order of items must not matter.
                    for i in stride(from: thread, to: items, by: threads).reversed() { task(context, i) }
                }
            },
            scratch: { slot, bytes in ThreadBuffers.current.buffer(slot, bytes) })
        return body(&exec)
    }
}

final class ThreadBuffers {
    private var slots: [GuardedBytes?] = Array(repeating: nil, count: 8)

    static var current: ThreadBuffers {
        let key = "kernel test buffers"
        if let found = Thread.current.threadDictionary[key] as? ThreadBuffers { return found }
        let fresh = ThreadBuffers()
        Thread.current.threadDictionary[key] = fresh
        return fresh
    }

    func buffer(_ slot: Int, _ bytes: Int) -> UnsafeMutableRawPointer {
        let rounded = (bytes + 63) / 64 * 64
        if slots[slot]?.count != rounded { slots[slot] = GuardedBytes(count: rounded) }
        memset(slots[slot]!.start, 0xff, rounded)
        return slots[slot]!.start
    }
}

/// Bytes that end where memory ends: reading or writing past them stops the test.
final class GuardedBytes {
    let start: UnsafeMutableRawPointer
    let count: Int
    private let mapping: UnsafeMutableRawPointer
    private let length: Int

    init(count: Int) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let pages = max(1, (count + page - 1) / page)
        length = (pages + 1) * page
        mapping = mmap(nil, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        XCTAssertNotEqual(mapping, MAP_FAILED)
        mprotect(mapping + pages * page, page, PROT_NONE)
        self.count = count
        start = mapping + pages * page - count
    }
    deinit { munmap(mapping, length) }
}

protocol Real: BinaryFloatingPoint {
    static var kernelType: Int32 { get }
    /// How far a sum of many products may be from PyTorch's, relative to the largest value.
    static var tolerance: Double { get }
}
extension Float: Real {
    static var kernelType: Int32 { Int32(KERNEL_F32) }
    static var tolerance: Double { 2e-6 }
}
extension Double: Real {
    static var kernelType: Int32 { Int32(KERNEL_F64) }
    static var tolerance: Double { 1e-14 }
}

/// A tensor whose memory ends with its last element.
final class Buffer<T> {
    let bytes: GuardedBytes
    let count: Int
    init(count: Int) {
        self.count = count
        bytes = GuardedBytes(count: count * MemoryLayout<T>.stride)
        memset(bytes.start, 0xff, bytes.count)
    }
    convenience init(_ values: [T]) {
        self.init(count: values.count)
        for i in 0..<values.count { pointer[i] = values[i] }
    }
    var pointer: UnsafeMutablePointer<T> { bytes.start.assumingMemoryBound(to: T.self) }
    var raw: UnsafeMutableRawPointer { bytes.start }
    var values: [T] { (0..<count).map { pointer[$0] } }
    /// For comparing bits.
    var data: Data { Data(bytes: bytes.start, count: bytes.count) }
}

extension Buffer where T: Real {
    /// The multiples of 1/64 that Tests/Golden/make_kernel_values.py makes of the same seed.
    convenience init(count: Int, seed: Int, scale: Double = 1) {
        self.init((0..<count).map { T(Double(($0 * 7919 + seed * 104729) % 257 - 128) / 64 * scale) })
    }
}

/// Tests/Golden/data/kernels.json.
enum Golden {
    static func cases(_ family: String) throws -> [[String: Any]] {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appendingPathComponent("Golden/data/kernels.json")
        let all = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        return try XCTUnwrap(all?[family] as? [[String: Any]])
    }
}

extension [String: Any] {
    func ints(_ key: String) -> [Int] { (self[key] as? [NSNumber] ?? []).map(\.intValue) }
    func doubles(_ key: String) -> [Double] { (self[key] as? [NSNumber] ?? []).map(\.doubleValue) }
    func double(_ key: String) -> Double { (self[key] as? NSNumber)?.doubleValue ?? .nan }
    func flag(_ key: String) -> Bool { (self[key] as? NSNumber)?.boolValue ?? false }
}

/// Largest distance relative to the largest expected magnitude (at least `floor`).
func assertClose<T: Real>(
    _ got: Buffer<T>, _ expected: [Double], _ what: @autoclosure () -> String, factor: Double = 1, floor: Double = 1e-3,
    file: StaticString = #filePath, line: UInt = #line
) {
    XCTAssertEqual(got.count, expected.count, what(), file: file, line: line)
    guard got.count == expected.count else { return }
    let largest = expected.reduce(floor) { max($0, abs($1)) }
    for i in 0..<expected.count {
        let error = abs(Double(got.pointer[i]) - expected[i]) / largest
        if !(error <= T.tolerance * factor) {
            XCTFail("\(what()): element \(i) is \(got.pointer[i]), expected \(expected[i])", file: file, line: line)
            return
        }
    }
}

/// Runs `body` on every level and with 1, 2, 3 and 7 threads; its results must be the same bits.
func assertSameBits(
    _ what: String, file: StaticString = #filePath, line: UInt = #line,
    _ body: (kernel_table, UnsafePointer<kernel_exec>) -> [Data]
) {
    var first: [Data]?
    for level in Level.all {
        for threads in [1, 2, 3, 7] {
            let got = TestThreads.withExec(threads: threads) { body(level.table, $0) }
            guard let expected = first else {
                first = got
                continue
            }
            for (i, data) in got.enumerated() where data != expected[i] {
                XCTFail("\(what): result \(i) differs on \(level.name) with \(threads) threads", file: file, line: line)
            }
        }
    }
}
