import CCrypto
import CCurl
#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

/// One file fetched over HTTP: tried again where that may help, gone on with where it broke off.
final class Download {
    struct Request {
        var url: String
        var path: String?
        var sha256: String?
        /// The weaker sum that some publishers state; not used where there is the other.
        var md5: String?
        var progressName: String?
        var headers: [String] = []
        var retries = 4
        var timeout = 60

        init(url: String) { self.url = url }

        /// The address without user, password and query, which may be secrets.
        var shownURL: String {
            var text = url.prefix { $0 != "?" && $0 != "#" }
            let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
            if parts.count >= 3, let at = parts[2].lastIndex(of: "@") {
                text = (parts[..<2] + [parts[2][parts[2].index(after: at)...]] + parts[3...]).joined(separator: "/")[...]
            }
            return String(text)
        }
    }

    private enum Attempt {
        case done
        /// The server does not go on where we stopped: from the start.
        case restart
        case again(String)
    }

    private let request: Request
    private let lua: Lua
    private var progress: ProgressLine?

    init(_ request: Request, _ lua: Lua) {
        self.request = request
        self.lua = lua
        if let name = request.progressName { progress = ProgressLine(name: name, total: nil, unit: .bytes) }
    }

    /// What the contents must be, if that is known: the digest's name, how to compute it, the hex digits.
    private var expected: (name: String, algorithm: OpaquePointer?, sum: String)? {
        request.sha256.map { ("SHA-256", EVP_sha256(), $0) } ?? request.md5.map { ("MD5", EVP_md5(), $0) }
    }

    private func failure(_ reason: String) -> LuaError { LuaError("\(request.shownURL): \(reason)") }

    func toMemory() throws -> [UInt8] {
        var sink = Sink()
        try persist(&sink) { $0.bytes.removeAll() }
        if let (name, algorithm, sum) = expected {
            let found = SHA256.hex(sink.bytes, by: algorithm)
            guard found == sum else { throw failure("its \(name) is \(found), expected \(sum)") }
        }
        return sink.bytes
    }

    func toFile(_ path: String) throws {
        if let (_, algorithm, sum) = expected, Files.exists(path), try SHA256.hex(file: path, by: algorithm) == sum { return }
        let part = path + ".part"
        let descriptor = open(part, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw LuaError("\(part): cannot create: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var info = stat()
        var sink = Sink()
        sink.descriptor = descriptor
        sink.path = part
        if fstat(descriptor, &info) == 0 { sink.count = Int(info.st_size) }
        let resumed = sink.count > 0
        func clear(_ sink: inout Sink) throws {
            guard ftruncate(descriptor, 0) == 0 else { throw LuaError("\(part): cannot shorten: \(String(cString: strerror(errno)))") }
            sink.count = 0
        }
        try persist(&sink, clear)
        if let (name, algorithm, sum) = expected {
            var found = try SHA256.hex(file: part, by: algorithm)
            if found != sum, resumed {
                // What was there may have been the beginning of another file.
                try clear(&sink)
                try persist(&sink, clear)
                found = try SHA256.hex(file: part, by: algorithm)
            }
            guard found == sum else {
                unlink(part)
                throw failure("its \(name) is \(found), expected \(sum)")
            }
        }
        guard fsync(descriptor) == 0 || errno == EINVAL, rename(part, path) == 0 else {
            throw LuaError("\(path): cannot put in place: \(String(cString: strerror(errno)))")
        }
    }

    /// Tries until it is done, or there is no point in trying again.
    private func persist(_ sink: inout Sink, _ clear: (inout Sink) throws -> Void) throws {
        var left = request.retries
        var pause = 0.5
        while true {
            switch try attempt(&sink) {
            case .done:
                progress?.draw(sink.count, "", done: true)
                return
            case .restart:
                try clear(&sink)
                guard left > 0 else { throw failure("the server does not go on where the transfer stopped") }
                left -= 1
            case .again(let reason):
                guard left > 0 else {
                    throw failure("\(reason)\(request.retries > 0 ? " (tried \(request.retries + 1) times)" : "")")
                }
                left -= 1
                // Contents in memory start anew; a file goes on.
                if sink.descriptor < 0 { try clear(&sink) }
                try sleep(pause)
                pause = min(pause * 2, 30)
            }
        }
    }

    private func sleep(_ seconds: Double) throws {
        var rest = seconds
        while rest > 0 {
            try lua.checkInterrupt()
            usleep(UInt32(min(rest, 0.1) * 1e6))
            rest -= 0.1
        }
    }

    private func attempt(_ sink: inout Sink) throws -> Attempt {
        guard let handle = curl_easy_init() else { throw failure("no memory for a transfer") }
        defer { curl_easy_cleanup(handle) }
        var headers: UnsafeMutablePointer<curl_slist>?
        for header in request.headers { headers = curl_slist_append(headers, header) }
        defer { curl_slist_free_all(headers) }
        let transfer = Transfer(sink: sink, handle: handle, progress: progress, lua: lua)
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        var reason = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
        let code = reason.withUnsafeMutableBufferPointer { buffer -> CURLcode in
            var codes = [
                chost_curl_set_string(handle, CURLOPT_URL, request.url), chost_curl_only_http(handle),
                chost_curl_set_long(handle, CURLOPT_NOSIGNAL, 1), chost_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 1),
                chost_curl_set_long(handle, CURLOPT_MAXREDIRS, 10), chost_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT, 30),
                chost_curl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1),
                chost_curl_set_long(handle, CURLOPT_LOW_SPEED_TIME, request.timeout),
                chost_curl_set_string(handle, CURLOPT_USERAGENT, "host"),
                chost_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, buffer.baseAddress),
                chost_curl_set_pointer(handle, CURLOPT_WRITEDATA, context),
                chost_curl_set_transfer(handle, CURLOPT_WRITEFUNCTION, writeBody),
                chost_curl_set_pointer(handle, CURLOPT_XFERINFODATA, context), chost_curl_set_progress(handle, reportProgress),
                chost_curl_set_long(handle, CURLOPT_NOPROGRESS, 0),
            ]
            if headers != nil { codes.append(chost_curl_set_list(handle, CURLOPT_HTTPHEADER, headers)) }
            if let bundle = getenv("SSL_CERT_FILE") ?? getenv("CURL_CA_BUNDLE") {
                codes.append(chost_curl_set_string(handle, CURLOPT_CAINFO, bundle))
            }
            if sink.count > 0 { codes.append(chost_curl_set_size(handle, CURLOPT_RESUME_FROM_LARGE, curl_off_t(sink.count))) }
            if let bad = codes.first(where: { $0 != CURLE_OK }) { return bad }
            return curl_easy_perform(handle)
        }
        let resumedAt = sink.count
        sink = transfer.sink
        try lua.checkInterrupt()
        if let error = transfer.failure { throw error }
        let status = chost_curl_get_long(handle, CURLINFO_RESPONSE_CODE)
        let text = String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        switch code {
        case CURLE_OK:
            if status == 416, resumedAt > 0 { return .restart }
            if status == 408 || status == 429 || status >= 500 { return .again("the server answered \(status)") }
            guard status >= 200, status < 300 else { throw failure("the server answered \(status)") }
            return .done
        case CURLE_RANGE_ERROR: return .restart
        case CURLE_WRITE_ERROR where status == 416 && resumedAt > 0: return .restart
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_OPERATION_TIMEDOUT, CURLE_PARTIAL_FILE,
            CURLE_GOT_NOTHING, CURLE_SEND_ERROR, CURLE_RECV_ERROR, CURLE_SSL_CONNECT_ERROR, CURLE_HTTP2, CURLE_HTTP2_STREAM:
            return .again(text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
        default: throw failure(text.isEmpty ? String(cString: curl_easy_strerror(code)) : text)
        }
    }
}

