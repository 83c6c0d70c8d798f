/// Everything that can go wrong in this library by a caller's doing. The message says what arrived
/// and what was expected; whoever reports it adds where.
public struct TensorError: Error, CustomStringConvertible {
    public enum Kind: Sendable { case value, outOfMemory, interrupted }

    public var message: String
    public var kind: Kind

    public init(_ message: String, kind: Kind = .value) {
        self.message = message
        self.kind = kind
    }

    public var description: String { message }
}
