import CLuaShim

/// One function as it is declared: a docstring that opens with its signature, and the code.
public struct Declaration {
    public let doc: String
    public let aliases: [String]
    /// The key of a function that only preludes call; such a one has no documentation.
    let field: String?
    let result: AnyUserdataType?
    let results: Int
    let fast: Bool
    let short: ShortForm?
    let body: (Call) throws -> Void

    /// - Parameters:
    ///   - returns: the userdata type of fresh results; their blocks are then made before Swift is entered, which is the fast way.
    ///   - count: how many of them.
    ///   - field: the key in the module's table, of a function that preludes call on behalf of what scripts call: the
    ///     signature has the name that scripts know, for errors.
    ///   - fast: skips keywords and checks. The body looks at its arguments itself, and calls `Call.checked()` when
    ///     they are not what it hopes for.
    ///   - short: is tried before all that.
    public init(
        _ doc: String, aliases: [String] = [], field: String? = nil, returns: AnyUserdataType? = nil, count: Int = 1, fast: Bool = false,
        short: ShortForm? = nil, body: @escaping (Call) throws -> Void
    ) {
        self.doc = doc
        self.aliases = aliases
        self.field = field
        result = returns
        results = returns == nil ? 0 : count
        self.fast = fast
        self.short = short
        self.body = body
    }

    /// The text before the opening parenthesis.
    public var name: String { doc.nameOfSignature }
    var shortName: String {
        let name = name
        let mark = name.utf8.lastIndex { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") }
        return mark.map { String(name[name.utf8.index(after: $0)...]) } ?? name
    }
}

extension String {
    /// The text before the opening parenthesis. On bytes: it is asked for a thousand times while modules are put together.
    fileprivate var nameOfSignature: String {
        let text = utf8.drop { $0 == UInt8(ascii: " ") || (9...13).contains($0) }
        return String(Substring(text.prefix { $0 != UInt8(ascii: "(") }))
    }
}

/// The way past all argument handling, for a function whose arguments are one or two objects of a type, or such an
/// object and a number. Called by C: it cannot throw, and calls no Lua.
public struct ShortForm {
    /// An operand that is nil is the number. Gives the result, retained (in place: anything), or nil to have the call go
    /// the usual way; then nothing may have happened.
    public typealias Run = @convention(c) (
        _ context: UnsafeMutableRawPointer, _ a: UnsafeMutableRawPointer?, _ b: UnsafeMutableRawPointer?, _ number: Double
    ) -> UnsafeMutableRawPointer?

    let operands: Int
    let type: AnyUserdataType
    let context: UnsafeMutableRawPointer
    let run: Run

    /// - Parameter context: lives as long as the process.
    public init(operands: Int, of type: AnyUserdataType, context: UnsafeMutableRawPointer, _ run: @escaping Run) {
        self.operands = operands
        self.type = type
        self.context = context
        self.run = run
    }
}

/// A Swift function that Lua can call. Lives as long as the Lua state: closures in Lua hold its bare address.
final class NativeFunction {
    unowned(unsafe) let lua: Lua
    let doc: String
    let cell: UnsafeMutablePointer<chost_function>
    private let fast: Bool
    private let body: (Call) throws -> Void
    /// Owned; unmanaged, because it is read in every call and never replaced.
    private var compiled: Unmanaged<CompiledSignature>?
    let state: UnsafeMutablePointer<chost_state>
    /// Metamethods and the like: their errors name the type themselves.
    var isAnonymous: Bool { Self.anonymous.contains(name) }
    private static let anonymous: Set<String> = ["index", "assign", "close", "require"]
    /// What precedes the name when it does not say itself where it belongs: `tensor.`, `Tensor:`.
    private let place: String
    /// What errors begin with.
    private(set) lazy var name = {
        let name = doc.nameOfSignature
        return name.utf8.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") } ? name : place + name
    }()

