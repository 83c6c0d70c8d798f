#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Which answers are worth another attempt, and when.
package struct RetryPolicy: Sendable {
    package enum Kind: Sendable { case graphQL, upsertBucket, fileStream, signedURL }
    package enum Decision: Sendable, Equatable { case accept, retry, giveUp }

    package let kind: Kind
    package let mostRetries: Int
    /// Seconds of the first wait and of the longest.
    package static let firstWait = 2.0
    package static let longestWait = 60.0

    package init(_ kind: Kind, mostRetries: Int? = nil) {
        self.kind = kind
        self.mostRetries = mostRetries ?? 20
    }

    package func decision(for response: HTTPResponse) -> Decision {
        switch response.failure {
        case .transient: return .retry
        case .permanent, .stopped: return .giveUp
        case nil: break
        }
        switch response.status {
        case 200..<300: return .accept
        case 409: return kind == .upsertBucket ? .retry : .giveUp
        case 400, 401, 402, 403, 404, 410, 413, 422, 501: return .giveUp
        case 429: return .retry
        case 400..<500: return kind == .signedURL ? .giveUp : .retry
        case 500..<600: return .retry
        default: return .giveUp
        }
    }

    /// Seconds before retry number `attempt` (from 0). The server's `Retry-After` goes before our own idea.
    package func wait(attempt: Int, response: HTTPResponse, now: Double = Clock.now()) -> Double {
        if response.failure == nil, let asked = response.header("retry-after").flatMap({ Self.seconds($0, now: now) }) {
            return asked
        }
        var generator = SystemRandomNumberGenerator()
        let jitter = 1 + Double.random(in: 0...0.25, using: &generator)
        return min(Self.longestWait, Self.firstWait * exp2(Double(min(attempt, 30))) * jitter)
    }

    /// `Retry-After`: seconds, fractions allowed, or a date of RFC 1123.
    package static func seconds(_ text: String, now: Double) -> Double? {
        if let seconds = Double(text) { return seconds.isFinite && seconds >= 0 ? seconds : nil }
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        // Sun, 06 Nov 1994 08:49:37 GMT
        let parts = text.split(whereSeparator: { $0 == " " || $0 == ":" || $0 == "," })
        guard parts.count == 8, let day = Int32(parts[1]), let month = months.firstIndex(of: String(parts[2])),
            let year = Int32(parts[3]), let hour = Int32(parts[4]), let minute = Int32(parts[5]),
            let second = Int32(parts[6]), (1970..<10000).contains(year)
        else { return nil }
        var date = tm()
        (date.tm_year, date.tm_mon, date.tm_mday) = (year - 1900, Int32(month), day)
        (date.tm_hour, date.tm_min, date.tm_sec) = (hour, minute, second)
        return max(0, Double(timegm(&date)) - now)
    }
}
