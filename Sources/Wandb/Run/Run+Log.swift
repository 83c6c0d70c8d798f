import Synchronization

extension Run {
    /// Logs values. Without `step` the row is closed at once (or stays open with `commit: false`); with `step` it
    /// stays open until a later step arrives or `commit` is true. Values for a step that has passed are dropped
    /// with a warning. When this returns the values have reached the kernel.
    public func log(_ values: WandbMap, step: Int64? = nil, commit: Bool? = nil) throws(WandbError) {
        if mode == .disabled { return }
        if let step, step < 0 { throw .usage("run:log: step is \(step); expected 0 or more") }
        let now = Clock.now()
        let tooLate = try state.withLock { (state) throws(WandbError) -> Int64? in
            guard !state.finished else { throw .usage("run:log: run \(id) has finished") }
            if let step {
                if state.rows.isPast(step) {
                    state.droppedRows += 1
                    return state.rows.step
                }
            }
            let rowStep = step ?? state.rows.step
            let isPlain = Self.isPlain(values)
            let plain = isPlain ? values : try expand(values, step: rowStep, state: &state)
            if let step, step > state.rows.step {
                if state.rows.isOpen { state.closeRow(next: step) } else { state.rows.skip(to: step) }
            }
            state.rows.timestamp = isPlain ? now : plain["_timestamp"]?.doubleValue ?? now
            state.rows.add(plain)
            if commit ?? (step == nil) {
                state.closeRow()
            } else if let directory {
                state.storeOpenRow(directory.openRow)
            }
            return nil
        }
        if let tooLate, let step {
            notices.warnOnce(
                "step",
                "run:log: step \(step) is less than the current step \(tooLate); steps must not decrease, "
                    + "so these values are dropped (further ones without a word)")
        }
        checkDisk()
    }

    /// The step of the row that is open, or of the next.
    public var step: Int64 { state.withLock { $0.rows.step } }

    /// How many rows were dropped because their step had passed.
    public var droppedRows: Int { state.withLock { $0.droppedRows } }

    private static func isPlain(_ values: WandbMap) -> Bool {
        for entry in values.entries {
            switch entry.value {
            case .int, .double, .bool, .string, .null: if entry.key.utf8.first == UInt8(ascii: "_") { return false }
            default: return false
            }
        }
        return true
    }

    private func checkDisk() {
        let failure = state.withLock { $0.writer?.failure }
        if let failure {
            notices.warnOnce("disk", "\(failure); rows wait in memory until the file can be written")
        }
    }
}
