/// Checks one pipeline spec: first fields and types, then what the server or a worker would stumble over.
struct SpecCheck {
    private static let shells: Set<String> = ["sh", "bash", "dash", "ash", "zsh", "ksh"]
    /// Names that the worker sets itself.
    private static let workerPrefixes = ["PACH_", "PPS_"]
    private static let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")

    /// - Parameter secrets: the secrets at hand; nil when none was named, so that nothing can be said about them.
    static func check(_ spec: JSONNode, secrets: [SecretFile]?, _ findings: inout SpecFindings) {
        SpecTypes.check(spec, .message("spec"), "", &findings)
        guard spec.members != nil else { return }
        let name = name(spec, &findings)
        transform(spec, secrets, &findings)
        if let input = spec["input"] {
            if spec["spout"] != nil { findings.error(input.position, "input: a spout has none") }
            InputCheck(pipeline: name).check(input, &findings)
        } else if spec["spout"] == nil {
            findings.error(spec.position, "input: missing; without one there is nothing to run on")
        }
        resources(spec, &findings)
        running(spec, &findings)
    }

    private static func name(_ spec: JSONNode, _ findings: inout SpecFindings) -> String? {
        guard let node = spec["pipeline"]?["name"], let name = node.string, !name.isEmpty else {
            let where_ = spec["pipeline"]?["name"] ?? spec["pipeline"] ?? spec
            findings.error(where_.position, "pipeline.name: missing")
            return nil
        }
        if let bad = name.first(where: { !allowed.contains($0) }) {
            findings.error(node.position, "pipeline.name: '\(name)' holds '\(bad)'; only letters, digits, '-' and '_' are allowed")
        } else if name.hasPrefix("-") || name.hasPrefix("_") {
            findings.error(node.position, "pipeline.name: '\(name)' must start with a letter or digit")
        }
        if name.count > 51 {
            findings.error(node.position, "pipeline.name: \(name.count) characters long, at most 51 are allowed")
        }
        return name
    }

    private static func transform(_ spec: JSONNode, _ secrets: [SecretFile]?, _ findings: inout SpecFindings) {
        guard let transform = spec["transform"], transform.members != nil else {
            if spec["transform"] == nil { findings.error(spec.position, "transform: missing") }
            return
        }
        image(transform, &findings)
        command(transform, "cmd", "stdin", &findings)
        command(transform, "err_cmd", "err_stdin", &findings)
        if let folder = transform["working_dir"], let path = folder.string, !path.hasPrefix("/") {
            findings.error(folder.position, "transform.working_dir: expected a path from '/', got '\(path)'")
        }
        for member in transform["env"]?.members ?? [] {
            if workerPrefixes.contains(where: { member.key.hasPrefix($0) }) {
                findings.error(member.position, "transform.env.\(member.key): the worker sets this variable itself")
            }
            if member.key.isEmpty || member.key.contains("=") {
                findings.error(member.position, "transform.env: '\(member.key)' is no name of a variable")
            }
        }
        var mounted: Set<String> = []
        for (i, secret) in (transform["secrets"]?.list ?? []).enumerated() {
            check(secret, "transform.secrets[\(i)]", transform, secrets, &mounted, &findings)
        }
    }

    private static func image(_ transform: JSONNode, _ findings: inout SpecFindings) {
        guard let image = transform["image"], let name = image.string else {
            if transform["image"] == nil {
                findings.error(transform.position, "transform.image: missing; Pachyderm would take ubuntu:20.04")
            }
            return
        }
        let last = name.split(separator: "/", omittingEmptySubsequences: false).last ?? ""
        if name.isEmpty || name.contains(" ") {
            findings.error(image.position, "transform.image: '\(name)' is no image name")
        } else if !last.contains(":"), !name.contains("@") {
            findings.warning(image.position, "transform.image: '\(name)' has no tag; a tag that is used again is not fetched again, so give each build its own")
        } else if last.hasSuffix(":latest") {
            findings.warning(image.position, "transform.image: a node that has some 'latest' does not fetch a newer one; give each build its own tag")
        }
    }

    private static func command(_ transform: JSONNode, _ cmd: String, _ stdin: String, _ findings: inout SpecFindings) {
        let words = transform[cmd]?.list
        if cmd == "cmd", transform[cmd] == nil || words?.isEmpty == true {
            findings.error((transform[cmd] ?? transform).position, "transform.cmd: missing; the image's ENTRYPOINT and CMD are never used")
        }
        if let first = words?.first, let program = first.string {
            if words?.count == 1, program.contains(" ") {
                let split = program.split(separator: " ").map { "\"\($0)\"" }.joined(separator: ", ")
                findings.error(first.position, "transform.\(cmd): one word for each part of the command, no shell reads it; write [\(split)]")
            }
            if let lines = transform[stdin], lines.list?.isEmpty == false,
                !shells.contains(String(program.split(separator: "/").last ?? ""))
            {
                findings.warning(lines.position, "transform.\(stdin): '\(program)' is no shell, will it read these lines?")
            }
        }
        for word in words ?? [] where word.string?.contains("$") == true && !(words?.contains { $0.string == "-c" } ?? false) {
            findings.warning(word.position, "transform.\(cmd): no shell replaces '\(word.string ?? "")'; the program gets it as it is")
        }
    }

