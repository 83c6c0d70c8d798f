#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

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

    /// Writes a machine's entry, readable by its owner only; other entries stay as they are.
    package static func store(_ password: String, for machine: String, environment: [String: String]) throws(WandbError) {
        let home = Settings.homeDirectory(environment)
        let path = path(environment: environment, home: home) ?? "\(home)/.netrc"
        var text = without(machine, Files.readText(path) ?? "")
        if !text.isEmpty, !text.hasSuffix("\n") { text += "\n" }
        text += "machine \(machine)\n  login user\n  password \(password)\n"
        try Files.write(text, to: path, mode: 0o600)
        chmod(path, 0o600)
    }

    /// The text without a machine's entry: from its line to the next entry.
    private static func without(_ machine: String, _ text: String) -> String {
        var kept: [Substring] = []
        var isSkipping = false
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.first == "machine" { isSkipping = words.count > 1 && words[1] == machine }
            if words.first == "default" || words.first == "macdef" { isSkipping = false }
            if !isSkipping { kept.append(line) }
        }
        return kept.joined(separator: "\n")
    }

    package static func path(environment: [String: String], home: String) -> String? {
        if let named = environment["NETRC"], !named.isEmpty { return named }
        return ["\(home)/.netrc", "\(home)/_netrc"].first { Files.exists($0) }
    }
}
