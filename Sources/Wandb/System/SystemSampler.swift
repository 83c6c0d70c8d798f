#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Samples of the machine and of this process, under W&B's names.
struct SystemSampler {
    private var cpuTime = 0.0
    private var sampledAt = 0.0
    private let diskAtStart: [String: (read: Double, written: Double)]
    private let networkAtStart: (sent: Double, received: Double)
    private let retransmitsAtStart: Double
    private var throttled: (periods: Double, throttled: Double)?
    private let gpus: NVML?

    init(gpus: NVML?) {
        self.gpus = gpus
        diskAtStart = Self.disks()
        networkAtStart = Self.network()
        retransmitsAtStart = Self.retransmits()
    }

    mutating func sample() -> [(String, Double)] {
        var values: [(String, Double)] = []
        let now = Clock.monotonic()
        let used = Self.processTime()
        let cores = Double(max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        if sampledAt > 0, now > sampledAt { values.append(("cpu", (used - cpuTime) / (now - sampledAt) / cores * 100)) }
        (cpuTime, sampledAt) = (used, now)
        addMemory(&values)
        let network = Self.network()
        values.append(("network.sent", network.sent - networkAtStart.sent))
        values.append(("network.recv", network.received - networkAtStart.received))
        values.append(("network.tcpRetransmits", Self.retransmits() - retransmitsAtStart))
        for (name, count) in Self.disks().sorted(by: { $0.key < $1.key }) {
            let start = diskAtStart[name] ?? (0, 0)
            values.append(("disk.\(name).in", (count.read - start.read) / 1_048_576))
            values.append(("disk.\(name).out", (count.written - start.written) / 1_048_576))
        }
        if let space = DiskFacts.space("/"), space.total > 0 {
            values.append(("disk./.usagePercent", Double(space.used) / Double(space.total) * 100))
            values.append(("disk./.usageGB", Double(space.used) / 1_073_741_824))
        }
        addCgroup(&values)
        gpus?.sample(into: &values)
        return values
    }

    private func addMemory(_ values: inout [(String, Double)]) {
        guard let memory = MemoryFacts.machine(), memory.total > 0 else { return }
        let total = Double(memory.total)
        values.append(("memory_percent", (total - Double(memory.available)) / total * 100))
        values.append(("proc.memory.availableMB", Double(memory.available) / 1_048_576))
        for line in (Files.readText("/proc/self/status") ?? "").split(separator: "\n") {
            let parts = line.split(whereSeparator: { $0 == ":" || $0 == "\t" || $0 == " " })
            guard parts.count >= 2, let number = Double(parts[1]) else { continue }
            if parts[0] == "VmRSS" {
                values.append(("proc.memory.rssMB", number / 1024))
                values.append(("proc.memory.percent", number * 1024 / total * 100))
            } else if parts[0] == "Threads" {
                values.append(("proc.cpu.threads", number))
            }
        }
    }

    private mutating func addCgroup(_ values: inout [(String, Double)]) {
        if let facts = Self.table("/sys/fs/cgroup/cpu.stat"), let periods = facts["nr_periods"],
            let count = facts["nr_throttled"]
        {
            if let before = throttled, periods > before.periods {
                values.append((
                    "proc.cpu.throttledPercent", (count - before.throttled) / (periods - before.periods) * 100
                ))
            }
            throttled = (periods, count)
        }
        if let kills = Self.table("/sys/fs/cgroup/memory.events")?["oom_kill"] {
            values.append(("proc.memory.oomKills", kills))
        }
    }

    private static func table(_ path: String) -> [String: Double]? {
        guard let text = Files.readText(path) else { return nil }
        var facts: [String: Double] = [:]
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count == 2, let number = Double(parts[1]) { facts[String(parts[0])] = number }
        }
        return facts
    }

    private static func processTime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// Bytes read and written by whole disks.
    private static func disks() -> [String: (read: Double, written: Double)] {
        var counts: [String: (read: Double, written: Double)] = [:]
        for line in (Files.readText("/proc/diskstats") ?? "").split(separator: "\n") {
            let parts = line.split(separator: " ")
            guard parts.count >= 10, let read = Double(parts[5]), let written = Double(parts[9]) else { continue }
            let name = String(parts[2])
            let isWhole = Files.isDirectory("/sys/block/\(name)")
            if isWhole, !["loop", "ram", "dm-", "zram"].contains(where: name.hasPrefix) {
                counts[name] = (read * 512, written * 512)
            }
        }
        return counts
    }

    private static func network() -> (sent: Double, received: Double) {
        var total = (sent: 0.0, received: 0.0)
        for line in (Files.readText("/proc/net/dev") ?? "").split(separator: "\n").dropFirst(2) {
            let parts = line.split(whereSeparator: { $0 == ":" || $0 == " " })
            guard parts.count >= 10, parts[0] != "lo", let received = Double(parts[1]), let sent = Double(parts[9]) else {
                continue
            }
            total.sent += sent
            total.received += received
        }
        return total
    }

    private static func retransmits() -> Double {
        let lines = (Files.readText("/proc/net/snmp") ?? "").split(separator: "\n").filter { $0.hasPrefix("Tcp:") }
        guard lines.count == 2 else { return 0 }
        let names = lines[0].split(separator: " ")
        let numbers = lines[1].split(separator: " ")
        guard let index = names.firstIndex(of: "RetransSegs"), index < numbers.count else { return 0 }
        return Double(numbers[index]) ?? 0
    }
}
