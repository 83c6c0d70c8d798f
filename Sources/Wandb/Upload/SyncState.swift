/// What an upload must know if it is taken up again: where on the server this file's first lines went. It is
/// written before the first line is sent, so that no row arrives twice.
package struct SyncState: Equatable {
    package var startingStep: Int64 = 0
    /// Seconds.
    package var startingRuntime = 0.0
    package var history = 0
    package var events = 0
    package var console = 0

    package init() {}

    package static func read(_ path: String) -> SyncState? {
        guard let map = Files.read(path).flatMap({ try? JSONReader.value($0) })?.mapValue else { return nil }
        var state = SyncState()
        state.startingStep = map["starting_step"]?.intValue ?? 0
        state.startingRuntime = (map["starting_runtime"]?.doubleValue ?? 0) / 1000
        state.history = Int(map["history_offset"]?.intValue ?? 0)
        state.events = Int(map["events_offset"]?.intValue ?? 0)
        state.console = Int(map["console_offset"]?.intValue ?? 0)
        return state
    }

    package func write(_ path: String) throws(WandbError) {
        let map: WandbMap = [
            "starting_step": .int(startingStep), "starting_runtime": .int(Int64(startingRuntime * 1000)),
            "history_offset": .int(Int64(history)), "events_offset": .int(Int64(events)),
            "console_offset": .int(Int64(console)),
        ]
        try Files.write(JSONWriter.text(.map(map)), to: path)
    }
}
