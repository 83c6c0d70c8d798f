/// Whether the server answers at all. Asked without the key.
public enum Reachability: Sendable, Equatable {
    case reachable(status: Int)
    case unreachable(String)

    public static func check(_ settings: Settings, seconds: Double) -> Reachability {
        let client = HTTPClient(options: TransportOptions(settings: settings, environment: Settings.processEnvironment()))
        var request = HTTPRequest(.get, settings.baseURL + "/healthz")
        request.timeout = seconds
        let response = client.perform(request)
        switch response.failure {
        case nil: return .reachable(status: response.status)
        case .transient(let reason), .permanent(let reason): return .unreachable(reason)
        case .stopped: return .unreachable("stopped")
        }
    }
}
