import Foundation

/// An HTTP server on the loopback that serves one file, as well or badly as a test wants.
final class FileServer: @unchecked Sendable {
    /// What to do with one request.
    enum Answer {
        case whole
        /// Honours a Range header.
        case ranges
        /// Says the whole length, sends so many bytes and hangs up.
        case cut(Int)
        case status(Int)
        case redirect(String)
    }

    private let descriptor: Int32
    let port: Int
    private let body: [UInt8]
    private let lock = NSLock()
    private var answers: [Answer]
    private var seen: [String] = []

    /// - Parameter answers: for the first, second, ... request; the last is repeated.
    init(_ body: [UInt8], _ answers: [Answer]) throws {
        self.body = body
        self.answers = answers
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = descriptor
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0 }
        }
        guard bound, listen(descriptor, 8) == 0 else { throw CocoaError(.fileReadUnknown) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread { [self] in serve() }.start()
    }

    /// Ends the server; what a client still asks is refused.
    func stop() {
        shutdown(descriptor, Int32(SHUT_RDWR))
        close(descriptor)
    }

    var url: String { "http://127.0.0.1:\(port)/file" }
    /// First lines and headers of the requests.
    var requests: [String] { lock.withLock { seen } }

    private func serve() {
        signal(SIGPIPE, SIG_IGN)
        while true {
            let client = accept(descriptor, nil, nil)
            guard client >= 0 else { return }
            answer(client)
            close(client)
        }
    }

    private func answer(_ client: Int32) {
        var request = ""
        var buffer = [UInt8](repeating: 0, count: 4096)
        while !request.contains("\r\n\r\n") {
            let n = read(client, &buffer, buffer.count)
            guard n > 0 else { return }
            request += String(decoding: buffer[..<n], as: UTF8.self)
        }
        let answer = lock.withLock {
            seen.append(request)
            return answers.count > 1 ? answers.removeFirst() : answers[0]
        }
        func send(_ status: String, _ headers: String = "", _ bytes: ArraySlice<UInt8>, length: Int? = nil) {
            let all = Array("HTTP/1.1 \(status)\r\nContent-Length: \(length ?? bytes.count)\r\nConnection: close\r\n\(headers)\r\n".utf8) + bytes
            var done = 0
            while done < all.count {
                let n = all[done...].withUnsafeBytes { write(client, $0.baseAddress, $0.count) }
                guard n > 0 else { return }
                done += n
            }
        }
        let range = request.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix("range: bytes=") }
        let start = range.flatMap { Int($0.dropFirst(13).prefix { $0 != "-" }) } ?? 0
        switch answer {
        case .whole: send("200 OK", "", body[...])
        case .ranges where range != nil && start < body.count:
            send("206 Partial Content", "Content-Range: bytes \(start)-\(body.count - 1)/\(body.count)\r\n", body[start...])
        case .ranges where range != nil: send("416 Range Not Satisfiable", "", [])
        case .ranges: send("200 OK", "", body[...])
        case .cut(let count): send("200 OK", "", body.prefix(count), length: body.count)
        case .status(let code): send("\(code) Status", "", Array("an error page".utf8)[...])
        case .redirect(let to): send("302 Found", "Location: \(to)\r\n", [])
        }
    }
}
