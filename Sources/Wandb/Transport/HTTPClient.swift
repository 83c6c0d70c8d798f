import CCurl

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Exchanges over libcurl. Connections are kept and reused between calls; HTTP/2 where the server has it.
/// One client belongs to one thread at a time.
package final class HTTPClient {
    private let multi: UnsafeMutableRawPointer?
    private let options: TransportOptions
    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    package init(options: TransportOptions) {
        self.options = options
        multi = Self.isReady ? curl_multi_init() : nil
        if let multi {
            _ = chost_curl_multi_set_long(multi, CURLMOPT_PIPELINING, Int(CURLPIPE_MULTIPLEX))
            _ = chost_curl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, 8)
        }
    }

    deinit { if let multi { curl_multi_cleanup(multi) } }

    package func perform(_ request: HTTPRequest, stop: () -> Bool = { false }) -> HTTPResponse {
        perform([request], parallel: 1, stop: stop)[0]
    }

    /// Performs requests, at most `parallel` at a time. Answers in the order of the requests. `stop` is asked ten
    /// times a second.
    package func perform(_ requests: [HTTPRequest], parallel: Int, stop: () -> Bool) -> [HTTPResponse] {
        BrokenPipe.ignored { exchange(requests, parallel: parallel, stop: stop) }
    }

    private func exchange(_ requests: [HTTPRequest], parallel: Int, stop: () -> Bool) -> [HTTPResponse] {
        var responses = [HTTPResponse](repeating: HTTPResponse(), count: requests.count)
        guard let multi = multi else {
            for index in responses.indices { responses[index].failure = .permanent("libcurl could not be started") }
            return responses
        }
        var waiting = requests.indices.makeIterator()
        var running: [Int: HTTPTransfer] = [:]
        func startNext() -> Bool {
            guard let index = waiting.next() else { return false }
            guard let transfer = HTTPTransfer(requests[index], index: index, options: options) else {
                responses[index].failure = .permanent("libcurl is out of memory")
                return true
            }
            if transfer.response.failure != nil {
                responses[index] = transfer.response
                return true
            }
            curl_multi_add_handle(multi, transfer.handle)
            running[index] = transfer
            return true
        }
        while true {
            while running.count < max(1, parallel), startNext() {}
            if running.isEmpty { return responses }
            var active: Int32 = 0
            curl_multi_perform(multi, &active)
            var left: Int32 = 0
            while let message = curl_multi_info_read(multi, &left) {
                guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                    let transfer = HTTPTransfer.from(chost_curl_get_private(handle))
                else { continue }
                transfer.finish(chost_curl_message_result(message))
                curl_multi_remove_handle(multi, handle)
                responses[transfer.index] = transfer.response
                running[transfer.index] = nil
            }
            if stop() {
                for (index, transfer) in running {
                    curl_multi_remove_handle(multi, transfer.handle)
                    responses[index].failure = .stopped
                }
                while let index = waiting.next() { responses[index].failure = .stopped }
                return responses
            }
            if !running.isEmpty { curl_multi_poll(multi, nil, 0, 100, nil) }
        }
    }
}

/// A connection that breaks while TLS writes to it raises SIGPIPE on the thread that writes. For the program that is an
/// answer that did not come, and no reason to end.
enum BrokenPipe {
    static func ignored<Result>(_ body: () -> Result) -> Result {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGPIPE)
        let wasPending = isPending
        var former = sigset_t()
        pthread_sigmask(SIG_BLOCK, &set, &former)
        defer {
            var signal: Int32 = 0
            if !wasPending, isPending { sigwait(&set, &signal) }
            pthread_sigmask(SIG_SETMASK, &former, nil)
        }
        return body()
    }

    private static var isPending: Bool {
        var pending = sigset_t()
        sigpending(&pending)
        return sigismember(&pending, SIGPIPE) == 1
    }
}
