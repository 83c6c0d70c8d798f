/// Talks to one W&B server: adds the key where it belongs, retries what is worth it, and says what went wrong.
/// One client belongs to one thread at a time.
package final class ServerClient {
    package let settings: Settings
    package let url: ServerURL
    private let http: HTTPClient
    /// Asked ten times a second; true ends exchanges and waits.
    private let stop: @Sendable () -> Bool
    /// Waits until the seconds are over or `stop` is true.
    private let pause: @Sendable (Double) -> Void
    /// In shared mode every writer has an id of its own.
    package let clientID: String?
    /// Called before a wait, with what was wrong.
    package var onRetry: ((HTTPResponse, Double) -> Void)?

    package init(
        settings: Settings, clientID: String? = nil, stop: @escaping @Sendable () -> Bool = { false },
        pause: @escaping @Sendable (Double) -> Void = { Clock.sleep($0) }
    ) {
        self.settings = settings
        self.clientID = clientID
        url = ServerURL(settings.baseURL)
        http = HTTPClient(options: TransportOptions(settings: settings, environment: Settings.processEnvironment()))
        self.stop = stop
        self.pause = pause
    }

    /// A request to the server itself; requests elsewhere carry no key.
    package func request(_ method: HTTPRequest.Method, _ address: String) -> HTTPRequest {
        var request = HTTPRequest(method, address)
        request.headers.append(("User-Agent", Client.userAgent))
        if url.owns(address), let key = settings.apiKey {
            request.headers.append(("Authorization", "Basic " + Base64.encode(Array("api:\(key.secret)".utf8))))
        }
        request.headers += settings.extraHeaders.map { (name: $0.0, value: $0.1) }
        return request
    }

    /// Sends until the answer is one that counts. Between attempts it waits as the policy says.
    package func send(_ request: HTTPRequest, _ policy: RetryPolicy, deadline: Double = .infinity) -> HTTPResponse {
        var attempt = 0
        while true {
            let response = http.perform(request, stop: stop)
            guard let wait = waitBeforeRetry(response, policy, attempt: attempt, deadline: deadline) else { return response }
            pause(wait)
            if stop() { return response }
            attempt += 1
        }
    }

    private func waitBeforeRetry(_ response: HTTPResponse, _ policy: RetryPolicy, attempt: Int, deadline: Double)
        -> Double?
    {
        guard policy.decision(for: response) == .retry, attempt < policy.mostRetries else { return nil }
        let wait = policy.wait(attempt: attempt, response: response) * settings.retryScale
        guard Clock.monotonic() + wait < deadline else { return nil }
        onRetry?(response, wait)
        return wait
    }

    /// Sends many requests, several at a time, each retried on its own.
    package func sendAll(_ requests: [HTTPRequest], _ policy: RetryPolicy, parallel: Int) -> [HTTPResponse] {
        var responses = [HTTPResponse](repeating: HTTPResponse(), count: requests.count)
        var pending = Array(requests.indices)
        var attempt = 0
        while !pending.isEmpty {
            let round = http.perform(pending.map { requests[$0] }, parallel: parallel, stop: stop)
            var again: [Int] = []
            var longest = 0.0
            for (index, response) in zip(pending, round) {
                responses[index] = response
                if let wait = waitBeforeRetry(response, policy, attempt: attempt, deadline: .infinity) {
                    again.append(index)
                    longest = max(longest, wait)
                }
            }
            pending = again
            if !pending.isEmpty {
                pause(longest)
                if stop() { return responses }
                attempt += 1
            }
        }
        return responses
    }

    // MARK: GraphQL

    package func graphQLRequest(_ query: String, _ variables: WandbMap) -> HTTPRequest {
        var request = request(.post, "\(url.base)/graphql")
        request.headers.append(("Content-Type", "application/json"))
        request.headers.append(("X-Wandb-Username", settings.username ?? ""))
        request.headers.append(("X-Wandb-User-Email", settings.email ?? ""))
        if let clientID {
            request.headers.append(("X-WANDB-USE-ASYNC-FILESTREAM", "true"))
            request.headers.append(("X-WANDB-CLIENT-ID", clientID))
        }
        let body: WandbMap = [
            "query": .string(query), "variables": .map(variables), "operationName": .string(Self.operationName(query)),
        ]
        request.body = .bytes(JSONWriter.bytes(.map(body)))
        request.timeout = settings.graphQLTimeout
        return request
    }

    /// The word after `query` or `mutation`.
    package static func operationName(_ query: String) -> String {
        let words = query.split(whereSeparator: { " ({".contains($0) })
        return words.count > 1 ? String(words[1]) : ""
    }

    /// The `data` of the answer. Throws with the server's own words.
    package func graphQL(
        _ query: String, _ variables: WandbMap = [:], policy: RetryPolicy = RetryPolicy(.graphQL),
        deadline: Double = .infinity
    ) throws(WandbError) -> WandbValue {
        let request = graphQLRequest(query, variables)
        var attempt = 0
        while true {
            let response = send(request, policy, deadline: deadline)
            let json = response.json
            if response.isSuccess {
                if let data = json?["data"], data != .null, !Self.isOnlyNulls(data, errors: json?["errors"]) { return data }
                if json?["errors"]?.listValue?.isEmpty == false {
                    throw error(for: response, doing: Self.operationName(query))
                }
                // Something between us and the server answered in its place: worth a few more attempts.
                let wait = policy.wait(attempt: attempt, response: response) * settings.retryScale
                if attempt < 5, !stop(), Clock.monotonic() + wait < deadline {
                    pause(wait)
                    attempt += 1
                    continue
                }
                throw WandbError(
                    .format, "wandb: \(url.base) answered \(Self.operationName(query)) with something that is no GraphQL")
            }
            throw error(for: response, doing: Self.operationName(query))
        }
    }

    private static func isOnlyNulls(_ data: WandbValue, errors: WandbValue?) -> Bool {
        guard errors?.listValue?.isEmpty == false else { return false }
        return data.mapValue?.entries.allSatisfy { $0.value == .null } ?? true
    }

    /// The failure in words that say which server, which key, and what to do.
    package func error(for response: HTTPResponse, doing operation: String) -> WandbError {
        guard response.failure == nil else {
            return WandbError(.unreachable, "wandb: cannot reach \(url.base) (\(operation)): \(response.message)")
        }
        let tried = settings.apiKey.map { "the API key ending in \($0.lastFour) (from \($0.source))" } ?? "no API key"
        let authorize = "\(url.app(override: settings.appURLOverride))/authorize"
        switch response.status {
        case 401:
            return WandbError(
                .refused(status: 401),
                "wandb: \(url.base) refused \(tried): \(response.message). Get a key at \(authorize) and put it into "
                    + "WANDB_API_KEY")
        case 403:
            return WandbError(
                .refused(status: 403),
                "wandb: \(url.base) does not allow \(operation) with \(tried): \(response.message). Check the entity "
                    + "and the project, or get another key at \(authorize)")
        default:
            return WandbError(
                .refused(status: response.status), "wandb: \(url.base) refused \(operation): \(response.message)")
        }
    }
}
