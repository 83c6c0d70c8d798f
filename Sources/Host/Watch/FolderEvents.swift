#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// Tells when something in a set of folders may have changed: inotify on Linux, where also editors that write a new file
/// and rename it over the old one are seen; elsewhere it just lets time pass, and the caller compares.
final class FolderEvents: @unchecked Sendable {
    // The descriptors never change; the kernel serialises what is done with them.
    private let events: Int32
    private let wake: (read: Int32, write: Int32)

    /// Editors write in several steps: what happens within this time is one change.
    private static let quietMilliseconds: Int32 = 15
    private static let pollMilliseconds: Int32 = 100

    init() throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw FileError("cannot make a pipe for", "watching") }
        wake = (ends[0], ends[1])
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        #if os(Linux)
        events = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard events >= 0 else { throw FileError("cannot start inotify for", "watching") }
        #else
        events = -1
        #endif
    }

    deinit {
        close(wake.read)
        close(wake.write)
        if events >= 0 { close(events) }
    }

    /// Watches the folder of a file, and that of what a symbolic link leads to.
    func add(folderOf path: String) {
        #if os(Linux)
        var folders = [Files.split(path).folder]
        if let resolved = realpath(path, nil) {
            folders.append(Files.split(String(cString: resolved)).folder)
            free(resolved)
        }
        let mask = UInt32(IN_CLOSE_WRITE) | UInt32(IN_MOVED_TO) | UInt32(IN_CREATE) | UInt32(IN_ATTRIB)
        for folder in folders { _ = inotify_add_watch(events, folder, mask) }
        #endif
    }

    /// Waits until something happened and has been quiet for a moment. False: `stop` was called.
    func wait() -> Bool {
        #if os(Linux)
        guard ready(events, -1) else { return false }
        repeat { discard() } while ready(events, Self.quietMilliseconds)
        return !isStopped
        #else
        return !ready(-1, Self.pollMilliseconds) && !isStopped
        #endif
    }

    func stop() {
        var byte: UInt8 = 1
        _ = write(wake.write, &byte, 1)
    }

    private var isStopped: Bool {
        var item = pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0)
        return poll(&item, 1, 0) > 0
    }

    /// Whether there are events before the time is over, and nobody called `stop`.
    private func ready(_ file: Int32, _ milliseconds: Int32) -> Bool {
        var items = [pollfd(fd: wake.read, events: Int16(POLLIN), revents: 0), pollfd(fd: file, events: Int16(POLLIN), revents: 0)]
        while poll(&items, nfds_t(file >= 0 ? 2 : 1), milliseconds) < 0, errno == EINTR {}
        return items[0].revents == 0 && items[1].revents != 0
    }

    private func discard() {
        var buffer = [UInt8](repeating: 0, count: 4096)
        while read(events, &buffer, buffer.count) > 0 {}
    }
}
