/// A Kubernetes Secret as `pachctl create secret -f` takes it. Its values appear in no message.
struct SecretFile {
    let path: String
    let name: String
    /// Key to text; what was base64 is decoded.
    let values: [String: String]

    static func isSecret(_ node: JSONNode) -> Bool { node["kind"]?.string == "Secret" }

    /// Checks the file and reads it; nil when it holds no usable secret.
    static func read(_ node: JSONNode, path: String, _ findings: inout SpecFindings) -> SecretFile? {
        for member in node.members ?? [] where !fields.contains(member.key) {
            findings.error(member.position, "\(member.key): a Secret has no such field; it has: \(fields.joined(separator: ", "))")
        }
        if node["apiVersion"]?.string != "v1" {
            findings.error((node["apiVersion"] ?? node).position, "apiVersion: expected \"v1\"")
        }
        if let type = node["type"], type.string != "Opaque" {
            findings.error(type.position, "type: expected \"Opaque\", got \(type.string == nil ? type.kind : "another text")")
        }
        guard let nameNode = node["metadata"]?["name"], let name = nameNode.string, !name.isEmpty else {
            findings.error((node["metadata"] ?? node).position, "metadata.name: missing")
            return nil
        }
        if !name.allSatisfy({ $0.isASCII && ($0.isNumber || ($0.isLetter && $0.isLowercase) || $0 == "-" || $0 == ".") }) {
            findings.error(nameNode.position, "metadata.name: '\(name)': Kubernetes allows lower-case letters, digits, '-' and '.'")
        }
        var values: [String: String] = [:]
        for field in ["stringData", "data"] {
            guard let group = node[field] else { continue }
            guard let members = group.members else {
                findings.error(group.position, "\(field): expected an object of strings")
                continue
            }
            for member in members {
                guard let text = member.value.string else {
                    findings.error(member.value.position, "\(field).\(member.key): expected a string")
                    continue
                }
                if field == "stringData" {
                    values[member.key] = text
                } else if let decoded = Base64.decode(text) {
                    values[member.key] = String(decoding: decoded, as: UTF8.self)
                } else {
                    findings.error(member.value.position, "data.\(member.key): not base64; plain text belongs into stringData")
                }
                if values[member.key]?.last?.isNewline == true {
                    findings.warning(member.value.position, "\(field).\(member.key): ends in a newline, which becomes part of the value")
                }
            }
        }
        if values.isEmpty { findings.error(node.position, "stringData: missing; a secret without keys is of no use") }
        return SecretFile(path: path, name: name, values: values)
    }

    private static let fields = ["apiVersion", "kind", "type", "metadata", "stringData", "data", "immutable"]

    /// Whether a value is the template's place holder or nothing.
    static func isPlaceholder(_ value: String) -> Bool { value.isEmpty || (value.hasPrefix("<") && value.hasSuffix(">")) }
}

enum Base64 {
    /// The bytes of strict base64 with padding; nil when it is none.
    static func decode(_ text: String) -> [UInt8]? {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let bytes = Array(text.utf8)
        guard bytes.count % 4 == 0 else { return nil }
        var result: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 4) {
            var word: UInt32 = 0, padding = 0
            for byte in bytes[start..<start + 4] {
                word <<= 6
                if byte == UInt8(ascii: "="), start + 4 == bytes.count {
                    padding += 1
                } else {
                    guard padding == 0, let value = alphabet.firstIndex(of: byte) else { return nil }
                    word |= UInt32(value)
                }
            }
            guard padding <= 2 else { return nil }
            result += [UInt8(word >> 16 & 255), UInt8(word >> 8 & 255), UInt8(word & 255)].dropLast(padding)
        }
        return result
    }
}
