import CCurl

/// How connections are made: proxies and certificates, by the official client's rules. `WANDB_HTTP_PROXY` and
/// `WANDB_HTTPS_PROXY` are for every server of their scheme; `HTTP_PROXY` and `HTTPS_PROXY` for those that `NO_PROXY` does
/// not name and that are not this machine.
package struct TransportOptions: Sendable {
    private let httpProxy: String?
    private let httpsProxy: String?
    private let usualHTTPProxy: String?
    private let usualHTTPSProxy: String?
    private let noProxy: String
    private let certificateFile: String?
    private let certificateDirectory: String?
    private let disablesVerification: Bool

    package init(settings: Settings, environment: [String: String]) {
        func variable(_ names: String...) -> String? { names.lazy.compactMap { environment[$0] }.first { !$0.isEmpty } }
        httpProxy = settings.httpProxy
        httpsProxy = settings.httpsProxy
        usualHTTPProxy = variable("HTTP_PROXY", "http_proxy")
        usualHTTPSProxy = variable("HTTPS_PROXY", "https_proxy")
        noProxy = variable("NO_PROXY", "no_proxy") ?? ""
        certificateFile = variable("SSL_CERT_FILE")
        certificateDirectory = variable("SSL_CERT_DIR")
        disablesVerification = settings.disablesTLSVerification
    }

    /// curl's own reading of the environment, which has other rules, is off: what is set here counts.
    func apply(to handle: UnsafeMutableRawPointer, url: String) {
        let isEncrypted = url.hasPrefix("https:")
        let chosen = isEncrypted ? httpsProxy : httpProxy
        let usual = Self.isThisMachine(ServerURL(url).authority) ? nil : isEncrypted ? usualHTTPSProxy : usualHTTPProxy
        _ = chost_curl_set_string(handle, CURLOPT_PROXY, chosen ?? usual ?? "")
        _ = chost_curl_set_string(handle, CURLOPT_NOPROXY, chosen == nil ? noProxy : "")
        if let certificateFile { _ = chost_curl_set_string(handle, CURLOPT_CAINFO, certificateFile) }
        if let certificateDirectory { _ = chost_curl_set_string(handle, CURLOPT_CAPATH, certificateDirectory) }
        if disablesVerification {
            _ = chost_curl_set_long(handle, CURLOPT_SSL_VERIFYPEER, 0)
            _ = chost_curl_set_long(handle, CURLOPT_SSL_VERIFYHOST, 0)
        }
    }

    /// `localhost`, 127.0.0.0/8 and ::1, with a port or without.
    private static func isThisMachine(_ authority: String) -> Bool {
        if authority.hasPrefix("[") { return authority.hasPrefix("[::1]") }
        let host = authority.prefix { $0 != ":" }
        let numbers = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return host == "localhost" || numbers.count == 4 && numbers[0] == 127 && !numbers.contains(nil)
    }
}
