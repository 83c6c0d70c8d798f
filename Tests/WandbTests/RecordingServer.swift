import Foundation
import Synchronization
import Wandb

/// A request as it arrived.
struct Received: Sendable {
    let method: String
    let path: String
    let headers: [String: String]
    let body: [UInt8]
    let time = Date()
    var json: WandbValue? { try? JSONReader.value(body) }
    var operation: String? { path.hasSuffix("/graphql") ? json?["operationName"]?.stringValue : nil }
    var variables: WandbValue { json?["variables"] ?? .null }
    var isStream: Bool { path.hasSuffix("/file_stream") }
}

/// What goes wrong with an answer.
enum Fault: Sendable {
    case status(Int, headers: [String: String] = [:], body: String = #"{"errors":[{"message":"injected fault"}]}"#)
    /// The connection ends before anything is done.
    case drop
    /// Everything is done, but the answer never arrives.
    case loseAnswer
    case halfBody
    case garbage
    case slow(Double)
    /// The usual answer with more headers.
    case headers([String: String])
}

/// A stand-in for W&B on the loopback interface: it keeps what it is sent as the real one would.
final class RecordingServer: Sendable {
    struct State {
        var requests: [Received] = []
        var runs: [String: Bucket] = [:]
        var uploads: [String: [UInt8]] = [:]
        var artifacts: [String: Artifact] = [:]
        var usedArtifacts: [String] = []
        var agentCommands: [String] = []
        var heartbeats = 0
        /// The run that the server wants an agent to end.
        var stopsAgentRun: String?
        var stopsRuns = false
        var features = ["STRUCTURED_CONSOLE_LOGS"]
        var next = 1000
    }

    struct Bucket {
        var name: String
        var displayName: String
        var project: String
        var config: WandbValue = .null
        var upserts = 0
        var files: [String: [Int: String]] = [:]
        var complete = false
        var exitCode: Int64?
        var uploaded: [String] = []
        var tags: WandbValue = .null
        var notes: WandbValue = .null
        /// Lines as a list; a gap is an empty text.
        func lines(_ name: String) -> [String] {
            let lines = files[name] ?? [:]
            guard let last = lines.keys.max() else { return [] }
            return (0...last).map { lines[$0] ?? "" }
        }
        var rows: [WandbValue] { lines("wandb-history.jsonl").map { (try? JSONReader.value($0)) ?? .null } }
        var summary: WandbValue { files["wandb-summary.json"]?[0].flatMap { try? JSONReader.value($0) } ?? .null }
    }

    struct Artifact {
        var id: String
        var name: String
        var type: String
        var digest: String
        var aliases: [String]
        var metadata: String?
        var version: Int
        var committed = false
        var files: [String: String] = [:]
        var manifest = ""
    }

    let state = Mutex(State())
    private let faults = Mutex<[@Sendable (Received) -> Fault?]>([])
    private let listener = Mutex<Int32>(-1)
    private let port = Mutex<UInt16>(0)

    init() throws { try open(port: 0) }

    deinit { close() }

    var number: UInt16 { port.withLock { $0 } }
    var url: String { "http://127.0.0.1:\(port.withLock { $0 })" }

    /// Each fault is asked about every request, until it has struck `times`.
    func inject(_ fault: Fault, times: Int = 1, where matches: @escaping @Sendable (Received) -> Bool) {
        let left = Counter(times)
        faults.withLock { $0.append { request in matches(request) && left.take() ? fault : nil } }
    }

    final class Counter: Sendable {
        private let left: Mutex<Int>
        init(_ count: Int) { left = Mutex(count) }
        func take() -> Bool { left.withLock { if $0 > 0 { $0 -= 1; return true } else { return false } } }
    }

    // MARK: Sockets

