/// An API key. It never prints itself: what it says of itself are its last four characters.
public struct APIKey: Sendable, Equatable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let secret: String
    /// Where it was found, for messages: `WANDB_API_KEY`, a path.
    public let source: String

    package init(unchecked secret: String, source: String) {
        self.secret = secret
        self.source = source
    }

    /// A key is `[prefix-]secret` with a secret of at least 40 characters, or a JSON web token.
    public init(_ text: String, source: String) throws(WandbError) {
        guard text.trimmed == text else {
            throw .usage("wandb: the API key from \(source) has white space around it; remove it")
        }
        let secret = text.firstIndex(of: "-").map { text[text.index(after: $0)...] } ?? text[...]
        let isToken = text.split(separator: ".", omittingEmptySubsequences: false).count == 3
            && text.utf8.allSatisfy { Self.isWordByte($0) || $0 == UInt8(ascii: ".") }
        guard isToken || (secret.utf8.count >= 40 && secret.utf8.allSatisfy(Self.isWordByte)) else {
            throw .usage(
                "wandb: the API key from \(source) has \(secret.count) characters; expected at least 40 of "
                    + "A-Z a-z 0-9 _ -. Get a key at https://wandb.ai/authorize")
        }
        self.init(unchecked: text, source: source)
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }

    public var lastFour: String { String(secret.suffix(4)) }
    public var description: String { "…\(lastFour) (from \(source))" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
