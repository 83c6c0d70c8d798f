#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The environment record: where and how the run runs.
package enum MachineFacts {
    package static func operatingSystem() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "" }
        #if canImport(Glibc)
        // Answers `glibc 2.36`.
        var version = [CChar](repeating: 0, count: 64)
        _ = confstr(Int32(_CS_GNU_LIBC_VERSION), &version, version.count)
        let libc = "-with-\(text(of: &version).split(separator: " ").joined())"
        #else
        let libc = ""
        #endif
        return "\(text(of: &name.sysname))-\(text(of: &name.release))-\(text(of: &name.machine))\(libc)"
    }

    /// As W&B names platforms: `linux-x86_64`.
    package static func platform() -> String {
        var name = utsname()
        guard uname(&name) == 0 else { return "" }
        return "\(text(of: &name.sysname).lowercased())-\(text(of: &name.machine))"
    }

    package static func host() -> String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        return text(of: &buffer)
    }

    package static func user() -> String {
        getpwuid(getuid()).flatMap { $0.pointee.pw_name }.map { String(cString: $0) } ?? ""
    }

    package static func executable() -> String {
        var buffer = [CChar](repeating: 0, count: 4096)
        guard readlink("/proc/self/exe", &buffer, buffer.count - 1) > 0 else { return "" }
        return text(of: &buffer)
    }

    private static func text<T>(of storage: inout T) -> String {
        withUnsafeBytes(of: &storage) { raw in String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self) }
    }

    private static func text(of storage: inout [CChar]) -> String {
        String(decoding: storage.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Processor, memory and disk.
    package static func hardware(into record: inout WBEnvironmentRecord) {
        var cores: Set<String> = []
        var logical: UInt32 = 0
        var package = "0"
        for line in (Files.readText("/proc/cpuinfo") ?? "").split(separator: "\n") {
            guard let mark = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: mark)...].trimmed
            switch line[..<mark].trimmed {
            case "processor": logical += 1
            case "model name": if record.cpu.model.isEmpty { record.cpu.model = value }
            case "physical id": package = value
            case "core id": cores.insert("\(package)/\(value)")
            default: break
            }
        }
        if logical == 0 { logical = UInt32(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }
        record.cpuCountLogical = logical
        record.cpuCount = cores.isEmpty ? logical : UInt32(cores.count)
        record.cpu.count = record.cpuCount
        record.cpu.countLogical = logical
        if let total = MemoryFacts.machine()?.total { record.memory.total = total }
        var disk = WBDiskInfo()
        if let space = DiskFacts.space("/") {
            disk.total = space.total
            disk.used = space.used
            record.disk = ["/": disk]
        }
    }

    package static func slurm(_ environment: [String: String]) -> [String: String] {
        var facts: [String: String] = [:]
        for (name, value) in environment where name.hasPrefix("SLURM_") {
            facts[String(name.dropFirst(6)).lowercased()] = value
        }
        return facts
    }

    /// A UUID of version 7: time, then random bits.
    package static func writerID(at seconds: Double) -> String {
        var generator = SystemRandomNumberGenerator()
        let time = UInt64(seconds * 1000) & 0xFFFF_FFFF_FFFF
        let high = time << 16 | 0x7000 | generator.next() & 0x0FFF
        let low = 0x8000_0000_0000_0000 | generator.next() >> 2
        let digits = [high, low].flatMap { word in
            stride(from: 60, through: 0, by: -4).map { JSONWriter.hexDigit(UInt8(word >> UInt64($0) & 15)) }
        }
        let text = String(decoding: digits, as: UTF8.self)
        var parts: [String] = []
        var rest = text[...]
        for count in [8, 4, 4, 4, 12] {
            parts.append(String(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return parts.joined(separator: "-")
    }
}

package enum MemoryFacts {
    /// Bytes of the machine, or of the cgroup where that is less.
    package static func machine() -> (total: UInt64, available: UInt64)? {
        var facts: [Substring: UInt64] = [:]
        for line in (Files.readText("/proc/meminfo") ?? "").split(separator: "\n") {
            let parts = line.split(whereSeparator: { $0 == ":" || $0 == " " })
            if parts.count >= 2, let kilobytes = UInt64(parts[1]) { facts[parts[0]] = kilobytes * 1024 }
        }
        guard let total = facts["MemTotal"] else { return nil }
        let available = facts["MemAvailable"] ?? facts["MemFree"] ?? 0
        if let limit = number("/sys/fs/cgroup/memory.max") ?? number("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
            limit < total,
            let used = number("/sys/fs/cgroup/memory.current")
                ?? number("/sys/fs/cgroup/memory/memory.usage_in_bytes")
        {
            return (limit, min(available, limit - min(used, limit)))
        }
        return (total, available)
    }

    private static func number(_ path: String) -> UInt64? { Files.readText(path).flatMap { UInt64($0.trimmed) } }
}

package enum DiskFacts {
    package static func space(_ path: String) -> (total: UInt64, used: UInt64)? {
        var facts = statvfs()
        guard statvfs(path, &facts) == 0 else { return nil }
        let unit = UInt64(facts.f_frsize)
        let total = UInt64(facts.f_blocks) * unit
        let free = UInt64(facts.f_bfree) * unit
        return (total, total - min(free, total))
    }
}
