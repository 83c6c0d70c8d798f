import Foundation
import Wandb
import XCTest

/// Encrypted connections and proxies, as a script's run meets them.
final class TransportTests: XCTestCase {
    private let script = """
        local wandb = require "wandb"
        local run = wandb.init{project = "demo", id = "run1", config = {lr = 0.1}}
        for i = 1, 5 do run:log{i = i} end
        run:finish()
        """

    private func run(
        _ base: String, _ server: RecordingServer, _ directory: Temporary, _ environment: [String: String]
    ) throws -> HostProgram.Outcome {
        // A proxy of the person who runs the tests takes no part.
        var all = ["WANDB_BASE_URL": base, "WANDB_FINISH_TIMEOUT": "10"]
        all.merge(environment) { $1 }
        return try HostProgram(script, server: server, in: directory, environment: all).finish()
    }

    private func arrived(_ server: RecordingServer) -> [Int64] { server.run("run1")?.rows.compactMap { $0["i"]?.intValue } ?? [] }

    func testEncryptedConnectionsAreVerified() throws {
        let directory = try Temporary()
        let certificate = try Certificate(for: "IP:127.0.0.1", in: directory)
        func attempt(_ host: String, _ environment: [String: String]) throws -> (RecordingServer, Relay, HostProgram.Outcome, Temporary) {
            let server = try RecordingServer()
            let relay = try Relay.tls(to: server.number, certificate: certificate)
            let place = try Temporary()
            return (server, relay, try run("https://\(host):\(relay.port)", server, place, environment), place)
        }
        let trust = ["SSL_CERT_FILE": certificate.path]

        let (server, relay, outcome, _) = try attempt("127.0.0.1", trust)
        XCTAssertEqual(outcome.status, 0, outcome.error)
        XCTAssertEqual(arrived(server), [1, 2, 3, 4, 5], outcome.error)
        XCTAssertTrue(server.run("run1")?.complete ?? false)
        XCTAssertFalse(relay.lines.contains("no TLS"), "\(relay.lines)")
        // One connection for the rows, one for the files, at most one for what init asks: they are kept and used again.
        XCTAssertTrue((1...3).contains(relay.lines.count), "\(relay.lines.count) connections for \(server.requests.count) requests")
        XCTAssertGreaterThan(server.requests.count, 6)

        // Nobody vouches for the certificate; the one who is vouched for has another name.
        for (host, environment, reason) in [
            ("127.0.0.1", ["WANDB_FINISH_TIMEOUT": "1"], "self-signed certificate"),
            ("localhost", trust.merging(["WANDB_FINISH_TIMEOUT": "1"]) { $1 }, "localhost"),
        ] {
            let (server, relay, outcome, place) = try attempt(host, environment)
            XCTAssertEqual(outcome.status, 0, "the script's own status: \(outcome.error)")
            XCTAssertEqual(server.requests.count, 0, "nothing is told to a server that is not known")
            XCTAssertFalse(relay.lines.isEmpty)
            for part in [reason, "SSL_CERT_FILE", "host sync"] { XCTAssertTrue(outcome.error.contains(part), "\(part): \(outcome.error)") }
            // What was logged is whole, and reaches the server once it is trusted.
            let sync = try HostProgram(
                words: ["sync"], server: server, in: place,
                environment: ["WANDB_BASE_URL": "https://127.0.0.1:\(relay.port)", "SSL_CERT_FILE": certificate.path]
            ).finish()
            XCTAssertEqual(sync.status, 0, sync.error)
            XCTAssertEqual(arrived(server), [1, 2, 3, 4, 5], sync.error)
        }

        // Who asks for the run to be online hears it at once.
        let strict = try attempt("127.0.0.1", ["WANDB_MODE": "online", "WANDB_INIT_TIMEOUT": "\(HostProgram.patience)", "WANDB_FINISH_TIMEOUT": "1"])
        XCTAssertTrue(strict.2.error.contains("self-signed certificate"), strict.2.error)

        let (open, _, loud, _) = try attempt("127.0.0.1", ["WANDB_INSECURE_DISABLE_SSL": "true"])
        XCTAssertEqual(arrived(open), [1, 2, 3, 4, 5], loud.error)
        XCTAssertTrue(loud.error.contains("TLS certificates are not verified"), loud.error)
    }

