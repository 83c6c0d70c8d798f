/// What `init` is told about a run beside its settings.
public struct RunOptions: Sendable {
    public var config = WandbMap()
    /// The script, as `wandb-metadata.json` and code saving want it.
    public var program: String?
    /// What the script was called with.
    public var arguments: [String] = []
    /// Names and versions of what the program is made of, for `requirements.txt`.
    public var packages: [(name: String, version: String)] = []
    /// Takes the lines that a person should read; standard error by default.
    public var notice: @Sendable (String) -> Void = { Notices.standardError($0) }
    /// Draws how far `finish` is on a terminal's line, which nil ends; without it there are lines every few seconds.
    public var progress: (@Sendable (String?) -> Void)?

    /// Called where there is no key, with the page that gives one: asks a person for it. Nil: the run goes offline.
    public var askKey: (@Sendable (_ server: String, _ page: String) -> String?)?

    /// Called once, from a thread of the logger, when somebody stops the run on its page.
    public var onStop: @Sendable () -> Void = {}
    /// Asked while a call waits for the server: true ends the wait.
    public var isInterrupted: @Sendable () -> Bool = { false }

    public init() {}
}

/// This client's name and the release of W&B's own client that it follows.
public enum Client {
    public static let followedVersion = "0.31.0"
    public static let version = "0.31.0+host"
    public static let userAgent = "host-wandb/1"
}
