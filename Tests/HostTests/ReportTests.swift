import Foundation
import XCTest

final class ReportTests: XCTestCase {
    private static let browser = ["chromium", "chromium-browser", "google-chrome"].lazy.compactMap { name in
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map { "\($0)/\(name)" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }.first

    func testNumbersOfThePage() throws { try HostProcess.check("report.lua") }

    /// The page as a browser draws it, wide and as a phone would: REPORT_SHOTS=FOLDER keeps the pictures.
    func testPageInABrowser() throws {
        guard let browser = Self.browser else {
            throw XCTSkip("no Chromium here: the page is not drawn (make test-report installs it)")
        }
        let scratch = try Scratch()
        let page = scratch.url.appendingPathComponent("report.html")
        let made = try HostProcess.run([HostProcess.scripts.appendingPathComponent("report.lua").path, page.path])
        XCTAssertEqual(made.status, 0, made.error)
        // A probe at the end of a copy says what the browser made of the page.
        let probe = """
            <pre id="probe"></pre><script>
            window.onload = () => {
              const facts = [];
              const say = (name, value) => facts.push(name + '=' + value);
              const images = [...document.images];
              say('images', images.filter(i => i.complete && i.naturalWidth === 28 && i.naturalHeight === 28).length);
              say('overflow', document.documentElement.scrollWidth - window.innerWidth > 0);
              say('charts', [...document.querySelectorAll('svg.chart')].filter(s => s.getBoundingClientRect().width > 250).length);
              say('inside', [...document.querySelectorAll('svg')].every(s => {
                const b = s.getBBox(), v = s.viewBox.baseVal;
                return b.x >= -1 && b.y >= -1 && b.x + b.width <= v.width + 1 && b.y + b.height <= v.height + 1; }));
              say('cells', document.querySelectorAll('svg.confusion rect').length);
              say('requests', performance.getEntriesByType('resource').filter(r => !r.name.startsWith('data:')).length);
              say('broken', /\\bnan\\b|undefined|\\binf\\b/.test(document.querySelector('main').innerText));
              document.getElementById('probe').textContent = facts.join(' ');
            };
            </script></body>
            """
        let text = try String(contentsOf: page, encoding: .utf8)
        let probed = try scratch.write("probed.html", text.replacingOccurrences(of: "</body>", with: probe))
        for (name, size) in [("wide", "1200,2600"), ("narrow", "500,4200")] {
            let common = [
                "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--user-data-dir=\(scratch.url.path)/profile", "--window-size=\(size)",
            ]
            let found = try run(browser, common + ["--dump-dom", "file://\(probed)"])
            let facts = found.components(separatedBy: "id=\"probe\">").last?.components(separatedBy: "<").first
            XCTAssertEqual(facts, "images=30 overflow=false charts=2 inside=true cells=100 requests=0 broken=false", name)
            if let folder = ProcessInfo.processInfo.environment["REPORT_SHOTS"] {
                _ = try run(browser, common + ["--screenshot=\(folder)/\(name).png", page.absoluteString])
            }
        }
    }

    private func run(_ program: String, _ arguments: [String]) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        let out = Pipe()
        process.standardOutput = out
        process.standardError = FileHandle.nullDevice
        try process.run()
        let watch = DispatchWorkItem { process.terminate() }
        DispatchQueue.global().asyncAfter(deadline: .now() + 60, execute: watch)
        defer { watch.cancel() }
        let text = String(decoding: out.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return text
    }
}
