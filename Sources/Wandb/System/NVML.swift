#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// NVIDIA's management library, where the machine has it: it is loaded by name and never linked.
final class NVML: @unchecked Sendable {
    // Immutable after init; the library itself is safe to call from any thread.
    private typealias Device = UnsafeMutableRawPointer
    private let library: UnsafeMutableRawPointer
    private let devices: [Device]
    var cardCount: Int { devices.count }

    init?() {
        guard let library = dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL) else { return nil }
        self.library = library
        var found: [Device] = []
        typealias Initialize = @convention(c) () -> Int32
        typealias Count = @convention(c) (UnsafeMutablePointer<UInt32>) -> Int32
        typealias Handle = @convention(c) (UInt32, UnsafeMutablePointer<Device?>) -> Int32
        if let start = dlsym(library, "nvmlInit_v2"), let counter = dlsym(library, "nvmlDeviceGetCount_v2"),
            let getter = dlsym(library, "nvmlDeviceGetHandleByIndex_v2"),
            unsafeBitCast(start, to: Initialize.self)() == 0
        {
            var count: UInt32 = 0
            _ = unsafeBitCast(counter, to: Count.self)(&count)
            for index in 0..<min(count, 64) {
                var device: Device?
                if unsafeBitCast(getter, to: Handle.self)(index, &device) == 0, let device { found.append(device) }
            }
        }
        devices = found
        if found.isEmpty {
            dlclose(library)
            return nil
        }
    }

    deinit {
        typealias Shutdown = @convention(c) () -> Int32
        if let stop = dlsym(library, "nvmlShutdown") { _ = unsafeBitCast(stop, to: Shutdown.self)() }
        dlclose(library)
    }

    /// A getter that fills in one unsigned number.
    private func number(_ name: String, _ device: Device) -> Double? {
        typealias Getter = @convention(c) (Device, UnsafeMutablePointer<UInt32>) -> Int32
        guard let symbol = dlsym(library, name) else { return nil }
        var value: UInt32 = 0
        return unsafeBitCast(symbol, to: Getter.self)(device, &value) == 0 ? Double(value) : nil
    }

    private func number(_ name: String, _ device: Device, _ which: UInt32) -> Double? {
        typealias Getter = @convention(c) (Device, UInt32, UnsafeMutablePointer<UInt32>) -> Int32
        guard let symbol = dlsym(library, name) else { return nil }
        var value: UInt32 = 0
        return unsafeBitCast(symbol, to: Getter.self)(device, which, &value) == 0 ? Double(value) : nil
    }

    /// A getter that fills in a structure of numbers of 32 or of 64 bits.
    private func structure(_ name: String, _ device: Device, _ bytes: Int) -> [UInt8]? {
        typealias Getter = @convention(c) (Device, UnsafeMutableRawPointer) -> Int32
        guard let symbol = dlsym(library, name) else { return nil }
        // Aligned for 64-bit members.
        var words = [UInt64](repeating: 0, count: (bytes + 7) / 8)
        let result = words.withUnsafeMutableBytes { buffer -> Int32 in
            guard let base = buffer.baseAddress else { return 1 }
            return unsafeBitCast(symbol, to: Getter.self)(device, base)
        }
        return result == 0 ? words.withUnsafeBytes { Array($0.prefix(bytes)) } : nil
    }

    private func words32(_ name: String, _ device: Device, _ count: Int) -> [Double]? {
        structure(name, device, count * 4)?.withUnsafeBytes { $0.bindMemory(to: UInt32.self).map(Double.init) }
    }

    private func words64(_ name: String, _ device: Device, _ count: Int) -> [Double]? {
        structure(name, device, count * 8)?.withUnsafeBytes { $0.bindMemory(to: UInt64.self).map(Double.init) }
    }

    func sample(into values: inout [(String, Double)]) {
        for (index, device) in devices.enumerated() {
            func add(_ name: String, _ value: Double?) { if let value { values.append(("gpu.\(index).\(name)", value)) } }
            let rates = words32("nvmlDeviceGetUtilizationRates", device, 2)
            add("gpu", rates?[0])
            add("memory", rates?[1])
            // total, free, used
            if let memory = words64("nvmlDeviceGetMemoryInfo", device, 3), memory[0] > 0 {
                add("memoryAllocated", memory[2] / memory[0] * 100)
                add("memoryAllocatedBytes", memory[2])
            }
            add("temp", number("nvmlDeviceGetTemperature", device, 0))
            let power = number("nvmlDeviceGetPowerUsage", device).map { $0 / 1000 }
            let limit = number("nvmlDeviceGetEnforcedPowerLimit", device).map { $0 / 1000 }
            add("powerWatts", power)
            add("enforcedPowerLimitWatts", limit)
            if let power, let limit, limit > 0 { add("powerPercent", power / limit * 100) }
            add("graphicsClock", number("nvmlDeviceGetClockInfo", device, 0))
            add("smClock", number("nvmlDeviceGetClockInfo", device, 1))
            add("memoryClock", number("nvmlDeviceGetClockInfo", device, 2))
            add("fanSpeed", number("nvmlDeviceGetFanSpeed", device))
        }
    }

    /// What the environment record says of the cards.
    func describe(into record: inout WBEnvironmentRecord) {
        typealias Name = @convention(c) (Device, UnsafeMutablePointer<CChar>, UInt32) -> Int32
        func text(_ symbol: String, _ device: Device) -> String {
            guard let getter = dlsym(library, symbol) else { return "" }
            var buffer = [CChar](repeating: 0, count: 96)
            guard unsafeBitCast(getter, to: Name.self)(device, &buffer, UInt32(buffer.count)) == 0 else { return "" }
            return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        for device in devices {
            var card = WBNvidiaInfo()
            card.name = text("nvmlDeviceGetName", device)
            card.uuid = text("nvmlDeviceGetUUID", device)
            card.memoryTotal = UInt64(words64("nvmlDeviceGetMemoryInfo", device, 3)?[0] ?? 0)
            card.cudaCores = UInt32(number("nvmlDeviceGetNumGpuCores", device) ?? 0)
            record.gpuNvidia.append(card)
        }
        record.gpuType = record.gpuNvidia.first?.name ?? ""
        record.gpuCount = UInt32(devices.count)
    }
}

/// NVIDIA cards that this machine has.
public enum GraphicsCards {
    /// Nil: no management library, or no card that it answers for.
    public static func count() -> Int? { NVML()?.cardCount }
}
