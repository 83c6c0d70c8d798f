import CLuaShim

/// A failure that Lua code sees as an error: thrown by native functions, and what a failed call into Lua throws.
public struct LuaError: Error, CustomStringConvertible {
    /// What is wrong. The bridge puts the position and the name of the function before it.
    public let message: String
    /// The Lua value that was raised, when the error came out of Lua; thrown on, it arrives as the same value.
    let kept: KeptError?
    /// Lua's traceback, when the error came out of Lua.
    public let traceback: String?

    public init(_ message: String) {
        self.message = message
        kept = nil
        traceback = nil
    }

    init(message: String, kept: KeptError?, traceback: String?) {
        self.message = message
        self.kept = kept
        self.traceback = traceback
    }

    /// True when the error came out of a call into Lua.
    public var isFromLua: Bool { kept != nil }
    public var description: String { message }
}

/// Thrown by a native function to leave the process, after the exit hooks have run.
struct ExitRequest: Error {
    let status: Int32
}

/// An error value in its slot of the Lua state; the slot is emptied once nobody can rethrow it.
final class KeptError: @unchecked Sendable {
    let number: UInt64
    private let releases: PendingReleases

    init(number: UInt64, releases: PendingReleases) {
        self.number = number
        self.releases = releases
    }

    deinit { releases.drop(error: number) }
}
