#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import NN

/// libzmq, opened when the kernel starts: everything else runs without it.
final class ZeroMQ: @unchecked Sendable {
    // Immutable after init; the library's contexts are safe to use from any thread, its sockets are not.
    static let shared: ZeroMQ? = ZeroMQ()

    private typealias Raw = UnsafeMutableRawPointer
    private typealias NewContext = @convention(c) () -> Raw?
    private typealias NewSocket = @convention(c) (Raw, Int32) -> Raw?
    private typealias Close = @convention(c) (Raw) -> Int32
    private typealias SetOption = @convention(c) (Raw, Int32, UnsafeRawPointer, Int) -> Int32
    private typealias Bind = @convention(c) (Raw, UnsafePointer<CChar>) -> Int32
    private typealias Send = @convention(c) (Raw, UnsafeRawPointer?, Int, Int32) -> Int32
    private typealias Message = @convention(c) (Raw) -> Int32
    private typealias Receive = @convention(c) (Raw, Raw, Int32) -> Int32
    private typealias MessageData = @convention(c) (Raw) -> Raw?
    private typealias MessageSize = @convention(c) (Raw) -> Int
    private typealias Poll = @convention(c) (Raw, Int32, Int) -> Int32
    private typealias ErrorNumber = @convention(c) () -> Int32
    private typealias ErrorText = @convention(c) (Int32) -> UnsafePointer<CChar>?

    /// `zmq_pollitem_t`.
    private struct PollItem {
        var socket: UnsafeMutableRawPointer?
        var file: Int32
        var events: Int16
        var found: Int16
    }

    private let newContext: NewContext
    private let newSocket: NewSocket
    private let closeSocket: Close
    private let endContext: Close
    private let setOption: SetOption
    private let bindSocket: Bind
    private let send: Send
    private let messageInit: Message
    private let messageClose: Message
    private let messageMore: Message
    private let messageData: MessageData
    private let messageSize: MessageSize
    private let receive: Receive
    private let pollItems: Poll
    private let errorNumber: ErrorNumber
    private let errorText: ErrorText

    private init?() {
        guard let library = DynamicLibrary(["libzmq.so.5", "libzmq.5.dylib", "/opt/homebrew/lib/libzmq.5.dylib"]) else { return nil }
        func function<T>(_ name: String, _ type: T.Type) -> T? { library.function(name, type) }
        guard let newContext = function("zmq_ctx_new", NewContext.self), let newSocket = function("zmq_socket", NewSocket.self),
            let closeSocket = function("zmq_close", Close.self), let endContext = function("zmq_ctx_term", Close.self),
            let setOption = function("zmq_setsockopt", SetOption.self), let bindSocket = function("zmq_bind", Bind.self),
            let send = function("zmq_send", Send.self), let messageInit = function("zmq_msg_init", Message.self),
            let messageClose = function("zmq_msg_close", Message.self), let messageMore = function("zmq_msg_more", Message.self),
            let messageData = function("zmq_msg_data", MessageData.self), let messageSize = function("zmq_msg_size", MessageSize.self),
            let receive = function("zmq_msg_recv", Receive.self), let pollItems = function("zmq_poll", Poll.self),
            let errorNumber = function("zmq_errno", ErrorNumber.self), let errorText = function("zmq_strerror", ErrorText.self)
        else { return nil }
        (self.newContext, self.newSocket, self.closeSocket, self.endContext) = (newContext, newSocket, closeSocket, endContext)
        (self.setOption, self.bindSocket, self.send, self.receive) = (setOption, bindSocket, send, receive)
        (self.messageInit, self.messageClose, self.messageMore) = (messageInit, messageClose, messageMore)
        (self.messageData, self.messageSize, self.pollItems) = (messageData, messageSize, pollItems)
        (self.errorNumber, self.errorText) = (errorNumber, errorText)
    }

    private func failure(_ what: String) -> ZeroMQError {
        ZeroMQError(description: "\(what): \(errorText(errorNumber()).map { String(cString: $0) } ?? "unknown reason")")
    }

    enum Kind: Int32 { case publish = 1, reply = 4, router = 6 }

