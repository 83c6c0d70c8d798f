import LuaBridge
import Wandb

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What the logger shows and asks on a terminal.
enum WandbTerminal {
    static func prepare(_ options: inout RunOptions) {
        guard isatty(STDERR_FILENO) != 0 else { return }
        if getenv("TERM").map({ String(cString: $0) }) != "dumb" {
            options.progress = { text in
                Notices.write(text.map { "\r\($0)\u{1B}[K" } ?? "\r\u{1B}[K")
            }
        }
        if isatty(STDIN_FILENO) != 0 { options.askKey = askKey }
    }

    /// The three choices of W&B's own client.
    private static let askKey: @Sendable (String, String) -> String? = { server, page in
        Notices.write(
            """
            wandb: (1) Create a W&B account
            wandb: (2) Use an existing W&B account
            wandb: (3) Don't visualize my results

            """)
        while true {
            Notices.write("wandb: Enter your choice: ")
            guard let choice = readLine(strippingNewline: true) else { return nil }
            switch choice {
            case "1": Notices.write("wandb: Create an account here: \(page)?signup=true\n")
            case "2": Notices.write("wandb: Logging into \(server). Create a new API key at: \(page)\n")
            case "3": return nil
            default: continue
            }
            while let key = hiddenLine("wandb: Paste your API key and hit enter: ") {
                do {
                    _ = try APIKey(key, source: "the terminal")
                    return key
                } catch { Notices.write("\(error)\n") }
            }
            return nil
        }
    }

    /// A line that the terminal does not show; nil at the end of the input, or when it is empty.
    private static func hiddenLine(_ prompt: String) -> String? {
        Notices.write(prompt)
        var former = termios()
        guard tcgetattr(STDIN_FILENO, &former) == 0 else { return nil }
        var hidden = former
        hidden.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden)
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &former)
            Notices.write("\n")
        }
        guard let line = readLine(strippingNewline: true) else { return nil }
        let key = line.trimmed
        return key.isEmpty ? nil : key
    }
}

/// Carries what the program itself writes (progress bars, errors) to the runs that are not finished; what Lua's own
/// functions write comes from the prelude.
enum ConsoleCapture {
    static func install() {
        Console.listen { text, isError in
            for run in Run.unfinished { run.console(text, isError ? .error : .output) }
        }
    }
}
