#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import KernelABI
import Kernels
#if arch(x86_64)
import KernelsV3
import KernelsV4
#endif

/// The instruction sets that kernels are compiled for.
public enum CPULevel: String, CaseIterable, Sendable, Comparable {
    case baseline, v3, v4

    public static func < (a: CPULevel, b: CPULevel) -> Bool {
        allCases.firstIndex(of: a)! < allCases.firstIndex(of: b)!
    }

    /// The highest that this CPU and its operating system support.
    public static let supported: CPULevel = {
        #if arch(x86_64)
        switch kernel_cpu_level() {
        case 4: return .v4
        case 3: return .v3
        default: return .baseline
        }
        #else
        return .baseline
        #endif
    }()

    /// The one in use: `supported`, or lower when `HOST_CPU_LEVEL` says so.
    public static let current: CPULevel = {
        guard let text = getenv("HOST_CPU_LEVEL"), let wanted = CPULevel(rawValue: String(cString: text)) else {
            return supported
        }
        return min(wanted, supported)
    }()

    static func table(for level: CPULevel) -> kernel_table {
        #if arch(x86_64)
        switch level {
        case .v4: return KernelsV4.kernelTable()
        case .v3: return KernelsV3.kernelTable()
        case .baseline: return Kernels.kernelTable()
        }
        #else
        return Kernels.kernelTable()
        #endif
    }
}

extension kernel_table: @unchecked @retroactive Sendable {}

/// The kernels of the level in use.
let kernels: kernel_table = CPULevel.table(for: .current)
