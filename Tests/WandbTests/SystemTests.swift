import Foundation
import Wandb
import XCTest

final class SystemTests: XCTestCase {
    func testSamplesAreRecordedUnderOfficialNames() throws {
        let directory = try Temporary()
        var settings = Settings.offline(in: directory.path)
        settings.statsFirstAfter = 0.05
        settings.statsInterval = 0.1
        let run = try Run.start(RunOptions(), settings: settings)
        Thread.sleep(forTimeInterval: 0.6)
        run.finish()
        let stats = try records(try XCTUnwrap(run.path) + "/run-testrun1.wandb").filter { !$0.stats.item.isEmpty }
        XCTAssertGreaterThanOrEqual(stats.count, 2)
        let values = Dictionary(
            uniqueKeysWithValues: try stats[0].stats.item.map { ($0.key, try JSONReader.value($0.valueJson).doubleValue ?? -1) })
        for key in [
            "cpu", "memory_percent", "proc.memory.rssMB", "proc.memory.percent", "proc.memory.availableMB",
            "proc.cpu.threads", "network.sent", "network.recv", "disk./.usagePercent", "disk./.usageGB",
        ] { XCTAssertNotNil(values[key], key) }
        XCTAssertTrue((0...100).contains(try XCTUnwrap(values["memory_percent"])))
        XCTAssertGreaterThan(try XCTUnwrap(values["proc.memory.rssMB"]), 1)
    }

    func testConsoleLinesAreWhatATerminalShows() {
        var console = ConsoleLog()
        func shown() -> [String] {
            var copy = console
            return copy.takeForFile(isFinal: true)
        }
        let time = WBTime(secondsSince1970: 0)
        console.write("a 1/3\ra 2/3\ra 3/3\n", isError: false, time: time)
        XCTAssertEqual(shown(), ["a 3/3"])
        console.write("abc\u{8}\u{8}X\n", isError: false, time: time)
        console.write("long line\r\u{1B}[Kshort\n", isError: false, time: time)
        console.write("\u{1B}[31mred\u{1B}[0m\n", isError: false, time: time)
        XCTAssertEqual(shown(), ["a 3/3", "aXc", "short", "red"])
        console.write("up\u{1B}[2A", isError: false, time: time)
        console.write("\rHORT", isError: false, time: time)
        console.write("\n\n\nmixed", isError: false, time: time)
        console.write("error\n", isError: true, time: time)
        console.write(" on\n", isError: false, time: time)
        XCTAssertEqual(shown(), ["a 3/3", "aXc", "HORTt", "red", "up", "mixed on", "error"])
        // A line that has left the window stays as it is.
        for i in 0..<40 { console.write("\(i)\n", isError: false, time: time) }
        console.write("\u{1B}[100Atop", isError: false, time: time)
        XCTAssertEqual(shown().first, "a 3/3")
        XCTAssertEqual(
            ConsoleLog.encode(ConsoleLog.Line(text: Array("x \"q\""), time: time, isError: true), structured: false, label: "w"),
            "ERROR 1970-01-01T00:00:00.000000 [w] x \"q\"")
    }

    func testRetryRules() {
        func decision(_ kind: RetryPolicy.Kind, _ status: Int) -> RetryPolicy.Decision {
            var response = HTTPResponse()
            response.status = status
            return RetryPolicy(kind).decision(for: response)
        }
        let kinds: [RetryPolicy.Kind] = [.graphQL, .upsertBucket, .fileStream, .signedURL]
        for kind in kinds {
            for status in [400, 401, 402, 403, 404, 410, 413, 422, 501] { XCTAssertEqual(decision(kind, status), .giveUp) }
            for status in [429, 500, 502, 503, 504, 599] { XCTAssertEqual(decision(kind, status), .retry) }
            XCTAssertEqual(decision(kind, 200), .accept)
            XCTAssertEqual(decision(kind, 201), .accept)
            XCTAssertEqual(decision(kind, 409), kind == .upsertBucket ? .retry : .giveUp)
            XCTAssertEqual(decision(kind, 418), kind == .signedURL ? .giveUp : .retry)
        }
        var response = HTTPResponse()
        response.status = 500
        for attempt in 0..<12 {
            let wait = RetryPolicy(.graphQL).wait(attempt: attempt, response: response)
            let least = min(60, 2 * pow(2, Double(attempt)))
            XCTAssertTrue((least...min(60, least * 1.25)).contains(wait), "\(attempt): \(wait)")
        }
        response.headers = [("retry-after", "4.4")]
        XCTAssertEqual(RetryPolicy(.graphQL).wait(attempt: 3, response: response), 4.4)
        // 784111777 is Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
        XCTAssertEqual(RetryPolicy.seconds("Sun, 06 Nov 1994 08:49:37 GMT", now: 784_111_770), 7)
        XCTAssertNil(RetryPolicy.seconds("soon", now: 0))
        response.failure = .permanent("certificate")
        XCTAssertEqual(RetryPolicy(.fileStream).decision(for: response), .giveUp)
        response.failure = .transient("timeout")
        XCTAssertEqual(RetryPolicy(.fileStream).decision(for: response), .retry)
    }

    func testBase64AndDigests() {
        // RFC 4648, section 10, and RFC 1321, appendix A.5.
        let vectors = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE=", "foobar": "Zm9vYmFy"]
        for (plain, encoded) in vectors {
            XCTAssertEqual(Base64.encode(Array(plain.utf8)), encoded)
            XCTAssertEqual(Base64.decode(encoded), Array(plain.utf8))
        }
        XCTAssertEqual(Digest.hex(Digest.of(Array("abc".utf8), .md5)), "900150983cd24fb0d6963f7d28e17f72")
        XCTAssertEqual(
            Digest.hex(Digest.of(Array("abc".utf8), .sha256)),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}
