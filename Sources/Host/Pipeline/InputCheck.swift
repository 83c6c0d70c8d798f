/// Checks the input of a pipeline: one kind for each level, names, globs, captures.
struct InputCheck {
    let pipeline: String?
    private static let kinds = ["pfs", "cron", "cross", "union", "join", "group"]
    private static let reserved = ["out": "the output folder", ".env": "a file of the worker", ".scratch": "a folder of the worker"]
    /// Variables that programs cannot do without: an input of that name would replace them.
    private static let variables: Set<String> = ["PATH", "HOME", "HOSTNAME", "TMPDIR", "LD_LIBRARY_PATH", "USER", "SHELL", "LANG"]
    private static let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")

    init(pipeline: String?) { self.pipeline = pipeline }

    func check(_ input: JSONNode, _ findings: inout SpecFindings) {
        _ = names(input, "input", parent: nil, &findings)
    }

    /// Checks a level and gives the input names below it.
    private func names(
        _ input: JSONNode, _ path: String, parent: String?, _ findings: inout SpecFindings
    ) -> [(name: String, position: TextPosition)] {
        guard input.members != nil else { return [] }
        let present = Self.kinds.filter { input[$0] != nil }
        guard present.count == 1, let kind = present.first, let node = input[kind] else {
            let got = present.isEmpty ? "none" : present.joined(separator: " and ")
            findings.error(input.position, "\(path): expected exactly one of \(Self.kinds.joined(separator: ", ")), got \(got)")
            return []
        }
        switch kind {
        case "pfs": return pfs(node, path + ".pfs", parent: parent, &findings)
        case "cron": return cron(node, path + ".cron", &findings)
        default: return several(node, kind, path + "." + kind, &findings)
        }
    }

    private func several(
        _ node: JSONNode, _ kind: String, _ path: String, _ findings: inout SpecFindings
    ) -> [(name: String, position: TextPosition)] {
        guard let list = node.list else { return [] }
        if list.isEmpty { findings.error(node.position, "\(path): empty, so there are no datums") }
        var all: [(name: String, position: TextPosition)] = []
        for (i, inner) in list.enumerated() {
            let found = names(inner, "\(path)[\(i)]", parent: kind, &findings)
            // The branches of a union never meet in one datum.
            if kind != "union" {
                for name in found where all.contains(where: { $0.name == name.name }) {
                    findings.error(name.position, "\(path)[\(i)]: a second input called '\(name.name)'; give one of them another pfs.name")
                }
            }
            all += found
        }
        return all
    }

    private func pfs(
        _ node: JSONNode, _ path: String, parent: String?, _ findings: inout SpecFindings
    ) -> [(name: String, position: TextPosition)] {
        guard node.members != nil else { return [] }
        let repo = node["repo"]
        if repo?.string?.isEmpty != false, repo == nil || repo?.string != nil {
            findings.error((repo ?? node).position, "\(path).repo: missing")
        }
        if let repo, let name = repo.string, name == pipeline, node["repo_type"] == nil {
            findings.error(repo.position, "\(path).repo: '\(name)' is this pipeline's own output; pipelines must not form a circle")
        }
        if let commit = node["commit"] { findings.error(commit.position, "\(path).commit: refused since Pachyderm 2.6; name a branch") }
        let glob = glob(node, path, &findings)
        join(node, path, parent: parent, captures: glob?.captureCount, &findings)
        special(node, path, parent: parent, &findings)
        guard let nameNode = node["name"] ?? repo, let name = nameNode.string, !name.isEmpty else { return [] }
        check(name, nameNode.position, node["name"] == nil ? path + ".repo" : path + ".name", &findings)
        return [(name, nameNode.position)]
    }

    private func check(_ name: String, _ position: TextPosition, _ path: String, _ findings: inout SpecFindings) {
        if let meaning = Self.reserved[name] {
            findings.error(position, "\(path): '\(name)' is \(meaning), no name for an input")
        } else if let bad = name.first(where: { !Self.allowed.contains($0) }) {
            findings.error(position, "\(path): '\(name)' holds '\(bad)'; only letters, digits, '-' and '_' are allowed")
        } else if Self.variables.contains(name) {
            findings.error(position, "\(path): an input called '\(name)' replaces the variable \(name) of the program; set pfs.name")
        }
    }

