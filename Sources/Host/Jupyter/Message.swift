import CCrypto
import Wandb

/// One message of the Jupyter protocol, 5.3: <https://jupyter-client.readthedocs.io/en/stable/messaging.html>.
package struct Message: Sendable {
    /// Where answers on a router socket go.
    package var identities: [[UInt8]] = []
    package var header: WandbMap
    package var parent: WandbMap = [:]
    package var metadata: WandbMap = [:]
    package var content: WandbMap

    package var type: String { header["msg_type"]?.stringValue ?? "" }

    static let version = "5.3"
}

/// Writes messages to frames and reads them, with the key that both sides know.
package struct MessageCodec: Sendable {
    /// Empty: nothing is signed.
    let key: [UInt8]
    let session: String

    package init(key: [UInt8], session: String) {
        self.key = key
        self.session = session
    }

    private static let delimiter = Array("<IDS|MSG>".utf8)

    struct Failure: Error, CustomStringConvertible { let description: String }

    /// A message from this kernel.
    package func message(_ type: String, _ content: WandbMap, parent: Message?, metadata: WandbMap = [:]) -> Message {
        let header: WandbMap = [
            "msg_id": .string(Hex.randomID()), "session": .string(session), "username": .string("kernel"), "date": .string(Self.date()),
            "msg_type": .string(type), "version": .string(Message.version),
        ]
        return Message(identities: parent?.identities ?? [], header: header, parent: parent?.header ?? [:], metadata: metadata, content: content)
    }

    package func frames(_ message: Message) -> [[UInt8]] {
        let parts = [message.header, message.parent, message.metadata, message.content].map { Wandb.JSONWriter.bytes(.map($0)) }
        return message.identities + [Self.delimiter, Array(signature(parts).utf8)] + parts
    }

    /// - Throws: `Failure` for what is no message, or not signed with the key.
    package func message(_ frames: [[UInt8]]) throws -> Message {
        guard let mark = frames.firstIndex(of: Self.delimiter), frames.count >= mark + 6 else { throw Failure(description: "a message without its frames") }
        let parts = Array(frames[(mark + 2)..<(mark + 6)])
        guard key.isEmpty || Self.isEqual(Array(signature(parts).utf8), frames[mark + 1]) else { throw Failure(description: "a message with a wrong signature") }
        let maps = try parts.map { part in
            guard let map = try Wandb.JSONReader.value(part).mapValue else { throw Failure(description: "a message whose parts are no objects") }
            return map
        }
        return Message(identities: Array(frames[..<mark]), header: maps[0], parent: maps[1], metadata: maps[2], content: maps[3])
    }

    /// HMAC-SHA256 over the four parts, in hexadecimal.
    private func signature(_ parts: [[UInt8]]) -> String {
        guard !key.isEmpty else { return "" }
        let text = parts.flatMap { $0 }
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        _ = HMAC(EVP_sha256(), key, Int32(clamping: key.count), text, text.count, &digest, &length)
        return Hex.text(Array(digest.prefix(Int(length))))
    }

    /// Takes as long for different bytes as for equal ones.
    private static func isEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool { a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0 }

    /// The time as ISO 8601.
    private static func date() -> String { TimeText.utc(WBTime(secondsSince1970: Clock.now()), suffix: "Z") }
}
