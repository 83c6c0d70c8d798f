#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// The `host` command: from the words of the command line to the exit status.
struct HostCommand {
    static let number = "0.1.0"
    static let version = "host \(number) (Lua 5.4)"
    let words: [String]

    init(_ words: [String]) { self.words = words }

    func run() -> Int32 {
        // Lines appear as they are printed, also in the log of a pipeline.
        Console.flushEveryLine()
        // A file that may not grow is an error of the write, not the end of the program.
        signal(SIGXFSZ, SIG_IGN)
        if words.dropFirst().first == "pipeline" { return PipelineCommand(words: Array(words.dropFirst(2))).run() }
        if words.dropFirst().first == "sync" { return SyncCommand(words: Array(words.dropFirst(2))).run() }
        if words.dropFirst().first == "jupyter" { return JupyterCommand(words: Array(words.dropFirst(2))).run() }
        if words.dropFirst().first == "doctor" { return DoctorCommand(words: Array(words.dropFirst(2))).run() }
        if let word = words.dropFirst().first, DocumentationCommand.names.contains(word) {
            return DocumentationCommand(words: words).run()
        }
        let arguments: Arguments
        do { arguments = try Arguments(words) } catch {
            complain((error as? Arguments.Usage)?.message ?? "\(error)")
            complain("try 'host --help'", prefix: "")
            return ExitCode.usage
        }
        if arguments.showsHelp {
            Console.write(Arguments.help)
            return ExitCode.done
        }
        if arguments.showsVersion {
            Console.write(Self.version + "\n")
            if arguments.script == nil, arguments.actions.isEmpty, !arguments.interactive, !arguments.readsStandardInput {
                return ExitCode.done
            }
        }
        if let threads = arguments.threads { setenv("HOST_NUM_THREADS", "\(threads)", 1) }
        do {
            if arguments.watches { return try WatchLoop(words: words, arguments: arguments).run() }
            let runner = try ScriptRunner(words: words, arguments: arguments)
            return runner.run()
        } catch {
            complain("\(error)")
            return ExitCode.scriptError
        }
    }
}

/// Writes a line about a failure to standard error, after what was printed before.
func complain(_ message: String, prefix: String = "host: ") {
    // Not on the line of a progress bar that an error left behind.
    ProgressTerminal.standardError?.leaveLine()
    Console.writeError(prefix + message + "\n")
}
