import Synchronization

extension Run {
    /// Logs values. Without `step` the row is closed at once (or stays open with `commit: false`); with `step` it
    /// stays open until a later step arrives or `commit` is true. Values for a step that has passed are dropped
    /// with a warning. When this returns the values have reached the kernel.
    public func log(_ values: WandbMap, step: Int64? = nil, commit: Bool? = nil) throws(WandbError) {
        if mode == .disabled { return }
        let now = Clock.now()
        let isPlain = Self.isPlain(values)
        let values = isPlain ? values : redactor.redact(values)
        let outcome = try state.withLock { (state) throws(WandbError) -> LogOutcome in
            guard try takes(step, state: &state) else { return .tooLate(state.rows.step) }
            let plain = isPlain ? values : try expand(values, step: step ?? state.rows.step, state: &state)
            state.moveRow(to: step)
            state.rows.timestamp = isPlain ? now : plain["_timestamp"]?.doubleValue ?? now
            state.rows.add(plain)
            return finishCall(step, commit, state: &state)
        }
        tell(outcome, step)
    }

    /// As `log`, for numbers and booleans that `fill` names one after the other: no map is made of them.
    public func logScalars(
        step: Int64? = nil, commit: Bool? = nil,
        _ fill: (_ put: (_ key: UnsafeRawBufferPointer, _ value: WandbValue) -> Void) -> Void
    ) throws(WandbError) {
        if mode == .disabled { return }
        let now = Clock.now()
        let outcome = try state.withLock { (state) throws(WandbError) -> LogOutcome in
            guard try takes(step, state: &state) else { return .tooLate(state.rows.step) }
            state.moveRow(to: step)
            state.rows.timestamp = now
            state.rows.beginValues()
            fill { key, value in state.rows.add(key, value) }
            return finishCall(step, commit, state: &state)
        }
        tell(outcome, step)
    }

    private enum LogOutcome {
        case done
        case tooLate(Int64)
        case diskFailure(WandbError)
    }

    private func takes(_ step: Int64?, state: inout RunState) throws(WandbError) -> Bool {
        guard !state.finished else { throw .usage("run:log: run \(id) has finished") }
        guard let step else { return true }
        guard step >= 0 else { throw .usage("run:log: step is \(step); expected 0 or more") }
        guard state.rows.isPast(step) else { return true }
        state.droppedRows += 1
        return false
    }

    private func finishCall(_ step: Int64?, _ commit: Bool?, state: inout RunState) -> LogOutcome {
        if commit ?? (step == nil) {
            state.closeRow()
        } else if let directory {
            state.storeOpenRow(directory.openRow)
        }
        return state.writer?.failure.map { .diskFailure($0) } ?? .done
    }

    private func tell(_ outcome: LogOutcome, _ step: Int64?) {
        switch outcome {
        case .done: break
        case .tooLate(let current):
            notices.warnOnce(
                "step",
                "run:log: step \(step ?? 0) is less than the current step \(current); steps must not decrease, "
                    + "so these values are dropped (further ones without a word)")
        case .diskFailure(let failure):
            notices.warnOnce("disk", "\(failure); rows wait in memory until the file can be written")
        }
    }

    /// The step of the row that is open, or of the next.
    public var step: Int64 { state.withLock { $0.rows.step } }

    /// How many rows were dropped because their step had passed.
    public var droppedRows: Int { state.withLock { $0.droppedRows } }

    /// Neither media nor text nor names of W&B's own are in it.
    private static func isPlain(_ values: WandbMap) -> Bool {
        for entry in values.entries {
            switch entry.value {
            case .int, .double, .bool, .null: if entry.key.utf8.first == UInt8(ascii: "_") { return false }
            default: return false
            }
        }
        return true
    }
}

extension RunState {
    fileprivate mutating func moveRow(to step: Int64?) {
        guard let step, step > rows.step else { return }
        if rows.isOpen { closeRow(next: step) } else { rows.skip(to: step) }
    }
}
