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
    private var lua: Lua { runner.lua }
    private var count = 0
    private var history: [(input: String, output: String)] = []

    init(_ channels: KernelChannels) throws {
        self.channels = channels
        runner = try ScriptRunner(words: ["host"], arguments: Arguments(["host"]))
    }

    /// Serves requests until the front end wants the kernel to end; gives the exit status.
    func run() -> Int32 {
        lua.leavesByStopping = true
        lua.handleSignals()
        do {
            try runner.prepare()
            for name in lua.moduleNames { try lua.setGlobal(name, .reference(lua.require(name))) }
        } catch { complain("\(error)") }
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
        FigureOutlet.show = { [channels] in channels.publish("display_data", CellOutput($0).content, request) }
        var shown = ""
        do {
            let output = try running { try value(of: code, name: "=In [\(count)]") }
            if let output, !isSilent {
                shown = output.text
                var result = output.content
                result["execution_count"] = .int(Int64(count))
                channels.publish("execute_result", result, request)
            }
            var expressions: WandbMap = [:]
            for entry in content["user_expressions"]?.mapValue?.entries ?? [] {
                expressions[entry.key] = .map(answer(toExpression: entry.value.stringValue ?? ""))
            }
            reply(["status": .string("ok"), "payload": .list([]), "user_expressions": .map(expressions)], to: request)
        } catch {
            let failure = Self.describe(error)
            if !isSilent { channels.publish("error", failure, request) }
            var content = failure
            content["status"] = .string("error")
            reply(content, to: request)
            if request.content["stop_on_error"]?.boolValue ?? true { abortWaiting() }
        }
        if isKept { history.append((code, shown)) }
        if lua.exitStatus != nil { channels.inbox.update { $0.isLeaving = true } }
    }

    private func reply(_ content: WandbMap, to request: Message) {
        var content = content
        content["execution_count"] = .int(Int64(count))
        channels.reply("execute_reply", content, to: request)
    }

    /// Runs with interrupts heard; `os.exit` ends the cell here and the kernel afterwards.
    private func running<Result>(_ body: () throws -> Result) throws -> Result {
        lua.clearInterrupt()
        channels.inbox.update { $0.isRunning = true }
        defer {
            channels.inbox.update { $0.isRunning = false }
            lua.clearInterrupt()
        }
        return try body()
    }

    private func value(of code: String, name: String) throws -> CellOutput? {
        let chunk = try CellCode.compile(code, name: name, lua)
        do {
            let results = try lua.call(chunk)
            return try results.isEmpty || (results.count == 1 && results[0].isNil) ? nil : CellOutput(results, lua)
        } catch {
            if lua.exitStatus != nil { return nil }
            throw error
        }
    }

    private func answer(toExpression code: String) -> WandbMap {
        do {
            let output = try running { try value(of: code, name: "=expression") }
            var content = output?.content ?? ["data": .map(["text/plain": .string("nil")]), "metadata": .map([:])]
            content["status"] = .string("ok")
            return content
        } catch {
            var content = Self.describe(error)
            content["status"] = .string("error")
            return content
        }
    }

    private static func describe(_ error: any Error) -> WandbMap {
        let message = "\(error)"
        var lines = [message]
        if let traceback = (error as? LuaError)?.traceback { lines += traceback.split(separator: "\n").map(String.init) }
        let isInterrupt = message.hasSuffix("interrupted")
        return [
            "ename": .string(isInterrupt ? "Interrupt" : "Error"), "evalue": .string(message), "traceback": .list(lines.map { .string($0) }),
        ]
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

    private func complete(_ request: Message) {
        let code = request.content["code"]?.stringValue ?? ""
        let word = CellWord(code, cursor: Int(request.content["cursor_pos"]?.intValue ?? Int64(code.unicodeScalars.count)))
        let matches = (try? running { try word.matches(lua) }) ?? []
        channels.reply(
            "complete_reply",
            [
                "status": .string("ok"), "matches": .list(matches.map { .string($0) }), "cursor_start": .int(Int64(word.start)),
                "cursor_end": .int(Int64(word.end)), "metadata": .map([:]),
            ], to: request)
    }

    private func inspect(_ request: Message) {
        let code = request.content["code"]?.stringValue ?? ""
        let word = CellWord(code, cursor: Int(request.content["cursor_pos"]?.intValue ?? Int64(code.unicodeScalars.count)), whole: true)
        let text = (try? running { try word.help(lua) }) ?? nil
        channels.reply(
            "inspect_reply",
            [
                "status": .string("ok"), "found": .bool(text != nil),
                "data": .map(text.map { ["text/plain": .string($0)] } ?? [:]), "metadata": .map([:]),
            ], to: request)
    }

    private func judge(_ request: Message) {
        let state = CellCode.completeness(request.content["code"]?.stringValue ?? "", lua)
        var content: WandbMap = ["status": .string(state.rawValue)]
        if state == .incomplete { content["indent"] = .string("  ") }
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
