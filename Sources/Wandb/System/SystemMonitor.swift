/// Samples the machine on a thread of its own: first after five seconds, then every fifteen.
final class SystemMonitor: Sendable {
    private let ends = Signal(false)
    private let thread: BackgroundThread

    /// `record` takes samples, `describe` what is found out about the machine's cards.
    init(
        settings: Settings, record: @escaping @Sendable ([(String, Double)]) -> Void,
        describe: @escaping @Sendable ((inout WBEnvironmentRecord) -> Void) -> Void
    ) {
        let ends = ends
        thread = BackgroundThread {
            let gpus = NVML()
            if let gpus, !settings.disablesMachineInfo { describe { gpus.describe(into: &$0) } }
            var sampler = SystemSampler(gpus: gpus)
            _ = sampler.sample()
            var wait = settings.statsFirstAfter
            while !ends.wait(wait, until: { $0 }) {
                record(sampler.sample())
                wait = settings.statsInterval
            }
        }
    }

    func stop() {
        ends.update { $0 = true }
        thread.join()
    }
}