    /// Owns the sockets' memory.
    final class Context: @unchecked Sendable {
        fileprivate let raw: UnsafeMutableRawPointer
        let library: ZeroMQ

        init(_ library: ZeroMQ) throws {
            guard let raw = library.newContext() else { throw library.failure("zmq_ctx_new") }
            self.raw = raw
            self.library = library
        }

        /// Waits until all sockets are closed and what they had to send is sent, or their patience is over. Who still waits
        /// on a socket is woken and closes it.
        func end() { while library.endContext(raw) != 0, library.errorNumber() == EINTR {} }
    }

    /// One socket, bound to an address. Belongs to one thread at a time.
    final class Socket: @unchecked Sendable {
        private let raw: UnsafeMutableRawPointer
        private let context: Context
        private var library: ZeroMQ { context.library }

        init(_ context: Context, _ kind: Kind, bind address: String) throws {
            guard let raw = context.library.newSocket(context.raw, kind.rawValue) else { throw context.library.failure("zmq_socket") }
            self.raw = raw
            self.context = context
            // What is unsent when the program leaves may take this many milliseconds.
            set(Self.linger, to: 1000)
            // A client that connects again under the same name takes over.
            if kind == .router { set(Self.handover, to: 1) }
            guard library.bindSocket(raw, address) == 0 else {
                let failure = library.failure("cannot bind \(address)")
                close()
                throw failure
            }
        }

        /// The last that is done with it.
        func close() { _ = library.closeSocket(raw) }

        private static let linger: Int32 = 17, handover: Int32 = 56, dontWait: Int32 = 1, sendMore: Int32 = 2

        private func set(_ option: Int32, to value: Int32) {
            withUnsafePointer(to: value) { _ = library.setOption(raw, option, $0, MemoryLayout<Int32>.size) }
        }

        /// Sends a message of several parts.
        func send(_ parts: [[UInt8]]) {
            for (index, part) in parts.enumerated() {
                part.withUnsafeBytes { bytes in
                    let flags = index < parts.count - 1 ? Self.sendMore : 0
                    while library.send(raw, bytes.baseAddress, bytes.count, flags) < 0, library.errorNumber() == EINTR {}
                }
            }
        }

        /// The parts of the next message; nil: there is none (when not waiting), or the context ends.
        func receive(waiting: Bool) -> [[UInt8]]? {
            var parts: [[UInt8]] = []
            while true {
                // `zmq_msg_t`: 64 bytes, aligned as pointers are.
                var storage: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
                let outcome = withUnsafeMutableBytes(of: &storage) { buffer -> (part: [UInt8], more: Bool)? in
                    guard let message = buffer.baseAddress, library.messageInit(message) == 0 else { return nil }
                    defer { _ = library.messageClose(message) }
                    var count = library.receive(message, raw, waiting || !parts.isEmpty ? 0 : Self.dontWait)
                    while count < 0, library.errorNumber() == EINTR {
                        count = library.receive(message, raw, waiting || !parts.isEmpty ? 0 : Self.dontWait)
                    }
                    guard count >= 0 else { return nil }
                    let bytes = UnsafeRawBufferPointer(start: library.messageData(message), count: library.messageSize(message))
                    return (Array(bytes), library.messageMore(message) != 0)
                }
                guard let outcome else { return nil }
                parts.append(outcome.part)
                if !outcome.more { return parts }
            }
        }

        fileprivate var pointer: UnsafeMutableRawPointer { raw }
    }

    /// Waits until one of the sockets or files has something to read; gives, for each, whether it has.
    func wait(_ sockets: [Socket], files: [Int32], milliseconds: Int) -> (sockets: [Bool], files: [Bool]) {
        var items = sockets.map { PollItem(socket: $0.pointer, file: 0, events: 1, found: 0) }
        items += files.map { PollItem(socket: nil, file: $0, events: 1, found: 0) }
        _ = items.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { pollItems(UnsafeMutableRawPointer($0), Int32(buffer.count), milliseconds) } ?? 0
        }
        let ready = items.map { $0.found != 0 }
        return (Array(ready.prefix(sockets.count)), Array(ready.dropFirst(sockets.count)))
    }
}

struct ZeroMQError: Error, CustomStringConvertible {
    let description: String
}
