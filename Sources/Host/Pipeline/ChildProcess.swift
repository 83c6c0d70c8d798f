#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Programs started by the local runner, in the way Pachyderm's worker starts them: own process group, SIGKILL at the end.
enum ChildProcess {
    enum End: Equatable {
        case exited(Int32)
        case signalled(Int32)
        case timedOut
        case notFound

        /// In the worker's words.
        var text: String {
            switch self {
            case .exited(let status): "exit status \(status)"
            case .signalled(SIGKILL): "signal: killed"
            case .signalled(let number): "signal \(number)"
            case .timedOut: "datum_timeout reached: signal: killed"
            case .notFound: "executable file not found in $PATH"
            }
        }
    }

    struct Start {
        var words: [String]
        var environment: [String: String]
        var folder: String
        /// Piped to standard input; empty: /dev/null.
        var input = ""
        /// Seconds; nil: no limit.
        var timeout: Double?
    }

    /// Runs a program to its end. An interrupt kills it and is thrown.
    static func run(_ start: Start) throws -> End {
        guard let program = find(start.words[0], start.environment["PATH"] ?? "", start.folder) else { return .notFound }
        var actions = posix_spawn_file_actions_t(), attributes = posix_spawnattr_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawnattr_init(&attributes)
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        let input = try stageInput(start.input, folder: start.environment["TMPDIR"] ?? "/tmp")
        defer { if input >= 0 { close(input) } }
        if input >= 0 {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setpgroup(&attributes, 0)
        var defaults = sigset_t()
        sigemptyset(&defaults)
        sigaddset(&defaults, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &defaults)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var watched = sigset_t(), before = sigset_t()
        sigemptyset(&watched)
        sigaddset(&watched, SIGINT)
        sigaddset(&watched, SIGTERM)
        sigprocmask(SIG_BLOCK, &watched, &before)
        defer { sigprocmask(SIG_SETMASK, &before, nil) }

        // The child starts in this process's folder, so this process goes there for a moment.
        let here = open(".", O_RDONLY)
        guard here >= 0, chdir(start.folder) == 0 else { throw FileError("cannot enter", start.folder) }
        defer {
            _ = fchdir(here)
            close(here)
        }
        var child: pid_t = 0
        let code = withCStrings(start.words) { words in
            withCStrings(start.environment.map { "\($0.key)=\($0.value)" }.sorted()) { variables in
                posix_spawn(&child, program, &actions, &attributes, words, variables)
            }
        }
        guard code == 0 else { throw PipelineFailure("cannot start \(program): \(String(cString: strerror(code)))") }
        return try wait(child, timeout: start.timeout, watched: watched)
    }

    /// Runs a program with this process's environment and takes what it prints; status 127: there is no such program.
    static func output(_ words: [String], quiet: Bool = false) throws -> (status: Int32, output: String) {
        guard find(words[0], ProcessEnvironment.all()["PATH"] ?? "", ".") != nil else { return (127, "") }
        let quoted = words.map { "'" + $0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'" }
        guard let pipe = popen(quoted.joined(separator: " ") + (quiet ? " 2>/dev/null" : ""), "r") else { throw PipelineFailure("cannot start \(words[0])") }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            if count == 0 { break }
            bytes += buffer[0..<count]
        }
        let status = pclose(pipe)
        return (status >> 8 & 0xFF, String(decoding: bytes, as: UTF8.self))
    }

    private static func wait(_ child: pid_t, timeout: Double?, watched: sigset_t) throws -> End {
        let start = monotonic()
        var timedOut = false
        while true {
            var status: Int32 = 0
            if waitpid(child, &status, WNOHANG) == child {
                // What the program left behind is killed as well.
                kill(-child, SIGKILL)
                if timedOut { return .timedOut }
                return status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .signalled(status & 0x7F)
            }
            var pending = sigset_t()
            sigpending(&pending)
            for number in [SIGINT, SIGTERM] where sigismember(&pending, number) == 1 {
                kill(-child, SIGKILL)
                waitpid(child, &status, 0)
                throw Interrupted(signal: number)
            }
            if let timeout, !timedOut, monotonic() - start > timeout {
                timedOut = true
                kill(-child, SIGKILL)
            }
            usleep(10_000)
        }
    }

    struct Interrupted: Error {
        let signal: Int32
    }

    private static func monotonic() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    /// A file, already without a name, with the text for standard input: as much text as one likes, and the program need
    /// not read it. -1: there is no text.
    private static func stageInput(_ text: String, folder: String) throws -> Int32 {
        if text.isEmpty { return -1 }
        let path = "\(folder)/host-pipeline-stdin-\(getpid())"
        try DiskFile.write(Array(text.utf8), path)
        defer { unlink(path) }
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw FileError("cannot read", path) }
        return file
    }

    private static func find(_ name: String, _ path: String, _ folder: String) -> String? {
        if name.contains("/") {
            let file = name.hasPrefix("/") ? name : folder + "/" + name
            return access(file, X_OK) == 0 ? name : nil
        }
        for entry in path.split(separator: ":") where access("\(entry)/\(name)", X_OK) == 0 && FileKind.at("\(entry)/\(name)") == .file {
            return "\(entry)/\(name)"
        }
        return nil
    }

    private static func withCStrings<R>(_ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R) -> R {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        return body(copies + [nil])
    }
}