    private func glob(_ node: JSONNode, _ path: String, _ findings: inout SpecFindings) -> Glob? {
        guard let globNode = node["glob"] else {
            findings.error(node.position, "\(path).glob: missing; \"/\" makes the whole repo one datum")
            return nil
        }
        guard let text = globNode.string else { return nil }
        if text.isEmpty {
            findings.error(globNode.position, "\(path).glob: empty; \"/\" makes the whole repo one datum")
            return nil
        }
        do {
            let glob = try Glob(text)
            if text.count > 1, text.hasSuffix("/") {
                findings.error(globNode.position, "\(path).glob: '\(text)' ends in '/', which no path does; write '\(text.dropLast())'")
            }
            if text.contains("//") { findings.error(globNode.position, "\(path).glob: '\(text)' has an empty part between slashes") }
            return glob
        } catch {
            // The pattern starts after the opening quote.
            let column = globNode.position.column + 1 + error.offset
            findings.error(TextPosition(line: globNode.position.line, column: column), "\(path).glob: \(error.message)")
            return nil
        }
    }

    private func join(_ node: JSONNode, _ path: String, parent: String?, captures: Int?, _ findings: inout SpecFindings) {
        for (field, kind) in [("join_on", "join"), ("group_by", "group")] {
            guard let key = node[field], let template = key.string else {
                if parent == kind { findings.error(node.position, "\(path).\(field): missing; inputs of a \(kind) need it, such as \"$1\"") }
                continue
            }
            if parent == "cross" || parent == "union" || parent == nil {
                findings.error(key.position, "\(path).\(field): has a meaning inside a \(kind) only")
            }
            let used = Glob.references(in: template)
            if used.isEmpty { findings.error(key.position, "\(path).\(field): '\(template)' refers to no capture, such as $1") }
            for number in used {
                guard let captures, number < 1 || number > captures else { continue }
                findings.error(key.position, "\(path).\(field): $\(number) is not in the glob, which has \(captures) captures; put what to match in brackets: \"/(*).csv\"")
            }
        }
        if let outer = node["outer_join"], parent != "join" {
            findings.error(outer.position, "\(path).outer_join: has a meaning inside a join only")
        }
    }

    private func special(_ node: JSONNode, _ path: String, parent: String?, _ findings: inout SpecFindings) {
        if let s3 = node["s3"], s3.bool == true {
            if node["glob"]?.string != "/" { findings.error(s3.position, "\(path).s3: needs glob \"/\"") }
            if node["lazy"]?.bool == true || node["empty_files"]?.bool == true {
                findings.error(s3.position, "\(path).s3: does not go with lazy or empty_files")
            }
            if let parent, parent != "cross" { findings.error(s3.position, "\(path).s3: not inside a \(parent)") }
        }
        if let trigger = node["trigger"], trigger.members != nil {
            if let source = trigger["branch"]?.string, source == (node["branch"]?.string ?? "master"), node["branch"] != nil {
                findings.error(trigger.position, "\(path).trigger.branch: the input's own branch '\(source)' cannot trigger itself")
            }
            if ["size", "commits", "rate_limit_spec", "cron_spec"].allSatisfy({ trigger[$0] == nil }) {
                findings.error(trigger.position, "\(path).trigger: no condition; give size, commits, rate_limit_spec or cron_spec")
            }
        }
    }

    private func cron(
        _ node: JSONNode, _ path: String, _ findings: inout SpecFindings
    ) -> [(name: String, position: TextPosition)] {
        guard node.members != nil else { return [] }
        if let spec = node["spec"] {
            if let text = spec.string, !Self.isCron(text) {
                findings.error(spec.position, "\(path).spec: '\(text)' is no schedule; write five fields \"0 3 * * *\", \"@daily\" or \"@every 90s\"")
            }
        } else {
            findings.error(node.position, "\(path).spec: missing; five fields such as \"0 3 * * *\", or \"@daily\"")
        }
        guard let nameNode = node["name"], let name = nameNode.string, !name.isEmpty else {
            findings.error(node.position, "\(path).name: missing")
            return []
        }
        check(name, nameNode.position, path + ".name", &findings)
        return [(name, nameNode.position)]
    }

    private static func isCron(_ text: String) -> Bool {
        let named: Set<String> = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly", "@never"]
        if named.contains(text) { return true }
        if text.hasPrefix("@every ") { return text.count > 7 && text.last.map { "smh".contains($0) } == true }
        let fields = text.split(separator: " ")
        return fields.count == 5
            && fields.allSatisfy { $0.allSatisfy { $0.isASCII && ($0.isNumber || $0.isLetter || "*,-/?LW#".contains($0)) } }
    }
}
