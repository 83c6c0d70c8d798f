/// What went wrong, as a person should read it: where, what, the values that arrived, what to do.
public struct WandbError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        /// A value that cannot be logged, or an option that cannot be understood.
        case usage
        /// A file or directory that cannot be read or written.
        case file
        /// The server refused: the HTTP status.
        case refused(status: Int)
        /// The server could not be reached, or did not answer in time.
        case unreachable
        /// The server's answer, or a file, is not what the format says.
        case format
    }

    public let kind: Kind
    public let description: String

    public init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    package static func usage(_ text: String) -> WandbError { WandbError(.usage, text) }
    package static func file(_ text: String) -> WandbError { WandbError(.file, text) }
    package static func format(_ text: String) -> WandbError { WandbError(.format, text) }
}
