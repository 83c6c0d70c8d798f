/// Replaces secrets by stars in everything that leaves the program as text.
package struct Redactor: Sendable {
    private let secrets: [[UInt8]]
    private static let shortest = 8
    private static let stars: [UInt8] = Array("********".utf8)

    /// The API key, and the values of variables whose names say that they hold a secret.
    package init(key: APIKey?, environment: [String: String] = [:]) {
        var found: [String] = []
        if let key { found.append(key.secret) }
        for (name, value) in environment where value.utf8.count >= Self.shortest {
            let name = name.uppercased()
            let endings = ["_API_KEY", "_TOKEN", "_SECRET", "_PASSWORD", "_PASSWD", "_ACCESS_KEY", "_SECRET_KEY"]
            if endings.contains(where: name.hasSuffix) || name == "PASSWORD" { found.append(value) }
        }
        secrets = found.map { Array($0.utf8) }.filter { !$0.isEmpty }.sorted { $0.count > $1.count }
    }

    package func redact(_ text: String) -> String {
        var bytes: [UInt8]?
        for secret in secrets {
            let utf8 = bytes ?? Array(text.utf8)
            if let replaced = Self.replace(secret, in: utf8) { bytes = replaced }
        }
        return bytes.map { String(decoding: $0, as: UTF8.self) } ?? text
    }

    package func redact(_ value: WandbValue) -> WandbValue {
        switch value {
        case .string(let text): .string(redact(text))
        case .list(let values): .list(values.map(redact))
        case .map(let map): .map(redact(map))
        default: value
        }
    }

    package func redact(_ map: WandbMap) -> WandbMap {
        WandbMap(map.entries.map { ($0.key, redact($0.value)) })
    }

    private static func replace(_ secret: [UInt8], in text: [UInt8]) -> [UInt8]? {
        guard text.count >= secret.count else { return nil }
        var output: [UInt8] = []
        var position = 0
        var copied = 0
        let last = text.count - secret.count
        while position <= last {
            if text[position] == secret[0], text[position..<position + secret.count].elementsEqual(secret) {
                output.append(contentsOf: text[copied..<position])
                output.append(contentsOf: stars)
                position += secret.count
                copied = position
            } else {
                position += 1
            }
        }
        guard copied > 0 else { return nil }
        output.append(contentsOf: text[copied...])
        return output
    }
}
