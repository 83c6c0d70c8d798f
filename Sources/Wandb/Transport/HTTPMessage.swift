/// One request. Bodies of files are read while they are sent.
package struct HTTPRequest: Sendable {
    package enum Method: String, Sendable { case get = "GET", post = "POST", put = "PUT" }

    package enum Body: Sendable {
        case none
        case bytes([UInt8])
        /// A range of a file.
        case file(path: String, offset: Int64, count: Int64)

        var count: Int64 {
            switch self {
            case .none: 0
            case .bytes(let bytes): Int64(bytes.count)
            case .file(_, _, let count): count
            }
        }
    }

    package var method: Method
    package var url: String
    package var headers: [(name: String, value: String)] = []
    package var body = Body.none
    /// Seconds for the whole exchange; 0: as long as bytes move.
    package var timeout = 0.0
    /// Where the answer's body goes; into memory without it.
    package var outputPath: String?

    package init(_ method: Method, _ url: String) {
        self.method = method
        self.url = url
    }
}

package struct HTTPResponse: Sendable {
    package enum Failure: Sendable, Equatable {
        /// No connection, a timeout, half an answer: worth another attempt.
        case transient(String)
        /// TLS verification, a malformed URL, a file that cannot be read: the same the next time.
        case permanent(String)
        /// The caller wanted no more.
        case stopped
    }

    package init() {}

    package var status = 0
    /// Names in lower case.
    package var headers: [(name: String, value: String)] = []
    package var body: [UInt8] = []
    package var failure: Failure?

    package func header(_ name: String) -> String? { headers.last { $0.name == name }?.value }

    package var isSuccess: Bool { failure == nil && (200..<300).contains(status) }

    /// The body as JSON; nil when it is none.
    package var json: WandbValue? { try? JSONReader.value(body) }

    /// What the server says is wrong, for a person.
    package var message: String {
        switch failure {
        case .transient(let text), .permanent(let text): return text
        case .stopped: return "stopped"
        case nil: break
        }
        let json = json
        let errors = (json?["errors"]?.listValue ?? []).compactMap { $0["message"]?.stringValue }
        if !errors.isEmpty { return errors.joined(separator: "; ") }
        if let text = json?["error"]?.stringValue ?? json?["error"]?["message"]?.stringValue { return text }
        return "HTTP status \(status)"
    }
}
