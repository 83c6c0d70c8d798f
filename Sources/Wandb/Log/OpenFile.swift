#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// An open file, closed when its owner goes.
package final class OpenFile: Sendable {
    package let descriptor: Int32

    package init(_ path: String, _ flags: Int32, action: String) throws(WandbError) {
        // Logs and documents hold the run's configuration: they are their owner's alone.
        let opened = open(path, flags, 0o600)
        guard opened >= 0 else { throw Files.failure(action, path) }
        descriptor = opened
    }

    deinit { close(descriptor) }
}
