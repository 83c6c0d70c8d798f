/// `.netrc`: tokens `machine <host> login <user> password <key>`, `default`, and `#` comments.
package enum Netrc {
    /// The password for a machine, whose name is the URL's authority, port included.
    package static func password(for machine: String, in text: String) -> String? {
        var tokens: [String] = []
        for line in text.split(separator: "\n") {
            for token in line.split(whereSeparator: \.isWhitespace) {
                if token.hasPrefix("#"), tokens.last != "password" { break }
                tokens.append(String(token))
            }
        }
        var matches = false
        var fallback: String?
        var inDefault = false
        var position = 0
        while position < tokens.count {
            let argument = position + 1 < tokens.count ? tokens[position + 1] : nil
            switch tokens[position] {
            case "machine":
                matches = argument == machine
                inDefault = false
                position += 2
            case "default":
                matches = false
                inDefault = true
                position += 1
            case "password":
                if matches, let argument { return argument }
                if inDefault { fallback = argument }
                position += 2
            case "login", "account": position += 2
            default: position += 1
            }
        }
        return fallback
    }

    package static func path(environment: [String: String], home: String) -> String? {
        if let named = environment["NETRC"], !named.isEmpty { return named }
        return ["\(home)/.netrc", "\(home)/_netrc"].first { Files.exists($0) }
    }
}
