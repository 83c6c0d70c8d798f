#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

public enum RunMode: String, Sendable {
    case online, offline, disabled, shared
}

public enum ResumeMode: String, Sendable {
    case allow, must, never, auto
}

/// Everything that can be set, under W&B's names. Later sources win: defaults, the global settings file, the
/// workspace's, the environment, arguments.
public struct Settings: Sendable {
    public var baseURL = "https://api.wandb.ai"
    public var appURLOverride: String?
    public var mode = RunMode.online
    /// True when a person asked for the mode: `online` by default may fall back to offline, `online` by request not.
    public var modeWasAsked = false
    public var project: String?
    public var entity: String?
    public var runName: String?
    public var runID: String?
    public var runGroup: String?
    public var jobType: String?
    public var notes: String?
    public var tags: [String] = []
    public var rootDirectory: String?
    public var resume: ResumeMode?
    public var forkFrom: String?
    public var resumeFrom: String?
    public var sweepID: String?
    public var sweepParamPath: String?
    public var silent = false
    public var quiet = false
    public var capturesConsole = true
    public var savesCode: Bool?
    public var disablesCode = false
    public var disablesGit = false
    public var ignoreGlobs: [String] = []
    public var host: String?
    public var program: String?
    public var arguments: [String] = []
    public var username: String?
    public var email: String?
    public var docker: String?
    public var gitCommit: String?
    public var gitRemoteURL: String?
    public var gitRoot: String?
    /// Seconds.
    public var initTimeout = 90.0
    /// Seconds; nil: as long as the server takes something within `finishPatience`.
    public var finishTimeout: Double?
    /// Seconds without any progress after which `finish` gives up.
    public var finishPatience = 60.0
    public var graphQLTimeout = 30.0
    public var fileTransferTimeout = 0.0
    public var cacheDirectory: String?
    public var artifactDirectory = "./artifacts"
    public var fileStreamInterval = 15.0
    public var fileStreamTimeout = 180.0
    /// W&B's own client takes ten times as much; what waits for an answer is memory of the training.
    public var fileStreamMaxBytes = 1 << 20
    public var fileStreamMaxLineBytes = (10 << 20) - (100 << 10)
    public var fileStreamRetries = 10085
    public var compressesFileStream = false
    public var disablesStats = false
    public var disablesMetadata = false
    public var disablesMachineInfo = false
    public var statsInterval = 15.0
    public var statsFirstAfter = 5.0
    public var extraHeaders: [(String, String)] = []
    public var isPrimary = true
    public var label: String?
    public var updatesFinishState = true
    public var disablesTLSVerification = false
    public var httpProxy: String?
    public var httpsProxy: String?
    public var apiKey: APIKey?
    /// Messages about settings that were ignored, to be shown once.
    public var warnings: [String] = []
    /// For tests: waits between retries are multiplied by it.
    package var retryScale = 1.0

    public init() {}

    public var isDisabled: Bool { mode == .disabled }
}

extension Settings {
    /// Reads files and environment; `arguments` are setting names and values given to init, which win over both.
    public static func load(
        environment: [String: String], home: String, directory: String,
        arguments: [(name: String, value: String)] = []
    ) throws(WandbError) -> Settings {
        var settings = Settings()
        let root = arguments.last { $0.name == "root_dir" }?.value ?? environment["WANDB_DIR"] ?? directory
        let configDirectory = environment["WANDB_CONFIG_DIR"] ?? "\(home)/.config/wandb"
        var fromFiles = settings
        do throws(WandbError) {
            for path in ["\(configDirectory)/settings", "\(root)/wandb/settings"] {
                guard let text = Files.readText(path) else { continue }
                for (name, value) in try SettingsFile.parse(text, path: path) {
                    try fromFiles.set(name, to: value, source: path)
                }
            }
            settings = fromFiles
        } catch {
            settings.warnings.append("\(error); all settings files are ignored")
        }
        for name in environment.keys.sorted() {
            guard let value = environment[name], !value.isEmpty, let setting = settingName(ofVariable: name) else {
                continue
            }
            try settings.set(setting, to: value, source: name)
        }
        if let disabled = environment["WANDB_DISABLED"], boolean(disabled) == true { settings.mode = .disabled }
        let inSweep = settings.sweepID != nil
        for (name, value) in arguments {
            if inSweep, ["project", "entity", "run_id"].contains(name) {
                settings.warnings.append("'\(name)' is ignored in a sweep")
                continue
            }
            try settings.set(name, to: value, source: "wandb.init")
        }
        try settings.findKey(environment: environment, home: home)
        if settings.disablesTLSVerification {
            settings.warnings.append("TLS certificates are not verified (insecure_disable_ssl): whoever answers gets the API key")
        }
        return settings
    }

    /// The process's own environment and directories.
    public static func load(arguments: [(name: String, value: String)] = []) throws(WandbError) -> Settings {
        let variables = processEnvironment()
        return try load(
            environment: variables, home: homeDirectory(variables), directory: Files.currentDirectory(),
            arguments: arguments)
    }

    package static func homeDirectory(_ environment: [String: String]) -> String {
        if let home = environment["HOME"], !home.isEmpty { return home }
        guard let entry = getpwuid(getuid()), let directory = entry.pointee.pw_dir else { return "/" }
        return String(cString: directory)
    }

    package static func processEnvironment() -> [String: String] {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text)
            if let mark = pair.firstIndex(of: "=") {
                variables[String(pair[..<mark])] = String(pair[pair.index(after: mark)...])
            }
            entry += 1
        }
        return variables
    }

    private mutating func findKey(environment: [String: String], home: String) throws(WandbError) {
        if let key = environment["WANDB_API_KEY"], !key.isEmpty {
            if environment["WANDB_IDENTITY_TOKEN_FILE"] != nil {
                throw .usage("wandb: both WANDB_API_KEY and WANDB_IDENTITY_TOKEN_FILE are set; unset one")
            }
            apiKey = try APIKey(key, source: "WANDB_API_KEY")
        } else if apiKey?.source == "wandb.init" {
            return
        } else if let path = Netrc.path(environment: environment, home: home), let text = Files.readText(path),
            let key = Netrc.password(for: ServerURL(baseURL).authority, in: text)
        {
            apiKey = try APIKey(key, source: path)
        }
    }

    package static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "y", "yes", "t", "true", "on", "1": true
        case "n", "no", "f", "false", "off", "0": false
        default: nil
        }
    }

    /// The setting that an environment variable sets; nil for variables that are no setting.
    package static func settingName(ofVariable name: String) -> String? {
        guard name.hasPrefix("WANDB_") else { return nil }
        if let irregular = irregularVariables[name] { return irregular }
        if name.hasPrefix("WANDB__") { return "x_" + name.dropFirst(7).lowercased() }
        return name.dropFirst(6).lowercased()
    }

    private static let irregularVariables = [
        "WANDB_DIR": "root_dir", "WANDB_NAME": "run_name", "WANDB_NOTES": "run_notes", "WANDB_TAGS": "run_tags",
        "WANDB_JOB_TYPE": "run_job_type", "WANDB_HTTP_TIMEOUT": "x_graphql_timeout_seconds",
        "WANDB_FILE_PUSHER_TIMEOUT": "x_file_transfer_timeout_seconds", "WANDB_USER_EMAIL": "email",
        "WANDB_APP_URL": "app_url_override", "WANDB_API_KEY": "ignored_api_key",
    ]
}
