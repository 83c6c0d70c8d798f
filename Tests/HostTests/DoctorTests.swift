import Foundation
import XCTest

final class DoctorTests: XCTestCase {
    private let key = "0123456789abcdef0123456789abcdef0123wxyz"

    private func doctor(_ environment: [String: String]) throws -> [String: String] {
        let plain = ["WANDB_MODE": "", "WANDB_API_KEY": "", "NO_PROXY": "*", "no_proxy": "*", "HOST_CPU_LEVEL": "", "HOST_NUM_THREADS": ""]
        let outcome = try HostProcess.run(["doctor"], environment: plain.merging(environment) { $1 })
        XCTAssertEqual(outcome.status, 0, outcome.error)
        XCTAssertEqual(outcome.error, "")
        XCTAssertFalse(outcome.out.contains("\u{1B}"))
        XCTAssertFalse(outcome.out.contains("wxyz"), "not even the end of the key is shown")
        var findings: [String: String] = [:]
        for line in outcome.out.split(separator: "\n") {
            let end = line.firstRange(of: "  ")?.lowerBound ?? line.endIndex
            findings[String(line[..<end])] = line[end...].trimmingCharacters(in: .whitespaces)
        }
        return findings
    }

    func testMachine() throws {
        let found = try doctor(["WANDB_MODE": "offline", "HOST_CPU_LEVEL": "baseline", "HOST_NUM_THREADS": "3", "LC_ALL": "C", "PFS_ROOT": "/nowhere/pfs"])
        XCTAssertTrue(found["CPU level"]?.hasPrefix("baseline") ?? false, "\(found)")
        XCTAssertTrue(found["threads"]?.hasPrefix("3 (") ?? false, "\(found)")
        XCTAssertTrue(found["memory"]?.hasPrefix("limit ") ?? false, "\(found)")
        XCTAssertEqual(found["locale"], "C: characters beyond ASCII are not drawn")
        XCTAssertEqual(found["W&B mode"], "offline")
        XCTAssertTrue(found["W&B server"]?.contains("not asked") ?? false, "\(found)")
        for library in ["libpng", "libjpeg-turbo", "libdeflate", "libcairo", "readline", "LAPACK", "libzmq"] {
            // What is installed differs; each is spoken of.
            XCTAssertTrue(found[library]?.hasPrefix("yes (") ?? false || found[library]?.contains("no: without it ") ?? false, "\(found)")
        }
        XCTAssertTrue(found["libpng"]?.hasPrefix("yes") ?? false, "\(found)")
        XCTAssertEqual(found["/pfs"], "none: not in a Pachyderm job")
    }

    func testServerAndKey() throws {
        let server = try FileServer(Array("ok".utf8), [.whole])
        defer { server.stop() }
        let port = server.port
        let found = try doctor(["WANDB_API_KEY": key, "WANDB_BASE_URL": "http://me:secret@127.0.0.1:\(port)"])
        XCTAssertEqual(found["W&B key"], "found in WANDB_API_KEY")
        XCTAssertEqual(found["W&B server"], "http://127.0.0.1:\(port) answers (HTTP 200)")
        XCTAssertFalse(server.requests.contains { $0.lowercased().contains("authorization") && $0.contains(key) })
        let closed = try doctor(["WANDB_API_KEY": key, "WANDB_BASE_URL": "http://127.0.0.1:1"])
        XCTAssertTrue(closed["W&B server"]?.hasPrefix("http://127.0.0.1:1 does not answer: ") ?? false, "\(closed)")
        let wrong = try doctor(["WANDB_API_KEY": "short"])
        XCTAssertTrue(wrong["W&B"]?.contains("the API key from WANDB_API_KEY has 5 characters") ?? false, "\(wrong)")
    }

    func testFolderOfPipelines() throws {
        let scratch = try Scratch()
        try scratch.write("pfs/mnist/a", "")
        try scratch.write("pfs/out/keep", "")
        let root = scratch.url.path + "/pfs"
        let found = try doctor(["WANDB_MODE": "offline", "PFS_ROOT": root, "PPS_PIPELINE_NAME": "train"])
        XCTAssertEqual(found["/pfs"], "\(root): inputs mnist; out is writable; pipeline train")
    }
}
