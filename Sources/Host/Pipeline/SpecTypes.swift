import LuaBridge

/// Compares a JSON value with what a field may hold: unknown fields and wrong types.
struct SpecTypes {
    /// - Parameter path: the field's name from the top, for messages.
    static func check(_ node: JSONNode, _ type: SpecType, _ path: String, _ findings: inout SpecFindings) {
        if node.isNull { return }
        switch type {
        case .list(let inner):
            guard let list = node.list else { return mismatch(node, type, path, &findings) }
            for (i, item) in list.enumerated() {
                if item.isNull {
                    findings.error(item.position, "\(path)[\(i)]: expected \(inner.description), got null")
                } else {
                    check(item, inner, "\(path)[\(i)]", &findings)
                }
            }
        case .map(let inner):
            guard let members = node.members else { return mismatch(node, type, path, &findings) }
            for member in members { check(member.value, inner, "\(path).\(member.key)", &findings) }
        case .message(let name):
            guard let members = node.members else { return mismatch(node, type, path, &findings) }
            message(members, name, path, &findings)
        default:
            if !fits(node, type) { mismatch(node, type, path, &findings) }
        }
    }

    private static func message(_ members: [JSONNode.Member], _ name: String, _ path: String, _ findings: inout SpecFindings) {
        let fields = SpecFields.fields(of: name)
        let prefix = path.isEmpty ? "" : path + "."
        var seen: [String: String] = [:]
        for member in members {
            if name == "spec", member.key == "$schema" { continue }
            guard let field = fields[member.key] != nil ? member.key : fields.keys.first(where: { $0.camelCase == member.key }) else {
                unknown(member, Array(fields.keys).sorted(), prefix, &findings)
                continue
            }
            if let other = seen[field] {
                findings.error(member.position, "\(prefix)\(member.key): the same field as \(other) above")
            }
            seen[field] = member.key
            if let type = fields[field] { check(member.value, type, prefix + field, &findings) }
        }
    }

    private static func unknown(_ member: JSONNode.Member, _ known: [String], _ prefix: String, _ findings: inout SpecFindings) {
        let name = prefix + member.key
        if member.key == "tf_job" {
            findings.error(member.position, "\(name): Pachyderm refuses this field")
        } else if let instead = SpecFields.gone[member.key] {
            findings.error(member.position, "\(name): Pachyderm 2 has no such field; \(instead)")
        } else {
            let hint = Suggest.hint(member.key, in: known)
            let list = hint.isEmpty ? "; it knows: \(known.joined(separator: ", "))" : hint
            findings.error(member.position, "\(name): unknown field\(list)")
        }
    }

    private static func mismatch(_ node: JSONNode, _ type: SpecType, _ path: String, _ findings: inout SpecFindings) {
        let at = path.isEmpty ? "the spec" : path
        if case .map(.string) = type { return findings.error(node.position, "\(at): expected an object of strings, got \(node.kind)") }
        var advice = ""
        if case .list(.string) = type, let text = node.string, text.contains(" ") {
            let words = text.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ", ")
            advice = "; write [\(words)]"
        } else if case .string = type, case .number(let digits) = node.value {
            advice = "; write \"\(digits)\""
        } else if case .quantity = type, case .number(let digits) = node.value {
            advice = "; write \"\(digits)\""
        } else if case .duration = type, let seconds = node.string.flatMap(seconds(ofUnits:)) {
            advice = "; write \"\(seconds)s\" (only versions up to 2.6 take other units)"
        } else if case .duration = type, case .number(let digits) = node.value {
            advice = "; write \"\(digits)s\""
        }
        findings.error(node.position, "\(at): expected \(type.description), got \(node.kind)\(advice)")
    }

    private static func fits(_ node: JSONNode, _ type: SpecType) -> Bool {
        switch (type, node.value) {
        case (.string, .string), (.bool, .bool): true
        // Protocol buffers' JSON takes numbers in quotes too.
        case (.int, .number(let text)), (.int, .string(let text)): Double(text).flatMap { Int64(exactly: $0) } != nil
        case (.number, .number(let text)), (.number, .string(let text)): Double(text)?.isFinite == true
        case (.duration, .string(let text)): Duration.seconds(text) != nil
        case (.quantity, .string(let text)): Quantity.isValid(text)
        case (.timestamp, .string(let text)): isTimestamp(text)
        case (.oneOf(let words), .string(let text)): words.contains(text)
        default: false
        }
    }

    private static func isTimestamp(_ text: String) -> Bool {
        guard let glob = try? Glob("/[0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]*@(Z|[0-9][0-9]:[0-9][0-9])")
        else { return false }
        return glob.match("/" + text) != nil
    }

    /// "1h30m" in seconds; nil for anything else, also for plain seconds.
    private static func seconds(ofUnits text: String) -> Int? {
        var total = 0, digits = ""
        for character in text {
            if character.isASCII, character.isNumber {
                digits.append(character)
            } else {
                guard let unit = ["h": 3600, "m": 60, "s": 1][character], let value = Int(digits), value < 1_000_000 else { return nil }
                total += unit * value
                digits = ""
            }
        }
        return digits.isEmpty && total > 0 ? total : nil
    }
}

/// Durations of protocol buffers: seconds with an `s`.
package enum Duration {
    package static func seconds(_ text: String) -> Double? {
        guard text.hasSuffix("s"), let value = Double(text.dropLast()), value.isFinite, value >= 0, value <= 315_576_000_000,
            text.dropLast().allSatisfy({ ("0"..."9").contains($0) || $0 == "." })
        else { return nil }
        return value
    }
}

/// Kubernetes quantities: a number and a unit, `512Mi`, `1.5G`, `500m`, `1e3`.
enum Quantity {
    private static let units: Set<String> = [
        "", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei",
    ]

    static func isValid(_ text: String) -> Bool {
        let number = text.prefix { ("0"..."9").contains($0) || $0 == "." }
        guard Double(number) != nil else { return false }
        let unit = String(text.dropFirst(number.count))
        if units.contains(unit) { return true }
        guard unit.first == "e" || unit.first == "E" else { return false }
        return Int(unit.dropFirst()) != nil
    }
}
