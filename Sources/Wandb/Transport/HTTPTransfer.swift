import CCurl
import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// What libcurl's callbacks need of one exchange while it runs.
final class HTTPTransfer {
    let request: HTTPRequest
    let index: Int
    var response = HTTPResponse()
    let handle: UnsafeMutableRawPointer
    private var headerList: UnsafeMutablePointer<curl_slist>?
    private var source: OpenFile?
    private var output: OpenFile?
    private var sent: Int64 = 0
    private(set) var outputFailed = false
    private var received = 0
    /// Where curl says what failed, in more words than its code has.
    private let reason = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    /// Answers that belong into memory are small; more than this is no answer of W&B's.
    private static let mostInMemory = 256 << 20

    init?(_ request: HTTPRequest, index: Int, options: TransportOptions) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.request = request
        self.index = index
        reason.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        do {
            if case .file(let path, _, _) = request.body { source = try OpenFile(path, O_RDONLY | O_CLOEXEC, action: "read") }
            if let path = request.outputPath {
                output = try OpenFile(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, action: "write")
            }
        } catch {
            response.failure = .permanent("\(error)")
        }
        configure(options)
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headerList)
        reason.deallocate()
    }

    private func configure(_ options: TransportOptions) {
        let context = Unmanaged.passUnretained(self).toOpaque()
        let pointer = handle
        _ = chost_curl_set_string(pointer, CURLOPT_URL, request.url)
        _ = chost_curl_set_pointer(pointer, CURLOPT_PRIVATE, context)
        _ = chost_curl_set_pointer(pointer, CURLOPT_ERRORBUFFER, reason)
        _ = chost_curl_set_long(pointer, CURLOPT_NOSIGNAL, 1)
        _ = chost_curl_set_long(pointer, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_2TLS))
        _ = chost_curl_set_string(pointer, CURLOPT_ACCEPT_ENCODING, "gzip")
        _ = chost_curl_set_string(pointer, CURLOPT_PROTOCOLS_STR, "http,https")
        _ = chost_curl_set_long(pointer, CURLOPT_CONNECTTIMEOUT, 20)
        _ = chost_curl_set_long(pointer, CURLOPT_TCP_KEEPALIVE, 1)
        if request.method == .get {
            _ = chost_curl_set_long(pointer, CURLOPT_FOLLOWLOCATION, 1)
            _ = chost_curl_set_long(pointer, CURLOPT_MAXREDIRS, 10)
        }
        if request.timeout > 0 {
            _ = chost_curl_set_long(pointer, CURLOPT_TIMEOUT_MS, Int(request.timeout * 1000))
        } else {
            // Without a time limit a dead connection is one on which nothing moves.
            _ = chost_curl_set_long(pointer, CURLOPT_LOW_SPEED_LIMIT, 1)
            _ = chost_curl_set_long(pointer, CURLOPT_LOW_SPEED_TIME, 60)
        }
        options.apply(to: pointer, url: request.url)
        setBody(pointer, context)
        _ = chost_curl_set_transfer(pointer, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            HTTPTransfer.from(context)?.take(bytes, size * count) ?? 0
        }
        _ = chost_curl_set_pointer(pointer, CURLOPT_WRITEDATA, context)
        _ = chost_curl_set_transfer(pointer, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            HTTPTransfer.from(context)?.takeHeader(bytes, size * count) ?? 0
        }
        _ = chost_curl_set_pointer(pointer, CURLOPT_HEADERDATA, context)
        for header in request.headers {
            // curl drops a header that ends in ':'; a semicolon makes it an empty one.
            let line = header.value.isEmpty ? "\(header.name);" : "\(header.name): \(header.value)"
            headerList = curl_slist_append(headerList, line)
        }
        headerList = curl_slist_append(headerList, "Expect:")
        _ = chost_curl_set_list(pointer, CURLOPT_HTTPHEADER, headerList)
    }

    private func setBody(_ pointer: UnsafeMutableRawPointer, _ context: UnsafeMutableRawPointer) {
        switch request.method {
        case .get: break
        case .post:
            _ = chost_curl_set_long(pointer, CURLOPT_POST, 1)
            _ = chost_curl_set_size(pointer, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(request.body.count))
        case .put:
            _ = chost_curl_set_long(pointer, CURLOPT_UPLOAD, 1)
            _ = chost_curl_set_size(pointer, CURLOPT_INFILESIZE_LARGE, curl_off_t(request.body.count))
        }
        guard request.method != .get else { return }
        _ = chost_curl_set_transfer(pointer, CURLOPT_READFUNCTION) { bytes, size, count, context in
            HTTPTransfer.from(context)?.give(bytes, size * count) ?? Int(CURL_READFUNC_ABORT)
        }
        _ = chost_curl_set_pointer(pointer, CURLOPT_READDATA, context)
        // A reused connection that has died makes curl start again from the front.
        _ = chost_curl_set_seek(pointer, CURLOPT_SEEKFUNCTION) { context, offset, origin in
            guard origin == SEEK_SET, let transfer = HTTPTransfer.from(context) else { return CURL_SEEKFUNC_FAIL }
            transfer.sent = Int64(offset)
            return CURL_SEEKFUNC_OK
        }
        _ = chost_curl_set_pointer(pointer, CURLOPT_SEEKDATA, context)
    }

    static func from(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer? {
        context.map { Unmanaged<HTTPTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    private func give(_ target: UnsafeMutablePointer<CChar>?, _ room: Int) -> Int {
        guard let target else { return Int(CURL_READFUNC_ABORT) }
        let count = min(Int64(room), request.body.count - sent)
        guard count > 0 else { return 0 }
        switch request.body {
        case .none: return 0
        case .bytes(let bytes):
            bytes.withUnsafeBytes {
                guard let base = $0.baseAddress else { return }
                UnsafeMutableRawPointer(target).copyMemory(from: base + Int(sent), byteCount: Int(count))
            }
            sent += count
            return Int(count)
        case .file(_, let offset, _):
            guard let source else { return Int(CURL_READFUNC_ABORT) }
            let got = pread(source.descriptor, target, Int(count), off_t(offset + sent))
            guard got > 0 else { return Int(CURL_READFUNC_ABORT) }
            sent += Int64(got)
            TransferMeter.moved.add(got, ordering: .relaxed)
            return got
        }
    }

    private func take(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        let piece = UnsafeRawBufferPointer(start: bytes, count: count)
        received += count
        TransferMeter.moved.add(count, ordering: .relaxed)
        // An error's body belongs into the message, not into the file.
        if let output, chost_curl_get_long(handle, CURLINFO_RESPONSE_CODE) < 300 {
            guard Files.writeAll(piece, to: output.descriptor) else {
                outputFailed = true
                return 0
            }
        } else {
            guard received <= Self.mostInMemory else { return 0 }
            response.body.append(contentsOf: piece)
        }
        return count
    }

    private func takeHeader(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> Int {
        let line = String(decoding: UnsafeRawBufferPointer(start: bytes, count: count), as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // Another answer begins: after a redirect, or an informational one.
            response.headers = []
        } else if let mark = line.firstIndex(of: ":") {
            response.headers.append((line[..<mark].lowercased(), line[line.index(after: mark)...].trimmed))
        }
        return count
    }

    func finish(_ code: CURLcode) {
        response.status = chost_curl_get_long(handle, CURLINFO_RESPONSE_CODE)
        guard code != CURLE_OK else { return }
        let words = String(cString: reason)
        let text = words.isEmpty ? String(cString: curl_easy_strerror(code)) : words
        switch code {
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE:
            response.failure = .permanent("\(text). SSL_CERT_FILE may name a file with the certificates to trust")
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_SSL_CERTPROBLEM, CURLE_ABORTED_BY_CALLBACK, CURLE_READ_ERROR:
            response.failure = .permanent(text)
        case CURLE_WRITE_ERROR where outputFailed:
            response.failure = .permanent("cannot write '\(request.outputPath ?? "")'")
        default: response.failure = .transient(text)
        }
    }
}
