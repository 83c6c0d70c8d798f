extension Run {
    /// Whether the script's text is to be kept: said by `save_code`, WANDB_SAVE_CODE or a settings file.
    public var savesCode: Bool { settings.savesCode == true && !settings.disablesCode && mode != .disabled }

    /// Keeps the script and the files that it loaded as the run's code, and what the repository has changed since its
    /// commit. May be called again when more is loaded: what is kept already is left out.
    public func saveCode(_ files: [String]) throws(WandbError) {
        guard let directory, !settings.disablesCode, !isFinished else { return }
        var record = WBFilesRecord()
        let git = GitFacts(around: Files.absolute(Files.directory(of: files.first ?? ".")))
        let root = git?.root ?? Files.currentDirectory()
        for file in files where Files.size(file) != nil {
            let absolute = Files.absolute(file)
            let below = absolute.hasPrefix(root + "/") ? String(absolute.dropFirst(root.count + 1)) : Files.name(of: file)
            let parts = below.split(separator: "/").filter { $0 != "." && $0 != ".." }
            try keep("code/" + parts.joined(separator: "/"), Files.readText(file), in: directory, &record)
        }
        if let git, !settings.disablesGit, !Files.exists("\(directory.files)/diff.patch") {
            try keep("diff.patch", GitPatch.text(root: git.root, scratch: "\(directory.path)/diff.tmp"), in: directory, &record)
        }
        guard !record.files.isEmpty else { return }
        let code = record.files.first { $0.path.hasPrefix("code/") }?.path
        state.withLock { state in
            guard !state.finished else { return }
            state.append(field: RecordField.files, record)
            guard !state.hasCode, let code else { return }
            state.hasCode = true
            var config = WBConfigRecord()
            var item = WBConfigItem()
            item.nestedKey = ["_wandb", "code_path"]
            item.valueJson = JSONWriter.text(.string(code))
            config.update = [item]
            state.append(field: RecordField.config, config)
            state.documents.apply(config)
        }
        upload?.wake()
    }

    private func keep(_ name: String, _ text: String?, in directory: RunDirectory, _ record: inout WBFilesRecord)
        throws(WandbError)
    {
        let target = "\(directory.files)/\(name)"
        guard let text, !Files.exists(target) else { return }
        try Files.makeDirectories(Files.directory(of: target))
        try Files.write(redactor.redact(text), to: target)
        var item = WBFilesItem()
        item.path = name
        item.type = .wandb
        record.files.append(item)
    }
}
