import Foundation
import XCTest

/// The W&B key is in no file, log, traceback, process title or captured line that a run leaves, however it ends.
final class SecretsTests: XCTestCase {
    private let key = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"

    private static let script = """
        local wandb, tensor, nn, fs, pachyderm, time = require "wandb", require "tensor", require "nn", require "fs", require "pachyderm", require "time"
        local key = os.getenv "WANDB_API_KEY" or "none"
        local config = {lr = 0.1, mistake = key, nested = {mistake = {"--key=" .. tostring(key)}}}
        local run = wandb.init{project = "secrets", id = "secrets", config = config, save_code = true}
        for step = 1, 5 do run:log({loss = 1 / step, note = "with " .. tostring(key)}, {step = step}) end
        run.config.late = key
        run.summary.mistake = key
        nn.save_checkpoint("checkpoint.safetensors", {config = pachyderm.provenance(), step = 5})
        io.stderr:write(fs.read "/proc/self/cmdline")
        local how = arg[1]
        if how == "error" then error("deliberate") end
        if how == "exit" then os.exit(3) end
        if how == "wait" then print "waiting" time.sleep(20) end
        run:finish()
        """

    /// Every file below the sandbox and the texts of the process.
    private func search(_ sandbox: PachydermSandbox, _ result: PachydermSandbox.Result, except: Set<String> = [], line: UInt = #line) throws {
        var searched = 0
        for file in sandbox.files(".") where !except.contains(file) {
            guard let data = FileManager.default.contents(atPath: "\(sandbox.path)/\(file)") else { continue }
            searched += 1
            XCTAssertNil(data.range(of: Data(key.utf8)), file, line: line)
            XCTAssertNil(data.range(of: Data(key.utf8).base64EncodedData()), file, line: line)
        }
        XCTAssertGreaterThan(searched, 3, line: line)
        XCTAssertFalse(result.output.contains(key), line: line)
        XCTAssertFalse(result.errors.contains(key), line: line)
    }

    func testTheKeyIsNowhere() throws {
        for how in ["finish", "error", "exit"] {
            // Nobody listens on port 9: an online run that cannot upload says so, without the key.
            for mode in ["offline", "online"] where mode == "offline" || how == "error" {
                let sandbox = try PachydermSandbox()
                try sandbox.write(Self.script, "work.lua")
                let result = try sandbox.run(
                    PachydermSandbox.host, ["work.lua", how],
                    environment: [
                        "WANDB_API_KEY": key, "WANDB_MODE": mode, "WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_INIT_TIMEOUT": "1",
                        "WANDB_FINISH_TIMEOUT": "1",
                    ])
                XCTAssertEqual(result.status, ["finish": 0, "error": 1, "exit": 3][how], result.errors)
                try search(sandbox, result)
            }
        }
    }

    func testAKeyFromNetrcIsNowhereElse() throws {
        let sandbox = try PachydermSandbox()
        try sandbox.write(Self.script, "work.lua")
        try sandbox.write("machine 127.0.0.1:9\n  login user\n  password \(key)\n", ".netrc")
        let result = try sandbox.run(
            PachydermSandbox.host, ["work.lua"], environment: ["WANDB_MODE": "offline", "WANDB_BASE_URL": "http://127.0.0.1:9"])
        XCTAssertEqual(result.status, 0, result.errors)
        let sync = try sandbox.run(
            PachydermSandbox.host, ["sync", "wandb"], environment: ["WANDB_BASE_URL": "http://127.0.0.1:9", "WANDB_FINISH_TIMEOUT": "1"])
        XCTAssertEqual(sync.status, 1)
        try search(sandbox, sync, except: [".netrc"])
        try search(sandbox, result, except: [".netrc"])
    }

    func testFilesWithConfigurationAreTheirOwnersAlone() throws {
        let sandbox = try PachydermSandbox()
        try sandbox.write(Self.script, "work.lua")
        let result = try sandbox.run(PachydermSandbox.host, ["work.lua"], environment: ["WANDB_API_KEY": key, "WANDB_MODE": "offline"])
        XCTAssertEqual(result.status, 0, result.errors)
        let files = sandbox.files("wandb").filter { !$0.contains("latest-run") }
        XCTAssertTrue(files.contains { $0.hasSuffix(".wandb") } && files.contains { $0.hasSuffix("config.yaml") }, "\(files)")
        for file in files {
            let mode = try FileManager.default.attributesOfItem(atPath: "\(sandbox.path)/wandb/\(file)")[.posixPermissions] as? Int
            XCTAssertEqual(mode, 0o600, file)
        }
    }

    /// TLS verification ends only where a variable says so in as many words.
    func testTLSVerificationIsNotTurnedOffByAccident() throws {
        let sandbox = try PachydermSandbox()
        let code = "print(pcall(require('wandb').init, {mode = 'offline', project = 'p'}))"
        let odd = try sandbox.run(PachydermSandbox.host, ["-e", code], environment: ["WANDB_INSECURE_DISABLE_SSL": "maybe"])
        XCTAssertTrue(odd.output.contains("false\t") && odd.output.contains("INSECURE_DISABLE_SSL"), odd.output + odd.errors)
        for value in ["", "false", "0"] {
            let quiet = try sandbox.run(PachydermSandbox.host, ["-e", code], environment: ["WANDB_INSECURE_DISABLE_SSL": value])
            XCTAssertFalse(quiet.errors.contains("verif"), quiet.errors)
        }
        let loud = try sandbox.run(PachydermSandbox.host, ["-e", code], environment: ["WANDB_INSECURE_DISABLE_SSL": "true"])
        XCTAssertTrue(loud.errors.contains("TLS certificates are not verified"), loud.errors)
    }
}
