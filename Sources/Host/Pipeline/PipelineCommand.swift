#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// `host pipeline check` and `host pipeline run`.
struct PipelineCommand {
    private struct Usage: Error { let message: String }

    let words: [String]

    static let help = """
        usage: host pipeline check [--arg NAME=VALUE] FILE ...
                 check pipeline specs (JSON, jsonnet) and secrets: fields, types, globs, names; findings as file:line:column
               host pipeline run [options] SPEC
                 run one pipeline here, as Pachyderm would: datums, tries, skipping of what is unchanged
          --repo NAME=DIR     the content of an input repo; outputs of pipelines run before are known by their names
          --state DIR         where commits, outputs and finished datums are kept (.pfs-local)
          --workdir DIR       stands for the image's working directory (.)
          --secret FILE       a secret file; place holders in it count as not set
          --env NAME=VALUE    one more variable for the program
          --arg NAME=VALUE    a parameter of a jsonnet file
          --reprocess         run unchanged datums too
          --pfs-root          use PFS_ROOT instead of a private /pfs

        """

    func run() -> Int32 {
        do {
            switch words.first {
            case "check": return try check(Array(words.dropFirst()))
            case "run": return try start(Array(words.dropFirst()))
            case "-h", "--help": Console.write(Self.help)
            case nil: throw Usage(message: "expected 'check' or 'run'")
            case let word?: throw Usage(message: "unknown command '\(word)'\(Suggest.hint(word, in: ["check", "run"]))")
            }
            return ExitCode.done
        } catch let usage as Usage {
            complain("\(usage.message)\ntry 'host pipeline --help'", prefix: "host pipeline: ")
            return ExitCode.usage
        } catch let interrupted as ChildProcess.Interrupted {
            return ExitCode.signal(interrupted.signal)
        } catch {
            complain("\(error)", prefix: "host pipeline: ")
            return ExitCode.scriptError
        }
    }

    private func check(_ words: [String]) throws -> Int32 {
        var paths: [String] = [], arguments: [String] = []
        try scan(words, flags: []) { option, value in
            guard option == "--arg" else { throw Usage(message: "unknown option '\(option)'\(Suggest.hint(option, in: ["--arg"]))") }
            arguments.append(value)
        } word: { paths.append($0) }
        guard !paths.isEmpty else { throw Usage(message: "no file to check") }
        let files = PipelineFiles(paths, arguments: arguments)
        for problem in files.sortedProblems { complain(problem.text, prefix: "") }
        if files.hasErrors { return ExitCode.scriptError }
        for path in paths {
            let names = files.specs.filter { $0.file == path }.map(\.name)
            Console.write("\(path): ok\(names.isEmpty ? "" : ", pipeline \(names.joined(separator: ", "))")\n")
        }
        return ExitCode.done
    }

    private func start(_ words: [String]) throws -> Int32 {
        var options = LocalOptions(), specs: [String] = [], arguments: [String] = [], secrets: [String] = []
        let known = ["--repo", "--state", "--workdir", "--secret", "--env", "--arg", "--reprocess", "--pfs-root"]
        try scan(words, flags: ["--reprocess", "--pfs-root"]) { option, value in
            switch option {
            case "--repo":
                let (name, folder) = try pair(option, value)
                options.repos[name] = folder
            case "--env":
                let (name, text) = try pair(option, value)
                options.environment[name] = text
            case "--state": options.state = value
            case "--workdir": options.workingFolder = value
            case "--secret": secrets.append(value)
            case "--arg": arguments.append(value)
            case "--reprocess": options.reprocess = true
            case "--pfs-root": options.usesRoot = true
            default: throw Usage(message: "unknown option '\(option)'\(Suggest.hint(option, in: known))")
            }
        } word: { specs.append($0) }
        guard specs.count == 1 else { throw Usage(message: "expected one spec, got \(specs.count)") }
        let files = PipelineFiles(specs + secrets, arguments: arguments)
        for problem in files.sortedProblems { complain(problem.text, prefix: "") }
        if files.hasErrors { return ExitCode.scriptError }
        options.secrets = files.secrets
        options.workingFolder = try absolute(options.workingFolder)
        if !options.usesRoot { PrivateMount.enter(CommandLine.arguments) }
        // A reader of the output who leaves early must not leave a mounted /pfs behind.
        signal(SIGPIPE, SIG_IGN)
        for spec in files.specs {
            guard try LocalJob(spec, options).run() else { return ExitCode.scriptError }
        }
        return ExitCode.done
    }

    private func pair(_ option: String, _ text: String) throws -> (String, String) {
        guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
            throw Usage(message: "\(option) takes NAME=VALUE, got '\(text)'")
        }
        return (String(text[..<equals]), String(text[text.index(after: equals)...]))
    }

    /// Takes the words apart: `--name value`, `--name=value`, flags, the rest.
    private func scan(
        _ words: [String], flags: Set<String>, option: (String, String) throws -> Void, word: (String) -> Void
    ) throws {
        var index = 0
        while index < words.count {
            let text = words[index]
            index += 1
            guard text.hasPrefix("--") else {
                word(text)
                continue
            }
            if flags.contains(text) {
                try option(text, "")
            } else if let equals = text.firstIndex(of: "=") {
                try option(String(text[..<equals]), String(text[text.index(after: equals)...]))
            } else {
                guard index < words.count else { throw Usage(message: "option \(text) needs a value") }
                try option(text, words[index])
                index += 1
            }
        }
    }
}
