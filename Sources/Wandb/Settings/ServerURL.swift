/// The server's base URL and the pages that follow from it.
package struct ServerURL: Sendable {
    package let base: String

    package init(_ base: String) { self.base = base.hasSuffix("/") ? String(base.dropLast()) : base }

    package var scheme: String { base.split(separator: ":").first.map(String.init) ?? "" }

    /// Host and port, as `.netrc` names machines.
    package var authority: String {
        guard let mark = base.firstRange(of: "://") else { return base }
        return base[mark.upperBound...].prefix { $0 != "/" }.split(separator: "@").last.map(String.init) ?? ""
    }

    package static func checked(_ text: String, source: String) throws(WandbError) -> String {
        var text = text
        while text.hasSuffix("/") { text.removeLast() }
        let url = ServerURL(text)
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), !url.authority.isEmpty else {
            throw .usage("wandb: \(source): base_url is '\(text)'; expected http://… or https://…")
        }
        if url.authority.hasSuffix("wandb.ai") {
            guard url.authority.hasPrefix("api.") || url.authority.contains(".api.") else {
                throw .usage("wandb: \(source): base_url is '\(text)'; did you mean https://api.wandb.ai?")
            }
            guard url.scheme == "https" else {
                throw .usage("wandb: \(source): base_url is '\(text)'; \(url.authority) needs https")
            }
        }
        return text
    }

    /// The web page's root.
    package func app(override: String?) -> String {
        if let override { return override.hasSuffix("/") ? String(override.dropLast()) : override }
        if authority == "api.wandb.ai" { return "https://wandb.ai" }
        if authority == "api.forge.coreweave.com" { return "https://forge.coreweave.com/wandb" }
        if authority.hasPrefix("api.") { return base.replacingFirst("://api.", with: "://app.") }
        return base
    }

    /// True when a request to the URL may carry the key: same scheme, host, port and path prefix.
    package func owns(_ url: String) -> Bool {
        url.hasPrefix(base) && (url.utf8.count == base.utf8.count || "/?".contains(url.dropFirst(base.count).first ?? "/"))
    }

    package static func encoded(_ part: String) -> String {
        var bytes: [UInt8] = []
        for byte in part.utf8 {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                bytes.append(byte)
            default:
                bytes.append(UInt8(ascii: "%"))
                bytes.append(contentsOf: [byte >> 4, byte & 15].map { $0 < 10 ? 48 + $0 : 55 + $0 })
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension String {
    package func replacingFirst(_ old: String, with new: String) -> String {
        guard let range = firstRange(of: old) else { return self }
        return self[..<range.lowerBound] + new + self[range.upperBound...]
    }
}
