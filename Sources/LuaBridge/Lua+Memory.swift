import CLuaShim

/// Memory, Lua's own and what Lua's objects hold outside of it.
extension Lua {
    /// Makes native memory known to the collector.
    /// - Parameters:
    ///   - allocated: bytes ever allocated, only growing; read after each native call.
    ///   - live: bytes in use.
    ///   - budget: more than this in use starts a full collection.
    public func countNativeMemory(
        allocated: UnsafePointer<Int>, live: UnsafePointer<Int>?, budget: Int = 0
    ) {
        state.pointee.allocated = allocated
        state.pointee.live = live
        state.pointee.paid = allocated.pointee
        state.pointee.budget = budget
    }

    /// Bytes that Lua's own heap holds.
    public var heapBytes: Int { Int(chost_heap_bytes(thread)) }

    /// A full collection. Not from inside a native function that holds exclusive access to anything: finalisers run.
    public func collect() {
        releases.drain(state, thread)
        chost_collect(thread)
    }

    /// For tests: the allocation after `count` more fails, and all that follow; nil: none fails.
    package func failAllocation(after count: Int?) { state.pointee.fail_after = count.map { Int($0) } ?? -1 }

    /// For tests: values on the stack of the running thread.
    package var stackHeight: Int { Int(lua_gettop(thread)) }
}

/// Signals and other reasons to stop a script.
extension Lua {
    /// From now on SIGINT and SIGTERM stop the running script. The second SIGINT ends the process.
    public func handleSignals() { chost_handle_signals(state) }

    /// For a program that runs one script after another: SIGINT and SIGTERM that come between two of them, or too late for
    /// one, are only noted. `false`: they end the program again.
    public static func noteSignals(_ on: Bool) { chost_note_signals(on) }

    /// The last SIGINT or SIGTERM that a script was stopped by or that was noted.
    public static var receivedSignal: Int32? {
        let signal = chost_received_signal()
        return signal == 0 ? nil : signal
    }

    /// The signal that asked the script to stop. Long native work polls it and throws `interruption`.
    public var interrupted: Int32? {
        let signal = chost_interrupted(state)
        return signal == 0 ? nil : signal
    }

    /// Whether SIGTERM has come. From the first call on it no longer stops the script at once: the script has `grace` seconds
    /// to end at a place that suits it.
    public func isTerminating(grace: Double) -> Bool {
        state.pointee.grace_ms = sig_atomic_t(max(1, min(grace, 3600) * 1000))
        return state.pointee.terminating != 0
    }

    /// Throws when the script was asked to stop.
    public func checkInterrupt() throws {
        if interrupted != nil { throw LuaError("interrupted") }
    }

    /// Stops the running script as a signal would; for tests and timers on Lua's own thread.
    public func interrupt(_ signal: Int32) { chost_interrupt(state, signal) }

    /// Back to normal: what a prompt does before it reads the next line.
    public func clearInterrupt() { chost_clear_interrupt(state) }

    /// Stops the script that runs, from any thread; `interrupted` is then `stopSignal`. Nothing happens when none runs.
    public static func stopRunningScript() { chost_stop_running() }
    public static let stopSignal = Int32(CHOST_STOP_SIGNAL)

    /// For other threads, and for code that knows nothing of Lua.
    public var interruptFlag: InterruptFlag { InterruptFlag(state: state) }
}

/// Whether a script was asked to stop. Any thread may ask, also when the Lua state is closed.
public struct InterruptFlag: @unchecked Sendable {
    fileprivate let state: UnsafeMutablePointer<chost_state>
    public var isSet: Bool { chost_interrupted(state) != 0 }
}

/// Which files a script is made of.
extension Lua {
    /// Calls `body` with the path of every Lua file before it is read: by `require`, `dofile`, `loadfile`, `load(file:)`.
    public func onOpeningFile(_ body: @escaping (String) -> Void) {
        let listener = OpeningListener(body)
        openingListener = listener
        state.pointee.opening_owner = Unmanaged.passUnretained(listener).toOpaque()
        state.pointee.opening = { owner, path in
            guard let owner else { return }
            Unmanaged<OpeningListener>.fromOpaque(owner)._withUnsafeGuaranteedRef { $0.body(String(cString: path)) }
        }
    }
}

final class OpeningListener {
    let body: (String) -> Void
    init(_ body: @escaping (String) -> Void) { self.body = body }
}
