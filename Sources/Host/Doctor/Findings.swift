#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import NN
import Wandb

/// CPU, threads, memory.
enum MachineFindings {
    static func all(_ environment: [String: String]) -> [Finding] {
        [
            Finding("program", HostCommand.version), Finding("system", "\(MachineFacts.operatingSystem())"),
            Finding("CPU level", level(environment)), Finding("threads", threads(environment)), Finding("memory", memory()),
        ]
    }

    private static func level(_ environment: [String: String]) -> String {
        var text = CPULevel.current.rawValue
        if CPULevel.current != CPULevel.supported { text += " (HOST_CPU_LEVEL; this CPU supports \(CPULevel.supported.rawValue))" }
        else if let asked = environment["HOST_CPU_LEVEL"], asked != text { text += " (HOST_CPU_LEVEL=\(asked) has no effect)" }
        return text + ", of \(CPULevel.allCases.map(\.rawValue).joined(separator: ", ")); results are the same bits on each"
    }

    private static func threads(_ environment: [String: String]) -> String {
        var reasons = ["\(Machine.onlineCount) CPUs online"]
        if let count = Machine.affinityCount { reasons.append("\(count) by affinity") }
        if let quota = Machine.cgroupQuota() { reasons.append("\(Finding.tenths(quota)) by the cgroup's quota") } else { reasons.append("no cgroup quota") }
        let asked = environment["HOST_NUM_THREADS"] ?? ""
        if !asked.isEmpty { reasons.append("HOST_NUM_THREADS=\(asked)") }
        return "\(Parallel.threads) (\(reasons.joined(separator: ", ")))"
    }

    private static func memory() -> String {
        let machine = Int(sysconf(Int32(_SC_PHYS_PAGES))) * Int(sysconf(Int32(_SC_PAGESIZE)))
        let limit = Machine.memoryLimit
        var text = "limit \(Finding.bytes(limit))" + (limit < machine ? " by the cgroup, of the machine's \(Finding.bytes(machine))" : ", no cgroup limit")
        if let free = MemoryFacts.machine()?.available { text += "; \(Finding.bytes(Int(clamping: free))) available" }
        return text
    }
}

/// Weights & Biases: the key, only whether and where, and the server.
enum TrackingFindings {
    /// Seconds that the server has to answer.
    private static let patience = 3.0

    static func all(_ environment: [String: String]) -> [Finding] {
        let settings: Settings
        do { settings = try Settings.load() } catch { return [Finding("W&B", "\(error)")] }
        var key = "none; WANDB_API_KEY and .netrc were looked at: runs are logged offline"
        if let found = settings.apiKey { key = "found in \(found.source)" }
        var mode = settings.mode.rawValue
        if settings.mode == .online, settings.apiKey == nil, !settings.modeWasAsked { mode = "offline, for want of a key" }
        var findings = [Finding("W&B key", key), Finding("W&B mode", mode)]
        findings += settings.warnings.map { Finding("W&B settings", $0) }
        // A server's address may carry a password.
        let server = withoutPassword(settings.baseURL)
        guard settings.mode == .online || settings.mode == .shared else {
            return findings + [Finding("W&B server", "\(server), not asked: the mode is \(mode)")]
        }
        switch Reachability.check(settings, seconds: patience) {
        case .reachable(let status): findings.append(Finding("W&B server", "\(server) answers (HTTP \(status))"))
        case .unreachable(let reason): findings.append(Finding("W&B server", "\(server) does not answer: \(reason)"))
        }
        return findings
    }

    private static func withoutPassword(_ url: String) -> String {
        guard let scheme = url.firstRange(of: "://") else { return url }
        let rest = url[scheme.upperBound...]
        guard let at = rest.prefix(while: { $0 != "/" }).lastIndex(of: "@") else { return url }
        return String(url[..<scheme.upperBound] + rest[rest.index(after: at)...])
    }
}

/// Pachyderm's folder.
enum PipelineFinding {
    static func folder(_ environment: [String: String]) -> Finding {
        let job = PachydermJob(environment: environment)
        guard Files.isFolder(job.root) else { return Finding("/pfs", job.isInside ? "\(job.root) is missing, though this is a job" : "none: not in a Pachyderm job") }
        var parts: [String] = []
        let names = (try? Files.names(in: job.root)) ?? []
        let inputs = names.filter { $0 != "out" && Files.isFolder("\(job.root)/\($0)") }
        parts.append(inputs.isEmpty ? "no inputs" : "inputs \(inputs.joined(separator: ", "))")
        if names.contains("out") { parts.append(access("\(job.root)/out", W_OK) == 0 ? "out is writable" : "out is not writable") } else { parts.append("no out") }
        if let pipeline = job.pipeline { parts.append("pipeline \(pipeline)") }
        return Finding("/pfs", "\(job.root): \(parts.joined(separator: "; "))")
    }
}

/// Libraries that the program runs without.
enum LibraryFindings {
    static func all() -> [Finding] {
        /// - Parameter loss: what becomes of the use without the library.
        func state(_ isPresent: Bool, _ use: String, _ package: String, without loss: String = "is an error") -> String {
            isPresent ? "yes (\(use))" : "no: without it \(use) \(loss) (Debian: \(package))"
        }
        var cards = "no: no NVIDIA driver, or no card; only W&B's charts of the machine use it"
        if let count = GraphicsCards.count() { cards = "yes, \(count) card\(count == 1 ? "" : "s") (charts of the machine in W&B)" }
        return [
            Finding("LAPACK", state(OptionalLibraries.hasLapack, "tensor.linalg", "liblapack3")),
            Finding("libpng", state(OptionalLibraries.hasPNG, "reading PNG images", "libpng16-16")),
            Finding("libjpeg-turbo", state(OptionalLibraries.hasJPEG, "reading JPEG images", "libturbojpeg0")),
            Finding("libdeflate", state(OptionalLibraries.hasDeflate, "reading gzip files at once", "libdeflate0", without: "goes piece by piece, a third as fast")),
            Finding("libcairo", state(CairoLibrary.shared != nil, "figures as PNG", "libcairo2", without: "are an error; SVG and the terminal need nothing")),
            Finding(
                "readline",
                state(
                    ReadlineLibrary.shared != nil, "editing, history and completion in a session", "libreadline8",
                    without: "are missing: lines are read as they come")),
            Finding("libzmq", state(ZeroMQ.shared != nil, "host jupyter", "libzmq5")), Finding("NVML", cards),
        ]
    }
}

/// Locale and terminal: what output may look like.
enum TerminalFindings {
    static func all(_ environment: [String: String]) -> [Finding] {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        let locale = value("LC_ALL") ?? value("LC_CTYPE") ?? value("LANG")
        let folded = (locale ?? "").uppercased()
        let isUTF8 = folded.contains("UTF-8") || folded.contains("UTF8")
        var parts: [String] = []
        var size = winsize()
        if isatty(STDOUT_FILENO) == 0 { parts.append("standard output is no terminal: plain output") }
        else if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { parts.append("\(size.ws_col) columns by \(size.ws_row) lines") }
        parts.append("TERM=\(value("TERM") ?? "(not set)")")
        if let depth = value("COLORTERM") { parts.append("COLORTERM=\(depth)") }
        if value("NO_COLOR") != nil { parts.append("NO_COLOR is set") }
        return [
            Finding("locale", (locale ?? "not set") + (isUTF8 ? "" : ": characters beyond ASCII are not drawn")),
            Finding("terminal", parts.joined(separator: ", ")),
        ]
    }
}
