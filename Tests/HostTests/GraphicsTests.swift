import Foundation
import XCTest

/// Pictures in kitty's, iTerm2's and sixel graphics, taken apart here and decoded by libpng and libsixel.
final class GraphicsTests: XCTestCase {
    private func drawn(_ graphics: String) throws -> String {
        let script = HostProcess.scripts.appendingPathComponent("graphics.lua").path
        let outcome = try HostProcess.run([script, "draw"], environment: ["HOST_GRAPHICS": graphics])
        XCTAssertEqual(outcome.status, 0, outcome.error)
        return outcome.out
    }

    private func compare(_ scratch: Scratch, _ count: Int) throws {
        let script = HostProcess.scripts.appendingPathComponent("graphics.lua").path
        let outcome = try HostProcess.run([script, "check", scratch.url.appendingPathComponent("pictures").path])
        XCTAssertEqual(outcome.status, 0, outcome.error)
        XCTAssertEqual(outcome.out, "compared \(count)\n")
    }

    /// Keeps a PNG where the script that compares looks for it.
    private func keep(_ png: Data?, _ name: String, _ tolerance: Int, _ scratch: Scratch) throws {
        let folder = scratch.url.appendingPathComponent("pictures/\(tolerance)/all")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try XCTUnwrap(png, name).write(to: folder.appendingPathComponent("\(name).png"))
    }

    func testPNGsArriveWhole() throws {
        let scratch = try Scratch()
        // kitty: pieces of at most 4096 characters, `m=1` on all but the last.
        var text = ""
        let pieces = try drawn("kitty").components(separatedBy: "\u{1b}_G").dropFirst()
        for (index, piece) in pieces.enumerated() {
            let end = try XCTUnwrap(piece.range(of: "\u{1b}\\"))
            let parts = piece[..<end.lowerBound].split(separator: ";", maxSplits: 1)
            XCTAssertEqual(parts[0].split(separator: ",").last, index == pieces.count - 1 ? "m=0" : "m=1")
            XCTAssertLessThanOrEqual(parts[1].count, 4096)
            text += parts[1]
        }
        XCTAssertTrue(pieces.first?.hasPrefix("f=100,a=T,") ?? false)
        try keep(Data(base64Encoded: text), "kitty", 0, scratch)

        let inline = try drawn("iterm2")
        let match = try XCTUnwrap(inline.firstMatch(of: /\u{1b}\]1337;File=inline=1;size=([0-9]+);[^:]*:([A-Za-z0-9+\/=]+)\u{07}/))
        let png = Data(base64Encoded: String(match.2))
        XCTAssertEqual(png?.count, Int(match.1))
        try keep(png, "iterm2", 0, scratch)
        try compare(scratch, 2)
    }

    /// Colours are percentages there: one of 255 is less than what a percentage tells apart.
    func testSixelsAreThePicture() throws {
        let tool = URL(fileURLWithPath: "/usr/bin/sixel2png")
        try XCTSkipUnless(FileManager.default.isExecutableFile(atPath: tool.path), "sixel2png is not installed (Debian: libsixel-bin)")
        let scratch = try Scratch()
        try scratch.write("picture.six", try drawn("sixel"))
        let process = Process()
        process.executableURL = tool
        process.arguments = ["-i", scratch.url.path + "/picture.six", "-o", scratch.url.path + "/picture.png"]
        try process.run()
        process.waitUntilExit()
        XCTAssertEqual(process.terminationStatus, 0)
        try keep(FileManager.default.contents(atPath: scratch.url.path + "/picture.png"), "sixel", 2, scratch)
        try compare(scratch, 1)
    }
}
