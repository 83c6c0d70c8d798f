#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge
import Synchronization
import Wandb

/// The kernel's sockets and the threads that serve them. One thread owns shell, control, iopub and the captured output; it
/// hands requests on shell to the script's thread, and answers those on control itself, so that they are heard while a cell runs.
final class KernelChannels: @unchecked Sendable {
    // `outbox` is under its own lock; sockets and capture belong to the serving thread once it has started.
    private let zmq: ZeroMQ
    private let codec: MessageCodec
    private let context: ZeroMQ.Context
    private let shell: ZeroMQ.Socket
    private let control: ZeroMQ.Socket
    private let iopub: ZeroMQ.Socket
    private let stdin: ZeroMQ.Socket
    private let heartbeat: ZeroMQ.Socket
    private let capture: OutputCapture
    private let wake: (read: Int32, write: Int32)
    private let parentProcess = getppid()
    private var threads: [BackgroundThread] = []

    /// What the script's thread wants sent, and has a claim to see sent in this order with what it printed.
    private enum Item {
        case publish(Message)
        case reply(Message)
        /// From now on output belongs to this request.
        case begin(Message)
    }

    private struct Outbox {
        var items: [Item] = []
        var posted = 0
        var sent = 0
        var isClosed = false
    }

    private let outbox = Signal(Outbox())

    struct Inbox {
        var requests: [Message] = []
        var isLeaving = false
        var isRunning = false
    }

    let inbox = Signal(Inbox())
    /// Whose output it is that comes now. The serving thread's.
    private var current: Message?

    init(_ connection: ConnectionFile, _ zmq: ZeroMQ) throws {
        self.zmq = zmq
        codec = MessageCodec(key: connection.key, session: Hex.randomID())
        context = try ZeroMQ.Context(zmq)
        shell = try ZeroMQ.Socket(context, .router, bind: connection.address("shell"))
        control = try ZeroMQ.Socket(context, .router, bind: connection.address("control"))
        iopub = try ZeroMQ.Socket(context, .publish, bind: connection.address("iopub"))
        stdin = try ZeroMQ.Socket(context, .router, bind: connection.address("stdin"))
        heartbeat = try ZeroMQ.Socket(context, .reply, bind: connection.address("hb"))
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw FileError("cannot make a pipe for", "the kernel") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        wake = (ends[0], ends[1])
        capture = try OutputCapture()
    }

    func start() throws {
        let echo = BackgroundThread { [self] in
            while let parts = heartbeat.receive(waiting: true) { heartbeat.send(parts) }
            heartbeat.close()
        }
        let serving = BackgroundThread { [self] in serve() }
        threads = [echo, serving]
        guard echo.isStarted, serving.isStarted else { throw LuaError("cannot start the kernel's threads") }
    }

    /// Ends the threads once everything is sent: at most a second.
    func finish() {
        Console.flush()
        outbox.update { $0.isClosed = true }
        poke()
        threads.last?.join()
        for socket in [shell, control, iopub, stdin] { socket.close() }
        context.end()
        threads.first?.join()
    }

    // MARK: For the script's thread

    /// From now on what is printed belongs to this request.
    func begin(_ request: Message) { post(.begin(request)) }

    func publish(_ type: String, _ content: WandbMap, _ request: Message, metadata: WandbMap = [:]) {
        post(.publish(codec.message(type, content, parent: request, metadata: metadata)))
    }

    func reply(_ type: String, _ content: WandbMap, to request: Message) {
        post(.reply(codec.message(type, content, parent: request)))
    }

    /// Waits until the message is sent: what is printed afterwards comes after it.
    private func post(_ item: Item) {
        Console.flush()
        let number = outbox.update { box -> Int in
            box.items.append(item)
            box.posted += 1
            return box.posted
        }
        poke()
        outbox.wait(60) { $0.sent >= number }
    }

    private func poke() {
        var byte: UInt8 = 1
        _ = write(wake.write, &byte, 1)
    }

    // MARK: The serving thread

    private func serve() {
        while true {
            let ready = zmq.wait([shell, control], files: [wake.read] + capture.files, milliseconds: 1000)
            if ready.files[0] {
                var buffer = [UInt8](repeating: 0, count: 64)
                while read(wake.read, &buffer, buffer.count) > 0 {}
            }
            let (items, isClosed) = outbox.update { box -> ([Item], Bool) in
                defer { box.items = [] }
                return (box.items, box.isClosed)
            }
            sendOutput()
            if !items.isEmpty {
                for item in items { send(item) }
                outbox.update { $0.sent += items.count }
            }
            if isClosed { return }
            if ready.sockets[1] { while let frames = control.receive(waiting: false) { receive(frames, onControl: true) } }
            if ready.sockets[0] { while let frames = shell.receive(waiting: false) { receive(frames, onControl: false) } }
            // Whoever started the kernel is gone.
            if getppid() != parentProcess { leave() }
        }
    }

    private func sendOutput() {
        for piece in capture.drain() {
            let content: WandbMap = ["name": .string(piece.stream.rawValue), "text": .string(piece.text)]
            iopub.send(codec.frames(published(codec.message("stream", content, parent: current))))
        }
    }

    private func send(_ item: Item) {
        switch item {
        case .begin(let request): current = request
        case .publish(let message): iopub.send(codec.frames(published(message)))
        case .reply(let message): shell.send(codec.frames(message))
        }
    }

    /// On iopub the first frame is a topic.
    private func published(_ message: Message) -> Message {
        var message = message
        message.identities = [Array("kernel.\(message.type)".utf8)]
        return message
    }

    private func receive(_ frames: [[UInt8]], onControl: Bool) {
        guard let message = try? codec.message(frames) else { return }
        guard onControl || message.type == "shutdown_request" else {
            inbox.update { $0.requests.append(message) }
            return
        }
        func status(_ state: String) {
            iopub.send(codec.frames(published(codec.message("status", ["execution_state": .string(state)], parent: message))))
        }
        func answer(_ type: String, _ content: WandbMap) {
            (onControl ? control : shell).send(codec.frames(codec.message(type, content, parent: message)))
        }
        status("busy")
        switch message.type {
        case "interrupt_request":
            inbox.update { if $0.isRunning { Lua.stopRunningScript() } }
            answer("interrupt_reply", ["status": .string("ok")])
        case "shutdown_request":
            let restarts = message.content["restart"]?.boolValue ?? false
            let content: WandbMap = ["status": .string("ok"), "restart": .bool(restarts)]
            answer("shutdown_reply", content)
            iopub.send(codec.frames(published(codec.message("shutdown_reply", content, parent: message))))
            leave()
        case "kernel_info_request": answer("kernel_info_reply", KernelFacts.reply)
        default: break
        }
        status("idle")
    }

    private func leave() {
        inbox.update { inbox in
            inbox.isLeaving = true
            if inbox.isRunning { Lua.stopRunningScript() }
        }
    }
}
