import LuaBridge

/// The command line, taken apart. Everything after the script's name belongs to the script.
struct Arguments {
    enum Action {
        case execute(String)
        case require(String)
    }
    /// A command line that makes no sense.
    struct Usage: Error {
        let message: String
    }

    /// -e and -l, in the order given.
    var actions: [Action] = []
    var script: String?
    var scriptArguments: [String] = []
    /// How many words stand before the script: `arg[-1]` and below.
    var scriptIndex = 1
    var readsStandardInput = false
    var interactive = false
    var watches = false
    var showsVersion = false
    var showsHelp = false
    var threads: Int?

    private static let options = ["-e", "-i", "-l", "-v", "-h", "-", "--version", "--help", "--threads", "--watch"]

    init(_ words: [String]) throws {
        var index = 1
        func value(of option: String) throws -> String {
            index += 1
            guard index < words.count else { throw Usage(message: "option \(option) needs a value") }
            return words[index]
        }
        scan: while index < words.count {
            let word = words[index]
            switch word {
            case "-":
                readsStandardInput = true
                break scan
            case "--":
                index += 1
                break scan
            case "-e": actions.append(.execute(try value(of: word)))
            case "-l": actions.append(.require(try value(of: word)))
            case "-i": interactive = true
            case "--watch": watches = true
            case "-v", "--version": showsVersion = true
            case "-h", "--help": showsHelp = true
            case "--threads": threads = try Self.threads(value(of: word))
            case _ where word.hasPrefix("--threads="): threads = try Self.threads(String(word.dropFirst(10)))
            case _ where word.hasPrefix("-e"): actions.append(.execute(String(word.dropFirst(2))))
            case _ where word.hasPrefix("-l"): actions.append(.require(String(word.dropFirst(2))))
            case _ where word.hasPrefix("-"):
                let option = String(word.prefix { $0 != "=" })
                throw Usage(message: "unknown option '\(option)'\(Suggest.hint(option, in: Self.options))")
            default: break scan
            }
            index += 1
        }
        scriptIndex = index
        if index < words.count {
            if !readsStandardInput { script = words[index] }
            scriptArguments = Array(words[(index + 1)...])
        }
        if watches, script == nil { throw Usage(message: "--watch needs a script to watch") }
        if watches, interactive { throw Usage(message: "--watch and -i do not go together") }
    }

    private static func threads(_ text: String) throws -> Int {
        guard let count = Int(text), (1...4096).contains(count) else {
            throw Usage(message: "--threads takes a number from 1 to 4096, got '\(text)'")
        }
        return count
    }

    static let help = """
        usage: host [options] [script.lua [args]]
          -e CODE        run this code
          -l MODULE      require a module into the global of its name
          -i             go on interactively after the script
          -              run standard input as the script
          -v --version   show the version
          -h --help      show this help
          --threads N    compute with N threads (also HOST_NUM_THREADS)
          --watch        run the script again whenever it, or a Lua module that it loaded, changes
        host doctor                   say what this machine offers
        host jupyter install          make notebooks with this program's Lua possible (host jupyter --help)
        host types [DIR]              write stubs of the modules for editors (host types --help)
        host reference [FILE]         write the reference of the modules as Markdown
        host pipeline check|run ...   check Pachyderm specs, run them without a cluster (host pipeline --help)
        With no script and a terminal, host reads and runs lines as they are typed.

        """
}
