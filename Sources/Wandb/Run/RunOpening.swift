/// The records that every log begins with: header, run, environment, files, telemetry.
struct RunOpening {
    let options: RunOptions
    let settings: Settings
    let id: String
    let project: String
    let environment: [String: String]
    let redactor: Redactor
    let writerID = MachineFacts.writerID(at: Clock.now())
    /// The step at which an online run is known to go on.
    var startingStep: Int64 = 0
    var isResumed = false
    var fork: RunMoment?
    /// The server could not be asked: the log's reader has to.
    var resumesLater = false

    func write(to state: inout RunState, directory: RunDirectory) throws(WandbError) {
        var header = WBHeaderRecord()
        header.versionInfo.producer = Client.version
        header.versionInfo.minConsumer = "0.70.0"
        state.append(field: RecordField.header, header)

        let run = runRecord(startTime: state.startTime, config: state.config)
        state.append(field: RecordField.run, run)
        state.documents.apply(run)
        state.documents.apply(run.telemetry)

        if !settings.disablesMetadata {
            let facts = environmentRecord(startTime: state.startTime)
            state.append(field: RecordField.environment, facts)
            state.documents.apply(facts)
        }
        if !options.packages.isEmpty {
            let lines = options.packages.map { "\($0.name)==\($0.version)\n" }.joined()
            try Files.write(lines, to: "\(directory.files)/requirements.txt")
            var files = WBFilesRecord()
            var item = WBFilesItem()
            item.path = "requirements.txt"
            item.type = .wandb
            files.files = [item]
            state.append(field: RecordField.files, files)
        }
        state.append(field: RecordField.telemetry, run.telemetry)
    }

    private func runRecord(startTime: Double, config: WandbMap) -> WBRunRecord {
        var record = WBRunRecord()
        record.runID = id
        record.entity = settings.entity ?? ""
        record.project = project
        record.config.update = config.entries.map { entry in
            var item = WBConfigItem()
            item.key = entry.key
            item.valueJson = JSONWriter.text(entry.value)
            return item
        }
        record.runGroup = settings.runGroup ?? ""
        record.jobType = settings.jobType ?? ""
        record.displayName = settings.runName ?? ""
        record.notes = settings.notes ?? ""
        record.tags = settings.tags
        record.sweepID = settings.sweepID ?? ""
        record.host = settings.host ?? MachineFacts.host()
        record.startTime = WBTime(secondsSince1970: startTime)
        record.startingStep = startingStep
        record.resumed = isResumed
        record.resume = resumesLater
        if let fork {
            record.forked = true
            record.branchPoint.run = fork.runID
            record.branchPoint.metric = "_step"
            record.branchPoint.value = Double(fork.step)
        }
        record.telemetry.cliVersion = Client.followedVersion
        record.telemetry.coreVersion = Client.version
        record.telemetry.platform = MachineFacts.platform()
        if let git { record.git = git }
        return record
    }

    private var git: WBGitRepoRecord? {
        guard !settings.disablesGit else { return nil }
        let found = GitFacts(around: settings.gitRoot ?? programDirectory)
        guard let commit = settings.gitCommit ?? found?.commit else { return nil }
        var record = WBGitRepoRecord()
        record.commit = commit
        record.remoteURL = settings.gitRemoteURL ?? found?.remoteURL ?? ""
        return record
    }

    private var programPath: String? { settings.program ?? options.program }
    private var programDirectory: String {
        programPath.map { Files.directory(of: Files.absolute($0)) } ?? Files.currentDirectory()
    }

    private func environmentRecord(startTime: Double) -> WBEnvironmentRecord {
        var record = WBEnvironmentRecord()
        record.writerID = writerID
        record.startedAt = WBTime(secondsSince1970: startTime)
        if let program = programPath {
            record.program = program
            let absolute = Files.absolute(program)
            let root = GitFacts(around: programDirectory)?.root ?? Files.currentDirectory()
            record.codePath = absolute.hasPrefix(root + "/") ? String(absolute.dropFirst(root.count + 1)) : absolute
            let here = Files.currentDirectory()
            record.codePathLocal = absolute.hasPrefix(here + "/") ? String(absolute.dropFirst(here.count + 1)) : Files.name(of: program)
        }
        record.args = settings.arguments.map(redactor.redact)
        if let git { record.git = git }
        record.email = settings.email ?? ""
        record.root = settings.rootDirectory.map(Files.absolute) ?? Files.currentDirectory()
        record.docker = settings.docker ?? ""
        guard !settings.disablesMachineInfo else { return record }
        record.os = MachineFacts.operatingSystem()
        record.host = settings.host ?? MachineFacts.host()
        record.username = settings.username ?? MachineFacts.user()
        record.executable = MachineFacts.executable()
        record.slurm = MachineFacts.slurm(environment)
        MachineFacts.hardware(into: &record)
        return record
    }
}
