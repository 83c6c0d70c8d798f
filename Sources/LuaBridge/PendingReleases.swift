import CLuaShim
import Synchronization

/// What Swift no longer needs of a Lua state. Deinitialisers may run anywhere, also on other threads and inside the
/// collector, so they only note it here; the next native call lets go of it.
final class PendingReleases: Sendable {
    private struct Work {
        var references: [Int32] = []
        var errors: [UInt64] = []
    }
    private let work = Mutex(Work())
    private let waiting = Atomic(false)

    var isWaiting: Bool { waiting.load(ordering: .relaxed) }

    func drop(reference: Int32) {
        work.withLock { $0.references.append(reference) }
        waiting.store(true, ordering: .releasing)
    }

    func drop(error: UInt64) {
        work.withLock { $0.errors.append(error) }
        waiting.store(true, ordering: .releasing)
    }

    /// Runs on Lua's thread. Neither call allocates: both write to slots that exist.
    func drain(_ state: UnsafeMutablePointer<chost_state>, _ thread: OpaquePointer) {
        guard isWaiting, lua_checkstack(thread, 4) != 0 else { return }
        waiting.store(false, ordering: .relaxed)
        let done = work.withLock { work in
            defer { work = Work() }
            return work
        }
        for reference in done.references { chost_release_reference(thread, reference) }
        for number in done.errors { chost_drop_error(state, thread, number) }
    }
}

/// A Lua value held by Swift: a function, or anything else that has no Swift form of its own.
public final class LuaReference: @unchecked Sendable {
    let index: Int32
    private let releases: PendingReleases

    init(index: Int32, releases: PendingReleases) {
        self.index = index
        self.releases = releases
    }

    deinit { releases.drop(reference: index) }
}

public typealias LuaFunction = LuaReference
