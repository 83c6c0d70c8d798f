extension Settings {
    /// Sets one setting from text. Names that this client has no use for are accepted and ignored.
    public mutating func set(_ name: String, to value: String, source: String) throws(WandbError) {
        func wrong(_ expected: String) -> WandbError {
            .usage("wandb: \(source): \(name) is '\(value)'; expected \(expected)")
        }
        func flag() throws(WandbError) -> Bool {
            guard let flag = Self.boolean(value) else { throw wrong("true or false") }
            return flag
        }
        func number(from least: Double = 0) throws(WandbError) -> Double {
            guard let number = Double(value), number.isFinite, number >= least else {
                throw wrong("a number of at least \(least)")
            }
            return number
        }
        func list() -> [String] { value.split(separator: ",").map(\.trimmed).filter { !$0.isEmpty } }

        switch name {
        case "base_url": baseURL = try ServerURL.checked(value, source: source)
        case "app_url_override": appURLOverride = value
        case "mode": try setMode(value, wrong: wrong)
        case "project": project = try Self.checkedProject(value, source: source)
        case "entity": entity = value
        case "run_name": runName = value
        case "run_id": runID = try Self.checkedRunID(value, source: source)
        case "run_group": runGroup = value
        case "run_job_type": jobType = value
        case "run_notes": notes = value
        case "run_tags": tags = try list().map { (tag) throws(WandbError) in try Self.checkedTag(tag, source: source) }
        case "root_dir": rootDirectory = value
        case "resume":
            switch (ResumeMode(rawValue: value), Self.boolean(value)) {
            case (let mode?, _): resume = mode
            case (nil, true): resume = .auto
            case (nil, false): resume = nil
            default: throw wrong("allow, must, never or auto")
            }
        case "fork_from": forkFrom = value
        case "resume_from": resumeFrom = value
        case "sweep_id": sweepID = value
        case "sweep_param_path": sweepParamPath = value
        case "silent": silent = try flag()
        case "quiet": quiet = try flag()
        case "console":
            guard ["auto", "wrap", "redirect", "wrap_raw", "wrap_emu", "off"].contains(value) else {
                throw wrong("auto, wrap, redirect, wrap_raw, wrap_emu or off")
            }
            capturesConsole = value != "off"
        case "save_code": savesCode = try flag()
        case "disable_code": disablesCode = try flag()
        case "disable_git": disablesGit = try flag()
        case "ignore_globs": ignoreGlobs = list()
        case "host": host = value
        case "program": program = value
        case "args": arguments = value.split(separator: " ").map(String.init)
        case "docker": docker = value
        case "username": username = value
        case "email": email = value
        case "git_root": gitRoot = value
        case "git_commit": gitCommit = value
        case "git_remote_url": gitRemoteURL = value
        case "api_key": apiKey = try APIKey(value, source: source)
        default: try setTuning(name, value, wrong: wrong, flag: flag, number: number)
        }
    }

    private mutating func setTuning(
        _ name: String, _ value: String, wrong: (String) -> WandbError,
        flag: () throws(WandbError) -> Bool, number: (Double) throws(WandbError) -> Double
    ) throws(WandbError) {
        switch name {
        case "init_timeout": initTimeout = try number(0)
        case "finish_timeout":
            let seconds = try number(0)
            finishTimeout = seconds > 0 ? seconds : nil
        case "x_graphql_timeout_seconds": graphQLTimeout = try number(0)
        case "x_file_transfer_timeout_seconds": fileTransferTimeout = try number(0)
        case "cache_dir": cacheDirectory = value
        case "artifact_dir": artifactDirectory = value
        case "x_file_stream_transmit_interval": fileStreamInterval = try number(0)
        case "x_file_stream_timeout_seconds": fileStreamTimeout = try number(0)
        case "x_file_stream_max_bytes": fileStreamMaxBytes = try Self.count(value, from: 1024, wrong)
        case "x_file_stream_max_line_bytes": fileStreamMaxLineBytes = try Self.count(value, from: 1024, wrong)
        case "x_file_stream_retry_max": fileStreamRetries = try Self.count(value, from: 0, wrong)
        case "x_file_stream_no_gzip": compressesFileStream = !(try flag())
        case "x_disable_stats": disablesStats = try flag()
        case "x_disable_meta": disablesMetadata = try flag()
        case "x_disable_machine_info": disablesMachineInfo = try flag()
        case "x_stats_sampling_interval":
            statsInterval = try number(0.1)
            statsFirstAfter = min(statsFirstAfter, statsInterval)
        case "x_extra_http_headers":
            guard let map = (try? JSONReader.value(value))?.mapValue else { throw wrong("a JSON object of strings") }
            extraHeaders = map.entries.map { ($0.key, $0.value.stringValue ?? JSONWriter.text($0.value)) }
        case "x_primary": isPrimary = try flag()
        case "x_label": label = value
        case "x_update_finish_state": updatesFinishState = try flag()
        case "insecure_disable_ssl": disablesTLSVerification = try flag()
        case "http_proxy": httpProxy = value
        case "https_proxy": httpsProxy = value
        default: break
        }
    }

    private mutating func setMode(_ value: String, wrong: (String) -> WandbError) throws(WandbError) {
        let names: [String: RunMode] = [
            "online": .online, "run": .online, "offline": .offline, "dryrun": .offline, "disabled": .disabled,
            "shared": .shared,
        ]
        guard let named = names[value] else { throw wrong("online, offline, disabled or shared") }
        mode = named
        modeWasAsked = true
    }

    private static func count(_ value: String, from least: Int, _ wrong: (String) -> WandbError)
        throws(WandbError) -> Int
    {
        guard let count = Int(value), count >= least else { throw wrong("a whole number of at least \(least)") }
        return count
    }

    package static func checkedProject(_ name: String, source: String) throws(WandbError) -> String {
        if let bad = name.first(where: { "/\\#?%:".contains($0) }) {
            throw .usage("wandb: \(source): project '\(name)' contains '\(bad)'; none of / \\ # ? % : may be in it")
        }
        guard name.count <= 128 else {
            throw .usage("wandb: \(source): the project's name has \(name.count) characters; at most 128 are allowed")
        }
        return name
    }

    package static func checkedRunID(_ id: String, source: String) throws(WandbError) -> String {
        guard !id.isEmpty, id.trimmed == id, !id.contains(where: { ":;,#?/'".contains($0) }) else {
            throw .usage(
                "wandb: \(source): run id '\(id)' must not be empty, have white space around it, or contain "
                    + "any of : ; , # ? / '")
        }
        return id
    }

    package static func checkedTag(_ tag: String, source: String) throws(WandbError) -> String {
        guard (1...64).contains(tag.count) else {
            throw .usage("wandb: \(source): tag '\(tag)' has \(tag.count) characters; expected 1 to 64")
        }
        return tag
    }
}
