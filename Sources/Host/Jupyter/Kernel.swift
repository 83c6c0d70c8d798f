#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge
import Wandb

/// The kernel's side of the script: runs cells one after the other on the thread that Lua belongs to.
final class Kernel {
    private let channels: KernelChannels
    private let runner: ScriptRunner
    private let session: Session
    private var lua: Lua { runner.lua }
    private var count = 0
    private var history: [(input: String, output: String)] = []

    init(_ channels: KernelChannels) throws {
        self.channels = channels
        runner = try ScriptRunner(words: ["host"], arguments: Arguments(["host"]))
        try runner.prepare()
        session = try Session(runner.lua, width: 100)
    }

    /// Serves requests until the front end wants the kernel to end; gives the exit status.
    func run() -> Int32 {
        lua.leavesByStopping = true
        lua.handleSignals()
        while let request = next() { answer(request) }
        lua.clearInterrupt()
        lua.runExitHooks(status: lua.exitStatus ?? ExitCode.done)
        lua.close()
        Console.flush()
        return lua.exitStatus ?? ExitCode.done
    }

    private func next() -> Message? {
        while true {
            if channels.inbox.wait(0.2, until: { $0.isLeaving || !$0.requests.isEmpty }) {
                return channels.inbox.update { $0.isLeaving ? nil : $0.requests.removeFirst() }
            }
            // A signal that comes between cells: an interrupt interrupts nothing, the rest ends the kernel.
            if lua.interrupted == SIGTERM { return nil }
            if lua.interrupted != nil { lua.clearInterrupt() }
        }
    }

    private func answer(_ request: Message) {
        channels.begin(request)
        channels.publish("status", ["execution_state": .string("busy")], request)
        switch request.type {
        case "execute_request": execute(request)
        case "kernel_info_request": channels.reply("kernel_info_reply", KernelFacts.reply, to: request)
        case "complete_request": complete(request)
        case "inspect_request": inspect(request)
        case "is_complete_request": judge(request)
        case "history_request": remember(request)
        case "comm_info_request": channels.reply("comm_info_reply", ["status": .string("ok"), "comms": .map([:])], to: request)
        default: break  // comm messages are for front ends with widgets, which this kernel has none of
        }
        channels.publish("status", ["execution_state": .string("idle")], request)
    }

    // MARK: Execution

    private func execute(_ request: Message) {
        let content = request.content
        let code = content["code"]?.stringValue ?? ""
        let isSilent = content["silent"]?.boolValue ?? false
        let isKept = !isSilent && (content["store_history"]?.boolValue ?? true)
        if isKept { count += 1 }
        if !isSilent { channels.publish("execute_input", ["code": .string(code), "execution_count": .int(Int64(count))], request) }
        FigureOutlet.show = { [channels] figure in
            if !isSilent { channels.publish("display_data", CellOutput.content(figure), request) }
        }
        let outcome = running {
            try? session.setChunk("In [\(count)]")
            return session.evaluate(code)
        }
        var shown = ""
        switch outcome {
        case .value(let text):
            shown = text
            if !text.isEmpty, !isSilent {
                var result = CellOutput.content(text: text)
                result["execution_count"] = .int(Int64(count))
                channels.publish("execute_result", result, request)
            }
            succeed(request)
        case .quit:
            channels.inbox.update { $0.isLeaving = true }
            succeed(request)
        case .interrupted where lua.exitStatus != nil:
            channels.inbox.update { $0.isLeaving = true }
            succeed(request)
        case .interrupted: fail(request, "Interrupt", "interrupted", traceback: "", isSilent)
        case .syntax(let message, let line, let column):
            fail(request, "SyntaxError", message, traceback: Self.caret(code, line, column), isSilent)
        case .failure(let message, let traceback): fail(request, "Error", message, traceback: traceback, isSilent)
        }
        if isKept { history.append((code, shown)) }
    }

    private func succeed(_ request: Message) {
        var expressions: WandbMap = [:]
        for entry in request.content["user_expressions"]?.mapValue?.entries ?? [] {
            expressions[entry.key] = .map(answer(toExpression: entry.value.stringValue ?? ""))
        }
        reply(["status": .string("ok"), "payload": .list([]), "user_expressions": .map(expressions)], to: request)
    }

    private func fail(_ request: Message, _ name: String, _ message: String, traceback: String, _ isSilent: Bool) {
        let lines = [message] + traceback.split(separator: "\n").map(String.init)
        let failure: WandbMap = ["ename": .string(name), "evalue": .string(message), "traceback": .list(lines.map { .string($0) })]
        if !isSilent { channels.publish("error", failure, request) }
        var content = failure
        content["status"] = .string("error")
        reply(content, to: request)
        if request.content["stop_on_error"]?.boolValue ?? true { abortWaiting() }
    }

    /// The line that is no Lua, with a mark under the place.
    private static func caret(_ code: String, _ line: Int?, _ column: Int?) -> String {
        let lines = code.split(separator: "\n", omittingEmptySubsequences: false)
        guard let line, let column, lines.indices.contains(line - 1) else { return "" }
        return "\(lines[line - 1])\n\(String(repeating: " ", count: max(column - 1, 0)))^"
    }

