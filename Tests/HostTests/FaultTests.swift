import Foundation
import Wandb
import XCTest

/// What happens when the system fails the program: each test is a promise of docs/reliability.md.
final class FaultTests: XCTestCase {
    private static let repository = PachydermSandbox.repository

    /// A small training that touches everything that is written: files of all kinds, checkpoints, a run's log.
    private static let work = """
        local tensor, nn, optim, data, wandb, fs, json = require "tensor", require "nn", require "optim", require "data", require "wandb", require "fs", require "json"
        local dir = arg[1] or "."
        tensor.manual_seed(1)
        local net = nn.Linear(20, 300)
        local opt = optim.Adam(net:parameters())
        local ds = data.TensorDataset(tensor.randn(64, 20), tensor.randint(0, 300, {64}))
        local run = wandb.init{project = "faults", id = "faults", mode = "offline", dir = dir}
        local step = 0
        for epoch = 1, 3 do
          for x, y in data.loader(ds, {batch_size = 8, shuffle = true, seed = epoch}) do
            opt:zero_grad()
            local loss = nn.functional.cross_entropy(net(x), y)
            loss:backward()
            opt:step()
            step = step + 1
            run:log({loss = loss:item()}, {step = step})
          end
          nn.save_checkpoint(fs.join(dir, "checkpoint.safetensors"), {model = net, optimizer = opt, epoch = epoch})
        end
        nn.save(fs.join(dir, "model.safetensors"), net)
        net.weight:detach():save(fs.join(dir, "w.npy"))
        tensor.save_npz(fs.join(dir, "w.npz"), {w = net.weight:detach()})
        data.write_idx(fs.join(dir, "w.idx.gz"), net.weight:detach())
        fs.write(fs.join(dir, "big.json"), json.encode(net.weight:tolist()))
        run:finish()
        local rest = nn.load_checkpoint(fs.join(dir, "checkpoint.safetensors"), {model = net, optimizer = opt})
        assert(rest.epoch == 3 and tensor.from_file(fs.join(dir, "w.npy")):equal(net.weight:detach()))
        assert(data.idx(fs.join(dir, "w.idx.gz")):equal(net.weight:detach()))
        assert(tensor.load_npz(fs.join(dir, "w.npz")).w:equal(net.weight:detach()))
        assert(#json.decode(fs.read(fs.join(dir, "big.json"))) == 300)
        print "all done"
        """

    private func sandbox(_ script: String = work) throws -> PachydermSandbox {
        let sandbox = try PachydermSandbox()
        try sandbox.write(script, "work.lua")
        return sandbox
    }