    /// The message with the function's name before it, unless it begins so already.
    func naming(_ message: String) -> String {
        if message.hasPrefix(name + ":") { return message }
        return message.hasPrefix(name.dropFirst(place.count) + ":") ? place + message : "\(name): \(message)"
    }

    init(_ declaration: Declaration, lua: Lua, place: String = "") {
        self.place = place
        self.lua = lua
        state = lua.state
        doc = declaration.doc
        fast = declaration.fast
        body = declaration.body
        cell = .allocate(capacity: 1)
        cell.initialize(
            to: chost_function(
                swift: UnsafeMutableRawPointer(bitPattern: 1)!, params: Int32(Self.countParameters(declaration.doc)),
                boxes: Int32(declaration.results), result: declaration.result?.key, arranged: 0,
                operands: Int32(declaration.short?.operands ?? 0), operand: declaration.short?.type.key,
                quick: declaration.short?.run, context: declaration.short?.context))
        cell.pointee.swift = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        compiled?.release()
        cell.deallocate()
    }

    /// An upper bound of the parameters, without parsing: the signature is parsed when the function is first called.
    private static func countParameters(_ doc: String) -> Int {
        var depth = 0, commas = 0, any = false
        for byte in doc.utf8 {
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: ")"), UInt8(ascii: "}"):
                depth -= 1
                if depth == 0 { return any ? commas + 1 : 0 }
            case UInt8(ascii: ","): commas += 1; any = true
            case UInt8(ascii: "\n"): return any ? commas + 1 : 0
            case UInt8(ascii: " "): break
            default: if depth > 0 { any = true }
            }
        }
        return any ? commas + 1 : 0
    }

    /// The signature in the form the checks use; parsed once.
    func signature() throws -> Unmanaged<CompiledSignature> {
        if let compiled { return compiled }
        let line = doc.drop { $0.isWhitespace }.prefix { $0 != "\n" }
        let fresh = Unmanaged.passRetained(try lua.kinds.compile(Signature(parsing: String(line))))
        compiled = fresh
        return fresh
    }

    /// Parameter `index`; nil while the signature was not needed yet, and for a wrong index.
    func parameter(_ index: Int) -> CompiledParameter? {
        guard let parameters = compiled?._withUnsafeGuaranteedRef({ $0.parameters }) else { return nil }
        return parameters.indices.contains(index) ? parameters[index] : nil
    }

    @inline(__always)
    func check(_ index: Int) -> ParameterCheck? {
        compiled?._withUnsafeGuaranteedRef { $0.checks.indices.contains(index) ? $0.checks[index] : nil }
    }

    /// Called by C for each call from Lua. Never lets an error out: failures are codes.
    func enter(_ thread: OpaquePointer, _ count: Int32) -> Int32 {
        if lua.releases.isWaiting { lua.releases.drain(lua.state, thread) }
        let slots = max(count, cell.pointee.params)
        do {
            var call = Call(
                thread: thread, function: Unmanaged.passUnretained(self), base: 0, given: count, boxes: slots + 1)
            guard fast else {
                try call.arrange()
                let before = lua_gettop(thread)
                try body(call)
                return lua_gettop(thread) - before
            }
            // The function may call itself by way of Lua.
            let outer = cell.pointee.arranged
            defer { cell.pointee.arranged = outer }
            cell.pointee.arranged = slots + cell.pointee.boxes
            try body(call)
            return lua_gettop(thread) - cell.pointee.arranged
        } catch {
            return lua.failure(error, of: self)
        }
    }

    /// Puts the arguments of a Lua function in order: leaves one value for each parameter, then the rest.
    func arrangeForLua(_ thread: OpaquePointer, _ count: Int32) -> Int32 {
        if lua.releases.isWaiting { lua.releases.drain(lua.state, thread) }
        do {
            var call = Call(
                thread: thread, function: Unmanaged.passUnretained(self), base: 0, given: count, boxes: 0)
            try call.arrange()
            return try call.spread()
        } catch {
            return lua.failure(error, of: self)
        }
    }
}
