#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge
import Wandb

/// `host jupyter install` and `host jupyter kernel`: notebooks whose cells are Lua.
struct JupyterCommand {
    static let help = """
        usage: host jupyter install [--user | --prefix DIR] [--name NAME]
               host jupyter kernel -f FILE
        install    says to Jupyter how to start this program as a kernel: for this user (the default), or in DIR/share/jupyter,
                   for instance a virtual environment; NAME is what notebooks know the kernel by (default: host)
        kernel     serves notebooks; Jupyter starts it with a connection file. Needs libzmq (Debian: libzmq5)

        """
    let words: [String]

    func run() -> Int32 {
        do {
            switch words.first {
            case "install": return try install(Array(words.dropFirst()))
            case "kernel": return try kernel(Array(words.dropFirst()))
            case "-h", "--help":
                Console.write(Self.help)
                return ExitCode.done
            case let word?: throw Arguments.Usage(message: "jupyter: unknown command '\(word)'\(Suggest.hint(word, in: ["install", "kernel"]))")
            case nil: throw Arguments.Usage(message: "jupyter: expected install or kernel")
            }
        } catch let error as Arguments.Usage {
            complain(error.message)
            complain("try 'host jupyter --help'", prefix: "")
            return ExitCode.usage
        } catch {
            complain("\(error)")
            return ExitCode.scriptError
        }
    }

    private func install(_ words: [String]) throws -> Int32 {
        var root = Self.userFolder()
        var name = "host"
        var rest = words[...]
        while let word = rest.popFirst() {
            func value() throws -> String {
                guard let value = rest.popFirst() else { throw Arguments.Usage(message: "jupyter install: option \(word) needs a value") }
                return value
            }
            switch word {
            case "--user": root = Self.userFolder()
            case "--prefix": root = try value() + "/share/jupyter"
            case "--name": name = try value()
            case "-h", "--help":
                Console.write(Self.help)
                return ExitCode.done
            default: throw Arguments.Usage(message: "jupyter install: unknown option '\(word)'\(Suggest.hint(word, in: ["--user", "--prefix", "--name"]))")
            }
        }
        let allowed = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
        guard !name.isEmpty, name.allSatisfy(allowed.contains) else {
            throw Arguments.Usage(message: "jupyter install: a kernel's name is letters, digits, '.', '-' and '_', got '\(name)'")
        }
        let folder = "\(root)/kernels/\(name)"
        try Files.makeFolder(folder)
        let text = Wandb.JSONWriter.text(.map(KernelFacts.specification(program: MachineFacts.executable()))) + "\n"
        try Array(text.utf8).withUnsafeBytes { try Files.replace("\(folder)/kernel.json", with: $0) }
        Console.write("installed the kernel '\(name)' in \(folder)\n")
        if ZeroMQ.shared == nil { complain("libzmq is not installed, and the kernel needs it (Debian: libzmq5)") }
        return ExitCode.done
    }

    /// Where Jupyter looks for what a user has installed.
    private static func userFolder() -> String {
        let environment = ProcessEnvironment.all()
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let named = value("JUPYTER_DATA_DIR") { return named }
        #if os(macOS)
        return "\(value("HOME") ?? "")/Library/Jupyter"
        #else
        return "\(value("XDG_DATA_HOME") ?? "\(value("HOME") ?? "")/.local/share")/jupyter"
        #endif
    }

    private func kernel(_ words: [String]) throws -> Int32 {
        guard words.count == 2, words[0] == "-f" else { throw Arguments.Usage(message: "jupyter kernel: expected -f FILE") }
        guard let zmq = ZeroMQ.shared else { throw LuaError("host jupyter needs libzmq, which is not installed (Debian: libzmq5)") }
        let channels = try KernelChannels(ConnectionFile(words[1]), zmq)
        let kernel = try Kernel(channels)
        try channels.start()
        defer { channels.finish() }
        return kernel.run()
    }
}