    /// As with the official client it is off until a setting asks for it.
    func testRowsAreCompressedWhereTheServerTakesIt() throws {
        for takesIt in [true, false] {
            let server = try RecordingServer()
            if takesIt { server.state.withLock { $0.features.append("FILESTREAM_GZIP") } }
            let outcome = try run(server.url, server, try Temporary(), ["WANDB_X_FILE_STREAM_NO_GZIP": "false"])
            XCTAssertEqual(arrived(server), [1, 2, 3, 4, 5], outcome.error)
            let packed = server.requests.filter { $0.headers["content-encoding"] == "gzip" }
            XCTAssertEqual(!packed.isEmpty, takesIt)
            XCTAssertTrue(packed.allSatisfy { $0.isStream && $0.json != nil })
        }
    }

    /// 0.0.0.0 reaches this machine and is not one of the names that go without a proxy.
    func testProxiesAreThoseOfTheOfficialClient() throws {
        for (host, variable, no, goesThrough) in [
            ("0.0.0.0", "HTTP_PROXY", "", true), ("0.0.0.0", "http_proxy", "", true), ("0.0.0.0", "HTTP_PROXY", "0.0.0.0", false),
            ("0.0.0.0", "HTTP_PROXY", "*", false), ("127.0.0.1", "HTTP_PROXY", "", false), ("0.0.0.0", "HTTPS_PROXY", "", false),
            ("0.0.0.0", "ALL_PROXY", "", false), ("127.0.0.1", "WANDB_HTTP_PROXY", "*", true),
        ] {
            let server = try RecordingServer()
            let proxy = try Relay.proxy(to: server.number)
            let address = "\(host):\(server.number)"
            let place = "\(host) \(variable) NO_PROXY=\(no)"
            let directory = try Temporary()
            let outcome = try run(
                "http://\(address)", server, directory, [variable: "http://me:hidden@127.0.0.1:\(proxy.port)", "NO_PROXY": no])
            XCTAssertEqual(outcome.status, 0, place)
            XCTAssertEqual(arrived(server), [1, 2, 3, 4, 5], "\(place): \(outcome.error)")
            XCTAssertEqual(proxy.lines.contains("POST http://\(address)/graphql HTTP/1.1"), goesThrough, "\(place): \(proxy.lines)")
            XCTAssertEqual(proxy.lines.isEmpty, !goesThrough, "\(place): \(proxy.lines)")
            if goesThrough {
                XCTAssertTrue(proxy.lines.contains("Proxy-Authorization: Basic \(Data("me:hidden".utf8).base64EncodedString())"), place)
            }
            XCTAssertFalse(outcome.error.contains("hidden") || outcome.out.contains("hidden"), place)
        }
    }

    func testEncryptedConnectionsGoThroughAProxy() throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let certificate = try Certificate(for: "DNS:wandb.test", in: directory)
        let relay = try Relay.tls(to: server.number, certificate: certificate)
        let proxy = try Relay.proxy(to: server.number, connect: relay.port)
        let outcome = try run(
            "https://wandb.test", server, directory,
            ["HTTPS_PROXY": "http://127.0.0.1:\(proxy.port)", "SSL_CERT_FILE": certificate.path])
        XCTAssertEqual(outcome.status, 0)
        XCTAssertEqual(arrived(server), [1, 2, 3, 4, 5], outcome.error)
        XCTAssertTrue(proxy.lines.contains("CONNECT wandb.test:443 HTTP/1.1"), "\(proxy.lines)")
        XCTAssertTrue(server.requests.contains { $0.headers["authorization"] != nil }, "the key goes to the server")
        XCTAssertFalse(proxy.lines.contains { $0.lowercased().contains("authorization") }, "and not to the proxy")
    }
}
