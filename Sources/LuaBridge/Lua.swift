import CLuaShim

/// A Lua state and what Swift adds to it. Belongs to the thread that made it.
public final class Lua {
    let state: UnsafeMutablePointer<chost_state>
    let releases = PendingReleases()
    /// The kinds that signatures may name.
    public let kinds = KindRegistry()
    /// The documentation of everything registered.
    public internal(set) var docs = DocRegistry()
    /// Whether to collect all Lua garbage and call a function once more when it throws this: native memory ran out.
    public var isRetryable: (any Error) -> Bool = { _ in false }
    /// The Lua sources that belong to the program, by name.
    public var preludeSource: (String) -> UnsafeBufferPointer<UInt8>? = { _ in nil }

    private var functions: [NativeFunction] = []
    private var typeKeys: [UnsafeMutablePointer<chost_type>] = []
    private var marks: [UnsafeMutableRawPointer] = []
    private var exitHooks: [(isNeeded: () -> Bool, run: (Int32) -> Void)] = []
    private(set) var callMark: UnsafeRawPointer
    var types: [AnyUserdataType] = []
    /// The module whose loader is running: what a docstring's name is qualified with.
    var loading: [String] = []
    var hostTable: LuaReference?
    var openingListener: OpeningListener?
    /// Where `os.exit` ends the script and not the process: the status that it asked for.
    public internal(set) var exitStatus: Int32?
    /// Whether leaving the program from a script only stops the script, and sets `exitStatus`.
    public var leavesByStopping = false
    /// The names that `module` registered, in order.
    public internal(set) var moduleNames: [String] = []

    /// - Parameter heapLimit: bytes that Lua itself may use; 0: no limit.
    public init(heapLimit: Int = 0) throws {
        guard let state = chost_open(heapLimit) else { throw LuaError("not enough memory for a Lua state") }
        self.state = state
        let mark = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
        marks.append(mark)
        callMark = UnsafeRawPointer(mark)
        state.pointee.enter = { thread, function, count in
            Unmanaged<NativeFunction>.fromOpaque(function.pointee.swift)._withUnsafeGuaranteedRef {
                $0.enter(thread, count)
            }
        }
        state.pointee.arrange = { thread, function, count in
            Unmanaged<NativeFunction>.fromOpaque(function.pointee.swift)._withUnsafeGuaranteedRef {
                $0.arrangeForLua(thread, count)
            }
        }
        state.pointee.retain = { _ = Unmanaged<AnyObject>.fromOpaque($0).retain() }
        state.pointee.release = { Unmanaged<AnyObject>.fromOpaque($0).release() }
        try check(chost_open_libraries(state))
        try check(chost_intern(state, thread, mark, "__call"))
        try installDocs()
    }

    deinit {
        close()
        chost_close(state)
        for key in typeKeys {
            key.pointee.name.deallocate()
            key.deallocate()
        }
        for mark in marks { mark.deallocate() }
    }

    /// Lets go of everything that functions and hooks hold, which may be this object in turn. Lua is closed: none is called again.
    func letGo() {
        for type in types { type.detach() }
        hostTable = nil
        docs = DocRegistry()
        functions = []
        exitHooks = []
        openingListener = nil
        preludeSource = { _ in nil }
        isRetryable = { _ in false }
    }

    /// The thread that the innermost native function was called on.
    var thread: OpaquePointer { state.pointee.current ?? state.pointee.main! }

    // MARK: What lives as long as the state

    func keep(_ function: NativeFunction) -> UnsafeMutablePointer<chost_function> {
        functions.append(function)
        return function.cell
    }

    func makeTypeKey(_ name: String) -> UnsafeMutablePointer<chost_type> {
        let key = UnsafeMutablePointer<chost_type>.allocate(capacity: 1)
        let text = UnsafeMutableBufferPointer<CChar>.allocate(capacity: name.utf8.count + 1)
        _ = text.initialize(from: name.utf8CString)
        key.initialize(to: chost_type(name: UnsafePointer(text.baseAddress!), metatable: 0, release: nil))
        typeKeys.append(key)
        return key
    }

    /// A kind whose values are Lua objects: their metatable has `field`.
    public func defineKind(_ name: String, markedBy field: String) throws {
        let mark = UnsafeMutableRawPointer.allocate(byteCount: 1, alignment: 1)
        marks.append(mark)
        try check(chost_intern(state, thread, mark, field))
        kinds.define(name, mark: mark)
    }

    // MARK: Errors

