#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// An open file, closed when its owner goes.
package final class OpenFile: Sendable {
    package let descriptor: Int32

    package init(_ path: String, _ flags: Int32, action: String) throws(WandbError) {
        let opened = open(path, flags, 0o644)
        guard opened >= 0 else { throw Files.failure(action, path) }
        descriptor = opened
    }

    deinit { close(descriptor) }
}
