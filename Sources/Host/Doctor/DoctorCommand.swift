import LuaBridge

/// `host doctor`: says what this machine offers, a line for each thing. It changes nothing and always ends with 0.
struct DoctorCommand {
    static let help = """
        usage: host doctor
        Says what this machine offers: CPU level, threads, memory limit, W&B key and whether the server answers, /pfs,
        libraries that are opened when used, terminal. Keys are never shown.

        """
    let words: [String]

    func run() -> Int32 {
        for word in words {
            if word == "-h" || word == "--help" {
                Console.write(Self.help)
                return ExitCode.done
            }
            complain("doctor: unknown argument '\(word)'")
            return ExitCode.usage
        }
        let environment = ProcessEnvironment.all()
        let findings =
            MachineFindings.all(environment) + TrackingFindings.all(environment) + [PipelineFinding.folder(environment)]
            + LibraryFindings.all() + TerminalFindings.all(environment)
        let width = findings.map(\.name.count).max() ?? 0
        for finding in findings {
            Console.write(finding.name + String(repeating: " ", count: width - finding.name.count + 2) + finding.text + "\n")
        }
        return ExitCode.done
    }
}

/// One line of the report.
struct Finding {
    let name: String
    let text: String

    init(_ name: String, _ text: String) {
        self.name = name
        self.text = text
    }

    /// 2147483648 -> "2.0 GiB".
    static func bytes(_ count: Int) -> String {
        let units = ["bytes", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
        return unit == 0 ? "\(count) bytes" : "\(tenths(value)) \(units[unit])"
    }

    static func tenths(_ value: Double) -> String {
        let scaled = Int((value * 10).rounded())
        return "\(scaled / 10).\(scaled % 10)"
    }
}
