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
    package var usesStructuredConsole = false
    package var label: String?
    private var summary: [UInt8]?
    package var uploaded: [String] = []
    package var isPreempting = false
    private let mostBytes: Int
    private let longestLine: Int
    package private(set) var droppedLines = 0

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

    package mutating func add(_ line: [UInt8], to part: Part) {
        guard line.count <= longestLine else {
            droppedLines += 1
            return
        }
        switch part {
        case .history:
            history.waiting.append(line)
            history.bytes += line.count
        case .events:
            events.waiting.append(line)
            events.bytes += line.count
        }
    }

    package mutating func addConsole(_ text: String, isError: Bool, time: WBTime) {
        console.write(text, isError: isError, time: time)
        consoleBytes += text.utf8.count
    }

    package mutating func setSummary(_ text: [UInt8]) {
        guard text.count <= longestLine else {
            droppedLines += 1
            return
        }
        summary = text
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
        var files: [[UInt8]] = []
        let rows = Self.take(&history, .history, &room, &files)
        _ = Self.take(&events, .events, &room, &files)
        if room > 0, let (first, lines) = console.takeChanges() {
            var chunk = Self.chunkHead("output.log", consoleOffset + first)
            for (index, line) in lines.enumerated() {
                if index > 0 { chunk.append(UInt8(ascii: ",")) }
                JSONWriter.append(
                    ConsoleLog.encode(line, structured: usesStructuredConsole, label: label), to: &chunk)
            }
            chunk.append(contentsOf: "]}".utf8)
            files.append(chunk)
            if !console.hasChanges { consoleBytes = 0 }
        }
        if let text = summary {
            var chunk = Self.chunkHead("wandb-summary.json", 0)
            JSONWriter.append(String(decoding: text, as: UTF8.self), to: &chunk)
            chunk.append(contentsOf: "]}".utf8)
            files.append(chunk)
            summary = nil
        }
        var members: [[UInt8]] = []
        if !files.isEmpty { members.append(Array("\"files\":{".utf8) + files.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "}")]) }
        if !uploaded.isEmpty {
            members.append(Array("\"uploaded\":".utf8) + JSONWriter.bytes(.list(uploaded.map { .string($0) })))
            uploaded = []
        }
        if isPreempting {
            members.append(Array("\"preempting\":true".utf8))
            isPreempting = false
        }
        if let exitCode { members.append(Array("\"complete\":true,\"exitcode\":\(exitCode)".utf8)) }
        return Request(
            body: [UInt8(ascii: "{")] + members.joined(separator: [UInt8(ascii: ",")]) + [UInt8(ascii: "}")], rows: rows)
    }

    private static func chunkHead(_ name: String, _ offset: Int) -> [UInt8] {
        Array("\"\(name)\":{\"offset\":\(offset),\"content\":[".utf8)
    }

    private static func take(_ lines: inout Lines, _ part: Part, _ room: inout Int, _ files: inout [[UInt8]]) -> Int {
        var count = 0
        var bytes = 0
        while count < lines.waiting.count, count == 0 || bytes + lines.waiting[count].count <= room {
            bytes += lines.waiting[count].count
            count += 1
        }
        guard count > 0, room > 0 else { return 0 }
        var chunk = chunkHead(part.rawValue, lines.offset)
        chunk.reserveCapacity(bytes + bytes / 4)
        for index in 0..<count {
            if index > 0 { chunk.append(UInt8(ascii: ",")) }
            JSONWriter.append(String(decoding: lines.waiting[index], as: UTF8.self), to: &chunk)
        }
        chunk.append(contentsOf: "]}".utf8)
        files.append(chunk)
        lines.waiting.removeFirst(count)
        lines.offset += count
        lines.bytes -= bytes
        room -= bytes
        return count
    }
}