/// Where a transfer's bytes go: a file, or memory.
struct Sink {
    var descriptor: Int32 = -1
    var path = ""
    var bytes: [UInt8] = []
    /// Bytes there so far, those of earlier attempts included.
    var count = 0

    /// Contents that scripts get as a string are not larger than this.
    static let memoryLimit = 1 << 30
}

/// What curl's callbacks work on.
private final class Transfer {
    var sink: Sink
    let handle: OpaquePointer
    let progress: ProgressLine?
    let lua: Lua
    let start: Int
    var failure: LuaError?

    init(sink: Sink, handle: UnsafeMutableRawPointer, progress: ProgressLine?, lua: Lua) {
        self.sink = sink
        self.handle = OpaquePointer(handle)
        self.progress = progress
        self.lua = lua
        start = sink.count
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        // The body of an answer that is no success is not the file.
        let status = chost_curl_get_long(UnsafeMutableRawPointer(handle), CURLINFO_RESPONSE_CODE)
        guard status >= 200, status < 300 else { return bytes.count }
        if sink.descriptor < 0 {
            guard sink.bytes.count + bytes.count <= Sink.memoryLimit else {
                failure = LuaError("the contents are larger than \(Sink.memoryLimit >> 20) MiB; give `to`")
                return 0
            }
            sink.bytes += bytes
            sink.count += bytes.count
            return bytes.count
        }
        guard let start = bytes.baseAddress else { return 0 }
        var done = 0
        while done < bytes.count {
            let n = systemWrite(sink.descriptor, start + done, bytes.count - done)
            if n < 0 && errno == EINTR { continue }
            guard n > 0 else {
                failure = LuaError("\(sink.path): cannot write: \(String(cString: strerror(errno)))")
                return done
            }
            done += n
            sink.count += n
        }
        return done
    }

    func report(_ total: Int) -> Int32 {
        if let progress, progress.isDue {
            if total > 0 { progress.total = start + total }
            progress.draw(sink.count, "", done: false)
        }
        return lua.interrupted == nil ? 0 : 1
    }
}

/// `write` under a name that methods called `write` do not hide.
private func systemWrite(_ fd: Int32, _ from: UnsafeRawPointer, _ n: Int) -> Int { write(fd, from, n) }

private let writeBody: chost_curl_transfer = { bytes, size, count, context in
    guard let context, let bytes else { return 0 }
    let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    return transfer.write(UnsafeRawBufferPointer(start: bytes, count: size * count))
}

private let reportProgress: chost_curl_progress = { context, total, _, _, _ in
    guard let context else { return 0 }
    return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().report(Int(total))
}