    func open(port wanted: UInt16) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = wanted.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, size) == 0 && listen(socket, 64) == 0 && getsockname(socket, pointer, &size) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRINUSE) }
        listener.withLock { $0 = socket }
        port.withLock { $0 = UInt16(bigEndian: address.sin_port) }
        let thread = Thread { [weak self] in
            while true {
                let connection = accept(socket, nil, nil)
                if connection < 0 { return }
                let handler = Thread { [weak self] in self?.serve(connection) }
                handler.start()
            }
        }
        thread.start()
    }

    /// The server dies: no connection is answered any more.
    func close() {
        listener.withLock { socket in
            if socket >= 0 {
                shutdown(socket, Int32(SHUT_RDWR))
                Glibc.close(socket)
            }
            socket = -1
        }
    }

    /// The server comes back under its address.
    func reopen() throws { try open(port: port.withLock { $0 }) }

    private func serve(_ connection: Int32) {
        defer { Glibc.close(connection) }
        var buffer: [UInt8] = []
        while let request = read(connection, &buffer) {
            // A dead server answers nothing, not even what comes over a connection that was open.
            if listener.withLock({ $0 < 0 }) { return }
            let fault = faults.withLock { faults -> Fault? in
                for fault in faults { if let struck = fault(request) { return struck } }
                return nil
            }
            state.withLock { $0.requests.append(request) }
            var answer = (status: 200, headers: [String: String](), body: [UInt8]())
            switch fault {
            case .drop: return
            case .status(let status, let headers, let body): answer = (status, headers, Array(body.utf8))
            case .garbage: answer.body = Array("<html>not what you asked for</html>".utf8)
            default:
                if case .slow(let seconds) = fault { Thread.sleep(forTimeInterval: seconds) }
                let (status, body) = handle(request)
                answer = (status, [:], body)
                if case .headers(let more) = fault { answer.headers = more }
                if case .loseAnswer = fault { return }
            }
            var head = "HTTP/1.1 \(answer.status) X\r\nContent-Length: \(answer.body.count)\r\n"
            for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
            var bytes = Array((head + "\r\n").utf8) + answer.body
            if case .halfBody = fault { bytes.removeLast(answer.body.count / 2 + 1) }
            guard send(bytes, connection) else { return }
            if case .halfBody = fault { return }
        }
    }

    private func send(_ bytes: [UInt8], _ connection: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    private func read(_ connection: Int32, _ buffer: inout [UInt8]) -> Received? {
        func more() -> Bool {
            var piece = [UInt8](repeating: 0, count: 65536)
            let count = recv(connection, &piece, piece.count, 0)
            if count <= 0 { return false }
            buffer.append(contentsOf: piece[..<count])
            return true
        }
        let end = Array("\r\n\r\n".utf8)
        var headEnd: Int?
        while headEnd == nil {
            if let range = buffer.firstRange(of: end) { headEnd = range.lowerBound } else if !more() { return nil }
        }
        guard let headEnd else { return nil }
        let lines = String(decoding: buffer[..<headEnd], as: UTF8.self).components(separatedBy: "\r\n")
        let first = lines[0].split(separator: " ")
        guard first.count >= 2 else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            guard let mark = line.firstIndex(of: ":") else { continue }
            headers[line[..<mark].lowercased()] = line[line.index(after: mark)...].trimmingCharacters(in: .whitespaces)
        }
        let count = Int(headers["content-length"] ?? "0") ?? 0
        while buffer.count < headEnd + 4 + count { if !more() { return nil } }
        var body = Array(buffer[(headEnd + 4)..<(headEnd + 4 + count)])
        if headers["content-encoding"] == "gzip" { body = Self.decompressed(body) }
        buffer.removeFirst(headEnd + 4 + count)
        // A proxy's client names the server in the first line.
        let path = first[1].hasPrefix("http://") ? first[1].drop { $0 != ":" }.dropFirst(3).drop { $0 != "/" } : first[1]
        return Received(method: String(first[0]), path: String(path), headers: headers, body: body)
    }

    /// By the gzip program: what it refuses is empty.
    private static func decompressed(_ bytes: [UInt8]) -> [UInt8] {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/gzip")
        process.arguments = ["-dc"]
        let (inlet, out) = (Pipe(), Pipe())
        process.standardInput = inlet
        process.standardOutput = out
        guard (try? process.run()) != nil else { return [] }
        DispatchQueue.global().async {
            inlet.fileHandleForWriting.write(Data(bytes))
            try? inlet.fileHandleForWriting.close()
        }
        let text = out.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? Array(text) : []
    }

    // MARK: What was recorded

    var requests: [Received] { state.withLock { $0.requests } }
    func run(_ name: String) -> Bucket? { state.withLock { $0.runs[name] } }
    func operations(_ name: String) -> [Received] { requests.filter { $0.operation == name } }

    /// The run files that arrived, by name.
    func files() -> [String: [UInt8]] { state.withLock { $0.uploads } }

    func wait(_ seconds: Double = 10, until isTrue: () -> Bool) -> Bool {
        let end = Date().addingTimeInterval(seconds * HostProgram.patience)
        while Date() < end {
            if isTrue() { return true }
            Thread.sleep(forTimeInterval: 0.01)
        }
        return isTrue()
    }
}