    /// Compiles the library that makes system calls fail.
    private func shim(_ sandbox: PachydermSandbox) throws -> String {
        #if os(Linux)
        let library = sandbox.path + "/shim.so"
        let source = Self.repository + "/Tests/Faults/shim.c"
        let made = try sandbox.run("/bin/sh", ["-c", "cc=$(command -v cc || command -v clang) && \"$cc\" -shared -fPIC -O1 -o '\(library)' '\(source)' -ldl"],
            environment: ["PATH": ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"])
        guard made.status == 0 else { throw XCTSkip("no C compiler: \(made.errors)") }
        return library
        #else
        throw XCTSkip("LD_PRELOAD is Linux's")
        #endif
    }

    /// Runs shell lines in a mount namespace of their own; skips where that is not allowed.
    private func isolated(_ sandbox: PachydermSandbox, _ lines: String, environment: [String: String] = [:]) throws -> PachydermSandbox.Result {
        #if os(Linux)
        let flags = getuid() == 0 ? ["--mount"] : ["--user", "--map-root-user", "--mount"]
        guard try sandbox.run("/usr/bin/unshare", flags + ["true"]).status == 0 else { throw XCTSkip("mount namespaces are not allowed here") }
        return try sandbox.run(
            "/usr/bin/unshare", flags + ["/bin/sh", "-c", "set -e\n" + lines], environment: environment.merging(["HOST": HostProcess.binary.path]) { $1 })
        #else
        throw XCTSkip("mount namespaces are Linux's")
        #endif
    }

    private func shell(_ sandbox: PachydermSandbox, _ lines: String, environment: [String: String] = [:]) throws -> PachydermSandbox.Result {
        try sandbox.run("/bin/sh", ["-c", lines], environment: environment.merging(["HOST": HostProcess.binary.path]) { $1 })
    }

    private func lossSteps(_ log: String) throws -> [Int64] {
        var reader = try TransactionLogReader(path: log)
        var steps: [Int64] = []
        while case .record(let bytes, _) = reader.next() {
            if case .history(let row)? = try WBRecord(serializedBytes: bytes).recordType { steps.append(row.step.num) }
        }
        return steps
    }

    func testShortWritesAndInterruptedCallsChangeNothing() throws {
        let plain = try sandbox(), faulty = try sandbox()
        let library = try shim(faulty)
        XCTAssertEqual(try plain.host(["work.lua"]).output, "all done\n")
        let result = try faulty.host(["work.lua"], environment: ["LD_PRELOAD": library, "SHIM_SHORT": "1"])
        XCTAssertEqual(result.output, "all done\n", result.errors)
        for name in ["model.safetensors", "checkpoint.safetensors", "w.npy", "w.npz", "w.idx.gz", "big.json"] {
            XCTAssertEqual(try plain.data(name), try faulty.data(name), name)
        }
        let log = try XCTUnwrap(faulty.files("wandb").first { $0.hasSuffix("run-faults.wandb") })
        XCTAssertEqual(try lossSteps("\(faulty.path)/wandb/\(log)"), Array(1...24))
    }

    func testAClockThatJumpsDisturbsNothing() throws {
        let sandbox = try sandbox()
        let library = try shim(sandbox)
        let result = try sandbox.host(["work.lua"], environment: ["LD_PRELOAD": library, "SHIM_CLOCK": "1"])
        XCTAssertEqual(result.output, "all done\n", result.errors)
        let log = try XCTUnwrap(sandbox.files("wandb").first { $0.hasSuffix("run-faults.wandb") })
        XCTAssertEqual(try lossSteps("\(sandbox.path)/wandb/\(log)"), Array(1...24))
    }

    func testAFileThatShrinksWhileItIsReadIsAnErrorWithItsPlace() throws {
        let sandbox = try sandbox(
            """
            local tensor, data, nn = require "tensor", require "data", require "nn"
            local t = tensor.arange(0, 100000)
            t:save("t.npy") data.write_idx("t.idx", t) nn.save("t.safetensors", {t = t})
            """)
        let library = try shim(sandbox)
        XCTAssertEqual(try sandbox.host(["work.lua"]).status, 0)
        for (call, name) in [("tensor.from_file('t.npy')", "t.npy"), ("data.idx('t.idx')", "t.idx"), ("nn.load('t.safetensors')", "t.safetensors")] {
            let code = "local tensor, data, nn = require 'tensor', require 'data', require 'nn' print(pcall(function() return \(call) end)) print 'alive'"
            let result = try sandbox.host(["-e", code], environment: ["LD_PRELOAD": library, "SHIM_SHRINK": "50000"])
            XCTAssertTrue(result.output.contains("\(name): byte 50000: the file became shorter while it was read"), result.output)
            XCTAssertTrue(result.output.hasSuffix("alive\n"), result.output)
        }
    }

    /// Libraries that are opened when used may be missing: `host doctor` says what is lost, and what needs one says so.
    func testMissingLibraries() throws {
        let uses = [
            ("libcairo", "libcairo", "require('plot').line{1, 2}:save('x.png')", "libcairo"),
            ("liblapack.so.3", "", "", ""),
            ("libpng", "libpng", "local f = require 'fs' f.mkdir('d') f.mkdir('d/a') f.write('d/a/x.png', '\\x89PNG') local d = require('data').image_folder('d') return d[0]", "libpng is not installed"),
            ("libdeflate", "libdeflate", "local d, t = require 'data', require('tensor').arange(9) d.write_idx('x.gz', t:int()) assert(d.idx('x.gz'):equal(t:int())) error 'fine'", "fine"),
            ("libreadline", "readline", "", ""), ("libzmq", "libzmq", "", ""), ("libturbojpeg", "libjpeg-turbo", "", ""),
        ]
        for (library, line, code, words) in uses {
            let sandbox = try sandbox()
            let environment = ["LD_PRELOAD": try shim(sandbox), "SHIM_WITHOUT": library, "WANDB_MODE": "offline"]
            let doctor = try sandbox.run(PachydermSandbox.host, ["doctor"], environment: environment)
            XCTAssertEqual(doctor.status, 0, doctor.errors)
            if !line.isEmpty {
                let found = doctor.output.split(separator: "\n").first { $0.hasPrefix(line) } ?? ""
                XCTAssertTrue(found.contains("no: without it ") && found.contains("(Debian: lib"), "\(library): \(doctor.output)")
            }
            guard !code.isEmpty else { continue }
            let result = try sandbox.run(PachydermSandbox.host, ["-e", code], environment: environment)
            XCTAssertEqual(result.status, 1, "\(library): \(result.output)")
            XCTAssertTrue(result.errors.contains(words), "\(library): \(result.errors)")
        }
        // A session goes on without its editor.
        let sandbox = try sandbox()
        let terminal = try Terminal(environment: ["LD_PRELOAD": try shim(sandbox), "SHIM_WITHOUT": "libreadline"])
        terminal.expect("no line editing: libreadline is not installed")
        terminal.enter("20 + 3", "23\n")
        XCTAssertEqual(terminal.leave(), 0)
    }

    func testAFullDisk() throws {
        let sandbox = try sandbox(
            """
            local tensor, wandb, fs, nn = require "tensor", require "wandb", require "fs", require "nn"
            local run = wandb.init{project = "full", id = "full", mode = "offline", dir = "disk"}
            fs.write("disk/old.txt", "old")
            tensor.ones(10):save("disk/t.npy")
            local filler = io.open("disk/filler", "w") filler:setvbuf("no")
            repeat until not filler:write(("x"):rep(4096))
            repeat until not filler:write("x")
            filler:close()
            for step = 1, 500 do run:log({loss = step}, {step = step}) end
            print(pcall(fs.write, "disk/old.txt", ("y"):rep(100000)))
            print(pcall(tensor.zeros(100000).save, tensor.zeros(100000), "disk/t.npy"))
            print(pcall(nn.save, "disk/m.safetensors", {t = tensor.zeros(100000)}))
            assert(fs.read "disk/old.txt" == "old" and tensor.from_file("disk/t.npy"):numel() == 10 and not fs.exists "disk/m.safetensors")
            assert(#fs.glob "disk/*.part" == 0)
            fs.remove "disk/filler"
            for step = 501, 1000 do run:log({loss = step}, {step = step}) end
            run:finish()
            print "alive"
            """)
        let result = try isolated(
            sandbox, "mkdir disk; mount -t tmpfs -o size=1m none disk; \"$HOST\" work.lua; cp disk/wandb/offline-run-*/run-full.wandb kept.wandb")
        XCTAssertEqual(result.status, 0, result.errors + result.output)
        XCTAssertEqual(result.output.components(separatedBy: "No space left on device").count, 4, result.output)
        for name in ["disk/old.txt", "disk/t.npy", "disk/m.safetensors"] { XCTAssertTrue(result.output.contains(name), result.output) }
        XCTAssertTrue(result.errors.contains("rows wait in memory"), result.errors)
        XCTAssertTrue(result.output.hasSuffix("alive\n"))
        XCTAssertEqual(try lossSteps(sandbox.path + "/kept.wandb"), Array(1...1000))
    }

    func testFoldersThatCannotBeWritten() throws {
        let sandbox = try sandbox(
            """
            local tensor, wandb, fs, nn, data = require "tensor", require "wandb", require "fs", require "nn", require "data"
            local function fails(f, ...) local ok, message = pcall(f, ...) assert(not ok, "it worked") print(message) end
            fails(fs.write, "sealed/a", "x")
            fails(fs.mkdir, "sealed/new/folder")
            fails(nn.save, "sealed/m.safetensors", nn.Linear(2, 2))
            fails(nn.save_checkpoint, "sealed/c.safetensors", {epoch = 1})
            fails(data.write_idx, "sealed/x.idx", tensor.ones(2))
            fails(wandb.init, {project = "p", mode = "offline", dir = "sealed"})
            print "alive"
            """)
        let result = try isolated(sandbox, "mkdir sealed; mount -t tmpfs -o ro none sealed; \"$HOST\" work.lua")
        XCTAssertEqual(result.status, 0, result.errors)
        XCTAssertEqual(result.output.components(separatedBy: "Read-only file system").count, 7, result.output)
        XCTAssertTrue(result.output.hasSuffix("alive\n"))
    }

    func testWithoutTmp() throws {
        let sandbox = try sandbox()
        try sandbox.write("1", "data/x")
        try sandbox.write(
            #"{"pipeline": {"name": "p"}, "input": {"pfs": {"repo": "data", "glob": "/*"}}, "transform": {"image": "x:1", "cmd": ["/bin/sh"], "stdin": ["cp /pfs/data/x ${PFS_ROOT:-/pfs}/out/"]}}"#,
            "s.json")
        // The sandbox itself may lie in /tmp: it is shown elsewhere first.
        let result = try isolated(
            sandbox,
            """
            mount -t tmpfs none /mnt; mkdir /mnt/work; cp -r work.lua data s.json /mnt/work; cp "$HOST" /mnt/host; cd /mnt/work
            mount -t tmpfs -o ro,size=4k none /tmp
            unset TMPDIR; export HOME=/mnt/work
            /mnt/host work.lua
            /mnt/host pipeline run --repo data=data --state state s.json && ls state/pipelines/p/out
            """)
        XCTAssertEqual(result.status, 0, result.errors)
        XCTAssertEqual(result.output, "all done\nx\n", result.errors)
    }

    func testLittleMemoryIsALuaError() throws {
        let script = """
            local tensor = require "tensor"
            local held, message = {}, nil
            while not message do
              local ok, result = pcall(tensor.ones, 1 << 20)
              if ok then held[#held + 1] = result else message = result end
              if #held > 5000 then error "no limit" end
            end
            print(message)
            local text, failure = "x", nil
            while not failure do
              local ok, result = pcall(string.rep, text, 2)
              if ok and #result < 1 << 34 then text = result else failure = ok and "no limit" or result end
            end
            print(failure)
            held, text = nil, nil
            collectgarbage() collectgarbage()
            print("alive", tensor.ones(1 << 20):sum():item())
            """
        for (limit, environment) in [("ulimit -v 1500000;", [:]), ("", ["HOST_MEMORY_LIMIT": "200MiB"])] {
            let sandbox = try sandbox(limit.isEmpty ? script.replacingOccurrences(of: "string.rep, text, 2", with: "error, 'not enough memory'") : script)
            let result = try shell(sandbox, "\(limit) \"$HOST\" work.lua", environment: environment.merging(["HOST_NUM_THREADS": "2"]) { $1 })
            XCTAssertEqual(result.status, 0, result.errors + result.output)
            XCTAssertTrue(result.output.contains("memory"), result.output)
            XCTAssertTrue(result.output.contains("not enough memory"), result.output)
            XCTAssertTrue(result.output.contains("alive\t1048576.0"), result.output)
        }
    }

    func testSixtyFourOpenFilesAreEnough() throws {
        let sandbox = try sandbox(
            Self.work + """

                for i = 1, 200 do
                  nn.save("again.safetensors", net)
                  nn.load("again.safetensors")
                  pcall(nn.load, "nothing.safetensors")
                  pcall(data.idx, "work.lua")
                end
                local files = {}
                while true do
                  local file = io.open("work.lua")
                  if not file then break end
                  files[#files + 1] = file
                end
                print(select(2, pcall(nn.load, "again.safetensors")))
                for _, file in ipairs(files) do file:close() end
                print((nn.load("again.safetensors")).weight ~= nil)
                """)
        let result = try shell(sandbox, "ulimit -n 64; \"$HOST\" work.lua")
        XCTAssertEqual(result.status, 0, result.errors)
        XCTAssertTrue(result.output.contains("again.safetensors: cannot open: Too many open files"), result.output)
        XCTAssertTrue(result.output.hasSuffix("true\n"), result.output)
    }

    /// Two runs at once share the machine's `/pfs`; the end of one must not take away the other's.
    func testTwoPipelinesAtOnce() throws {
        let sandbox = try PachydermSandbox()
        try sandbox.write("1", "data/a")
        try sandbox.write("2", "data/b")
        try sandbox.write(
            #"{"pipeline": {"name": "p"}, "input": {"pfs": {"repo": "data", "glob": "/*"}}, "transform": {"image": "x:1", "cmd": ["/bin/sh"], "stdin": ["set -e", "sleep 0.02", "cp $data ${PFS_ROOT:-/pfs}/out/"]}}"#,
            "s.json")
        let result = try shell(
            sandbox,
            """
            for run in 1 2 3; do
              (for i in 1 2 3 4 5 6; do "$HOST" pipeline run --repo data=data --state state$run --reprocess s.json || exit 1; done) &
              runs="$runs $!"
            done
            status=0; for run in $runs; do wait $run || status=1; done; exit $status
            """)
        XCTAssertEqual(result.status, 0, result.errors)
        XCTAssertFalse(result.errors.contains("cannot be read"), result.errors)
    }
}
