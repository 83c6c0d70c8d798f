import Foundation
import Synchronization
import XCTest

/// Stands between a client and the recording server on the loopback interface, and passes bytes on.
final class Relay: Sendable {
    private let listener: Int32
    let port: UInt16
    private let noted = Mutex<[String]>([])
    /// The first lines of what arrived, or why nothing did.
    var lines: [String] { noted.withLock { $0 } }

    /// - Parameter serve: gets each connection, and is to close nothing.
    private init(_ serve: @escaping @Sendable (Relay, Int32) -> Void) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, size) == 0 && listen(socket, 64) == 0 && getsockname(socket, pointer, &size) == 0
            }
        }
        guard bound else { throw POSIXError(.EADDRINUSE) }
        listener = socket
        port = UInt16(bigEndian: address.sin_port)
        Thread { [weak self] in
            while true {
                let connection = accept(socket, nil, nil)
                if connection < 0 { return }
                Thread { [weak self] in
                    if let self { serve(self, connection) }
                    close(connection)
                }.start()
            }
        }.start()
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func note(_ line: String) { noted.withLock { $0.append(line) } }

    /// A proxy that takes every client to the port, wherever it wants to go; `CONNECT` to another one.
    static func proxy(to port: UInt16, connect: UInt16? = nil) throws -> Relay {
        try Relay { relay, client in
            var head: [UInt8] = []
            let end = Array("\r\n\r\n".utf8)
            while head.firstRange(of: end) == nil {
                guard let piece = receive(client) else { return }
                head += piece
            }
            let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
            relay.note(lines[0])
            for line in lines where line.lowercased().hasPrefix("proxy-authorization:") { relay.note(line) }
            let isTunnel = lines[0].hasPrefix("CONNECT ")
            guard let server = Self.connect(isTunnel ? connect ?? port : port) else { return }
            defer { close(server) }
            guard isTunnel ? send(Array("HTTP/1.1 200 Connected\r\n\r\n".utf8), client) : send(head, server) else { return }
            passOn(between: client, and: server)
        }
    }

    /// A TLS server that shows the certificate and speaks plainly to the port.
    static func tls(to port: UInt16, certificate: Certificate) throws -> Relay {
        let tls = try TLSLibrary(certificate)
        return try Relay { relay, client in
            guard let server = connect(port) else { return }
            defer { close(server) }
            relay.note(tls.serve(client, server) ? "TLS" : "no TLS")
        }
    }

    // MARK: Sockets

    static func connect(_ port: UInt16) -> Int32? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let done = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        if done { return socket }
        close(socket)
        return nil
    }

    static func receive(_ socket: Int32) -> [UInt8]? {
        var piece = [UInt8](repeating: 0, count: 65536)
        let count = recv(socket, &piece, piece.count, 0)
        return count > 0 ? Array(piece[..<count]) : nil
    }

    static func send(_ bytes: [UInt8], _ socket: Int32) -> Bool {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return false }
            sent += count
        }
        return true
    }

    private static func passOn(between a: Int32, and b: Int32) {
        while true {
            var waiting = [pollfd(fd: a, events: Int16(POLLIN), revents: 0), pollfd(fd: b, events: Int16(POLLIN), revents: 0)]
            guard poll(&waiting, 2, 30_000) > 0 else { return }
            for (from, to) in [(waiting[0], b), (waiting[1], a)] where from.revents != 0 {
                guard let piece = receive(from.fd), send(piece, to) else { return }
            }
        }
    }
}

/// A key and a certificate that nobody vouches for, made by openssl for this test.
struct Certificate {
    let key: String
    let path: String

    /// - Parameter names: as openssl writes them, `DNS:a.test,IP:127.0.0.1`.
    init(for names: String, in directory: Temporary) throws {
        (key, path) = ("\(directory.path)/key.pem", "\(directory.path)/certificate.pem")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = [
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", path,
            "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=\(names)",
        ]
        process.standardError = FileHandle.nullDevice
        do { try process.run() } catch { throw XCTSkip("there is no openssl to make a certificate with") }
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw XCTSkip("openssl makes no certificate here") }
    }
}

/// The server's half of OpenSSL's libssl, which libcurl brings along.
private final class TLSLibrary: @unchecked Sendable {
    private typealias Pointer = OpaquePointer
    private let context: OpaquePointer
    private let new: @convention(c) (Pointer) -> Pointer?
    private let free: @convention(c) (Pointer) -> Void
    private let freeContext: @convention(c) (Pointer) -> Void
    private let attach: @convention(c) (Pointer, Int32) -> Int32
    private let accept: @convention(c) (Pointer) -> Int32
    private let read: @convention(c) (Pointer, UnsafeMutableRawPointer, Int32) -> Int32
    private let write: @convention(c) (Pointer, UnsafeRawPointer, Int32) -> Int32
    private let pending: @convention(c) (Pointer) -> Int32

    init(_ certificate: Certificate) throws {
        guard let library = dlopen("libssl.so.3", RTLD_NOW) ?? dlopen("libssl.so.1.1", RTLD_NOW) else { throw XCTSkip("there is no libssl") }
        func find<T>(_ name: String, _ type: T.Type = T.self) throws -> T {
            guard let symbol = dlsym(library, name) else { throw XCTSkip("libssl has no \(name)") }
            return unsafeBitCast(symbol, to: type)
        }
        typealias Method = @convention(c) () -> Pointer?
        typealias NewContext = @convention(c) (Pointer?) -> Pointer?
        typealias Use = @convention(c) (Pointer, UnsafePointer<CChar>, Int32) -> Int32
        context = try XCTUnwrap(try find("SSL_CTX_new", NewContext.self)(try find("TLS_server_method", Method.self)()))
        freeContext = try find("SSL_CTX_free")
        new = try find("SSL_new")
        free = try find("SSL_free")
        attach = try find("SSL_set_fd")
        accept = try find("SSL_accept")
        read = try find("SSL_read")
        write = try find("SSL_write")
        pending = try find("SSL_pending")
        guard try find("SSL_CTX_use_certificate_file", Use.self)(context, certificate.path, 1) == 1,
            try find("SSL_CTX_use_PrivateKey_file", Use.self)(context, certificate.key, 1) == 1
        else { throw POSIXError(.EINVAL) }
    }

    deinit { freeContext(context) }

    /// Passes on until one side ends; false when the client did not agree on a connection.
    func serve(_ client: Int32, _ server: Int32) -> Bool {
        // A client that is gone is no reason to end: the signal waits on this thread, which ends with the connection.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        guard let tls = new(context) else { return false }
        defer { free(tls) }
        guard attach(tls, client) == 1, accept(tls) == 1 else { return false }
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            var waiting = [pollfd(fd: client, events: Int16(POLLIN), revents: 0), pollfd(fd: server, events: Int16(POLLIN), revents: 0)]
            guard pending(tls) > 0 || poll(&waiting, 2, 30_000) > 0 else { return true }
            if pending(tls) > 0 || waiting[0].revents != 0 {
                let count = read(tls, &buffer, Int32(buffer.count))
                guard count > 0, Relay.send(Array(buffer[..<Int(count)]), server) else { return true }
            }
            if waiting[1].revents != 0 {
                guard let piece = Relay.receive(server), write(tls, piece, Int32(piece.count)) > 0 else { return true }
            }
        }
    }
}
