#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

package enum TimeText {
    /// `2026-11-23T14:33:48.268069`, in UTC.
    package static func utc(_ time: WBTime, suffix: String = "") -> String {
        var seconds = time_t(time.seconds)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { value < 10 ? "0\(value)" : "\(value)" }
        let micros = String(1_000_000 + Int(time.nanos) / 1000).dropFirst()
        let date = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(date)T\(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec)).\(micros)\(suffix)"
    }
}

extension WBTime {
    package init(secondsSince1970 time: Double) {
        self.init()
        let whole = time.rounded(.down)
        seconds = Int64(exactly: whole) ?? 0
        nanos = Int32(exactly: ((time - whole) * 1e9).rounded(.down)) ?? 0
    }

    package var secondsSince1970: Double { Double(seconds) + Double(nanos) / 1e9 }
}