    /// Throws what a protected call left behind.
    func check(_ status: Int32, on thread: OpaquePointer? = nil) throws {
        if status != LUA_OK { throw caught(status, on: thread ?? self.thread) }
    }

    private func caught(_ status: Int32, on thread: OpaquePointer) -> LuaError {
        let number = state.pointee.errors
        let kept = KeptError(number: number, releases: releases)
        guard lua_checkstack(thread, 12) != 0 else { return LuaError("stack overflow") }
        chost_push_error(state, thread, number)
        let message = text(of: -1, on: thread)
        chost_drop(thread, 1)
        var traceback: String?
        chost_push_traceback(state, thread, number)
        if case .string(let text) = ValueReader(state: state, thread: thread, releases: releases).string(-1) {
            traceback = text
        }
        chost_drop(thread, 1)
        return LuaError(message: message, kept: kept, traceback: traceback)
    }

    /// An error value as text. A value that is no string may know how to print itself.
    private func text(of index: Int32, on thread: OpaquePointer) -> String {
        let reader = ValueReader(state: state, thread: thread, releases: releases)
        switch lua_type(thread, index) {
        case LUA_TSTRING: break
        case LUA_TNIL: return "nil"
        default:
            guard chost_to_string(state, thread, index) == LUA_OK else { return "error object cannot be printed" }
            defer { chost_drop(thread, 1) }
            return reader.string(-1).asText
        }
        return reader.string(index).asText
    }

    /// Turns a thrown error into what C raises once Swift has returned.
    func failure(_ error: any Error, of function: NativeFunction) -> Int32 {
        var code = CHOST_ERROR
        let message: String
        switch error {
        case let exit as ExitRequest:
            state.pointee.exit_status = exit.status
            return Int32(CHOST_EXIT)
        case let error as LuaError:
            if let kept = error.kept, state.pointee.errors - kept.number < UInt64(CHOST_ERROR_SLOTS) {
                state.pointee.thrown = kept.number
                return Int32(CHOST_RETHROW)
            }
            message = error.isFromLua || function.isAnonymous ? error.message : function.naming(error.message)
        default:
            if isRetryable(error) { code = CHOST_RETRY }
            message = "\(error)"
        }
        var text = message
        text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) {
                _ = chost_set_message(state, $0.baseAddress, $0.count)
            }
        }
        return Int32(code)
    }

    // MARK: Pushing

    func push(_ value: String, on thread: OpaquePointer) throws {
        var text = value
        let status = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { bytes -> Int32 in
                guard let start = bytes.baseAddress else { return "".withCString { chost_push_string(state, thread, $0, 0) } }
                return chost_push_string(state, thread, start, bytes.count)
            }
        }
        try check(status, on: thread)
    }

    func push(_ value: LuaValue, on thread: OpaquePointer) throws {
        switch value {
        case .nil: lua_pushnil(thread)
        case .bool(let flag): lua_pushboolean(thread, flag ? 1 : 0)
        case .int(let int): lua_pushinteger(thread, Int64(int))
        case .number(let number): lua_pushnumber(thread, number)
        case .string(let string): try push(string, on: thread)
        case .reference(let reference): lua_rawgeti(thread, chost_registry(), Int64(reference.index))
        case .object(let object):
            let pointer = Unmanaged.passUnretained(object.object).toOpaque()
            try withExtendedLifetime(object.object) {
                try check(chost_push_object(state, thread, object.type, pointer), on: thread)
            }
        default:
            var stream = ValueStream()
            stream.append(value)
            // The tree outlives the call: it owns the objects until their blocks have retained them.
            let status = withExtendedLifetime(value) {
                stream.bytes.withUnsafeBufferPointer { chost_push_stream(state, thread, $0.baseAddress!, $0.count) }
            }
            try check(status, on: thread)
        }
    }

    // MARK: Leaving

    /// Runs before the process ends, with its exit status: on a normal end, an error, os.exit and signals alike.
    /// - Parameter isNeeded: once false, the hook has nothing to do any more and is let go when the next one comes.
    public func atExit(while isNeeded: @escaping () -> Bool = { true }, _ hook: @escaping (Int32) -> Void) {
        exitHooks.removeAll { !$0.isNeeded() }
        exitHooks.append((isNeeded, hook))
    }

    /// Runs the exit hooks, the newest first, once.
    public func runExitHooks(status: Int32) {
        while let hook = exitHooks.popLast() { hook.run(status) }
    }
}

extension LuaValue {
    fileprivate var asText: String {
        switch self {
        case .string(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        default: ""
        }
    }
}