    private func reply(_ content: WandbMap, to request: Message) {
        var content = content
        content["execution_count"] = .int(Int64(count))
        channels.reply("execute_reply", content, to: request)
    }

    /// Runs with interrupts heard.
    private func running<Result>(_ body: () throws -> Result) rethrows -> Result {
        lua.clearInterrupt()
        channels.inbox.update { $0.isRunning = true }
        defer {
            channels.inbox.update { $0.isRunning = false }
            lua.clearInterrupt()
        }
        return try body()
    }

    private func answer(toExpression code: String) -> WandbMap {
        do {
            let values = try running { try lua.call(lua.load("return " + code, name: "=expression")) }
            var content = CellOutput.content(text: try values.map { try lua.text(of: $0) }.joined(separator: "\t"))
            content["status"] = .string("ok")
            return content
        } catch {
            return ["status": .string("error"), "ename": .string("Error"), "evalue": .string("\(error)"), "traceback": .list([.string("\(error)")])]
        }
    }

    /// Cells that wait behind one that failed are not run.
    private func abortWaiting() {
        let aborted = channels.inbox.update { inbox -> [Message] in
            let cells = inbox.requests.filter { $0.type == "execute_request" }
            inbox.requests.removeAll { $0.type == "execute_request" }
            return cells
        }
        for request in aborted {
            channels.publish("status", ["execution_state": .string("busy")], request)
            reply(["status": .string("aborted")], to: request)
            channels.publish("status", ["execution_state": .string("idle")], request)
        }
    }

    // MARK: Questions about code

    /// A cell up to the cursor, which counts in characters.
    private static func beginning(_ request: Message) -> (code: String, cursor: Int, text: String) {
        let code = request.content["code"]?.stringValue ?? ""
        let scalars = code.unicodeScalars
        let cursor = min(max(Int(request.content["cursor_pos"]?.intValue ?? Int64(scalars.count)), 0), scalars.count)
        return (code, cursor, String(String.UnicodeScalarView(scalars.prefix(cursor))))
    }

    private func complete(_ request: Message) {
        let (_, cursor, text) = Self.beginning(request)
        let found = running { session.complete(text) }
        let replaced = String(decoding: Array(text.utf8).suffix(found.replaced), as: UTF8.self).unicodeScalars.count
        let types = found.matches.map { match -> WandbValue in
            .map(["text": .string(match.text), "type": .string(match.kind), "start": .int(Int64(cursor - replaced)), "end": .int(Int64(cursor))])
        }
        channels.reply(
            "complete_reply",
            [
                "status": .string("ok"), "matches": .list(found.matches.map { .string($0.text) }), "cursor_start": .int(Int64(cursor - replaced)),
                "cursor_end": .int(Int64(cursor)), "metadata": .map(["_jupyter_types_experimental": .list(types)]),
            ], to: request)
    }

    private func inspect(_ request: Message) {
        let (code, _, text) = Self.beginning(request)
        let help = running { session.inspect(code, cursor: text.utf8.count) }
        channels.reply(
            "inspect_reply",
            [
                "status": .string("ok"), "found": .bool(help != nil),
                "data": .map(help.map { ["text/plain": .string($0)] } ?? [:]), "metadata": .map([:]),
            ], to: request)
    }

    private func judge(_ request: Message) {
        let content: WandbMap =
            switch running({ session.completeness(request.content["code"]?.stringValue ?? "") }) {
            case .complete: ["status": .string("complete")]
            case .invalid: ["status": .string("invalid")]
            case .incomplete(let indent): ["status": .string("incomplete"), "indent": .string(indent)]
            }
        channels.reply("is_complete_reply", content, to: request)
    }

    private func remember(_ request: Message) {
        let content = request.content
        let withOutput = content["output"]?.boolValue ?? false
        let most = Int(content["n"]?.intValue ?? Int64(history.count))
        var lines = Array(history.indices)
        switch content["hist_access_type"]?.stringValue {
        case "range":
            let start = max(Int(content["start"]?.intValue ?? 1), 1), stop = Int(content["stop"]?.intValue ?? Int64.max)
            lines = lines.filter { $0 + 1 >= start && $0 + 1 < stop }
        case "search":
            let pattern = content["pattern"]?.stringValue ?? "*"
            lines = lines.filter { fnmatch(pattern, history[$0].input, 0) == 0 }
            if content["unique"]?.boolValue ?? false {
                var seen: Set<String> = []
                lines = lines.reversed().filter { seen.insert(history[$0].input).inserted }.reversed()
            }
            lines = Array(lines.suffix(max(most, 0)))
        default: lines = Array(lines.suffix(max(most, 0)))
        }
        let entries = lines.map { line -> WandbValue in
            let (input, output) = history[line]
            let text: WandbValue = withOutput ? .list([.string(input), output.isEmpty ? .null : .string(output)]) : .string(input)
            return .list([.int(1), .int(Int64(line + 1)), text])
        }
        channels.reply("history_reply", ["status": .string("ok"), "history": .list(entries)], to: request)
    }
}
