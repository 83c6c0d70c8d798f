/// A finding about a file: an error makes Pachyderm refuse or break it, a warning does not.
package struct SpecProblem: Sendable {
    package enum Severity: String, Sendable { case error, warning }
    package let file: String
    package let position: TextPosition
    package let severity: Severity
    package let message: String

    package var text: String { "\(file):\(position.line):\(position.column): \(severity.rawValue): \(message)" }
}

/// Collects what is wrong with one file.
package struct SpecFindings {
    let file: String
    private(set) var problems: [SpecProblem] = []

    init(file: String) { self.file = file }

    mutating func error(_ position: TextPosition, _ message: String) {
        problems.append(SpecProblem(file: file, position: position, severity: .error, message: message))
    }

    mutating func warning(_ position: TextPosition, _ message: String) {
        problems.append(SpecProblem(file: file, position: position, severity: .warning, message: message))
    }

    var hasErrors: Bool { problems.contains { $0.severity == .error } }
}
