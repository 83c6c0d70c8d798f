#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif
import LuaBridge

private func seconds(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

/// Clocks.
func registerTime(_ lua: Lua) throws {
    try lua.module("time", "time\nClocks.") { m in
        try m.add(
            Declaration(
                """
                time.now() -> number
                Gives the time of day as seconds since 1970-01-01 00:00 UTC, with fractions.
                Example:
                  print(time.now() > 1.7e9) --> true
                See: time.monotonic
                Source: POSIX clock_gettime, CLOCK_REALTIME
                """
            ) { call in call.push(seconds(CLOCK_REALTIME)) },
            Declaration(
                """
                time.monotonic() -> number
                Gives seconds of a clock that only goes forward: for measuring how long something took.
                Example:
                  local start = time.monotonic()
                  print(time.monotonic() >= start) --> true
                See: time.now
                Source: POSIX clock_gettime, CLOCK_MONOTONIC
                """
            ) { call in call.push(seconds(CLOCK_MONOTONIC)) },
            Declaration(
                """
                time.sleep(seconds: number)
                Waits; an interrupt ends the wait.
                Args:
                  seconds: how long, fractions allowed
                Example:
                  time.sleep(0.01)
                Source: POSIX nanosleep
                """
            ) { call in
                let length = try call.number(0)
                guard length >= 0, length < 1e9 else { throw call.error(0, "expected 0 to 1e9 seconds, got \(length)") }
                var left = timespec(tv_sec: Int(length), tv_nsec: Int((length - length.rounded(.down)) * 1e9))
                var rest = timespec()
                while nanosleep(&left, &rest) != 0, errno == EINTR {
                    try call.lua.checkInterrupt()
                    left = rest
                }
            })
    }
}
