import Foundation
import XCTest

final class HTTPTests: XCTestCase {
    private let body = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 7) }

    /// Runs a script that has `url` and `to`; the file that it wrote, or nil.
    private func run(
        _ answers: [FileServer.Answer], _ code: String, part: [UInt8]? = nil, old: [UInt8]? = nil
    ) throws -> (outcome: HostProcess.Outcome, file: [UInt8]?, leftover: Bool, requests: [String]) {
        let server = try FileServer(body, answers)
        defer { server.stop() }
        let scratch = try Scratch()
        let to = scratch.url.appendingPathComponent("file.bin")
        if let part { try Data(part).write(to: scratch.url.appendingPathComponent("file.bin.part")) }
        if let old { try Data(old).write(to: to) }
        let script = try scratch.write("s.lua", "local http = require 'http'\nlocal url, to, sha = ...\n\(code)")
        let sums = Process()
        let out = Pipe()
        let whole = scratch.url.appendingPathComponent("whole")
        try Data(body).write(to: whole)
        sums.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        sums.arguments = ["sha256sum", whole.path]
        sums.standardOutput = out
        try sums.run()
        let sum = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self).prefix(64)
        let outcome = try HostProcess.run(
            [script, server.url, to.path, String(sum)], environment: ["no_proxy": "*", "NO_PROXY": "*", "http_proxy": ""])
        let leftover = FileManager.default.fileExists(atPath: to.path + ".part")
        return (outcome, (try? Data(contentsOf: to)).map { Array($0) }, leftover, server.requests)
    }

    func testWholeFileAndMemory() throws {
        let file = try run([.whole], "print(http.get{url = url, to = to, sha256 = sha} == to)")
        XCTAssertEqual(file.outcome.out, "true\n", file.outcome.error)
        XCTAssertEqual(file.file, body)
        XCTAssertFalse(file.leftover)
        let memory = try run([.redirect("/there"), .whole], "print(#http.get(url))")
        XCTAssertEqual(memory.outcome.out, "200000\n", memory.outcome.error)
        XCTAssertEqual(memory.requests.count, 2)
    }

    func testResumesWhatBrokeOff() throws {
        let broken = try run([.cut(70_000), .ranges], "http.get{url = url, to = to, sha256 = sha}")
        XCTAssertEqual(broken.file, body, broken.outcome.error)
        XCTAssertTrue(broken.requests[1].contains("Range: bytes=70000-"), broken.requests[1])
        let part = try run([.ranges], "http.get{url = url, to = to, sha256 = sha}", part: Array(body.prefix(123_456)))
        XCTAssertEqual(part.file, body, part.outcome.error)
        XCTAssertTrue(part.requests[0].contains("Range: bytes=123456-"))
        // A server that cannot go on, a part that is whole already, and one of another file.
        for (answers, part) in [([FileServer.Answer.whole], Array(body.prefix(5))), ([.ranges], body), ([.ranges], [UInt8](repeating: 1, count: 500))] {
            let again = try run(answers, "http.get{url = url, to = to, sha256 = sha}", part: part)
            XCTAssertEqual(again.file, body, again.outcome.error)
        }
    }

    func testTriesAgainAndGivesUp() throws {
        let later = try run([.status(503), .status(429), .whole], "http.get{url = url, to = to}")
        XCTAssertEqual(later.file, body, later.outcome.error)
        let never = try run([.status(500)], "http.get{url = url, to = to, retries = 1}")
        XCTAssertEqual(never.outcome.status, 1)
        XCTAssertTrue(never.outcome.error.contains("/file: the server answered 500 (tried 2 times)"), never.outcome.error)
        XCTAssertEqual(never.requests.count, 2)
        let missing = try run([.status(404)], "http.get{url = url .. '?key=secret', to = to}", old: [1, 2])
        XCTAssertTrue(missing.outcome.error.contains("/file: the server answered 404"), missing.outcome.error)
        XCTAssertFalse(missing.outcome.error.contains("secret"))
        XCTAssertEqual(missing.requests.count, 1)
        XCTAssertEqual(missing.file, [1, 2])
    }

    func testChecksums() throws {
        let wrong = try run([.whole], "http.get{url = url, to = to, sha256 = ('0'):rep(64)}", old: [7])
        XCTAssertTrue(wrong.outcome.error.contains("its SHA-256 is"), wrong.outcome.error)
        XCTAssertEqual(wrong.file, [7])
        XCTAssertFalse(wrong.leftover)
        let weaker = try run([.whole], "http.get{url = url, to = to, md5 = ('0'):rep(32)}")
        XCTAssertTrue(weaker.outcome.error.contains("its MD5 is"), weaker.outcome.error)
        let there = try run([.whole], "http.get{url = url, to = to, sha256 = sha}", old: body)
        XCTAssertEqual(there.requests.count, 0)
        XCTAssertEqual(there.file, body)
    }

    func testBadRequests() throws {
        for (code, message) in [
            ("http.get{url = 'file:///etc/passwd'}", "file:///etc/passwd: "), ("http.get{url = url, sha256 = 'x'}", "expected 64 hex digits"),
            ("http.get{url = url, to = '/none/x', retries = 0}", "/none/x.part: cannot create"), ("http.get{url = 'http://127.0.0.1:1/', retries = 0}", "127.0.0.1"),
            ("http.get{url = url, headers = {a = 'x\\ny'}}", "on one line each"),
        ] {
            let outcome = try run([.whole], code).outcome
            XCTAssertEqual(outcome.status, 1, code)
            XCTAssertTrue(outcome.error.contains(message), outcome.error)
        }
    }

    func testProgress() throws {
        let shown = try run([.whole], "http.get{url = url, to = to, progress = 'set'}")
        XCTAssertTrue(shown.outcome.error.hasPrefix("set: 195.3 KiB"), shown.outcome.error)
    }
}
