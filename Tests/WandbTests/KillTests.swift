import Foundation
import Wandb
import XCTest

/// The program is killed at any moment; `host sync` brings every row that `run:log` had returned from, once.
final class KillTests: XCTestCase {
    private static let rows = 10_000

    /// A byte for each row that `run:log` has returned from, written past every buffer.
    private let script = """
        local wandb = require "wandb"
        local run = wandb.init{project = "demo", id = "killed", mode = arg[1]}
        local told = io.open("told", "wb")
        told:setvbuf "no"
        for i = 0, \(rows - 1) do
          run:log{i = i, loss = 1 / (i + 1), text = "row " .. i}
          told:write "."
        end
        run:finish()
        told:write "finished"
        """

    /// HOST_KILLS=500 tries more often.
    func testEveryRowSurvivesAKill() throws {
        let kills = Int(ProcessInfo.processInfo.environment["HOST_KILLS"] ?? "") ?? 10
        var random = SystemRandomNumberGenerator()
        for attempt in 0..<kills {
            let mode = attempt % 2 == 0 ? "online" : "offline"
            // The first kills strike at the edges; before the first row it may be before the run.
            let moment = attempt < 4 ? 0 : attempt < 6 ? 1 : attempt < 8 ? Self.rows : Int.random(in: 0..<Self.rows, using: &random)
            try kill(mode, after: moment)
            if (attempt + 1) % 25 == 0 { FileHandle.standardError.write(Data("killed \(attempt + 1) of \(kills)\n".utf8)) }
        }
    }

    private func kill(_ mode: String, after moment: Int) throws {
        let server = try RecordingServer()
        let directory = try Temporary()
        let program = try HostProgram(
            script, words: [mode], server: server, in: directory,
            environment: ["WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "0.01", "WANDB_X_FILE_STREAM_MAX_BYTES": "20000"])
        // A busy machine takes its time; what counts is the moment.
        if moment == 0 { usleep(UInt32.random(in: 0..<20_000)) } else { _ = program.wait(for: "told", bytes: moment, seconds: 600) }
        program.signal(SIGKILL)
        let outcome = program.finish()
        let calls = try? Data(contentsOf: URL(fileURLWithPath: "\(directory.path)/told"))
        let told = calls?.filter { $0 == UInt8(ascii: ".") }.count ?? 0
        XCTAssertGreaterThanOrEqual(told, min(moment, Self.rows), outcome.error)

        let synced = try HostProgram(words: ["sync"], server: server, in: directory).finish()
        let place = "\(mode), killed after \(moment) rows, told \(told): \(synced.out)\(synced.error)"
        // Before there is a run there is nothing to sync, and that is said.
        if told == 0, !FileManager.default.fileExists(atPath: "\(directory.path)/wandb") {
            XCTAssertEqual(synced.status, 1, place)
            XCTAssertTrue(synced.error.contains("holds no run"), place)
            XCTAssertNil(server.run("killed"), place)
            return
        }
        // Nothing was logged yet: the run need not be known anywhere.
        if told == 0 && server.run("killed") == nil { return }
        // The kernel ends a write to a file between two of its pages: of the record that was being written, a part may be there.
        if let cut = synced.out.firstMatch(of: /damaged at byte (\d+) \(the file ends inside a record\)/).flatMap({ Int($0.1) }) {
            let folder = try XCTUnwrap(synced.out.firstMatch(of: /(\S*run-\S*-killed):/).map { String($0.1) }, place)
            let size = try FileManager.default.attributesOfItem(atPath: "\(directory.path)/\(folder)/run-killed.wandb")[.size] as? Int
            XCTAssertEqual(synced.status, 1, place)
            XCTAssertLessThan(try XCTUnwrap(size) - cut, 200, place)
        } else {
            XCTAssertEqual(synced.status, 0, place)
        }
        let bucket = try XCTUnwrap(server.run("killed"), place)
        let found = bucket.rows.map { $0["i"]?.intValue ?? -1 }
        // The last row may have been written while its call had not returned.
        XCTAssertTrue(found.count == told || found.count == told + 1, "\(place): \(found.count) rows")
        XCTAssertEqual(found, (0..<Int64(found.count)).map { $0 }, place)
        XCTAssertTrue(bucket.complete, place)
        guard !found.isEmpty else { return }
        XCTAssertEqual(bucket.summary["_step"]?.intValue, Int64(found.count) - 1, place)
    }
}
