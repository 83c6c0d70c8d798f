#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

import KernelABI

/// What this process may use of the machine it runs on.
public enum Machine {
    /// CPUs by affinity mask and cgroup quota, whichever is fewer; at least 1.
    public static let cpuCount: Int = {
        var count = onlineCount
        #if os(Linux)
        if let affinityCount { count = affinityCount }
        if let quota = cgroupQuota() { count = min(count, max(1, Int(quota.rounded(.up)))) }
        #endif
        return max(count, 1)
    }()

    /// CPUs that the machine has switched on.
    public static var onlineCount: Int { Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

    /// CPUs that the affinity mask allows, where there is one.
    public static var affinityCount: Int? {
        #if os(Linux)
        let allowed = kernel_affinity_count()
        return allowed > 0 ? Int(allowed) : nil
        #else
        return nil
        #endif
    }

    /// Bytes of memory: the cgroup's limit or the machine's.
    public static let memoryLimit: Int = {
        var bytes = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
        for path in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
            if let text = firstLine(path), let limit = Int(text), limit > 0 { bytes = min(bytes, limit) }
        }
        return bytes
    }()

    /// CPUs' worth of time per period that the cgroup allows, if it limits them.
    public static func cgroupQuota() -> Double? {
        if let text = firstLine("/sys/fs/cgroup/cpu.max") {
            let parts = text.split(separator: " ")
            if parts.count == 2, let quota = Double(parts[0]), let period = Double(parts[1]), period > 0 {
                return quota / period
            }
        }
        if let q = firstLine("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), let quota = Double(q), quota > 0,
            let p = firstLine("/sys/fs/cgroup/cpu/cpu.cfs_period_us"), let period = Double(p), period > 0
        {
            return quota / period
        }
        return nil
    }

    static func firstLine(_ path: String) -> String? {
        let fd = open(path, O_RDONLY)
        guard fd >= 0 else { return nil }
        defer { close(fd) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let n = read(fd, &bytes, bytes.count)
        guard n > 0 else { return nil }
        return String(decoding: bytes[..<n].prefix { $0 != 10 }, as: UTF8.self)
    }
}
