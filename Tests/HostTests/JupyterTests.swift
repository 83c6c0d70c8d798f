import Foundation
import Wandb
import XCTest
import host

/// What of the kernel can be tested without a front end; `make test-jupyter` does the rest.
final class JupyterTests: XCTestCase {
    func testSignatures() throws {
        let codec = MessageCodec(key: Array("secret-key".utf8), session: "s")
        // Python: hmac.new(b"secret-key", b'{"a":1}{}{}{"b":"c"}', "sha256").hexdigest()
        let signature = "e3335b8c1cf1eeebc1aa1d48ebf20bc265b3065e413eb27851380ee6edb31484"
        var frames = ["client", "<IDS|MSG>", signature, "{\"a\":1}", "{}", "{}", "{\"b\":\"c\"}"].map { Array($0.utf8) }
        let message = try codec.message(frames)
        XCTAssertEqual(message.identities, [Array("client".utf8)])
        XCTAssertEqual(message.content["b"], .string("c"))
        XCTAssertEqual(codec.frames(message), frames)
        frames[6] = Array("{\"b\":\"d\"}".utf8)
        XCTAssertThrowsError(try codec.message(frames))
        XCTAssertThrowsError(try codec.message(Array(frames.prefix(5))))
        XCTAssertThrowsError(try codec.message([]))
        frames[2] = []
        XCTAssertEqual(try MessageCodec(key: [], session: "s").message(frames).content["b"], .string("d"), "without a key nothing is signed")
        let reply = codec.message("x_reply", ["v": .double(.nan)], parent: message)
        XCTAssertEqual(reply.parent["a"], .int(1))
        XCTAssertEqual(try codec.message(codec.frames(reply)).type, "x_reply")
    }

    func testInstall() throws {
        let scratch = try Scratch()
        let outcome = try HostProcess.run(["jupyter", "install", "--prefix", scratch.url.path, "--name", "lua-2"])
        XCTAssertEqual(outcome.status, 0, outcome.error)
        let file = scratch.url.appendingPathComponent("share/jupyter/kernels/lua-2/kernel.json")
        let spec = try XCTUnwrap(try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any])
        let command = try XCTUnwrap(spec["argv"] as? [String])
        XCTAssertEqual(Array(command.dropFirst()), ["jupyter", "kernel", "-f", "{connection_file}"])
        XCTAssertTrue(FileManager.default.isExecutableFile(atPath: command[0]), command[0])
        XCTAssertEqual(spec["interrupt_mode"] as? String, "message")
        let user = try HostProcess.run(["jupyter", "install"], environment: ["JUPYTER_DATA_DIR": "", "XDG_DATA_HOME": scratch.url.path + "/data"])
        XCTAssertTrue(user.out.contains(scratch.url.path + "/data/jupyter/kernels/host"), user.out)
    }

    func testUsage() throws {
        for words in [["jupyter"], ["jupyter", "instal"], ["jupyter", "install", "--prefx"], ["jupyter", "install", "--name", "a/b"], ["jupyter", "kernel"]] {
            let outcome = try HostProcess.run(words)
            XCTAssertEqual(outcome.status, 2, "\(words)")
            XCTAssertTrue(outcome.error.hasPrefix("host: jupyter"), outcome.error)
        }
        XCTAssertTrue(try HostProcess.run(["jupyter", "instal"]).error.contains("did you mean 'install'?"))
        let scratch = try Scratch()
        let noPorts = try scratch.write("c.json", "{\"ip\": \"127.0.0.1\", \"transport\": \"tcp\"}")
        let scheme = try scratch.write("d.json", "{\"signature_scheme\": \"hmac-md5\"}")
        let broken = try scratch.write("e.json", "{")
        for (path, reason) in [(noPorts, "shell_port must be a port number"), (scheme, "signature_scheme is 'hmac-md5'"), (broken, "no JSON"), ("/none", "No such file")] {
            let outcome = try HostProcess.run(["jupyter", "kernel", "-f", path])
            XCTAssertEqual(outcome.status, 1)
            XCTAssertTrue(outcome.error.contains(reason), outcome.error)
        }
    }
}
