/// What waits to be sent over the file stream, and where on the server it goes.
package struct FileStream {
    package enum Part: String { case history = "wandb-history.jsonl", events = "wandb-events.jsonl" }

    private struct Lines {
        /// The server's line number of the first waiting line.
        var offset = 0
        var waiting: [[UInt8]] = []
        var bytes = 0
    }

    private var history = Lines()
    private var events = Lines()
    package var console = ConsoleLog()
    package var consoleOffset = 0
    private var consoleBytes = 0
    /// A character of a line that may still change takes so much memory.
    private static let consoleWeight = 16
    package var usesStructuredConsole = false
    package var label: String?
    private var summary: [UInt8]?
    package var uploaded: [String] = []
    package var isPreempting = false
    private let mostBytes: Int
    package let longestLine: Int
    /// The server has refused the stream: nothing is kept for it any more.
    private var isClosed = false

    /// A request that was built and not yet acknowledged: it is sent again as it is.
    package struct Request {
        package let body: [UInt8]
        package let rows: Int
    }

    package init(settings: Settings) {
        mostBytes = settings.fileStreamMaxBytes
        longestLine = settings.fileStreamMaxLineBytes
    }

    package mutating func start(history: Int, events: Int, console: Int) {
        self.history.offset = history
        self.events.offset = events
        consoleOffset = console
    }

    /// False when the line is longer than the server takes: it stays in the log only.
    @discardableResult
    package mutating func add(_ line: [UInt8], to part: Part) -> Bool {
        guard line.count <= longestLine else { return false }
        if isClosed { return true }
        switch part {
        case .history:
            history.waiting.append(line)
            history.bytes += line.count
        case .events:
            events.waiting.append(line)
            events.bytes += line.count
        }
        return true
    }

    package mutating func close() {
        isClosed = true
        history.waiting = []
        events.waiting = []
        (history.bytes, events.bytes, consoleBytes) = (0, 0, 0)
        while console.takeChanges() != nil {}
        summary = nil
        uploaded = []
    }

    package mutating func addConsole(_ text: String, isError: Bool, time: WBTime) {
        console.write(text, isError: isError, time: time)
        if isClosed {
            while console.takeChanges() != nil {}
        } else {
            consoleBytes += text.utf8.count * Self.consoleWeight
        }
    }

    package mutating func setSummary(_ text: [UInt8]) {
        if text.count <= longestLine, !isClosed { summary = text }
    }

    /// Bytes that wait; the log is read no further while there are many.
    package var waitingBytes: Int { history.bytes + events.bytes + consoleBytes }
    package var isFull: Bool { waitingBytes >= mostBytes }
    package var hasData: Bool {
        !history.waiting.isEmpty || !events.waiting.isEmpty || console.hasChanges || summary != nil || !uploaded.isEmpty
            || isPreempting
    }

    /// Takes what fits into one request. `exitCode` makes it the last one.
    package mutating func takeRequest(exitCode: Int32? = nil) -> Request {
        var room = mostBytes
        var body = RequestBody()
        let rows = Self.take(&history, .history, &room, &body)
        _ = Self.take(&events, .events, &room, &body)
        if room > 0, let (first, lines) = console.takeChanges() {
            body.beginFile("output.log", offset: consoleOffset + first)
            for line in lines {
                body.line(ConsoleLog.encode(line, structured: usesStructuredConsole, label: label))
            }
            body.endFile()
            if !console.hasChanges { consoleBytes = 0 }
        }
        if let text = summary {
            body.beginFile("wandb-summary.json", offset: 0)
            body.line(String(decoding: text, as: UTF8.self))
            body.endFile()
            summary = nil
        }
        body.endFiles()
        if !uploaded.isEmpty {
            body.member("uploaded", JSONWriter.bytes(.list(uploaded.map { .string($0) })))
            uploaded = []
        }
        if isPreempting {
            body.member("preempting", Array("true".utf8))
            isPreempting = false
        }
        if let exitCode {
            body.member("complete", Array("true".utf8))
            body.member("exitcode", Array("\(exitCode)".utf8))
        }
        return Request(body: body.finish(), rows: rows)
    }

    private static func take(_ lines: inout Lines, _ part: Part, _ room: inout Int, _ body: inout RequestBody) -> Int {
        var count = 0
        var bytes = 0
        while count < lines.waiting.count, count == 0 || bytes + lines.waiting[count].count <= room {
            bytes += lines.waiting[count].count
            count += 1
        }
        guard count > 0, room > 0 else { return 0 }
        body.beginFile(part.rawValue, offset: lines.offset)
        body.reserve(bytes + bytes / 4)
        for index in 0..<count { body.line(String(decoding: lines.waiting[index], as: UTF8.self)) }
        body.endFile()
        lines.waiting.removeFirst(count)
        lines.offset += count
        lines.bytes -= bytes
        room -= bytes
        return count
    }
}

/// A request's JSON, written in one go: a piece of history is large, and copies of it would be as well.
private struct RequestBody {
    private var bytes: [UInt8] = [UInt8(ascii: "{")]
    private var hasFiles = false
    private var hasLines = false

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    mutating func beginFile(_ name: String, offset: Int) {
        bytes.append(contentsOf: (hasFiles ? "," : "\"files\":{").utf8)
        hasFiles = true
        hasLines = false
        bytes.append(contentsOf: "\"\(name)\":{\"offset\":\(offset),\"content\":[".utf8)
    }

    mutating func line(_ text: String) {
        if hasLines { bytes.append(UInt8(ascii: ",")) }
        hasLines = true
        JSONWriter.append(text, to: &bytes)
    }

    mutating func endFile() { bytes.append(contentsOf: "]}".utf8) }

    mutating func endFiles() { if hasFiles { bytes.append(UInt8(ascii: "}")) } }

    mutating func member(_ name: String, _ json: [UInt8]) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(contentsOf: "\"\(name)\":".utf8)
        bytes.append(contentsOf: json)
    }

    mutating func finish() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}