    private static func check(
        _ secret: JSONNode, _ path: String, _ transform: JSONNode, _ known: [SecretFile]?, _ mounted: inout Set<String>,
        _ findings: inout SpecFindings
    ) {
        guard secret.members != nil else { return }
        guard let nameNode = secret["name"], let name = nameNode.string, !name.isEmpty else {
            return findings.error(secret.position, "\(path).name: missing")
        }
        if secret["env_var"] == nil, secret["mount_path"] == nil {
            findings.error(secret.position, "\(path): neither env_var nor mount_path, so the program never sees it")
        }
        if let variable = secret["env_var"], secret["key"] == nil {
            findings.error(variable.position, "\(path): env_var needs the key of the secret to take")
        }
        if let variable = secret["env_var"], let text = variable.string, transform["env"]?[text] != nil {
            findings.error(variable.position, "\(path).env_var: transform.env sets \(text) too")
        }
        if let mount = secret["mount_path"], let text = mount.string {
            if !text.hasPrefix("/") { findings.error(mount.position, "\(path).mount_path: expected a path from '/', got '\(text)'") }
            if !mounted.insert(name).inserted { findings.error(mount.position, "\(path): secret '\(name)' is mounted twice; the pod would be refused") }
        }
        guard let known else { return }
        guard let file = known.first(where: { $0.name == name }) else {
            let names = known.map(\.name).joined(separator: ", ")
            return findings.error(nameNode.position, "\(path).name: no secret '\(name)' in the files given, which hold: \(names)")
        }
        if let key = secret["key"], let text = key.string, file.values[text] == nil {
            findings.error(
                key.position,
                "\(path).key: secret '\(name)' (\(file.path)) has no key '\(text)', only: \(file.values.keys.sorted().joined(separator: ", "))")
        }
    }

    private static func resources(_ spec: JSONNode, _ findings: inout SpecFindings) {
        if let gpu = spec["resource_requests"]?["gpu"], spec["resource_limits"]?["gpu"] == nil {
            findings.error(gpu.position, "resource_requests.gpu: a GPU is asked for in resource_limits; in requests alone the pod is refused")
        }
        for field in ["resource_requests", "resource_limits", "sidecar_resource_limits", "sidecar_resource_requests"] {
            if let gpu = spec[field]?["gpu"], gpu.members != nil, gpu["type"] == nil {
                findings.error(gpu.position, "\(field).gpu.type: missing; the device resource, such as \"nvidia.com/gpu\"")
            }
        }
        if let set = spec["datum_set_spec"], let perWorker = set["per_worker"], set["number"] != nil || set["size_bytes"] != nil {
            findings.error(perWorker.position, "datum_set_spec: per_worker excludes number and size_bytes")
        }
    }

    private static func running(_ spec: JSONNode, _ findings: inout SpecFindings) {
        for member in spec.members ?? [] where SpecFields.setByClients.contains(member.key) && !member.value.isNull {
            findings.warning(member.position, "\(member.key): pachctl or the server sets this; leave it out")
        }
        for path in [["datum_tries"], ["parallelism_spec", "constant"], ["datum_set_spec", "number"], ["datum_set_spec", "per_worker"]] {
            let node = path.reduce(Optional(spec)) { $0?[$1] }
            if let node, let number = node.integer, number < (path == ["datum_tries"] ? 0 : 1) {
                findings.error(node.position, "\(path.joined(separator: ".")): expected 1 or more, got \(number)")
            }
        }
        if spec["service"] != nil, let constant = spec["parallelism_spec"]?["constant"], constant.integer != 1 {
            findings.error(constant.position, "parallelism_spec.constant: a service runs on 1 worker")
        }
        if let patch = spec["pod_patch"], let text = patch.string {
            do {
                let node = try JSONText.parse(text)
                if node.list == nil { findings.error(patch.position, "pod_patch: expected a JSON Patch, a list in a string") }
            } catch {
                findings.error(patch.position, "pod_patch: not JSON inside the string: \(error.message)")
            }
        }
        if let uptime = spec["maximum_expected_uptime"], spec["autoscaling"]?.bool != true {
            findings.warning(uptime.position, "maximum_expected_uptime: has an effect with autoscaling only")
        }
    }
}

extension JSONNode {
    /// The integer in a number or in a string of digits.
    var integer: Int? {
        switch value {
        case .number(let text), .string(let text): Double(text).flatMap { Int(exactly: $0) }
        default: nil
        }
    }
    var bool: Bool? { if case .bool(let flag) = value { flag } else { nil } }
}
